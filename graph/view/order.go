package view

import (
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"ordergraph/graph/gid"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
	"ordergraph/services/order"
)

// Order is a purchase and its whole story.
type Order struct {
	of    *order.Order
	shop  *Shop
	token string // that it was shown for
}

// NewOrder shows an order, which must not change any more.
func NewOrder(shop *Shop, o *order.Order) *Order { return &Order{of: o, shop: shop} }

// For remembers the access token that the order is shown for, so that what
// belongs to it can be asked for with the same right.
func (o *Order) For(token string) *Order {
	o.token = token
	return o
}

// Key is the order's id within the shop, and the access token it is shown for.
func (o *Order) Key() (id, token string) { return o.of.ID, o.token }

// IsNode marks it.
func (*Order) IsNode() {}

// ID is the global id.
func (o *Order) ID() string { return idOf("Order", o.of.ID) }

// Number for people.
func (o *Order) Number() string { return o.of.Number }

// Version grows with every change.
func (o *Order) Version() int64 { return o.of.Version }

// Status is how far it has come.
func (o *Order) Status() string { return string(o.of.Status) }

// Reason it failed.
func (o *Order) Reason() *string { return orNil(string(o.of.Reason)) }

// Problems are what the customer should know about why it failed.
func (o *Order) Problems() []CheckoutUserError { return CheckoutErrors(nil, o.of.Problems) }

// CreatedAt is when it was placed.
func (o *Order) CreatedAt() time.Time { return o.of.CreatedAt }

// UpdatedAt is when it last changed.
func (o *Order) UpdatedAt() time.Time { return o.of.UpdatedAt }

// Email of the customer.
func (o *Order) Email() string { return o.of.Email }

// Phone of the customer.
func (o *Order) Phone() *string { return orNil(o.of.Phone) }

// Locale of its messages.
func (o *Order) Locale() string { return o.of.Locale }

// ShippingAddress is where the goods go.
func (o *Order) ShippingAddress() *MailingAddress { return &MailingAddress{of: &o.of.ShippingAddress} }

// BillingAddress is whom the invoice is made out to.
func (o *Order) BillingAddress() *MailingAddress { return &MailingAddress{of: &o.of.BillingAddress} }

// Lines are what was bought.
func (o *Order) Lines() []OrderLine {
	lines := make([]OrderLine, len(o.of.Quote.Lines))
	for i := range lines {
		lines[i] = OrderLine{&o.of.Quote.Lines[i], o.shop}
	}
	return lines
}

// TotalQuantity is the units over all lines.
func (o *Order) TotalQuantity() int64 { return units(o.of.Quote.Lines) }

// DiscountCodes that were used.
func (o *Order) DiscountCodes() []CartDiscountCode { return codes(o.of.Quote.Codes) }

// ShippingRate is how the goods are sent.
func (o *Order) ShippingRate() *OrderShippingRate {
	if o.of.Quote.Rate == nil {
		return nil
	}
	return &OrderShippingRate{o.of.Quote.Rate}
}

// Totals are what it cost.
func (o *Order) Totals() *OrderTotals { return &OrderTotals{o} }

// Payment is null while none was begun.
func (o *Order) Payment() *OrderPayment {
	if o.of.Payment.State == "" {
		return nil
	}
	return &OrderPayment{o}
}

// Timeline is the states it has been in.
func (o *Order) Timeline() []OrderTimelineEntry {
	entries := make([]OrderTimelineEntry, len(o.of.Timeline))
	for i, e := range o.of.Timeline {
		entries[i] = OrderTimelineEntry{e.At, string(e.Status), e.Cause}
	}
	return entries
}

// CancelReason in the customer's words.
func (o *Order) CancelReason() *string { return orNil(o.of.CancelReason) }

// Note to the merchant.
func (o *Order) Note() *string { return orNil(o.of.Quote.Note) }

// Attributes of the cart it was made of.
func (o *Order) Attributes() []Attribute { return attributes(o.of.Quote.Attributes) }

// sum is the amount, or zero of the shop's currency where the order failed
// before it was priced.
func (o *Order) sum(a money.Amount) money.Amount {
	if a.Currency == "" {
		return o.shop.nothing()
	}
	return a
}

// OrderTotals are what an order cost.
type OrderTotals struct{ order *Order }

// SubtotalAmount is the goods after discounts.
func (t *OrderTotals) SubtotalAmount() money.Amount {
	return t.order.sum(t.order.of.Quote.Cost.Subtotal)
}

// DiscountAmount is what was taken off.
func (t *OrderTotals) DiscountAmount() money.Amount {
	return t.order.sum(t.order.of.Quote.Cost.Discount)
}

// ShippingAmount is the shipping after discounts.
func (t *OrderTotals) ShippingAmount() money.Amount {
	return t.order.sum(t.order.of.Quote.Cost.Shipping)
}

// TaxAmount is the taxes.
func (t *OrderTotals) TaxAmount() money.Amount { return t.order.sum(t.order.of.Quote.Cost.Tax) }

// TotalAmount is what is paid.
func (t *OrderTotals) TotalAmount() money.Amount { return t.order.sum(t.order.of.Quote.Cost.Total) }

// TaxIncluded tells whether the prices contain the taxes.
func (t *OrderTotals) TaxIncluded() bool { return t.order.of.Quote.Cost.TaxIncluded }

// OrderPayment is what a customer may see of a payment.
type OrderPayment struct{ order *Order }

// State is how far it has come.
func (p *OrderPayment) State() string { return p.order.of.Payment.State }

// ActionURL is where the customer confirms.
func (p *OrderPayment) ActionURL() *string { return orNil(p.order.of.Payment.ActionURL) }

// Card is null while it is not known.
func (p *OrderPayment) Card() *PaymentCard {
	if p.order.of.Payment.Last4 == "" {
		return nil
	}
	return &PaymentCard{p.order.of.Payment.Brand, p.order.of.Payment.Last4}
}

// CapturedAmount is what was taken.
func (p *OrderPayment) CapturedAmount() money.Amount { return p.order.sum(p.order.of.Payment.Captured) }

// RefundedAmount is what was given back.
func (p *OrderPayment) RefundedAmount() money.Amount { return p.order.sum(p.order.of.Payment.Refunded) }

// PaymentCard is what may be shown of a card.
type PaymentCard struct{ Brand, Last4 string }

// OrderTimelineEntry is one step of an order's story.
type OrderTimelineEntry struct {
	At     time.Time
	Status string
	Cause  string
}

// OrderShippingRate is the way an order is sent.
type OrderShippingRate struct{ rate *cart.ShippingRate }

// Handle names it.
func (r *OrderShippingRate) Handle() string { return r.rate.Handle }

// Title for people.
func (r *OrderShippingRate) Title() string { return r.rate.Title }

// Price before discounts.
func (r *OrderShippingRate) Price() money.Amount { return r.rate.Price }

// MinDays it takes.
func (r *OrderShippingRate) MinDays() int64 { return int64(r.rate.MinDays) }

// MaxDays it takes.
func (r *OrderShippingRate) MaxDays() int64 { return int64(r.rate.MaxDays) }

// OrderLine is what was bought in one line.
type OrderLine struct {
	of   *cart.Line
	shop *Shop
}

// VariantKey is the id of the variant within the shop.
func (l *OrderLine) VariantKey() string { return l.of.Item.VariantID }

// ID of the line.
func (l *OrderLine) ID() string { return idOf("OrderLine", l.of.ID) }

// Quantity in units.
func (l *OrderLine) Quantity() int64 { return l.of.Quantity }

// Title of the product.
func (l *OrderLine) Title() string { return l.of.Item.Title }

// VariantTitle of the variant.
func (l *OrderLine) VariantTitle() string { return l.of.Item.VariantTitle }

// SKU of the variant.
func (l *OrderLine) SKU() string { return l.of.Item.SKU }

// Vendor is who makes it.
func (l *OrderLine) Vendor() string { return l.of.Item.Vendor }

// ProductHandle is the product's place in addresses.
func (l *OrderLine) ProductHandle() string { return l.of.Item.Handle }

// Image when it was bought.
func (l *OrderLine) Image() *Image {
	if l.of.Item.ImageURL == "" {
		return nil
	}
	return &Image{url: l.shop.address(l.of.Item.ImageURL), alt: l.of.Item.Title}
}

// SelectedOptions are the choices.
func (l *OrderLine) SelectedOptions() []catalog.SelectedOption {
	options := make([]catalog.SelectedOption, len(l.of.Item.Options))
	for i, o := range l.of.Item.Options {
		options[i] = catalog.SelectedOption(o)
	}
	return options
}

// Attributes attached to it.
func (l *OrderLine) Attributes() []Attribute { return attributes(l.of.Attributes) }

// Price of one unit.
func (l *OrderLine) Price() money.Amount { return l.of.Item.Price }

// SubtotalAmount is all units before discounts.
func (l *OrderLine) SubtotalAmount() money.Amount { return l.of.Subtotal }

// DiscountAmount is what discounts took off.
func (l *OrderLine) DiscountAmount() money.Amount { return l.of.Discount }

// TotalAmount is all units after discounts.
func (l *OrderLine) TotalAmount() money.Amount { return l.of.Total }

// TaxAmount within or on top of the total.
func (l *OrderLine) TaxAmount() money.Amount { return l.of.Tax }

// TaxRate in percent.
func (l *OrderLine) TaxRate() float64 { return float64(l.of.TaxRate) / 100 }

// OrderConnection is a page of orders.
type OrderConnection struct {
	Nodes    []Order
	Cursors  []string
	PageInfo PageInfo
}

// Edges are the orders with their cursors.
func (c *OrderConnection) Edges() []OrderEdge {
	edges := make([]OrderEdge, len(c.Nodes))
	for i, o := range c.Nodes {
		edges[i] = OrderEdge{c.Cursors[i], o}
	}
	return edges
}

// NewOrders shows a page of orders; before tells whether it follows another.
func NewOrders(shop *Shop, page order.Page, before bool) *OrderConnection {
	c := &OrderConnection{
		Nodes:    make([]Order, len(page.Orders)),
		Cursors:  page.Cursors,
		PageInfo: PageInfo{HasNextPage: page.HasMore, HasPreviousPage: before},
	}
	for i := range page.Orders {
		c.Nodes[i] = Order{of: &page.Orders[i], shop: shop}
	}
	if n := len(c.Cursors); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Cursors[0], &c.Cursors[n-1]
	}
	if page.End != "" { // further than the last order, where those behind it were looked at and left out
		c.PageInfo.EndCursor = &page.End
	}
	return c
}

// OrderEdge is an order in its list.
type OrderEdge struct {
	Cursor string
	Node   Order
}

// CheckoutUserError is why an order could not be made, or failed.
type CheckoutUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (CheckoutUserError) IsDisplayableError() {}

// CheckoutErrors shows problems; their paths begin at the argument.
func CheckoutErrors(argument []string, problems []cart.Problem) []CheckoutUserError {
	shown := make([]CheckoutUserError, len(problems))
	for i, p := range problems {
		code := string(p.Code)
		shown[i] = CheckoutUserError{&code, FieldPath(argument, p.Field), p.Message}
	}
	return shown
}

// OrderCancelUserError is why an order was not called off.
type OrderCancelUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (OrderCancelUserError) IsDisplayableError() {}

// MailingAddress is where somebody lives.
type MailingAddress struct {
	of *order.Address
	id string // in the address book
}

// ID is its id in the address book.
func (a *MailingAddress) ID() *string {
	if a.id == "" {
		return nil
	}
	id := gid.Of(gid.Address, a.id)
	return &id
}

// FirstName may be missing.
func (a *MailingAddress) FirstName() *string { return orNil(a.of.FirstName) }

// LastName may be missing.
func (a *MailingAddress) LastName() *string { return orNil(a.of.LastName) }

// Name is both names.
func (a *MailingAddress) Name() *string {
	return orNil(strings.TrimSpace(a.of.FirstName + " " + a.of.LastName))
}

// Company may be missing.
func (a *MailingAddress) Company() *string { return orNil(a.of.Company) }

// Address1 is street and number.
func (a *MailingAddress) Address1() *string { return orNil(a.of.Address1) }

// Address2 is the rest of it.
func (a *MailingAddress) Address2() *string { return orNil(a.of.Address2) }

// City is the town.
func (a *MailingAddress) City() *string { return orNil(a.of.City) }

// ProvinceCode is the part of the country.
func (a *MailingAddress) ProvinceCode() *string { return orNil(a.of.Province) }

// Province is the same as ProvinceCode.
func (a *MailingAddress) Province() *string { return orNil(a.of.Province) }

// Zip is the postal code.
func (a *MailingAddress) Zip() *string { return orNil(a.of.Zip) }

// Country is its name in English.
func (a *MailingAddress) Country() *string { return orNil(countryName(a.of.Country)) }

// CountryCodeV2 is the country.
func (a *MailingAddress) CountryCodeV2() *string { return orNil(a.of.Country) }

// Phone number.
func (a *MailingAddress) Phone() *string { return orNil(a.of.Phone) }

// Formatted is the address as written on a parcel.
func (a *MailingAddress) Formatted(withName, withCompany *bool) []string {
	lines := []string{}
	add := func(parts ...string) {
		if line := strings.TrimSpace(strings.Join(parts, " ")); line != "" {
			lines = append(lines, line)
		}
	}
	if withName != nil && *withName {
		add(a.of.FirstName, a.of.LastName)
	}
	if withCompany == nil || *withCompany {
		add(a.of.Company)
	}
	add(a.of.Address1)
	add(a.of.Address2)
	add(a.of.Zip, a.of.City, a.of.Province)
	add(countryName(a.of.Country))
	return lines
}

func countryName(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return display.English.Regions().Name(region)
}
