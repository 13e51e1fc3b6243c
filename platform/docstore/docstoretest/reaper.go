package docstoretest

import (
	"context"
	"fmt"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
)

// A Reaper lets a program die at a chosen write. It stands between a program
// and its stores and counts their writes, all together, in the order in which
// they begin. At the chosen one it either never reaches the store or is taken
// and never answered; from then on every store answers ErrUnavailable to
// everything, as if the process were gone. What is in the stores stays:
// restart the program on the stores themselves, and see whether it finishes.
//
//	for n := 1; ; n++ {
//		var reaper docstoretest.Reaper
//		reaper.DieBefore(n)
//		run(reaper.Wrap(orders), reaper.Wrap(stock))
//		if !reaper.Dead() {
//			break // it has fewer than n writes
//		}
//		restart(orders, stock)
//	}
//
// A write is one call of Insert, Swap, Delete or Load, and one of Documents,
// which may create a collection. The zero Reaper only counts.
type Reaper struct {
	mu     sync.Mutex
	writes int
	at     int // the write to die at; 0: never
	taken  bool
	dead   bool
	died   chan struct{}
}

// DieBefore lets the n-th write from now on, counted from 1, not happen.
func (r *Reaper) DieBefore(n int) { r.aim(n, false) }

// DieAfter lets the n-th write from now on happen, but nobody hears of it.
func (r *Reaper) DieAfter(n int) { r.aim(n, true) }

func (r *Reaper) aim(n int, taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.taken = r.writes+n, taken
}

// Writes is how many writes have begun so far, the deadly one included.
func (r *Reaper) Writes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.writes
}

// Dead reports whether the deadly write has come.
func (r *Reaper) Dead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dead
}

// Died is closed when the deadly write comes.
func (r *Reaper) Died() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ending()
}

func (r *Reaper) ending() chan struct{} {
	if r.died == nil {
		r.died = make(chan struct{})
	}
	return r.died
}

// Wrap returns the store as the mortal program sees it. Closing it leaves the
// store itself open.
func (r *Reaper) Wrap(store docstore.Store) docstore.Store { return &mortalStore{r, store} }

// alive is nil until the program has died.
func (r *Reaper) alive() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return fmt.Errorf("%w (the process died at write %d)", docstore.ErrUnavailable, r.at)
	}
	return nil
}

// write does one write, unless it is the one to die before.
func (r *Reaper) write(do func() error) error {
	if err := r.alive(); err != nil {
		return err
	}
	r.mu.Lock()
	r.writes++
	deadly := r.writes == r.at
	if deadly {
		r.dead = true
		close(r.ending())
	}
	happens := !deadly || r.taken
	r.mu.Unlock()
	var err error
	if happens {
		err = do()
	}
	// Whoever was on the way when the program died hears nothing either.
	if died := r.alive(); died != nil {
		return died
	}
	return err
}

type mortalStore struct {
	*Reaper
	store docstore.Store
}

func (s *mortalStore) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	var docs docstore.Documents
	err := s.write(func() (err error) {
		docs, err = s.store.Documents(ctx, spec)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &mortalDocuments{s.Reaper, docs}, nil
}

func (s *mortalStore) Collections(ctx context.Context) ([]docstore.Spec, error) {
	if err := s.alive(); err != nil {
		return nil, err
	}
	return s.store.Collections(ctx)
}

func (s *mortalStore) Ping(ctx context.Context) error {
	if err := s.alive(); err != nil {
		return err
	}
	return s.store.Ping(ctx)
}

func (s *mortalStore) Close() error { return nil }

type mortalDocuments struct {
	*Reaper
	docs docstore.Documents
}

func (d *mortalDocuments) Get(ctx context.Context, ids ...string) ([]bson.Raw, error) {
	if err := d.alive(); err != nil {
		return nil, err
	}
	docs, err := d.docs.Get(ctx, ids...)
	if died := d.alive(); died != nil {
		return nil, died
	}
	return docs, err
}

func (d *mortalDocuments) Find(ctx context.Context, q docstore.Query) ([]bson.Raw, bool, error) {
	if err := d.alive(); err != nil {
		return nil, false, err
	}
	docs, more, err := d.docs.Find(ctx, q)
	if died := d.alive(); died != nil {
		return nil, false, died
	}
	return docs, more, err
}

func (d *mortalDocuments) Insert(ctx context.Context, doc bson.Raw) error {
	return d.write(func() error { return d.docs.Insert(ctx, doc) })
}

func (d *mortalDocuments) Swap(ctx context.Context, id string, version int64, doc bson.Raw) error {
	return d.write(func() error { return d.docs.Swap(ctx, id, version, doc) })
}

func (d *mortalDocuments) Delete(ctx context.Context, id string, version int64) error {
	return d.write(func() error { return d.docs.Delete(ctx, id, version) })
}

func (d *mortalDocuments) Load(ctx context.Context, docs []bson.Raw) error {
	return d.write(func() error { return d.docs.Load(ctx, docs) })
}
