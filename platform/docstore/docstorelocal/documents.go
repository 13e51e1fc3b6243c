package docstorelocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
)

// entry is a document's place in one index.
type entry struct {
	index *index
	key   []byte // with the id
	place []byte // without: what must be there once if the index is unique
}

// entries are the places of doc in the collection's indexes.
func (c *collection) entries(id string, doc bson.Raw) ([]entry, error) {
	all := make([]entry, 0, len(c.indexes))
	for i := range c.indexes {
		e, ok, err := c.indexes[i].entry(id, doc)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, e)
		}
	}
	return all, nil
}

func (i *index) entry(id string, doc bson.Raw) (e entry, ok bool, err error) {
	values, err := i.Values(doc)
	if values == nil || err != nil {
		return entry{}, false, err
	}
	key := i.prefix()
	for _, v := range values {
		key = appendValue(key, v)
	}
	place := len(key)
	key = append(key, id...)
	return entry{index: i, key: key, place: key[:place:place]}, true, nil
}

// Get returns the documents in the order of the ids, nil where there is none.
func (c *collection) Get(ctx context.Context, ids ...string) ([]bson.Raw, error) {
	leave, err := c.store.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	docs := make([]bson.Raw, len(ids))
	for i, id := range ids {
		doc, err := c.store.readSettled(documentKey(c.number, id))
		if err != nil {
			return nil, err
		}
		docs[i] = slices.Clone(doc)
		if i%1000 == 999 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return docs, nil
}

// Insert adds one document, or answers ErrExists or ErrDuplicate.
func (c *collection) Insert(ctx context.Context, doc bson.Raw) error {
	id, _, err := docstore.Head(doc)
	if err != nil {
		return err
	}
	return c.change(ctx, id, doc, func(old bson.Raw) error {
		if old != nil {
			return docstore.ErrExists
		}
		return nil
	})
}

// Swap replaces the document that has this id and version, or answers
// ErrStale or ErrDuplicate.
func (c *collection) Swap(ctx context.Context, id string, version int64, doc bson.Raw) error {
	if newID, _, err := docstore.Head(doc); err != nil {
		return err
	} else if newID != id {
		return fmt.Errorf("%w (its id would change from %q to %q)", docstore.ErrDocument.Field("_id"), id, newID)
	}
	return c.change(ctx, id, doc, isVersion(version))
}

// Delete removes the document that has this id and version, or answers ErrStale.
func (c *collection) Delete(ctx context.Context, id string, version int64) error {
	return c.change(ctx, id, nil, isVersion(version))
}

// Load writes documents in bulk, whatever was under their ids before.
func (c *collection) Load(ctx context.Context, docs []bson.Raw) error {
	leave, err := c.store.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for len(docs) > 0 {
		n, err := c.loadSome(docs)
		if err != nil {
			return err
		}
		docs = docs[n:]
		if err := ctx.Err(); err != nil && len(docs) > 0 {
			return err
		}
	}
	return nil
}

// loadSome writes the first few hundred documents with one fsync. It has the
// collection to itself meanwhile, and so needs no locks on keys.
func (c *collection) loadSome(docs []bson.Raw) (n int, err error) {
	c.writers.Lock()
	defer c.writers.Unlock()
	batch := c.store.db.NewIndexedBatch()
	keys := make([][]byte, 0, 256)
	for _, doc := range docs {
		id, _, err := docstore.Head(doc)
		if err == nil {
			key := documentKey(c.number, id)
			keys = append(keys, key)
			var old bson.Raw
			if old, err = read(batch, key); err == nil {
				err = c.stage(batch, batch, id, key, old, doc)
			}
			err = c.store.fault(err)
		}
		if err != nil {
			return 0, errors.Join(fmt.Errorf("document %q: %w", id, err), batch.Close())
		}
		if len(keys) == cap(keys) || batch.Len() > 1<<20 {
			break
		}
	}
	return len(keys), c.commit(batch, keys, docs[:len(keys)])
}

func isVersion(version int64) func(bson.Raw) error {
	return func(old bson.Raw) error {
		if old == nil {
			return docstore.ErrStale
		}
		if v, ok := old.Lookup("version").AsInt64OK(); !ok || v != version {
			return docstore.ErrStale
		}
		return nil
	}
}

// change puts doc in the place of what is under id, or removes that if doc is
// nil, provided that allowed agrees with the present document (nil if there is
// none). It returns when the change is durable.
func (c *collection) change(ctx context.Context, id string, doc bson.Raw, allowed func(old bson.Raw) error) error {
	leave, err := c.store.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	c.writers.RLock() // holds off index builds
	defer c.writers.RUnlock()

	key := documentKey(c.number, id)
	locks := [][]byte{key}
	for i := range c.indexes {
		if doc != nil && c.indexes[i].Unique {
			e, _, err := c.indexes[i].entry(id, doc)
			if err != nil {
				return err
			}
			locks = append(locks, e.place)
		}
	}
	defer c.store.stripes.lock(locks...)()

	old, err := c.store.read(key)
	if err != nil {
		return err
	}
	if err := allowed(old); err != nil {
		return err
	}
	batch := c.store.db.NewBatch()
	if err := c.stage(batch, c.store.db, id, key, old, doc); err != nil {
		return errors.Join(err, batch.Close())
	}
	return c.commit(batch, [][]byte{key}, []bson.Raw{doc})
}

// stage puts into batch what turns old into doc, index entries included. It
// looks for unique keys in present.
func (c *collection) stage(batch *pebble.Batch, present pebble.Reader, id string, key []byte, old, doc bson.Raw) error {
	var before, now []entry
	var err error
	if old != nil {
		if before, err = c.entries(id, old); err != nil {
			return fmt.Errorf("%w: document %q as stored: %v", docstore.ErrDamaged, id, err)
		}
	}
	if doc == nil {
		err = batch.Delete(key, nil)
	} else if now, err = c.entries(id, doc); err == nil {
		err = batch.Set(key, doc, nil)
	}
	if err != nil {
		return err
	}
	has := func(list []entry, key []byte) bool {
		return slices.ContainsFunc(list, func(e entry) bool { return bytes.Equal(e.key, key) })
	}
	for _, e := range before {
		if !has(now, e.key) {
			if err := batch.Delete(e.key, nil); err != nil {
				return err
			}
		}
	}
	for _, e := range now {
		if has(before, e.key) {
			continue
		}
		if e.index.Unique {
			if taken, err := c.store.any(present, e.place); err != nil {
				return err
			} else if taken {
				return docstore.ErrDuplicate.With("index", e.index.Name)
			}
		}
		if err := batch.Set(e.key, []byte(id), nil); err != nil {
			return err
		}
	}
	return nil
}

// any reports whether there is a key that starts with prefix.
func (s *Store) any(r pebble.Reader, prefix []byte) (bool, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return false, s.fault(err)
	}
	found := it.First()
	return found, s.fault(errors.Join(it.Error(), it.Close()))
}
