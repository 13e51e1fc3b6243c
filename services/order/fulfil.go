package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
)

// FulfilmentTopic is the stream on which the fulfilment service rings that an
// order's consignments changed, and FactFulfilment the fact. Its key is the
// order's id.
const (
	FulfilmentTopic = "fulfilment"
	FactFulfilment  = "fulfilment.changed"
)

// Fulfilment is what the order service asks of whom its goods are sent by.
type Fulfilment interface {
	// CallOff ends the order's consignments for good, or answers ErrTooLate
	// when one of them may have left the house. Repeating it is harmless.
	CallOff(ctx context.Context, who identity.Caller, orderID string) error
	// TakeBack puts units on the shelf that the customer sent back, once for a
	// key; no more than have left the house and were not taken back yet.
	TakeBack(ctx context.Context, who identity.Caller, orderID, key string, units []inventory.Line) error
	// Progress counts the order's consignments.
	Progress(ctx context.Context, who identity.Caller, orderID string) (Progress, error)
}

// Progress is how far an order's consignments have come.
type Progress struct {
	Version      int64 `bson:"version"`      // the greater is the later
	Consignments int64 `bson:"consignments"` // those that were not cancelled
	Begun        int64 `bson:"begun"`        // were picked, or more
	Shipped      int64 `bson:"shipped"`      // are on their way
	Delivered    int64 `bson:"delivered"`
	Failed       int64 `bson:"failed"`   // could not be delivered
	Returned     int64 `bson:"returned"` // came back
}

// gone is how many have left the house.
func (p Progress) gone() int64 { return p.Shipped + p.Delivered + p.Failed + p.Returned }

// status is what an order is whose consignments have come so far.
func (p Progress) status() Status {
	switch {
	case p.Consignments == 0 || p.Begun == 0:
		return Confirmed
	case p.Delivered > 0 && p.Delivered+p.Returned == p.Consignments:
		return Delivered
	case p.gone() == p.Consignments:
		return Shipped
	}
	return Fulfilling
}

// rank orders the states after the payment: an order never goes back.
var rank = map[Status]int{Confirmed: 1, Fulfilling: 2, Shipped: 3, Delivered: 4}

// progressed takes over how far the order's consignments have come. The
// fulfilment service is asked, so that facts may come late and twice.
func (k *Keeper) progressed(ctx context.Context, fact events.Fact) error {
	if fact.Type != FactFulfilment || fact.Key == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, k.at.Step)
	defer cancel()
	p, err := k.o.Fulfilment.Progress(ctx, ourselves, fact.Key)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		return fmt.Errorf("progress of order %s: %w", fact.Key, err)
	}
	return k.Advance(ctx, fact.Key, p)
}

// Advance takes over how far the order's consignments have come, unless it
// knows of later.
func (k *Keeper) Advance(ctx context.Context, id string, p Progress) error {
	news, entered := false, false
	changed, err := k.orders.Update(ctx, id, func(d *document) error {
		news, entered = false, false
		sent := rank[d.Status] > 0 || d.Status == Refunded && d.Cancel == nil // and perhaps still on its way
		if !sent || p.Version <= d.Progress.Version {
			return docstore.Unchanged
		}
		before, status := d.Progress, d.Status
		d.Progress = p
		news = true
		d.advance(before, k.now())
		entered = d.Status != status
		k.ring(d, d.Version+1)
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err == nil && entered {
		k.entered(&changed)
	}
	if err == nil && news {
		k.rung(&changed)
	}
	return err
}

// advance writes the order's story on.
func (d *document) advance(before Progress, now time.Time) {
	p, status := d.Progress, d.Status
	if next := p.status(); status != Refunded && rank[next] > rank[status] {
		status = next
	}
	parts := func(n int64) string {
		if p.Consignments == 1 {
			return "The parcel"
		}
		return fmt.Sprintf("%d of %d parcels", n, p.Consignments)
	}
	has := func(n int64) string {
		if p.Consignments == 1 || n == 1 {
			return "has"
		}
		return "have"
	}
	var causes []string
	if p.Begun > 0 && before.Begun == 0 {
		causes = append(causes, "Picking has begun.")
	}
	if p.gone() > before.gone() {
		causes = append(causes, fmt.Sprintf("%s %s left the house.", parts(p.gone()), has(p.gone())))
	}
	if p.Delivered > before.Delivered {
		causes = append(causes, fmt.Sprintf("%s %s arrived.", parts(p.Delivered), has(p.Delivered)))
	}
	if p.Failed > before.Failed {
		causes = append(causes, "A parcel could not be delivered.")
	}
	if p.Returned > before.Returned {
		causes = append(causes, "A parcel came back.")
	}
	for _, cause := range causes {
		d.enter(status, now, cause)
	}
	if len(causes) == 0 && status != d.Status {
		d.enter(status, now, "The parcels are on their way.")
	}
	d.closed(now)
}
