// Package inventory knows how many of each thing lie in which warehouse, and
// promises each of them to one buyer only.
package inventory

import (
	"context"
	"time"

	"ordergraph/platform/identity"
)

// HoldFor is how long a reservation holds stock for an order that is neither
// committed nor released. It is longer than any order may stay unpaid.
const HoldFor = 45 * time.Minute

// Limits on one request. More is an ErrInput.
const (
	MaxLines    = 500       // lines of a reservation
	MaxChanges  = 10_000    // changes in one call
	MaxSKUs     = 5_000     // SKUs asked for in one call
	MaxQuantity = 1_000_000 // units in one line or change
	MaxSKU      = 255       // bytes of a SKU
	MaxPage     = 250       // SKUs in one page
)

// Service is the contract of the inventory service.
//
// At every instant, per SKU and warehouse: on hand = available + reserved,
// nothing is negative, and sold + on hand = received.
type Service interface {
	// Reserve holds stock for the order: all lines or none. Lines of one SKU
	// are added up. Warehouses are drawn on in order of their priority, one
	// that can give all of a line before several that share it. Repeating it
	// for the same order returns the first reservation, so callers may retry
	// safely. ErrOutOfStock names the first SKU that is short (details "sku",
	// "available"), ErrUnknownSKU a SKU never received; ErrReleased means that
	// this order's reservation was given back and cannot be made again.
	// Only the program itself may call it.
	Reserve(ctx context.Context, who identity.Caller, orderID string, lines []Line) (Reservation, error)
	// Commit turns the order's reservation into a sale: the stock leaves the
	// house. Repeating it is harmless. ErrNoReservation, ErrReleased.
	// Only the program itself may call it.
	Commit(ctx context.Context, who identity.Caller, orderID string) (Reservation, error)
	// Release gives the order's reserved stock back. Repeating it, or
	// releasing what was never reserved, is harmless, and prevents a Reserve
	// of this order that is still on its way. ErrCommitted: the goods are
	// sold; use Restock. Only the program itself may call it.
	Release(ctx context.Context, who identity.Caller, orderID string) (Reservation, error)
	// Restock takes a committed order's goods back into the warehouses they
	// came from; for cancellations and returns. Repeating it is harmless.
	// ErrNoReservation, ErrReleased. It needs
	// identity.OrdersFulfil: ErrForbidden.
	Restock(ctx context.Context, who identity.Caller, orderID string) (Reservation, error)
	// Reservation returns the order's reservation, or ErrNoReservation. It needs
	// identity.StockRead: ErrForbidden.
	Reservation(ctx context.Context, who identity.Caller, orderID string) (Reservation, error)

	// Levels returns the stock of many SKUs in one call; a SKU that was never
	// received is absent. Anyone may ask.
	Levels(ctx context.Context, skus []string) (map[string]Stock, error)
	// Stock returns one SKU's, for people. identity.StockRead; ErrUnknownSKU.
	Stock(ctx context.Context, who identity.Caller, sku string) (Stock, error)
	// List pages over the stock of everything that was ever received, in the
	// order of the SKUs; or of what is scarce, the scarcest first. It needs
	// identity.StockRead: ErrForbidden. ErrInput, ErrCursor.
	List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error)
	// Adjust applies changes to the stock on hand, each at most once by its
	// key, and returns the stock after it, change by change. A change that
	// would leave less on hand than is reserved is ErrNegative; the others are
	// made all the same. It needs identity.StockWrite: ErrForbidden.
	Adjust(ctx context.Context, who identity.Caller, changes []Change) ([]Stock, error)
	// Movements reads the ledger of one SKU, newest first. It needs
	// identity.StockRead: ErrForbidden.
	Movements(ctx context.Context, who identity.Caller, sku string, after string, limit int) (MovementPage, error)

	// Audit checks what must always hold on a stretch of the SKUs: levels,
	// ledger and reservations. A SKU that changes while it is looked at is
	// looked at again. It needs identity.OperationsRead: ErrForbidden.
	Audit(ctx context.Context, who identity.Caller, after string) (AuditReport, error)

	// Warehouses lists them in order of priority. Anyone may ask.
	Warehouses(ctx context.Context) ([]Warehouse, error)
	// PutWarehouse adds or changes a warehouse. It needs
	// identity.WarehousesWrite: ErrForbidden.
	PutWarehouse(ctx context.Context, who identity.Caller, w Warehouse) error
}

// A Warehouse is a place that stock lies in.
type Warehouse struct {
	ID       string // short and readable: "berlin"
	Name     string
	Country  string // ISO 3166-1 alpha-2
	Priority int    // the lower is drawn on first
}

// DefaultWarehouse receives what an import does not place elsewhere.
const DefaultWarehouse = "main"

// A Line asks for units of a SKU.
type Line struct {
	SKU      string
	Quantity int64
}

// State is how far a reservation has come.
type State string

// A reservation is held until it is committed or released; a committed one
// may be restocked.
const (
	Held      State = "HELD"
	Committed State = "COMMITTED"
	Released  State = "RELEASED"
	Restocked State = "RESTOCKED"
)

// A Reservation is the stock promised to one order.
type Reservation struct {
	OrderID     string
	State       State
	Allocations []Allocation
	ExpiresAt   time.Time // of a held one: when it is released by itself
}

// An Allocation is units of one SKU from one warehouse.
type Allocation struct {
	SKU       string
	Warehouse string
	Quantity  int64
}

// Stock is all there is to know about one SKU.
type Stock struct {
	SKU       string
	Version   int64 // grows with every change
	Available int64 // over all warehouses: may be promised to a buyer
	Levels    []Level
}

// ListQuery asks for stock.
type ListQuery struct {
	Prefix          string // only SKUs that begin like this, capitals as they are
	AvailableAtMost *int64 // only SKUs with no more available than this, the scarcest first; not beside Prefix
	After           string // cursor: behind it
	Limit           int    // at most MaxPage; 0 means 50
}

// A Page is a stretch of a list.
type Page struct {
	Stocks  []Stock
	Cursors []string // one per SKU: pass as After
	HasMore bool
}

// A Level is the stock of one SKU in one warehouse.
type Level struct {
	Warehouse string
	OnHand    int64 // lies there: Available + Reserved
	Available int64
	Reserved  int64
	Sold      int64 // left with a committed order and was not restocked
	Received  int64 // all that ever came in, less what adjustments took out
}

// A Change of the stock on hand. Exactly one of Delta and Set applies.
type Change struct {
	Key       string // the same key is applied once
	SKU       string
	Warehouse string
	Delta     int64  // add, or take away when negative
	Set       *int64 // or: make the units on hand this many
	Reason    string // "received", "counted", "damaged", …
}

// A Movement is one entry of the ledger.
type Movement struct {
	SKU       string
	Warehouse string
	Seq       int64 // 1, 2, 3, … per SKU, without gaps
	At        time.Time
	Kind      string // "adjust", "reserve", "release", "commit", "restock"
	OrderID   string // where an order caused it
	Reason    string
	OnHand    int64 // change of the units on hand
	Reserved  int64 // change of the units reserved
}

// AuditReport is what an Audit found on its stretch of the SKUs.
type AuditReport struct {
	Checked  int
	Findings []string // each a sentence that names the SKU and what is wrong
	Next     string   // pass as after to read on; "" at the end
}

// MovementPage is a stretch of the ledger.
type MovementPage struct {
	Movements []Movement
	Next      string // pass as after to read on; "" at the end
}
