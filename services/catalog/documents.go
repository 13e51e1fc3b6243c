package catalog

import (
	"strconv"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/money"
)

// productDoc is a product as it is kept: one document, variants inside.
type productDoc struct {
	docstore.Meta `bson:",inline"`

	Handle    string       `bson:"handle"`
	Title     string       `bson:"title"`
	HTML      string       `bson:"html,omitempty"`
	Vendor    string       `bson:"vendor,omitempty"`
	Type      string       `bson:"type,omitempty"`
	Tags      []string     `bson:"tags,omitempty"`
	Options   []optionDoc  `bson:"options,omitempty"`
	Variants  []variantDoc `bson:"variants"`
	Images    []imageDoc   `bson:"images,omitempty"`
	SEO       seoDoc       `bson:"seo"`
	Published bool         `bson:"published"`
	CreatedAt time.Time    `bson:"createdAt"`
	UpdatedAt time.Time    `bson:"updatedAt"`

	Ordinals int   `bson:"ordinals"` // variant numbers given out so far; none is given twice
	Seq      int64 `bson:"seq"`      // the change that wrote it: see journal
}

type optionDoc struct {
	Name   string   `bson:"name"`
	Values []string `bson:"values"`
}

type variantDoc struct {
	N                int      `bson:"n"` // its number in the product; never changes
	SKU              string   `bson:"sku"`
	Values           []string `bson:"values,omitempty"` // one per option
	Price            int64    `bson:"price"`
	CompareAt        *int64   `bson:"compareAt,omitempty"`
	Currency         string   `bson:"currency"`
	WeightGrams      int64    `bson:"weightGrams,omitempty"`
	Barcode          string   `bson:"barcode,omitempty"`
	RequiresShipping bool     `bson:"requiresShipping,omitempty"`
	Taxable          bool     `bson:"taxable,omitempty"`
	ImageURL         string   `bson:"imageUrl,omitempty"`
}

type imageDoc struct {
	URL    string `bson:"url"`
	Alt    string `bson:"alt,omitempty"`
	Width  int    `bson:"width,omitempty"`
	Height int    `bson:"height,omitempty"`
}

type seoDoc struct {
	Title       string `bson:"title,omitempty"`
	Description string `bson:"description,omitempty"`
}

// collectionDoc is a collection as it is kept.
type collectionDoc struct {
	docstore.Meta `bson:",inline"`

	Handle    string    `bson:"handle"`
	Title     string    `bson:"title"`
	HTML      string    `bson:"html,omitempty"`
	Image     *imageDoc `bson:"image,omitempty"`
	SEO       seoDoc    `bson:"seo"`
	Rules     []ruleDoc `bson:"rules,omitempty"`
	Products  []string  `bson:"products,omitempty"` // handles
	UpdatedAt time.Time `bson:"updatedAt"`
	Seq       int64     `bson:"seq"`
}

type ruleDoc struct {
	Tag    string `bson:"tag,omitempty"`
	Type   string `bson:"type,omitempty"`
	Vendor string `bson:"vendor,omitempty"`
}

// stockDoc is whether a SKU was in stock when inventory last spoke of it.
type stockDoc struct {
	docstore.Meta `bson:",inline"` // the id is the SKU

	InStock bool  `bson:"inStock"`
	Of      int64 `bson:"of"` // version of the stock; the greater is the later
	Seq     int64 `bson:"seq"`
}

var (
	productSpec = docstore.Spec{Name: "products", Indexes: []docstore.Index{
		{Name: "handle", Fields: []string{"handle"}, Unique: true},
		{Name: "seq", Fields: []string{"seq"}},
	}}
	collectionSpec = docstore.Spec{Name: "collections", Indexes: []docstore.Index{
		{Name: "handle", Fields: []string{"handle"}, Unique: true},
		{Name: "seq", Fields: []string{"seq"}},
	}}
	stockSpec = docstore.Spec{Name: "availability", Indexes: []docstore.Index{
		{Name: "seq", Fields: []string{"seq"}},
	}}
	journalSpec = docstore.Spec{Name: "journal"}
)

// variantID is the product's id and the variant's number in it, so that a
// variant is found by reading its product.
func variantID(productID string, n int) string { return productID + "-" + strconv.Itoa(n) }

// productOf is the id of the product that a variant's id names.
func productOf(variantID string) (productID string, ok bool) {
	i := strings.LastIndexByte(variantID, '-')
	if i <= 0 {
		return "", false
	}
	return variantID[:i], true
}

// DefaultVariant is the title of the only variant of a product without options.
const DefaultVariant = "Default Title"

// product is the document as the catalogue shows it; InStock and Collections
// are left to the shelf.
func (d *productDoc) product() Product {
	p := Product{
		ID: d.ID, Version: d.Version, Handle: d.Handle, Title: d.Title, HTML: d.HTML,
		Vendor: d.Vendor, Type: d.Type, Tags: d.Tags,
		SEO:       SEO(d.SEO),
		Published: d.Published, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
		Variants: make([]Variant, len(d.Variants)),
	}
	if len(d.Options) > 0 {
		p.Options = make([]Option, len(d.Options))
		for i, o := range d.Options {
			p.Options[i] = Option(o)
		}
	}
	if len(d.Images) > 0 {
		p.Images = make([]Image, len(d.Images))
		for i, m := range d.Images {
			p.Images[i] = Image(m)
		}
	}
	chosen := make([]SelectedOption, len(d.Variants)*len(d.Options))
	for i, v := range d.Variants {
		n := min(len(v.Values), len(d.Options))
		selected := chosen[:n:n]
		chosen = chosen[n:]
		for j := range n {
			selected[j] = SelectedOption{d.Options[j].Name, v.Values[j]}
		}
		title := DefaultVariant
		if n > 0 {
			title = strings.Join(v.Values, " / ")
		} else {
			selected = nil
		}
		p.Variants[i] = Variant{
			ID: variantID(d.ID, v.N), SKU: v.SKU, Title: title, Selected: selected,
			Price: money.Of(v.Price, v.Currency), WeightGrams: v.WeightGrams, Barcode: v.Barcode,
			RequiresShipping: v.RequiresShipping, Taxable: v.Taxable,
		}
		if v.CompareAt != nil {
			was := money.Of(*v.CompareAt, v.Currency)
			p.Variants[i].CompareAt = &was
		}
		if v.ImageURL != "" {
			for _, m := range p.Images {
				if m.URL == v.ImageURL {
					p.Variants[i].Image = &m
					break
				}
			}
		}
	}
	return p
}

func (d *collectionDoc) collection() Collection {
	c := Collection{ID: d.ID, Handle: d.Handle, Title: d.Title, HTML: d.HTML, SEO: SEO(d.SEO), UpdatedAt: d.UpdatedAt}
	if d.Image != nil {
		m := Image(*d.Image)
		c.Image = &m
	}
	return c
}
