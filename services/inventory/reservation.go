package inventory

import (
	"time"

	"ordergraph/platform/docstore"
)

// reservationDoc decides what becomes of an order's stock; its id is the
// order's. The state is written first, by compare-and-swap, then each stock
// document follows it, then the state is final. Whoever finds a state with a
// due time in the past may finish it: every step can be repeated.
type reservationDoc struct {
	docstore.Meta `bson:",inline"`
	State         step         `bson:"state"`
	Lines         []Line       `bson:"lines,omitempty"` // by SKU
	Allocations   []Allocation `bson:"allocations,omitempty"`
	ExpiresAt     time.Time    `bson:"expiresAt"`
	Due           *time.Time   `bson:"due,omitempty"` // when the sweeper looks at it; never, once it is final
	Short         *shortage    `bson:"short,omitempty"`
}

// shortage is why a Reserve failed, so that repeating it fails alike.
type shortage struct {
	SKU       string `bson:"sku"`
	Available int64  `bson:"available"`
	Unknown   bool   `bson:"unknown"`
}

// step is how far a reservation has come, in between as well.
type step string

const (
	reserving  step = "RESERVING"
	held       step = "HELD"
	committing step = "COMMITTING"
	committed  step = "COMMITTED"
	releasing  step = "RELEASING"
	released   step = "RELEASED"
	restocking step = "RESTOCKING"
	restocked  step = "RESTOCKED"
)

const (
	// reserveWithin is how long a Reserve may take before it counts as dead.
	reserveWithin = time.Minute
	// holdWithin is how long a Reserve that goes slowly still makes holds.
	holdWithin = 10 * time.Second
	// finishWithin is how long any other half-done step may lie.
	finishWithin = 5 * time.Second
	sweepEvery   = 2 * time.Second
)

var reservationSpec = docstore.Spec{Name: "reservations", Indexes: []docstore.Index{{Name: "due", Fields: []string{"due"}}}}

func (d *reservationDoc) goTo(s step, due time.Time) {
	d.State, d.Due = s, &due
	if due.IsZero() {
		d.Due = nil
	}
}

func (d *reservationDoc) show() Reservation {
	r := Reservation{OrderID: d.ID, Allocations: d.Allocations, ExpiresAt: d.ExpiresAt}
	switch d.State {
	case reserving, held:
		r.State = Held
	case committing, committed:
		r.State = Committed
	case releasing, released:
		r.State = Released
	case restocking, restocked:
		r.State = Restocked
	}
	return r
}

// refusal is why a released reservation cannot be used.
func (d *reservationDoc) refusal() error {
	switch {
	case d.Short == nil:
		return ErrReleased
	case d.Short.Unknown:
		return ErrUnknownSKU.With("sku", d.Short.SKU)
	}
	return outOfStock(d.Short.SKU, d.Short.Available)
}
