package journey

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"ordergraph/services/catalog/feed"
	"ordergraph/test/shop"
)

// Buyers whose connection ends in the middle of the checkout, at any moment,
// and who come back with the same key.
func TestBuyersHangUp(t *testing.T) {
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1999, here(20))})
		mug := s.Variant("mug")
		orders := make([]shop.Order, 30)
		var buyers sync.WaitGroup
		ctx := limited(t, patience)
		carts := make([]string, len(orders)) // while there are mugs for all
		for i := range carts {
			var err error
			if carts[i], err = s.Cart(ctx, shop.CartLine{MerchandiseID: mug, Quantity: 1}); err != nil {
				t.Fatal(err)
			}
		}
		for i, cart := range carts {
			buyers.Go(func() {
				card, key := "pm_card_visa", fmt.Sprintf("hang-up-%d", i)
				soon, hangUp := context.WithTimeout(ctx, time.Duration(i*7)*time.Millisecond)
				_, _ = s.Checkout(soon, cart, card, key)
				hangUp()
				for {
					bought, err := s.Checkout(ctx, cart, card, key)
					if err == nil && bought.Order != nil && (bought.Order.Status == "CONFIRMED" || bought.Order.Status == "FAILED") {
						orders[i] = *bought.Order
						return
					}
					if ctx.Err() != nil {
						t.Errorf("buyer %d: %+v, %v", i, bought, err)
						return
					}
					time.Sleep(50 * time.Millisecond) // as people do, rather than keep the shop from getting on with it
				}
			})
		}
		buyers.Wait()
		settled(t, s, orders)
		wantSold(t, s, orders, 20)
	})
}
