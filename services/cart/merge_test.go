package cart_test

import (
	"context"
	"testing"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/services/cart"
)

var ann = identity.Caller{CustomerID: "ann", Roles: []identity.Role{identity.Customer}}

// wantShirts looks into a cart of shirts.
func (w *till) wantShirts(id string, want int64) {
	w.Helper()
	c, err := w.live.Get(w.Context(), ann, id)
	w.must(err)
	if len(c.Lines) != 1 || c.Lines[0].Quantity != want {
		w.Errorf("there are %+v, want %d shirts", c.Lines, want)
	}
}

func TestDeathInMerge(t *testing.T) {
	var own string
	prepare := func(w *till) string {
		r, err := w.live.Create(w.Context(), ann, cart.CreateInput{Lines: []cart.LineInput{{VariantID: "shirt", Quantity: 10}}})
		w.must(err)
		own = r.Cart.ID
		return w.cartWith()
	}
	act := func(ctx context.Context, k *cart.Keeper, id string) error {
		_, err := k.Merge(ctx, ann, id)
		return err
	}
	repeat := func(w *till, id string) {
		_, err := w.live.Merge(w.Context(), ann, id)
		w.must(err)
	}
	t.Run("Repeated", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			repeat(w, id)
			w.wantShirts(own, 11)
			w.wantShirts(id, 11)
			repeat(w, id)
			w.wantShirts(own, 11)
		})
	})
	t.Run("SweptOnly", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.sweep()
			one, err := w.live.Get(w.Context(), ann, own)
			w.must(err)
			other, err := w.live.Get(w.Context(), ann, id)
			w.must(err)
			if a, b := one.Lines[0].Quantity, other.Lines[0].Quantity; (a != 10 || b != 1) && (a != 11 || b != 11) {
				t.Errorf("%d shirts in the one, %d in the other", a, b)
			}
		})
	})
	// An order takes the customer's cart before the merge goes on: what the
	// order did not get is still the customer's.
	t.Run("Overtaken", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			_, problems, err := w.live.Claim(w.Context(), program, cart.ClaimInput{CartID: own, OrderID: "order-1", Country: "DE"})
			w.must(err)
			if len(problems) > 0 {
				t.Fatalf("%+v", problems)
			}
			repeat(w, id)
			w.sweep()
			c, err := w.live.Get(w.Context(), ann, own)
			w.must(err)
			if c.Lines[0].Quantity == 11 {
				return // it was in time
			}
			w.wantShirts(id, 1)
			w.unclaim(own, "order-1")
			repeat(w, id)
			w.wantShirts(id, 1)
			w.wantShirts(own, 10)
		})
	})
	t.Run("CartGone", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.mustClaim(w.live, own, "order-1")
			w.complete(own, "order-1")
			w.clock.Pass(8 * 24 * time.Hour)
			w.sweep()
			_, err := w.live.Get(w.Context(), ann, own)
			if err == nil {
				t.Error("a completed cart is there")
			}
		})
	})
}
