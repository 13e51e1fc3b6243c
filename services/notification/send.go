package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
	"ordergraph/platform/work"
)

const (
	sendFor  = 30 * time.Second // one attempt may take, with the questions before it
	leaseFor = 45 * time.Second // one attempt has its message to itself; longer than sendFor

	// maxTries is how often a message is tried that the provider puts off: with
	// the back-off below, over nine hours.
	maxTries = 20
	// maxDoubts is how many attempts may end unknown. Each may have arrived.
	maxDoubts = 5

	firstRetry = 2 * time.Second // then twice as long each time, up to
	lastRetry  = time.Hour       // where the provider wants this message later
	nextLook   = time.Minute     // where somebody is away: all messages wait, and go out soon after
)

var (
	// errNotNow is a message that somebody else is sending, or that is not due.
	errNotNow = errors.New("notification: not now")
	// errOptedOut is a message to a number that wants none.
	errOptedOut = errors.New("the customer wants no messages of this channel")
	// errTooOld is a message that has waited until it is of no use.
	errTooOld = errors.New("it has waited too long")
	// errWaiting is a message that waits for something of which we hear; it is
	// looked at again in any case.
	errWaiting = errors.New("it waits for something")
)

// A result is what came of taking a message on.
type result struct {
	err     error    // why no attempt was made
	found   bool     // no attempt was needed: the provider has it from an earlier one
	failure *Failure // why the attempt did not succeed
	ref     string   // the provider's own name for the message
	// elsewhere says that it was the route that failed, and that there is
	// another one.
	elsewhere bool
}

// send makes one attempt at a message, if it is due and nobody else's: it is
// taken, written, handed over and settled. That it is about to be handed over
// is noted first, so that a process that dies leaves an attempt whose outcome
// is unknown, and never a message that nobody knows of. avoided is a route that
// has just failed it.
func (k *Keeper) send(ctx context.Context, c *channel, id, avoided string) error {
	r := c.admit(avoided, k.now())
	if r == nil {
		return nil
	}
	tried := false
	defer func() { // after a panic, too
		if !tried {
			r.done(false, nil, k.now())
		}
	}()
	d, err := k.take(ctx, c, id, newHolder())
	if err != nil {
		return ignoreNotNow(err)
	}
	m, err := k.prepare(ctx, c, &d)
	if errors.Is(err, errFound) {
		return k.settle(ctx, c, &d, result{found: true, ref: d.ProviderRef})
	}
	if err != nil {
		return k.settle(ctx, c, &d, result{err: err})
	}
	if d, err = k.attempt(ctx, c, r, &d, m); err != nil {
		return ignoreNotNow(err)
	}
	tried = true
	return k.handOver(ctx, c, r, &d, m)
}

// handOver gives the message to the provider, and settles the attempt that was
// noted in d. The route is done with it in any case.
func (k *Keeper) handOver(ctx context.Context, c *channel, r *route, d *document, m message) error {
	var res result
	res.ref, res.failure = r.send(ctx, m)
	r.done(true, res.failure, k.now())
	if res.failure == nil {
		c.counts.segments.Add(int64(segments(m.text.Body)))
	}
	if f := res.failure; f != nil && (f.Outcome == Unreachable || f.After > 0) {
		res.elsewhere = c.elsewhere(r, k.now())
	}
	return k.settle(ctx, c, d, res)
}

func ignoreNotNow(err error) error {
	if errors.Is(err, errNotNow) || errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	return err
}

// take gives the message to this attempt alone, until its lease ends.
func (k *Keeper) take(ctx context.Context, c *channel, id, holder string) (document, error) {
	ours := false
	d, err := k.docs.Update(ctx, id, func(d *document) error {
		now := k.now()
		if d.Status != Queued || d.Due == nil || d.Due.After(now) {
			return errNotNow
		}
		ours = false
		if d.settleLast(string(Unknown)) { // whoever made that attempt has died
			d.Doubts++
			switch {
			case c.unknown == Leave:
				k.end(d, Sent, now)
				return nil
			case d.Doubts >= maxDoubts: // perhaps they died of it
				k.end(d, Dead, now)
				return nil
			}
		}
		if over := d.over(now); over > 0 && (!c.asks(d) || over > askAfter) {
			k.expire(d, now)
			return nil
		}
		if free := k.disturb(d, now); free.After(now) {
			d.Holder, d.Due = "", &free
			return nil
		}
		ours = true
		until := now.Add(leaseFor)
		d.Holder, d.Due = holder, &until
		return nil
	})
	if err == nil && !ours {
		if d.Status != Queued {
			k.tell(ctx, c, &d, result{})
		}
		k.changed(&d)
		err = errNotNow
	}
	return d, err
}

// expire ends a message that has waited until it is of no use.
func (k *Keeper) expire(d *document, now time.Time) {
	d.note(Attempt{At: now, Outcome: tooOld})
	k.end(d, Obsolete, now)
}

// disturb is when a message may go out that is due now.
func (k *Keeper) disturb(d *document, now time.Time) time.Time {
	if urgent(d.Kind, d.Channel) {
		return now
	}
	return k.o.QuietHours.next(now, d.Country)
}

// prepare makes the message that goes out, or says why none does. What it
// finds out it leaves in d, for attempt to keep.
func (k *Keeper) prepare(ctx context.Context, c *channel, d *document) (m message, err error) {
	err = work.Safely(func() error {
		if d.Channel == SMS {
			if m.text, err = k.writeText(ctx, d); err != nil {
				return err
			}
			switch out, err := k.optedOut(ctx, m.text.To); {
			case err != nil:
				return err
			case out:
				return errOptedOut
			}
			if err := k.lookUp(ctx, c, d, m.text); err != nil {
				return err
			}
			if d.over(k.now()) > 0 { // what they have would have counted
				return errTooOld
			}
			return nil
		}
		enclosed, err := k.enclose(ctx, d)
		if err != nil {
			return err
		}
		if m.letter, err = k.write(ctx, d); err == nil {
			m.letter.Attachments = append(m.letter.Attachments, enclosed...)
		}
		return err
	})
	if err != nil {
		return message{}, fmt.Errorf("write %s: %w", d.ID, err)
	}
	return m, nil
}

var (
	// errFound is a message that the provider has, although its answer was lost.
	errFound = errors.New("the provider has it")
	// errNoAnswer is a message of which the provider does not say whether it has it.
	errNoAnswer = fault.New(fault.Unavailable, "notification.not_looked_up", "The provider cannot be asked right now.")
)

// asks reports whether the provider is asked for a message before anything else
// happens to it.
func (c *channel) asks(d *document) bool { return c.unknown == Lookup && d.doubtful() != nil }

// lookUp asks the provider for a message of which nobody knows whether it was
// taken, where the policy is to ask.
func (k *Keeper) lookUp(ctx context.Context, c *channel, d *document, t Text) error {
	if !c.asks(d) {
		return nil
	}
	last := d.doubtful()
	t.Words = d.Words
	ref, err := c.route(last.Route).texter.Find(ctx, t, last.At)
	switch {
	case err != nil:
		return fmt.Errorf("%w (%w)", errNoAnswer, err)
	case ref != "":
		d.ProviderRef = ref
		return errFound
	}
	d.Doubts = 0
	last.Outcome = "not taken"
	return nil
}

// attempt notes the attempt that is about to be made, and what prepare found
// out. A message that was not taken is taken by that, if it is as it was.
func (k *Keeper) attempt(ctx context.Context, c *channel, r *route, prepared *document, m message) (document, error) {
	repeats, holder := 0, prepared.Holder
	if holder == "" {
		holder = newHolder()
	}
	d, err := k.docs.Update(ctx, prepared.ID, func(d *document) error {
		if d.Status != Queued || d.Holder != prepared.Holder || prepared.Holder == "" && d.Version != prepared.Version {
			return errNotNow
		}
		repeats = d.Repeats
		d.Attempts, d.Doubts, d.Invoice, d.Holder = prepared.Attempts, prepared.Doubts, prepared.Invoice, holder
		d.begin(r.name, wordsOf(m), k.now())
		return nil
	})
	if err == nil && d.Repeats > repeats {
		c.counts.repeated.Add(1)
	}
	return d, err
}

// wordsOf is what is kept of an SMS for who looks it up.
func wordsOf(m message) string {
	if m.text.Body == "" {
		return ""
	}
	return WordsOf(m.text.Body)
}

// settle notes what came of a message that was taken on. The note is made even
// where the attempt's time has run out. Who lost the message to another notes
// nothing but success: that is certain whoever knows it.
func (k *Keeper) settle(ctx context.Context, c *channel, taken *document, res result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	sent := res.err == nil && res.failure == nil
	ours := false
	d, err := k.docs.Update(ctx, taken.ID, func(d *document) error {
		if ours = d.Status == Queued && (d.Holder == taken.Holder || sent); !ours {
			return docstore.Unchanged
		}
		k.conclude(d, c.unknown, res, k.now())
		return nil
	})
	if err != nil {
		return err
	}
	if ours {
		k.tell(ctx, c, &d, res)
		k.changed(&d)
	}
	return nil
}

// conclude is what follows from a result.
func (k *Keeper) conclude(d *document, unknown Policy, res result, now time.Time) {
	switch {
	case res.failure != nil:
		k.fail(d, unknown, res, now)
	case res.found:
		if last := d.doubtful(); last != nil { // nil: a later holder asked, too
			last.Outcome = "found"
		}
		d.ProviderRef = res.ref
		k.end(d, Sent, now)
	case res.err == nil:
		d.settleLast("sent")
		d.ProviderRef = res.ref
		k.end(d, Sent, now)
	case errors.Is(res.err, errWaiting):
		d.later(work.BackOff(firstRetry, nextLook, d.Waits), now)
	case errors.Is(res.err, errObsolete):
		k.end(d, Obsolete, now)
	case errors.Is(res.err, errOptedOut):
		k.end(d, OptedOut, now)
	case errors.Is(res.err, errTooOld):
		k.expire(d, now)
	default:
		// A service that is away costs the message no try; what is wrong with
		// the message itself does.
		d.note(Attempt{At: now, Outcome: "not written: " + fault.Of(res.err).Code})
		if !passes(res.err) {
			d.Tries++
		}
		k.again(d, work.BackOff(firstRetry, nextLook, d.Waits), now)
	}
}

// fail is what follows from an attempt that did not succeed.
func (k *Keeper) fail(d *document, unknown Policy, res result, now time.Time) {
	f, most := res.failure, lastRetry
	d.settleLast(f.words())
	switch f.Outcome {
	case Refused:
		k.end(d, Dead, now)
		return
	case Unwanted:
		k.end(d, OptedOut, now)
		return
	case Unreachable:
		most = nextLook
	case Unknown:
		d.Doubts++
		if unknown == Leave {
			k.end(d, Sent, now)
			return
		}
		d.Tries++
	case Deferred:
		if f.After == 0 { // a pause is about the provider's strength, not about the message
			d.Tries++
		}
	}
	wait := max(work.BackOff(firstRetry, most, d.Waits), min(f.After, pauseMost))
	if res.elsewhere {
		wait = 0
	}
	k.again(d, wait, now)
}

// again has a message tried again, if it was not tried too often.
func (k *Keeper) again(d *document, wait time.Duration, now time.Time) {
	if d.Tries >= maxTries || d.Doubts >= maxDoubts {
		k.end(d, Dead, now)
		return
	}
	d.later(wait, now)
	d.seen(now)
}

// passes reports whether an error is somebody's absence, and may be gone soon.
func passes(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.DeadlineExceeded, fault.Exhausted, fault.Canceled:
		return true
	}
	return false
}

// tell counts and logs what came of a message that was taken on.
func (k *Keeper) tell(ctx context.Context, c *channel, d *document, res result) {
	log := k.o.Log.With("notification", d.ID, "kind", d.Kind)
	f := res.failure
	if d.Status != Queued {
		k.ended(d)
	}
	switch {
	case d.Status == Sent:
		c.counts.sent.Add(1)
		if res.found {
			c.counts.found.Add(1)
		}
		log.DebugContext(ctx, "message sent", "messageId", d.MessageID)
	case d.Status == OptedOut:
		c.counts.optedOut.Add(1)
	case d.Status == Dead:
		c.counts.dead.Add(1)
		log.ErrorContext(ctx, "a message is given up; replay it when the cause is gone", "outcome", d.lastOutcome(), "attempts", len(d.Attempts))
	case d.Status == Obsolete && d.lastOutcome() == tooOld:
		c.counts.expired.Add(1)
		log.WarnContext(ctx, "a message has waited until it was of no use", "since", d.CreatedAt)
	case d.Status == Obsolete, errors.Is(res.err, errWaiting):
	case f == nil:
		log.WarnContext(ctx, "a message cannot be written yet", "error", res.err)
	case f.Code == panicked:
		log.ErrorContext(ctx, "a provider's client panicked", "error", f.Err)
	case f.Outcome == Unreachable:
		log.WarnContext(ctx, "a provider cannot be reached or does not let us in; messages wait", "outcome", f.words())
	case f.Outcome == Deferred:
		log.InfoContext(ctx, "a message was put off", "outcome", f.words())
	default:
		log.WarnContext(ctx, "nobody knows whether a message arrived", "outcome", f.words(), "policy", c.unknown)
	}
}

// write asks the owning service what is to be said, and to whom.
func (k *Keeper) write(ctx context.Context, d *document) (Letter, error) {
	write := k.writeAccount
	if d.orderID() != "" {
		write = k.writeOrder
	}
	l, err := write(ctx, d)
	l.MessageID, l.Date = d.MessageID, d.CreatedAt
	return l, err
}
