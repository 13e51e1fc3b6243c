package events

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

const (
	firstPatience = 2 * time.Second // until an unconfirmed fact is rung again, unless its listeners are late
	lastPatience  = time.Minute     // at most
	sweepEvery    = time.Second
	queueLength   = 4096 // facts waiting to be rung by this process
	mostRings     = 1024 // in one call to Redis
	worryAfter    = 10   // attempts: then it is logged
	atOnce        = 16   // documents written at once, which share what a write to disk costs
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
	if len(o.Facts) == 0 {
		o.Due = nil
		return
	}
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
	heads  *docstore.Collection[docstore.Partial[head]]  // likewise, only read
	about  func(key string) docstore.Query
	now    func() time.Time
	log    *slog.Logger
	queue  chan Pending
	rung   recent // ids of the facts rung lately
	late   lateness
}

var _ deadletter.Letters = (*Relay[struct{}])(nil)

// boxed is as much of a document as a relay changes.
type boxed struct {
	docstore.Meta `bson:",inline"`
	Outbox        Outbox `bson:"outbox"`
}

// head is as much of a document as says which it is.
type head struct {
	docstore.Meta `bson:",inline"`
}

// NewRelay is a relay of the collection, which declares Index and DeadIndex.
// The topic is the service's name. outbox says where in a document its outbox
// is, which is written as "outbox". The bus knows the relay's dead letters from now on.
func NewRelay[T any](bus *Bus, topic string, docs *docstore.Collection[T], outbox func(*T) *Outbox, o RelayOptions) *Relay[T] {
	r := &Relay[T]{
		bus: bus, topic: topic, docs: docs, outbox: outbox, about: o.About,
		boxes: docstore.PartOf[boxed](docs), heads: docstore.PartOf[head](docs),
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
		work.Part{Name: "confirmations of " + r.topic, Run: r.hearReports})
	return ctx.Err()
}

// flush rings what waits in the queue, as much at once as there is. A ring that
// is lost is made again by the sweep.
func (r *Relay[T]) flush(ctx context.Context) error {
	for {
		var rings []Pending
		select {
		case <-ctx.Done():
			return ctx.Err()
		case p := <-r.queue:
			rings = append(rings, p)
		}
		for more := true; more && len(rings) < mostRings; {
			select {
			case p := <-r.queue:
				rings = append(rings, p)
			default:
				more = false
			}
		}
		_ = r.bus.ring(ctx, r.topic, rings)
		breathe(ctx, len(rings))
	}
}

// Sweep rings all facts that are due. The document notes the attempt first,
// so that of several relays one rings it. Where listeners are late, what is due
// gets more time: it waits its turn, and another ring would only add to what
// they have to do.
func (r *Relay[T]) Sweep(ctx context.Context) error {
	now := r.now()
	until := now.Add(-r.late.extra(now))
	q := docstore.Query{Index: Index().Name, Until: until, Limit: 200}
	for {
		page, err := r.heads.Find(ctx, q)
		if err != nil {
			return err
		}
		boxes := make([]Outbox, len(page.Items)) // in the order of what is due
		_, err = work.Each(ctx, places(len(page.Items)), atOnce, func(i int) error {
			noted := false
			doc, err := r.boxes.Update(ctx, page.Items[i].Part.ID, func(d *docstore.Partial[boxed]) error {
				box := &d.Part.Outbox
				if noted = box.Due != nil && !box.Due.After(until); !noted {
					return docstore.Unchanged // another has rung them, or nobody awaits them
				}
				box.again(r.now())
				return nil
			})
			switch {
			case errors.Is(err, docstore.ErrNotFound):
				return nil
			case err != nil:
				return err
			case noted:
				boxes[i] = doc.Part.Outbox
			}
			return nil
		})
		var rings []Pending
		for _, box := range boxes {
			for _, p := range box.Facts {
				if p.Attempts == worryAfter {
					r.log.WarnContext(ctx, "a fact is not confirmed", "topic", r.topic, "fact", p.Fact.ID, "awaiting", strings.Join(p.Awaiting, " "), "attempts", p.Attempts)
				}
				rings = append(rings, p)
			}
		}
		if err := errors.Join(err, r.bus.ring(ctx, r.topic, rings)); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// places are 0 to n-1, for work.Each.
func places(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
	}
}
