package docstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"ordergraph/platform/work"
)

const (
	crowdMost   = 128              // changes in one write
	crowdWithin = 15 * time.Second // one such write
)

// A Crowd is a collection whose documents many want to change at once: the
// stock of a thing that everybody wants, a discount code that everybody uses.
// Changes of one document that arrive while it is being written are applied
// one after the other and written once, so that each waits for the disk about
// twice and not once per writer.
//
// A change that answers an error, or Unchanged, must have changed nothing: the
// others of its write stand.
type Crowd[T any] struct {
	docs   *Collection[T]
	around Around[T]

	mu      sync.Mutex
	waiting map[string][]*wish[T] // by id; the key is there while somebody serves it
}

// Around is called for each write of a Crowd with the document as it was; it
// calls apply, which makes the changes and reports whether there were any, and
// may then add what follows from all of them. Like every change it may run
// several times. Its error fails all changes of the write.
type Around[T any] func(doc *T, apply func() bool) error

type wish[T any] struct {
	create bool
	change func(*T) error
	doc    T
	err    error
	done   chan struct{}
}

// NewCrowd is a crowd of writers of the collection; around may be nil.
func NewCrowd[T any](docs *Collection[T], around Around[T]) *Crowd[T] {
	if around == nil {
		around = func(_ *T, apply func() bool) error { apply(); return nil }
	}
	return &Crowd[T]{docs: docs, around: around, waiting: map[string][]*wish[T]{}}
}

// Update is Collection.Update in company. The document that it returns is as
// it was written, with the others' changes, and is shared with them: read it
// only. When ctx ends before the change's turn has come, it is never made.
func (c *Crowd[T]) Update(ctx context.Context, id string, change func(*T) error) (T, error) {
	return c.join(ctx, id, &wish[T]{change: change})
}

// Upsert is Collection.Upsert in company; see Update.
func (c *Crowd[T]) Upsert(ctx context.Context, id string, change func(*T) error) (T, error) {
	return c.join(ctx, id, &wish[T]{create: true, change: change})
}

func (c *Crowd[T]) join(ctx context.Context, id string, w *wish[T]) (T, error) {
	if err := ctx.Err(); err != nil {
		return w.doc, err
	}
	w.done = make(chan struct{})
	c.mu.Lock()
	others, served := c.waiting[id]
	c.waiting[id] = append(others, w)
	c.mu.Unlock()
	if !served {
		// It serves whoever comes meanwhile, and so outlives its first caller;
		// each write has a deadline of its own.
		go c.serve(context.WithoutCancel(ctx), id)
	}
	select {
	case <-w.done:
		return w.doc, w.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	i := slices.Index(c.waiting[id], w)
	if i >= 0 {
		c.waiting[id] = slices.Delete(c.waiting[id], i, i+1)
	}
	c.mu.Unlock()
	if i >= 0 {
		return w.doc, ctx.Err()
	}
	<-w.done // its turn is now: the change must not outlive the call
	return w.doc, w.err
}

// serve grants the wishes for one document until none is left.
func (c *Crowd[T]) serve(ctx context.Context, id string) {
	for {
		c.mu.Lock()
		n := min(len(c.waiting[id]), crowdMost)
		if n == 0 {
			delete(c.waiting, id)
			c.mu.Unlock()
			return
		}
		wishes := slices.Clone(c.waiting[id][:n])
		c.waiting[id] = slices.Delete(c.waiting[id], 0, n)
		c.mu.Unlock()
		c.grant(ctx, id, wishes)
	}
}

func (c *Crowd[T]) grant(ctx context.Context, id string, wishes []*wish[T]) {
	ctx, cancel := context.WithTimeout(ctx, crowdWithin)
	defer cancel()
	write := c.docs.Update
	if slices.ContainsFunc(wishes, func(w *wish[T]) bool { return w.create }) {
		write = c.docs.Upsert
	}
	var doc T
	// A panic is the error of all changes that were to be written together: they
	// are made in a goroutine of nobody's, where it would end the process.
	err := work.Safely(func() (err error) {
		doc, err = write(ctx, id, func(d *T) error {
			changed := false
			err := c.around(d, func() bool {
				for _, w := range wishes {
					if metaOf(d).Version == 0 && !changed && !w.create {
						w.err = c.docs.wrap("update", id, ErrNotFound)
						continue
					}
					switch w.err = w.change(d); {
					case w.err == nil:
						changed = true
					case errors.Is(w.err, Unchanged):
						w.err = nil
					}
				}
				return changed
			})
			if err == nil && !changed {
				return Unchanged
			}
			return err
		})
		return err
	})
	for _, w := range wishes {
		if err != nil { // what was said is void: it may rest on changes that were not made
			w.err = err
		}
		w.doc = doc
		close(w.done)
	}
}
