package notification

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

const (
	sweepEvery  = time.Second
	forgetEvery = time.Minute
	senders     = 8               // mails sent at once by one process
	lastWords   = 5 * time.Second // for the mails on their way when the process ends
)

// Run hears, sends and sweeps until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{{Name: "notification's sending", Run: k.sendOften}, {Name: "notification's forgetting", Run: k.forgetOften}}
	if k.o.Bus != nil {
		parts = append(parts,
			work.Part{Name: "notification's ears for accounts", Run: k.hearAccounts},
			work.Part{Name: "notification's ears for orders", Run: k.hearOrders})
	}
	work.Keep(ctx, k.o.Log, parts...)
	return nil
}

// sendOften sends what is due, as soon as it is, and every second in any case.
func (k *Keeper) sendOften(ctx context.Context) error {
	// What is on its way when ctx ends may finish.
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cut) })()
	var g errgroup.Group
	g.SetLimit(senders)
	defer func() { _ = g.Wait() }()
	for {
		if err := k.sendDue(ctx, sending, &g); err != nil && ctx.Err() == nil {
			k.o.Log.WarnContext(ctx, "due mails could not be read; the next sweep follows", "error", err)
		}
		// Spread, so that several copies do not look at the same moment.
		timer := time.NewTimer(sweepEvery*3/4 + rand.N(sweepEvery/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-k.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// sendDue begins to send all that is due now, at most senders at once.
func (k *Keeper) sendDue(ctx, sending context.Context, g *errgroup.Group) error {
	for d, err := range k.docs.All(ctx, docstore.Query{Index: "due", Until: k.now().Add(time.Millisecond)}) {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil, !k.breaker.open(k.now()):
			return nil
		}
		g.Go(func() error {
			if err := work.Safely(func() error { return k.send(sending, d.ID) }); err != nil {
				k.o.Log.ErrorContext(sending, "a mail could not be taken on; its lease gives pause", "notification", d.ID, "error", err)
			}
			return nil
		})
	}
	return nil
}

// Sweep makes one attempt at all that is due, and forgets what ended long ago.
// Several copies may sweep at once.
func (k *Keeper) Sweep(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(senders)
	err := k.sendDue(ctx, ctx, &g)
	_ = g.Wait()
	return errors.Join(err, k.forget(ctx))
}

func (k *Keeper) forgetOften(ctx context.Context) error {
	for {
		timer := time.NewTimer(forgetEvery*3/4 + rand.N(forgetEvery/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		if err := k.forget(ctx); err != nil && ctx.Err() == nil {
			k.o.Log.WarnContext(ctx, "old notifications could not be forgotten; the next sweep follows", "error", err)
		}
	}
}

var errNotYet = errors.New("notification: not yet")

// forget removes messages that ended long ago.
func (k *Keeper) forget(ctx context.Context) error {
	now := k.now()
	for d, err := range k.docs.All(ctx, docstore.Query{Index: "forget", Until: now}) {
		if err != nil {
			return err
		}
		err := k.docs.Delete(ctx, d.ID, func(d *document) error {
			if d.Forget == nil || d.Forget.After(now) {
				return errNotYet
			}
			return nil
		})
		if err != nil && !errors.Is(err, errNotYet) && !errors.Is(err, docstore.ErrNotFound) {
			return err
		}
	}
	return nil
}
