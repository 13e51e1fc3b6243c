package view

import (
	"time"

	"ordergraph/platform/money"
)

// What other shops have and this one does not. The types exist so that the
// documents of storefronts are valid; nothing of them is ever shown.

// Metafield is a piece of custom data.
type Metafield struct {
	ID          string
	Namespace   string
	Key         string
	Value       string
	Type        string
	Description *string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// IsNode marks it.
func (*Metafield) IsNode() {}

// UnitPriceMeasurement is how much of a standard measure one unit is.
type UnitPriceMeasurement struct {
	MeasuredType   *string
	QuantityUnit   *string
	QuantityValue  float64
	ReferenceUnit  *string
	ReferenceValue int32
}

// UnitPriceMeasurement is null.
func (v *ProductVariant) UnitPriceMeasurement() *UnitPriceMeasurement { return nil }

// ProductOptionValueSwatch is the looks of an option's value.
type ProductOptionValueSwatch struct {
	Color *string
	Image *MediaImage
}

// Swatch is null.
func (v *ProductOptionValue) Swatch() *ProductOptionValueSwatch { return nil }

// Swatch is the looks of a filter's value.
type Swatch struct {
	Color *string
	Image *MediaImage
}

// Swatch is null.
func (v *FilterValue) Swatch() *Swatch { return nil }

// Presentation is null.
func (f *Filter) Presentation() *string { return nil }

// Brand is logo and colours of a shop.
type Brand struct {
	Logo             *MediaImage
	SquareLogo       *MediaImage
	CoverImage       *MediaImage
	Slogan           *string
	ShortDescription *string
}

// ShopPolicy is a legal text.
type ShopPolicy struct{ ID, Handle, Title, Body, URL string }

// IsNode marks it.
func (*ShopPolicy) IsNode() {}

// Brand is null.
func (s *Shop) Brand() *Brand { return nil }

// PrivacyPolicy is null.
func (s *Shop) PrivacyPolicy() *ShopPolicy { return nil }

// RefundPolicy is null.
func (s *Shop) RefundPolicy() *ShopPolicy { return nil }

// ShippingPolicy is null.
func (s *Shop) ShippingPolicy() *ShopPolicy { return nil }

// TermsOfService is null.
func (s *Shop) TermsOfService() *ShopPolicy { return nil }

// AppliedGiftCard is a gift card on a cart.
type AppliedGiftCard struct {
	ID             string
	LastCharacters string
	AmountUsed     money.Amount
	Balance        money.Amount
}

// IsNode marks it.
func (*AppliedGiftCard) IsNode() {}

// AppliedGiftCards is empty.
func (c *Cart) AppliedGiftCards() []AppliedGiftCard { return []AppliedGiftCard{} }

// ComponentizableCartLine is a line made up of others.
type ComponentizableCartLine struct {
	CartLine
	LineComponents []CartLine
}

// Merchandise is never asked for: there are no such lines.
func (*ComponentizableCartLine) Merchandise() Merchandise { return nil }
