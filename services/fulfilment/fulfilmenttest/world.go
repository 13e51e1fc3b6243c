// Package fulfilmenttest is what every fulfilment service must do, whichever
// way it is reached, and a shop with warehouses and the sandbox's carrier to
// try it in.
package fulfilmenttest

import (
	"context"
	"testing"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/sandbox/carrier"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/httpcarrier"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/test/memnet"
)

// Secret is what the shop and its carrier share.
const Secret = "carrier_fulfilmenttest"

// Ada and Bob work in the warehouse.
var (
	Ada = identity.Caller{CustomerID: "ada", Roles: []identity.Role{identity.Warehouse}}
	Bob = identity.Caller{CustomerID: "bob", Roles: []identity.Role{identity.Warehouse}}
)

var background = context.Background()

// A World is a shop that sends what it sells. There is no bus: Tell does what
// facts would.
type World struct {
	*ordertest.Shop
	Carrier *carrier.Carrier
	Parcels *fulfilment.Keeper

	t       testing.TB
	sending *sending
	client  *httpcarrier.Carrier
	parcels docstore.Store
	auto    time.Duration
}

// sending is there before the service is.
type sending struct{ order.Fulfilment }

// Setting changes how a World is built.
type Setting func(*World)

// Auto lets the program pick, pack and ship by itself.
func Auto(after time.Duration) Setting { return func(w *World) { w.auto = after } }

// New opens a world in which there are mugs in Berlin and Hamburg.
func New(t testing.TB, settings ...Setting) *World {
	t.Helper()
	w := &World{t: t, sending: &sending{}, parcels: docstoretest.Memory(t)}
	for _, set := range settings {
		set(w)
	}
	w.Shop = ordertest.New(t, ordertest.Sending(w.sending))
	var err error
	w.Carrier, err = carrier.New(background, carrier.Options{Store: docstoretest.Memory(t), Secret: Secret, Public: "http://carrier.example", Step: time.Minute, Now: w.Clock.Now})
	w.Must(err)
	w.client, err = httpcarrier.New(httpcarrier.Options{URL: "http://localhost", Secret: Secret, Dial: memnet.Serve(t, w.Carrier)})
	w.Must(err)
	t.Cleanup(w.client.Close)
	w.Restart(nil)
	w.Receive("mug", map[string]int64{"berlin": 3, "hamburg": 1000})
	return w
}

// Restart builds all services anew on their stores, as a process that starts
// does. With a reaper they are mortal.
func (w *World) Restart(reaper *docstoretest.Reaper) {
	w.t.Helper()
	w.Shop.Start(reaper)
	store := w.parcels
	if reaper != nil {
		store = reaper.Wrap(store)
	}
	var err error
	w.Parcels, err = fulfilment.New(background, fulfilment.Options{
		Store: store, Orders: w.Orders, Inventory: w.Stock, Carrier: w.client, Auto: w.auto, Call: 2 * time.Second, Now: w.Clock.Now,
	})
	w.Must(err)
	w.sending.Fulfilment = w.Parcels
}

// Must fails the test with an error.
func (w *World) Must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Sold is an order that is confirmed, and its consignments.
func (w *World) Sold(what ...any) (order.CheckoutResult, []fulfilment.Consignment) {
	w.t.Helper()
	got := w.Buy(w.Input(w.Cart(what...)))
	if got.Order.Status != order.Confirmed {
		w.t.Fatalf("the order is %s", got.Order.Status)
	}
	w.Tell(got.Order.ID)
	return got, w.Consignments(got.Order.ID)
}

// Tell does what the facts about an order do, both ways.
func (w *World) Tell(orderID string) {
	w.t.Helper()
	w.Must(w.Parcels.Open(background, orderID))
	p, err := w.Parcels.Progress(background, ordertest.Ourselves, orderID)
	w.Must(err)
	w.Must(w.Orders.Advance(background, orderID, p))
}

// Consignments of an order.
func (w *World) Consignments(orderID string) []fulfilment.Consignment {
	w.t.Helper()
	all, err := w.Parcels.OfOrder(background, ordertest.Ourselves, orderID, "")
	w.Must(err)
	return all
}

// Drive lets time pass, parcels move and everybody sweep, so many minutes.
func (w *World) Drive(minutes int) {
	w.t.Helper()
	for range minutes {
		w.Clock.Pass(time.Minute)
		if err := w.Carrier.Move(background); err != nil {
			w.t.Logf("carrier: %v", err)
		}
		if _, err := w.Parcels.Sweep(background); err != nil {
			w.t.Logf("fulfilment's sweep: %v", err)
		}
	}
}

// WantSound fails the test unless an audit finds nothing.
func (w *World) WantSound() {
	w.t.Helper()
	report, err := w.Parcels.Audit(background, ordertest.Ourselves, "")
	w.Must(err)
	for _, f := range report.Findings {
		w.t.Errorf("audit: %+v", f)
	}
}

// OnHand is how many units of the mug lie in the warehouse.
func (w *World) OnHand(warehouse string) int64 {
	w.t.Helper()
	levels, err := w.Stock.Levels(background, []string{"sku-mug"})
	w.Must(err)
	for _, l := range levels["sku-mug"].Levels {
		if l.Warehouse == warehouse {
			return l.OnHand
		}
	}
	return 0
}
