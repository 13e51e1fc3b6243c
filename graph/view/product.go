package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
)

// Product is something the shop sells.
type Product struct {
	noCustomData
	of   *catalog.Product
	shop *Shop
}

// NewProduct shows a product of the catalogue, which must not change any more.
func NewProduct(shop *Shop, p *catalog.Product) Product { return Product{of: p, shop: shop} }

// NewProducts shows several products.
func NewProducts(shop *Shop, found []catalog.Product) []Product {
	products := make([]Product, len(found))
	for i := range found {
		products[i] = NewProduct(shop, &found[i])
	}
	return products
}

// IsNode marks it.
func (*Product) IsNode() {}

// IsSearchResultItem marks it.
func (*Product) IsSearchResultItem() {}

// Key is the product's id within the shop.
func (p *Product) Key() string { return p.of.ID }

// SKUs are those of all variants.
func (p *Product) SKUs() []string {
	skus := make([]string, len(p.of.Variants))
	for i := range p.of.Variants {
		skus[i] = p.of.Variants[i].SKU
	}
	return skus
}

// CollectionKeys are the ids of the collections it is in.
func (p *Product) CollectionKeys() []string { return p.of.Collections }

// ID is the global id.
func (p *Product) ID() string { return idOf("Product", p.of.ID) }

// Handle is its place in addresses.
func (p *Product) Handle() string { return p.of.Handle }

// Title is its name.
func (p *Product) Title() string { return p.of.Title }

// Description is what it is, as plain text.
func (p *Product) Description(truncateAt *int32) string {
	return truncate(plainText(p.of.HTML), truncateAt)
}

// DescriptionHTML is what it is, with markup.
func (p *Product) DescriptionHTML() string { return p.of.HTML }

// Vendor is who makes it.
func (p *Product) Vendor() string { return p.of.Vendor }

// ProductType is what kind of thing it is.
func (p *Product) ProductType() string { return p.of.Type }

// Tags by name.
func (p *Product) Tags() []string {
	if p.of.Tags == nil {
		return []string{}
	}
	return p.of.Tags
}

// AvailableForSale tells whether any variant was in stock when the catalogue
// last heard of it.
func (p *Product) AvailableForSale() bool {
	return slices.ContainsFunc(p.of.Variants, func(v catalog.Variant) bool { return v.InStock })
}

// VariantsCount is how many variants it has.
func (p *Product) VariantsCount() *Count { return &Count{int64(len(p.of.Variants))} }

// FeaturedImage is its first picture.
func (p *Product) FeaturedImage() *Image {
	if len(p.of.Images) == 0 {
		return nil
	}
	i := NewImage(p.shop, &p.of.Images[0])
	return &i
}

// FeaturedMedia is its first picture as a medium.
func (p *Product) FeaturedMedia() Media {
	i := p.FeaturedImage()
	if i == nil {
		return nil
	}
	return &MediaImage{*i}
}

// Images is a page of its pictures.
func (p *Product) Images(first *int32, after *string, last *int32, before *string, reverse *bool, sortKey *string) (*ImageConnection, error) {
	all := p.of.Images
	at := func(i int) *catalog.Image {
		if reverse != nil && *reverse {
			i = len(all) - 1 - i
		}
		return &all[i]
	}
	from, to, info, err := Window{first, last, after, before}.cut(len(all), func(i int) string {
		image := NewImage(p.shop, at(i))
		return image.key()
	})
	if err != nil {
		return nil, err
	}
	c := &ImageConnection{Nodes: make([]Image, 0, to-from), PageInfo: info}
	for i := from; i < to; i++ {
		c.Nodes = append(c.Nodes, NewImage(p.shop, at(i)))
	}
	return c, nil
}

// Media is a page of its pictures as media.
func (p *Product) Media(first *int32, after *string, last *int32, before *string, reverse *bool, sortKey *string) (*MediaConnection, error) {
	c, err := p.Images(first, after, last, before, reverse, nil)
	if err != nil {
		return nil, err
	}
	return &MediaConnection{*c}, nil
}

// ProductPriceRange is from the least to the greatest price.
type ProductPriceRange struct {
	MinVariantPrice money.Amount
	MaxVariantPrice money.Amount
}

// PriceRange is that of the variants' prices.
func (p *Product) PriceRange() *ProductPriceRange {
	return p.span(func(v *catalog.Variant) *money.Amount { return &v.Price })
}

// CompareAtPriceRange is that of the prices before; zero where nothing is reduced.
func (p *Product) CompareAtPriceRange() *ProductPriceRange {
	return p.span(func(v *catalog.Variant) *money.Amount { return v.CompareAt })
}

func (p *Product) span(price func(*catalog.Variant) *money.Amount) *ProductPriceRange {
	var least, most *money.Amount
	for i := range p.of.Variants {
		a := price(&p.of.Variants[i])
		if a == nil {
			continue
		}
		if least == nil || a.Minor < least.Minor {
			least = a
		}
		if most == nil || a.Minor > most.Minor {
			most = a
		}
	}
	if least == nil {
		return &ProductPriceRange{p.shop.nothing(), p.shop.nothing()}
	}
	return &ProductPriceRange{*least, *most}
}

// SEO is what search engines are told.
func (p *Product) SEO() *SEO { return &SEO{orNil(p.of.SEO.Title), orNil(p.of.SEO.Description)} }

// OnlineStoreURL is its address in the web shop.
func (p *Product) OnlineStoreURL() *string {
	return orNil(p.shop.PublicURL + "/products/" + p.of.Handle)
}

// CreatedAt is when it came into the catalogue.
func (p *Product) CreatedAt() time.Time { return p.of.CreatedAt }

// UpdatedAt is when it last changed.
func (p *Product) UpdatedAt() time.Time { return p.of.UpdatedAt }

// PublishedAt is when it was first shown.
func (p *Product) PublishedAt() time.Time { return p.of.CreatedAt }

// IsGiftCard is false.
func (p *Product) IsGiftCard() bool { return false }

// RequiresSellingPlan is false.
func (p *Product) RequiresSellingPlan() bool { return false }

// TrackingParameters is null.
func (p *Product) TrackingParameters() *string { return nil }

// The option that Shopify shows where there is nothing to choose.
const (
	defaultOption = "Title"
	defaultValue  = "Default Title"
)

func (p *Product) options() []catalog.Option {
	if len(p.of.Options) == 0 {
		return []catalog.Option{{Name: defaultOption, Values: []string{defaultValue}}}
	}
	return p.of.Options
}

// Options are the ways in which its variants differ.
func (p *Product) Options(first *int32) []ProductOption {
	all := p.options()
	if first != nil {
		all = all[:min(len(all), int(max(*first, 0)))]
	}
	options := make([]ProductOption, len(all))
	for i := range all {
		options[i] = ProductOption{p, i, all[i]}
	}
	return options
}

// ProductOption is a way in which variants differ.
type ProductOption struct {
	product *Product
	index   int
	of      catalog.Option
}

// IsNode marks it.
func (*ProductOption) IsNode() {}

// ID is the global id.
func (o *ProductOption) ID() string {
	return idOf("ProductOption", o.product.of.ID+"-"+strconv.Itoa(o.index+1))
}

// Name of the option.
func (o *ProductOption) Name() string { return o.of.Name }

// Values in order.
func (o *ProductOption) Values() []string { return o.of.Values }

// OptionValues in order.
func (o *ProductOption) OptionValues() []ProductOptionValue {
	values := make([]ProductOptionValue, len(o.of.Values))
	for i := range values {
		values[i] = ProductOptionValue{o, i}
	}
	return values
}

// ProductOptionValue is one value of an option.
type ProductOptionValue struct {
	option *ProductOption
	index  int
}

// IsNode marks it.
func (*ProductOptionValue) IsNode() {}

// ID is the global id.
func (v *ProductOptionValue) ID() string {
	return idOf("ProductOptionValue", v.option.product.of.ID+"-"+strconv.Itoa(v.option.index+1)+"-"+strconv.Itoa(v.index+1))
}

// Name of the value.
func (v *ProductOptionValue) Name() string { return v.option.of.Values[v.index] }

// FirstSelectableVariant is the first with this value that is in stock, or
// else the first with it.
func (v *ProductOptionValue) FirstSelectableVariant() *ProductVariant {
	p := v.option.product
	return p.choose(func(w *catalog.Variant) bool {
		for _, s := range selected(w) {
			if s.Name == v.option.of.Name {
				return s.Value == v.Name()
			}
		}
		return false
	})
}

// choose is the first fitting variant in stock, or else the first fitting.
func (p *Product) choose(fits func(*catalog.Variant) bool) *ProductVariant {
	var any *catalog.Variant
	for i := range p.of.Variants {
		v := &p.of.Variants[i]
		if !fits(v) {
			continue
		}
		if v.InStock {
			return p.variant(v)
		}
		if any == nil {
			any = v
		}
	}
	if any == nil {
		return nil
	}
	return p.variant(any)
}

func selected(v *catalog.Variant) []catalog.SelectedOption {
	if len(v.Selected) == 0 {
		return []catalog.SelectedOption{{Name: defaultOption, Value: defaultValue}}
	}
	return v.Selected
}

// SelectedOptionInput is one choice.
type SelectedOptionInput struct{ Name, Value string }

// A choice is a set of selected options as a client states it.
type choice struct {
	options []SelectedOptionInput
	equal   func(a, b string) bool
}

// choice drops or keeps what is not an option of the product; ok is false
// when something unknown is kept, so that nothing can match.
func (p *Product) choice(options []SelectedOptionInput, ignoreUnknown, caseInsensitive *bool) (c choice, ok bool) {
	c.equal = func(a, b string) bool { return a == b }
	if caseInsensitive != nil && *caseInsensitive {
		c.equal = strings.EqualFold
	}
	known := p.options()
	for _, o := range options {
		if slices.ContainsFunc(known, func(k catalog.Option) bool { return c.equal(k.Name, o.Name) }) {
			c.options = append(c.options, o)
		} else if ignoreUnknown != nil && !*ignoreUnknown {
			return c, false
		}
	}
	return c, true
}

// differences is in how many of the variant's options it is not this choice;
// an option left open differs from every value unless open is allowed.
func (c choice) differences(v *catalog.Variant, open bool) int {
	n := 0
	for _, s := range selected(v) {
		i := slices.IndexFunc(c.options, func(o SelectedOptionInput) bool { return c.equal(o.Name, s.Name) })
		switch {
		case i < 0 && !open, i >= 0 && !c.equal(c.options[i].Value, s.Value):
			n++
		}
	}
	return n
}

// VariantBySelectedOptions is the variant with exactly these choices.
func (p *Product) VariantBySelectedOptions(selectedOptions []SelectedOptionInput, ignoreUnknownOptions, caseInsensitiveMatch *bool) *ProductVariant {
	c, ok := p.choice(selectedOptions, ignoreUnknownOptions, caseInsensitiveMatch)
	if !ok {
		return nil
	}
	return p.choose(func(v *catalog.Variant) bool { return c.differences(v, false) == 0 })
}

// SelectedOrFirstAvailableVariant is the variant with these choices, or else
// the first in stock, or else the first.
func (p *Product) SelectedOrFirstAvailableVariant(selectedOptions []SelectedOptionInput, ignoreUnknownOptions, caseInsensitiveMatch *bool) *ProductVariant {
	c, ok := p.choice(selectedOptions, ignoreUnknownOptions, caseInsensitiveMatch)
	if ok && len(c.options) > 0 {
		if v := p.choose(func(v *catalog.Variant) bool { return c.differences(v, true) == 0 }); v != nil {
			return v
		}
	}
	return p.choose(func(*catalog.Variant) bool { return true })
}

// AdjacentVariants differ from these choices in one option.
func (p *Product) AdjacentVariants(selectedOptions []SelectedOptionInput, ignoreUnknownOptions, caseInsensitiveMatch *bool) []ProductVariant {
	c, ok := p.choice(selectedOptions, ignoreUnknownOptions, caseInsensitiveMatch)
	adjacent := []ProductVariant{}
	if !ok {
		return adjacent
	}
	if len(c.options) == 0 {
		first := p.choose(func(*catalog.Variant) bool { return true })
		if first == nil {
			return adjacent
		}
		for _, s := range selected(first.of) {
			c.options = append(c.options, SelectedOptionInput(s))
		}
	}
	for i := range p.of.Variants {
		if v := &p.of.Variants[i]; c.differences(v, false) == 1 {
			adjacent = append(adjacent, *p.variant(v))
		}
	}
	return adjacent
}

// EncodedVariantExistence tells which combinations of options exist.
func (p *Product) EncodedVariantExistence() *string {
	return p.encode(func(*catalog.Variant) bool { return true })
}

// EncodedVariantAvailability tells which combinations of options can be bought.
func (p *Product) EncodedVariantAvailability() *string {
	return p.encode(func(v *catalog.Variant) bool { return v.InStock })
}

// encode writes the positions of the options' values, variant by variant, as
// a trie: "v1_0:0-1,1:0,".
func (p *Product) encode(include func(*catalog.Variant) bool) *string {
	options := p.options()
	var all [][]int
	for i := range p.of.Variants {
		v := &p.of.Variants[i]
		if !include(v) {
			continue
		}
		place := make([]int, len(options))
		for j, o := range options {
			for _, s := range selected(v) {
				if s.Name == o.Name {
					place[j] = slices.Index(o.Values, s.Value)
				}
			}
		}
		if !slices.Contains(place, -1) {
			all = append(all, place)
		}
	}
	slices.SortFunc(all, func(a, b []int) int { return slices.Compare(a, b) })
	code := "v1_" + string(trie(nil, all, 0))
	return &code
}

// trie writes the sorted places that share the values before depth: at the
// last option as ranges, above it as "value:…,".
func trie(b []byte, all [][]int, depth int) []byte {
	if len(all) == 0 {
		return b
	}
	last := depth == len(all[0])-1
	for i, j := 0, 0; i < len(all); i = j {
		value := all[i][depth]
		for j = i + 1; j < len(all) && (all[j][depth] == all[j-1][depth] || last && all[j][depth] == all[j-1][depth]+1); {
			j++
		}
		if last && i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(value), 10)
		switch end := all[j-1][depth]; {
		case !last:
			b = append(trie(append(b, ':'), all[i:j], depth+1), ',')
		case end > value:
			b = strconv.AppendInt(append(b, '-'), int64(end), 10)
		}
	}
	if last && depth == 0 {
		b = append(b, ',')
	}
	return b
}

// Variants is a page of its variants.
func (p *Product) Variants(first *int32, after *string, last *int32, before *string, reverse *bool, sortKey *string) (*ProductVariantConnection, error) {
	all := make([]*catalog.Variant, len(p.of.Variants))
	for i := range p.of.Variants {
		all[i] = &p.of.Variants[i]
	}
	if sortKey != nil {
		switch *sortKey {
		case "TITLE":
			slices.SortStableFunc(all, func(a, b *catalog.Variant) int { return cmp.Compare(a.Title, b.Title) })
		case "SKU":
			slices.SortStableFunc(all, func(a, b *catalog.Variant) int { return cmp.Compare(a.SKU, b.SKU) })
		case "ID":
			slices.SortStableFunc(all, func(a, b *catalog.Variant) int { return cmp.Compare(a.ID, b.ID) })
		}
	}
	if reverse != nil && *reverse {
		slices.Reverse(all)
	}
	from, to, info, err := Window{first, last, after, before}.cut(len(all), func(i int) string { return all[i].ID })
	if err != nil {
		return nil, err
	}
	c := &ProductVariantConnection{Nodes: make([]ProductVariant, 0, to-from), PageInfo: info}
	for _, v := range all[from:to] {
		c.Nodes = append(c.Nodes, ProductVariant{of: v, product: p})
	}
	return c, nil
}

// ProductVariantConnection is a page of variants.
type ProductVariantConnection struct {
	Nodes    []ProductVariant
	PageInfo PageInfo
}

// Edges are the variants with their cursors.
func (c *ProductVariantConnection) Edges() []ProductVariantEdge {
	edges := make([]ProductVariantEdge, len(c.Nodes))
	for i, v := range c.Nodes {
		edges[i] = ProductVariantEdge{v.of.ID, v}
	}
	return edges
}

// ProductVariantEdge is a variant in its list.
type ProductVariantEdge struct {
	Cursor string
	Node   ProductVariant
}

// ProductConnection is a page of products.
type ProductConnection struct {
	Nodes    []Product
	Cursors  []string
	PageInfo PageInfo
	Filters  []Filter
	Total    int64
}

// TotalCount is how many there are in all.
func (c *ProductConnection) TotalCount() string { return strconv.FormatInt(c.Total, 10) }

// Edges are the products with their cursors.
func (c *ProductConnection) Edges() []ProductEdge {
	edges := make([]ProductEdge, len(c.Nodes))
	for i := range c.Nodes {
		edges[i] = ProductEdge{c.Cursors[i], c.Nodes[i]}
	}
	return edges
}

// ProductEdge is a product in its list.
type ProductEdge struct {
	Cursor string
	Node   Product
}

// StringConnection is a page of words.
type StringConnection struct {
	Edges    []StringEdge
	PageInfo PageInfo
}

// StringEdge is a word in its list.
type StringEdge struct{ Cursor, Node string }

// NewStrings is the first n of the words.
func NewStrings(words []string, n int32) *StringConnection {
	from, to, info, _ := Window{First: &n}.cut(len(words), func(i int) string { return words[i] })
	c := &StringConnection{Edges: make([]StringEdge, 0, to-from), PageInfo: info}
	for _, w := range words[from:to] {
		c.Edges = append(c.Edges, StringEdge{w, w})
	}
	return c
}
