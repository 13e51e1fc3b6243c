package docstorecopy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorecopy"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/test/mongoserver"
)

// article has a bit of everything that a document can have.
type article struct {
	Title         string
	docstore.Meta `bson:",inline"` // so the _id is not the first field
	Price         int64
	Small         int32
	Rating        float64
	Sold          bool
	At            time.Time
	Note          *string
	Tags          []string
	Lines         []line
	Blob          []byte
	Names         map[string]string
}

type line struct {
	SKU   string
	Units int
}

var (
	articles = docstore.Spec{Name: "articles", Indexes: []docstore.Index{
		{Name: "title", Fields: []string{"title"}, Unique: true},
		{Name: "soldPrice", Fields: []string{"sold", "price"}},
	}}
	orders = docstore.Spec{Name: "orders", Indexes: []docstore.Index{{Name: "price", Fields: []string{"price"}}}}
	empty  = docstore.Spec{Name: "empty", Indexes: []docstore.Index{{Name: "at", Fields: []string{"at"}}}}
)

func newArticle(n int) article {
	a := article{
		Meta: docstore.Meta{ID: fmt.Sprintf("%05d", n*7919%100_000)}, Title: fmt.Sprintf("Becher Nr. %d – ☕", n),
		Price: int64(n) * 199, Small: int32(n), Rating: float64(n) / 7, Sold: n%3 == 0,
		At: time.UnixMilli(1_700_000_000_000 + int64(n)*12_345).UTC(), Tags: []string{}, Lines: []line{{"mug", n}, {"", -n}},
		Blob: bytes.Repeat([]byte{byte(n), 0, 0xff}, n%50), Names: map[string]string{"de": "Tasse"},
	}
	if n%2 == 0 {
		note := fmt.Sprint("note ", n)
		a.Note = &note
	}
	return a
}

// fill puts documents of several versions into the store.
func fill(t *testing.T, s docstore.Store, many int) {
	t.Helper()
	for _, spec := range []docstore.Spec{articles, orders, empty} {
		c, err := docstore.Open[article](t.Context(), s, spec)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Name == empty.Name {
			continue
		}
		docs := make([]article, many)
		for i := range docs {
			docs[i] = newArticle(i)
		}
		if err := c.Load(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if _, err := c.Update(t.Context(), docs[i%5].ID, func(a *article) error { a.Price += int64(i); return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// contents is everything in a store, in the order of the ids, but for what
// the copy notes for itself.
func contents(t *testing.T, s docstore.Store) (specs []docstore.Spec, docs map[string][]bson.Raw) {
	t.Helper()
	all, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	docs = map[string][]bson.Raw{}
	for _, spec := range all {
		if spec.Name == "docstorecopy" {
			continue
		}
		specs = append(specs, spec)
		c, err := s.Documents(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		for q := (docstore.Query{Limit: 700}); ; {
			page, more, err := c.Find(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			docs[spec.Name] = append(docs[spec.Name], page...)
			if !more {
				break
			}
			if q.After, err = docstore.CursorAt(spec, q, page[len(page)-1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return specs, docs
}

// idFirst is doc as MongoDB puts it, with the _id as the first field.
func idFirst(doc bson.Raw) bson.Raw {
	var fields bson.D
	if bson.Unmarshal(doc, &fields) != nil {
		return nil
	}
	slices.SortStableFunc(fields, func(a, b bson.E) int {
		return map[bool]int{true: 0, false: 1}[a.Key == "_id"] - map[bool]int{true: 0, false: 1}[b.Key == "_id"]
	})
	out, _ := bson.Marshal(fields)
	return out
}

func wantEqual(t *testing.T, a, b docstore.Store) {
	t.Helper()
	specsA, docsA := contents(t, a)
	specsB, docsB := contents(t, b)
	if fmt.Sprint(specsA) != fmt.Sprint(specsB) {
		t.Errorf("collections differ:\n%v\n%v", specsA, specsB)
	}
	for name, want := range docsA {
		if got := docsB[name]; len(got) != len(want) {
			t.Errorf("%s: %d documents, want %d", name, len(got), len(want))
			continue
		}
		for i := range want {
			if !bytes.Equal(idFirst(docsB[name][i]), idFirst(want[i])) {
				t.Errorf("%s: document %d differs:\n%v\n%v", name, i, want[i], docsB[name][i])
				return
			}
		}
	}
}

func onMongo(t *testing.T) docstore.Store {
	t.Helper()
	uri, _ := mongoserver.Start(t)
	s, err := docstoremongo.Open(t.Context(), uri, mongoserver.Database(t, uri), docstoremongo.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestToMongoAndBackAgain(t *testing.T) {
	here, there, back := docstoretest.Memory(t), onMongo(t), docstoretest.Memory(t)
	fill(t, here, 3000)
	var last string
	report := func(collection string, phase docstorecopy.Phase, done, total int64) {
		if phase == docstorecopy.Copying && (done > total || total == 0 && collection != "empty") {
			t.Errorf("%s: %d of %d", collection, done, total)
		}
		last = fmt.Sprint(collection, phase, done, total)
	}
	for _, leg := range []struct{ from, to docstore.Store }{{here, there}, {there, back}} {
		if err := docstorecopy.Copy(t.Context(), leg.from, leg.to, report); err != nil {
			t.Fatal(err)
		}
		if last != "ordersverifying3000 3000" {
			t.Errorf("last report was %s", last)
		}
		wantEqual(t, leg.from, leg.to)
		// Once more, it has nothing to do.
		if err := docstorecopy.Copy(t.Context(), leg.from, leg.to, nil); err != nil {
			t.Error(err)
		}
	}
	wantEqual(t, here, back)

	// The indexes are in use at the target.
	c, err := docstore.Open[article](t.Context(), back, articles)
	if err != nil {
		t.Fatal(err)
	}
	page, err := c.Find(t.Context(), docstore.Query{Index: "soldPrice", Equal: []any{true}, From: 199 * 2997})
	if err != nil || len(page.Items) != 1 || page.Items[0].Small != 2997 {
		t.Errorf("got %d articles, %v", len(page.Items), err)
	}
}

// The copy dies before or after any of its writes, and is started again.
func TestCopyIsKilledAnywhere(t *testing.T) {
	here := docstoretest.Memory(t)
	fill(t, here, 450)
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			there := docstoretest.Memory(t)
			var reaper docstoretest.Reaper
			if after {
				reaper.DieAfter(n)
			} else {
				reaper.DieBefore(n)
			}
			err := docstorecopy.Copy(t.Context(), here, reaper.Wrap(there), nil)
			if !reaper.Dead() {
				if err != nil {
					t.Fatal(err)
				}
				if n < 12 {
					t.Errorf("the whole copy has only %d writes: too few to try", n)
				}
				break
			}
			if err == nil {
				t.Fatalf("killed at write %d, it says that it has finished", n)
			}
			if err := docstorecopy.Copy(t.Context(), here, there, nil); err != nil {
				t.Fatalf("after being killed at write %d: %v", n, err)
			}
			wantEqual(t, here, there)
		}
	}
}

// The same to a MongoDB server, ended at random moments, several times in a row.
func TestCopyToMongoIsCancelledAgainAndAgain(t *testing.T) {
	here, there := docstoretest.Memory(t), onMongo(t)
	fill(t, here, 8000)
	random := rand.New(rand.NewPCG(1, 2))
	cancelled := 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		stop := random.IntN(20) // reports
		surely := cancelled < 5 // at the next report, if the timer is late
		if surely {
			stop++
		}
		err := docstorecopy.Copy(ctx, here, there, func(_ string, phase docstorecopy.Phase, _, _ int64) {
			if phase != docstorecopy.Counting {
				if stop--; stop == 0 {
					wait := time.Duration(random.IntN(3000)) * time.Microsecond
					time.AfterFunc(wait, cancel) // in the middle of what comes next
				} else if stop == -1 && surely {
					cancel()
				}
			}
		})
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancelled++
	}
	if cancelled < 3 {
		t.Errorf("cancelled only %d times", cancelled)
	}
	t.Logf("cancelled %d times", cancelled)
	wantEqual(t, here, there)
}

func TestTargetWithOtherDocuments(t *testing.T) {
	here, there := docstoretest.Memory(t), docstoretest.Memory(t)
	fill(t, here, 10)
	c, err := docstore.Open[article](t.Context(), there, docstore.Spec{Name: "others"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Insert(t.Context(), &article{Meta: docstore.Meta{ID: "mine"}}); err != nil {
		t.Fatal(err)
	}
	if err := docstorecopy.Copy(t.Context(), here, there, nil); !errors.Is(err, docstorecopy.ErrTarget) {
		t.Errorf("got %v, want ErrTarget", err)
	}
	if specs, _ := contents(t, there); len(specs) != 1 {
		t.Errorf("the refused target has got collections: %v", specs)
	}
}

func TestTargetThatSomebodyUses(t *testing.T) {
	stranger := newArticle(77_000)
	stranger.ID = "zzz"
	changed := newArticle(3)
	changed.Price = 1
	for name, test := range map[string]struct {
		write article
		want  error
	}{"New": {stranger, docstorecopy.ErrTarget}, "Changed": {changed, docstorecopy.ErrTarget}} {
		t.Run(name, func(t *testing.T) {
			here, there := docstoretest.Memory(t), docstoretest.Memory(t)
			fill(t, here, 300)
			var reaper docstoretest.Reaper
			reaper.DieAfter(4) // the first batch is there, and not noted
			if err := docstorecopy.Copy(t.Context(), here, reaper.Wrap(there), nil); err == nil {
				t.Fatal("it was not killed")
			}
			c, err := docstore.Open[article](t.Context(), there, articles)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Load(t.Context(), []article{test.write}); err != nil {
				t.Fatal(err)
			}
			if err := docstorecopy.Copy(t.Context(), here, there, nil); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestChangeAfterCopyIsNoticed(t *testing.T) {
	for _, side := range []string{"source", "target"} {
		t.Run(side, func(t *testing.T) {
			here, there := docstoretest.Memory(t), docstoretest.Memory(t)
			fill(t, here, 100)
			if err := docstorecopy.Copy(t.Context(), here, there, nil); err != nil {
				t.Fatal(err)
			}
			c, err := docstore.Open[article](t.Context(), map[string]docstore.Store{"source": here, "target": there}[side], orders)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Update(t.Context(), newArticle(50).ID, func(a *article) error { a.Sold = !a.Sold; return nil }); err != nil {
				t.Fatal(err)
			}
			if err := docstorecopy.Copy(t.Context(), here, there, nil); !errors.Is(err, docstorecopy.ErrDiffers) {
				t.Errorf("got %v, want ErrDiffers", err)
			}
		})
	}
}
