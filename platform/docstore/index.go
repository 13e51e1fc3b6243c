package docstore

import (
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/fault"
)

// ErrDocument is a write of a document that cannot be kept: without an id or
// a version, or with something in an indexed field that has no order. The
// detail "field" names the field.
var ErrDocument = fault.New(fault.Invalid, "docstore.document", "This document cannot be stored.")

// Values returns doc's values of the index's fields, or nil if doc does not
// belong in the index. It answers ErrDocument if a field holds something that
// cannot be indexed, or if the index is unique and a field is missing.
// Engines call it before every write, so that both refuse the same documents.
func (i Index) Values(doc bson.Raw) ([]bson.RawValue, error) {
	values := make([]bson.RawValue, 0, len(i.Fields))
	var missing string
	for _, field := range i.Fields {
		v, ok, err := lookup(doc, field)
		switch {
		case err != nil:
			return nil, fmt.Errorf("index %q: field %q: %w", i.Name, field, err)
		case !ok:
			missing = field
		default:
			values = append(values, v)
		}
	}
	switch {
	case missing == "":
		return values, nil
	case i.Unique:
		return nil, fmt.Errorf("unique index %q: %w (it has no %q)", i.Name, ErrDocument.Field(missing), missing)
	}
	return nil, nil
}

// lookup walks a dotted path. Null counts as missing.
func lookup(doc bson.Raw, field string) (v bson.RawValue, ok bool, err error) {
	for path := field; ; {
		name, rest, deeper := strings.Cut(path, ".")
		v, err := doc.LookupErr(name)
		switch {
		case err != nil || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined:
			return v, false, nil
		case !deeper && orderable(v.Type):
			return v, true, nil
		case !deeper || v.Type == bson.TypeArray:
			return v, false, fmt.Errorf("%w (it holds a value of type %s)", ErrDocument.Field(field), v.Type)
		case v.Type != bson.TypeEmbeddedDocument:
			return v, false, nil
		}
		doc, path = v.Document(), rest
	}
}

func orderable(t bson.Type) bool {
	switch t {
	case bson.TypeString, bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeBoolean, bson.TypeDateTime:
		return true
	}
	return false
}

// mostBytes is MongoDB's limit, which holds on every engine.
const mostBytes = 16 << 20

// Head returns the id and the version of a document that is to be written, or
// ErrDocument.
func Head(doc bson.Raw) (id string, version int64, err error) {
	if err := doc.Validate(); err != nil {
		return "", 0, fmt.Errorf("%w (%v)", ErrDocument, err)
	}
	if len(doc) > mostBytes {
		return "", 0, fmt.Errorf("%w (it has %d bytes, and at most %d are allowed)", ErrDocument, len(doc), mostBytes)
	}
	id, ok := doc.Lookup("_id").StringValueOK()
	if !ok || id == "" {
		return "", 0, fmt.Errorf("%w (_id is not a string, or empty)", ErrDocument.Field("_id"))
	}
	if version, ok = doc.Lookup("version").AsInt64OK(); !ok || version < 1 {
		return "", 0, fmt.Errorf("%w (version is not a positive number)", ErrDocument.Field("version"))
	}
	return id, version, nil
}

// ErrSpec is a collection declared in a way that cannot be: a mistake in the
// program, not in the data.
var ErrSpec = fault.New(fault.Internal, "docstore.spec", "Something went wrong on our side. It has been noted; please try again.")

// Check is nil if the collection can be declared like this.
func (s Spec) Check() error {
	if s.Name == "" || strings.ContainsAny(s.Name, "$\x00") || strings.HasPrefix(s.Name, "system.") {
		return fmt.Errorf("%w: %q is not a collection's name", ErrSpec, s.Name)
	}
	names := map[string]bool{"": true}
	for _, i := range s.Indexes {
		if names[i.Name] {
			return fmt.Errorf("%w: %s: index name %q is empty or there twice", ErrSpec, s.Name, i.Name)
		}
		names[i.Name] = true
		if len(i.Fields) == 0 {
			return fmt.Errorf("%w: %s: index %q has no fields", ErrSpec, s.Name, i.Name)
		}
		fields := map[string]bool{"": true, "_id": true}
		for _, f := range i.Fields {
			if fields[f] {
				return fmt.Errorf("%w: %s: index %q: field %q is empty, there twice, or the _id, which every index ends with", ErrSpec, s.Name, i.Name, f)
			}
			fields[f] = true
		}
	}
	return nil
}
