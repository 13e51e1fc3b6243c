// Package docstorecopy moves a shop's documents from one store to another: to
// a MongoDB server when the shop outgrows its one machine, or back.
package docstorecopy

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
)

var (
	// ErrTarget is a target that has documents which this copy did not bring.
	ErrTarget = fault.New(fault.Conflict, "docstore.copy_target", "The target has documents of its own. Copy into an empty store, or one into which this copy was begun.")
	// ErrRival is a second copy into the same target at the same time.
	ErrRival = fault.New(fault.Conflict, "docstore.copy_rival", "Another copy into this target is running. Wait for it, or end it.")
	// ErrDiffers is a finished copy that is not equal to its source.
	ErrDiffers = fault.New(fault.Conflict, "docstore.copy_differs", "Source and target differ after the copy. Stop everything that writes to either of them; then empty the target and copy again.")
)

// Phase is what Copy is doing.
type Phase string

// The phases of a copy, in their order.
const (
	Counting  Phase = "counting"  // reading the source, to know how much there is
	Copying   Phase = "copying"   // writing what the target does not have
	Verifying Phase = "verifying" // reading the target, to compare it
)

// Progress is told how far Copy has come: done of total documents of the
// collection. While counting, total is not known yet and 0.
type Progress func(collection string, phase Phase, done, total int64)

// Copy brings all collections of from, with their indexes, into the store to.
// Documents keep their versions and stamps, and all their fields. Nothing may
// write to either store meanwhile; Copy notices at the end if something did.
//
// It may be ended at any moment, by whatever means, and started again: it goes
// on where it stopped, as it notes in the target, and neither loses nor
// doubles a document. Started again after it has finished it only compares.
// At last it compares number and contents of the documents of each
// collection: ErrDiffers.
//
// A target that has documents which the copy did not bring is refused before
// anything is written to it: ErrTarget. progress may be nil.
func Copy(ctx context.Context, from, to docstore.Store, progress Progress) error {
	if progress == nil {
		progress = func(string, Phase, int64, int64) {}
	}
	specs, err := from.Collections(ctx)
	if err != nil {
		return fmt.Errorf("copy: source: %w", err)
	}
	places, err := begin(ctx, to)
	if err != nil {
		return fmt.Errorf("copy: target: %w", err)
	}
	for _, spec := range specs {
		if spec.Name == placesSpec.Name {
			continue // of an earlier copy into the source
		}
		c := &copying{spec: spec, places: places, progress: progress}
		if err := c.run(ctx, from, to); err != nil {
			return fmt.Errorf("copy %s: %w", spec.Name, err)
		}
	}
	return nil
}

// A place is how far the copy of one collection has come. It is kept in the
// target, under the collection's name.
type place struct {
	docstore.Meta `bson:",inline"`
	After         string // the id of the last document that is certainly there
	Done          int64  // how many there are up to it
	Finished      bool
}

var placesSpec = docstore.Spec{Name: "docstorecopy"}

// begin returns where the target keeps its places. A target without places
// must be empty.
func begin(ctx context.Context, to docstore.Store) (*docstore.Collection[place], error) {
	specs, err := to.Collections(ctx)
	if err != nil {
		return nil, err
	}
	begun := false
	for _, spec := range specs {
		begun = begun || spec.Name == placesSpec.Name
	}
	var places *docstore.Collection[place]
	if begun {
		if places, err = docstore.Open[place](ctx, to, placesSpec); err != nil {
			return nil, err
		}
	}
	for _, spec := range specs {
		if spec.Name == placesSpec.Name {
			continue
		}
		if begun {
			_, err := places.Get(ctx, spec.Name)
			if err == nil {
				continue
			}
			if !errors.Is(err, docstore.ErrNotFound) {
				return nil, err
			}
		}
		docs, err := to.Documents(ctx, spec)
		if err != nil {
			return nil, err
		}
		some, _, err := docs.Find(ctx, docstore.Query{Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(some) > 0 {
			return nil, fmt.Errorf("%w (in collection %s)", ErrTarget, spec.Name)
		}
	}
	if begun {
		return places, nil
	}
	return docstore.Open[place](ctx, to, placesSpec)
}

// copying is the copy of one collection.
type copying struct {
	spec     docstore.Spec
	places   *docstore.Collection[place]
	progress Progress
	from, to docstore.Documents
	total    int64
}

func (c *copying) run(ctx context.Context, from, to docstore.Store) (err error) {
	if c.from, err = from.Documents(ctx, c.spec); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	want, err := c.read(ctx, c.from, Counting)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	c.total = want.count
	// The place is there before the collection is: a collection without one
	// is somebody else's.
	at, err := c.places.Upsert(ctx, c.spec.Name, func(p *place) error {
		if p.Version > 0 {
			return docstore.Unchanged
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if c.to, err = to.Documents(ctx, c.spec); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if !at.Finished {
		if err := c.resume(ctx, at); err != nil {
			return err
		}
		if at, err = c.bring(ctx, at); err != nil {
			return err
		}
	}
	have, err := c.read(ctx, c.to, Verifying)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if have != want {
		return fmt.Errorf("%w (%d documents in the source, %d in the target)", ErrDiffers, want.count, have.count)
	}
	return nil
}

// resume makes sure that what the target has behind the noted place was
// brought by the batch that was being written when the copy ended.
func (c *copying) resume(ctx context.Context, at place) error {
	return c.each(ctx, c.to, at.After, func(docs []bson.Raw) error {
		ids := make([]string, len(docs))
		for i, doc := range docs {
			ids[i] = doc.Lookup("_id").StringValue()
		}
		originals, err := c.from.Get(ctx, ids...)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		for i, doc := range docs {
			if originals[i] == nil || digest(originals[i]) != digest(doc) {
				return fmt.Errorf("%w (document %q of collection %s is not as in the source)", ErrTarget, ids[i], c.spec.Name)
			}
		}
		return nil
	})
}

// bring copies what comes after the noted place.
func (c *copying) bring(ctx context.Context, at place) (place, error) {
	advance := func(to place) (err error) {
		at, err = c.places.Update(ctx, c.spec.Name, func(p *place) error {
			if p.Version != at.Version {
				return ErrRival
			}
			p.After, p.Done, p.Finished = to.After, to.Done, to.Finished
			return nil
		})
		return err
	}
	c.progress(c.spec.Name, Copying, at.Done, c.total)
	err := c.each(ctx, c.from, at.After, func(docs []bson.Raw) error {
		if err := c.to.Load(ctx, docs); err != nil {
			return fmt.Errorf("target: %w", err)
		}
		last := docs[len(docs)-1].Lookup("_id").StringValue()
		if err := advance(place{After: last, Done: at.Done + int64(len(docs))}); err != nil {
			return err
		}
		c.progress(c.spec.Name, Copying, at.Done, max(at.Done, c.total))
		return nil
	})
	if err == nil {
		err = advance(place{After: at.After, Done: at.Done, Finished: true})
	}
	return at, err
}

// Batches grow and shrink so as to be about batchBytes long.
const (
	batchBytes = 4 << 20
	batchDocs  = 1000
)

// each reads the documents behind the id after, in the order of their ids.
func (c *copying) each(ctx context.Context, docs docstore.Documents, after string, do func([]bson.Raw) error) (err error) {
	q := docstore.Query{Limit: 100}
	if after != "" {
		if q.After, err = cursor(c.spec, q, bson.D{{Key: "_id", Value: after}}); err != nil {
			return err
		}
	}
	for {
		batch, more, err := docs.Find(ctx, q)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return nil
		}
		last := bson.D{{Key: "_id", Value: batch[len(batch)-1].Lookup("_id").StringValue()}}
		size := 0
		for _, doc := range batch {
			size += len(doc)
		}
		if err := do(batch); err != nil || !more {
			return err
		}
		q.Limit = max(1, min(batchDocs, batchBytes/(size/len(batch)+1)))
		if q.After, err = cursor(c.spec, q, last); err != nil {
			return err
		}
	}
}

func cursor(spec docstore.Spec, q docstore.Query, doc bson.D) (docstore.Cursor, error) {
	raw, err := bson.Marshal(doc)
	if err != nil {
		return "", err
	}
	return docstore.CursorAt(spec, q, raw)
}

// read sums up a collection.
func (c *copying) read(ctx context.Context, docs docstore.Documents, phase Phase) (sum, error) {
	var all sum
	err := c.each(ctx, docs, "", func(batch []bson.Raw) error {
		for _, doc := range batch {
			all.add(doc)
		}
		c.progress(c.spec.Name, phase, all.count, c.total)
		return nil
	})
	return all, err
}
