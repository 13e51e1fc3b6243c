package notification

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
	"ordergraph/platform/work"
)

const (
	sendFor  = 30 * time.Second // one attempt may take, with the questions before it
	leaseFor = 45 * time.Second // one attempt has its message to itself; longer than sendFor

	// maxTries is how often a mail is tried that the provider puts off: with
	// the back-off below, over nine hours.
	maxTries = 20
	// maxDoubts is how many attempts may end unknown. Each may have arrived.
	maxDoubts = 5

	firstRetry = 2 * time.Second // then twice as long each time, up to
	lastRetry  = time.Hour       // where the provider wants this mail later
	nextLook   = time.Minute     // where somebody is away: all mails wait, and go out soon after
)

// backOff is how long to wait after so many failures in a row: half of it
// fixed, half by chance.
func backOff(waits int, most time.Duration) time.Duration {
	d := min(firstRetry<<min(waits, 12), most)
	return d/2 + mathrand.N(d/2)
}

// errNotNow is a message that somebody else is sending, or that is not due.
var errNotNow = errors.New("notification: not now")

// send makes one attempt at a message, if it is due and nobody else's.
func (k *Keeper) send(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	if !k.breaker.admit(k.now()) {
		return nil
	}
	holder := rand.Text()[:12]
	tried, answered := false, false
	defer func() { k.breaker.done(tried, answered, k.now()) }() // after a panic, too

	repeats := 0
	d, err := k.docs.Update(ctx, id, func(d *document) error {
		now := k.now()
		if d.Status != Queued || d.Due == nil || d.Due.After(now) {
			return errNotNow
		}
		repeats = d.Repeats
		d.begin(holder, now)
		return nil
	})
	switch {
	case errors.Is(err, errNotNow), errors.Is(err, docstore.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	if d.Repeats > repeats {
		k.counts.repeated.Add(1)
	}

	var failure *Failure
	letter, err := k.write(ctx, &d)
	if err == nil {
		tried = true
		err = work.Safely(func() error { return k.o.Mailers[0].Send(ctx, letter) })
		if err != nil && !errors.As(err, &failure) {
			failure = &Failure{Outcome: Unreachable, Err: err}
		}
		answered = failure == nil || failure.Outcome != Unreachable
	}
	return k.settle(ctx, id, holder, err, failure)
}

// settle notes what came of an attempt. The note is made even where the
// attempt's time has run out. Who lost the lease notes nothing but success:
// that is certain whoever knows it.
func (k *Keeper) settle(ctx context.Context, id, holder string, err error, failure *Failure) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	ours := false
	d, updateErr := k.docs.Update(ctx, id, func(d *document) error {
		if ours = d.Status == Queued && (d.Holder == holder || err == nil); !ours {
			return docstore.Unchanged
		}
		d.conclude(err, failure, k.now())
		return nil
	})
	if updateErr != nil {
		return updateErr
	}
	if ours {
		k.tell(ctx, &d, err, failure)
	}
	return nil
}

// conclude is what follows from an attempt: sent without err; with a failure
// of the provider; or not written for another reason.
func (d *document) conclude(err error, failure *Failure, now time.Time) {
	if failure == nil {
		switch {
		case err == nil:
			d.settleLast("sent")
			d.end(Sent, now)
		case errors.Is(err, errObsolete):
			d.settleLast("obsolete")
			d.end(Obsolete, now)
		default: // a service that is away costs the message no try
			d.settleLast("not written: " + fault.Of(err).Code)
			d.later(backOff(d.Waits, nextLook), now)
		}
		return
	}
	d.settleLast(failure.words())
	most := lastRetry
	switch failure.Outcome {
	case Deferred:
		d.Tries++
	case Unreachable:
		most = nextLook
	}
	if failure.Outcome == Refused || d.Tries >= maxTries || d.Doubts >= maxDoubts {
		d.end(Dead, now)
		return
	}
	d.later(backOff(d.Waits, most), now)
}

// tell counts and logs what came of an attempt.
func (k *Keeper) tell(ctx context.Context, d *document, err error, failure *Failure) {
	log := k.o.Log.With("notification", d.ID, "kind", d.Kind)
	switch {
	case d.Status == Sent:
		k.counts.sent.Add(1)
		log.DebugContext(ctx, "mail sent", "messageId", d.MessageID)
	case d.Status == Dead:
		k.counts.dead.Add(1)
		log.ErrorContext(ctx, "a mail is given up; replay it when the cause is gone", "outcome", failure.words(), "attempts", len(d.Attempts))
	case failure == nil:
		if err != nil && !errors.Is(err, errObsolete) {
			log.WarnContext(ctx, "a mail cannot be written yet", "error", err)
		}
	case failure.Outcome == Unreachable:
		k.counts.unreachable.Add(1)
		log.WarnContext(ctx, "the mail provider cannot be reached or does not let us in; mails wait", "outcome", failure.words())
	case failure.Outcome == Deferred:
		k.counts.deferred.Add(1)
		log.InfoContext(ctx, "a mail was put off", "outcome", failure.words())
	default:
		log.WarnContext(ctx, "nobody knows whether a mail arrived; it is repeated under the same Message-ID", "outcome", failure.words())
	}
}

// write asks the owning service what is to be said, and to whom.
func (k *Keeper) write(ctx context.Context, d *document) (Letter, error) {
	var l Letter
	err := work.Safely(func() (err error) {
		if d.Subject == OrderSubject(d.Ref) {
			l, err = k.writeOrder(ctx, d)
		} else {
			l, err = k.writeAccount(ctx, d)
		}
		return err
	})
	if err != nil {
		return Letter{}, fmt.Errorf("write %s: %w", d.ID, err)
	}
	l.MessageID, l.Date = d.MessageID, d.CreatedAt
	return l, nil
}
