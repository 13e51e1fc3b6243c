package inventory

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
)

// stockDoc is all there is to know about one SKU; its id is the SKU. Levels
// and the holds on them are one document, so that stock is promised in one
// write, over however many warehouses.
type stockDoc struct {
	docstore.Meta `bson:",inline"`
	Levels        []levelDoc    `bson:"levels"`
	Available     *int64        `bson:"available,omitempty"` // over all levels, to list by; nil before it was kept, see fill
	Holds         []hold        `bson:"holds,omitempty"`
	HoldsUntil    *time.Time    `bson:"holdsUntil,omitempty"` // when the first hold expires
	Done          memory        `bson:"done,omitempty"`       // orders whose hold was lifted, lately
	Back          memory        `bson:"back,omitempty"`       // orders that were restocked, lately
	Keys          memory        `bson:"keys,omitempty"`       // changes that were made, lately
	Seq           int64         `bson:"seq"`                  // of the last movement
	Tail          []moveDoc     `bson:"tail,omitempty"`       // movements not yet in the ledger
	TailDue       *time.Time    `bson:"tailDue,omitempty"`    // when they are to be
	Outbox        events.Outbox `bson:"outbox"`
}

type levelDoc struct {
	Warehouse string `bson:"warehouse"`
	OnHand    int64  `bson:"onHand"`
	Reserved  int64  `bson:"reserved"`
	Sold      int64  `bson:"sold"`
	Received  int64  `bson:"received"`
}

func (l levelDoc) available() int64 { return l.OnHand - l.Reserved }

// A hold is stock promised to an order. It is made once and lifted once: an
// order in Done cannot hold again, however late its Reserve arrives.
type hold struct {
	Order   string    `bson:"order"`
	Parts   []part    `bson:"parts"`
	Expires time.Time `bson:"expires"`
}

type part struct {
	Warehouse string `bson:"warehouse"`
	Quantity  int64  `bson:"quantity"`
}

// moveDoc is a movement, in the stock's tail at first and then in the ledger,
// where its id is the SKU and its number.
type moveDoc struct {
	docstore.Meta `bson:",inline"`
	SKU           string    `bson:"sku"`
	Seq           int64     `bson:"seq"`
	At            time.Time `bson:"at"`
	Warehouse     string    `bson:"warehouse"`
	Kind          string    `bson:"kind"`
	Order         string    `bson:"order,omitempty"`
	Key           string    `bson:"key,omitempty"` // of the change that an adjustment made
	Reason        string    `bson:"reason,omitempty"`
	OnHand        int64     `bson:"onHand"`
	Reserved      int64     `bson:"reserved"`
}

const availableIndex = "available"

var (
	stockSpec = docstore.Spec{Name: "stock", Indexes: []docstore.Index{
		{Name: "holdsUntil", Fields: []string{"holdsUntil"}},
		{Name: "tailDue", Fields: []string{"tailDue"}},
		{Name: availableIndex, Fields: []string{"available"}},
		events.Index(), events.DeadIndex(),
	}}
	movementSpec = docstore.Spec{Name: "movements", Indexes: []docstore.Index{
		{Name: "sku", Fields: []string{"sku", "seq"}},
		{Name: "key", Fields: []string{"sku", "key"}},
	}}
)

// shelfDoc is what most readers want of a stockDoc. What it leaves out is most
// of the document, and not decoded.
type shelfDoc struct {
	docstore.Meta `bson:",inline"`
	Levels        []levelDoc `bson:"levels"`
	Available     *int64     `bson:"available,omitempty"`
}

func (d *stockDoc) available() int64 { return available(d.Levels) }

func available(levels []levelDoc) (n int64) {
	for _, l := range levels {
		n += l.available()
	}
	return n
}

func (d *stockDoc) level(warehouse string) *levelDoc {
	i := slices.IndexFunc(d.Levels, func(l levelDoc) bool { return l.Warehouse == warehouse })
	if i < 0 {
		d.Levels = append(d.Levels, levelDoc{Warehouse: warehouse})
		i = len(d.Levels) - 1
	}
	return &d.Levels[i]
}

func (d *stockDoc) holdOf(order string) (hold, bool) {
	i := slices.IndexFunc(d.Holds, func(h hold) bool { return h.Order == order })
	if i < 0 {
		return hold{}, false
	}
	return d.Holds[i], true
}

// hold takes units out of what is available.
func (d *stockDoc) hold(order string, parts []part, expires, now time.Time) {
	for _, p := range parts {
		d.level(p.Warehouse).Reserved += p.Quantity
		d.move(now, moveDoc{Warehouse: p.Warehouse, Kind: "reserve", Order: order, Reserved: p.Quantity})
	}
	d.Holds = append(d.Holds, hold{order, parts, expires})
	d.nextExpiry()
}

// lift takes the order's hold away. What was held is available again, or, when
// it is sold, leaves the house.
func (d *stockDoc) lift(order string, sold bool, now time.Time) bool {
	h, ok := d.holdOf(order)
	if !ok {
		return false
	}
	for _, p := range h.Parts {
		l := d.level(p.Warehouse)
		l.Reserved -= p.Quantity
		m := moveDoc{Warehouse: p.Warehouse, Kind: "release", Order: order, Reserved: -p.Quantity}
		if sold {
			l.OnHand -= p.Quantity
			l.Sold += p.Quantity
			m.Kind, m.OnHand = "commit", -p.Quantity
		}
		d.move(now, m)
	}
	d.Holds = slices.DeleteFunc(d.Holds, func(h hold) bool { return h.Order == order })
	d.Done.add(order)
	d.nextExpiry()
	return true
}

func (d *stockDoc) nextExpiry() {
	d.HoldsUntil = nil
	for _, h := range d.Holds {
		if d.HoldsUntil == nil || h.Expires.Before(*d.HoldsUntil) {
			expires := h.Expires
			d.HoldsUntil = &expires
		}
	}
}

// ledgerLag is how late a movement may come into the ledger.
const ledgerLag = time.Second

func (d *stockDoc) move(now time.Time, m moveDoc) {
	d.Seq++
	m.ID, m.SKU, m.Seq, m.At = fmt.Sprintf("%s:%012d", d.ID, d.Seq), d.ID, d.Seq, now
	d.Tail = append(d.Tail, m)
	if d.TailDue == nil {
		due := now.Add(ledgerLag)
		d.TailDue = &due
	}
}

// forget drops movements up to this one from the tail: they are in the ledger.
func (d *stockDoc) forget(entered int64) {
	if len(d.Tail) == 0 || d.Tail[0].Seq > entered {
		return
	}
	d.Tail = slices.DeleteFunc(d.Tail, func(m moveDoc) bool { return m.Seq <= entered })
	if len(d.Tail) == 0 {
		d.Tail, d.TailDue = nil, nil
	}
}

// allocate says which warehouses give n units: the first that has them all,
// else as many as are needed in their order. nil: there are too few.
func (d *stockDoc) allocate(n int64, priority map[string]int) []part {
	levels := slices.Clone(d.Levels)
	slices.SortStableFunc(levels, func(a, b levelDoc) int {
		return cmp.Or(cmp.Compare(priority[a.Warehouse], priority[b.Warehouse]), cmp.Compare(a.Warehouse, b.Warehouse))
	})
	for _, l := range levels {
		if l.available() >= n {
			return []part{{l.Warehouse, n}}
		}
	}
	var parts []part
	for _, l := range levels {
		if take := min(l.available(), n); take > 0 {
			parts = append(parts, part{l.Warehouse, take})
			n -= take
		}
		if n == 0 {
			return parts
		}
	}
	return nil
}

// tell puts FactAvailability into the outbox when the SKU came into stock or
// went out of it in this change.
func (d *stockDoc) tell(before int64, now time.Time, listeners []string) error {
	after := d.available()
	if (before > 0) == (after > 0) && d.Version > 0 {
		return nil
	}
	version := d.Version + 1
	data, err := bson.Marshal(AvailabilityChanged{SKU: d.ID, InStock: after > 0, Version: version})
	if err != nil {
		return err
	}
	d.Outbox.AddLatest(now, events.Fact{
		ID: fmt.Sprintf("%s:%d:%s", d.ID, version, FactAvailability), Type: FactAvailability, Doc: d.ID, Key: d.ID, At: now, Data: data,
	}, listeners...)
	return nil
}

func (d *stockDoc) show() Stock { return show(d.Meta, d.Levels) }

func (d *shelfDoc) show() Stock { return show(d.Meta, d.Levels) }

func show(m docstore.Meta, levels []levelDoc) Stock {
	s := Stock{SKU: m.ID, Version: m.Version, Available: available(levels), Levels: make([]Level, len(levels))}
	for i, l := range levels {
		s.Levels[i] = Level{Warehouse: l.Warehouse, OnHand: l.OnHand, Available: l.available(), Reserved: l.Reserved, Sold: l.Sold, Received: l.Received}
	}
	return s
}

// memory holds what was done lately: eight bytes of hash each, oldest first.
type memory []byte

const memoryLength = 256

func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

func (m memory) has(s string) bool {
	want := hashOf(s)
	for i := 0; i+8 <= len(m); i += 8 {
		if binary.BigEndian.Uint64(m[i:]) == want {
			return true
		}
	}
	return false
}

func (m memory) full() bool { return len(m) >= 8*memoryLength }

func (m *memory) add(s string) {
	*m = binary.BigEndian.AppendUint64(*m, hashOf(s))
	if over := len(*m) - 8*memoryLength; over > 0 {
		*m = slices.Delete(*m, 0, over)
	}
}
