package notification

import (
	"context"
	"errors"
	"slices"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

const (
	sweepEvery  = time.Second
	forgetEvery = time.Minute
	lastWords   = 5 * time.Second // for the messages on their way when the process ends
)

// Run hears, sends and sweeps until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{{Name: "notification's forgetting", Every: forgetEvery, Run: k.forget}}
	for _, c := range k.channels() {
		parts = append(parts, work.Part{Name: "notification's sending by " + string(c.name), Run: func(ctx context.Context) error { return k.sendOften(ctx, c) }})
	}
	if k.o.Bus != nil {
		parts = append(parts,
			work.Part{Name: "notification's ears for accounts", Run: k.hearAccounts},
			work.Part{Name: "notification's ears for orders", Run: k.hearOrders})
		if k.o.Invoices != nil {
			parts = append(parts, work.Part{Name: "notification's ears for invoices", Run: k.hearInvoices})
		}
	}
	if k.relay != nil {
		parts = append(parts, work.Part{Name: "notification's relay", Run: k.relay.Run})
	}
	work.Keep(ctx, k.o.Log, parts...)
	return nil
}

// channels are those that have a provider.
func (k *Keeper) channels() []*channel {
	if len(k.sms.routes) == 0 {
		return []*channel{k.mail}
	}
	return []*channel{k.mail, k.sms}
}

// sendOften sends what is due, as soon as it is, and every second in any case.
func (k *Keeper) sendOften(ctx context.Context, c *channel) error {
	// What is on its way when ctx ends may finish.
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cut) })()
	s := newSenders(sending, k.o.Workers)
	c.open(s)
	defer c.close()
	for {
		if err := k.sendDue(ctx, c, s); err != nil && ctx.Err() == nil {
			k.o.Log.WarnContext(ctx, "due messages could not be read; the next sweep follows", "channel", c.name, "error", err)
		}
		// Spread, so that several copies do not look at the same moment.
		timer := time.NewTimer(work.Spread(sweepEvery))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-c.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// sendDue begins to send all that is due now.
func (k *Keeper) sendDue(ctx context.Context, c *channel, s *senders) error {
	for d, err := range k.docs.All(ctx, docstore.Query{Index: "queue", Equal: []any{c.name}, Until: k.now().Add(time.Millisecond)}) {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil, !c.takes(k.now()), !s.wait(ctx):
			return nil
		}
		go k.as(ctx, s, d.ID, func(ctx context.Context) error { return k.send(ctx, c, d.ID, d.failedBy()) })
	}
	return nil
}

// Sweep makes one attempt at all that is due, and forgets what ended long ago.
// Several copies may sweep at once.
func (k *Keeper) Sweep(ctx context.Context) error {
	var errs []error
	for _, c := range k.channels() {
		s := newSenders(ctx, k.o.Workers)
		errs = append(errs, k.sendDue(ctx, c, s))
		s.all.Wait()
	}
	return errors.Join(append(errs, k.forget(ctx))...)
}

var errNotYet = errors.New("notification: not yet")

// A tally stands for the messages of an order that were forgotten, so that the
// version of what is left never shrinks: its Shown is the sum of theirs, and
// those in Tallied count no more. It is no message, and shown to nobody.
const tally Status = "TALLY"

// mostTallied is how many ids a tally keeps: those that may not be gone yet.
const mostTallied = 100

func tallyID(subject string) string { return subject + ":forgotten" }

// forget removes messages that ended long ago.
func (k *Keeper) forget(ctx context.Context) error {
	now := k.now()
	for d, err := range k.docs.All(ctx, docstore.Query{Index: "forget", Until: now}) {
		if err != nil {
			return err
		}
		if err := k.count(ctx, &d); err != nil {
			return err
		}
		err := k.docs.Delete(ctx, d.ID, func(found *document) error {
			if found.Version != d.Version {
				return errNotYet
			}
			return nil
		})
		if errors.Is(err, errNotYet) { // it was given a new life
			err = k.discount(ctx, &d)
		}
		if err != nil && !errors.Is(err, docstore.ErrNotFound) {
			return err
		}
	}
	return nil
}

// count adds a message that is about to be forgotten to its order's tally.
func (k *Keeper) count(ctx context.Context, d *document) error {
	if d.orderID() == "" {
		return nil
	}
	_, err := k.docs.Upsert(ctx, tallyID(d.Subject), func(t *document) error {
		if slices.Contains(t.Tallied, d.ID) {
			return docstore.Unchanged
		}
		t.Subject, t.Status, t.CreatedAt, t.UpdatedAt = d.Subject, tally, d.CreatedAt, k.now()
		t.Shown += d.Shown
		if t.Tallied = append(t.Tallied, d.ID); len(t.Tallied) > mostTallied {
			t.Tallied = slices.Delete(t.Tallied, 0, 1)
		}
		return nil
	})
	return err
}

// discount takes a message out of the tally that is there after all.
func (k *Keeper) discount(ctx context.Context, d *document) error {
	if d.orderID() == "" {
		return nil
	}
	_, err := k.docs.Update(ctx, tallyID(d.Subject), func(t *document) error {
		i := slices.Index(t.Tallied, d.ID)
		if i < 0 {
			return docstore.Unchanged
		}
		t.Shown -= d.Shown
		t.Tallied = slices.Delete(t.Tallied, i, i+1)
		return nil
	})
	return err
}
