package order_test

import (
	"encoding/base64"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/identity"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// A cursor is the client's: one that was tampered with shows nobody else's orders.
func TestForgedCursors(t *testing.T) {
	s := ordertest.New(t)
	s.Receive("mug", map[string]int64{"berlin": 50})
	buy := func(customer string) {
		if _, err := s.Orders.Checkout(background, identity.Caller{CustomerID: customer}, s.Input(s.Cart("mug"))); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []string{"ada", "ada", "bob", "cleo"} {
		buy(c)
	}
	bob := identity.Caller{CustomerID: "bob"}
	page, err := s.Orders.List(background, bob, order.ListQuery{Limit: 1})
	if err != nil || len(page.Orders) != 1 {
		t.Fatal(page, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(page.Cursors[0])
	if err != nil {
		t.Fatal(err)
	}
	values, err := bson.RawArray(raw).Values()
	if err != nil {
		t.Fatal(err)
	}
	for _, customer := range []string{"", "aa", "ada", "adb", "bob", "c", "cleo", "zz"} {
		forged := bson.A{values[0], customer, values[2], "zzzz"}
		_, data, err := bson.MarshalValue(forged)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Orders.List(background, bob, order.ListQuery{Limit: 100, After: base64.RawURLEncoding.EncodeToString(data)})
		t.Logf("%q: %d orders, %v", customer, len(page.Orders), err)
		for _, o := range page.Orders {
			if o.CustomerID != "bob" {
				t.Errorf("%q shows an order of %s", customer, o.CustomerID)
			}
		}
	}
}
