package payment

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

const sweepers = 8 // payments taken on at once by one sweep

// Run sweeps, and rings what is owed, until ctx ends.
func (c *Cashier) Run(ctx context.Context) error {
	parts := []work.Part{{Name: "payment's sweep", Every: c.o.SweepEvery, Run: c.Sweep}}
	if c.relay != nil {
		parts = append(parts, work.Part{Name: "payment's relay", Run: c.relay.Run})
	}
	work.Keep(ctx, c.log, parts...)
	return nil
}

// Sweep takes on every payment that is due: attempts whose outcome is unknown,
// retries, confirmations that have run out, refunds to be asked for. Trouble
// with one payment does not keep it from the others.
func (c *Cashier) Sweep(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(sweepers)
	var failed error
	for r, err := range c.payments.All(ctx, docstore.Query{Index: "due", Until: c.now().Add(time.Millisecond)}) {
		if err != nil {
			failed = err
			break
		}
		if ctx.Err() != nil || !c.patience.open(c.now()) {
			break
		}
		g.Go(func() error {
			defer c.survive(ctx, r.ID)
			if _, err := c.work(ctx, r, nil, time.Time{}, true); err != nil && ctx.Err() == nil {
				c.log.ErrorContext(ctx, "payment: cannot take it on", "order", r.ID, "error", err)
			}
			return nil
		})
	}
	_ = g.Wait()
	return failed
}
