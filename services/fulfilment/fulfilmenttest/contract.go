package fulfilmenttest

import (
	"errors"
	"slices"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/services/fulfilment"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// Run holds a fulfilment service to its contract. reach says how it is
// reached: itself, or by a client of it.
func Run(t *testing.T, reach func(*testing.T, *World) fulfilment.Service) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *World, fulfilment.Service)
	}{
		{"OneConsignmentPerWarehouse", onePerWarehouse},
		{"TheWholeWay", theWholeWay},
		{"ShortPick", shortPick},
		{"NothingIsFound", nothingIsFound},
		{"WhoMayDoIt", whoMayDoIt},
		{"CallOff", callOff},
		{"ComesBack", comesBack},
		{"TakesBack", takesBack},
		{"ShippedByHand", shippedByHand},
		{"TheCarrierRefuses", theCarrierRefuses},
		{"Lists", lists},
		{"BadInput", badInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := New(t)
			c.test(t, w, reach(t, w))
			w.WantSound()
		})
	}
}

func want(t *testing.T, c fulfilment.Consignment, err error, state fulfilment.State) {
	t.Helper()
	if err != nil || c.State != state {
		t.Fatalf("%s %+v, %v; want %s", c.State, c, err, state)
	}
}

// handOver brings a consignment to the carrier.
func handOver(t *testing.T, s fulfilment.Service, id string) fulfilment.Consignment {
	t.Helper()
	c, err := s.Pick(background, Ada, id)
	want(t, c, err, fulfilment.Picking)
	c, err = s.Pack(background, Ada, id, nil)
	want(t, c, err, fulfilment.Packed)
	c, err = s.Ship(background, Ada, id, fulfilment.ShipInput{})
	want(t, c, err, fulfilment.Shipped)
	return c
}

func onePerWarehouse(t *testing.T, w *World, s fulfilment.Service) {
	w.Receive("shirt", map[string]int64{"hamburg": 5})
	w.Receive("ebook", map[string]int64{"hamburg": 5})
	got, _ := w.Sold("mug", 2, "shirt", "ebook")
	w.Tell(got.Order.ID) // facts come twice
	all, err := s.OfOrder(background, identity.Caller{}, got.Order.ID, got.AccessToken)
	w.Must(err)
	if len(all) != 2 || all[0].State != fulfilment.Open || all[0].OrderNumber != got.Order.Number {
		t.Fatalf("%+v", all)
	}
	units := map[string]int64{}
	for _, c := range all {
		for _, l := range c.Lines {
			units[c.Warehouse+" "+l.SKU] += l.Quantity
		}
	}
	if len(units) != 2 || units["berlin sku-mug"] != 2 || units["hamburg sku-shirt"] != 1 {
		t.Errorf("%v", units)
	}
	if _, err := s.OfOrder(background, identity.Caller{}, got.Order.ID, "wrong"); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("a stranger is answered %v", err)
	}
	if o := w.Order(got.Order.ID); o.Status != order.Confirmed {
		t.Errorf("the order is %s", o.Status)
	}
}

func theWholeWay(t *testing.T, w *World, s fulfilment.Service) {
	w.Receive("shirt", map[string]int64{"hamburg": 5})
	got, all := w.Sold("mug", "shirt")
	id := got.Order.ID
	c, err := s.Pick(background, Ada, all[0].ID)
	want(t, c, err, fulfilment.Picking)
	w.Tell(id)
	w.WantOrder(id, order.Fulfilling, "")
	if _, err := s.Pick(background, Bob, all[0].ID); !errors.Is(err, fulfilment.ErrTaken) {
		t.Errorf("a second picker: %v", err)
	}
	if _, err := s.Pack(background, Bob, all[0].ID, nil); !errors.Is(err, fulfilment.ErrTaken) {
		t.Errorf("packed by another: %v", err)
	}
	if _, err := s.Ship(background, Ada, all[0].ID, fulfilment.ShipInput{}); !errors.Is(err, fulfilment.ErrState) {
		t.Errorf("shipped before it was packed: %v", err)
	}
	shipped := handOver(t, s, all[0].ID)
	if shipped.Tracking == nil || shipped.Tracking.Number == "" || shipped.Tracking.URL == "" || shipped.Tracking.Status != fulfilment.Booked {
		t.Errorf("tracking: %+v", shipped.Tracking)
	}
	again, err := s.Ship(background, Ada, all[0].ID, fulfilment.ShipInput{})
	want(t, again, err, fulfilment.Shipped)
	if n, err := w.Carrier.Parcels(background, all[0].ID); n != 1 || err != nil || again.Tracking.Number != shipped.Tracking.Number {
		t.Errorf("%d parcels, %v", n, err)
	}
	w.Tell(id)
	w.WantOrder(id, order.Fulfilling, "") // one of two
	handOver(t, s, all[1].ID)
	w.Tell(id)
	w.WantOrder(id, order.Shipped, "")
	w.Drive(8)
	w.Tell(id)
	o := w.WantOrder(id, order.Delivered, "")
	var causes []string
	for _, e := range o.Timeline {
		if e.Status != order.Paying {
			causes = append(causes, e.Cause)
		}
	}
	t.Log(causes)
	w.WantInvariants()
	if _, err := w.Orders.Cancel(background, ordertest.Ourselves, order.CancelInput{OrderID: id}); !errors.Is(err, order.ErrTooLate) {
		t.Errorf("called off when it had arrived: %v", err)
	}
}

func shortPick(t *testing.T, w *World, s fulfilment.Service) {
	got, all := w.Sold("mug", 5) // of Hamburg alone
	if len(all) != 1 || all[0].Warehouse != "hamburg" {
		t.Fatalf("%+v", all)
	}
	id, before := all[0].ID, w.OnHand("hamburg")
	_, err := s.Pick(background, Ada, id)
	w.Must(err)
	c, err := s.Pack(background, Ada, id, []fulfilment.Units{{SKU: "sku-mug", Quantity: 3}})
	want(t, c, err, fulfilment.Packed)
	if !c.Short() {
		t.Error("it is not short")
	}
	if _, err := s.Ship(background, Ada, id, fulfilment.ShipInput{}); !errors.Is(err, fulfilment.ErrShort) {
		t.Errorf("shipped short without saying so: %v", err)
	}
	c, err = s.Ship(background, Ada, id, fulfilment.ShipInput{Short: true})
	want(t, c, err, fulfilment.Shipped)
	parts := w.Consignments(got.Order.ID)
	if len(parts) != 2 || parts[0].Lines[0].Quantity != 3 || parts[1].State != fulfilment.Open || parts[1].Lines[0].Quantity != 2 {
		t.Fatalf("%+v", parts)
	}
	if n := w.OnHand("hamburg"); n != before-2 {
		t.Errorf("%d were on hand, 2 were not found, %d are", before, n)
	}
	w.Tell(got.Order.ID)
	w.WantOrder(got.Order.ID, order.Fulfilling, "")
	handOver(t, s, parts[1].ID)
	w.Tell(got.Order.ID)
	w.WantOrder(got.Order.ID, order.Shipped, "")
	if n := w.OnHand("hamburg"); n != before-2 {
		t.Errorf("corrected twice: %d", n)
	}
}

func nothingIsFound(t *testing.T, w *World, s fulfilment.Service) {
	got, all := w.Sold("mug", 2)
	id, before := all[0].ID, w.OnHand(all[0].Warehouse)
	_, err := s.Pick(background, Ada, id)
	w.Must(err)
	c, err := s.Pack(background, Ada, id, []fulfilment.Units{})
	want(t, c, err, fulfilment.Packed)
	if _, err := s.Ship(background, Ada, id, fulfilment.ShipInput{Short: true}); !errors.Is(err, fulfilment.ErrShort) {
		t.Errorf("an empty parcel: %v", err)
	}
	o, err := w.Orders.Cancel(background, ordertest.Ourselves, order.CancelInput{OrderID: got.Order.ID, Reason: "lost"})
	w.Must(err)
	if o.Status != order.Refunded {
		t.Errorf("%s", o.Status)
	}
	// The sale is undone, and the two that were never there go off the books;
	// while the shelf held only one, that had to wait.
	w.Drive(2)
	if n := w.OnHand(all[0].Warehouse); n != before {
		t.Errorf("%d are on hand, want %d", n, before)
	}
}

func whoMayDoIt(t *testing.T, w *World, s fulfilment.Service) {
	_, all := w.Sold("mug")
	id := all[0].ID
	for _, do := range []func(identity.Caller) error{
		func(who identity.Caller) error { _, err := s.List(background, who, fulfilment.ListQuery{}); return err },
		func(who identity.Caller) error { _, err := s.Pick(background, who, id); return err },
		func(who identity.Caller) error { _, err := s.Pack(background, who, id, nil); return err },
		func(who identity.Caller) error {
			_, err := s.Ship(background, who, id, fulfilment.ShipInput{})
			return err
		},
		func(who identity.Caller) error { _, err := s.Deliver(background, who, id); return err },
		func(who identity.Caller) error { _, err := s.Fail(background, who, id, ""); return err },
		func(who identity.Caller) error { _, err := s.Return(background, who, id, nil); return err },
	} {
		if identitytest.Needs(t, identity.OrdersFulfil, do) == 0 {
			t.Error("nobody may")
		}
	}
	identitytest.Needs(t, identity.OrdersRead, func(who identity.Caller) error { _, err := s.Progress(background, who, all[0].OrderID); return err })
	identitytest.Needs(t, identity.OperationsRead, func(who identity.Caller) error { _, err := s.Audit(background, who, ""); return err })
	identitytest.OnlyTheProgram(t, func(who identity.Caller) error { return s.CallOff(background, who, "no-such-order") })
	identitytest.OnlyTheProgram(t, func(who identity.Caller) error { return s.TakeBack(background, who, "no-such-order", "1", nil) })
}

func callOff(t *testing.T, w *World, s fulfilment.Service) {
	got, all := w.Sold("mug", 2)
	_, err := s.Pick(background, Ada, all[0].ID)
	w.Must(err)
	w.Tell(got.Order.ID)
	if _, err := w.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken}); !errors.Is(err, order.ErrTooLate) {
		t.Errorf("a customer calls off what is being packed: %v", err)
	}
	o, err := w.Orders.Cancel(background, ordertest.Ourselves, order.CancelInput{OrderID: got.Order.ID, Reason: "sorry"})
	w.Must(err)
	if o.Status != order.Refunded {
		t.Errorf("%s", o.Status)
	}
	if c := w.Consignments(got.Order.ID)[0]; c.State != fulfilment.Cancelled {
		t.Errorf("the consignment is %s", c.State)
	}
	if _, err := s.Pack(background, Ada, all[0].ID, nil); !errors.Is(err, fulfilment.ErrState) {
		t.Errorf("packed when it was called off: %v", err)
	}
	// One that has left the house goes on, though the order knows nothing of it yet.
	other, parts := w.Sold("mug")
	handOver(t, s, parts[0].ID)
	if _, err := w.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: other.Order.ID, AccessToken: other.AccessToken}); !errors.Is(err, order.ErrTooLate) {
		t.Errorf("called off on its way: %v", err)
	}
	if o := w.WantOrder(other.Order.ID, order.Confirmed, ""); o.CancelReason != "" {
		t.Errorf("%+v", o)
	}
	// Before there are consignments: none are made any more.
	third := w.Buy(w.Input(w.Cart("mug")))
	w.Must(s.CallOff(background, ordertest.Ourselves, third.Order.ID))
	w.Must(w.Parcels.Open(background, third.Order.ID))
	if all := w.Consignments(third.Order.ID); len(all) > 0 {
		t.Errorf("%+v", all)
	}
}

func comesBack(t *testing.T, w *World, s fulfilment.Service) {
	got, all := w.Sold("mug", 3)
	id, before := all[0].ID, w.OnHand(all[0].Warehouse)
	handOver(t, s, id)
	c, err := s.Fail(background, Ada, id, "nobody there")
	want(t, c, err, fulfilment.FailedDelivery)
	c, err = s.Return(background, Ada, id, []fulfilment.Units{{SKU: "sku-mug", Quantity: 2}}) // one is broken
	want(t, c, err, fulfilment.Returned)
	c, err = s.Return(background, Ada, id, nil)
	want(t, c, err, fulfilment.Returned)
	if n := w.OnHand(all[0].Warehouse); n != before+2 || c.Lines[0].Returned != 2 {
		t.Errorf("%d on hand, %d were: %+v", n, before, c)
	}
	w.Tell(got.Order.ID)
	w.WantOrder(got.Order.ID, order.Shipped, "")
}

func takesBack(t *testing.T, w *World, s fulfilment.Service) {
	got, all := w.Sold("mug", 3)
	id, before := all[0].ID, w.OnHand(all[0].Warehouse)
	take := func(key string, n, on int64) {
		t.Helper()
		lines := slices.Repeat([]inventory.Line{{SKU: "sku-mug", Quantity: 1}}, int(n)) // an order may have several of one SKU
		w.Must(s.TakeBack(background, ordertest.Ourselves, got.Order.ID, key, lines))
		if have := w.OnHand(all[0].Warehouse); have != before+on {
			t.Errorf("refund %s: %d on hand, %d were, want %d more", key, have, before, on)
		}
	}
	take("early", 1, 0) // nothing has left the house
	handOver(t, s, id)
	take("1", 2, 2)
	take("1", 2, 2)
	take("early", 1, 2)
	if _, err := s.Return(background, Ada, id, []fulfilment.Units{{SKU: "sku-mug", Quantity: 2}}); !errors.Is(err, fulfilment.ErrInput) {
		t.Errorf("two of the one that is left: %v", err)
	}
	c, err := s.Return(background, Ada, id, nil)
	want(t, c, err, fulfilment.Returned)
	take("2", 3, 3) // all are back
	if c := w.Consignments(got.Order.ID)[0]; c.Lines[0].Returned != 3 {
		t.Errorf("%+v", c)
	}
	if err := s.TakeBack(background, ordertest.Ourselves, "no-such-order", "1", nil); !errors.Is(err, fulfilment.ErrNotFound) {
		t.Errorf("of no order: %v", err)
	}
}

func shippedByHand(t *testing.T, w *World, s fulfilment.Service) {
	got, all := w.Sold("mug", 2)
	id := all[0].ID
	_, err := s.Pick(background, Ada, id)
	w.Must(err)
	_, err = s.Pack(background, Ada, id, nil)
	w.Must(err)
	for _, wrong := range []fulfilment.Tracking{{}, {Company: "Post"}, {Number: "1"}, {Company: "Po\nst", Number: "1"}, {Company: "Post", Number: "1", URL: "javascript:alert(1)"}} {
		if _, err := s.Ship(background, Ada, id, fulfilment.ShipInput{ByHand: &wrong}); !errors.Is(err, fulfilment.ErrInput) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	post := fulfilment.Tracking{Company: "Post", Number: "RR123456785DE", URL: "https://post.example/RR123456785DE"}
	c, err := s.Ship(background, Ada, id, fulfilment.ShipInput{ByHand: &post})
	want(t, c, err, fulfilment.Shipped)
	if c.Tracking == nil || *c.Tracking != post {
		t.Errorf("%+v", c.Tracking)
	}
	w.Tell(got.Order.ID)
	w.WantOrder(got.Order.ID, order.Shipped, "")
	w.Drive(10) // our carrier knows nothing of it
	if n, err := w.Carrier.Parcels(background, id); n != 0 || err != nil {
		t.Errorf("%d parcels were booked, %v", n, err)
	}
	want(t, w.Consignments(got.Order.ID)[0], nil, fulfilment.Shipped)
	c, err = s.Deliver(background, Ada, id)
	want(t, c, err, fulfilment.Delivered)
	w.Tell(got.Order.ID)
	w.WantOrder(got.Order.ID, order.Delivered, "")
}

func theCarrierRefuses(t *testing.T, w *World, s fulfilment.Service) {
	in := w.Input(w.Cart("mug"), func(in *order.CheckoutInput) { in.ShippingAddress.Zip = "00000" })
	got := w.Buy(in)
	w.Tell(got.Order.ID)
	id := w.Consignments(got.Order.ID)[0].ID
	_, err := s.Pick(background, Ada, id)
	w.Must(err)
	_, err = s.Pack(background, Ada, id, nil)
	w.Must(err)
	if _, err := s.Ship(background, Ada, id, fulfilment.ShipInput{}); !errors.Is(err, fulfilment.ErrCarrier) {
		t.Errorf("%v", err)
	}
	if c := w.Consignments(got.Order.ID)[0]; c.State != fulfilment.Packed || c.Problem == "" {
		t.Errorf("%+v", c)
	}
	if o, err := w.Orders.Cancel(background, ordertest.Ourselves, order.CancelInput{OrderID: got.Order.ID}); err != nil || o.Status != order.Refunded {
		t.Errorf("%s, %v", o.Status, err)
	}
}

func lists(t *testing.T, w *World, s fulfilment.Service) {
	w.Receive("shirt", map[string]int64{"hamburg": 50})
	for range 4 {
		w.Sold("mug", "shirt") // the first three mugs lie in Berlin
	}
	seen := map[string]bool{}
	after := ""
	for {
		p, err := s.List(background, Ada, fulfilment.ListQuery{After: after, Limit: 2})
		w.Must(err)
		for _, c := range p.Consignments {
			if seen[c.ID] {
				t.Errorf("%s is listed twice", c.ID)
			}
			seen[c.ID] = true
		}
		if !p.HasMore {
			break
		}
		after = p.Cursors[len(p.Cursors)-1]
	}
	if len(seen) != 7 {
		t.Errorf("%d are listed, want 7", len(seen))
	}
	p, err := s.List(background, Ada, fulfilment.ListQuery{Warehouse: "berlin"})
	if err != nil || len(p.Consignments) != 3 {
		t.Errorf("Berlin: %+v, %v", p, err)
	}
	_, err = s.Pick(background, Ada, p.Consignments[0].ID)
	w.Must(err)
	p, err = s.List(background, Ada, fulfilment.ListQuery{State: fulfilment.Picking})
	if err != nil || len(p.Consignments) != 1 {
		t.Errorf("picking: %+v, %v", p, err)
	}
}

func badInput(t *testing.T, w *World, s fulfilment.Service) {
	_, all := w.Sold("mug", 2)
	id := all[0].ID
	_, err := s.Pick(background, Ada, id)
	w.Must(err)
	for _, packed := range [][]fulfilment.Units{
		{{SKU: "sku-mug", Quantity: 3}}, {{SKU: "sku-mug", Quantity: -1}}, {{SKU: "sku-other", Quantity: 1}},
		{{SKU: "sku-mug", Quantity: 2}, {SKU: "sku-mug", Quantity: 1}},
	} {
		if _, err := s.Pack(background, Ada, id, packed); !errors.Is(err, fulfilment.ErrInput) {
			t.Errorf("%+v: %v", packed, err)
		}
	}
	for _, id := range []string{"", "-", "x", "x-1", id + "x", all[0].OrderID + "-9", all[0].OrderID + "-0"} {
		if _, err := s.Pick(background, Ada, id); !errors.Is(err, fulfilment.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := s.List(background, Ada, fulfilment.ListQuery{After: "garbage"}); !errors.Is(err, fulfilment.ErrCursor) {
		t.Errorf("garbage for a cursor: %v", err)
	}
	if _, err := s.List(background, Ada, fulfilment.ListQuery{State: "ODD"}); !errors.Is(err, fulfilment.ErrInput) {
		t.Errorf("an odd state: %v", err)
	}
}
