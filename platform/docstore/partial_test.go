package docstore_test

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
)

type whole struct {
	docstore.Meta `bson:",inline"`
	First         string            `bson:"first"`
	Count         int64             `bson:"count,omitempty"`
	Nested        map[string]string `bson:"nested"`
	At            time.Time         `bson:"at"`
	Last          []string
}

type partOfWhole struct {
	docstore.Meta `bson:",inline"`
	Count         int64    `bson:"count,omitempty"`
	Last          []string // under the key that the driver makes of it
}

// Who changes a part of a document leaves the rest as it is, even what no type
// of this program knows.
func TestAPartialLeavesTheRest(t *testing.T) {
	store, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	spec := docstore.Spec{Name: "things"}
	all, err := docstore.Open[whole](t.Context(), store, spec)
	if err != nil {
		t.Fatal(err)
	}
	parts := docstore.PartOf[partOfWhole](all)
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	w := whole{Meta: docstore.Meta{ID: "a"}, First: "one", Count: 7, Nested: map[string]string{"x": "y"}, At: at, Last: []string{"p"}}
	if err := all.Insert(t.Context(), &w); err != nil {
		t.Fatal(err)
	}
	type later struct { // of a newer version of the program
		docstore.Meta `bson:",inline"`
		More          bson.M `bson:",inline"`
	}
	others, err := docstore.Open[later](t.Context(), store, spec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := others.Update(t.Context(), "a", func(d *later) error { d.More["unheard"] = "of"; return nil }); err != nil {
		t.Fatal(err)
	}

	for want := range 3 {
		d, err := parts.Update(t.Context(), "a", func(d *docstore.Partial[partOfWhole]) error {
			d.Part.Count = int64(want) // nothing, at first: then it is not written
			d.Part.Last = append(d.Part.Last, "q")
			return nil
		})
		if err != nil || d.Part.Version != int64(want)+3 {
			t.Fatalf("%+v, %v", d.Part, err)
		}
		got, err := all.Get(t.Context(), "a")
		if err != nil || got.First != "one" || got.Count != int64(want) || got.Nested["x"] != "y" || !got.At.Equal(at) || len(got.Last) != want+2 || got.Version != d.Part.Version {
			t.Fatalf("%+v, %v", got, err)
		}
		if o, err := others.Get(t.Context(), "a"); err != nil || o.More["unheard"] != "of" || len(o.More) > 6 {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	page, err := parts.Find(t.Context(), docstore.Query{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Part.Count != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	// A new one has no rest.
	if _, err := parts.Upsert(t.Context(), "b", func(d *docstore.Partial[partOfWhole]) error { d.Part.Count = 1; return nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := all.Get(t.Context(), "b"); err != nil || got.Count != 1 || got.Version != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
}
