package docstorelocal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
)

// collection is one collection as it is open in this process.
type collection struct {
	store   *Store
	number  uint32
	writers sync.RWMutex // held alone while spec and indexes change
	spec    docstore.Spec
	indexes []index
	writing atomic.Int64 // writes not yet durable
	queue   docstore.Queue
}

// Queue is where all writers of a document wait for each other: this process is
// the only one there is. A reader sees the last durable state while a write is
// under way, so whoever did not queue would be sure to lose the swap.
func (c *collection) Queue() *docstore.Queue { return &c.queue }

type index struct {
	docstore.Index `bson:",inline"`
	Number         uint32
}

func (i *index) prefix() []byte { return space(spaceIndex, i.Number) }

func (c *collection) index(name string) *index {
	for i := range c.indexes {
		if c.indexes[i].Name == name {
			return &c.indexes[i]
		}
	}
	return nil
}

// declaration is how a collection stands in the catalog.
type declaration struct {
	Name    string
	Number  uint32
	Indexes []index
}

func (d declaration) spec() docstore.Spec {
	s := docstore.Spec{Name: d.Name}
	for _, i := range d.Indexes {
		s.Indexes = append(s.Indexes, i.Index)
	}
	return s
}

// Documents opens a collection, building the indexes that are new over the
// documents that are there and removing those no longer declared.
func (s *Store) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	if err := spec.Check(); err != nil {
		return nil, err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	s.catalog.Lock()
	defer s.catalog.Unlock()
	c := s.open[spec.Name]
	if c == nil {
		d, found, err := s.declared(spec.Name)
		if err != nil {
			return nil, err
		}
		if !found {
			if d.Number, err = s.next(); err != nil {
				return nil, err
			}
			d.Name = spec.Name
			if err := s.declare(s.db.NewBatch(), d); err != nil {
				return nil, err
			}
		}
		c = &collection{store: s, number: d.Number, spec: d.spec(), indexes: d.Indexes}
		s.open[spec.Name] = c
	}
	return c, c.redeclare(ctx, spec)
}

// redeclare makes the collection's indexes those of spec.
func (c *collection) redeclare(ctx context.Context, spec docstore.Spec) error {
	c.writers.Lock()
	defer c.writers.Unlock()
	spec.Indexes = slices.Clone(spec.Indexes)
	next := declaration{Name: spec.Name, Number: c.number}
	var fresh []index
	for _, want := range spec.Indexes {
		want.Fields = slices.Clone(want.Fields)
		if have := c.index(want.Name); have != nil && have.Unique == want.Unique && slices.Equal(have.Fields, want.Fields) {
			next.Indexes = append(next.Indexes, *have)
			continue
		}
		number, err := c.store.next()
		if err != nil {
			return err
		}
		i := index{Index: want, Number: number}
		fresh, next.Indexes = append(fresh, i), append(next.Indexes, i)
	}
	if len(fresh) == 0 && len(next.Indexes) == len(c.indexes) {
		c.spec, c.indexes = spec, next.Indexes
		return nil
	}
	batch := c.store.db.NewBatch()
	err := c.build(ctx, fresh)
	for _, i := range append(fresh, c.indexes...) {
		dropped := slices.ContainsFunc(fresh, func(f index) bool { return f.Number == i.Number })
		if err == nil {
			dropped = !slices.ContainsFunc(next.Indexes, func(n index) bool { return n.Number == i.Number })
		}
		if dropped {
			err = errors.Join(err, batch.DeleteRange(i.prefix(), after(i.prefix()), nil))
		}
	}
	if err != nil {
		return errors.Join(err, c.store.commit(batch))
	}
	if err := c.store.declare(batch, next); err != nil {
		return err
	}
	c.spec, c.indexes = spec, next.Indexes
	return nil
}

// build writes the entries of the fresh indexes for all documents.
func (c *collection) build(ctx context.Context, fresh []index) (err error) {
	if len(fresh) == 0 {
		return nil
	}
	s := c.store
	documents := space(spaceDocument, c.number)
	it, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: documents, UpperBound: after(documents)})
	if err != nil {
		return s.fault(err)
	}
	defer func() { err = errors.Join(err, s.fault(it.Close())) }()
	batch := s.db.NewIndexedBatch()
	for ok := it.First(); ok; ok = it.Next() {
		doc, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(s.fault(err), batch.Close())
		}
		id := string(it.Key()[len(documents):])
		for i := range fresh {
			e, ok, err := fresh[i].entry(id, doc)
			if err == nil && ok && fresh[i].Unique {
				taken, anyErr := s.any(batch, e.place)
				if err = anyErr; taken {
					err = docstore.ErrDuplicate.With("index", fresh[i].Name)
				}
			}
			if err == nil && ok {
				err = batch.Set(e.key, []byte(id), nil)
			}
			if err != nil {
				return errors.Join(fmt.Errorf("build index %q: document %q: %w", fresh[i].Name, id, err), batch.Close())
			}
		}
		if batch.Len() > 1<<20 {
			if err := errors.Join(s.commit(batch), ctx.Err()); err != nil {
				return err
			}
			batch = s.db.NewIndexedBatch()
		}
	}
	return errors.Join(s.fault(it.Error()), s.commit(batch))
}

// Collections lists the collections that exist, by name.
func (s *Store) Collections(ctx context.Context) ([]docstore.Spec, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	all, err := s.declarations()
	if err != nil {
		return nil, err
	}
	specs := make([]docstore.Spec, len(all))
	for i, d := range all {
		specs[i] = d.spec()
	}
	return specs, nil
}

func (s *Store) declarations() (all []declaration, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceCatalog}, UpperBound: []byte{spaceCatalog + 1}})
	if err != nil {
		return nil, s.fault(err)
	}
	defer func() { err = errors.Join(err, s.fault(it.Close())) }()
	for ok := it.First(); ok; ok = it.Next() {
		raw, err := it.ValueAndErr()
		if err != nil {
			return nil, s.fault(err)
		}
		var d declaration
		if err := bson.Unmarshal(raw, &d); err != nil {
			return nil, s.fault(fmt.Errorf("%w: catalog: %v", docstore.ErrDamaged, err))
		}
		all = append(all, d)
	}
	return all, s.fault(it.Error())
}

func (s *Store) declared(name string) (d declaration, found bool, err error) {
	raw, err := read(s.db, catalogKey(name))
	if raw == nil || err != nil {
		return d, false, s.fault(err)
	}
	if err := bson.Unmarshal(raw, &d); err != nil {
		return d, false, s.fault(fmt.Errorf("%w: catalog: %v", docstore.ErrDamaged, err))
	}
	return d, true, nil
}

// declare commits batch and, with it, the declaration.
func (s *Store) declare(batch *pebble.Batch, d declaration) error {
	raw, err := bson.Marshal(d)
	if err == nil {
		err = batch.Set(catalogKey(d.Name), raw, nil)
	}
	if err != nil {
		return errors.Join(err, batch.Close())
	}
	return s.commit(batch)
}

// next gives a number that was never given before.
func (s *Store) next() (uint32, error) {
	var n uint32
	raw, err := read(s.db, []byte{spaceNext})
	if err != nil {
		return 0, s.fault(err)
	}
	if raw != nil {
		n = binary.BigEndian.Uint32(raw)
	}
	batch := s.db.NewBatch()
	if err := batch.Set([]byte{spaceNext}, binary.BigEndian.AppendUint32(nil, n+1), nil); err != nil {
		return 0, errors.Join(err, batch.Close())
	}
	return n + 1, s.commit(batch)
}

// sweep removes what an index build that was interrupted has left behind.
func (s *Store) sweep() error {
	all, err := s.declarations()
	if err != nil {
		return err
	}
	var used []uint32
	for _, d := range all {
		for _, i := range d.Indexes {
			used = append(used, i.Number)
		}
	}
	slices.Sort(used)
	low := space(spaceIndex, 0)
	for _, n := range append(used, 1<<32-1) {
		high := space(spaceIndex, n)
		it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: low, UpperBound: high})
		if err != nil {
			return s.fault(err)
		}
		left := it.First()
		if err := errors.Join(it.Error(), it.Close()); err != nil {
			return s.fault(err)
		}
		if left {
			batch := s.db.NewBatch()
			if err := batch.DeleteRange(low, high, nil); err != nil {
				return errors.Join(err, batch.Close())
			}
			if err := s.commit(batch); err != nil {
				return err
			}
		}
		low = after(high)
	}
	return nil
}
