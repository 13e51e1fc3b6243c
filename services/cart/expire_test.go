package cart_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/cart/carttest"
)

// documents are all documents of a collection, as text.
func documents(t *testing.T, s docstore.Store, collection string) (all []string) {
	t.Helper()
	specs, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		if spec.Name != collection {
			continue
		}
		docs, err := s.Documents(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		raws, _, err := docs.Find(t.Context(), docstore.Query{Limit: 1_000})
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range raws {
			all = append(all, raw.String())
		}
	}
	return all
}

func TestSweepDeletesWhatNobodyTouched(t *testing.T) {
	w := newTill(t)
	var idle []string
	for range 450 { // more than a batch
		idle = append(idle, w.cart())
	}
	claimed, used := w.cart(), w.cart()
	w.mustClaim(w.live, claimed, "order-1")
	w.clock.Pass(cart.KeepFor - time.Minute)
	if _, err := w.live.SetNote(t.Context(), identity.Caller{}, used, "still here"); err != nil {
		t.Fatal(err)
	}
	swept, err := w.live.Sweep(t.Context())
	w.must(err)
	if swept.Expired != 0 {
		t.Fatalf("before their time %d were deleted", swept.Expired)
	}
	w.clock.Pass(25 * time.Hour)
	swept, err = w.live.Sweep(t.Context())
	w.must(err)
	if swept.Expired != len(idle) {
		t.Errorf("%d were deleted, want %d", swept.Expired, len(idle))
	}
	if left := len(documents(t, w.store, "carts")); left != 2 {
		t.Errorf("%d carts are left, want the claimed one and the one in use", left)
	}
	w.complete(claimed, "order-1")
	w.clock.Pass(8 * 24 * time.Hour)
	w.sweep()
	if left := len(documents(t, w.store, "carts")); left != 1 {
		t.Errorf("%d carts are left, want the one in use", left)
	}
	w.complete(claimed, "order-1") // long forgotten, and still harmless
	w.unclaim(claimed, "order-1")
}

// A look writes nothing, but that once a day the expiry is put off.
func TestLooksDoNotWrite(t *testing.T) {
	w := newTill(t)
	id := w.cart()
	look := func() string {
		t.Helper()
		if _, err := w.live.Get(t.Context(), identity.Caller{}, id); err != nil {
			t.Fatal(err)
		}
		docs := documents(t, w.store, "carts")
		return docs[0]
	}
	before := look()
	w.clock.Pass(23 * time.Hour)
	if look() != before {
		t.Error("within a day a look has written")
	}
	w.clock.Pass(2 * time.Hour)
	after := look()
	if after == before {
		t.Error("after a day a look has not put the expiry off")
	}
	if look() != after {
		t.Error("the second look has written again")
	}
	// Nor does a change that changes nothing, or is refused.
	if _, err := w.live.SetNote(t.Context(), identity.Caller{}, id, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.live.SetNote(t.Context(), identity.Caller{}, id, "\x00"); err != nil {
		t.Fatal(err)
	}
	if look() != after {
		t.Error("a change that changes nothing has written")
	}
}

// What gives access to a cart, or names a customer, is not in the store's
// keys, nor in errors and logs.
func TestSecretsStaySecret(t *testing.T) {
	w := newTill(t)
	var log bytes.Buffer
	k, err := cart.New(t.Context(), cart.Options{
		Store: w.store, Catalog: w.shelf, Stock: w.shelf, Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	w.must(err)
	id := w.cart()
	w.mustClaim(k, id, "order-1")
	w.complete(id, "order-1")
	w.unclaim(id, "order-2")
	_, err = k.Get(t.Context(), identity.Caller{}, id)
	stored := strings.Join(documents(t, w.store, "carts"), "\n") + strings.Join(documents(t, w.store, "discounts"), "\n") +
		strings.Join(documents(t, w.store, "redemptions"), "\n")
	for _, secret := range []string{id, "ann@example.com"} {
		if strings.Contains(stored, secret) || strings.Contains(log.String(), secret) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q is found in the store, the log or an error", secret)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Get(ctx, identity.Caller{}, id); err == nil || strings.Contains(err.Error(), id) {
		t.Errorf("the error is %v", err)
	}
}

func TestRunSweepsUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shelf := carttest.NewShelf()
		s, err := docstorelocal.OpenMemory()
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		clock := clocktest.Still()
		k, err := cart.New(t.Context(), cart.Options{Store: s, Catalog: shelf, Stock: shelf, Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := k.Create(t.Context(), identity.Caller{}, cart.CreateInput{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- k.Run(ctx) }()
		time.Sleep(5 * time.Minute)
		if left := len(documents(t, s, "carts")); left != 1 {
			t.Errorf("%d carts are left, want 1", left)
		}
		clock.Pass(cart.KeepFor + 48*time.Hour)
		time.Sleep(5 * time.Minute)
		if left := len(documents(t, s, "carts")); left != 0 {
			t.Errorf("%d carts are left", left)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	})
}

func TestRulesThatCannotBe(t *testing.T) {
	rules := cart.DefaultRules("EUR", "DE")
	rules.Taxes["DE"] = cart.Tax{Standard: -5}
	_, err := cart.New(t.Context(), cart.Options{Store: docstoretest.Memory(t), Rules: rules})
	if !errors.Is(err, cart.ErrRules) || fault.Of(err).Details["field"] != "taxes.DE" {
		t.Errorf("the error is %v", err)
	}
}

func TestShopInAnotherCurrency(t *testing.T) {
	shelf, clock := carttest.NewShelf(), clocktest.Still()
	k, err := cart.New(t.Context(), cart.Options{Store: docstoretest.Memory(t), Catalog: shelf, Stock: shelf, Now: clock.Now, Rules: cart.DefaultRules("USD", "US")})
	if err != nil {
		t.Fatal(err)
	}
	r, err := k.Create(t.Context(), identity.Caller{}, cart.CreateInput{Lines: []cart.LineInput{{VariantID: "mug", Quantity: 1}}})
	if err != nil || len(r.Problems) != 1 || r.Problems[0].Code != cart.CodeUnknownMerchandise {
		t.Errorf("a price in euro: %+v, %v", r, err)
	}
	for _, d := range cart.DemoDiscounts("USD") {
		if _, err := k.PutDiscount(t.Context(), program, d); err != nil {
			t.Errorf("%s: %v", d.Code, err)
		}
	}
}
