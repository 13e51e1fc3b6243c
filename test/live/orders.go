package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"ordergraph/graph/gid"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

// orders are the order service as far as subscriptions need it, with orders
// in memory: it is the gateway that is measured, and not a store.
type orders struct {
	order.Service // the rest of it is not called
	everyones     *watched
	all           []*watched // one for each client
	byID          map[string]*watched
}

// A watched order changes as often as told and remembers when.
type watched struct {
	id, global, token string

	mu      sync.Mutex
	current order.Order // its slices are never written to
	changed [16]time.Time
}

func newOrders(n int) *orders {
	all := &orders{byID: make(map[string]*watched, n+1)}
	for i := range n + 1 {
		w := newWatched(fmt.Sprintf("0198%08x", i))
		all.byID[w.id] = w
		if i == 0 {
			all.everyones = w
			continue
		}
		all.all = append(all.all, w)
	}
	return all
}

func newWatched(id string) *watched {
	euro := func(minor int64) money.Amount { return money.Of(minor, "EUR") }
	began := time.Now().UTC().Truncate(time.Millisecond)
	line := func(n string, price int64) cart.Line {
		return cart.Line{
			ID: n, Quantity: 1, Available: true, Subtotal: euro(price), Total: euro(price), TaxRate: 1900, Tax: euro(price * 19 / 119), Discount: euro(0),
			Item: cart.Item{
				VariantID: "v-" + n, ProductID: "p-" + n, SKU: "HARBOUR-MUG-" + n, Title: "Harbour Mug", VariantTitle: "Blue / Large", Handle: "harbour-mug-" + n,
				Vendor: "Tidal", ImageURL: "/pictures/harbour-mug.svg", Options: []cart.Option{{Name: "Colour", Value: "Blue"}, {Name: "Size", Value: "Large"}},
				Price: euro(price), RequiresShipping: true, Taxable: true,
			},
		}
	}
	address := order.Address{FirstName: "Ada", LastName: "Lovelace", Address1: "Hafenstrasse 1", City: "Hamburg", Zip: "20359", Country: "DE"}
	o := order.Order{
		ID: id, Number: "K7M2-" + id[len(id)-4:], Version: 1, Status: order.Confirmed, CreatedAt: began, UpdatedAt: began,
		Email: "ada@example.com", Locale: "en", ShippingAddress: address, BillingAddress: address,
		Quote: cart.Quote{
			CartID: "cart-" + id, Lines: []cart.Line{line("1", 1999), line("2", 2499)}, ShippingTax: euro(78), ShippingTaxRate: 1900,
			Rate: &cart.ShippingRate{Handle: "standard", Title: "Standard", Price: euro(490), MinDays: 2, MaxDays: 4},
			Cost: cart.Cost{Currency: "EUR", Subtotal: euro(4498), Discount: euro(0), Shipping: euro(490), Tax: euro(796), Total: euro(4988), TaxIncluded: true},
		},
		Payment: order.PaymentView{State: "CAPTURED", Brand: "visa", Last4: "4242", Captured: euro(4988), Refunded: euro(0)},
	}
	for i, s := range []order.Status{order.Pending, order.Reserved, order.Paying, order.Confirmed} {
		o.Timeline = append(o.Timeline, order.Entry{At: began.Add(time.Duration(i) * time.Millisecond), Status: s, Cause: "the checkout went on"})
	}
	w := &watched{id: id, global: gid.Of(gid.Order, id), token: fmt.Sprintf("%032x", rand.Uint64()), current: o}
	w.changed[1] = began
	return w
}

// change makes a new version of the order, and notes when.
func (w *watched) change() order.Order {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.current.Version++
	w.current.UpdatedAt = now.UTC().Truncate(time.Millisecond)
	w.changed[w.current.Version%int64(len(w.changed))] = now
	return w.current
}

func (w *watched) now() order.Order {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current
}

// changedAt is when the order came into this version, if it is remembered.
func (w *watched) changedAt(version int64) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := int64(len(w.changed))
	return w.changed[version%n], version > w.current.Version-n
}

// Get is an order, to who shows its token.
func (s *orders) Get(_ context.Context, _ identity.Caller, id, accessToken string) (order.Order, error) {
	if w := s.byID[id]; w != nil && w.token == accessToken {
		return w.now(), nil
	}
	return order.Order{}, order.ErrNotFound
}

// Versions are the present versions of those there are.
func (s *orders) Versions(_ context.Context, _ identity.Caller, ids []string) (map[string]int64, error) {
	versions := make(map[string]int64, len(ids))
	for _, id := range ids {
		if w := s.byID[id]; w != nil {
			versions[id] = w.now().Version
		}
	}
	return versions, nil
}

// forNode is the order as the server on Node hands it out.
func (w *watched) forNode(o order.Order) ([]byte, error) {
	type step struct {
		Status order.Status `json:"status"`
		At     time.Time    `json:"at"`
		Cause  string       `json:"cause"`
	}
	timeline := make([]step, len(o.Timeline))
	for i, e := range o.Timeline {
		timeline[i] = step{e.Status, e.At, e.Cause}
	}
	return json.Marshal(map[string]any{
		"id": w.global, "accessToken": w.token, "number": o.Number, "version": o.Version, "status": o.Status, "updatedAt": o.UpdatedAt, "timeline": timeline,
		"totals": map[string]any{"totalAmount": map[string]any{"amount": o.Quote.Cost.Total.Decimal(), "currencyCode": o.Quote.Cost.Currency}},
	})
}
