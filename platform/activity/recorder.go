package activity

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

// Options of a Recorder. Store must be given.
type Options struct {
	Store docstore.Store   // the service's own
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: silent
}

const (
	writeEvery  = 2 * time.Second // what was counted since is lost when the process is killed
	writeWithin = 3 * time.Second
	sweepEvery  = 10 * time.Minute
	// mostKinds are counted in a minute; names and labels are a few, and a
	// defect in what they are made of must not fill the memory.
	mostKinds = 100
	// mostWaiting minutes wait for a store that is away.
	mostWaiting = 60
)

// A Recorder counts for one service in one process, and is the Board of all
// processes of that service. Its methods may be called from anywhere at once.
// A nil Recorder counts nothing.
type Recorder struct {
	o       Options
	process string // names this one among all that ever were
	docs    *docstore.Collection[document]
	past    past

	writing sync.Mutex // held while documents are written, so that none is overtaken

	mu      sync.Mutex
	minutes []*minute // those that are not written yet, and the one under way last
	written time.Time // when documents were written last
}

var _ Board = (*Recorder)(nil)

// A minute is what this process has counted in one.
type minute struct {
	at     time.Time
	counts tally
	news   bool // there is more in it than was written
}

// A document is what one process has counted in a minute.
type document struct {
	docstore.Meta `bson:",inline"`
	Minute        time.Time `bson:"minute"`
	Written       time.Time `bson:"written"` // never before Minute
	Counts        []Count   `bson:"counts"`
}

var spec = docstore.Spec{Name: "activity", Indexes: []docstore.Index{{Name: indexWritten, Fields: []string{"written"}}}}

const indexWritten = "written"

// Open opens the service's counts.
func Open(ctx context.Context, o Options) (*Recorder, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	docs, err := docstore.Open[document](ctx, o.Store, spec)
	if err != nil {
		return nil, fmt.Errorf("activity: %w", err)
	}
	return &Recorder{o: o, process: rand.Text(), docs: docs, past: newPast()}, nil
}

// now is to the millisecond, as documents keep it.
func (r *Recorder) now() time.Time { return r.o.Now().UTC().Truncate(time.Millisecond) }

// Count counts that something happened just now. name and label are of a fixed
// few.
func (r *Recorder) Count(name, label string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.cell(kind{name, label}); c != nil {
		c.n++
	}
}

// CountTook is Count of something that took so long.
func (r *Recorder) CountTook(name, label string, took time.Duration) {
	if r == nil {
		return
	}
	place := placeOf(took)
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.cell(kind{name, label}); c != nil {
		c.n++
		c.histogram()[place]++
	}
}

// cell is where this is counted now; nil where there are too many kinds. The
// lock is held.
func (r *Recorder) cell(k kind) *cell {
	now := r.o.Now()
	var m *minute
	if n := len(r.minutes); n > 0 {
		m = r.minutes[n-1]
	}
	if m == nil || now.Sub(m.at) >= time.Minute {
		m = &minute{at: now.UTC().Truncate(time.Minute), counts: tally{}}
		r.minutes = append(r.minutes[max(0, len(r.minutes)-mostWaiting):], m)
	}
	if len(m.counts) >= mostKinds && m.counts[k] == nil {
		return nil
	}
	m.news = true
	return m.counts.cell(k)
}

// Run writes what was counted, and forgets what is older than Kept, until ctx
// ends. Close follows.
func (r *Recorder) Run(ctx context.Context) error {
	work.Keep(ctx, r.o.Log,
		work.Part{Name: "activity's writer", Every: writeEvery, Run: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, writeWithin)
			defer cancel()
			return r.Write(ctx)
		}},
		work.Part{Name: "activity's sweep", Every: sweepEvery, Run: r.Sweep},
	)
	return nil
}

// Close writes what is left, when nobody counts any more.
func (r *Recorder) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
	defer cancel()
	return r.Write(ctx)
}

// Sweep forgets what is older than Kept. Several processes may do so at once.
func (r *Recorder) Sweep(ctx context.Context) error {
	for d, err := range r.docs.All(ctx, docstore.Query{Index: indexWritten, Until: r.now().Add(-Kept - skew)}) {
		if err != nil {
			return err
		}
		if err := r.docs.Delete(ctx, d.ID, nil); err != nil {
			return err
		}
	}
	return nil
}

// Write writes what was counted since it was written last: one write for each
// minute in which something was.
func (r *Recorder) Write(ctx context.Context) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	var news []*minute
	var docs []document
	for _, m := range r.minutes {
		if !m.news {
			continue
		}
		if r.written = latest(r.now(), r.written.Add(time.Millisecond), m.at); len(news) == 0 {
			docs = make([]document, 0, len(r.minutes))
		}
		m.news = false
		news = append(news, m)
		docs = append(docs, document{
			Meta: docstore.Meta{ID: m.at.Format("200601021504") + "/" + r.process}, Minute: m.at, Written: r.written, Counts: m.counts.list(),
		})
	}
	r.mu.Unlock()
	if len(docs) == 0 {
		return nil
	}
	err := r.docs.Load(ctx, docs) // this process alone writes these
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		for _, m := range news {
			m.news = true
		}
		return fmt.Errorf("write what was counted: %w", err)
	}
	for len(r.minutes) > 1 && !r.minutes[0].news {
		r.minutes = r.minutes[1:]
	}
	return nil
}

func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
