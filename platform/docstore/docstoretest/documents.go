package docstoretest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
)

func whatWasWrittenIsRead(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	note, zone := "with care ✓\n\"quoted\"", "Z"
	p := parcel{Meta: docstore.Meta{ID: "a/b $x.y é"}, Label: "L", Weight: 1 << 60, State: "new", Due: day, Fragile: true,
		Note: &note, To: address{City: "Graz", Zone: &zone}, Lines: []string{"x", ""}}
	written := insert(t, c, p)
	if written.Version != 1 || written.Stamp == "" {
		t.Errorf("after Insert: version %d, stamp %q", written.Version, written.Stamp)
	}
	got, err := c.Get(ctx, p.ID)
	must(t, err)
	if !reflect.DeepEqual(got, written) {
		t.Errorf("Get:\n got %+v\nwant %+v", got, written)
	}
	insert(t, c, newParcel(1))
	many, err := c.GetMany(ctx, []string{"p00001", "none", p.ID, p.ID})
	must(t, err)
	if len(many) != 2 || many["p00001"].Label != "label 00001" || !reflect.DeepEqual(many[p.ID], written) {
		t.Errorf("GetMany: %+v", many)
	}
	none, err := c.GetMany(ctx, nil)
	if err != nil || len(none) != 0 {
		t.Errorf("GetMany of nothing: %v, %v", none, err)
	}
	// What Get returns is the caller's own.
	docs := documents(t, s, parcels)
	first, err := docs.Get(ctx, p.ID)
	must(t, err)
	want := slices.Clone(first[0])
	clear(first[0])
	again, err := docs.Get(ctx, p.ID)
	must(t, err)
	if !slices.Equal(again[0], want) {
		t.Error("a caller that wrote into its copy changed the store")
	}
	big := newParcel(2)
	big.By = strings.Repeat("x", 4<<20)
	insert(t, c, big)
	if got, err := c.Get(ctx, big.ID); err != nil || got.By != big.By {
		t.Errorf("a document of 4 MB came back with %d bytes, %v", len(got.By), err)
	}
}

func documents(t *testing.T, s docstore.Store, spec docstore.Spec) docstore.Documents {
	t.Helper()
	docs, err := s.Documents(t.Context(), spec)
	must(t, err)
	return docs
}

func raw(t *testing.T, v any) bson.Raw {
	t.Helper()
	data, err := bson.Marshal(v)
	must(t, err)
	return data
}

func everyDeclaredError(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	docs := documents(t, s, parcels)
	p := insert(t, c, newParcel(1))

	want := func(what string, err, target error) {
		t.Helper()
		if !errors.Is(err, target) {
			t.Errorf("%s: got %v, want %v", what, err, target)
		}
	}
	_, err := c.Get(ctx, "none")
	want("Get of nothing", err, docstore.ErrNotFound)
	_, err = c.Update(ctx, "none", func(*parcel) error { return nil })
	want("Update of nothing", err, docstore.ErrNotFound)
	same := newParcel(1)
	want("Insert of a taken id", c.Insert(ctx, &same), docstore.ErrExists)
	twin := newParcel(2)
	twin.Label = p.Label
	err = c.Insert(ctx, &twin)
	want("Insert of a taken key", err, docstore.ErrDuplicate)
	if got := fault.Of(err).Details["index"]; got != "label" {
		t.Errorf("ErrDuplicate names index %q, want %q", got, "label")
	}
	if _, err := c.Get(ctx, twin.ID); !errors.Is(err, docstore.ErrNotFound) {
		t.Errorf("a refused document is there: %v", err)
	}
	p.Version, p.Stamp = 2, "s2"
	want("Swap of another version", docs.Swap(ctx, p.ID, 7, raw(t, p)), docstore.ErrStale)
	want("Swap of version 0", docs.Swap(ctx, p.ID, 0, raw(t, p)), docstore.ErrStale)
	gone := newParcel(9)
	gone.Version = 2
	want("Swap of nothing", docs.Swap(ctx, gone.ID, 1, raw(t, gone)), docstore.ErrStale)
	want("Delete of another version", docs.Delete(ctx, p.ID, 7), docstore.ErrStale)
	want("Delete of nothing", docs.Delete(ctx, "none", 1), docstore.ErrStale)
	must(t, docs.Swap(ctx, p.ID, 1, raw(t, p)))
	p.Version, p.Stamp = 3, "s3"
	want("Swap of a version that was", docs.Swap(ctx, p.ID, 1, raw(t, p)), docstore.ErrStale)
	must(t, docs.Delete(ctx, p.ID, 2))
	want("Delete of what is gone", docs.Delete(ctx, p.ID, 2), docstore.ErrStale)
	got, err := docs.Get(ctx, p.ID, "none")
	if err != nil || len(got) != 2 || got[0] != nil || got[1] != nil {
		t.Errorf("Get of what is gone: %v, %v", got, err)
	}
	insert(t, c, newParcel(1)) // the id and the key are free again
}

func documentsThatCannotBeKept(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	docs := documents(t, s, parcels)
	good := bson.D{{Key: "_id", Value: "x"}, {Key: "version", Value: int64(1)}, {Key: "stamp", Value: "s"}, {Key: "label", Value: "l"}}
	must(t, docs.Insert(ctx, raw(t, good)))
	with := func(key string, v any) bson.D {
		d := slices.Clone(good)
		d[0].Value = "y"
		d[3].Value = "m"
		for i := range d {
			if d[i].Key == key {
				d[i].Value = v
				return d
			}
		}
		return append(d, bson.E{Key: key, Value: v})
	}
	for name, c := range map[string]struct {
		doc   bson.D
		field string
	}{
		"no id":                 {good[1:], "_id"},
		"empty id":              {with("_id", ""), "_id"},
		"id that is a number":   {with("_id", 5), "_id"},
		"no version":            {good[:1], "version"},
		"version zero":          {with("version", int64(0)), "version"},
		"unique field missing":  {with("label", nil)[:3], "label"},
		"unique field null":     {with("label", nil), "label"},
		"array in an index":     {with("weight", bson.A{1, 2}), "weight"},
		"document in an index":  {with("note", bson.D{}), "note"},
		"array on the path":     {with("to", bson.A{bson.D{{Key: "zone", Value: "a"}}}), "to.zone"},
		"binary in an index":    {with("note", []byte{1}), "note"},
		"object id in an index": {with("weight", bson.NewObjectID()), "weight"},
	} {
		for what, err := range map[string]error{
			"insert": docs.Insert(ctx, raw(t, c.doc)),
			"load":   docs.Load(ctx, []bson.Raw{raw(t, c.doc)}),
		} {
			if !errors.Is(err, docstore.ErrDocument) || fault.Of(err).Details["field"] != c.field {
				t.Errorf("%s: %s: got %v (field %q), want ErrDocument for field %q", name, what, err, fault.Of(err).Details["field"], c.field)
			}
		}
	}
	if err := docs.Insert(ctx, bson.Raw{1, 2, 3}); !errors.Is(err, docstore.ErrDocument) {
		t.Errorf("bytes that are no document: %v", err)
	}
	giant := with("by", strings.Repeat("x", 16<<20))
	if err := docs.Insert(ctx, raw(t, giant)); !errors.Is(err, docstore.ErrDocument) {
		t.Errorf("a document of more than 16 MB: %v", err)
	}
	swapped := with("version", int64(2))
	if err := docs.Swap(ctx, "x", 1, raw(t, swapped)); !errors.Is(err, docstore.ErrDocument) {
		t.Errorf("Swap to another id: %v", err)
	}
	swapped[0].Value = "x"
	if err := docs.Swap(ctx, "x", 1, raw(t, append(swapped, bson.E{Key: "weight", Value: bson.A{1}}))); !errors.Is(err, docstore.ErrDocument) {
		t.Errorf("Swap to an array in an index: %v", err)
	}
	if got, _ := docs.Get(ctx, "x", "y"); !slices.Equal(got[0], raw(t, good)) || got[1] != nil {
		t.Error("a refused write left something behind")
	}
}

func updateAndUpsert(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	p := insert(t, c, newParcel(1))

	updated, err := c.Update(ctx, p.ID, func(p *parcel) error { p.Weight, p.Due = 77, day.Add(time.Hour+1234); return nil })
	must(t, err)
	if updated.Version != 2 || updated.Weight != 77 || updated.Stamp == p.Stamp {
		t.Errorf("Update returned %+v", updated)
	}
	got, err := c.Get(ctx, p.ID)
	must(t, err)
	if got.Version != 2 || got.Stamp != updated.Stamp || !got.Due.Equal(day.Add(time.Hour)) || got.Due.Location() != time.UTC {
		t.Errorf("after Update: %+v", got)
	}

	refused := errors.New("the rule says no")
	if _, err := c.Update(ctx, p.ID, func(p *parcel) error { p.Weight = 1; return refused }); !errors.Is(err, refused) {
		t.Errorf("a rule's error came back as %v", err)
	}
	same, err := c.Update(ctx, p.ID, func(p *parcel) error { return docstore.Unchanged })
	if err != nil || same.Version != 2 || same.Weight != 77 {
		t.Errorf("Unchanged: %+v, %v", same, err)
	}
	if _, err := c.Update(ctx, p.ID, func(p *parcel) error { p.ID, p.Version = "other", 99; return nil }); err != nil {
		t.Fatal(err)
	}
	if got, err = c.Get(ctx, p.ID); err != nil || got.Version != 3 || got.Weight != 77 {
		t.Errorf("a rule moved a document's id or version: %+v, %v", got, err)
	}

	made, err := c.Upsert(ctx, "made", func(p *parcel) error {
		if p.ID != "made" || p.Version != 0 {
			t.Errorf("Upsert gave %+v to the rule", p.Meta)
		}
		p.Label = "made"
		return nil
	})
	if err != nil || made.Version != 1 {
		t.Errorf("Upsert: %+v, %v", made.Meta, err)
	}
	made, err = c.Upsert(ctx, "made", func(p *parcel) error { p.Weight++; return nil })
	if err != nil || made.Version != 2 || made.Label != "made" {
		t.Errorf("second Upsert: %+v, %v", made, err)
	}
	if _, err := c.Upsert(ctx, "not made", func(p *parcel) error { return docstore.Unchanged }); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(ctx, "not made"); !errors.Is(err, docstore.ErrNotFound) {
		t.Errorf("an unchanged Upsert left a document: %v", err)
	}
	if _, err := c.Upsert(ctx, "twin", func(p *parcel) error { p.Label = "made"; return nil }); !errors.Is(err, docstore.ErrDuplicate) {
		t.Errorf("Upsert into a taken key: %v", err)
	}
}

func deleteUnderCondition(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	p := insert(t, c, newParcel(1))
	no := errors.New("not yet")
	if err := c.Delete(ctx, p.ID, func(got *parcel) error {
		if got.Label != p.Label {
			t.Errorf("the condition was given %+v", got)
		}
		return no
	}); !errors.Is(err, no) {
		t.Errorf("the condition's error came back as %v", err)
	}
	if _, err := c.Get(ctx, p.ID); err != nil {
		t.Errorf("deleted against the condition: %v", err)
	}
	must(t, c.Delete(ctx, p.ID, nil))
	must(t, c.Delete(ctx, p.ID, nil))
	if got := ids(t, c, docstore.Query{Index: "label"}); len(got) != 0 {
		t.Errorf("the index still has %v", got)
	}
}

func load(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	old := insert(t, c, newParcel(1))
	batch := make([]parcel, 1500)
	for i := range batch {
		batch[i] = newParcel(i)
		batch[i].State = "loaded"
	}
	must(t, c.Load(ctx, batch))
	must(t, c.Load(ctx, nil))
	if got := ids(t, c, docstore.Query{Index: "stateDue", Equal: []any{"loaded"}}); len(got) != len(batch) || !slices.IsSorted(got) {
		t.Errorf("%d documents by state, want %d", len(got), len(batch))
	}
	if got := ids(t, c, docstore.Query{Index: "stateDue", Equal: []any{"new"}}); len(got) != 0 {
		t.Errorf("what was under a loaded id is still indexed: %v", got)
	}
	got, err := c.Get(ctx, old.ID)
	if err != nil || got.State != "loaded" || got.Version != 1 || got.Stamp == old.Stamp {
		t.Errorf("after Load: %+v, %v", got, err)
	}
	// Within one Load, the last one wins.
	a, b := newParcel(1), newParcel(1)
	a.Weight, b.Weight, b.Version = 5, 6, 9
	must(t, c.Load(ctx, []parcel{a, b}))
	if got, err := c.Get(ctx, a.ID); err != nil || got.Weight != 6 || got.Version != 9 {
		t.Errorf("of two under one id: %+v, %v", got, err)
	}
	if got := ids(t, c, docstore.Query{Index: "weight", From: 5, Until: 7}); !slices.Equal(got, []string{"p00005", "p00001", "p00006"}) {
		t.Errorf("by weight: %v", got)
	}
	// Two documents of one Load under one unique key.
	x, y := newParcel(5001), newParcel(5002)
	y.Label = x.Label
	if err := c.Load(ctx, []parcel{x, y}); !errors.Is(err, docstore.ErrDuplicate) {
		t.Errorf("Load of one key twice: %v", err)
	}
	if got := ids(t, c, docstore.Query{Index: "label", Equal: []any{x.Label}}); len(got) > 1 {
		t.Errorf("two documents under one key: %v", got)
	}
	_, err = c.Update(ctx, a.ID, func(p *parcel) error { p.Weight++; return nil })
	must(t, err)
}

func cancelledContext(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, parcels)
	p := insert(t, c, newParcel(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q := newParcel(2)
	_, get := c.Get(ctx, p.ID)
	_, update := c.Update(ctx, p.ID, func(p *parcel) error { p.Weight = 99; return nil })
	_, find := c.Find(ctx, docstore.Query{})
	for what, err := range map[string]error{"Get": get, "Update": update, "Find": find,
		"Insert": c.Insert(ctx, &q), "Delete": c.Delete(ctx, p.ID, nil), "Load": c.Load(ctx, []parcel{q})} {
		if k := fault.KindOf(err); k != fault.Canceled {
			t.Errorf("%s: kind %v (%v), want canceled", what, k, err)
		}
	}
	if got := ids(t, c, docstore.Query{}); !slices.Equal(got, []string{p.ID}) {
		t.Errorf("after cancelled writes: %v", got)
	}
	if got, _ := c.Get(t.Context(), p.ID); got.Weight == 99 {
		t.Error("a cancelled update was written")
	}

	// Whoever waits for a document that another is changing can give up.
	inside, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := c.Update(background(t), p.ID, func(p *parcel) error {
			select {
			case <-inside:
			default:
				close(inside)
			}
			<-release
			return nil
		})
		done <- err
	}()
	<-inside
	ctx, cancel = context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := c.Update(ctx, p.ID, func(p *parcel) error { return nil })
		waiting <- err
	}()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for a hot document: %v", err)
	}
	close(release)
	must(t, <-done)
}

func closedStore(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	p := insert(t, c, newParcel(1))
	must(t, s.Ping(ctx))
	must(t, s.Close())
	q := newParcel(2)
	_, get := c.Get(ctx, p.ID)
	_, find := c.Find(ctx, docstore.Query{})
	_, colls := s.Collections(ctx)
	_, open := s.Documents(ctx, plain)
	_, update := c.Update(ctx, p.ID, func(*parcel) error { return nil })
	for what, err := range map[string]error{"Get": get, "Find": find, "Insert": c.Insert(ctx, &q), "Ping": s.Ping(ctx),
		"Collections": colls, "Documents": open, "Update": update} {
		if !errors.Is(err, docstore.ErrUnavailable) {
			t.Errorf("%s on a closed store: %v, want ErrUnavailable", what, err)
		}
	}
	must(t, s.Close()) // once more does no harm
}
