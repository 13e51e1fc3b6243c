package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
	"ordergraph/services/cart"
)

var (
	errLost    = errors.New("order: another driver has taken the order over")
	errNothing = errors.New("order: there is nothing to be done now")
	errSteady  = errors.New("order: there is nothing left to be done")
	errCalled  = errors.New("order: the customer has called it off")
	errNotYet  = errors.New("the outcome is not known yet")
	errStopped = errors.New("order: no time left")
)

// ourselves is on whose behalf the saga calls other services.
var ourselves = identity.Ourselves()

// A run is one driver's turn at an order. It holds the lease from when it is
// begun until done is closed, and is the only one in this process.
type run struct {
	k     *Keeper
	owner string
	doc   document
	until time.Time // of the real clock: when it puts the order aside at the latest
	waits bool      // it waits for an outcome that is not known yet, until then
	wake  chan struct{}
	done  chan struct{}

	inserted bool // this run made the order, so no other driver did anything before
	reserves int  // calls of this run that may have left something reserved
}

// begin registers a run of this process, unless there is one.
func (k *Keeper) begin(id string) (*run, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.runs[id]; r != nil {
		return r, false
	}
	r := &run{k: k, owner: newOwner(), wake: make(chan struct{}, 1), done: make(chan struct{})}
	k.runs[id] = r
	return r, true
}

func (k *Keeper) end(id string, r *run) {
	k.mu.Lock()
	delete(k.runs, id)
	k.mu.Unlock()
	close(r.done)
}

func (k *Keeper) running(id string) *run {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.runs[id]
}

// poke makes the run look again at once.
func (r *run) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// inline is how long a driver may work while a caller waits for its answer.
func (k *Keeper) inline(ctx context.Context) time.Time {
	until := time.Now().Add(k.at.Answer)
	if d, ok := ctx.Deadline(); ok {
		if d = d.Add(-250 * time.Millisecond); d.Before(until) {
			until = d
		}
	}
	return until
}

// resume takes the order's lease and drives it. It does nothing where nothing
// is to be done, where another driver is at it, or, unless early, before the
// order is due. waits says whether it may wait for an outcome until then, or
// puts the order aside.
func (k *Keeper) resume(ctx context.Context, id string, early, waits bool, until time.Time) error {
	r, mine := k.begin(id)
	if !mine {
		r.poke()
		return nil
	}
	defer k.end(id, r)
	r.until, r.waits = until, waits
	err := r.take(ctx, id, early)
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err != nil:
		return err
	}
	return r.driveOn(ctx)
}

// take leases the order to this run, or answers errNothing.
func (r *run) take(ctx context.Context, id string, early bool) error {
	doc, err := r.k.orders.Update(ctx, id, func(d *document) error {
		now := r.k.now()
		if d.steady() || d.leased(now) || !early && d.Saga.Due.After(now) {
			return errNothing
		}
		r.lease(d)
		return nil
	})
	if err == nil {
		r.doc = doc
	}
	return err
}

// driveOn drives. If somebody asked it to look again while it was about to put
// the order aside, it does so at once.
func (r *run) driveOn(ctx context.Context) error {
	for again := 0; ; again++ {
		if err := r.drive(ctx); err != nil || r.doc.steady() || again == 3 || !time.Now().Before(r.until) {
			return err
		}
		select {
		case <-r.wake:
		default:
			return nil
		}
		err := r.take(ctx, r.doc.ID, true)
		if errors.Is(err, errNothing) {
			return r.reload(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// settle drives the order where it is due, and waits where another driver is
// at it, until the order rests or is put aside, or the time is over.
func (k *Keeper) settle(ctx context.Context, id string, until time.Time) (document, error) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		if r := k.running(id); r != nil {
			if err := waitFor(ctx, r.done, time.Until(until)); err != nil {
				return document{}, err
			}
		}
		doc, err := k.orders.Get(ctx, id)
		if err != nil {
			return document{}, err
		}
		now := k.now()
		leased := doc.leased(now)
		if doc.steady() || !leased && doc.Saga.Due.After(now) || !time.Now().Before(until) {
			return doc, nil
		}
		if leased { // in another process, or by one that is gone
			if err := waitFor(ctx, nil, min(pause, time.Until(until))); err != nil {
				return document{}, err
			}
			continue
		}
		if err := k.resume(ctx, id, false, true, until); err != nil {
			return document{}, err
		}
	}
}

// waitFor returns when done is closed or the time is over; the error is that
// of a context that ended before.
func waitFor(ctx context.Context, done <-chan struct{}, most time.Duration) error {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// lease makes d this run's, from now on for a lease.
func (r *run) lease(d *document) {
	due := r.k.now().Add(r.k.at.Lease)
	d.Saga.Owner, d.Saga.Due = r.owner, &due
}

// drive makes step after step until the order rests or has to wait, and leaves
// it in r.doc. The error is that of our own store; the order is then as the
// store has it, and the sweeper will drive on. ctx only carries values: a
// caller who goes away does not stop a checkout half way.
func (r *run) drive(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	for tries := 0; ; {
		err := r.step(ctx)
		switch {
		case errors.Is(err, errSteady):
			return nil
		case errors.Is(err, errLost):
			return r.reload(ctx)
		case err == nil && r.doc.Saga.Owner != r.owner:
			return nil // it rests, or was put aside
		case err == nil:
			tries = 0
			if !time.Now().Before(r.until) {
				return r.park(ctx, errStopped)
			}
			continue
		case errors.Is(err, errCalled):
		default:
			tries++
			pause := work.BackOff(20*time.Millisecond, 700*time.Millisecond, tries)
			if !r.waits || time.Now().Add(pause).After(r.until) {
				return r.park(ctx, err)
			}
			r.sleep(pause)
		}
		// After trouble, look at what is in the store: a write may be in
		// place whose answer was lost, and the customer may have called off.
		if err := r.reload(ctx); err != nil {
			return err
		}
		if r.doc.Saga.Owner != r.owner {
			return nil
		}
	}
}

func (r *run) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.wake:
	}
}

// step makes the next step that the document asks for.
func (r *run) step(ctx context.Context) error {
	d := &r.doc
	if err := r.renew(ctx); err != nil {
		return err
	}
	switch {
	case d.steady():
		return errSteady
	case d.Saga.Undo != "":
		return r.undo(ctx)
	case d.open() && d.Cancel != nil && !d.Saga.Sold:
		return r.giveUp(ctx, ReasonCancelled, nil)
	case d.Status == Pending:
		return r.abreast(ctx, r.prepare)
	case d.Status == Reserved:
		return r.abreast(ctx, func(ctx context.Context) error { return r.sell(ctx, r.doc.Payment) })
	case d.Status == Paying:
		return r.pay(ctx)
	case rank[d.Status] > 0 && d.Cancel != nil:
		return r.callOff(ctx)
	case d.Status == Cancelled:
		return r.payBack(ctx)
	case d.pays():
		return r.payOut(ctx)
	case d.owes():
		return r.takeIn(ctx)
	default:
		return r.tidy(ctx)
	}
}

// renew holds on to the lease when half of it is over. A step that outlasts
// the lease loses it, which costs time, not safety.
func (r *run) renew(ctx context.Context) error {
	if r.doc.Saga.Due == nil || r.doc.Saga.Due.Sub(r.k.now()) >= r.k.at.Lease/2 {
		return nil
	}
	return r.write(ctx, anyway, func(*document) {})
}

// abreast makes a step that keeps this machine and the stock busy when one of
// the few places for it is free. A rush of buyers then queues here, in front
// of its deadlines, and not behind them, where all would run out of time
// together and try again.
func (r *run) abreast(ctx context.Context, step func(context.Context) error) error {
	t := time.NewTimer(time.Until(r.until))
	defer t.Stop()
	select {
	case r.k.places <- struct{}{}:
	case <-t.C:
		return errNotYet
	}
	defer func() { <-r.k.places }()
	if err := r.renew(ctx); err != nil {
		return err
	}
	return step(ctx)
}

// call is the context of one call to another service.
func (r *run) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, r.k.at.Step)
}

// ask is the context of one call to the payment service, which waits for the
// processor as long as the call may: shorter where no customer waits for the
// answer and other orders do.
func (r *run) ask(ctx context.Context) (context.Context, context.CancelFunc) {
	if !r.waits {
		return context.WithTimeout(ctx, r.k.at.Step/4)
	}
	return context.WithTimeout(ctx, min(r.k.at.Step, max(time.Until(r.until), r.k.at.Step/4)))
}

const (
	anyway       = true  // the write is made whether or not the customer calls off
	unlessCalled = false // the write is answered with errCalled once the customer has called off
)

// write changes the document, which must still be leased to this run, and
// renews the lease unless change ends it.
func (r *run) write(ctx context.Context, even bool, change func(*document)) error {
	ctx, cancel := r.call(ctx)
	defer cancel()
	var news, entered bool
	doc, err := r.k.orders.Update(ctx, r.doc.ID, func(d *document) error {
		switch {
		case d.Saga.Owner != r.owner:
			return errLost
		case !even && d.Cancel != nil:
			return errCalled
		}
		r.lease(d)
		status, view, story := d.Status, d.Payment, len(d.Timeline)
		change(d)
		entered = d.Status != status
		if news = d.Payment != view || len(d.Timeline) != story; news {
			r.k.ring(d, d.Version+1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.doc = doc
	if entered {
		r.k.entered(&r.doc)
	}
	if news {
		r.k.rung(&r.doc)
	}
	return nil
}

// park puts the order aside until it is due again, later each time, and gives
// the lease back. A driver that has run out of time leaves it due at once.
func (r *run) park(ctx context.Context, why error) error {
	if !errors.Is(why, errNotYet) && !errors.Is(why, errStopped) {
		r.k.o.Log.WarnContext(ctx, "an order does not get on; it is put aside for a while", "order", r.doc.ID, "status", r.doc.Status, "undo", r.doc.Saga.Undo, "waits", r.doc.Saga.Waits, "error", why)
	}
	err := r.write(ctx, anyway, func(d *document) {
		due := r.k.now()
		called := d.Cancel != nil && r.doc.Cancel == nil // and nobody has looked at that yet
		if !errors.Is(why, errStopped) && !called {
			due = due.Add(patience(d.Saga.Waits))
			d.Saga.Waits++
		}
		d.Saga.Owner, d.Saga.Due = "", &due
	})
	if errors.Is(err, errLost) {
		return r.reload(ctx)
	}
	return err
}

// patience grows from a second to half a minute.
func patience(waits int) time.Duration { return work.BackOff(time.Second, 30*time.Second, waits) }

func (r *run) reload(ctx context.Context) error {
	ctx, cancel := r.call(ctx)
	defer cancel()
	doc, err := r.k.orders.Get(ctx, r.doc.ID)
	if err != nil {
		return err
	}
	r.doc = doc
	return nil
}

// giveUp decides that the order fails and everything is given back.
func (r *run) giveUp(ctx context.Context, reason Reason, problems []cart.Problem, also ...func(*document)) error {
	if r.doc.Saga.Sold {
		// Only a defect leads here: the goods are sold and paid, and yet a
		// step that succeeded before is refused now.
		return fmt.Errorf("order is sold and cannot fail with %s", reason)
	}
	return r.write(ctx, anyway, func(d *document) {
		if d.Saga.Undo != "" {
			return
		}
		if d.Cancel != nil {
			reason, problems = ReasonCancelled, nil
		}
		d.Saga.Undo, d.Problems = reason, problems
		for _, change := range also {
			change(d)
		}
	})
}

// passing reports whether an error may be gone when the call is made again:
// the other side is away, slow, set up wrongly, or has a defect that can be
// repaired. What remains is an answer about this order.
func passing(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Conflict:
		return false
	}
	return true
}

// over reports whether a time limit that began at from has passed.
func (r *run) over(from time.Time, limit time.Duration) bool {
	return !r.doc.Saga.Sold && r.k.now().Sub(from) > limit
}
