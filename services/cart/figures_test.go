package cart_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/activity"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
)

// A counter is a till at which two copies of the cart service count.
type counter struct {
	*till
	copies []*cart.Keeper
	counts []*activity.Recorder
}

func newCounter(t *testing.T) *counter {
	c := &counter{till: newTill(t)}
	store := docstoretest.Memory(t)
	for range 2 {
		counts, err := activity.Open(t.Context(), activity.Options{Store: store, Now: c.clock.Now})
		c.must(err)
		k, err := cart.New(t.Context(), cart.Options{Store: c.store, Catalog: c.shelf, Stock: c.shelf, Activity: counts, Now: c.clock.Now})
		c.must(err)
		c.copies, c.counts = append(c.copies, k), append(c.counts, counts)
	}
	return c
}

// want wants so many carts counted by all copies.
func (c *counter) want(n int64) {
	c.Helper()
	for _, counts := range c.counts {
		c.must(counts.Write(c.Context()))
	}
	c.clock.Pass(2 * time.Second)
	report, err := c.counts[0].Read(c.Context(), program, c.clock.Now().Add(-time.Hour))
	c.must(err)
	got := int64(0)
	for _, m := range report.Minutes {
		for _, count := range m.Counts {
			if count.Name != cart.CountFilled {
				c.Errorf("%+v is counted", count)
			}
			got += count.N
		}
	}
	if got != n {
		c.Errorf("%d carts are counted, want %d", got, n)
	}
}

func (c *counter) create(who identity.Caller, lines ...cart.LineInput) (id string) {
	c.Helper()
	r, err := c.copies[0].Create(c.Context(), who, cart.CreateInput{Lines: lines})
	c.must(err)
	return r.Cart.ID
}

var shirt = cart.LineInput{VariantID: "shirt", Quantity: 1}

func TestACartCountsWithItsFirstLine(t *testing.T) {
	c := newCounter(t)
	k := c.copies[0]
	c.create(identity.Caller{}, cart.LineInput{VariantID: "no such thing", Quantity: 1})
	empty := c.create(identity.Caller{})
	c.want(0)
	c.create(identity.Caller{}, shirt)
	c.want(1)
	for range 2 { // filled, emptied, and filled again
		r, err := k.AddLines(t.Context(), identity.Caller{}, empty, []cart.LineInput{shirt})
		c.must(err)
		_, err = k.RemoveLines(t.Context(), identity.Caller{}, empty, []string{r.Cart.Lines[0].ID})
		c.must(err)
	}
	c.want(2)
}

// A guest's cart has counted when it goes into a customer's: into an empty one
// nothing new comes, and two that were filled are two.
func TestMergedCartsCountAsTheyWereFilled(t *testing.T) {
	c := newCounter(t)
	k := c.copies[0]
	own, guests := c.create(ann), c.create(identity.Caller{}, shirt)
	c.want(1)
	_, err := k.Merge(t.Context(), ann, guests)
	c.must(err)
	_, err = k.AddLines(t.Context(), ann, own, []cart.LineInput{shirt})
	c.must(err)
	c.want(1)
	_, err = k.Merge(t.Context(), ann, c.create(identity.Caller{}, shirt))
	c.must(err)
	c.want(2)
	c.wantShirts(own, 3)
}

// Carts of before they were counted do not count when they change.
func TestCartsOfBeforeAreNotCounted(t *testing.T) {
	c := newCounter(t)
	id := c.cartWith()
	specs, err := c.store.Collections(t.Context())
	c.must(err)
	docs, err := c.store.Documents(t.Context(), specs[slices.IndexFunc(specs, func(s docstore.Spec) bool { return s.Name == "carts" })])
	c.must(err)
	raws, _, err := docs.Find(t.Context(), docstore.Query{Limit: 10})
	c.must(err)
	var old bson.M
	c.must(bson.Unmarshal(raws[0], &old))
	delete(old, "filled")
	raw, err := bson.Marshal(old)
	c.must(err)
	c.must(docs.Load(t.Context(), []bson.Raw{raw}))
	_, err = c.copies[0].AddLines(t.Context(), identity.Caller{}, id, []cart.LineInput{shirt})
	c.must(err)
	c.want(0)
}

func TestCopiesCountACartOnce(t *testing.T) {
	c := newCounter(t)
	ids := []string{c.create(identity.Caller{}), c.create(identity.Caller{}), c.create(identity.Caller{})}
	var all sync.WaitGroup
	for _, id := range ids {
		for i := range 8 {
			all.Go(func() {
				if _, err := c.copies[i%2].AddLines(t.Context(), identity.Caller{}, id, []cart.LineInput{shirt}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	c.want(3)
	for _, id := range ids {
		c.wantShirts(id, 8)
	}
}
