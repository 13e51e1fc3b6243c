package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
	"ordergraph/services/order"
)

const (
	sweepEvery = time.Second
	sweepPage  = 100
	sweepers   = 8 // orders looked at once
)

// later is when something that failed so often is tried again: from a second
// to an hour.
func (k *Keeper) later(now time.Time, tries int) *time.Time {
	due := now.Add(work.BackOff(time.Second, time.Hour, tries))
	return &due
}

// next is when the program takes the next step by itself; never, where people do.
func (k *Keeper) next(now time.Time) *time.Time {
	if k.o.Auto <= 0 {
		return nil
	}
	due := now.Add(k.o.Auto)
	return &due
}

// Run sweeps, listens to the orders and rings its own facts, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{
		{Name: "fulfilment's sweep", Every: sweepEvery, Run: func(ctx context.Context) error { _, err := k.Sweep(ctx); return err }},
		{Name: "fulfilment's search for untold orders", Every: searchEvery, Run: k.search},
	}
	if k.o.Bus != nil {
		parts = append(parts, work.Part{Name: "fulfilment's ears", Run: func(ctx context.Context) error {
			return k.o.Bus.Listen(ctx, order.Topic, group, k.heard)
		}})
	}
	if k.relay != nil {
		parts = append(parts, work.Part{Name: "fulfilment's relay", Run: k.relay.Run})
	}
	work.Keep(ctx, k.o.Log, parts...)
	return nil
}

// Sweep does what is due: bookings in doubt, parcels of which the carrier has
// not told, corrections of the stock, and with Options.Auto the next steps. It
// returns how many orders there were. Several copies may sweep at once.
func (k *Keeper) Sweep(ctx context.Context) (int, error) {
	due := k.docs.All(ctx, docstore.Query{Index: "due", Until: k.now().Add(time.Millisecond), Limit: sweepPage})
	return work.Each(ctx, due, sweepers, func(d document) error { return k.attend(ctx, d) })
}

// attend does what is due of one order.
func (k *Keeper) attend(ctx context.Context, d document) error {
	var errs []error
	now := k.now()
	if len(d.Owed) > 0 && d.OwedDue != nil && !d.OwedDue.After(now) {
		errs = append(errs, k.correct(ctx, d.ID))
	}
	for _, c := range d.Parts {
		if c.Due == nil || c.Due.After(now) {
			continue
		}
		var err error
		switch id := idOf(d.ID, c.N); c.State {
		case Open:
			_, err = k.Pick(ctx, ourselves, id)
		case Picking:
			if c.Picker == ourselves.CustomerID {
				_, err = k.Pack(ctx, ourselves, id, nil)
			}
		case Packed:
			_, err = k.Ship(ctx, ourselves, id, ShipInput{})
		case Shipping:
			_, err = k.book(ctx, d.ID, c.N)
		case Shipped:
			err = k.track(ctx, d.ID, c.N)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("consignment %s: %w", idOf(d.ID, c.N), err))
		}
	}
	return errors.Join(errs...)
}

// try does what the sweeper does again if it fails.
func (k *Keeper) try(ctx context.Context, what, orderID string, do func() error) {
	if err := do(); err != nil {
		k.o.Log.WarnContext(ctx, "fulfilment: could not "+what+"; it is tried again", "order", orderID, "error", err)
	}
}
