package docstoretest

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
)

func declared(indexes ...docstore.Index) docstore.Spec {
	return docstore.Spec{Name: "parcels", Indexes: indexes}
}

var (
	byWeight = docstore.Index{Name: "weight", Fields: []string{"weight"}}
	byLabel  = docstore.Index{Name: "label", Fields: []string{"label"}, Unique: true}
)

func indexBuiltOverDocuments(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, plain)
	many := make([]parcel, 3000)
	for i := range many {
		many[i] = newParcel(i)
		many[i].Weight = int64(len(many) - i)
	}
	must(t, c.Load(t.Context(), many))
	c = openParcels(t, s, declared(byWeight, byLabel))
	got := ids(t, c, docstore.Query{Index: "weight", Limit: 500})
	slices.Reverse(got)
	if !slices.Equal(got, ids(t, c, docstore.Query{Index: "label", Limit: 500})) || len(got) != len(many) {
		t.Errorf("the new indexes have %d documents, or not in order", len(got))
	}
	twin := newParcel(9999)
	twin.Label = many[7].Label
	if err := c.Insert(t.Context(), &twin); !errors.Is(err, docstore.ErrDuplicate) {
		t.Errorf("a twin of a document that was there before the index: %v", err)
	}
	_, err := c.Update(t.Context(), many[5].ID, func(p *parcel) error { p.Weight = 77777; return nil })
	must(t, err)
	if got := ids(t, c, docstore.Query{Index: "weight", Limit: 1, Reverse: true}); got[0] != many[5].ID || len(got) != len(many) {
		t.Errorf("after an update: %s first of %d", got[0], len(got))
	}
}

func indexDropped(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, declared(byWeight, byLabel))
	insert(t, c, newParcel(1))
	c = openParcels(t, s, declared(byWeight))
	twin := newParcel(2)
	twin.Label = newParcel(1).Label
	insert(t, c, twin) // no longer unique
	if _, err := c.Find(t.Context(), docstore.Query{Index: "label"}); !errors.Is(err, docstore.ErrQuery) {
		t.Errorf("Find by a dropped index: %v", err)
	}
	// Under the old name with other fields: another index.
	changed := docstore.Index{Name: "weight", Fields: []string{"state", "weight"}}
	c = openParcels(t, s, declared(changed))
	if got := ids(t, c, docstore.Query{Index: "weight", Equal: []any{"new"}}); !slices.Equal(got, []string{"p00001", "p00002"}) {
		t.Errorf("by the changed index: %v", got)
	}
	// Back again: what happened meanwhile is in it.
	c = openParcels(t, s, declared(byWeight))
	if got := ids(t, c, docstore.Query{Index: "weight", From: 2}); !slices.Equal(got, []string{"p00002"}) {
		t.Errorf("by the index that came back: %v", got)
	}
}

func uniqueIndexOverDuplicates(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, plain)
	a, b := newParcel(1), newParcel(2)
	b.Label = a.Label
	insert(t, c, a)
	insert(t, c, b)
	_, err := s.Documents(t.Context(), declared(byLabel))
	if !errors.Is(err, docstore.ErrDuplicate) || fault.Of(err).Details["index"] != "label" {
		t.Errorf("a unique index over duplicates: %v", err)
	}
	c = openParcels(t, s, plain)
	_, err = c.Update(t.Context(), b.ID, func(p *parcel) error { p.Label = "another"; return nil })
	must(t, err)
	c = openParcels(t, s, declared(byLabel))
	if got := ids(t, c, docstore.Query{Index: "label"}); !slices.Equal(got, []string{b.ID, a.ID}) {
		t.Errorf("by label: %v", got)
	}
}

func specsThatCannotBe(t *testing.T, s docstore.Store) {
	for name, spec := range map[string]docstore.Spec{
		"no name":             {},
		"a dollar":            {Name: "a$b"},
		"no index name":       declared(docstore.Index{Fields: []string{"a"}}),
		"no fields":           declared(docstore.Index{Name: "a"}),
		"an empty field":      declared(docstore.Index{Name: "a", Fields: []string{""}}),
		"a field twice":       declared(docstore.Index{Name: "a", Fields: []string{"b", "b"}}),
		"one name, two times": declared(byWeight, byWeight),
	} {
		if _, err := s.Documents(t.Context(), spec); !errors.Is(err, docstore.ErrSpec) {
			t.Errorf("%s: %v, want ErrSpec", name, err)
		}
	}
}

func collections(t *testing.T, s docstore.Store) {
	got, err := s.Collections(t.Context())
	if err != nil || len(got) != 0 {
		t.Errorf("of a new store: %v, %v", got, err)
	}
	other := docstore.Spec{Name: "others", Indexes: []docstore.Index{{Name: "x.y", Fields: []string{"x.y", "z"}}}}
	a, b := openParcels(t, s, declared(byWeight, byLabel)), openParcels(t, s, other)
	insert(t, a, newParcel(1))
	p := newParcel(1)
	p.By = "the other's"
	insert(t, b, p)
	if got, err := a.Get(t.Context(), p.ID); err != nil || got.By != "" {
		t.Errorf("two collections share a document: %+v, %v", got, err)
	}
	got, err = s.Collections(t.Context())
	must(t, err)
	checkSpecs(t, got, other, declared(byWeight, byLabel))
}

// checkSpecs compares the specs by name, whatever order indexes come in.
func checkSpecs(t *testing.T, got []docstore.Spec, want ...docstore.Spec) {
	t.Helper()
	indexes := func(specs []docstore.Spec) map[string]map[string]docstore.Index {
		all := map[string]map[string]docstore.Index{}
		for _, s := range specs {
			all[s.Name] = map[string]docstore.Index{}
			for _, i := range s.Indexes {
				all[s.Name][i.Name] = i
			}
		}
		return all
	}
	if !reflect.DeepEqual(indexes(got), indexes(want)) {
		t.Errorf("collections: got %+v, want %+v", got, want)
	}
}

func everythingOutlivesRestart(t *testing.T, reopen func() docstore.Store) {
	s := reopen()
	c := openParcels(t, s, parcels)
	for i := range 50 {
		insert(t, c, newParcel(i))
	}
	updated, err := c.Update(t.Context(), "p00007", func(p *parcel) error { p.Weight = 1000; return nil })
	must(t, err)
	must(t, c.Delete(t.Context(), "p00008", nil))
	page, err := c.Find(t.Context(), docstore.Query{Index: "weight", Limit: 20})
	must(t, err)
	must(t, s.Close())

	s = reopen()
	defer func() { must(t, s.Close()) }()
	specs, err := s.Collections(t.Context())
	must(t, err)
	checkSpecs(t, specs, parcels)
	c = openParcels(t, s, parcels)
	if got, err := c.Get(t.Context(), "p00007"); err != nil || !reflect.DeepEqual(got, updated) {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
	rest := ids(t, c, docstore.Query{Index: "weight", Limit: 20, After: page.Next})
	if len(rest) != 49-20 || rest[len(rest)-1] != "p00007" || slices.Contains(rest, "p00008") {
		t.Errorf("a cursor from before the restart reads %v", rest)
	}
}

func indexesChangeBetweenRestarts(t *testing.T, reopen func() docstore.Store) {
	s := reopen()
	c := openParcels(t, s, declared(byWeight))
	for i := range 10 {
		insert(t, c, newParcel(i))
	}
	must(t, s.Close())
	s = reopen()
	c = openParcels(t, s, declared(byLabel))
	if got := ids(t, c, docstore.Query{Index: "label"}); len(got) != 10 {
		t.Errorf("by the new index: %v", got)
	}
	if _, err := c.Find(t.Context(), docstore.Query{Index: "weight"}); !errors.Is(err, docstore.ErrQuery) {
		t.Errorf("by the dropped index: %v", err)
	}
	must(t, s.Close())
	s = reopen()
	defer func() { must(t, s.Close()) }()
	specs, err := s.Collections(t.Context())
	must(t, err)
	checkSpecs(t, specs, declared(byLabel))
}
