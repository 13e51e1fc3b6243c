// Package console works in a real shop with a real browser.
package console

import (
	"os"
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

func TestConsole(t *testing.T) {
	chromium := browser.Find(t)
	// Before the program: it takes the console in as it is built.
	browser.Run(t, "../..", "make", "web")
	browser.Run(t, ".", "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
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
	for _, story := range []string{"door", "list", "order", "phone", "warehouse", "stock", "products", "letters", "people", "board"} {
		t.Run(story, func(t *testing.T) {
			browser.Run(t, ".", "node", "staff.mjs", s.URL, password, chromium, story, s.Processor)
		})
	}
	s.Check()
}
