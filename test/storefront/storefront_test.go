// Package storefront shops in a real shop with a real browser.
package storefront

import (
	"os"
	"testing"

	"ordergraph/services/catalog/demo"
	"ordergraph/test/browser"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

func TestCustomers(t *testing.T) {
	chromium := browser.Find(t)
	// Before the program: it takes the storefront in as it is built.
	browser.Run(t, "../..", "make", "web")
	browser.Run(t, ".", "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	s := shop.Start(t, shop.One)
	s.Fill(demo.Products(60, "EUR"))
	for _, story := range []string{"guest", "account"} {
		t.Run(story, func(t *testing.T) { browser.Run(t, ".", "node", "customer.mjs", s.URL, s.Processor, chromium, story) })
	}
	s.Check()
}
