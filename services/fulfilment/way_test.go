package fulfilment_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/sandbox/carrier"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/fulfilmenttest"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

var (
	background = context.Background()
	ada        = fulfilmenttest.Ada
)

func packed(w *fulfilmenttest.World, id string) {
	_, err := w.Parcels.Pick(background, ada, id)
	w.Must(err)
	_, err = w.Parcels.Pack(background, ada, id, nil)
	w.Must(err)
}

// A booking whose answer was lost, or that found nobody, is made again with
// its key: there is one parcel.
func TestTheCarrierDoesNotAnswer(t *testing.T) {
	for name, faults := range map[string]carrier.Faults{"down": {Down: true}, "lost": {Lost: 1}} {
		t.Run(name, func(t *testing.T) {
			w := fulfilmenttest.New(t)
			got, all := w.Sold("mug")
			packed(w, all[0].ID)
			w.Must(w.Carrier.SetFaults(faults))
			c, err := w.Parcels.Ship(background, ada, all[0].ID, fulfilment.ShipInput{})
			if err != nil || c.State != fulfilment.Shipping {
				t.Fatalf("%+v, %v", c, err)
			}
			// It may be on its way: it cannot be called off.
			if _, err := w.Orders.Cancel(background, ordertest.Ourselves, order.CancelInput{OrderID: got.Order.ID}); !errors.Is(err, order.ErrTooLate) {
				t.Errorf("called off: %v", err)
			}
			w.Drive(2)
			w.Must(w.Carrier.SetFaults(carrier.Faults{}))
			w.Drive(10)
			w.Tell(got.Order.ID)
			w.WantOrder(got.Order.ID, order.Delivered, "")
			if n, err := w.Carrier.Parcels(background, all[0].ID); n != 1 || err != nil {
				t.Errorf("%d parcels were booked, %v", n, err)
			}
			w.WantSound()
			w.WantInvariants()
		})
	}
}

// Of two who reach for one consignment, one gets it; and of calling off and
// handing over at the same moment, one happens.
func TestRaces(t *testing.T) {
	w := fulfilmenttest.New(t)
	for range 10 {
		got, all := w.Sold("mug")
		id := all[0].ID
		var one, two error
		both(func() { _, one = w.Parcels.Pick(background, ada, id) }, func() { _, two = w.Parcels.Pick(background, fulfilmenttest.Bob, id) })
		if (one == nil) == (two == nil) || one != nil && !errors.Is(one, fulfilment.ErrTaken) || two != nil && !errors.Is(two, fulfilment.ErrTaken) {
			t.Fatalf("two pickers: %v, %v", one, two)
		}
		who := ada
		if one != nil {
			who = fulfilmenttest.Bob
		}
		_, err := w.Parcels.Pack(background, who, id, nil)
		w.Must(err)
		both(func() { _, one = w.Parcels.Ship(background, who, id, fulfilment.ShipInput{}) }, func() {
			_, two = w.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken})
		})
		if (one == nil) == (two == nil) || one != nil && !errors.Is(one, fulfilment.ErrState) || two != nil && !errors.Is(two, order.ErrTooLate) {
			t.Fatalf("shipped: %v, called off: %v", one, two)
		}
	}
	w.WantSound()
	w.WantInvariants()
}

func both(one, two func()) {
	var all sync.WaitGroup
	all.Go(one)
	all.Go(two)
	all.Wait()
}

// TestDeathAtEveryWrite kills the process at every write of all stores on the
// way from a confirmed order to the carrier, and wants the way finished by the
// next one, with one parcel for each consignment.
func TestDeathAtEveryWrite(t *testing.T) {
	for _, taken := range []bool{false, true} {
		w := fulfilmenttest.New(t)
		w.Receive("shirt", map[string]int64{"berlin": 1000})
		n := 1
		for ; ; n++ {
			got := w.Buy(w.Input(w.Cart("shirt", 3)))
			id := got.Order.ID
			var reaper docstoretest.Reaper
			w.Restart(&reaper)
			if taken {
				reaper.DieAfter(n)
			} else {
				reaper.DieBefore(n)
			}
			_ = way(w, id)
			died := reaper.Dead()
			w.Restart(nil)
			if err := way(w, id); err != nil {
				t.Fatalf("write %d, taken %t: asked again: %v", n, taken, err)
			}
			w.Drive(8)
			w.Tell(id)
			parts := w.Consignments(id)
			if len(parts) != 2 || parts[0].State != fulfilment.Delivered || parts[1].State != fulfilment.Open {
				t.Fatalf("write %d, taken %t: %+v", n, taken, parts)
			}
			if booked, err := w.Carrier.Parcels(background, parts[0].ID); booked != 1 || err != nil {
				t.Errorf("write %d, taken %t: %d parcels, %v", n, taken, booked, err)
			}
			if o := w.Order(id); o.Status != order.Fulfilling {
				t.Errorf("write %d, taken %t: the order is %s", n, taken, o.Status)
			}
			if !died {
				break
			}
		}
		if n < 6 {
			t.Errorf("only %d writes: this does not try what it should", n)
		}
		levels, err := w.Stock.Levels(background, []string{"sku-shirt"})
		w.Must(err)
		if have, want := levels["sku-shirt"].Available, int64(1000-4*n); have != want {
			t.Errorf("%d shirts are left, want %d: three sold and one missing, %d times", have, want, n)
		}
		w.WantSound()
		w.WantInvariants()
	}
}

// way does what people and facts do to an order of three, of which two are found.
func way(w *fulfilmenttest.World, id string) error {
	if err := w.Parcels.Open(background, id); err != nil {
		return err
	}
	first := id + "-1"
	if _, err := w.Parcels.Pick(background, ada, first); err != nil && !errors.Is(err, fulfilment.ErrState) {
		return err
	}
	if _, err := w.Parcels.Pack(background, ada, first, []fulfilment.Units{{SKU: "sku-shirt", Quantity: 2}}); err != nil && !errors.Is(err, fulfilment.ErrState) {
		return err
	}
	if _, err := w.Parcels.Ship(background, ada, first, fulfilment.ShipInput{Short: true}); err != nil {
		return err
	}
	p, err := w.Parcels.Progress(background, ordertest.Ourselves, id)
	if err != nil {
		return err
	}
	return w.Orders.Advance(background, id, p)
}

// TestDeathOfARefund kills the process at every write of all stores while
// money is given back for goods that came back, and wants both done, once.
func TestDeathOfARefund(t *testing.T) {
	support := identity.Caller{CustomerID: "sam", Roles: []identity.Role{identity.Support}}
	for _, taken := range []bool{false, true} {
		w := fulfilmenttest.New(t)
		n := 1
		for ; ; n++ {
			got := w.Buy(w.Input(w.Cart("mug", 4))) // more than Berlin has: Hamburg gives all
			id := got.Order.ID
			w.Tell(id)
			packed(w, id+"-1")
			_, err := w.Parcels.Ship(background, ada, id+"-1", fulfilment.ShipInput{})
			w.Must(err)
			w.Tell(id)
			before := w.OnHand("hamburg")
			refund := func() error {
				_, err := w.Orders.Refund(background, support, order.RefundInput{
					OrderID: id, IdempotencyKey: "refund-0001", Restock: true, Lines: []order.RefundUnits{{LineID: got.Order.Quote.Lines[0].ID, Quantity: 3}},
				})
				return err
			}
			var reaper docstoretest.Reaper
			w.Restart(&reaper)
			if taken {
				reaper.DieAfter(n)
			} else {
				reaper.DieBefore(n)
			}
			_ = refund()
			died := reaper.Dead()
			w.Restart(nil)
			if len(w.Order(id).Refunds) == 0 {
				w.Must(refund())
			}
			w.Settle(id)
			for range 20 {
				w.Drive(1)
				_, err := w.Orders.Sweep(background)
				w.Must(err)
			}
			w.Tell(id)
			o := w.Order(id)
			if have := w.OnHand("hamburg"); have != before+3 || o.Refunds[0].State != order.RefundSucceeded || w.Consignments(id)[0].Lines[0].Returned != 3 {
				t.Fatalf("write %d, taken %t: %d on hand, %d were: %+v", n, taken, have, before, o.Refunds)
			}
			if !died {
				break
			}
		}
		if n < 6 {
			t.Errorf("only %d writes: this does not try what it should", n)
		}
		w.WantSound()
		books, err := w.Orders.Audit(background, ordertest.Ourselves, "")
		if err != nil || len(books.Findings) > 0 {
			t.Errorf("%+v, %v", books, err)
		}
	}
}

// Left to itself the program does it all.
func TestAuto(t *testing.T) {
	w := fulfilmenttest.New(t, fulfilmenttest.Auto(5*time.Second))
	got, _ := w.Sold("mug", 2)
	w.Drive(10)
	w.Tell(got.Order.ID)
	w.WantOrder(got.Order.ID, order.Delivered, "")
	w.WantSound()
}

// TestAnyOrderOfSteps lets staff do anything in any order: no unit is lost,
// nothing goes backwards, and nothing is shipped that was not sold.
func TestAnyOrderOfSteps(t *testing.T) {
	place := map[fulfilment.State]int{}
	for i, s := range fulfilment.States {
		place[s] = i
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := fulfilmenttest.New(t)
		got, all := w.Sold("mug", 6)
		last := map[string]fulfilment.State{}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			id := all[rapid.IntRange(0, len(all)-1).Draw(rt, "which")].ID
			n := rapid.Int64Range(0, 6).Draw(rt, "units")
			some := []fulfilment.Units{{SKU: "sku-mug", Quantity: n}}
			who := []identity.Caller{ada, fulfilmenttest.Bob}[rapid.IntRange(0, 1).Draw(rt, "who")]
			switch rapid.IntRange(0, 7).Draw(rt, "step") {
			case 0, 1:
				_, _ = w.Parcels.Pick(background, who, id)
			case 2, 3:
				_, _ = w.Parcels.Pack(background, who, id, some)
			case 4:
				_, _ = w.Parcels.Ship(background, who, id, fulfilment.ShipInput{Short: n%2 == 0})
			case 5:
				_, _ = w.Parcels.Return(background, who, id, some)
			case 6:
				_, _ = w.Orders.Cancel(background, ordertest.Ourselves, order.CancelInput{OrderID: got.Order.ID})
			case 7:
				w.Drive(1)
			}
			all = w.Consignments(got.Order.ID)
			units := int64(0)
			for _, c := range all {
				for _, l := range c.Lines {
					units += l.Quantity
				}
				if before, known := last[c.ID]; known && place[c.State] < place[before] {
					rt.Fatalf("%s went from %s to %s", c.ID, before, c.State)
				}
				last[c.ID] = c.State
			}
			if units != 6 {
				rt.Fatalf("6 were sold, the consignments hold %d: %+v", units, all)
			}
			w.Tell(got.Order.ID)
			report, err := w.Parcels.Audit(background, ordertest.Ourselves, "")
			if err != nil || len(report.Findings) > 0 {
				rt.Fatalf("%+v, %v", report, err)
			}
		}
	})
}
