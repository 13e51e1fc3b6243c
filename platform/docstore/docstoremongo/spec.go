package docstoremongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"ordergraph/platform/docstore"
)

// specsName is the collection that says which collections there are, and
// which of their indexes were declared. Others that somebody has added on the
// server are left alone.
const specsName = "_specs"

type specDoc struct {
	Name    string     `bson:"_id"`
	Indexes []indexDoc `bson:"indexes"`
}

type indexDoc struct {
	Name   string   `bson:"name"`
	Fields []string `bson:"fields"`
	Unique bool     `bson:"unique"`
}

func (d specDoc) spec() docstore.Spec {
	s := docstore.Spec{Name: d.Name}
	for _, i := range d.Indexes {
		s.Indexes = append(s.Indexes, docstore.Index(i))
	}
	return s
}

func specDocOf(s docstore.Spec) specDoc {
	d := specDoc{Name: s.Name, Indexes: []indexDoc{}}
	for _, i := range s.Indexes {
		d.Indexes = append(d.Indexes, indexDoc{i.Name, slices.Clone(i.Fields), i.Unique})
	}
	return d
}

// Collections lists the collections that were opened in this database, by name.
func (s *Store) Collections(ctx context.Context) ([]docstore.Spec, error) {
	var all []specDoc
	err := s.read(ctx, func(ctx context.Context) error {
		cursor, err := s.db.Collection(specsName).Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
		if err != nil {
			return err
		}
		return cursor.All(ctx, &all)
	})
	if err != nil {
		return nil, fmt.Errorf("list the collections: %w", err)
	}
	specs := make([]docstore.Spec, len(all))
	for i, d := range all {
		specs[i] = d.spec()
	}
	return specs, nil
}

// Documents opens a collection and makes its indexes those of spec. Several
// copies of a service may do so at once.
func (s *Store) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	if err := spec.Check(); err != nil {
		return nil, err
	}
	if spec.Name == specsName {
		return nil, fmt.Errorf("%w: %q is kept for the store itself", docstore.ErrSpec, spec.Name)
	}
	spec = specDocOf(spec).spec() // a copy that nobody else changes
	d := &documents{store: s, coll: s.db.Collection(spec.Name), spec: spec}
	until := time.Now().Add(s.settleWithin)
	for try := 1; ; try++ {
		err := d.declare(ctx)
		var lost *errLost
		var server mongo.ServerError
		switch {
		case err == nil:
			return d, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("declare %s: %w", spec.Name, ctx.Err())
		case errors.As(err, &lost) && time.Now().Before(until):
		case errors.As(err, &lost):
			return nil, fmt.Errorf("declare %s: %w (MongoDB: %v)", spec.Name, docstore.ErrUnavailable, err)
		case errors.As(err, &server) && slices.ContainsFunc(rivalCodes, server.HasErrorCode) && try < 10:
		default:
			return nil, fmt.Errorf("declare %s: %w", spec.Name, err)
		}
		// All of it may be repeated.
		_ = pause(ctx, try)
	}
}

// rivalCodes are the answers to someone who changes indexes while another
// copy of the service does: no such index, options or keys conflict, a build
// under way, a build aborted.
var rivalCodes = []int{27, 85, 86, 12587, 276, 275}

// declare does what is left to do for the collection to be as d.spec says.
func (d *documents) declare(ctx context.Context) error {
	want := specDocOf(d.spec)
	was, err := d.declared(ctx)
	if err != nil {
		return err
	}
	have, err := d.indexes(ctx)
	if err != nil {
		return err
	}
	var drop []string
	var create []docstore.Index
	for _, index := range was.Indexes {
		if !slices.ContainsFunc(want.Indexes, func(i indexDoc) bool { return i.Name == index.Name }) {
			drop = append(drop, index.Name)
		}
	}
	for _, index := range d.spec.Indexes {
		standing, ok := have[index.Name]
		if ok && standing.equal(index) {
			continue
		}
		if ok {
			drop = append(drop, index.Name)
		}
		create = append(create, index)
	}
	known := slices.EqualFunc(was.Indexes, want.Indexes, indexDoc.equal) && was.Name != ""
	if known && len(drop)+len(create) == 0 {
		return nil
	}

	// Until the end, the list has both the old and the new indexes: whoever
	// goes on after a crash knows which to drop.
	both := specDoc{Name: want.Name, Indexes: slices.Clone(want.Indexes)}
	for _, index := range was.Indexes {
		if slices.Contains(drop, index.Name) && !slices.ContainsFunc(want.Indexes, func(i indexDoc) bool { return i.Name == index.Name }) {
			both.Indexes = append(both.Indexes, index)
		}
	}
	if !known || len(both.Indexes) != len(want.Indexes) {
		if err := d.note(ctx, both); err != nil {
			return err
		}
	}
	for _, name := range drop {
		if _, ok := have[name]; !ok && !hiddenIndexes(have) {
			continue
		}
		err := d.store.lengthy(ctx, func(ctx context.Context) error { return d.coll.Indexes().DropOne(ctx, name) })
		const noSuchCollection, noSuchIndex = 26, 27
		var server mongo.ServerError
		if errors.As(err, &server) && (server.HasErrorCode(noSuchCollection) || server.HasErrorCode(noSuchIndex)) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("drop index %q: %w", name, err)
		}
	}
	for _, index := range create {
		if err := d.build(ctx, index); err != nil {
			return fmt.Errorf("build index %q: %w", index.Name, err)
		}
	}
	if len(both.Indexes) != len(want.Indexes) {
		return d.note(ctx, want)
	}
	return nil
}

func (i indexDoc) equal(o indexDoc) bool {
	return i.Name == o.Name && i.Unique == o.Unique && slices.Equal(i.Fields, o.Fields)
}

// A standing index is one as the server has it.
type standing struct {
	Name   string `bson:"name"`
	Key    bson.D `bson:"key"`
	Unique bool   `bson:"unique"`
}

func (s standing) equal(index docstore.Index) bool {
	same := func(e bson.E, field string) bool { return e.Key == field && fmt.Sprint(e.Value) == "1" }
	return s.Unique == index.Unique && slices.EqualFunc(s.Key, keys(index), same)
}

// hiddenIndexes reports whether the server does not list all it has, as
// mongo-java-server does not.
func hiddenIndexes(have map[string]standing) bool {
	_, ok := have["_id_"]
	return len(have) == 0 || !ok
}

func (d *documents) indexes(ctx context.Context) (map[string]standing, error) {
	have := map[string]standing{}
	err := d.store.once(ctx, func(ctx context.Context) error {
		clear(have)
		cursor, err := d.coll.Indexes().List(ctx)
		if err != nil {
			return err
		}
		var all []standing
		if err := cursor.All(ctx, &all); err != nil {
			return err
		}
		for _, i := range all {
			have[i.Name] = i
		}
		return nil
	})
	const noSuchCollection = 26
	var server mongo.ServerError
	if errors.As(err, &server) && server.HasErrorCode(noSuchCollection) {
		err = nil
	}
	return have, err
}

// build creates one index and returns when it is in use.
func (d *documents) build(ctx context.Context, index docstore.Index) error {
	if index.Unique {
		// The server would take a missing field for a null, and let one pass.
		var missing bson.A
		for _, field := range index.Fields {
			missing = append(missing, bson.D{{Key: field, Value: nil}})
		}
		err := d.store.lengthy(ctx, func(ctx context.Context) error {
			return d.coll.FindOne(ctx, bson.D{{Key: "$or", Value: missing}}).Err()
		})
		if err == nil {
			return fmt.Errorf("%w (a document that is there lacks a field of this unique index)", docstore.ErrDocument.Field(index.Fields[0]))
		}
		if !errors.Is(err, mongo.ErrNoDocuments) {
			return err
		}
	}
	var fields bson.D
	for _, key := range keys(index) {
		fields = append(fields, bson.E{Key: key, Value: 1})
	}
	model := mongo.IndexModel{Keys: fields, Options: options.Index().SetName(index.Name).SetUnique(index.Unique)}
	err := d.store.lengthy(ctx, func(ctx context.Context) error {
		_, err := d.coll.Indexes().CreateOne(ctx, model)
		return err
	})
	if errors.Is(err, docstore.ErrDuplicate) || errors.Is(err, docstore.ErrExists) {
		return docstore.ErrDuplicate.With("index", index.Name)
	}
	return err
}

func (d *documents) declared(ctx context.Context) (was specDoc, err error) {
	err = d.store.once(ctx, func(ctx context.Context) error {
		return d.store.db.Collection(specsName).FindOne(ctx, bson.D{{Key: "_id", Value: d.spec.Name}}).Decode(&was)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = nil
	}
	return was, err
}

func (d *documents) note(ctx context.Context, spec specDoc) error {
	err := d.store.once(ctx, func(ctx context.Context) error {
		_, err := d.store.db.Collection(specsName).ReplaceOne(ctx, bson.D{{Key: "_id", Value: spec.Name}}, spec, options.Replace().SetUpsert(true))
		return err
	})
	if errors.Is(err, docstore.ErrExists) { // another copy was faster, with the same
		return nil
	}
	return err
}
