package docstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Meta is what every document carries. Embed it with `bson:",inline"`.
type Meta struct {
	ID      string `bson:"_id"`
	Version int64  `bson:"version"` // 1 at first, one more at every change
	Stamp   string `bson:"stamp"`   // names the writes that made this version and the last ones before
}

func (m *Meta) meta() *Meta { return m }

type document interface{ meta() *Meta }

func metaOf[T any](doc *T) *Meta { return any(doc).(document).meta() }

// A Collection keeps documents of type T, a struct that embeds Meta.
type Collection[T any] struct {
	docs  Documents
	spec  Spec
	queue *Queue
}

// Open opens the collection that spec declares in the store.
func Open[T any](ctx context.Context, store Store, spec Spec) (*Collection[T], error) {
	if _, ok := any(new(T)).(document); !ok {
		panic(fmt.Sprintf("docstore: %T does not embed docstore.Meta", *new(T)))
	}
	docs, err := store.Documents(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("open collection %s: %w", spec.Name, err)
	}
	queue := &Queue{}
	if shared, ok := docs.(Queued); ok {
		queue = shared.Queue()
	}
	return &Collection[T]{docs: docs, spec: spec, queue: queue}, nil
}

// Get returns the document, or ErrNotFound.
func (c *Collection[T]) Get(ctx context.Context, id string) (T, error) {
	var doc T
	raws, err := c.docs.Get(ctx, id)
	if err != nil {
		return doc, c.wrap("get", id, err)
	}
	if raws[0] == nil {
		return doc, c.wrap("get", id, ErrNotFound)
	}
	err = bson.Unmarshal(raws[0], &doc)
	return doc, c.wrap("decode", id, err)
}

// GetMany returns the documents that exist among ids, by id.
func (c *Collection[T]) GetMany(ctx context.Context, ids []string) (map[string]T, error) {
	found := make(map[string]T, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	raws, err := c.docs.Get(ctx, ids...)
	if err != nil {
		return nil, c.wrap("get", "many", err)
	}
	for i, raw := range raws {
		if raw == nil {
			continue
		}
		var doc T
		if err := bson.Unmarshal(raw, &doc); err != nil {
			return nil, c.wrap("decode", ids[i], err)
		}
		found[ids[i]] = doc
	}
	return found, nil
}

// Insert adds a document, or answers ErrExists or ErrDuplicate. It sets the
// document's version to 1.
func (c *Collection[T]) Insert(ctx context.Context, doc *T) error {
	m := metaOf(doc)
	m.Version, m.Stamp = 1, stampAfter("")
	raw, err := bson.Marshal(doc)
	if err != nil {
		return c.wrap("encode", m.ID, err)
	}
	return c.wrap("insert", m.ID, c.docs.Insert(ctx, raw))
}

// Unchanged is what a change returns to end Update or Upsert without a write
// and without an error.
var Unchanged = errors.New("docstore: unchanged")

// Update applies change to the document and writes it, so that no other
// change comes between. It returns the document as it then is. An error of
// change is returned as it is, and nothing is written; ErrNotFound if there
// is no document. change may run several times, each time on a fresh copy.
func (c *Collection[T]) Update(ctx context.Context, id string, change func(*T) error) (T, error) {
	return c.update(ctx, id, false, change)
}

// Upsert is Update, except that a document which does not exist is given to
// change empty but for its id, with version 0, and inserted.
func (c *Collection[T]) Upsert(ctx context.Context, id string, change func(*T) error) (T, error) {
	return c.update(ctx, id, true, change)
}

const maxSwaps = 40

func (c *Collection[T]) update(ctx context.Context, id string, create bool, change func(*T) error) (T, error) {
	// Writers of one document in this process wait for each other here
	// instead of fighting over its version.
	var none T
	leave, err := c.queue.enter(ctx, id)
	if err != nil {
		return none, c.wrap("update", id, err)
	}
	defer leave()

	for attempt := range maxSwaps {
		if attempt > 0 {
			if err := backOff(ctx, attempt); err != nil {
				return none, c.wrap("update", id, err)
			}
		}
		raws, err := c.docs.Get(ctx, id)
		if err != nil {
			return none, c.wrap("update", id, err)
		}
		var doc T
		m := metaOf(&doc)
		switch {
		case raws[0] != nil:
			if err := bson.Unmarshal(raws[0], &doc); err != nil {
				return none, c.wrap("decode", id, err)
			}
		case create:
			m.ID = id
		default:
			return none, c.wrap("update", id, ErrNotFound)
		}
		version, stamp := m.Version, m.Stamp
		if err := change(&doc); errors.Is(err, Unchanged) {
			return doc, nil
		} else if err != nil {
			return none, err
		}
		m.ID, m.Version, m.Stamp = id, version+1, stampAfter(stamp)
		raw, err := bson.Marshal(&doc)
		if err != nil {
			return none, c.wrap("encode", id, err)
		}
		if version == 0 {
			err = c.docs.Insert(ctx, raw)
		} else {
			err = c.docs.Swap(ctx, id, version, raw)
		}
		switch {
		case err == nil:
			return doc, nil
		case errors.Is(err, ErrStale), version == 0 && errors.Is(err, ErrExists):
			continue
		default:
			return none, c.wrap("update", id, err)
		}
	}
	return none, c.wrap("update", id, ErrContended)
}

// Delete removes the document if condition, given its present state, is nil;
// otherwise it returns condition's error. A nil condition always agrees. A
// document that does not exist is deleted already: no error.
func (c *Collection[T]) Delete(ctx context.Context, id string, condition func(*T) error) error {
	leave, err := c.queue.enter(ctx, id)
	if err != nil {
		return c.wrap("delete", id, err)
	}
	defer leave()
	for attempt := range maxSwaps {
		if attempt > 0 {
			if err := backOff(ctx, attempt); err != nil {
				return c.wrap("delete", id, err)
			}
		}
		doc, err := c.Get(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if condition != nil {
			if err := condition(&doc); err != nil {
				return err
			}
		}
		if err := c.docs.Delete(ctx, id, metaOf(&doc).Version); !errors.Is(err, ErrStale) {
			return c.wrap("delete", id, err)
		}
	}
	return c.wrap("delete", id, ErrContended)
}

// A Page is a stretch of a query's documents.
type Page[T any] struct {
	Items []T
	Next  Cursor // for Query.After; "" when there are no more
}

// Find reads one page of the query.
func (c *Collection[T]) Find(ctx context.Context, q Query) (Page[T], error) {
	raws, more, err := c.docs.Find(ctx, q)
	if err != nil {
		return Page[T]{}, c.wrap("find by", q.Index, err)
	}
	page := Page[T]{Items: make([]T, len(raws))}
	for i, raw := range raws {
		if err := bson.Unmarshal(raw, &page.Items[i]); err != nil {
			return Page[T]{}, c.wrap("decode", q.Index, err)
		}
	}
	if more {
		if page.Next, err = CursorAt(c.spec, q, raws[len(raws)-1]); err != nil {
			return Page[T]{}, c.wrap("find by", q.Index, err)
		}
	}
	return page, nil
}

// CursorAt is the cursor just behind doc in the query's order, for pages that
// end elsewhere than Find's.
func (c *Collection[T]) CursorAt(q Query, doc *T) (Cursor, error) {
	raw, err := bson.Marshal(doc)
	if err != nil {
		return "", c.wrap("encode", metaOf(doc).ID, err)
	}
	return CursorAt(c.spec, q, raw)
}

// All reads the query's documents from q.After to the end, page by page. It
// stops at the first error, which is then the last pair.
func (c *Collection[T]) All(ctx context.Context, q Query) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			page, err := c.Find(ctx, q)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, doc := range page.Items {
				if !yield(doc, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.After = page.Next
		}
	}
}

// Load writes documents in bulk, whatever was under their ids before: for
// imports, where the last one wins. Documents without a version get 1.
func (c *Collection[T]) Load(ctx context.Context, docs []T) error {
	raws := make([]bson.Raw, len(docs))
	for i := range docs {
		m := metaOf(&docs[i])
		m.Version, m.Stamp = max(m.Version, 1), stampAfter("")
		raw, err := bson.Marshal(&docs[i])
		if err != nil {
			return c.wrap("encode", m.ID, err)
		}
		raws[i] = raw
	}
	return c.wrap("load", fmt.Sprintf("%d documents", len(docs)), c.docs.Load(ctx, raws))
}

func (c *Collection[T]) wrap(what, which string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s %s: %w", c.spec.Name, what, which, err)
}

// backOff waits before another swap: up to 1 ms at first, up to 64 ms later,
// evenly spread, so that rivals in other processes part.
func backOff(ctx context.Context, attempt int) error {
	most := time.Millisecond << min(attempt, 6)
	t := time.NewTimer(rand.N(most))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
