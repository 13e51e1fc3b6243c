package order_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/sandbox/card"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

func cancelled(t *testing.T, s *ordertest.Shop, got order.CheckoutResult) order.Order {
	t.Helper()
	o, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken, Reason: "wrong size"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestCancelConfirmed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 2})
		got := s.Buy(s.Input(s.Cart("mug", 2)))
		o := cancelled(t, s, got)
		if o.Status != order.Refunded || o.CancelReason != "wrong size" || o.Payment.Refunded != o.Payment.Captured {
			t.Errorf("%s %q %+v", o.Status, o.CancelReason, o.Payment)
		}
		version := o.Version
		if again := cancelled(t, s, got); again.Status != order.Refunded || again.Version != version {
			t.Errorf("cancelled again: %+v", again)
		}
		s.WantInvariants()
		if o := s.Buy(s.Input(s.Cart("mug", 2))).Order; o.Status != order.Confirmed {
			t.Errorf("the goods are not back: %s", o.Status)
		}
		s.WantInvariants()
	})
}

func TestCancelWhileTheBankAsks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 2})
		got := s.Buy(s.Input(s.Cart("mug", 2), ordertest.Paying("pm_card_authenticationRequired")))
		o := cancelled(t, s, got)
		if o.Status != order.Failed || o.Reason != order.ReasonCancelled {
			t.Errorf("%s %s", o.Status, o.Reason)
		}
		s.WantInvariants()
	})
}

func TestCancelWhileTheProcessorIsDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t, ordertest.Patience(200*time.Millisecond))
		s.Receive("mug", map[string]int64{"berlin": 4})
		paid := s.Buy(s.Input(s.Cart("mug")))
		if err := s.Processor.SetFaults(card.Faults{Down: true}); err != nil {
			t.Fatal(err)
		}
		paying := s.Buy(s.Input(s.Cart("mug")))
		if o := cancelled(t, s, paid); o.Status != order.Cancelled {
			t.Errorf("cancelled without the processor: %s", o.Status)
		}
		if o := cancelled(t, s, paying); o.Status != order.Paying {
			t.Errorf("called off without the processor: %s", o.Status)
		}
		levels, err := s.Stock.Levels(background, []string{"sku-mug"})
		if err != nil || levels["sku-mug"].Available != 4 {
			t.Errorf("the goods wait for the processor: %+v %v", levels, err)
		}
		if err := s.Processor.SetFaults(card.Faults{}); err != nil {
			t.Fatal(err)
		}
		s.Settle()
		s.WantOrder(paid.Order.ID, order.Refunded, "")
		s.WantOrder(paying.Order.ID, order.Failed, order.ReasonCancelled)
		s.WantInvariants()
	})
}

func TestRefundThatIsPendingAndOneThatComesBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t, ordertest.Patience(100*time.Millisecond))
		s.Receive("mug", map[string]int64{"berlin": 4})
		got := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying("pm_card_pendingRefund")))
		if o := cancelled(t, s, got); o.Status != order.Cancelled && o.Status != order.Refunded {
			t.Errorf("%s", o.Status)
		}
		s.Settle()
		s.WantOrder(got.Order.ID, order.Refunded, "")
		s.WantInvariants()
	})
}

func TestCancelIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 4})
		got := s.Buy(s.Input(s.Cart("mug")))
		for name, c := range map[string]struct {
			in   order.CancelInput
			who  identity.Caller
			want error
		}{
			"no token":       {order.CancelInput{OrderID: got.Order.ID}, identity.Caller{}, order.ErrNotFound},
			"other customer": {order.CancelInput{OrderID: got.Order.ID}, identity.Caller{CustomerID: "eve"}, order.ErrNotFound},
			"no such order":  {order.CancelInput{OrderID: "nothing", AccessToken: got.AccessToken}, identity.Caller{}, order.ErrNotFound},
			"long reason":    {order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken, Reason: strings.Repeat("x", 501)}, identity.Caller{}, order.ErrInput},
		} {
			if _, err := s.Orders.Cancel(background, c.who, c.in); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		failed := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying("pm_card_chargeDeclined")))
		if o := cancelled(t, s, failed); o.Reason != order.ReasonCardDeclined {
			t.Errorf("a failed order was changed by cancelling: %+v", o)
		}
	})
}

// TestCancelRacesCheckout calls orders off at any moment of their checkout,
// from this process and from another.
func TestCancelRacesCheckout(t *testing.T) {
	s := ordertest.New(t, ordertest.Patience(20*time.Second))
	s.Receive("shirt", map[string]int64{"berlin": 500})
	other := s.Another()
	ended := map[order.Status]int{}
	last := ""
	for i := range 60 {
		in := s.Input(s.Cart("shirt"))
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := s.Orders.Checkout(background, identity.Caller{}, in); err != nil {
				t.Error(err)
			}
		})
		id := last
		for id == last { // until the checkout has stored its order
			page, err := s.Orders.List(background, ordertest.Ourselves, order.ListQuery{Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Orders) > 0 {
				id = page.Orders[0].ID
			}
		}
		last = id
		both.Go(func() {
			time.Sleep(rand.N(4 * time.Millisecond))
			k := s.Orders
			if i%2 == 0 {
				k = other
			}
			if _, err := k.Cancel(background, ordertest.Ourselves, order.CancelInput{OrderID: id, Reason: "race"}); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		s.Settle()
		o := s.Order(id)
		ended[o.Status]++
		if o.Status != order.Refunded && (o.Status != order.Failed || o.Reason != order.ReasonCancelled) {
			t.Errorf("%s %s %+v", o.Status, o.Reason, o.Timeline)
		}
	}
	t.Log(ended)
	s.WantInvariants()
}

// TestManyDrivers lets leases run out at once, so that sweepers of three
// copies and the buyer's own driver work on every order at the same time.
func TestManyDrivers(t *testing.T) {
	s := ordertest.New(t, ordertest.Lease(time.Millisecond), ordertest.Patience(20*time.Second))
	s.Receive("shirt", map[string]int64{"berlin": 20})
	methods := []string{"pm_card_visa", "pm_card_slow", "pm_card_chargeDeclined", "pm_card_answerLost"}
	ins := make([]order.CheckoutInput, 40)
	for i := range ins {
		ins[i] = s.Input(s.Cart("shirt"), ordertest.Paying(methods[i%len(methods)]))
	}
	stop := make(chan struct{})
	var sweepers sync.WaitGroup
	for _, k := range []*order.Keeper{s.Orders, s.Another(), s.Another()} {
		sweepers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := k.Sweep(background); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	var buyers sync.WaitGroup
	for i, in := range ins {
		buyers.Go(func() {
			got, err := s.Orders.Checkout(background, identity.Caller{}, in)
			if err != nil {
				t.Error(err)
				return
			}
			if i%5 == 0 {
				if _, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	buyers.Wait()
	close(stop)
	sweepers.Wait()
	s.Settle()
	s.WantInvariants()
}

// TestHoldRunsOut lets the goods go back to the shelf while the customer is at
// the bank: he gets his money back, not goods that are another's by then.
func TestHoldRunsOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 1})
		got := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying("pm_card_authenticationRequired")))
		if _, err := s.Stock.Release(background, ordertest.Ourselves, got.Order.ID); err != nil {
			t.Fatal(err)
		}
		if o := s.Buy(s.Input(s.Cart("mug"))).Order; o.Status != order.Confirmed {
			t.Fatalf("the other buyer: %s", o.Status)
		}
		decide(t, s, got.Order.ID, true)
		s.Settle()
		s.WantOrder(got.Order.ID, order.Failed, order.ReasonOutOfStock)
		s.WantInvariants()
	})
}
