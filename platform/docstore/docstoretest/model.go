package docstoretest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ordergraph/platform/docstore"
)

// agreesWithPlainModel does the same random things to the store and to a map,
// and wants the same answers.
func agreesWithPlainModel(t *testing.T, s docstore.Store) {
	ctx := background(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		spec := parcels
		spec.Name = fmt.Sprintf("parcels%d", run)
		c, err := docstore.Open[parcel](ctx, s, spec)
		if err != nil {
			t.Fatal(err)
		}
		m := model{docs: map[string]parcel{}}
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) { m.insert(ctx, t, c) },
			"update": func(t *rapid.T) { m.update(ctx, t, c) },
			"upsert": func(t *rapid.T) { m.upsert(ctx, t, c) },
			"delete": func(t *rapid.T) { m.delete(ctx, t, c) },
			"load":   func(t *rapid.T) { m.load(ctx, t, c) },
			"get":    func(t *rapid.T) { m.get(ctx, t, c) },
			"find":   func(t *rapid.T) { m.find(ctx, t, c) },
		})
		for _, i := range append(spec.Indexes, docstore.Index{}) {
			m.compare(ctx, t, c, docstore.Query{Index: i.Name})
		}
	})
}

type model struct{ docs map[string]parcel }

var (
	someIDs    = rapid.SampledFrom([]string{"a", "b", "c", "ab", "a b", "B", "é"})
	someTexts  = rapid.SampledFrom([]string{"", "x", "y", "xy", "X", "ü", "x "})
	someWhole  = rapid.SampledFrom([]int64{-1 << 40, -1, 0, 1, 2, 1 << 40})
	someStates = rapid.SampledFrom([]string{"new", "sent"})
	someTimes  = rapid.Map(rapid.IntRange(-2, 2), func(n int) time.Time { return day.Add(time.Duration(n) * time.Millisecond) })
)

// contents draws everything of a parcel but its id and version.
func contents(t *rapid.T) parcel {
	p := parcel{Label: someTexts.Draw(t, "label"), Weight: someWhole.Draw(t, "weight"), State: someStates.Draw(t, "state"),
		Due: someTimes.Draw(t, "due"), Fragile: rapid.Bool().Draw(t, "fragile")}
	if rapid.Bool().Draw(t, "has note") {
		p.Note = new(someTexts.Draw(t, "note"))
	}
	if rapid.Bool().Draw(t, "has zone") {
		p.To.Zone = new(someTexts.Draw(t, "zone"))
	}
	return p
}

func (m *model) taken(label, except string) bool {
	for id, p := range m.docs {
		if p.Label == label && id != except {
			return true
		}
	}
	return false
}

func wantError(t *rapid.T, err, want error) {
	t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func (m *model) insert(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel]) {
	p := contents(t)
	p.ID = someIDs.Draw(t, "id")
	_, exists := m.docs[p.ID]
	err := c.Insert(ctx, &p)
	switch {
	case exists:
		if !errors.Is(err, docstore.ErrExists) && !(errors.Is(err, docstore.ErrDuplicate) && m.taken(p.Label, p.ID)) {
			t.Fatalf("insert over a document: %v", err)
		}
	case m.taken(p.Label, p.ID):
		wantError(t, err, docstore.ErrDuplicate)
	default:
		wantError(t, err, nil)
		m.docs[p.ID] = p
	}
}

func (m *model) update(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel]) {
	id, p := someIDs.Draw(t, "id"), contents(t)
	was, exists := m.docs[id]
	got, err := c.Update(ctx, id, func(d *parcel) error {
		if !same(*d, was) {
			t.Fatalf("Update was given %+v, want %+v", *d, was)
		}
		meta := d.Meta
		*d = p
		d.Meta = meta
		return nil
	})
	switch {
	case !exists:
		wantError(t, err, docstore.ErrNotFound)
	case m.taken(p.Label, id):
		wantError(t, err, docstore.ErrDuplicate)
	default:
		wantError(t, err, nil)
		if got.Version != was.Version+1 {
			t.Fatalf("version %d after %d", got.Version, was.Version)
		}
		m.docs[id] = got
	}
}

func (m *model) upsert(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel]) {
	id, weight := someIDs.Draw(t, "id"), someWhole.Draw(t, "weight")
	was := m.docs[id]
	got, err := c.Upsert(ctx, id, func(d *parcel) error { d.Weight = weight; return nil })
	if m.taken(was.Label, id) { // a new one would have an empty label
		wantError(t, err, docstore.ErrDuplicate)
		return
	}
	wantError(t, err, nil)
	was.Meta, was.Weight = got.Meta, weight
	if !same(got, was) {
		t.Fatalf("Upsert returned %+v, want %+v", got, was)
	}
	m.docs[id] = got
}

func (m *model) delete(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel]) {
	id, agree := someIDs.Draw(t, "id"), rapid.Bool().Draw(t, "agree")
	_, exists := m.docs[id]
	no := errors.New("no")
	err := c.Delete(ctx, id, func(d *parcel) error {
		if agree {
			return nil
		}
		return no
	})
	if exists && !agree {
		wantError(t, err, no)
		return
	}
	wantError(t, err, nil)
	delete(m.docs, id)
}

func (m *model) load(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel]) {
	after := maps.Clone(m.docs)
	var docs []parcel
	for range rapid.IntRange(0, 4).Draw(t, "documents") {
		p := contents(t)
		p.ID = someIDs.Draw(t, "id")
		p.Version = rapid.Int64Range(0, 3).Draw(t, "version")
		if (&model{docs: after}).taken(p.Label, p.ID) {
			continue // what a refused Load leaves behind is not promised
		}
		docs = append(docs, p)
		p.Version = max(p.Version, 1)
		after[p.ID] = p
	}
	wantError(t, c.Load(ctx, docs), nil)
	for _, p := range docs {
		after[p.ID] = p
	}
	m.docs = after
}

func (m *model) get(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel]) {
	ids := rapid.SliceOfN(someIDs, 0, 5).Draw(t, "ids")
	got, err := c.GetMany(ctx, ids)
	wantError(t, err, nil)
	for _, id := range ids {
		want, exists := m.docs[id]
		if have, ok := got[id]; ok != exists || !same(have, want) {
			t.Fatalf("%s: got %+v (%v), want %+v (%v)", id, have, ok, want, exists)
		}
	}
}

func (m *model) find(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel]) {
	q := docstore.Query{Reverse: rapid.Bool().Draw(t, "reverse"), Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
	i := rapid.SampledFrom(append(parcels.Indexes, docstore.Index{})).Draw(t, "index")
	q.Index = i.Name
	draw := func(field string) any {
		switch field {
		case "weight":
			return someWhole.Draw(t, "value")
		case "due":
			return someTimes.Draw(t, "value")
		case "fragile":
			return rapid.Bool().Draw(t, "value")
		case "state":
			return someStates.Draw(t, "value")
		default:
			return someTexts.Draw(t, "value")
		}
	}
	for n := range rapid.IntRange(0, len(i.Fields)).Draw(t, "equal") {
		q.Equal = append(q.Equal, draw(i.Fields[n]))
	}
	if len(q.Equal) < len(i.Fields) || len(i.Fields) == 0 {
		field := "_id"
		if len(i.Fields) > 0 {
			field = i.Fields[len(q.Equal)]
		}
		if rapid.Bool().Draw(t, "has from") {
			q.From = draw(field)
		}
		if rapid.Bool().Draw(t, "has until") {
			q.Until = draw(field)
		}
	}
	m.compare(ctx, t, c, q)
}

// compare reads the whole query and wants what the map says.
func (m *model) compare(ctx context.Context, t *rapid.T, c *docstore.Collection[parcel], q docstore.Query) {
	var fields []string
	for _, i := range parcels.Indexes {
		if i.Name == q.Index {
			fields = i.Fields
		}
	}
	var want []parcel
next:
	for _, p := range m.docs {
		for n, f := range append(fields[:len(fields):len(fields)], "_id") {
			v := value(p, f)
			switch {
			case v == nil,
				n < len(q.Equal) && compareValues(v, q.Equal[n]) != 0,
				n == len(q.Equal) && q.From != nil && compareValues(v, q.From) < 0,
				n == len(q.Equal) && q.Until != nil && compareValues(v, q.Until) >= 0:
				continue next
			}
		}
		want = append(want, p)
	}
	slices.SortFunc(want, func(a, b parcel) int {
		for _, f := range fields {
			if c := compareValues(value(a, f), value(b, f)); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.ID, b.ID)
	})
	if q.Reverse {
		slices.Reverse(want)
	}
	var got []parcel
	for p, err := range c.All(ctx, q) {
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		got = append(got, p)
	}
	if !slices.EqualFunc(got, want, same) {
		t.Fatalf("%+v:\n got %+v\nwant %+v", q, got, want)
	}
}

func value(p parcel, field string) any {
	switch field {
	case "_id":
		return p.ID
	case "label":
		return p.Label
	case "weight":
		return p.Weight
	case "state":
		return p.State
	case "due":
		return p.Due
	case "fragile":
		return p.Fragile
	case "note":
		if p.Note != nil {
			return *p.Note
		}
	case "to.zone":
		if p.To.Zone != nil {
			return *p.To.Zone
		}
	}
	return nil
}

func compareValues(a, b any) int {
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case int64:
		return cmp.Compare(a, b.(int64))
	case time.Time:
		return a.Compare(b.(time.Time))
	default:
		if a == b {
			return 0
		} else if b == true {
			return -1
		}
		return 1
	}
}

// same compares all that is stored but for the stamp's value.
func same(a, b parcel) bool {
	a.Stamp, b.Stamp = "", ""
	return reflect.DeepEqual(a, b)
}
