package view

import (
	"time"

	"ordergraph/platform/money"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
	"ordergraph/services/payment"
)

// Refunds are what was given back of it.
func (o *Order) Refunds() []OrderRefund {
	refunds := make([]OrderRefund, len(o.of.Refunds))
	for i := range refunds {
		refunds[i] = OrderRefund{&o.of.Refunds[i], o}
	}
	return refunds
}

// RefundableAmount is what can still be given back.
func (o *Order) RefundableAmount() money.Amount { return o.sum(o.of.Refundable()) }

// OrderRefund is money of an order that is given back.
type OrderRefund struct {
	of    *order.Refund
	order *Order
}

// NewOrderRefund shows a refund of an order.
func NewOrderRefund(o *Order, r *order.Refund) *OrderRefund { return &OrderRefund{r, o} }

// ID is the global id.
func (r *OrderRefund) ID() string { return idOf("OrderRefund", r.order.of.ID+"-"+r.of.ID) }

// Status is how far it has come.
func (r *OrderRefund) Status() string { return string(r.of.State) }

// Amount is all of it.
func (r *OrderRefund) Amount() money.Amount { return r.of.Amount }

// Lines are what of it is for units of lines.
func (r *OrderRefund) Lines() []OrderRefundLine {
	lines := make([]OrderRefundLine, 0, len(r.of.Lines))
	for _, l := range r.of.Lines {
		for i := range r.order.of.Quote.Lines {
			if bought := &r.order.of.Quote.Lines[i]; bought.ID == l.LineID {
				lines = append(lines, OrderRefundLine{Line: &OrderLine{bought, r.order.shop}, Quantity: l.Quantity, Amount: l.Amount})
			}
		}
	}
	return lines
}

// ShippingAmount is what of it is for the shipping.
func (r *OrderRefund) ShippingAmount() money.Amount { return r.order.sum(r.of.Shipping) }

// Reason may be missing.
func (r *OrderRefund) Reason() *string { return orNil(r.of.Reason) }

// CreatedAt is when it was asked for.
func (r *OrderRefund) CreatedAt() time.Time { return r.of.At }

// OrderRefundLine is units of one line that are given back.
type OrderRefundLine struct {
	Line     *OrderLine
	Quantity int64
	Amount   money.Amount
}

// OrderRefundUserError is why no refund was made.
type OrderRefundUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (OrderRefundUserError) IsDisplayableError() {}

// PaymentAttempt is one call to the card processor.
type PaymentAttempt struct{ of payment.Attempt }

// NewPaymentAttempts shows them all.
func NewPaymentAttempts(all []payment.Attempt) []PaymentAttempt {
	shown := make([]PaymentAttempt, len(all))
	for i, a := range all {
		shown[i] = PaymentAttempt{a}
	}
	return shown
}

// Kind is what was asked for.
func (a *PaymentAttempt) Kind() string { return a.of.Kind }

// At is when.
func (a *PaymentAttempt) At() time.Time { return a.of.At }

// Key under which it is made once.
func (a *PaymentAttempt) Key() *string { return orNil(a.of.Key) }

// Outcome is null while it is not known.
func (a *PaymentAttempt) Outcome() *string { return orNil(a.of.Outcome) }

// OrderReservation is the stock that was promised to one order.
type OrderReservation struct{ of inventory.Reservation }

// NewOrderReservation shows a reservation.
func NewOrderReservation(r inventory.Reservation) *OrderReservation { return &OrderReservation{r} }

// Status is how far it has come.
func (r *OrderReservation) Status() string { return string(r.of.State) }

// Allocations say what comes from where.
func (r *OrderReservation) Allocations() []StockAllocation {
	shown := make([]StockAllocation, len(r.of.Allocations))
	for i, a := range r.of.Allocations {
		shown[i] = StockAllocation(a)
	}
	return shown
}

// ExpiresAt is null unless it is held.
func (r *OrderReservation) ExpiresAt() *time.Time {
	if r.of.State != inventory.Held {
		return nil
	}
	return &r.of.ExpiresAt
}

// StockAllocation is units of one SKU from one warehouse.
type StockAllocation inventory.Allocation

// StockHistory is a stretch of the ledger.
type StockHistory struct {
	Nodes    []StockMovement
	PageInfo PageInfo
}

// NewStockHistory shows a page; before tells whether it follows another.
func NewStockHistory(page inventory.MovementPage, before bool) *StockHistory {
	c := &StockHistory{Nodes: make([]StockMovement, len(page.Movements)), PageInfo: PageInfo{HasPreviousPage: before}}
	for i, m := range page.Movements {
		c.Nodes[i] = StockMovement{m}
	}
	if page.Next != "" {
		c.PageInfo.HasNextPage, c.PageInfo.EndCursor = true, &page.Next
	}
	return c
}

// StockMovement is one entry of the ledger.
type StockMovement struct{ of inventory.Movement }

// Number counts the SKU's.
func (m *StockMovement) Number() int64 { return m.of.Seq }

// At is when.
func (m *StockMovement) At() time.Time { return m.of.At }

// Warehouse it was in.
func (m *StockMovement) Warehouse() string { return m.of.Warehouse }

// Kind is what it was.
func (m *StockMovement) Kind() string { return m.of.Kind }

// Reason may be missing.
func (m *StockMovement) Reason() *string { return orNil(m.of.Reason) }

// OrderID is the global id of the order that caused it.
func (m *StockMovement) OrderID() *string {
	if m.of.OrderID == "" {
		return nil
	}
	id := idOf("Order", m.of.OrderID)
	return &id
}

// OnHandDelta is by how much the units on hand changed.
func (m *StockMovement) OnHandDelta() int64 { return m.of.OnHand }

// ReservedDelta is by how much the units that are held changed.
func (m *StockMovement) ReservedDelta() int64 { return m.of.Reserved }
