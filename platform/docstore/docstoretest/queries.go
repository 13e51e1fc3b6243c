package docstoretest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
)

func rangesAndOrder(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, parcels)
	for i, p := range []parcel{
		{Label: "a", Weight: -5, State: "new", Due: day, Fragile: true},
		{Label: "A", Weight: 3, State: "new", Due: day.Add(-time.Hour)},
		{Label: "ab", Weight: 3, State: "new", Due: day.Add(time.Millisecond)},
		{Label: "é", Weight: 1 << 40, State: "newer", Due: day},
		{Label: "b", Weight: 0, State: "ne", Due: time.Date(1931, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Label: "", Weight: 3, State: "new", Due: day},
		{Label: "a ", Weight: -1 << 40, State: "new", Due: day, Fragile: true},
	} {
		p.ID = fmt.Sprint(i)
		insert(t, c, p)
	}
	for _, q := range []struct {
		query docstore.Query
		want  string
	}{
		{docstore.Query{}, "0123456"},
		{docstore.Query{From: "2", Until: "5"}, "234"},
		{docstore.Query{From: "5", Until: "2"}, ""},
		{docstore.Query{Index: "label"}, "5106243"}, // bytes, not a language's order: "" A a "a " ab b é
		{docstore.Query{Index: "label", From: "a", Until: "b"}, "062"},
		{docstore.Query{Index: "label", Equal: []any{"a"}}, "0"},
		{docstore.Query{Index: "label", Equal: []any{"none"}}, ""},
		{docstore.Query{Index: "label", From: 7}, ""}, // a number reaches over numbers only
		{docstore.Query{Index: "weight"}, "6041253"},
		{docstore.Query{Index: "weight", From: -5, Until: 3}, "04"},
		{docstore.Query{Index: "weight", From: int32(3), Until: int64(4)}, "125"},
		{docstore.Query{Index: "weight", Equal: []any{3.0}}, "125"},
		{docstore.Query{Index: "weight", From: 2.5}, "1253"},
		{docstore.Query{Index: "weight", Until: "x"}, ""},
		{docstore.Query{Index: "stateDue", Equal: []any{"new"}}, "10562"},
		{docstore.Query{Index: "stateDue", Equal: []any{"new"}, From: day}, "0562"},
		{docstore.Query{Index: "stateDue", Equal: []any{"new"}, Until: day}, "1"},
		{docstore.Query{Index: "stateDue", Equal: []any{"new"}, From: day, Until: day.Add(time.Millisecond)}, "056"},
		{docstore.Query{Index: "stateDue", Equal: []any{"new", day}}, "056"},
		{docstore.Query{Index: "stateDue"}, "4105623"},
		{docstore.Query{Index: "stateDue", From: "new", Until: "newer"}, "10562"},
		{docstore.Query{Index: "fragileWeight"}, "4125360"},
		{docstore.Query{Index: "fragileWeight", Equal: []any{true}}, "60"},
		{docstore.Query{Index: "fragileWeight", From: true}, "60"},
		{docstore.Query{Index: "fragileWeight", Until: true}, "41253"},
	} {
		for _, limit := range []int{0, 1, 2, 7} {
			for _, reverse := range []bool{false, true} {
				q.query.Limit, q.query.Reverse = limit, reverse
				want := strings.Split(q.want, "")
				if reverse {
					slices.Reverse(want)
				}
				if got := strings.Join(ids(t, c, q.query), ""); got != strings.Join(want, "") {
					t.Errorf("%+v: got %s, want %s", q.query, got, strings.Join(want, ""))
				}
			}
		}
	}
	// A page that ends with the last document says so.
	page, err := c.Find(t.Context(), docstore.Query{Limit: 7})
	if err != nil || len(page.Items) != 7 || page.Next != "" {
		t.Errorf("the only page: %d items, next %q, %v", len(page.Items), page.Next, err)
	}
	page, err = c.Find(t.Context(), docstore.Query{Limit: 6})
	if err != nil || len(page.Items) != 6 || page.Next == "" {
		t.Errorf("the first page of two: %d items, next %q, %v", len(page.Items), page.Next, err)
	}
	// Without a limit there are 100 to a page.
	for i := range 130 {
		insert(t, c, newParcel(i))
	}
	page, err = c.Find(t.Context(), docstore.Query{})
	if err != nil || len(page.Items) != 100 || page.Next == "" {
		t.Errorf("a page without a limit: %d items, %v", len(page.Items), err)
	}
}

func missingAndNullFields(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	text := func(s string) *string { return &s }
	for i, p := range []parcel{{}, {Note: text("n"), To: address{Zone: text("z")}}, {Note: text("")}, {To: address{Zone: text("z")}}} {
		p.ID, p.Label = fmt.Sprint(i), fmt.Sprint(i)
		insert(t, c, p)
	}
	want := func(index string, want ...string) {
		t.Helper()
		if got := ids(t, c, docstore.Query{Index: index}); !slices.Equal(got, want) {
			t.Errorf("index %s: got %v, want %v", index, got, want)
		}
	}
	want("note", "2", "1")
	want("zone", "1", "3")
	_, err := c.Update(ctx, "0", func(p *parcel) error { p.Note, p.To.Zone = text("m"), text("a"); return nil })
	must(t, err)
	_, err = c.Update(ctx, "1", func(p *parcel) error { p.Note, p.To.Zone = nil, nil; return nil })
	must(t, err)
	want("note", "2", "0")
	want("zone", "0", "3")
}

func queriesThatCannotBeAnswered(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, parcels)
	insert(t, c, newParcel(1))
	for _, q := range []docstore.Query{
		{Index: "none"},
		{Index: "label", Equal: []any{"a", "b"}},
		{Index: "label", Equal: []any{"a"}, From: "b"},
		{Index: "stateDue", Equal: []any{"a", day}, Until: day},
		{Equal: []any{"p00001"}},
		{From: 7},
		{Until: day},
		{Index: "label", Equal: []any{nil}},
		{Index: "label", Equal: []any{[]string{"a"}}},
		{Index: "label", From: bson.D{{Key: "$gt", Value: ""}}},
		{Index: "label", From: make(chan int)},
	} {
		if _, err := c.Find(t.Context(), q); !errors.Is(err, docstore.ErrQuery) {
			t.Errorf("%+v: %v, want ErrQuery", q, err)
		}
	}
}

func foreignCursors(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, parcels)
	for i := range 5 {
		insert(t, c, newParcel(i))
	}
	base := docstore.Query{Index: "stateDue", Equal: []any{"new"}, Limit: 2}
	page, err := c.Find(t.Context(), base)
	must(t, err)
	good := page.Next
	other := func(change func(q *docstore.Query)) docstore.Query {
		q := base
		q.After = good
		change(&q)
		return q
	}
	var swapped bson.A
	data, err := base64.RawURLEncoding.DecodeString(string(good))
	must(t, err)
	must(t, bson.UnmarshalValue(bson.TypeArray, data, &swapped))
	forge := func(values ...any) docstore.Cursor {
		_, data, err := bson.MarshalValue(bson.A(append([]any{swapped[0]}, values...)))
		must(t, err)
		return docstore.Cursor(base64.RawURLEncoding.EncodeToString(data))
	}
	for name, q := range map[string]docstore.Query{
		"another index":       other(func(q *docstore.Query) { q.Index, q.Equal = "weight", nil }),
		"no index":            other(func(q *docstore.Query) { q.Index, q.Equal = "", nil }),
		"another value":       other(func(q *docstore.Query) { q.Equal = []any{"old"} }),
		"another bound":       other(func(q *docstore.Query) { q.From = day }),
		"the other direction": other(func(q *docstore.Query) { q.Reverse = true }),
		"no base64":           other(func(q *docstore.Query) { q.After = "%%%" }),
		"no values":           other(func(q *docstore.Query) { q.After = "AAAA" }),
		"cut short":           other(func(q *docstore.Query) { q.After = good[:len(good)-4] }),
		"too few values":      other(func(q *docstore.Query) { q.After = forge("new", "p00001") }),
		"no id":               other(func(q *docstore.Query) { q.After = forge("new", day, int32(5)) }),
		"no value":            other(func(q *docstore.Query) { q.After = forge("new", bson.D{}, "p00001") }),
		"somebody's text":     other(func(q *docstore.Query) { q.After = "'; DROP TABLE orders; --" }),
	} {
		_, err := c.Find(t.Context(), q)
		if !errors.Is(err, docstore.ErrCursor) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want ErrCursor", name, err)
		}
	}
	// The page size may change on the way, and a cursor outlives its document.
	q := other(func(q *docstore.Query) { q.Limit = 1 })
	must(t, c.Delete(t.Context(), "p00001", nil))
	next, err := c.Find(t.Context(), q)
	if err != nil || len(next.Items) != 1 || next.Items[0].ID != "p00002" {
		t.Errorf("behind a document that is gone: %+v, %v", next, err)
	}
	// A cursor made from a document is as good as one from a page.
	made, err := c.CursorAt(base, &next.Items[0])
	must(t, err)
	if got := ids(t, c, other(func(q *docstore.Query) { q.After = made })); !slices.Equal(got, []string{"p00003", "p00004"}) {
		t.Errorf("behind a document: %v", got)
	}
}

func cursorWhileOthersWrite(t *testing.T, s docstore.Store) {
	c := openParcels(t, s, parcels)
	const still = 180
	var want []string
	for i := range still {
		p := newParcel(i * 3)                                      // the others come between
		p.ID, p.Weight = fmt.Sprintf("%03d still", i), int64(i/20) // twenty to a weight
		insert(t, c, p)
		want = append(want, p.ID)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("%03d moving", (n*37+w)%still)
				_, err := c.Upsert(background(t), id, func(p *parcel) error {
					p.Label = id
					p.State, p.Weight, p.Due = "new", int64((n*7)%10), day.Add(time.Duration(n%600)*time.Minute)
					return nil
				})
				if err == nil && n%3 == 0 {
					err = c.Delete(background(t), id, nil)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for round := range 4 {
		for _, q := range []docstore.Query{
			{Limit: 7}, {Index: "weight", Limit: 7}, {Index: "weight", Limit: 1 + round*13},
			{Index: "stateDue", Equal: []any{"new"}, Limit: 11}, {Index: "fragileWeight", Equal: []any{false}, From: 0, Limit: 20},
		} {
			q.Reverse = round%2 == 1
			var got []string
			var last parcel
			for p, err := range c.All(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				if q.Index == "weight" && last.ID != "" {
					if a, b := last, p; q.Reverse && a.Weight < b.Weight || !q.Reverse && a.Weight > b.Weight {
						t.Fatalf("%+v: weight %d before %d", q, a.Weight, b.Weight)
					}
				}
				last = p
				if strings.HasSuffix(p.ID, "still") {
					got = append(got, p.ID)
				}
			}
			if q.Reverse {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v: %d of %d documents that nobody touched, or in another order", q, len(got), len(want))
			}
		}
	}
	close(stop)
	wg.Wait()
}
