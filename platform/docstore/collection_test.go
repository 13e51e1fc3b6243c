package docstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type counter struct {
	docstore.Meta `bson:",inline"`
	Count         int64
}

var counters = docstore.Spec{Name: "counters"}

// rivals is a store whose documents another process changes just before
// every swap, as long as there are rivals left.
type rivals struct {
	docstore.Store
	left *int
}

func (r rivals) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	docs, err := r.Store.Documents(ctx, spec)
	return rivalled{docs, r.left}, err
}

type rivalled struct {
	docstore.Documents
	left *int
}

func (r rivalled) Swap(ctx context.Context, id string, version int64, doc bson.Raw) error {
	if *r.left > 0 {
		*r.left--
		raws, err := r.Get(ctx, id)
		if err != nil {
			return err
		}
		var c counter
		if err := bson.Unmarshal(raws[0], &c); err != nil {
			return err
		}
		c.Count += 1000
		c.Version++
		rival, err := bson.Marshal(c)
		if err != nil {
			return err
		}
		if err := r.Documents.Swap(ctx, id, c.Version-1, rival); err != nil {
			return err
		}
	}
	return r.Documents.Swap(ctx, id, version, doc)
}

func TestLostSwapsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 5
		store := docstoretest.Memory(t)
		c, err := docstore.Open[counter](t.Context(), rivals{store, &left}, counters)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Insert(t.Context(), &counter{Meta: docstore.Meta{ID: "a"}}); err != nil {
			t.Fatal(err)
		}
		tries := 0
		got, err := c.Update(t.Context(), "a", func(c *counter) error { tries++; c.Count++; return nil })
		if err != nil || got.Count != 5001 || got.Version != 7 || tries != 6 {
			t.Errorf("after five rivals: %+v in %d tries, %v", got, tries, err)
		}

		// Against rivals without end there is an error, in seconds.
		left = 1 << 30
		start := time.Now()
		if _, err := c.Update(t.Context(), "a", func(c *counter) error { c.Count++; return nil }); !errors.Is(err, docstore.ErrContended) {
			t.Errorf("against endless rivals: %v", err)
		}
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("gave up after %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := c.Update(ctx, "a", func(c *counter) error { c.Count++; return nil }); fault.KindOf(err) != fault.DeadlineExceeded {
			t.Errorf("with little time: %v", err)
		}
	})
}

func TestOpenWantsMeta(t *testing.T) {
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "docstore.Meta") {
			t.Errorf("opened a collection of documents without an id: %v", p)
		}
	}()
	_, _ = docstore.Open[struct{ Name string }](t.Context(), docstoretest.Memory(t), counters)
}

func TestErrorsSayWhereTheyComeFrom(t *testing.T) {
	c, err := docstore.Open[counter](t.Context(), docstoretest.Memory(t), counters)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Get(t.Context(), "nobody")
	if !strings.Contains(err.Error(), "counters: get nobody") {
		t.Errorf("got %q", err)
	}
}

func TestDocumentOfAnotherShape(t *testing.T) {
	store := docstoretest.Memory(t)
	docs, err := store.Documents(t.Context(), counters)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := bson.Marshal(bson.D{{Key: "_id", Value: "a"}, {Key: "version", Value: int64(1)}, {Key: "stamp", Value: "s"}, {Key: "count", Value: "seven"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := docs.Insert(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	c, err := docstore.Open[counter](t.Context(), store, counters)
	if err != nil {
		t.Fatal(err)
	}
	_, get := c.Get(t.Context(), "a")
	_, many := c.GetMany(t.Context(), []string{"a"})
	_, find := c.Find(t.Context(), docstore.Query{})
	_, update := c.Update(t.Context(), "a", func(*counter) error { return nil })
	for what, err := range map[string]error{"Get": get, "GetMany": many, "Find": find, "Update": update} {
		if fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "decode") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAllStopsWhenToldTo(t *testing.T) {
	c, err := docstore.Open[counter](t.Context(), docstoretest.Memory(t), counters)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		if err := c.Insert(t.Context(), &counter{Meta: docstore.Meta{ID: fmt.Sprint(n)}}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range c.All(t.Context(), docstore.Query{Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 4 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n = 0
	for _, err := range c.All(ctx, docstore.Query{Limit: 3}) {
		if n++; n == 2 {
			cancel()
		}
		last = err
	}
	if n != 4 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d pairs, the last with %v; want three documents and an error", n, last)
	}
}
