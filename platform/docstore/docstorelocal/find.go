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

// Find reads one page from one moment's state of the store.
func (c *collection) Find(ctx context.Context, q docstore.Query) (docs []bson.Raw, more bool, err error) {
	leave, err := c.store.enter(ctx)
	if err != nil {
		return nil, false, err
	}
	defer leave()

	c.writers.RLock()
	spec := c.spec
	plan, err := docstore.NewPlan(spec, q)
	var low, high []byte
	var index *index
	if err == nil {
		low, high = c.bounds(plan)
		index = c.index(plan.Index.Name)
	}
	snapshot := c.store.db.NewSnapshot()
	c.writers.RUnlock()
	defer func() { err = errors.Join(err, c.store.fault(snapshot.Close())) }()
	if err != nil {
		return nil, false, err
	}

	it, err := snapshot.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: low, UpperBound: high})
	if err != nil {
		return nil, false, c.store.fault(err)
	}
	defer func() { err = errors.Join(err, c.store.fault(it.Close())) }()

	// What was read must outlive a crash, lest a caller act on a write that
	// is then lost.
	if c.writing.Load() > 0 {
		if err := c.store.settle(); err != nil {
			return nil, false, err
		}
	}
	docs = make([]bson.Raw, 0, min(plan.Limit, 128))
	step := it.Next
	ok := false
	if plan.Reverse {
		step, ok = it.Prev, it.Last()
	} else {
		ok = it.First()
	}
	for ; ok; ok = step() {
		if len(docs) == plan.Limit {
			more = true
			break
		}
		if len(docs)%1000 == 999 && ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, false, c.store.fault(err)
		}
		if index == nil {
			docs = append(docs, append(bson.Raw(nil), value...))
			continue
		}
		doc, err := c.at(snapshot, index, it.Key(), string(value))
		if err != nil {
			return nil, false, err
		}
		docs = append(docs, slices.Clone(doc))
	}
	return docs, more, c.store.fault(it.Error())
}

// at is the document that the index has at this key. The present one will do
// if it is at the same key still, and is in memory more often than not;
// otherwise it is the one of the snapshot's moment.
func (c *collection) at(snapshot *pebble.Snapshot, i *index, key []byte, id string) (bson.Raw, error) {
	place := documentKey(c.number, id)
	doc, err := c.store.readSettled(place)
	if err != nil {
		return nil, err
	}
	if doc != nil {
		if e, ok, err := i.entry(id, doc); err == nil && ok && bytes.Equal(e.key, key) {
			return doc, nil
		}
	}
	if doc, err = read(snapshot, place); err == nil && doc == nil {
		err = fmt.Errorf("%w: index %q names document %q, which is not there", docstore.ErrDamaged, i.Name, id)
	}
	return doc, c.store.fault(err)
}

// bounds are the least key of the plan's range and the least key behind it.
func (c *collection) bounds(plan docstore.Plan) (low, high []byte) {
	prefix := space(spaceDocument, c.number)
	appendBound := func(key []byte, v bson.RawValue) []byte { return append(key, v.StringValue()...) }
	if len(plan.Index.Fields) > 0 {
		prefix = c.index(plan.Index.Name).prefix()
		appendBound = appendValue
	}
	for _, v := range plan.Equal {
		prefix = appendValue(prefix, v)
	}
	prefix = prefix[:len(prefix):len(prefix)]
	low, high = prefix, after(prefix)
	if len(plan.Index.Fields) > 0 {
		// A bound reaches only over values of its own class.
		for _, bound := range []*bson.RawValue{plan.From, plan.Until} {
			if bound != nil {
				from := class(*bound)
				low = larger(low, append(prefix, from))
				high = smaller(high, append(prefix, from+0x10))
			}
		}
	}
	if plan.From != nil {
		low = larger(low, appendBound(prefix, *plan.From))
	}
	if plan.Until != nil {
		high = smaller(high, appendBound(prefix, *plan.Until))
	}
	if plan.After != nil {
		var place []byte
		last := len(plan.After) - 1
		if len(plan.Index.Fields) == 0 {
			place = space(spaceDocument, c.number)
		} else {
			place = c.index(plan.Index.Name).prefix()
			for _, v := range plan.After[:last] {
				place = appendValue(place, v)
			}
		}
		place = append(place, plan.After[last].StringValue()...)
		if plan.Reverse {
			high = smaller(high, place)
		} else {
			low = larger(low, append(place, 0))
		}
	}
	if string(low) > string(high) {
		low = high
	}
	return low, high
}

func larger(a, b []byte) []byte {
	if string(a) > string(b) {
		return a
	}
	return b
}

func smaller(a, b []byte) []byte {
	if string(a) < string(b) {
		return a
	}
	return b
}
