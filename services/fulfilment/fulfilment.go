// Package fulfilment brings what was sold out of the warehouses and to the
// customers: it is picked, packed, handed to the carrier, and watched until it
// has arrived.
package fulfilment

import (
	"context"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// Service is the contract of the fulfilment service.
//
// A confirmed order becomes one consignment per warehouse that its goods lie
// in. At every instant, per order, SKU and warehouse: what its consignments
// hold is what was sold. Every change may be repeated.
type Service interface {
	// OfOrder returns the order's consignments to who may see the order; none
	// while there are none. order.ErrNotFound for anyone else.
	OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) ([]Consignment, error)
	// List returns consignments in one state, those of the oldest orders
	// first: for Open, the list to pick from. Needs identity.OrdersFulfil.
	// ErrForbidden, ErrInput, ErrCursor.
	List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error)

	// Pick takes an open consignment in hand: nobody else picks it then.
	// Needs identity.OrdersFulfil, as do all that follow.
	// ErrForbidden, ErrNotFound, ErrTaken, ErrState.
	Pick(ctx context.Context, who identity.Caller, id string) (Consignment, error)
	// Pack notes what was found and packed of each SKU; nil means all of it.
	// A consignment that is short may be packed again when more was found.
	// ErrInput, ErrTaken, ErrState.
	Pack(ctx context.Context, who identity.Caller, id string, packed []Units) (Consignment, error)
	// Ship books the carrier, or notes who carries it where that was arranged
	// by hand. A consignment that is short is shipped only if in says so: what
	// is missing then becomes a further consignment, and is taken off the stock
	// of the warehouse in which it was not found. The answer is Shipping while
	// the carrier's is not known. ErrInput, ErrShort, ErrState, ErrCarrier.
	Ship(ctx context.Context, who identity.Caller, id string, in ShipInput) (Consignment, error)
	// Deliver notes that it has arrived, where the carrier does not tell. ErrState.
	Deliver(ctx context.Context, who identity.Caller, id string) (Consignment, error)
	// Fail notes that it could not be delivered. ErrInput, ErrState.
	Fail(ctx context.Context, who identity.Caller, id, reason string) (Consignment, error)
	// Return notes that it came back, and puts on the shelf what can be sold
	// again; nil means all of it that is not there yet. What the first call said counts. ErrInput, ErrState.
	Return(ctx context.Context, who identity.Caller, id string, restock []Units) (Consignment, error)

	// CallOff ends all of an order's consignments, and any that would still
	// be made: order.ErrTooLate once one of them was handed to the carrier, or
	// may have been. Only the program itself: ErrForbidden.
	CallOff(ctx context.Context, who identity.Caller, orderID string) error
	// TakeBack notes that units came back by another way than their parcel, and
	// puts them on the shelf; once for a key. Of an SKU it takes no more than
	// have left the house and did not come back yet. Only the program itself:
	// ErrForbidden. ErrInput, ErrNotFound.
	TakeBack(ctx context.Context, who identity.Caller, orderID, key string, units []inventory.Line) error
	// Progress counts the order's consignments. Needs identity.OrdersRead.
	// ErrForbidden, ErrNotFound.
	Progress(ctx context.Context, who identity.Caller, orderID string) (order.Progress, error)
	// Audit checks what must always hold on a stretch of all orders' consignments.
	// Needs identity.OperationsRead: ErrForbidden, ErrCursor.
	Audit(ctx context.Context, who identity.Caller, after string) (AuditReport, error)
}

// State is how far a consignment has come.
type State string

// The states of a consignment:
//
//	OPEN → PICKING → PACKED → SHIPPING → SHIPPED → DELIVERED ─┐
//	  └───────┴────────┴─► CANCELLED        └► FAILED_DELIVERY ┴► RETURNED
const (
	Open           State = "OPEN"     // to be picked
	Picking        State = "PICKING"  // somebody has it in hand
	Packed         State = "PACKED"   // ready for the carrier, or short
	Shipping       State = "SHIPPING" // the carrier is being asked; it may have it
	Shipped        State = "SHIPPED"
	Delivered      State = "DELIVERED"
	FailedDelivery State = "FAILED_DELIVERY"
	Returned       State = "RETURNED"
	Cancelled      State = "CANCELLED"
)

// States lists them in the order of the way.
var States = []State{Open, Picking, Packed, Shipping, Shipped, Delivered, FailedDelivery, Returned, Cancelled}

// A Consignment is what goes from one warehouse to one customer in one parcel.
type Consignment struct {
	ID          string // of the order and a number
	OrderID     string
	OrderNumber string // for people
	Warehouse   string
	State       State
	Lines       []Line
	Tracking    *Tracking // once it was handed to the carrier
	Problem     string    // why it does not get on, for staff
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Short reports whether less was packed than was sold.
func (c Consignment) Short() bool {
	for _, l := range c.Lines {
		if l.Packed < l.Quantity && c.State == Packed {
			return true
		}
	}
	return false
}

// A Line is units of one SKU.
type Line struct {
	SKU      string
	Title    string // for pickers and customers
	Quantity int64  // sold, and to be sent
	Packed   int64  // found and packed
	Returned int64  // came back and was put on the shelf
}

// Units of one SKU.
type Units struct {
	SKU      string
	Quantity int64
}

// ShipInput says how a consignment is handed over.
type ShipInput struct {
	Short bool // although less was packed than was sold
	// ByHand is with whom and under which number, where people have booked the
	// carrier: its Status is not looked at, and nobody asks how far it is.
	ByHand *Tracking
}

// Tracking is what the carrier says of a parcel.
type Tracking struct {
	Company string
	Number  string
	URL     string        // for the customer
	Status  CarrierStatus // as far as the carrier has told; "" where nobody asks it
}

// MaxPage is how many consignments a page has at most.
const MaxPage = 100

// ListQuery asks for consignments.
type ListQuery struct {
	State     State  // "" means Open
	Warehouse string // "" means all
	After     string // cursor
	Limit     int    // at most MaxPage; 0 means 20
}

// Page is a stretch of consignments.
type Page struct {
	Consignments []Consignment
	Cursors      []string // one per consignment
	HasMore      bool
}

// AuditReport is what an Audit found on its stretch of the consignments.
type AuditReport struct {
	Checked  int // orders
	Findings []Finding
	Next     string // pass as after to read on; "" at the end
}

// A Finding is an order whose consignments are not as they must be.
type Finding struct {
	OrderID string
	Detail  string // for operators; without personal data
}
