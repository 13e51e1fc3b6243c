package docstoretest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
)

// A Trap stands between a program and its stores and makes reads and writes
// panic, as a defect would that nobody knows of yet.
type Trap struct{ set atomic.Int64 }

// Set makes the next n reads and writes panic.
func (t *Trap) Set(n int) { t.set.Store(int64(n)) }

// Sprung reports whether that has happened.
func (t *Trap) Sprung() bool { return t.set.Load() <= 0 }

// Wrap returns the store with the trap in it.
func (t *Trap) Wrap(store docstore.Store) docstore.Store { return &trappedStore{store, t} }

// Outlived runs workers whose stores have the trap in them, and wants them to
// look at their documents again and again, each time after a panic. It is
// called in a bubble of testing/synctest; a panic that nobody recovers from
// ends the test program.
func (t *Trap) Outlived(tb testing.TB, run func(context.Context) error) {
	tb.Helper()
	ctx, end := context.WithCancel(tb.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = run(ctx) }()
	for n := range 3 {
		t.Set(1)
		time.Sleep(5 * time.Minute)
		if !t.Sprung() {
			tb.Errorf("after %d panics nobody looks at the documents any more", n)
		}
	}
	end()
	<-ended
}

func (t *Trap) step() {
	if t.set.Load() > 0 && t.set.Add(-1) >= 0 {
		panic("a trap")
	}
}

type trappedStore struct {
	docstore.Store
	trap *Trap
}

func (s *trappedStore) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	docs, err := s.Store.Documents(ctx, spec)
	return &trappedDocuments{docs, s.trap}, err
}

type trappedDocuments struct {
	docstore.Documents
	trap *Trap
}

func (d *trappedDocuments) Get(ctx context.Context, ids ...string) ([]bson.Raw, error) {
	d.trap.step()
	return d.Documents.Get(ctx, ids...)
}

func (d *trappedDocuments) Find(ctx context.Context, q docstore.Query) ([]bson.Raw, bool, error) {
	d.trap.step()
	return d.Documents.Find(ctx, q)
}

func (d *trappedDocuments) Insert(ctx context.Context, doc bson.Raw) error {
	d.trap.step()
	return d.Documents.Insert(ctx, doc)
}

func (d *trappedDocuments) Swap(ctx context.Context, id string, version int64, doc bson.Raw) error {
	d.trap.step()
	return d.Documents.Swap(ctx, id, version, doc)
}

func (d *trappedDocuments) Delete(ctx context.Context, id string, version int64) error {
	d.trap.step()
	return d.Documents.Delete(ctx, id, version)
}

func (d *trappedDocuments) Load(ctx context.Context, docs []bson.Raw) error {
	d.trap.step()
	return d.Documents.Load(ctx, docs)
}
