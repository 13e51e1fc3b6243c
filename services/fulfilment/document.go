package fulfilment

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// A document holds all consignments of one order, whose id it has: whatever
// is decided about them is decided in one write.
type document struct {
	docstore.Meta `bson:",inline"`

	Number    string        `bson:"number"` // the order's, for people
	CreatedAt time.Time     `bson:"createdAt"`
	CalledOff bool          `bson:"calledOff,omitempty"` // no consignment is made or sent any more
	Parts     []consignment `bson:"parts,omitempty"`

	// In tells for each state that a consignment is in when the order came,
	// so that an index has them by state.
	In map[State]time.Time `bson:"in,omitempty"`
	// Due is when somebody must look at it: the earliest of its consignments'.
	Due *time.Time `bson:"due,omitempty"`
	// Owed are corrections that the inventory has not taken yet.
	Owed []correction `bson:"owed,omitempty"`
	// Taken are the keys under which units were taken back.
	Taken []string `bson:"taken,omitempty"`
	// OwedSince counts the attempts, and when the next is.
	OwedTries int           `bson:"owedTries,omitempty"`
	OwedDue   *time.Time    `bson:"owedDue,omitempty"`
	Outbox    events.Outbox `bson:"outbox"`
}

type consignment struct {
	N         int        `bson:"n"` // 1, 2, 3, …
	Warehouse string     `bson:"warehouse"`
	State     State      `bson:"state"`
	Lines     []Line     `bson:"lines"`
	Picker    string     `bson:"picker,omitempty"`
	Bookings  int        `bson:"bookings,omitempty"` // that the carrier refused; the next one takes another key
	Tracking  *Tracking  `bson:"tracking,omitempty"`
	ByHand    bool       `bson:"byHand,omitempty"` // people have booked the carrier
	Problem   string     `bson:"problem,omitempty"`
	CreatedAt time.Time  `bson:"createdAt"`
	UpdatedAt time.Time  `bson:"updatedAt"`
	Due       *time.Time `bson:"due,omitempty"`
	Tries     int        `bson:"tries,omitempty"`
}

// A correction is a change of stock that follows from what was found, or came
// back. Its key makes it once.
type correction struct {
	Key       string `bson:"key"`
	SKU       string `bson:"sku"`
	Warehouse string `bson:"warehouse"`
	Delta     int64  `bson:"delta"`
	Reason    string `bson:"reason"`
}

func (c correction) change() inventory.Change {
	return inventory.Change{Key: c.Key, SKU: c.SKU, Warehouse: c.Warehouse, Delta: c.Delta, Reason: c.Reason}
}

func spec() docstore.Spec {
	s := docstore.Spec{Name: "consignments", Indexes: []docstore.Index{{Name: "due", Fields: []string{"due"}}, events.Index(), events.DeadIndex()}}
	for _, state := range States {
		s.Indexes = append(s.Indexes, docstore.Index{Name: indexOf(state), Fields: []string{"in." + string(state)}})
	}
	return s
}

func indexOf(s State) string { return "in " + strings.ToLower(string(s)) }

func idOf(orderID string, n int) string { return orderID + "-" + strconv.Itoa(n) }

// splitID takes a consignment's id apart.
func splitID(id string) (orderID string, n int, ok bool) {
	i := strings.LastIndexByte(id, '-')
	if i <= 0 || len(id) > 80 {
		return "", 0, false
	}
	n, err := strconv.Atoi(id[i+1:])
	return id[:i], n, err == nil && n > 0
}

func (d *document) part(n int) *consignment {
	if n < 1 || n > len(d.Parts) {
		return nil
	}
	return &d.Parts[n-1]
}

// settle brings what is worked out of the consignments up to date; every
// write ends with it.
func (d *document) settle() {
	d.In, d.Due = map[State]time.Time{}, nil
	earlier := func(t *time.Time) {
		if t != nil && (d.Due == nil || t.Before(*d.Due)) {
			d.Due = t
		}
	}
	for i := range d.Parts {
		d.In[d.Parts[i].State] = d.CreatedAt
		earlier(d.Parts[i].Due)
	}
	if len(d.Owed) == 0 {
		d.OwedTries, d.OwedDue = 0, nil
	}
	earlier(d.OwedDue)
}

// owe notes corrections of the stock, to be made at once.
func (d *document) owe(now time.Time, corrections ...correction) {
	for _, c := range corrections {
		if c.Delta != 0 && !slices.ContainsFunc(d.Owed, func(o correction) bool { return o.Key == c.Key }) {
			d.Owed = append(d.Owed, c)
			d.OwedDue = &now
		}
	}
}

// enter brings the consignment into a state.
func (c *consignment) enter(s State, now time.Time) {
	c.State, c.UpdatedAt, c.Due, c.Tries, c.Problem = s, now, nil, 0, ""
}

// missing are the units that were not found, by line.
func (c *consignment) missing() (lines []Line) {
	for _, l := range c.Lines {
		if n := l.Quantity - l.Packed; n > 0 {
			lines = append(lines, Line{SKU: l.SKU, Title: l.Title, Quantity: n})
		}
	}
	return lines
}

// shortfall takes what was not found off the stock. A sale has left the books
// already; that the goods were not there means that the shelf is short of what
// the books say by as many.
func (d *document) shortfall(c *consignment) (owed []correction) {
	for _, l := range c.missing() {
		owed = append(owed, correction{
			Key: "short:" + idOf(d.ID, c.N) + ":" + l.SKU, SKU: l.SKU, Warehouse: c.Warehouse, Delta: -l.Quantity, Reason: "not found when picked",
		})
	}
	return owed
}

// key is what the booking under way has at the carrier.
func (c *consignment) key(orderID string) string {
	return idOf(orderID, c.N) + "-" + strconv.Itoa(c.Bookings+1)
}

// gone reports whether the carrier has the consignment, had it, or may have it.
func (s State) gone() bool {
	switch s {
	case Shipping, Shipped, Delivered, FailedDelivery, Returned:
		return true
	}
	return false
}

func (d *document) show(c *consignment) Consignment {
	shown := Consignment{
		ID: idOf(d.ID, c.N), OrderID: d.ID, OrderNumber: d.Number, Warehouse: c.Warehouse, State: c.State,
		Lines: slices.Clone(c.Lines), Problem: c.Problem, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	if c.Tracking != nil {
		t := *c.Tracking
		shown.Tracking = &t
	}
	return shown
}

func (d *document) progress() order.Progress {
	p := order.Progress{Version: d.Version}
	for _, c := range d.Parts {
		if c.State == Cancelled {
			continue
		}
		p.Consignments++
		if c.State != Open {
			p.Begun++
		}
		switch c.State {
		case Shipped:
			p.Shipped++
		case Delivered:
			p.Delivered++
		case FailedDelivery:
			p.Failed++
		case Returned:
			p.Returned++
		}
	}
	return p
}
