package view

import (
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
)

// Merchandise is what can stand in a line of a cart.
type Merchandise interface{ IsMerchandise() }

// ProductVariant is what can be bought.
type ProductVariant struct {
	noCustomData
	of      *catalog.Variant
	product *Product
}

// NewVariant shows a variant with its product; neither must change any more.
func NewVariant(shop *Shop, v *catalog.VariantOf) *ProductVariant {
	p := NewProduct(shop, &v.Product)
	return &ProductVariant{of: &v.Variant, product: &p}
}

// VariantOfItem shows what a cart or an order remembers of a variant that the
// catalogue does not know any more.
func VariantOfItem(shop *Shop, item *cart.Item) *ProductVariant {
	v := catalog.Variant{
		ID: item.VariantID, SKU: item.SKU, Title: item.VariantTitle, Price: item.Price, CompareAt: item.CompareAt,
		WeightGrams: item.WeightGrams, RequiresShipping: item.RequiresShipping, Taxable: item.Taxable,
	}
	for _, o := range item.Options {
		v.Selected = append(v.Selected, catalog.SelectedOption(o))
	}
	product := catalog.Product{ID: item.ProductID, Handle: item.Handle, Title: item.Title, Vendor: item.Vendor, Variants: []catalog.Variant{v}}
	if item.ImageURL != "" {
		product.Images = []catalog.Image{{URL: item.ImageURL}}
	}
	for _, s := range v.Selected {
		product.Options = append(product.Options, catalog.Option{Name: s.Name, Values: []string{s.Value}})
	}
	return NewVariant(shop, &catalog.VariantOf{Variant: v, Product: product})
}

func (p *Product) variant(v *catalog.Variant) *ProductVariant {
	return &ProductVariant{of: v, product: p}
}

// IsNode marks it.
func (*ProductVariant) IsNode() {}

// IsMerchandise marks it.
func (*ProductVariant) IsMerchandise() {}

// ID is the global id.
func (v *ProductVariant) ID() string { return idOf("ProductVariant", v.of.ID) }

// Title is its choices in short.
func (v *ProductVariant) Title() string {
	if v.of.Title == "" {
		return defaultValue
	}
	return v.of.Title
}

// StockKey is its SKU.
func (v *ProductVariant) StockKey() string { return v.of.SKU }

// SKU is what the warehouse counts.
func (v *ProductVariant) SKU() *string { return orNil(v.of.SKU) }

// Barcode is the number in its bar code.
func (v *ProductVariant) Barcode() *string { return orNil(v.of.Barcode) }

// AvailableForSale tells whether it was in stock when the catalogue last
// heard of it.
func (v *ProductVariant) AvailableForSale() bool { return v.of.InStock }

// CurrentlyNotInStock is false: what is not in stock cannot be ordered.
func (v *ProductVariant) CurrentlyNotInStock() bool { return false }

// Price of one unit.
func (v *ProductVariant) Price() money.Amount { return v.of.Price }

// CompareAtPrice is the price before it was reduced.
func (v *ProductVariant) CompareAtPrice() *money.Amount { return v.of.CompareAt }

// PriceV2 is the older name of Price.
func (v *ProductVariant) PriceV2() money.Amount { return v.of.Price }

// CompareAtPriceV2 is the older name of CompareAtPrice.
func (v *ProductVariant) CompareAtPriceV2() *money.Amount { return v.of.CompareAt }

// SelectedOptions are its choices.
func (v *ProductVariant) SelectedOptions() []catalog.SelectedOption { return selected(v.of) }

// Image is its own, or the product's first.
func (v *ProductVariant) Image() *Image {
	if v.of.Image == nil {
		return v.product.FeaturedImage()
	}
	i := NewImage(v.product.shop, v.of.Image)
	return &i
}

// Weight of one unit in grams.
func (v *ProductVariant) Weight() *float64 {
	if v.of.WeightGrams <= 0 {
		return nil
	}
	w := float64(v.of.WeightGrams)
	return &w
}

// WeightUnit is grams.
func (v *ProductVariant) WeightUnit() string { return "GRAMS" }

// RequiresShipping tells whether it must be sent.
func (v *ProductVariant) RequiresShipping() bool { return v.of.RequiresShipping }

// Taxable tells whether tax is due on it.
func (v *ProductVariant) Taxable() bool { return v.of.Taxable }

// UnitPrice is null.
func (v *ProductVariant) UnitPrice() *money.Amount { return nil }

// QuantityRule is how many may be bought at once.
func (v *ProductVariant) QuantityRule() *QuantityRule {
	most := int32(cart.MaxQuantity)
	return &QuantityRule{Minimum: 1, Maximum: &most, Increment: 1}
}

// Product it is a variant of.
func (v *ProductVariant) Product() *Product { return v.product }

// QuantityRule is how many of a variant may be bought at once.
type QuantityRule struct {
	Minimum   int32
	Maximum   *int32
	Increment int32
}
