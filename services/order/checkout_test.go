package order_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/sandbox/card"
	"ordergraph/services/cart"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/services/payment"
)

var background = context.Background()

// bubble runs the test where time passes only while everybody waits: however
// slow the machine is, nothing takes longer than the test says.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func TestCheckoutConfirms(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 2, "hamburg": 2})
		in := s.Input(s.Cart("mug", 3))
		got := s.Buy(in)
		o := got.Order
		if o.Status != order.Confirmed || got.AccessToken == "" || len(got.Problems) > 0 {
			t.Fatalf("%+v", got)
		}
		if o.Payment.Captured != o.Quote.Cost.Total || o.Payment.Last4 != "4242" || o.Quote.Cost.Total.Minor <= 30_00 {
			t.Errorf("payment %+v of quote %+v", o.Payment, o.Quote.Cost)
		}
		var story []order.Status
		for _, e := range o.Timeline {
			story = append(story, e.Status)
			if e.At.IsZero() || e.Cause == "" {
				t.Errorf("entry %+v", e)
			}
		}
		if want := []order.Status{order.Pending, order.Reserved, order.Paying, order.Confirmed}; !slices.Equal(story, want) {
			t.Errorf("story %v, want %v", story, want)
		}
		if o.Version != 3 {
			t.Errorf("a checkout took %d writes of the order, want 3", o.Version)
		}
		if _, err := s.Carts.Get(background, identity.Caller{}, in.CartID); !errors.Is(err, cart.ErrNotFound) {
			t.Errorf("the cart after the checkout: %v", err)
		}
		s.WantInvariants()
	})
}

func TestFailuresGiveEverythingBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*ordertest.Shop, *order.CheckoutInput)
		reason order.Reason
		code   cart.Code
	}{
		{"declined", pays("pm_card_chargeDeclined"), order.ReasonCardDeclined, "CARD_DECLINED"},
		{"insufficient funds", pays("pm_card_chargeDeclinedInsufficientFunds"), order.ReasonInsufficientFunds, "INSUFFICIENT_FUNDS"},
		{"expired card", pays("pm_card_chargeDeclinedExpiredCard"), order.ReasonExpiredCard, "EXPIRED_CARD"},
		{"no such card", pays("pm_card_nobody"), order.ReasonInvalidMethod, "INVALID_PAYMENT_METHOD"},
		{"no such cart", func(_ *ordertest.Shop, in *order.CheckoutInput) { in.CartID = "gibberish" }, order.ReasonCart, cart.CodeNotFound},
		{"other total", func(_ *ordertest.Shop, in *order.CheckoutInput) { m := money.Of(1, "EUR"); in.ExpectTotal = &m }, order.ReasonCart, cart.CodeInvalid},
		{"no such rate", func(_ *ordertest.Shop, in *order.CheckoutInput) { in.ShippingRate = "rocket" }, order.ReasonCart, cart.CodeShippingUnavailable},
		{"sold out", func(s *ordertest.Shop, _ *order.CheckoutInput) {
			s.Buy(s.Input(s.Cart("mug", 2)))
		}, order.ReasonOutOfStock, cart.CodeOutOfStock},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := ordertest.New(t)
				s.Receive("mug", map[string]int64{"berlin": 2})
				cartID := s.Cart("mug")
				in := s.Input(cartID)
				c.change(s, &in)
				o := s.Buy(in).Order
				if o.Status != order.Failed || o.Reason != c.reason || len(o.Problems) != 1 || o.Problems[0].Code != c.code || o.Problems[0].Message == "" {
					t.Fatalf("%s %s %+v", o.Status, o.Reason, o.Problems)
				}
				s.WantInvariants()
				if c.reason == order.ReasonOutOfStock {
					return
				}
				again := s.Input(cartID)
				if o := s.Buy(again).Order; o.Status != order.Confirmed {
					t.Errorf("the cart cannot be bought afterwards: %s %+v", o.Status, o.Problems)
				}
				s.WantInvariants()
			})
		})
	}
}

func pays(method string) func(*ordertest.Shop, *order.CheckoutInput) {
	return func(_ *ordertest.Shop, in *order.CheckoutInput) { in.PaymentMethod = method }
}

func TestTwoLinesOfOneSKUAreNotSoldTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 2})
		cartID := s.Cart("mug", "mug")
		s.Buy(s.Input(s.Cart("mug")))
		o := s.Buy(s.Input(cartID)).Order
		if o.Status != order.Failed || o.Reason != order.ReasonOutOfStock {
			t.Errorf("%s %s", o.Status, o.Reason)
		}
		s.WantInvariants()
	})
}

func TestSameKeySameOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 10})
		in := s.Input(s.Cart("mug"), ordertest.Paying("pm_card_slow"))
		results := make([]order.CheckoutResult, 20)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() {
				var err error
				if results[i], err = s.Orders.Checkout(background, identity.Caller{}, in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, r := range results {
			if r.Order == nil || r.Order.Status != order.Confirmed || r.Order.ID != results[0].Order.ID ||
				r.Order.Version != results[0].Order.Version || r.AccessToken != results[0].AccessToken {
				t.Errorf("%+v differs from %+v", r.Order, results[0].Order)
			}
		}
		if n := len(s.All()); n != 1 {
			t.Errorf("%d orders of one key", n)
		}

		for name, change := range map[string]func(*order.CheckoutInput){
			"cart":    func(in *order.CheckoutInput) { in.CartID = s.Cart("mug") },
			"e-mail":  func(in *order.CheckoutInput) { in.Email = "eve@example.org" },
			"method":  func(in *order.CheckoutInput) { in.PaymentMethod = "pm_card_visa" },
			"address": func(in *order.CheckoutInput) { in.ShippingAddress.City = "Bonn" },
			"total":   func(in *order.CheckoutInput) { m := money.Of(9_99, "EUR"); in.ExpectTotal = &m },
		} {
			other := in
			change(&other)
			if _, err := s.Orders.Checkout(background, identity.Caller{}, other); !errors.Is(err, order.ErrKeyReused) {
				t.Errorf("same key, other %s: %v", name, err)
			}
		}
		s.WantInvariants()
	})
}

func TestSameKeyInAnotherProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 10})
		in := s.Input(s.Cart("mug"), ordertest.Paying("pm_card_slow"))
		copies := []*order.Keeper{s.Orders, s.Another(), s.Another()}
		results := make([]order.CheckoutResult, 12)
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() {
				var err error
				if results[i], err = copies[i%len(copies)].Checkout(background, identity.Caller{}, in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, r := range results {
			if r.Order == nil || r.Order.Status != order.Confirmed || r.Order.ID != results[0].Order.ID {
				t.Errorf("%+v", r.Order)
			}
		}
		s.WantInvariants()
	})
}

func TestFiveHundredBuyersFiftyUnits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t, ordertest.Patience(time.Minute))
		s.Receive("mug", map[string]int64{"berlin": 30, "hamburg": 20})
		ins := make([]order.CheckoutInput, 500)
		for i := range ins {
			ins[i] = s.Input(s.Cart("mug"))
		}
		var mu sync.Mutex
		count := map[string]int{}
		var all sync.WaitGroup
		for _, in := range ins {
			all.Go(func() {
				got, err := s.Orders.Checkout(background, identity.Caller{}, in)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				count[string(got.Order.Status)+" "+string(got.Order.Reason)]++
			})
		}
		all.Wait()
		if count["CONFIRMED "] != 50 || count["FAILED OUT_OF_STOCK"] != 450 {
			t.Errorf("%v", count)
		}
		s.WantInvariants()
	})
}

func TestAnswersOfTheProcessorLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t, ordertest.Patience(20*time.Second))
		s.Receive("shirt", map[string]int64{"berlin": 1000})
		if err := s.Processor.SetFaults(card.Faults{Lost: 0.2}); err != nil {
			t.Fatal(err)
		}
		const n = 60
		var all sync.WaitGroup
		for range n {
			in := s.Input(s.Cart("shirt"))
			all.Go(func() {
				if _, err := s.Orders.Checkout(background, identity.Caller{}, in); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s.Settle()
		for _, o := range s.All() {
			if o.Status != order.Confirmed {
				t.Errorf("%s %s", o.Status, o.Reason)
			}
		}
		s.WantInvariants()
	})
}

func TestProcessorDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t, ordertest.Patience(300*time.Millisecond))
		s.Receive("mug", map[string]int64{"berlin": 5})
		if err := s.Processor.SetFaults(card.Faults{Down: true}); err != nil {
			t.Fatal(err)
		}
		in := s.Input(s.Cart("mug"))
		o := s.Buy(in).Order
		if o.Status != order.Paying {
			t.Fatalf("%s while the processor is down", o.Status)
		}
		for range 20 { // minutes of it
			if err := s.Payments.Sweep(background); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Orders.Sweep(background); err != nil {
				t.Fatal(err)
			}
			s.Clock.Pass(10 * time.Second)
		}
		if o := s.Order(o.ID); o.Status == order.Failed {
			t.Errorf("failed while nobody knows whether money was taken: %+v", o)
		}
		if err := s.Processor.SetFaults(card.Faults{}); err != nil {
			t.Fatal(err)
		}
		s.Settle()
		s.WantOrder(o.ID, order.Failed, order.ReasonPaymentFailed)
		s.WantInvariants()
	})
}

func TestConfirmationByTheCustomer(t *testing.T) {
	for _, c := range []struct {
		name   string
		act    func(*testing.T, *ordertest.Shop, string)
		status order.Status
		reason order.Reason
	}{
		{"confirmed", func(t *testing.T, s *ordertest.Shop, id string) { decide(t, s, id, true) }, order.Confirmed, ""},
		{"refused", func(t *testing.T, s *ordertest.Shop, id string) { decide(t, s, id, false) }, order.Failed, order.ReasonNotConfirmed},
		{"never", func(_ *testing.T, s *ordertest.Shop, _ string) { s.Clock.Pass(payment.ConfirmWithin + time.Second) }, order.Failed, order.ReasonNotConfirmed},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := ordertest.New(t)
				s.Receive("mug", map[string]int64{"berlin": 5})
				in := s.Input(s.Cart("mug"), ordertest.Paying("pm_card_authenticationRequired"))
				o := s.Buy(in).Order
				if o.Status != order.Paying || o.Payment.State != string(payment.ActionNeeded) || o.Payment.ActionURL == "" {
					t.Fatalf("%s %+v", o.Status, o.Payment)
				}
				if again := s.Buy(in); again.Order.ID != o.ID || again.Order.Payment.ActionURL != o.Payment.ActionURL {
					t.Errorf("repeated: %+v", again.Order)
				}
				c.act(t, s, o.ID)
				s.Settle()
				got := s.WantOrder(o.ID, c.status, c.reason)
				if got.Payment.ActionURL != "" {
					t.Error("the customer is still sent to the bank")
				}
				s.WantInvariants()
			})
		})
	}
}

func decide(t *testing.T, s *ordertest.Shop, orderID string, confirm bool) {
	t.Helper()
	books, err := s.Processor.Ledger(background, orderID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Processor.Decide(background, books.Orders[0].Intents[0], confirm); err != nil {
		t.Fatal(err)
	}
	s.Clock.Pass(time.Minute)
}

func TestSlowBankIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t, ordertest.Patience(10*time.Second))
		s.Receive("mug", map[string]int64{"berlin": 5})
		for _, method := range []string{"pm_card_slow", "pm_card_answerLost", "pm_card_processorDown"} {
			o := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying(method))).Order
			if o.Status != order.Confirmed {
				s.Settle(o.ID)
				s.WantOrder(o.ID, order.Confirmed, "")
			}
		}
		s.WantInvariants()
	})
}

func TestFreeOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("ebook", map[string]int64{"berlin": 5})
		if _, err := s.Carts.PutDiscount(background, ordertest.Ourselves, cart.Discount{Code: "GIFT", Kind: cart.Percentage, BasisPoints: 10_000}); err != nil {
			t.Fatal(err)
		}
		cartID := s.Cart("ebook")
		if _, err := s.Carts.SetDiscountCodes(background, identity.Caller{}, cartID, []string{"gift"}); err != nil {
			t.Fatal(err)
		}
		zero := money.Of(0, "EUR")
		got := s.Buy(s.Input(cartID, func(in *order.CheckoutInput) { in.PaymentMethod, in.ExpectTotal = "", &zero }))
		if got.Order.Status != order.Confirmed || got.Order.Payment.State != "" {
			t.Fatalf("%s %+v %+v", got.Order.Status, got.Order.Problems, got.Order.Payment)
		}
		s.WantInvariants()
		o, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken})
		if err != nil || o.Status != order.Refunded {
			t.Errorf("cancelled: %s %v", o.Status, err)
		}
		s.WantInvariants()
	})
}

func TestACallerWhoLeavesDoesNotStopTheCheckout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 5})
		ctx, cancel := context.WithCancel(background)
		in := s.Input(s.Cart("mug"), ordertest.Paying("pm_card_slow"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := s.Orders.Checkout(ctx, identity.Caller{}, in); err != nil {
				t.Error(err)
			}
		}()
		for len(s.All()) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
		<-done
		if o := s.All()[0]; o.Status != order.Confirmed {
			t.Errorf("%s", o.Status)
		}
	})
}

func TestTheNumberIsShortAndPlain(t *testing.T) {
	s := ordertest.New(t)
	o := s.Buy(s.Input("no-such-cart")).Order
	if len(o.Number) != 9 || o.Number[4] != '-' || strings.Trim(strings.ReplaceAll(o.Number, "-", ""), "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
		t.Errorf("number %q", o.Number)
	}
}
