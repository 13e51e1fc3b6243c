// Package docstore is how every service keeps its documents: a typed
// collection with compare-and-swap updates and declared indexes.
//
// Two engines stand behind it and behave alike (docstoretest holds them to
// it): docstorelocal keeps the documents in a directory of this machine,
// docstoremongo on a MongoDB server. A service is written once, against
// Collection, and never learns which it has.
//
// Every change is one write to one document. A rule is plain Go inside
// Update, which reads the document, applies the rule, and swaps the new
// version in only if nobody was faster; otherwise it starts again. So the
// function given to Update may run several times and must have no effect but
// on the document.
//
// Times are kept to the millisecond and come back in UTC.
package docstore

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/fault"
)

var (
	// ErrNotFound is what Get, Update and Delete answer for an id that does not exist.
	ErrNotFound = fault.New(fault.NotFound, "docstore.not_found", "There is no such document.")
	// ErrExists is what Insert answers for an id that is taken.
	ErrExists = fault.New(fault.Conflict, "docstore.exists", "There is a document with this id already.")
	// ErrDuplicate is a write that would put a second document under one key
	// of a unique index. The detail "index" names the index.
	ErrDuplicate = fault.New(fault.Conflict, "docstore.duplicate", "There is a document with this key already.")
	// ErrStale is Swap or Delete of a version that is not the current one.
	// Update never returns it: it reads again.
	ErrStale = fault.New(fault.Conflict, "docstore.stale", "The document has changed meanwhile.")
	// ErrContended is an Update that lost the swap too often.
	ErrContended = fault.New(fault.Unavailable, "docstore.contended", "Too many changes at once. Please try again.")
	// ErrQuery is a Find that no declared index answers, or with a cursor of another query.
	ErrQuery = fault.New(fault.Invalid, "docstore.query", "This list cannot be read like that.")
	// ErrCursor is a cursor that this query did not hand out.
	ErrCursor = fault.New(fault.Invalid, "docstore.cursor", "This cursor does not belong to this list.")
	// ErrUnavailable is a store that cannot be reached, or is closed.
	ErrUnavailable = fault.New(fault.Unavailable, "docstore.unavailable", "The store cannot be reached right now.")
	// ErrDamaged is a local store whose files are not as they were written.
	ErrDamaged = fault.New(fault.Internal, "docstore.damaged", "The store is damaged.")
	// ErrHeld is a local store that another process has open.
	ErrHeld = fault.New(fault.Conflict, "docstore.held", "The store is in use by another process.")
)

// A Store is one service's database, on either engine.
type Store interface {
	// Documents opens a collection, creating it and its indexes where they
	// are missing. An index declared anew over existing documents is built
	// before Documents returns; one no longer declared is dropped.
	Documents(ctx context.Context, spec Spec) (Documents, error)
	// Collections lists the names of the collections that exist, with their specs.
	Collections(ctx context.Context) ([]Spec, error)
	// Ping is nil while the store can be read and written.
	Ping(ctx context.Context) error
	// Close waits for writes in flight and releases the store.
	Close() error
}

// Spec declares a collection.
type Spec struct {
	Name    string
	Indexes []Index
}

// An Index orders documents by fields (dotted paths into the document) and,
// last, by _id. Fields hold strings, int32/int64, bools or times, not arrays.
// A document that lacks one of the fields, or has null there, is not in the
// index, except that in a unique index every field must be present: writing a
// document without it is an error.
type Index struct {
	Name   string
	Fields []string
	Unique bool
}

// Documents is the engine's side of a collection: BSON documents, each with
// _id (string), version (int64) and stamp (string, new at every write).
//
// A write whose answer was lost is settled inside the engine, by looking for
// the stamp (see Wrote): nil means that exactly this write was put in place,
// and any other error than those of the context and ErrUnavailable that it
// was not.
type Documents interface {
	// Get returns the documents in the order of the ids, nil where there is none.
	Get(ctx context.Context, ids ...string) ([]bson.Raw, error)
	// Insert adds one document, or answers ErrExists or ErrDuplicate.
	Insert(ctx context.Context, doc bson.Raw) error
	// Swap replaces the document that has this id and version, or answers
	// ErrStale (also where there is none) or ErrDuplicate.
	Swap(ctx context.Context, id string, version int64, doc bson.Raw) error
	// Delete removes the document that has this id and version, or answers
	// ErrStale (also where there is none).
	Delete(ctx context.Context, id string, version int64) error
	// Find reads at most q.Limit documents in the order of the index. more
	// reports whether there are others behind them.
	Find(ctx context.Context, q Query) (docs []bson.Raw, more bool, err error)
	// Load writes documents in bulk, whatever was under their ids before.
	// Each is applied whole or not at all; after an error some may be in place.
	Load(ctx context.Context, docs []bson.Raw) error
}

// A Query reads a range of an index in its order. Without an index it reads
// all documents in the order of their ids.
type Query struct {
	Index   string
	Equal   []any  // values of the index's first fields
	From    any    // the next field's least value, included; nil: no bound
	Until   any    // the next field's greatest value, excluded; nil: no bound
	Reverse bool   // from the greatest to the least
	After   Cursor // continue behind this place; "": from the start
	Limit   int    // how many at most; 0 means 100
}

// A Cursor is a place in the order of one query's documents. It stays good
// while documents come and go: reading on neither skips nor repeats one whose
// place has not changed.
type Cursor string
