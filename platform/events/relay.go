package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

const (
	firstPatience = 2 * time.Second // until an unconfirmed fact is rung again
	lastPatience  = time.Minute     // at most
	sweepEvery    = time.Second
	queueLength   = 4096 // facts waiting to be rung by this process
	worryAfter    = 10   // attempts: then it is logged
	mostReports   = 4 * readCount
	gatherFor     = 50 * time.Millisecond // confirmations are gathered; far shorter than firstPatience
)

// Add puts a fact into the outbox, for the groups that are to confirm it.
// Without listeners there is nothing to keep.
func (o *Outbox) Add(now time.Time, f Fact, listeners ...string) {
	if len(listeners) == 0 {
		return
	}
	o.Facts = append(o.Facts, Pending{Fact: f, Awaiting: slices.Clone(listeners)})
	due := now.Add(firstPatience)
	if o.Due == nil || due.Before(*o.Due) {
		o.Due = &due
	}
}

// AddLatest is Add for facts of which only the latest of a key matters: what
// is still there of this type and key goes, so that an outbox whose listeners
// are away does not grow. The dead go as well: the new one says all they said.
func (o *Outbox) AddLatest(now time.Time, f Fact, listeners ...string) {
	o.Facts = slices.DeleteFunc(o.Facts, func(p Pending) bool { return p.Fact.Type == f.Type && p.Fact.Key == f.Key })
	if len(o.Facts) == 0 {
		o.Facts, o.Due = nil, nil
	}
	o.bury(slices.DeleteFunc(o.Dead, func(d Dead) bool { return d.Fact.Type == f.Type && d.Fact.Key == f.Key }))
	o.Add(now, f, listeners...)
}

// Confirm notes that a group has taken the effect of a fact, and reports
// whether that was news. A fact that all have confirmed leaves the outbox.
func (o *Outbox) Confirm(factID, group string) bool {
	i, j := o.awaited(factID, group)
	if j < 0 {
		return o.exhume(factID, group) // it took it at last
	}
	o.settle(i, j)
	return true
}

// awaited says where the fact is, and the group among those it awaits; -1
// where they are not.
func (o *Outbox) awaited(factID, group string) (fact, awaiting int) {
	i := slices.IndexFunc(o.Facts, func(p Pending) bool { return p.Fact.ID == factID })
	if i < 0 {
		return -1, -1
	}
	return i, slices.Index(o.Facts[i].Awaiting, group)
}

// settle has a fact await a group no more.
func (o *Outbox) settle(fact, awaiting int) {
	p := &o.Facts[fact]
	p.Failing = slices.DeleteFunc(p.Failing, func(f Failing) bool { return f.Group == p.Awaiting[awaiting] })
	p.Awaiting = slices.Delete(p.Awaiting, awaiting, awaiting+1)
	if len(p.Awaiting) == 0 {
		o.Facts = slices.Delete(o.Facts, fact, fact+1)
	}
	if len(o.Facts) == 0 {
		o.Facts, o.Due = nil, nil
	}
}

// again notes that every fact is rung once more, and when the next time is.
func (o *Outbox) again(now time.Time) {
	most := 0
	for i := range o.Facts {
		o.Facts[i].Attempts++
		most = max(most, o.Facts[i].Attempts)
	}
	due := now.Add(work.BackOff(firstPatience, lastPatience, most))
	o.Due = &due
}

// RelayOptions change how a relay works.
type RelayOptions struct {
	Now   func() time.Time                // nil: time.Now
	Log   *slog.Logger                    // nil: silent
	About func(key string) docstore.Query // which documents are about a key; nil: the one whose id it is
}

// A Relay rings the facts in the outboxes of one collection until their
// listeners have confirmed them. Several processes may relay one collection.
type Relay[T any] struct {
	bus    *Bus
	topic  string
	docs   *docstore.Collection[T]
	outbox func(*T) *Outbox
	boxes  *docstore.Collection[docstore.Partial[boxed]] // the same documents
	about  func(key string) docstore.Query
	now    func() time.Time
	log    *slog.Logger
	queue  chan Pending
	rung   recent // ids of the facts rung lately
}

var _ deadletter.Letters = (*Relay[struct{}])(nil)

// boxed is as much of a document as a relay changes.
type boxed struct {
	docstore.Meta `bson:",inline"`
	Outbox        Outbox `bson:"outbox"`
}

// NewRelay is a relay of the collection, which declares Index and DeadIndex.
// The topic is the service's name. outbox says where in a document its outbox
// is, which is written as "outbox". The bus knows the relay's dead letters from now on.
func NewRelay[T any](bus *Bus, topic string, docs *docstore.Collection[T], outbox func(*T) *Outbox, o RelayOptions) *Relay[T] {
	r := &Relay[T]{
		bus: bus, topic: topic, docs: docs, outbox: outbox, boxes: docstore.PartOf[boxed](docs), about: o.About,
		now: o.Now, log: o.Log, queue: make(chan Pending, queueLength),
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	bus.know(topic, r)
	return r
}

// Ring has the document's facts rung as soon as may be; call it after the
// write that put them there. It never waits: where too many are waiting
// already, the sweep rings them later.
func (r *Relay[T]) Ring(doc *T) {
	for _, p := range r.outbox(doc).Facts {
		if p.Attempts > 0 || !r.rung.add(p.Fact.ID) {
			continue // rung before, and due again by itself: a document that changes quickly still has it
		}
		select {
		case r.queue <- p:
		default:
			return
		}
	}
}

// Run rings, sweeps and takes confirmations until ctx ends.
func (r *Relay[T]) Run(ctx context.Context) error {
	work.Keep(ctx, r.log,
		work.Part{Name: "ringing of " + r.topic, Run: r.flush},
		work.Part{Name: "sweep of " + r.topic, Every: sweepEvery, Run: r.Sweep},
		work.Part{Name: "confirmations of " + r.topic, Run: r.hearConfirmations})
	return ctx.Err()
}

// flush rings what waits in the queue, as much at once as there is.
func (r *Relay[T]) flush(ctx context.Context) error {
	for {
		var rings []Pending
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-r.queue:
			rings = append(rings, p)
		}
		for more := true; more && len(rings) < 256; {
			select {
			case p := <-r.queue:
				rings = append(rings, p)
			default:
				more = false
			}
		}
		// A ring that is lost is made again by the sweep.
		if err := r.bus.ring(ctx, r.topic, rings); err != nil {
			work.Pause(ctx, 50*time.Millisecond)
		}
	}
}

// Sweep rings all facts that are due. The document notes the attempt first,
// so that of several relays one rings it.
func (r *Relay[T]) Sweep(ctx context.Context) error {
	q := docstore.Query{Index: Index().Name, Until: r.now(), Limit: 200}
	for {
		page, err := r.boxes.Find(ctx, q)
		if err != nil {
			return err
		}
		var rings []Pending
		for i := range page.Items {
			if len(page.Items[i].Part.Outbox.Facts) == 0 {
				continue
			}
			doc, err := r.boxes.Update(ctx, page.Items[i].Part.ID, func(d *docstore.Partial[boxed]) error {
				box := &d.Part.Outbox
				if box.Due == nil || box.Due.After(r.now()) {
					return docstore.Unchanged
				}
				box.again(r.now())
				return nil
			})
			if errors.Is(err, docstore.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			for _, p := range doc.Part.Outbox.Facts {
				if p.Attempts == worryAfter {
					r.log.WarnContext(ctx, "a fact is not confirmed", "topic", r.topic, "fact", p.Fact.ID, "awaiting", strings.Join(p.Awaiting, " "), "attempts", p.Attempts)
				}
				rings = append(rings, p)
			}
		}
		if err := r.bus.ring(ctx, r.topic, rings); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// hearConfirmations takes facts that were confirmed out of their outboxes. A
// confirmation that gets lost here is made again, for the fact is rung again.
func (r *Relay[T]) hearConfirmations(ctx context.Context) error {
	const group = "relay"
	client, done := dedicated(ctx, r.bus.client)
	defer done()
	stream := confirmations(r.topic)
	trouble := trouble{bus: r.bus}
	defer trouble.over(ctx)
	read := func(block time.Duration) ([]redis.XMessage, error) {
		results, err := client.XReadGroup(ctx, &redis.XReadGroupArgs{
			Group: group, Consumer: consumer, Streams: []string{stream, ">"}, Count: mostReports, Block: block, NoAck: true,
		}).Result()
		if err != nil || len(results) == 0 {
			return nil, err
		}
		return results[0].Messages, nil
	}
	for ctx.Err() == nil {
		messages, err := read(blockFor)
		if err == nil && len(messages) < mostReports {
			// The listeners of one fact take it at about the same time: what
			// they say is noted in one write.
			work.Pause(ctx, gatherFor)
			more, _ := read(-1)
			messages = append(messages, more...)
		}
		switch {
		case errors.Is(err, redis.Nil):
			trouble.over(ctx)
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && strings.HasPrefix(err.Error(), "NOGROUP"):
			if err := client.XGroupCreateMkStream(ctx, stream, group, "0").Err(); err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
				work.Pause(ctx, 50*time.Millisecond)
			}
			continue
		case err != nil:
			trouble.wait(ctx, err)
			continue
		}
		trouble.over(ctx)
		if err := r.confirm(ctx, messages); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "confirmations could not be noted; their facts are rung again", "topic", r.topic, "error", err)
			work.Pause(ctx, 100*time.Millisecond)
		}
	}
	return ctx.Err()
}

// confirm notes a batch of confirmations and failures, each document in one
// write.
func (r *Relay[T]) confirm(ctx context.Context, messages []redis.XMessage) error {
	type report struct{ fact, group, failure string }
	byDoc := map[string][]report{}
	for _, m := range messages {
		doc, _ := m.Values["doc"].(string)
		fact, _ := m.Values["fact"].(string)
		group, _ := m.Values["group"].(string)
		failure, _ := m.Values["failed"].(string)
		byDoc[doc] = append(byDoc[doc], report{fact, group, failure})
	}
	var errs []error
	for doc, reports := range byDoc {
		var died []Dead
		_, err := r.boxes.Update(ctx, doc, func(d *docstore.Partial[boxed]) error {
			box, news := &d.Part.Outbox, false
			died = died[:0]
			for _, c := range reports {
				switch {
				case c.failure == "":
					news = box.Confirm(c.fact, c.group) || news
				case box.fail(r.now(), c.fact, c.group, c.failure):
					news = true
					if n := len(box.Dead); n > 0 && box.Dead[n-1].Fact.ID == c.fact && box.Dead[n-1].Group == c.group {
						died = append(died, box.Dead[n-1])
					}
				}
			}
			if !news {
				return docstore.Unchanged
			}
			return nil
		})
		if err != nil && !errors.Is(err, docstore.ErrNotFound) {
			errs = append(errs, fmt.Errorf("confirm %s: %w", doc, err))
			continue
		}
		for _, d := range died {
			r.bus.figures.died.WithLabelValues(r.topic, d.Group).Inc()
			r.log.ErrorContext(ctx, "a fact is given up; replay it when the cause is gone", "topic", r.topic, "fact", d.Fact.ID,
				"listener", d.Group, "outcome", d.Attempts[len(d.Attempts)-1].Outcome)
		}
	}
	return errors.Join(errs...)
}
