// Package journey buys things the way a front end does, over GraphQL, from the
// real program in one process and in six, while things go wrong.
//
// Journeys of one customer wait most of the time, and are taken beside each
// other; those of crowds have the machine to themselves.
package journey

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/services/catalog/demo"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

func here(units int64) feed.Level {
	return feed.Level{Warehouse: inventory.DefaultWarehouse, OnHand: units}
}

func there(units int64) feed.Level { return feed.Level{Warehouse: "rotterdam", OnHand: units} }

// patience is how long a journey waits for anything: far longer than it takes,
// so that a busy machine is never mistaken for a broken shop.
const patience = 5 * time.Minute

// limited ends before the test's own deadline, so that a journey that hangs says where.
func limited(t *testing.T, most time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), most)
	t.Cleanup(cancel)
	return ctx
}

func TestPurchase(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill(demo.Products(40, "EUR"))

		// The customer looks for something, with a typo, and finds it.
		var found struct {
			Products struct {
				Nodes []struct {
					Handle   string
					Variants struct {
						Nodes []struct {
							ID                string
							AvailableForSale  bool
							QuantityAvailable int
							Price             struct{ Amount string }
						}
					}
				}
			}
		}
		variant, before := "", 0
		s.Eventually(patience, "the catalogue has heard what is in stock", func() error {
			s.Do(`{ products(first: 5, query: "harbor mug") { nodes { handle variants(first: 10) { nodes { id availableForSale quantityAvailable price { amount } } } } } }`, nil, &found)
			if len(found.Products.Nodes) == 0 || found.Products.Nodes[0].Handle != "harbour-mug" {
				return fmt.Errorf("found %+v", found)
			}
			for _, v := range found.Products.Nodes[0].Variants.Nodes {
				if v.AvailableForSale && v.QuantityAvailable > 2 {
					variant, before = v.ID, v.QuantityAvailable
					return nil
				}
			}
			return fmt.Errorf("nothing to buy: %+v", found)
		})

		cart, err := s.Cart(t.Context(), shop.CartLine{MerchandiseID: variant, Quantity: 2})
		if err != nil {
			t.Fatal(err)
		}
		bought, err := s.Settle(limited(t, patience), cart, "pm_card_visa", "purchase-0001")
		if err != nil || bought.Order == nil || bought.Order.Status != "CONFIRMED" || len(bought.UserErrors) > 0 || len(bought.AccessToken) < 16 {
			t.Fatalf("checkout: %+v, %v", bought, err)
		}

		// The same key gives the same answer; the cart is gone.
		again, err := s.Checkout(t.Context(), cart, "pm_card_visa", "purchase-0001")
		if err != nil || again.Order == nil || again.Order.ID != bought.Order.ID || again.AccessToken != bought.AccessToken {
			t.Errorf("again: %+v, %v", again, err)
		}
		var left struct{ Cart *struct{ ID string } }
		if s.Do(`query ($id: ID!) { cart(id: $id) { id } }`, map[string]any{"id": cart}, &left); left.Cart != nil {
			t.Error("the cart is still there")
		}

		// A guest sees the order with its token, and nobody without.
		if o, err := s.Order(t.Context(), bought.Order.ID, bought.AccessToken); err != nil || o == nil || o.Status != "CONFIRMED" {
			t.Errorf("order: %+v, %v", o, err)
		}
		for _, token := range []string{"", "wrong", strings.ToLower(bought.AccessToken) + "x"} {
			if o, err := s.Order(t.Context(), bought.Order.ID, token); err != nil || o != nil {
				t.Errorf("token %q shows %+v, %v", token, o, err)
			}
		}
		var now struct {
			Node struct{ QuantityAvailable int }
		}
		s.Do(`query ($id: ID!) { node(id: $id) { ... on ProductVariant { quantityAvailable } } }`, map[string]any{"id": variant}, &now)
		if now.Node.QuantityAvailable != before-2 {
			t.Errorf("%d were there, 2 sold, %d are left", before, now.Node.QuantityAvailable)
		}
		s.MoneyMatches(map[string]shop.Paid{bought.Order.Key(): bought.Order.Paid()})
		s.Check()

		// It is called off: the stock and the money go back.
		var cancelled struct {
			OrderCancel struct {
				Order      *shop.Order
				UserErrors []shop.UserError
			}
		}
		s.Do(`mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { order { id status timeline { status } } userErrors { code field message } } }`,
			map[string]any{"input": map[string]any{"orderId": bought.Order.ID, "accessToken": bought.AccessToken, "reason": "changed my mind"}}, &cancelled)
		if len(cancelled.OrderCancel.UserErrors) > 0 {
			t.Errorf("cancel: %+v", cancelled)
		}
		s.Eventually(patience, "the money is back", func() error {
			o, err := s.Order(t.Context(), bought.Order.ID, bought.AccessToken)
			if err == nil && o.Status != "REFUNDED" {
				err = fmt.Errorf("%s", o.Status)
			}
			return err
		})
		s.Do(`query ($id: ID!) { node(id: $id) { ... on ProductVariant { quantityAvailable } } }`, map[string]any{"id": variant}, &now)
		if now.Node.QuantityAvailable != before {
			t.Errorf("%d were there, %d are there again", before, now.Node.QuantityAvailable)
		}
		s.MoneyMatches(nil)
		s.Check()
		s.KeepsSecrets("ada@example.com", "+491701234567", "Hafenstrasse", bought.AccessToken, "sk_test_sandbox", "whsec_sandbox", "journey-secret", cart[strings.LastIndexByte(cart, '/')+1:])
	})
}

func TestCards(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("lamp", 8990, here(50))})
		variant := s.Variant("lamp")
		orders := map[string]shop.Paid{}
		for card, want := range map[string]string{
			"pm_card_visa":                                 "CONFIRMED",
			"pm_card_mastercard":                           "CONFIRMED",
			"pm_card_visa_chargeDeclined":                  "FAILED CARD_DECLINED",
			"pm_card_visa_chargeDeclinedInsufficientFunds": "FAILED INSUFFICIENT_FUNDS",
			"pm_card_answerLost":                           "CONFIRMED",
			"pm_card_slow":                                 "CONFIRMED",
			"pm_card_processorDown":                        "CONFIRMED",
		} {
			o, err := s.Buy(limited(t, patience), variant, card, "cards-"+card)
			if err != nil {
				t.Fatalf("%s: %v", card, err)
			}
			if got := strings.TrimSpace(o.Status + " " + o.Reason); got != want {
				t.Errorf("%s: %s, want %s", card, got, want)
			}
			orders[o.Key()] = o.Paid()
		}
		if n := s.Available("lamp"); n != 45 {
			t.Errorf("5 of 50 are sold and %d are left", n)
		}
		s.MoneyMatches(orders)
		s.Check()
	})
}

func TestCustomerConfirmsAtTheBank(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("lamp", 8990, here(5))})
		variant := s.Variant("lamp")
		orders := map[string]shop.Paid{}
		for press, want := range map[string]string{"confirm": "CONFIRMED", "refuse": "FAILED"} {
			cart, err := s.Cart(t.Context(), shop.CartLine{MerchandiseID: variant, Quantity: 1})
			if err != nil {
				t.Fatal(err)
			}
			bought, err := s.Settle(limited(t, patience), cart, "pm_card_authenticationRequired", "bank-"+press)
			if err != nil || bought.Order == nil || bought.Order.Status != "PAYING" || bought.Order.Payment == nil || bought.Order.Payment.ActionURL == "" {
				t.Fatalf("checkout: %+v, %v", bought, err)
			}
			page, err := url.Parse(bought.Order.Payment.ActionURL)
			if err != nil {
				t.Fatal(err)
			}
			s.PressAtBank(page.String(), press)
			var order *shop.Order
			s.Eventually(patience, "the order hears of it", func() error {
				if order, err = s.Order(t.Context(), bought.Order.ID, bought.AccessToken); err == nil && order.Status != want {
					err = fmt.Errorf("%s", order.Status)
				}
				return err
			})
			orders[order.Key()] = order.Paid()
		}
		if n := s.Available("lamp"); n != 4 {
			t.Errorf("1 of 5 is sold and %d are left", n)
		}
		s.MoneyMatches(orders)
		s.Check()
	})
}

func TestFiveHundredBuyersForFiftyUnits(t *testing.T) {
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(30), there(20))})
		orders := buyers(t, s, 500, s.Variant("mug"), "crowd", nil)
		settled(t, s, orders)
		wantSold(t, s, orders, 50)
	})
}

// buyers buy one unit each, all at once. Each makes its cart first, while
// there is stock, and then all check out together.
func buyers(t *testing.T, s *shop.Shop, n int, variant, word string, meanwhile func()) []shop.Order {
	t.Helper()
	ctx := limited(t, patience)
	carts := make([]string, n)
	var all sync.WaitGroup
	for i := range carts {
		all.Go(func() {
			var err error
			if carts[i], err = s.PatientCart(ctx, variant); err != nil {
				t.Errorf("buyer %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	orders := make([]shop.Order, n)
	for i := range orders {
		all.Go(func() {
			var err error
			if orders[i], err = s.Finish(ctx, carts[i], "pm_card_visa", shop.Key(word, i)); err != nil {
				t.Errorf("buyer %d: %v", i, err)
			}
		})
	}
	if meanwhile != nil {
		meanwhile()
	}
	all.Wait()
	return orders
}

// settled checks money and the invariants once all orders have ended.
func settled(t *testing.T, s *shop.Shop, orders []shop.Order) {
	t.Helper()
	paid := map[string]shop.Paid{}
	for _, o := range orders {
		if _, twice := paid[o.Key()]; twice {
			t.Errorf("order %s was given to two buyers", o.ID)
		}
		paid[o.Key()] = o.Paid()
	}
	s.MoneyMatches(paid)
	s.Check()
}

// wantSold checks what became of orders for one mug each, of which there were
// so many: all are sold, or everybody has one, and the rest is back on the
// shelf. Only an order that did not get on in time, which on a busy machine is
// nobody's fault, may leave a unit unsold; no more than that.
func wantSold(t *testing.T, s *shop.Shop, orders []shop.Order, units int) {
	t.Helper()
	n := shop.Count(orders)
	t.Log(n)
	sold, late := n["CONFIRMED"], n["FAILED TIMEOUT"]+n["FAILED PAYMENT_UNAVAILABLE"]
	if most := min(units, len(orders)); sold == 0 || sold > most || sold+late < most || sold+n["FAILED OUT_OF_STOCK"]+late != len(orders) {
		t.Errorf("%d units, %d orders: %v", units, len(orders), n)
	}
	s.Eventually(patience, "what was reserved and not sold is back", func() error {
		if n := s.Available("mug"); n != units-sold {
			return fmt.Errorf("%d sold of %d and %d left", sold, units, n)
		}
		return nil
	})
}

func TestTwoLinesOfOneSKU(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(2))})
		variant := s.Variant("mug")
		cart, err := s.Cart(t.Context(),
			shop.CartLine{MerchandiseID: variant, Quantity: 1},
			shop.CartLine{MerchandiseID: variant, Quantity: 1, Attributes: []map[string]any{{"key": "engraving", "value": "Ada"}}})
		if err != nil {
			t.Fatal(err)
		}
		s.Adjust("MUG", inventory.DefaultWarehouse, 1)
		bought, err := s.Settle(limited(t, patience), cart, "pm_card_visa", "two-lines-1")
		if err != nil || bought.Order != nil && bought.Order.Status != "FAILED" || len(bought.UserErrors) == 0 {
			t.Fatalf("checkout: %+v, %v", bought, err)
		}
		if n := s.Available("mug"); n != 1 {
			t.Errorf("%d are left", n)
		}
		s.MoneyMatches(nil)
		s.Check()
	})
}

func TestOneKeyTwentyTimesAtOnce(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(50))})
		cart, err := s.Cart(t.Context(), shop.CartLine{MerchandiseID: s.Variant("mug"), Quantity: 1})
		if err != nil {
			t.Fatal(err)
		}
		answers := make([]shop.Bought, 20)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				var err error
				if answers[i], err = s.Settle(limited(t, patience), cart, "pm_card_visa", "one-key-for-all"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		first := answers[0]
		for _, a := range answers {
			if a.Order == nil || a.Order.ID != first.Order.ID || a.Order.Status != "CONFIRMED" || a.AccessToken != first.AccessToken {
				t.Errorf("%+v", a)
			}
		}
		if n := s.Available("mug"); n != 49 {
			t.Errorf("%d are left", n)
		}
		s.MoneyMatches(map[string]shop.Paid{first.Order.Key(): first.Order.Paid()})
		s.Check()
	})
}

func TestAnswersOfTheProcessorAreLost(t *testing.T) {
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(40), there(40))})
		s.Faults(map[string]any{"lost": 0.2})
		orders := buyers(t, s, 60, s.Variant("mug"), "lost", nil)
		settled(t, s, orders)
		wantSold(t, s, orders, 80)
	})
}

// TestKilledInTheMiddle kills every process of the shop, one after another and
// again, while sixty customers buy fifty units, and forgets all of Redis.
func TestKilledInTheMiddle(t *testing.T) {
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(25), there(25))})
		orders := buyers(t, s, 60, s.Variant("mug"), "killed", func() { killEach(t, s) })
		s.WaitReady()
		settled(t, s, orders)
		wantSold(t, s, orders, 50)
	})
}

func killEach(t *testing.T, s *shop.Shop) {
	for _, name := range s.Names() {
		time.Sleep(150 * time.Millisecond) // into the middle of something
		s.Kill(name)
		if s.Redis != nil {
			s.Redis.FlushAll(t)
		}
		s.Start(name)
	}
}

// TestRedisForgets empties Redis again and again, and takes it away for a
// while, while customers buy.
func TestRedisForgets(t *testing.T) {
	s := shop.Start(t, shop.Six)
	s.Fill([]feed.Product{shop.Thing("mug", 1690, here(100))})
	orders := buyers(t, s, 40, s.Variant("mug"), "forgets", func() {
		for range 10 {
			s.Redis.FlushAll(t)
			time.Sleep(50 * time.Millisecond)
		}
		s.Redis.Stop()
		time.Sleep(2 * time.Second)
		s.Redis.Restart(t)
	})
	settled(t, s, orders)
	wantSold(t, s, orders, 100)
}

// TestMongo runs the shop on a MongoDB server with two copies of every
// service, kills one copy after the other, and sells no more than there is.
func TestMongo(t *testing.T) {
	s := shop.Start(t, shop.Mongo)
	s.Fill([]feed.Product{shop.Thing("mug", 1690, here(20), there(20))})
	orders := buyers(t, s, 60, s.Variant("mug"), "mongo", func() { killEach(t, s) })
	s.WaitReady()
	settled(t, s, orders)
	wantSold(t, s, orders, 40)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := shop.Start(t, shop.One)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, "/nothing": 404} {
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}
