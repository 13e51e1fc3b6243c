package order_test

import (
	"strings"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

// nothing is a cart service that panics whatever it is asked.
type nothing struct{ cart.Service }

// An order that makes its driver panic must not end the process: the sweeper
// would meet it again after every start.
func TestAnOrderThatPanicsIsNotTheEnd(t *testing.T) {
	store, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	now := time.Now()
	k, err := order.New(background, order.Options{Store: store, Cart: nothing{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }() // the edge that was called does that
		result, err := k.Checkout(background, identity.Caller{}, order.CheckoutInput{
			CartID: "cart", IdempotencyKey: "panic-0001", Email: "ada@example.com", PaymentMethod: "pm_card_visa",
			ShippingAddress: order.Address{LastName: "Lovelace", Address1: "Hauptstr. 1", City: "Berlin", Zip: "10115", Country: "DE"},
		})
		t.Errorf("no panic: %+v, %v", result, err)
	}()
	now = now.Add(time.Minute)
	if n, err := k.Sweep(background); n != 1 || err == nil || !strings.Contains(err.Error(), "panic") {
		t.Errorf("%d swept: %v", n, err)
	}
}

func TestWorkersOutlivePanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var trap docstoretest.Trap
		k, err := order.New(background, order.Options{Store: trap.Wrap(docstoretest.Memory(t))})
		if err != nil {
			t.Fatal(err)
		}
		trap.Outlived(t, k.Run)
	})
}
