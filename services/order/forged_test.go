package order_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/identity"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// A cursor is the client's: one that was tampered with shows nobody else's orders.
func TestForgedCursors(t *testing.T) {
	s := ordertest.New(t)
	s.Receive("mug", map[string]int64{"berlin": 50})
	others := ""
	for _, customer := range []string{"ada", "ada", "bob", "cleo"} {
		got, err := s.Orders.Checkout(background, identity.Caller{CustomerID: customer}, s.Input(s.Cart("mug")))
		if err != nil {
			t.Fatal(err)
		}
		others = got.Order.ID
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
	var honest struct {
		Print int64 `bson:"p"`
	}
	if err := bson.Unmarshal(raw, &honest); err != nil || honest.Print == 0 {
		t.Fatal("what a cursor is made of has changed, so that this forges none:", err)
	}
	at, long := page.Orders[0].CreatedAt, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, forged := range map[string]bson.M{
		"an earlier place":   {"p": honest.Print, "t": time.Time{}, "i": "0"},
		"a later place":      {"p": honest.Print, "t": long, "i": "zzzz"},
		"another's order":    {"p": honest.Print, "t": at.Add(time.Hour), "i": others},
		"more fields":        {"p": honest.Print, "t": long, "i": "zzzz", "customerId": "ada", "status": "CONFIRMED"},
		"another list":       {"p": honest.Print + 1, "t": long, "i": "zzzz"},
		"no place":           {"p": honest.Print},
		"a number for an id": {"p": honest.Print, "t": long, "i": 7},
		"a text for a time":  {"p": honest.Print, "t": "soon", "i": "zzzz"},
		"an object":          {"p": honest.Print, "t": long, "i": bson.M{"$gt": ""}},
		"nothing":            {},
	} {
		data, err := bson.Marshal(forged)
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.Orders.List(background, bob, order.ListQuery{Limit: 100, After: base64.RawURLEncoding.EncodeToString(data)})
		t.Logf("%s: %d orders, %v", name, len(page.Orders), err)
		for _, o := range page.Orders {
			if o.CustomerID != "bob" {
				t.Errorf("%s shows an order of %s", name, o.CustomerID)
			}
		}
		if err != nil && !errors.Is(err, order.ErrCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
