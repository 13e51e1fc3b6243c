package payment

import (
	"context"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"time"

	"ordergraph/platform/docstore"
)

const (
	leaseFor = 15 * time.Second // how long one attempt has the payment to itself
	callFor  = 12 * time.Second // how long the attempt itself may take
	// giveUpAfter is how long an authorisation is tried before it is declined
	// as ReasonUnavailable. Captures, voids and refunds are never given up.
	giveUpAfter = 10 * time.Minute

	firstRetry = 50 * time.Millisecond // then three times as long each time, up to
	lastRetry  = time.Minute
)

// backOff is how long to wait after so many tries in a row: half of it fixed,
// half by chance.
func backOff(tries int) time.Duration {
	d := lastRetry
	if tries < 8 {
		d = firstRetry
		for range tries - 1 {
			d *= 3
		}
		d = min(d, lastRetry)
	}
	return d/2 + mathrand.N(d/2)
}

// ask records what is wanted of the payment, together with the first attempt
// at it, and then waits for the outcome as long as the caller does, at most
// InlineFor. change returns nil if it changed the record, Unchanged if what is
// wanted is wanted already.
func (c *Cashier) ask(ctx context.Context, id string, create bool, change func(*record) error) (Payment, error) {
	now := c.now()
	allowed := c.patience.allow(now)
	holder := rand.Text()[:12]
	var s *step
	apply := func(r *record) error {
		s = nil
		err := change(r)
		if err != nil && !errors.Is(err, docstore.Unchanged) {
			return err
		}
		if err == nil {
			r.UpdatedAt = now
			r.Tries = 0
			if !r.leased(now) {
				r.plan(now)
			}
		}
		if allowed && r.NextAt != nil && !r.NextAt.After(now) && !r.leased(now) {
			if s = r.next(now); s == nil {
				r.NextAt = nil
			} else {
				r.begin(s, holder, now)
			}
			return nil
		}
		return err
	}
	var r record
	var err error
	if create {
		r, err = c.payments.Upsert(ctx, id, apply)
	} else {
		r, err = c.payments.Update(ctx, id, apply)
	}
	if allowed && (s == nil || err != nil) {
		c.patience.skipped()
	}
	if err != nil {
		return Payment{}, notFound(err)
	}
	wait := c.o.InlineFor
	if deadline, ok := ctx.Deadline(); ok {
		// Leave some time for the answer to travel.
		wait = min(wait, time.Until(deadline)*9/10)
	}
	if s == nil && (!allowed || !r.wants(now.Add(wait))) {
		if !r.pending() {
			return r.view(), nil
		}
		return c.leave(ctx, r)
	}
	type outcome struct {
		r   record
		err error
	}
	done := make(chan outcome, 1)
	until := time.Now().Add(wait)
	if err := c.spawn(func() {
		// The work outlives the caller, though not the Cashier.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(c.working, cancel)()
		defer c.survive(ctx, id)
		r, err := c.work(ctx, r, s, until, false)
		done <- outcome{r, err}
	}); err != nil {
		return Payment{}, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case o := <-done:
		if o.err != nil {
			return Payment{}, notFound(o.err)
		}
		if o.r.pending() {
			return c.leave(ctx, o.r)
		}
		return o.r.view(), nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return c.leave(ctx, r)
}

// wants reports whether there is something to do for the payment by then.
func (r *record) wants(by time.Time) bool {
	return r.NextAt != nil && r.NextAt.Before(by) || r.Holder != ""
}

// pending reports whether somebody is still to be told how it ends.
func (r *record) pending() bool {
	switch r.State {
	case Authorising, Capturing, Voiding, ActionNeeded:
		return true
	}
	for _, b := range r.Refunds {
		if b.State == RefundPending {
			return true
		}
	}
	return false
}

// leave answers with what is known now, and notes that the outcome is owed:
// whoever settles the payment later rings it. If it was settled meanwhile,
// that is the answer.
func (c *Cashier) leave(ctx context.Context, last record) (Payment, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	r, err := c.payments.Update(ctx, last.ID, func(r *record) error {
		if !r.pending() || r.Owed {
			return docstore.Unchanged
		}
		r.Owed = true
		return nil
	})
	if err != nil {
		return Payment{}, err
	}
	return r.view(), nil
}

// work takes the payment on, step by step, until nothing is due before until
// (the zero time: not beyond what is due now). s is a step that was begun
// already, or nil. ring says that nobody waits for the outcome.
func (c *Cashier) work(ctx context.Context, r record, s *step, until time.Time, ring bool) (record, error) {
	poll := 5 * time.Millisecond
	for {
		var err error
		if s == nil {
			if r, s, err = c.begin(ctx, r.ID); err != nil {
				return r, err
			}
		}
		if s != nil {
			if r, err = c.perform(ctx, r, s, ring); err != nil {
				return r, err
			}
			s, poll = nil, 5*time.Millisecond
		}
		now := c.now()
		if r.NextAt == nil || !c.patience.open(now) {
			return r, nil
		}
		wait := max(r.NextAt.Sub(now), 0)
		if r.leased(now) {
			// Somebody else is at it: look again soon.
			wait = poll
			poll = min(2*poll, 200*time.Millisecond)
		}
		if wait > 0 {
			if time.Now().Add(wait).After(until) {
				return r, nil
			}
			t := time.NewTimer(max(wait, time.Millisecond))
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return r, nil
			}
		}
	}
}

// begin stores the attempt at whatever is due, and leases the payment for it.
// It returns no step if nothing is due or somebody else is at it.
func (c *Cashier) begin(ctx context.Context, id string) (record, *step, error) {
	now := c.now()
	allowed := c.patience.allow(now)
	holder := rand.Text()[:12]
	var s *step
	r, err := c.payments.Update(ctx, id, func(r *record) error {
		s = nil
		if r.NextAt == nil || r.NextAt.After(now) || r.leased(now) {
			return docstore.Unchanged
		}
		if r.State == Authorising && r.Begun == nil && now.Sub(r.CreatedAt) > giveUpAfter {
			r.moveTo(Declined)
			r.Reason = ReasonUnavailable
			r.plan(now)
			c.ring(r, now)
			return nil
		}
		if !allowed {
			return docstore.Unchanged
		}
		if s = r.next(now); s == nil {
			r.NextAt = nil
			return nil
		}
		r.begin(s, holder, now)
		return nil
	})
	if allowed && (s == nil || err != nil) {
		c.patience.skipped()
	}
	if err == nil {
		c.rung(&r)
	}
	return r, s, err
}

// perform makes the call of a step that was begun, and stores what came of it.
func (c *Cashier) perform(ctx context.Context, r record, s *step, ring bool) (record, error) {
	called, cancel := context.WithTimeout(ctx, callFor)
	apply, err := c.call(called, &r, s)
	var given func(*record, time.Time)
	if _, rejected := errors.AsType[*Rejection](err); rejected && s.kind == doRefund {
		// Perhaps some went back at the processor's desk, and nobody told us.
		if apply, err := c.lookUpRefunds(called, &r); err == nil {
			given = apply
		}
	}
	cancel()
	now := c.now()
	c.patience.answered(err == nil || !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrNotNow), now)
	outcome := "ok"
	if err != nil {
		outcome = "error: " + err.Error()
		c.log.WarnContext(ctx, "payment: the processor did not do it", "order", r.ID, "step", s.kind, "error", err)
	}

	// What was heard must be written down, even if the one who asked is gone.
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	r, stored := c.payments.Update(storing, r.ID, func(r *record) error {
		mine := r.Holder == s.holder
		r.end(s, outcome)
		before := r.progress()
		if err != nil {
			c.failed(r, s, err, now)
			if given != nil {
				given(r, now)
			}
		} else {
			apply(r, now)
		}
		r.UpdatedAt = now
		after := r.progress()
		moved := before != after
		if s.kind == doLookUp && !moved && len(r.Attempts) > 0 {
			r.Attempts = r.Attempts[:len(r.Attempts)-1] // nothing new: not worth a line
		}
		if moved {
			r.Tries = 0
			before.intent = after.intent // which is nobody's business
			if before != after && (ring || r.Owed) {
				c.ring(r, now)
			}
			if !r.pending() {
				r.Owed = false
			}
		}
		if !mine {
			// Somebody else has the lease now. He goes by what he finds.
			return nil
		}
		r.plan(now)
		if r.NextAt != nil && !moved && (err != nil || !r.NextAt.After(now)) {
			r.Tries++
			at := now.Add(backOff(r.Tries))
			r.NextAt = &at
		}
		return nil
	})
	if stored == nil {
		c.rung(&r)
	}
	return r, stored
}

// progress is what must change for a payment to have come further.
type progress struct {
	state             State
	intent            string
	captured          int64
	pending, done, no int
}

func (r *record) progress() progress {
	p := progress{state: r.State, intent: r.Intent, captured: r.Captured.Minor}
	for _, b := range r.Refunds {
		switch b.State {
		case RefundPending:
			p.pending++
		case RefundSucceeded:
			p.done++
		case RefundFailed:
			p.no++
		}
	}
	return p
}

// call makes the step's call, and returns how its answer changes the record.
func (c *Cashier) call(ctx context.Context, r *record, s *step) (func(*record, time.Time), error) {
	adopt := func(in Intent, err error) (func(*record, time.Time), error) {
		return func(r *record, now time.Time) { c.adopt(ctx, r, in, now) }, err
	}
	switch {
	case s.kind == doAuthorise:
		return adopt(c.gateway.Authorise(ctx, s.key, r.request()))
	case s.kind == doCapture:
		return adopt(c.gateway.Capture(ctx, s.key, r.Intent))
	case s.kind == doVoid && r.Intent == "":
		return adopt(c.gateway.Forestall(ctx, s.key, r.request()))
	case s.kind == doVoid:
		return adopt(c.gateway.Cancel(ctx, s.key, r.Intent))
	case s.kind == doRefund:
		b := r.refunding(s.refund)
		g, err := c.gateway.Refund(ctx, s.key, r.Intent, RefundRequest{OrderID: r.ID, Key: b.Key, Amount: b.Amount, Reason: b.Reason})
		g.Key = s.refund
		return func(r *record, _ time.Time) { r.adoptRefund(g) }, err
	case s.refund != "":
		return c.lookUpRefunds(ctx, r)
	case r.Intent == "":
		return c.lookUpOrder(ctx, r)
	default:
		return c.lookUpIntent(ctx, r)
	}
}

func (c *Cashier) adopt(ctx context.Context, r *record, in Intent, now time.Time) {
	if !r.adopt(in, now) {
		c.log.ErrorContext(ctx, "payment: the processor speaks of another payment", "order", r.ID, "intent", in.ID)
	}
}

// lookUpIntent asks for an intent that is known by its id.
func (c *Cashier) lookUpIntent(ctx context.Context, r *record) (func(*record, time.Time), error) {
	in, err := c.gateway.Intent(ctx, r.Intent)
	return func(r *record, now time.Time) {
		c.adopt(ctx, r, in, now)
		if !r.Doubt {
			return
		}
		// What was tried last has not been done, so it needs another key.
		switch {
		case r.State == Capturing && in.Status == IntentHeld:
			r.Keys.Capture++
			r.Doubt = false
		case r.State == Voiding && in.Status != IntentProcessing:
			r.Keys.Void++
			r.Doubt = false
		}
	}, err
}

// lookUpOrder asks for the intents of an order whose authorisation has no
// known outcome and whose key cannot tell any more.
func (c *Cashier) lookUpOrder(ctx context.Context, r *record) (func(*record, time.Time), error) {
	const margin = 10 * time.Minute // the processor's clock is not ours
	found, err := c.gateway.Find(ctx, r.ID, r.CreatedAt.Add(-margin), c.now().Add(margin))
	if len(found) > 1 {
		c.log.ErrorContext(ctx, "payment: several intents for one order at the processor", "order", r.ID, "intents", len(found))
	}
	return func(r *record, now time.Time) {
		if len(found) > 0 {
			best := found[0]
			for _, in := range found[1:] {
				if weight[in.Status] > weight[best.Status] {
					best = in
				}
			}
			c.adopt(ctx, r, best, now)
			r.Doubt = false
			return
		}
		switch r.State {
		case Authorising:
			r.Keys.Authorise++
			r.Begun, r.Doubt = &now, false
		case Voiding:
			r.voided()
		}
	}, err
}

var weight = map[IntentStatus]int{IntentTaken: 6, IntentHeld: 5, IntentAction: 4, IntentProcessing: 3, IntentRefused: 2, IntentOpen: 1}

// lookUpRefunds asks what became of the refunds.
func (c *Cashier) lookUpRefunds(ctx context.Context, r *record) (func(*record, time.Time), error) {
	given, err := c.gateway.Refunds(ctx, r.Intent)
	return func(r *record, now time.Time) {
		for _, g := range given {
			r.adoptRefund(g)
		}
		for i := range r.Refunds {
			// Doubted, and not there: it has not been done.
			if b := &r.Refunds[i]; b.State == RefundPending && b.Foreign == "" && (b.Doubt || now.Sub(b.Since) > keyLife) {
				b.Spent++
				b.Doubt, b.Since = false, now
			}
		}
	}, err
}

// failed applies an error of the gateway.
func (c *Cashier) failed(r *record, s *step, err error, now time.Time) {
	rejection, rejected := errors.AsType[*Rejection](err)
	switch {
	case rejected && s.kind == doAuthorise && r.State == Authorising:
		r.moveTo(Declined)
		r.Reason = rejection.Reason
	case rejected && s.kind == doAuthorise && r.State == Voiding && r.Intent == "":
		r.voided()
	case rejected && s.kind == doRefund:
		if b := r.refunding(s.refund); b != nil && b.Foreign == "" {
			b.State = RefundFailed
		}
	case s.kind == doRefund && errors.Is(err, ErrSpent):
		if b := r.refunding(s.refund); b != nil {
			b.Doubt = true
		}
	case s.kind != doLookUp && (rejected || errors.Is(err, ErrSpent)):
		r.Doubt = true
	case r.State == Authorising && now.Sub(r.CreatedAt) > giveUpAfter:
		r.moveTo(Voiding)
		r.GiveUp = ReasonUnavailable
	}
}
