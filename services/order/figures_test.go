package order_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/services/payment"
)

func wantCounted(t *testing.T, s *ordertest.Shop, want map[string]int64) {
	t.Helper()
	if got := s.Counted(); !maps.Equal(got, want) {
		t.Errorf("counted are %v, want %v", got, want)
	}
}

// Each thing that becomes of an order is counted once, however often it is
// asked for and whoever drives.
func TestWhatHappensIsCountedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 9})
		confirmed := s.Input(s.Cart("mug"))
		got := s.Buy(confirmed)
		s.Buy(confirmed)
		wantCounted(t, s, map[string]int64{"placed": 1, "confirmed": 1, "confirmed within": 1})
		declined := s.Input(s.Cart("mug"), ordertest.Paying("pm_card_chargeDeclined"))
		s.Buy(declined)
		s.Buy(declined)
		asking := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying("pm_card_authenticationRequired")))
		cancelled(t, s, asking) // before it was confirmed
		cancelled(t, s, got)    // after
		cancelled(t, s, got)
		for range 2 {
			if _, err := s.Orders.Sweep(background); err != nil {
				t.Fatal(err)
			}
		}
		wantCounted(t, s, map[string]int64{
			"placed": 3, "confirmed": 1, "confirmed within": 1, "failed CARD_DECLINED": 1, "failed CANCELLED": 1, "cancelled": 1,
		})
		s.WantInvariants()
	})
}

// An order all of whose money went back by refunds counts as one that was
// called off: once, though the bank sends a refund back and it is made again.
func TestWhatIsGivenBackWholeIsCountedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 5})
		o := delivered(t, s, s.Input(s.Cart("mug", 2), ordertest.Paying("pm_card_refundFail")))
		if _, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-0001", Amount: cents(100)}); err != nil {
			t.Fatal(err)
		}
		wantCounted(t, s, map[string]int64{"placed": 1, "confirmed": 1, "confirmed within": 1})
		rest := o.Refundable()
		rest.Minor -= 100
		if _, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-0002", Amount: &rest}); err != nil {
			t.Fatal(err)
		}
		s.WantOrder(o.ID, order.Refunded, "")
		want := map[string]int64{"placed": 1, "confirmed": 1, "confirmed within": 1, "cancelled": 1}
		wantCounted(t, s, want)

		sentBack(t, s, o.ID)
		back := false
		for range 5 {
			if err := order.HeardOfPayment(s.Orders, background, events.Fact{Type: payment.FactChanged, Key: o.ID}); err != nil {
				t.Fatal(err)
			}
			back = back || s.Order(o.ID).Status == order.Delivered
			s.Clock.Pass(6 * time.Minute)
			if _, err := s.Orders.Sweep(background); err != nil {
				t.Fatal(err)
			}
		}
		if s.WantOrder(o.ID, order.Refunded, ""); !back {
			t.Error("the refund did not come back")
		}
		wantCounted(t, s, want)
	})
}

// Several copies are asked for the same orders at once; together they count
// each once.
func TestCopiesCountTogether(t *testing.T) {
	s := ordertest.New(t)
	s.Receive("mug", map[string]int64{"berlin": 1000})
	copies := []*order.Keeper{s.Orders, s.Another(), s.Another()}
	const buyers = 12
	var all sync.WaitGroup
	for i := range buyers {
		method := "pm_card_visa"
		if i%3 == 0 {
			method = "pm_card_chargeDeclined"
		}
		in := s.Input(s.Cart("mug"), ordertest.Paying(method))
		for _, k := range copies {
			all.Go(func() {
				if _, err := k.Checkout(background, identity.Caller{}, in); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for _, k := range copies {
		all.Go(func() {
			for range 20 {
				if _, err := k.Sweep(background); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	s.Settle()
	wantCounted(t, s, map[string]int64{"placed": 12, "confirmed": 8, "confirmed within": 8, "failed CARD_DECLINED": 4})
	s.WantInvariants()
}
