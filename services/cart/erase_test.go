package cart_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/cart"
	"ordergraph/services/cart/carttest"
)

func (w *till) cartOf(customer string) string {
	w.Helper()
	r, err := w.live.Create(w.Context(), identity.Caller{CustomerID: customer}, cart.CreateInput{
		Lines: []cart.LineInput{{VariantID: "shirt", Quantity: 1}}, Note: "For " + customer,
		Buyer: cart.Buyer{Email: customer + "@example.com", Phone: "+49 30 123456"},
	})
	w.must(err)
	return r.Cart.ID
}

// tells reports whether any cart says something of ann.
func (w *till) tells() bool {
	w.Helper()
	return slices.ContainsFunc(documents(w.T, w.store, "carts"), func(doc string) bool { return strings.Contains(doc, "ann") })
}

func TestDeathInForgetting(t *testing.T) {
	var bobs, claimed string
	prepare := func(w *till) string {
		w.cartOf("ann")
		claimed = w.cartOf("ann")
		w.mustClaim(w.live, claimed, "order-1")
		bobs = w.cartOf("bob")
		return w.cartOf("ann")
	}
	deaths(t, prepare, func(ctx context.Context, k *cart.Keeper, _ string) error { return k.Forget(ctx, "ann") }, func(w *till, id string) {
		w.must(w.live.Forget(w.Context(), "ann"))
		if w.tells() {
			t.Errorf("something is left of her: %v", documents(w.T, w.store, "carts"))
		}
		if _, err := w.live.Get(w.Context(), ann, id); err == nil {
			t.Error("her cart is still there")
		}
		if c, err := w.live.Get(w.Context(), identity.Caller{CustomerID: "bob"}, bobs); err != nil || c.Buyer.Email != "bob@example.com" {
			t.Errorf("bob's cart: %+v, %v", c, err)
		}
		w.complete(claimed, "order-1") // the order is not disturbed
	})
}

func TestHearsOfErasure(t *testing.T) {
	w := newTill(t)
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bus := events.NewBus(client, nil)
	k, err := cart.New(t.Context(), cart.Options{Store: w.store, Bus: bus, Catalog: w.shelf, Stock: w.shelf, Now: w.clock.Now})
	w.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	w.cartOf("ann")
	data, err := bson.Marshal(account.Erased{CustomerID: "ann"})
	w.must(err)
	for end := time.Now().Add(time.Minute); w.tells(); time.Sleep(5 * time.Millisecond) {
		w.must(bus.Ring(ctx, account.Topic, events.Fact{
			ID: "ann:2:" + account.FactErased, Type: account.FactErased, Doc: "ann", Key: "ann", At: w.clock.Now(), Data: data,
		}))
		if time.Now().After(end) {
			t.Fatal("within a minute it has not forgotten her")
		}
	}
}

// A panic in a sweep is not the end of sweeping.
func TestRunOutlivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trap docstoretest.Trap
		shelf := carttest.NewShelf()
		k, err := cart.New(t.Context(), cart.Options{Store: trap.Wrap(docstoretest.Memory(t)), Catalog: shelf, Stock: shelf, Now: clocktest.Still().Now})
		if err != nil {
			t.Fatal(err)
		}
		trap.Outlived(t, k.Run)
	})
}
