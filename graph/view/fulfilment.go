package view

import (
	"time"

	"ordergraph/services/fulfilment"
)

// Fulfillment is a part of an order that is sent in one parcel.
type Fulfillment struct{ of fulfilment.Consignment }

// NewFulfillment shows a consignment.
func NewFulfillment(c fulfilment.Consignment) *Fulfillment { return &Fulfillment{c} }

// NewFulfillments shows all of an order's.
func NewFulfillments(all []fulfilment.Consignment) []Fulfillment {
	shown := make([]Fulfillment, len(all))
	for i := range all {
		shown[i] = Fulfillment{all[i]}
	}
	return shown
}

// ID is the global id.
func (f *Fulfillment) ID() string { return idOf("Fulfillment", f.of.ID) }

// OrderID is the order's global id.
func (f *Fulfillment) OrderID() string { return idOf("Order", f.of.OrderID) }

// OrderNumber for people.
func (f *Fulfillment) OrderNumber() string { return f.of.OrderNumber }

// Status is how far it has come.
func (f *Fulfillment) Status() string { return string(f.of.State) }

// Warehouse it is sent from.
func (f *Fulfillment) Warehouse() string { return f.of.Warehouse }

// Lines are what is in it.
func (f *Fulfillment) Lines() []FulfillmentLine {
	lines := make([]FulfillmentLine, len(f.of.Lines))
	for i, l := range f.of.Lines {
		lines[i] = FulfillmentLine{SKU: l.SKU, Title: l.Title, Quantity: l.Quantity, PackedQuantity: l.Packed, ReturnedQuantity: l.Returned}
	}
	return lines
}

// Short tells whether less was packed than was sold.
func (f *Fulfillment) Short() bool { return f.of.Short() }

// TrackingInfo is empty before the carrier has it.
func (f *Fulfillment) TrackingInfo() []FulfillmentTrackingInfo {
	t := f.of.Tracking
	if t == nil {
		return []FulfillmentTrackingInfo{}
	}
	return []FulfillmentTrackingInfo{{orNil(t.Company), orNil(t.Number), orNil(t.URL), orNil(string(t.Status))}}
}

// CreatedAt is when it was made.
func (f *Fulfillment) CreatedAt() time.Time { return f.of.CreatedAt }

// UpdatedAt is when it last changed.
func (f *Fulfillment) UpdatedAt() time.Time { return f.of.UpdatedAt }

// FulfillmentLine is units of one SKU.
type FulfillmentLine struct {
	SKU, Title                                 string
	Quantity, PackedQuantity, ReturnedQuantity int64
}

// FulfillmentTrackingInfo is where a parcel is.
type FulfillmentTrackingInfo struct{ Company, Number, URL, Status *string }

// FulfillmentConnection is a page of consignments.
type FulfillmentConnection struct {
	Nodes    []Fulfillment
	Cursors  []string
	PageInfo PageInfo
}

// Edges are the consignments with their cursors.
func (c *FulfillmentConnection) Edges() []FulfillmentEdge {
	edges := make([]FulfillmentEdge, len(c.Nodes))
	for i, f := range c.Nodes {
		edges[i] = FulfillmentEdge{c.Cursors[i], f}
	}
	return edges
}

// FulfillmentEdge is a consignment in a list.
type FulfillmentEdge struct {
	Cursor string
	Node   Fulfillment
}

// NewConsignments shows a page; before tells whether it follows another.
func NewConsignments(page fulfilment.Page, before bool) *FulfillmentConnection {
	c := &FulfillmentConnection{
		Nodes: NewFulfillments(page.Consignments), Cursors: page.Cursors,
		PageInfo: PageInfo{HasNextPage: page.HasMore, HasPreviousPage: before},
	}
	if n := len(c.Cursors); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Cursors[0], &c.Cursors[n-1]
	}
	return c
}

// ConsignmentUserError is why something was not done with a consignment.
type ConsignmentUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (ConsignmentUserError) IsDisplayableError() {}
