package view

import (
	"fmt"
	"net/url"
	"time"

	"ordergraph/platform/money"
	"ordergraph/services/cart"
)

// Cart is what a customer means to buy, priced now.
type Cart struct {
	noCustomData
	of   *cart.Cart
	shop *Shop
}

// NewCart shows a cart, which must not change any more.
func NewCart(shop *Shop, c *cart.Cart) *Cart { return &Cart{of: c, shop: shop} }

// IsNode marks it.
func (*Cart) IsNode() {}

// VariantKeys are the ids of all that is in it within the shop.
func (c *Cart) VariantKeys() []string {
	keys := make([]string, len(c.of.Lines))
	for i := range c.of.Lines {
		keys[i] = c.of.Lines[i].Item.VariantID
	}
	return keys
}

// ID is the global id, and the key to the cart.
func (c *Cart) ID() string { return idOf("Cart", c.of.ID) }

// CheckoutURL is where the customer goes on to pay.
func (c *Cart) CheckoutURL() string {
	return c.shop.PublicURL + "/checkout?cart=" + url.QueryEscape(c.of.ID)
}

// CreatedAt is when it was made.
func (c *Cart) CreatedAt() time.Time { return c.of.CreatedAt }

// UpdatedAt is when it last changed.
func (c *Cart) UpdatedAt() time.Time { return c.of.UpdatedAt }

// TotalQuantity is the units over all lines.
func (c *Cart) TotalQuantity() int64 { return units(c.of.Lines) }

func units(lines []cart.Line) (n int64) {
	for i := range lines {
		n += lines[i].Quantity
	}
	return n
}

// Lines is a page of its lines.
func (c *Cart) Lines(first *int32, after *string, last *int32, before *string, reverse *bool) (*BaseCartLineConnection, error) {
	return c.page(c.of.Lines, Window{first, last, after, before}, reverse != nil && *reverse)
}

func (c *Cart) page(all []cart.Line, w Window, reverse bool) (*BaseCartLineConnection, error) {
	at := func(i int) *cart.Line {
		if reverse {
			i = len(all) - 1 - i
		}
		return &all[i]
	}
	from, to, info, err := w.cut(len(all), func(i int) string { return at(i).ID })
	if err != nil {
		return nil, err
	}
	page := &BaseCartLineConnection{Nodes: make([]BaseCartLine, 0, to-from), PageInfo: info}
	for i := from; i < to; i++ {
		page.Nodes = append(page.Nodes, &CartLine{at(i), c})
	}
	return page, nil
}

// Cost is what it costs now.
func (c *Cart) Cost() *CartCost { return &CartCost{c} }

// EstimatedCost is the older form of Cost.
func (c *Cart) EstimatedCost() *CartEstimatedCost { return &CartEstimatedCost{CartCost{c}} }

// DiscountCodes are the codes on it.
func (c *Cart) DiscountCodes() []CartDiscountCode { return codes(c.of.Codes) }

func codes(applied []cart.AppliedCode) []CartDiscountCode {
	all := make([]CartDiscountCode, len(applied))
	for i, a := range applied {
		all[i] = CartDiscountCode{a.Code, a.Applicable, orNil(a.Reason)}
	}
	return all
}

// DiscountAllocations is empty: discounts are taken off lines.
func (c *Cart) DiscountAllocations() []CartDiscountAllocation { return []CartDiscountAllocation{} }

// BuyerIdentity is what is known of the buyer.
func (c *Cart) BuyerIdentity() *CartBuyerIdentity {
	b := c.of.Buyer
	if b.Country == "" {
		b.Country = c.shop.Country
	}
	return &CartBuyerIdentity{orNil(b.Country), orNil(b.Email), orNil(b.Phone), b.CustomerID}
}

// Attribute is the one with this key.
func (c *Cart) Attribute(key string) *Attribute { return attribute(c.of.Attributes, key) }

// Attributes attached to it.
func (c *Cart) Attributes() []Attribute { return attributes(c.of.Attributes) }

// Note to the merchant.
func (c *Cart) Note() *string { return orNil(c.of.Note) }

// DeliveryGroups is one group with the rates offered, or none.
func (c *Cart) DeliveryGroups(first *int32, after *string, last *int32, before *string, reverse, withCarrierRates *bool) (*CartDeliveryGroupConnection, error) {
	var all []CartDeliveryGroup
	if len(c.of.Rates) > 0 {
		all = []CartDeliveryGroup{{c}}
	}
	from, to, info, err := Window{first, last, after, before}.cut(len(all), func(int) string { return "1" })
	if err != nil {
		return nil, err
	}
	return &CartDeliveryGroupConnection{all[from:to:to], info}, nil
}

func attribute(all []cart.Attribute, key string) *Attribute {
	for _, a := range all {
		if a.Key == key {
			return &Attribute{a.Key, orNil(a.Value)}
		}
	}
	return nil
}

func attributes(all []cart.Attribute) []Attribute {
	shown := make([]Attribute, len(all))
	for i, a := range all {
		shown[i] = Attribute{a.Key, orNil(a.Value)}
	}
	return shown
}

// BaseCartLine is a line of a cart.
type BaseCartLine interface{ IsBaseCartLine() }

// BaseCartLineConnection is a page of lines.
type BaseCartLineConnection struct {
	Nodes    []BaseCartLine
	PageInfo PageInfo
}

// Edges are the lines with their cursors.
func (c *BaseCartLineConnection) Edges() []BaseCartLineEdge {
	edges := make([]BaseCartLineEdge, len(c.Nodes))
	for i, line := range c.Nodes {
		edges[i].Node = line
		if l, ok := line.(*CartLine); ok {
			edges[i].Cursor = l.of.ID
		}
	}
	return edges
}

// BaseCartLineEdge is a line in its list.
type BaseCartLineEdge struct {
	Cursor string
	Node   BaseCartLine
}

// CartLine is units of one variant.
type CartLine struct {
	of   *cart.Line
	cart *Cart
}

// IsNode marks it.
func (*CartLine) IsNode() {}

// IsBaseCartLine marks it.
func (*CartLine) IsBaseCartLine() {}

// Cart is the cart it is a line of.
func (l *CartLine) Cart() *Cart { return l.cart }

// Item is the variant as it was priced.
func (l *CartLine) Item() *cart.Item { return &l.of.Item }

// ID of the line.
func (l *CartLine) ID() string { return idOf("CartLine", l.of.ID) }

// Quantity in units.
func (l *CartLine) Quantity() int64 { return l.of.Quantity }

// Cost now.
func (l *CartLine) Cost() *CartLineCost { return &CartLineCost{l.of} }

// EstimatedCost is the older form of Cost.
func (l *CartLine) EstimatedCost() *CartLineEstimatedCost { return &CartLineEstimatedCost{l.of} }

// Attribute is the one with this key.
func (l *CartLine) Attribute(key string) *Attribute { return attribute(l.of.Attributes, key) }

// Attributes attached to it.
func (l *CartLine) Attributes() []Attribute { return attributes(l.of.Attributes) }

// Available tells whether it can be bought now in this quantity.
func (l *CartLine) Available() bool { return l.of.Available }

// DiscountAllocations are what the codes took off it.
func (l *CartLine) DiscountAllocations() []CartDiscountAllocation {
	all := make([]CartDiscountAllocation, len(l.of.Codes))
	for i, share := range l.of.Codes {
		all[i] = &CartCodeDiscountAllocation{share.Code, share.Amount, "LINE_ITEM"}
	}
	return all
}

// CartDiscountAllocation is what a discount took off.
type CartDiscountAllocation interface{ IsCartDiscountAllocation() }

// CartCodeDiscountAllocation is what a discount code took off.
type CartCodeDiscountAllocation struct {
	Code             string
	DiscountedAmount money.Amount
	TargetType       string
}

// IsCartDiscountAllocation marks it.
func (*CartCodeDiscountAllocation) IsCartDiscountAllocation() {}

// CartDiscountCode is a code and whether it applies.
type CartDiscountCode struct {
	Code       string
	Applicable bool
	Reason     *string
}

// CartCost is what a cart costs now.
type CartCost struct{ cart *Cart }

// CheckoutChargeAmount is what would be charged now.
func (c *CartCost) CheckoutChargeAmount() money.Amount { return c.cart.of.Cost.Total }

// SubtotalAmount is the goods after discounts.
func (c *CartCost) SubtotalAmount() money.Amount { return c.cart.of.Cost.Subtotal }

// SubtotalAmountEstimated is false.
func (c *CartCost) SubtotalAmountEstimated() bool { return false }

// TotalAmount is what would be paid now.
func (c *CartCost) TotalAmount() money.Amount { return c.cart.of.Cost.Total }

// TotalAmountEstimated is true while the shipping is open.
func (c *CartCost) TotalAmountEstimated() bool { return len(c.cart.of.Rates) > 0 }

// TotalTaxAmount is the taxes.
func (c *CartCost) TotalTaxAmount() *money.Amount { return &c.cart.of.Cost.Tax }

// TotalTaxAmountEstimated is true while the shipping is open.
func (c *CartCost) TotalTaxAmountEstimated() bool { return len(c.cart.of.Rates) > 0 }

// TotalDutyAmount is null.
func (c *CartCost) TotalDutyAmount() *money.Amount { return nil }

// TotalDutyAmountEstimated is false.
func (c *CartCost) TotalDutyAmountEstimated() bool { return false }

// CartEstimatedCost is the older form of CartCost.
type CartEstimatedCost struct{ cost CartCost }

// CheckoutChargeAmount is what would be charged now.
func (c *CartEstimatedCost) CheckoutChargeAmount() money.Amount { return c.cost.TotalAmount() }

// SubtotalAmount is the goods after discounts.
func (c *CartEstimatedCost) SubtotalAmount() money.Amount { return c.cost.SubtotalAmount() }

// TotalAmount is what would be paid now.
func (c *CartEstimatedCost) TotalAmount() money.Amount { return c.cost.TotalAmount() }

// TotalTaxAmount is the taxes.
func (c *CartEstimatedCost) TotalTaxAmount() *money.Amount { return c.cost.TotalTaxAmount() }

// TotalDutyAmount is null.
func (c *CartEstimatedCost) TotalDutyAmount() *money.Amount { return nil }

// CartLineCost is what a line costs now.
type CartLineCost struct{ line *cart.Line }

// AmountPerQuantity is one unit before discounts.
func (c *CartLineCost) AmountPerQuantity() money.Amount { return c.line.Item.Price }

// CompareAtAmountPerQuantity is one unit before it was reduced.
func (c *CartLineCost) CompareAtAmountPerQuantity() *money.Amount { return c.line.Item.CompareAt }

// SubtotalAmount is all units before discounts.
func (c *CartLineCost) SubtotalAmount() money.Amount { return c.line.Subtotal }

// TotalAmount is all units after discounts.
func (c *CartLineCost) TotalAmount() money.Amount { return c.line.Total }

// CartLineEstimatedCost is the older form of CartLineCost.
type CartLineEstimatedCost struct{ line *cart.Line }

// Amount is one unit before discounts.
func (c *CartLineEstimatedCost) Amount() money.Amount { return c.line.Item.Price }

// CompareAtAmount is one unit before it was reduced.
func (c *CartLineEstimatedCost) CompareAtAmount() *money.Amount { return c.line.Item.CompareAt }

// SubtotalAmount is all units before discounts.
func (c *CartLineEstimatedCost) SubtotalAmount() money.Amount { return c.line.Subtotal }

// TotalAmount is all units after discounts.
func (c *CartLineEstimatedCost) TotalAmount() money.Amount { return c.line.Total }

// CartBuyerIdentity is what is known of the buyer.
type CartBuyerIdentity struct {
	CountryCode *string
	Email       *string
	Phone       *string
	CustomerKey string
}

// CartDeliveryGroupConnection is a page of groups.
type CartDeliveryGroupConnection struct {
	Nodes    []CartDeliveryGroup
	PageInfo PageInfo
}

// Edges are the groups with their cursors.
func (c *CartDeliveryGroupConnection) Edges() []CartDeliveryGroupEdge {
	edges := make([]CartDeliveryGroupEdge, len(c.Nodes))
	for i, g := range c.Nodes {
		edges[i] = CartDeliveryGroupEdge{"1", g}
	}
	return edges
}

// CartDeliveryGroupEdge is a group in its list.
type CartDeliveryGroupEdge struct {
	Cursor string
	Node   CartDeliveryGroup
}

// CartDeliveryGroup is goods that are sent together.
type CartDeliveryGroup struct{ cart *Cart }

// ID of the group.
func (g *CartDeliveryGroup) ID() string { return idOf("CartDeliveryGroup", g.cart.of.ID) }

// DeliveryOptions are the rates offered.
func (g *CartDeliveryGroup) DeliveryOptions() []CartDeliveryOption {
	options := make([]CartDeliveryOption, len(g.cart.of.Rates))
	for i := range options {
		options[i] = CartDeliveryOption{&g.cart.of.Rates[i]}
	}
	return options
}

// SelectedDeliveryOption is null: it is chosen at checkout.
func (g *CartDeliveryGroup) SelectedDeliveryOption() *CartDeliveryOption { return nil }

// GroupType is ONE_TIME_PURCHASE.
func (g *CartDeliveryGroup) GroupType() string { return "ONE_TIME_PURCHASE" }

// CartLines is a page of the lines that are sent.
func (g *CartDeliveryGroup) CartLines(first *int32, after *string, last *int32, before *string, reverse *bool) (*BaseCartLineConnection, error) {
	var sent []cart.Line
	for _, l := range g.cart.of.Lines {
		if l.Item.RequiresShipping {
			sent = append(sent, l)
		}
	}
	return g.cart.page(sent, Window{first, last, after, before}, reverse != nil && *reverse)
}

// CartDeliveryOption is a way to send the goods.
type CartDeliveryOption struct{ rate *cart.ShippingRate }

// Handle names it at checkout.
func (o *CartDeliveryOption) Handle() string { return o.rate.Handle }

// Code is the handle.
func (o *CartDeliveryOption) Code() *string { return orNil(o.rate.Handle) }

// Title for people.
func (o *CartDeliveryOption) Title() *string { return orNil(o.rate.Title) }

// Description is how long it takes.
func (o *CartDeliveryOption) Description() *string {
	switch {
	case o.rate.MaxDays <= 0:
		return nil
	case o.rate.MinDays == o.rate.MaxDays:
		return orNil(fmt.Sprintf("%d days", o.rate.MaxDays))
	}
	return orNil(fmt.Sprintf("%d to %d days", o.rate.MinDays, o.rate.MaxDays))
}

// DeliveryMethodType is SHIPPING.
func (o *CartDeliveryOption) DeliveryMethodType() string { return "SHIPPING" }

// EstimatedCost before discounts.
func (o *CartDeliveryOption) EstimatedCost() money.Amount { return o.rate.Price }

// CartUserError is why a cart was not changed.
type CartUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (CartUserError) IsDisplayableError() {}

// CartWarning is what was changed besides.
type CartWarning struct {
	Code    string
	Message string
	Target  string
}

// CartPayload is the answer to a mutation of a cart.
type CartPayload struct {
	Cart       *Cart
	UserErrors []CartUserError
	Warnings   []CartWarning
}
