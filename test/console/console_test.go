// Package console works in a real shop with a real browser.
package console

import (
	"embed"
	"os"
	"sync"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
	"ordergraph/services/catalog/demo"
	"ordergraph/test/browser"
	"ordergraph/test/shop"
)

func TestMain(m *testing.M) {
	code := m.Run()
	shop.Clean()
	os.Exit(code)
}

const password = "a harbour at dawn"

// The stories are part of the test, which has another result when they change.
//
//go:embed *.mjs stories package-lock.json
var _ embed.FS

// What is done about orders, and how all of them go.
func TestOrders(t *testing.T) {
	tell(t, "list", "order", "phone", "letters", "board")
}

// What is done with goods and for people.
func TestHouse(t *testing.T) {
	tell(t, "door", "warehouse", "stock", "products", "people")
}

var ready sync.Once

// tell tells stories in one shop, one after another: they count what is in it.
// Browsers wait most of the time, so that two shops are no more work than one.
func tell(t *testing.T, stories ...string) {
	t.Parallel()
	chromium := browser.Find(t)
	ready.Do(func() {
		// Before the program: it takes the console in as it is built.
		browser.Web(t)
		browser.Run(t, ".", "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
	})
	s := shop.Start(t, shop.One)
	s.Fill(demo.Products(20, "EUR"))
	accounts := shop.Dial(s, accountrpc.Contract)
	for _, role := range []identity.Role{identity.Customer, identity.Support, identity.Warehouse, identity.Merchant, identity.Admin} {
		_, err := accounts.CreateStaff(t.Context(), identity.Ourselves(), account.StaffInput{
			Email: string(role) + "@example.com", Password: password, FirstName: "Robin", LastName: "Quay", Roles: []identity.Role{role},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, story := range stories {
		t.Run(story, func(t *testing.T) {
			browser.Run(t, ".", "node", "staff.mjs", s.URL, password, chromium, story, s.Processor)
		})
	}
	s.Check()
}
