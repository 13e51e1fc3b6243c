package docstore

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/fault"
)

var jobs = Spec{Name: "jobs", Indexes: []Index{
	{Name: "due", Fields: []string{"state", "due"}},
	{Name: "key", Fields: []string{"a.b"}, Unique: true},
}}

// FuzzCursor: whatever somebody sends as a cursor, the answer is a plan or
// ErrCursor, and a plan's place can be read without a panic.
func FuzzCursor(f *testing.F) {
	q := Query{Index: "due", Equal: []any{"new"}}
	doc, err := bson.Marshal(bson.D{{Key: "_id", Value: "x"}, {Key: "state", Value: "new"}, {Key: "due", Value: time.UnixMilli(5)}})
	if err != nil {
		f.Fatal(err)
	}
	good, err := CursorAt(jobs, q, doc)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(good))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte{})
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 127, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		q := q
		q.After = Cursor(base64.RawURLEncoding.EncodeToString(data))
		plan, err := NewPlan(jobs, q)
		switch {
		case q.After == "":
			return
		case err != nil && !errors.Is(err, ErrCursor):
			t.Fatalf("got %v", err)
		case err == nil && len(plan.After) != 3:
			t.Fatalf("a place of %d values", len(plan.After))
		case err == nil:
			_ = plan.After[2].StringValue()
		}
	})
}

func TestCursorsOfDifferentQueriesDiffer(t *testing.T) {
	queries := []Query{
		{}, {Reverse: true}, {Index: "due"}, {Index: "due", Reverse: true},
		{Index: "due", From: "a"}, {Index: "due", Until: "a"}, {Index: "due", Equal: []any{"a"}},
		{Index: "due", Equal: []any{"a"}, From: int64(5)}, {Index: "due", Equal: []any{"a"}, From: time.UnixMilli(5)},
		{Index: "due", Equal: []any{"a", int64(5)}}, {Index: "due", Equal: []any{"a"}, Until: int64(5)},
		{From: "due"}, {Until: "due"},
	}
	seen := map[int64]Query{}
	for _, q := range queries {
		if other, ok := seen[q.fingerprint()]; ok {
			t.Errorf("%+v and %+v take each other's cursors", q, other)
		}
		seen[q.fingerprint()] = q
		limited := q
		limited.Limit, limited.After = 7, "x"
		if limited.fingerprint() != q.fingerprint() {
			t.Errorf("%+v: the page size matters", q)
		}
	}
}

func TestIndexValues(t *testing.T) {
	unique, plain := jobs.Indexes[1], Index{Name: "plain", Fields: []string{"a.b", "c"}}
	doc := func(d bson.D) bson.Raw {
		raw, err := bson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	values, err := plain.Values(doc(bson.D{{Key: "c", Value: true}, {Key: "a", Value: bson.D{{Key: "b", Value: int32(7)}}}}))
	if err != nil || len(values) != 2 || values[0].Int32() != 7 || !values[1].Boolean() {
		t.Errorf("values %v, %v", values, err)
	}
	for name, d := range map[string]bson.D{
		"missing":          {{Key: "c", Value: true}},
		"null":             {{Key: "c", Value: true}, {Key: "a", Value: bson.D{{Key: "b", Value: nil}}}},
		"null on the path": {{Key: "c", Value: true}, {Key: "a", Value: nil}},
		"text on the path": {{Key: "c", Value: true}, {Key: "a", Value: "b"}},
		"a dotted key":     {{Key: "c", Value: true}, {Key: "a.b", Value: 1}},
	} {
		if values, err := plain.Values(doc(d)); values != nil || err != nil {
			t.Errorf("%s: %v, %v", name, values, err)
		}
		if _, err := unique.Values(doc(d)); !errors.Is(err, ErrDocument) || fault.Of(err).Details["field"] != "a.b" {
			t.Errorf("%s, in a unique index: %v", name, err)
		}
	}
}
