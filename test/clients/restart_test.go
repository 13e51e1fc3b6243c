package clients

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
	"ordergraph/test/shop"
)

// A client with nothing but graphql-ws and its retries watches orders while
// the gateway is killed, Redis is emptied and Redis is killed: it sees how
// each order ends, and no version twice.
func TestRestarts(t *testing.T) {
	needNode(t)
	s := shop.Start(t, shop.Six)
	s.Fill([]feed.Product{shop.Thing("lamp", 8990, feed.Level{Warehouse: inventory.DefaultWarehouse, OnHand: 50})})
	variant := s.Variant("lamp")

	for what, trouble := range map[string]struct {
		before func() // while the order waits for the bank
		after  func() // when the customer has confirmed there
	}{
		"the gateway is killed": {func() { s.Kill("graph") }, func() { s.Start("graph") }},
		"Redis is emptied":      {func() { s.Redis.FlushAll(t) }, func() {}},
		"Redis is killed":       {func() { s.Redis.Stop() }, func() { s.Redis.Restart(t) }},
		"everything is killed": {
			func() {},
			func() {
				for _, name := range s.Names() {
					s.Kill(name)
				}
				for _, name := range s.Names() {
					s.Start(name)
				}
			},
		},
	} {
		t.Run(what, func(t *testing.T) {
			cart, err := s.Cart(t.Context(), shop.CartLine{MerchandiseID: variant, Quantity: 1})
			if err != nil {
				t.Fatal(err)
			}
			bought, err := s.Checkout(t.Context(), cart, "pm_card_authenticationRequired", "restart-"+strings.ReplaceAll(what, " ", "-"))
			if err != nil || bought.Order == nil || bought.Order.Payment == nil {
				t.Fatalf("%+v, %v", bought, err)
			}
			watcher := start(t, ".", []string{"SHOP_URL=" + s.URL, "ORDER=" + bought.Order.ID, "TOKEN=" + bought.AccessToken}, "node", "watch.mjs")
			watcher.waitFor("PAYING")
			trouble.before()
			confirm(t, bought.Order.Payment.ActionURL)
			trouble.after()
			s.WaitReady()
			watcher.waitFor("CONFIRMED")

			var now *shop.Order
			s.Eventually(time.Minute, "the order is read", func() (err error) {
				now, err = s.Order(t.Context(), bought.Order.ID, bought.AccessToken)
				if err == nil && now == nil {
					err = fmt.Errorf("there is no order")
				}
				return err
			})
			if seen := watcher.output(); !strings.Contains(seen, "\nCONFIRMED ") || now.Version < bought.Order.Version {
				t.Errorf("version %d; the client saw\n%s", now.Version, seen)
			}
		})
	}
}

// confirm is the customer saying yes at the bank, and not being led back to
// the shop, which may be away.
func confirm(t *testing.T, page string) {
	t.Helper()
	alone := &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := alone.PostForm(page, url.Values{"decision": {"confirm"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("the bank answers %s", resp.Status)
	}
}
