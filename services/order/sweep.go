package order

import (
	"context"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
	"ordergraph/services/account"
)

const (
	sweepEvery = time.Second
	sweepPage  = 100
	sweepers   = 16 // orders driven at once by one sweep
)

// turn is how long a driver may take for whom no caller waits: less than its
// lease.
func (k *Keeper) turn() time.Duration { return k.at.Lease * 4 / 5 }

// Run sweeps, listens to whoever has something to tell about orders and rings
// the orders' own facts, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{
		{Name: "order's sweep", Every: sweepEvery, Run: func(ctx context.Context) error { _, err := k.Sweep(ctx); return err }},
		{Name: "order's erasures", Every: eraseEvery, Run: k.SweepErasures},
	}
	if k.o.Bus != nil {
		parts = append(parts, work.Part{Name: "order's ears", Run: k.listen}, work.Part{Name: "order's ears for who is to be forgotten", Run: func(ctx context.Context) error {
			return k.o.Bus.Listen(ctx, account.Topic, group, account.OnErased(k.Forget))
		}}, work.Part{Name: "order's ears for invoices", Run: func(ctx context.Context) error {
			return k.o.Bus.Listen(ctx, InvoiceTopic, group, k.heardOfPaper)
		}}, work.Part{Name: "order's ears for notifications", Run: func(ctx context.Context) error {
			return k.o.Bus.Listen(ctx, NotificationTopic, group, k.HearMessage)
		}})
	}
	if k.o.Bus != nil && k.o.Fulfilment != nil {
		parts = append(parts, work.Part{Name: "order's ears for fulfilment", Run: k.listenToFulfilment})
	}
	if k.relay != nil {
		parts = append(parts, work.Part{Name: "order's relay", Run: k.relay.Run})
	}
	work.Keep(ctx, k.o.Log, parts...)
	return nil
}

// Sweep drives every order that is due: those of drivers that died, those that
// wait for an outcome, and those with something left to give back. It returns
// how many there were. Several copies may sweep at once.
func (k *Keeper) Sweep(ctx context.Context) (int, error) {
	due := k.orders.All(ctx, docstore.Query{Index: "due", Until: k.now().Add(time.Millisecond), Limit: sweepPage})
	return work.Each(ctx, due, sweepers, func(d document) error {
		if err := k.resume(ctx, d.ID, false, false, time.Now().Add(k.turn())); err != nil {
			return fmt.Errorf("order %s: %w", d.ID, err)
		}
		return nil
	})
}
