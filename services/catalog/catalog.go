// Package catalog knows what the shop sells and finds it for the customer.
package catalog

import (
	"context"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
)

// Limits on one request. More is an ErrInput.
const (
	MaxPage    = 250  // products or collections in one page
	MaxIDs     = 1000 // ids asked for in one call
	MaxImport  = 500  // products in one Put
	MaxVariant = 2048 // variants of one product
	MaxQuery   = 512  // bytes of a search text
)

// Service is the contract of the catalogue service. Anyone may read what is
// published. What does not exist is absent from the answer, not an error.
type Service interface {
	// Search finds products; computed only as far as it is asked for.
	// ErrInput, ErrCursor.
	Search(ctx context.Context, q Search) (Found, error)
	// Products returns products by id.
	Products(ctx context.Context, ids []string) (map[string]Product, error)
	// ProductByHandle returns the product, or ErrNotFound.
	ProductByHandle(ctx context.Context, handle string) (Product, error)
	// Variants returns variants by id, each with the product it belongs to.
	Variants(ctx context.Context, ids []string) (map[string]VariantOf, error)
	// VariantsBySKU returns the published variants that are sold under SKUs,
	// each with its product. Of several under one SKU it is always the same,
	// that of the least id. What another copy of the service put in less than
	// a second ago may be missing.
	VariantsBySKU(ctx context.Context, skus []string) (map[string]VariantOf, error)
	// Recommendations are products that go with this one, best first.
	Recommendations(ctx context.Context, productID string, limit int) ([]Product, error)

	// Collections lists collections by title, or by ids.
	Collections(ctx context.Context, q CollectionQuery) (CollectionPage, error)
	// CollectionByHandle returns the collection, or ErrNotFound.
	CollectionByHandle(ctx context.Context, handle string) (Collection, error)

	// Put adds or changes products by their handle, in bulk, and says of each
	// what became of it; a bad one does not stop the others. Ids of products
	// and variants stay (variants are recognised by their options' values).
	// What is found afterwards includes them. It needs identity.ProductsWrite:
	// ErrForbidden.
	Put(ctx context.Context, who identity.Caller, products []ProductInput) ([]PutResult, error)
	// PutCollections adds or changes collections by their handle. It needs
	// identity.ProductsWrite: ErrForbidden.
	PutCollections(ctx context.Context, who identity.Caller, collections []CollectionInput) error
	// Count is how many products there are.
	Count(ctx context.Context) (int64, error)
}

// A Product is something the shop sells, in one or more variants.
type Product struct {
	ID          string
	Version     int64
	Handle      string // unique; its place in URLs
	Title       string
	HTML        string // description, sanitised
	Vendor      string
	Type        string
	Tags        []string // sorted, without repetition
	Options     []Option
	Variants    []Variant // in order; at least one
	Images      []Image
	Collections []string // ids
	SEO         SEO
	Published   bool
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// An Option is a way in which the variants differ: Size: S, M, L.
type Option struct {
	Name   string
	Values []string
}

// A Variant is what can be bought: one choice of each option.
type Variant struct {
	ID               string
	SKU              string // what inventory counts
	Title            string // "M / Blue"
	Selected         []SelectedOption
	Price            money.Amount
	CompareAt        *money.Amount // the price before, when reduced
	WeightGrams      int64
	Barcode          string
	RequiresShipping bool
	Taxable          bool
	Image            *Image
	InStock          bool // as last heard from inventory; for lists and filters. What counts is inventory.Levels
}

// SelectedOption is one choice: Size, M.
type SelectedOption struct{ Name, Value string }

// An Image of a product.
type Image struct {
	URL    string // absolute, or a path on this shop's own origin
	Alt    string
	Width  int // pixels; 0 when unknown
	Height int
}

// SEO is what search engines are told.
type SEO struct{ Title, Description string }

// VariantOf is a variant with its product.
type VariantOf struct {
	Variant Variant
	Product Product
}

// A Collection is a list of products with a name: those with all of its tags,
// or those put in by hand.
type Collection struct {
	ID        string
	Handle    string
	Title     string
	HTML      string
	Image     *Image
	SEO       SEO
	UpdatedAt time.Time
}

// CollectionQuery asks for collections.
type CollectionQuery struct {
	IDs     []string // these only; no paging then
	Sort    CollectionSort
	Reverse bool
	After   string
	Limit   int
}

// CollectionSort orders collections.
type CollectionSort string

// The orders of collections.
const (
	CollectionsByTitle   CollectionSort = "TITLE"
	CollectionsByUpdated CollectionSort = "UPDATED_AT"
	CollectionsByID      CollectionSort = "ID"
)

// CollectionPage is a stretch of the collections.
type CollectionPage struct {
	Collections []Collection
	Cursors     []string // one per collection: pass as After
	HasMore     bool
}

// Search asks for products.
type Search struct {
	// Text is what the customer typed: words, with typos, the last one
	// perhaps unfinished. It may hold Shopify's search syntax: field:value
	// with title, tag, vendor, product_type, variants.price, available_for_sale,
	// created_at, updated_at, handle, sku, barcode, tag_not; -negation; OR;
	// (brackets); "phrases"; start*. What is not syntax is words: no text is
	// an error but one that is too long.
	Text       string
	Collection string   // id: only its products
	Filters    []Filter // all must hold, those on variants for one and the same; several of one kind on one option or field: any of them
	Sort       Sort
	Reverse    bool
	After      string // cursor: behind it
	Before     string // cursor: before it; with Last semantics (the page that ends there)
	Limit      int    // 0: no products, facets or total alone
	Total      bool   // count the hits
	Facets     bool   // count them by vendor, type, tag, option, availability, and price range; a facet does not heed its own filters
}

// A Filter narrows a search. Exactly one part is set.
type Filter struct {
	Available  *bool
	Vendor     string
	Type       string
	Tag        string
	Option     *SelectedOption
	PriceMin   *int64 // minor units, included
	PriceMax   *int64 // minor units, included; may stand beside PriceMin
	Collection string // id
}

// Sort orders products.
type Sort string

// The orders of products.
const (
	Relevance   Sort = "RELEVANCE" // by score; without a text, by title
	ByTitle     Sort = "TITLE"
	ByPrice     Sort = "PRICE" // the least of the variants'
	ByCreated   Sort = "CREATED_AT"
	ByUpdated   Sort = "UPDATED_AT"
	ByVendor    Sort = "VENDOR"
	ByType      Sort = "PRODUCT_TYPE"
	ByID        Sort = "ID"
	BestSelling Sort = "BEST_SELLING" // the newest first, until sales are counted
	Manual      Sort = "MANUAL"       // as put into the collection; elsewhere as added
)

// Found is the answer to a search.
type Found struct {
	Products []Product
	Cursors  []string // one per product: pass as After or Before
	HasNext  bool
	HasPrev  bool
	Total    int64   // when asked for
	Facets   []Facet // when asked for
	Currency string  // of the price facet and filters
}

// A Facet counts the hits by one property.
type Facet struct {
	ID     string // "filter.v.availability", "filter.p.vendor", "filter.p.product_type", "filter.p.tag", "filter.v.option.size", "filter.v.price"
	Label  string
	Kind   FacetKind
	Values []FacetValue // most hits first; at most 100
	// Of the price facet: the least and the greatest price among the hits.
	Min, Max int64
}

// FacetKind tells how a facet is shown.
type FacetKind string

// The kinds of facet.
const (
	FacetList    FacetKind = "LIST"
	FacetRange   FacetKind = "PRICE_RANGE"
	FacetBoolean FacetKind = "BOOLEAN"
)

// FacetValue is one value with its count; Filter narrows the search to it.
type FacetValue struct {
	ID     string
	Label  string
	Count  int64
	Filter Filter
}

// ProductInput is a product to be put into the catalogue.
type ProductInput struct {
	Handle    string
	Title     string
	HTML      string // sanitised by the catalogue
	Vendor    string
	Type      string
	Tags      []string
	Options   []string // names; none means a single variant
	Variants  []VariantInput
	Images    []Image
	SEO       SEO
	Published bool
	Line      int // where it stood in its source, for reports
}

// VariantInput is a variant to be put into the catalogue.
type VariantInput struct {
	SKU              string   // "" makes one of handle and options
	Options          []string // values, one per option name
	Price            money.Amount
	CompareAt        *money.Amount
	WeightGrams      int64
	Barcode          string
	RequiresShipping bool
	Taxable          bool
	ImageURL         string
	Line             int
}

// PutResult says what became of one product.
type PutResult struct {
	Product Product // with the ids and SKUs it now has; zero when Err is set
	Outcome PutOutcome
	Problem string // why it was refused, naming the field
}

// PutOutcome is what became of a product.
type PutOutcome string

// The outcomes of Put.
const (
	Added     PutOutcome = "ADDED"
	Changed   PutOutcome = "CHANGED"
	Unchanged PutOutcome = "UNCHANGED"
	Refused   PutOutcome = "REFUSED"
)

// CollectionInput is a collection to be put into the catalogue. Its products
// are those that match all of its rules, or, without rules, those listed.
type CollectionInput struct {
	Handle   string
	Title    string
	HTML     string
	Image    *Image
	SEO      SEO
	Rules    []Filter // Tag, Type or Vendor
	Products []string // handles, in order
}
