// Package storefront shops in a real shop with a real browser.
package storefront

import (
	"embed"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/demo"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
	"ordergraph/test/browser"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

// The stories are part of the test, which has another result when they change.
//
//go:embed *.mjs stories package-lock.json
var _ embed.FS

// What customers do where people pack.
func TestCustomers(t *testing.T) {
	tell(t, []string{"guest", "account", "german", "list", "keyboard", "link", "soldout", "again"})
}

// What they do where orders are packed by themselves, and arrive.
func TestWatchers(t *testing.T) {
	tell(t, []string{"watched", "lost"}, "AUTO_FULFIL=on")
}

var ready sync.Once

// tell tells stories in one shop, one after another; browsers wait most of the
// time, so that two shops are no more work than one.
func tell(t *testing.T, stories []string, settings ...string) {
	t.Parallel()
	chromium := browser.Find(t)
	ready.Do(func() {
		// Before the program: it takes the storefront in as it is built.
		browser.Web(t)
		browser.Run(t, ".", "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	})
	s := shop.Start(t, shop.One, settings...)
	few := func(units int64) feed.Level { return feed.Level{Warehouse: inventory.DefaultWarehouse, OnHand: units} }
	s.Fill(append(demo.Products(60, "EUR"), shop.Thing("last-teapot", 2990, few(1)), shop.Thing("rare-bowl", 1290, few(3)), shop.Thing("fine-cup", 990, few(50))))
	if err := shop.Dial(s, catalogrpc.Contract).PutCollections(t.Context(), identity.Ourselves(), demo.Collections()); err != nil {
		t.Fatal(err)
	}
	for _, discount := range cart.DemoDiscounts("EUR") {
		if _, err := shop.Dial(s, cartrpc.Contract).PutDiscount(t.Context(), identity.Ourselves(), discount); err != nil {
			t.Fatal(err)
		}
	}
	control := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/kill":
			s.Kill("shop")
		case "/start":
			s.Start("shop")
			s.WaitReady()
		}
	}))
	t.Cleanup(control.Close)
	for _, story := range stories {
		t.Run(story, func(t *testing.T) {
			browser.Run(t, ".", "node", "customer.mjs", s.URL, s.Processor, control.URL, chromium, story)
		})
	}
	s.Check()
}
