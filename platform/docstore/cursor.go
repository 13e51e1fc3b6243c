package docstore

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Limit is how many documents the query asks for.
func (q Query) limit() int {
	if q.Limit <= 0 {
		return 100
	}
	return q.Limit
}

// A Plan is a query that was checked against its collection's spec. Engines
// make one first and then read what it says.
type Plan struct {
	Index   Index           // without fields: all documents by _id
	Equal   []bson.RawValue // the first fields' values
	From    *bson.RawValue  // bounds of the next field
	Until   *bson.RawValue
	After   []bson.RawValue // every field's value and, last, the _id; nil: from the start
	Reverse bool
	Limit   int
}

// NewPlan checks the query against the spec: ErrQuery, ErrCursor.
func NewPlan(spec Spec, q Query) (Plan, error) {
	p := Plan{Reverse: q.Reverse, Limit: q.limit()}
	if q.Index != "" {
		index, ok := spec.index(q.Index)
		if !ok {
			return p, fmt.Errorf("%w (%s has no index %q)", ErrQuery, spec.Name, q.Index)
		}
		p.Index = index
	}
	bounded := q.From != nil || q.Until != nil
	// Without an index the _id is the only field, and can only be bounded.
	if len(q.Equal) > len(p.Index.Fields) || bounded && q.Index != "" && len(q.Equal) == len(p.Index.Fields) {
		return p, fmt.Errorf("%w (%q has %d fields)", ErrQuery, q.Index, len(p.Index.Fields))
	}
	for _, v := range q.Equal {
		rv, err := rawValue(v)
		if err != nil {
			return p, err
		}
		p.Equal = append(p.Equal, *rv)
	}
	var err error
	if q.From != nil {
		if p.From, err = rawValue(q.From); err != nil {
			return p, err
		}
	}
	if q.Until != nil {
		if p.Until, err = rawValue(q.Until); err != nil {
			return p, err
		}
	}
	if q.Index == "" && (p.From != nil && p.From.Type != bson.TypeString || p.Until != nil && p.Until.Type != bson.TypeString) {
		return p, fmt.Errorf("%w (ids are strings)", ErrQuery)
	}
	if q.After != "" {
		if p.After, err = q.decode(len(p.Index.Fields) + 1); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (s Spec) index(name string) (Index, bool) {
	for _, i := range s.Indexes {
		if i.Name == name {
			return i, true
		}
	}
	return Index{}, false
}

func rawValue(v any) (*bson.RawValue, error) {
	t, data, err := bson.MarshalValue(v)
	if err != nil {
		return nil, fmt.Errorf("%w (%T: %v)", ErrQuery, v, err)
	}
	if !orderable(t) {
		return nil, fmt.Errorf("%w (%T is not a string, number, bool or time)", ErrQuery, v)
	}
	return &bson.RawValue{Type: t, Value: data}, nil
}

// CursorAt is the cursor just behind doc in the query's order.
func CursorAt(spec Spec, q Query, doc bson.Raw) (Cursor, error) {
	index, _ := spec.index(q.Index)
	place := bson.A{q.fingerprint()}
	for _, field := range append(index.Fields[:len(index.Fields):len(index.Fields)], "_id") {
		v, err := doc.LookupErr(strings.Split(field, ".")...)
		if err != nil {
			return "", fmt.Errorf("cursor at %s: no %s: %w", doc.Lookup("_id"), field, err)
		}
		place = append(place, v)
	}
	_, data, err := bson.MarshalValue(place)
	if err != nil {
		return "", err
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(data)), nil
}

func (q Query) decode(fields int) ([]bson.RawValue, error) {
	data, err := base64.RawURLEncoding.DecodeString(string(q.After))
	if err != nil {
		return nil, ErrCursor
	}
	values, err := bson.RawArray(data).Values()
	if err != nil || bson.RawArray(data).Validate() != nil || len(values) != fields+1 {
		return nil, ErrCursor
	}
	if print, ok := values[0].Int64OK(); !ok || print != q.fingerprint() {
		return nil, ErrCursor
	}
	values = values[1:]
	for _, v := range values {
		if !orderable(v.Type) {
			return nil, ErrCursor
		}
	}
	if values[fields-1].Type != bson.TypeString {
		return nil, ErrCursor
	}
	return values, nil
}

// fingerprint tells cursors of different queries apart.
func (q Query) fingerprint() int64 {
	h := fnv.New64a()
	for _, v := range append([]any{q.Index, q.Reverse, q.From, q.Until}, q.Equal...) {
		kind, data, _ := bson.MarshalValue(v)
		_, _ = h.Write(append([]byte{byte(kind)}, data...))
	}
	return int64(h.Sum64() >> 1)
}
