package docstoremongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ordergraph/platform/docstore"
)

type documents struct {
	store *Store
	coll  *mongo.Collection
	spec  docstore.Spec
}

// atOnce is how many documents one command reads by id or writes in bulk.
const atOnce = 1000

// Get returns the documents in the order of the ids.
func (d *documents) Get(ctx context.Context, ids ...string) ([]bson.Raw, error) {
	raws := make([]bson.Raw, len(ids))
	if len(ids) == 1 {
		raw, err := d.get(ctx, ids[0])
		raws[0] = raw
		return raws, err
	}
	found := make(map[string]bson.Raw, len(ids))
	for chunk := range slices.Chunk(ids, atOnce) {
		docs, err := d.find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: chunk}}}}, options.Find())
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			found[doc.Lookup("_id").StringValue()] = doc
		}
	}
	for i, id := range ids {
		raws[i] = found[id]
	}
	return raws, nil
}

// get returns one document, or nil.
func (d *documents) get(ctx context.Context, id string) (doc bson.Raw, err error) {
	return d.getFrom(ctx, d.coll, id)
}

// look is get over connections that have nothing to do with the one on which
// an answer was lost.
func (d *documents) look(ctx context.Context, id string) (doc bson.Raw, err error) {
	db, err := d.store.settling()
	if err != nil {
		return nil, err
	}
	return d.getFrom(ctx, db.Collection(d.spec.Name), id)
}

func (d *documents) getFrom(ctx context.Context, coll *mongo.Collection, id string) (doc bson.Raw, err error) {
	err = d.store.read(ctx, func(ctx context.Context) error {
		doc, err = coll.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Raw()
		return err
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	return doc, err
}

// find runs one find command and returns copies of all its documents.
func (d *documents) find(ctx context.Context, filter bson.D, o *options.FindOptionsBuilder) (docs []bson.Raw, err error) {
	err = d.store.read(ctx, func(ctx context.Context) error {
		docs = nil
		cursor, err := d.coll.Find(ctx, filter, o)
		if err != nil {
			return err
		}
		defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
		for cursor.Next(ctx) {
			docs = append(docs, slices.Clone(cursor.Current))
		}
		return cursor.Err()
	})
	return docs, err
}

// Insert adds one document.
func (d *documents) Insert(ctx context.Context, doc bson.Raw) error {
	id, err := d.check(doc)
	if err != nil {
		return err
	}
	return d.store.write(ctx, "insert into "+d.spec.Name, docstore.ErrExists,
		func(ctx context.Context) error {
			_, err := d.coll.InsertOne(ctx, doc)
			return err
		},
		func(ctx context.Context) (verdict, error) {
			now, err := d.look(ctx, id)
			if now == nil {
				return undone, err
			}
			return outcome(now, doc), nil
		})
}

// Swap replaces the document that has this id and version.
func (d *documents) Swap(ctx context.Context, id string, version int64, doc bson.Raw) error {
	own, err := d.check(doc)
	if err != nil {
		return err
	}
	if own != id {
		return fmt.Errorf("%w (it has another id than the one it replaces)", docstore.ErrDocument.Field("_id"))
	}
	return d.store.write(ctx, "swap in "+d.spec.Name, docstore.ErrStale,
		func(ctx context.Context) error {
			result, err := d.coll.ReplaceOne(ctx, at(id, version), doc)
			if err == nil && result.MatchedCount == 0 {
				return docstore.ErrStale
			}
			return err
		},
		func(ctx context.Context) (verdict, error) {
			now, err := d.look(ctx, id)
			switch {
			case err != nil:
				return unknown, err
			case now == nil:
				return overtaken, nil
			}
			if found := outcome(now, doc); found == done {
				return done, nil
			} else if current, _ := now.Lookup("version").AsInt64OK(); current != version {
				return found, nil
			}
			return undone, nil
		})
}

// Delete removes the document that has this id and version.
func (d *documents) Delete(ctx context.Context, id string, version int64) error {
	return d.store.write(ctx, "delete from "+d.spec.Name, docstore.ErrStale,
		func(ctx context.Context) error {
			result, err := d.coll.DeleteOne(ctx, at(id, version))
			if err == nil && result.DeletedCount == 0 {
				return docstore.ErrStale
			}
			return err
		},
		func(ctx context.Context) (verdict, error) {
			now, err := d.look(ctx, id)
			switch {
			case err != nil:
				return unknown, err
			case now == nil:
				return done, nil // by us, or by somebody who wanted the same
			}
			if current, _ := now.Lookup("version").AsInt64OK(); current != version {
				return overtaken, nil
			}
			return undone, nil
		})
}

func at(id string, version int64) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "version", Value: version}}
}

// outcome says by the document as it is now what became of the write of doc.
func outcome(now, doc bson.Raw) verdict {
	switch wrote, sure := docstore.Wrote(now, doc); {
	case wrote:
		return done
	case sure:
		return overtaken
	}
	return unknown
}

// check is ErrDocument for a document that the collection cannot keep.
func (d *documents) check(doc bson.Raw) (id string, err error) {
	if id, _, err = docstore.Head(doc); err != nil {
		return "", err
	}
	for _, index := range d.spec.Indexes {
		if _, err := index.Values(doc); err != nil {
			return "", err
		}
	}
	return id, nil
}

// Load writes documents in bulk. A write whose answer was lost is done again:
// the last one wins.
func (d *documents) Load(ctx context.Context, docs []bson.Raw) error {
	// A command may be done twice, so no id comes twice in one: then what is
	// done again is done already. And it is ordered, because one document may
	// take the unique key that another before it gives up.
	ids := make([]string, len(docs))
	for i, doc := range docs {
		id, err := d.check(doc)
		if err != nil {
			return err
		}
		ids[i] = id
	}
	var writes []mongo.WriteModel
	within := map[string]bool{}
	for i, doc := range docs {
		if len(writes) == atOnce || within[ids[i]] {
			if err := d.load(ctx, writes); err != nil {
				return err
			}
			writes = writes[:0]
			clear(within)
		}
		within[ids[i]] = true
		writes = append(writes, mongo.NewReplaceOneModel().SetUpsert(true).
			SetFilter(bson.D{{Key: "_id", Value: ids[i]}}).SetReplacement(doc))
	}
	if len(writes) == 0 {
		return nil
	}
	return d.load(ctx, writes)
}

func (d *documents) load(ctx context.Context, writes []mongo.WriteModel) error {
	until, cancel := context.WithTimeout(ctx, d.store.settleWithin)
	defer cancel()
	for try, sent := 1, false; ; try++ {
		err := d.store.once(until, func(ctx context.Context) error {
			_, err := d.coll.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(true))
			return err
		})
		var lost *errLost
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &lost):
			sent = true
		case errors.Is(err, docstore.ErrExists):
			// Two inserted the same id at once: now it is there to be replaced.
		case errors.Is(err, docstore.ErrUnavailable) && sent && until.Err() == nil && !errors.Is(err, errClosed):
		default:
			return err
		}
		if pause(until, try) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w (MongoDB: load into %s: %v)", docstore.ErrUnavailable, d.spec.Name, err)
		}
	}
}
