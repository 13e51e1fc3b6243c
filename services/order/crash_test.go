package order_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/services/payment"
)

// A death is a way to die while something is done to an order.
type death struct {
	name    string
	prepare func(*ordertest.Shop) order.CheckoutInput
	// lead brings the order, while all is well, to where the deadly part begins.
	lead func(*ordertest.Shop, order.CheckoutInput) order.CheckoutResult
	// act is what the process dies of; its error is that of a dying process.
	act func(*ordertest.Shop, order.CheckoutInput, order.CheckoutResult) error
	// noted tells whether the wish outlives the process; the cancellation's if nil.
	noted  func(order.Order) bool
	ends   []order.Status
	reason order.Reason // of a failed one
}

// TestDeathAtEveryWrite kills the process at every single write of the
// orders', carts', stock's and payments' stores, before it is made and after
// it is made but not answered; starts a new one on the same stores; and wants
// the order ended, stock and money in order, and the same answer for who asks
// again with the same key.
func TestDeathAtEveryWrite(t *testing.T) {
	buy := func(s *ordertest.Shop, in order.CheckoutInput, _ order.CheckoutResult) error {
		_, err := s.Orders.Checkout(background, identity.Caller{}, in)
		return err
	}
	cancel := func(s *ordertest.Shop, _ order.CheckoutInput, got order.CheckoutResult) error {
		_, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken, Reason: "changed my mind"})
		return err
	}
	bought := func(s *ordertest.Shop, in order.CheckoutInput) order.CheckoutResult { return s.Buy(in) }
	arrived := func(s *ordertest.Shop, in order.CheckoutInput) order.CheckoutResult {
		got := s.Buy(in)
		s.Deliver(got.Order.ID)
		return got
	}
	refunds := func(o order.Order) bool { return len(o.Refunds) > 0 }
	giveBack := func(everything bool) func(*ordertest.Shop, order.CheckoutInput, order.CheckoutResult) error {
		return func(s *ordertest.Shop, _ order.CheckoutInput, got order.CheckoutResult) error {
			in := order.RefundInput{OrderID: got.Order.ID, IdempotencyKey: "refund-0001", Lines: all(*got.Order), Shipping: everything}
			if !everything {
				in.Lines = in.Lines[:1]
			}
			_, err := s.Orders.Refund(background, support, in)
			return err
		}
	}
	withCode := func(change ...func(*order.CheckoutInput)) func(*ordertest.Shop) order.CheckoutInput {
		return func(s *ordertest.Shop) order.CheckoutInput {
			cartID := s.Cart("shirt", 2, "ebook")
			if _, err := s.Carts.SetDiscountCodes(background, identity.Caller{}, cartID, []string{"SALE"}); err != nil {
				t.Fatal(err)
			}
			return s.Input(cartID, change...)
		}
	}
	for _, d := range []death{
		{name: "success", prepare: withCode(), act: buy, ends: []order.Status{order.Confirmed}},
		{name: "declined", prepare: withCode(ordertest.Paying("pm_card_chargeDeclined")), act: buy, ends: []order.Status{order.Failed}, reason: order.ReasonCardDeclined},
		{name: "sold out", prepare: func(s *ordertest.Shop) order.CheckoutInput {
			// The cart's look at the stock is satisfied; what it saw is gone
			// when it is to be reserved.
			// The posters are held already when the shirts turn out to be too few.
			return s.Input(s.Cart("poster", "shirt"))
		}, act: func(s *ordertest.Shop, in order.CheckoutInput, r order.CheckoutResult) error {
			return buy(s, in, r)
		}, ends: []order.Status{order.Failed}, reason: order.ReasonOutOfStock},
		{name: "cancelled when confirmed", prepare: withCode(), lead: bought, act: cancel, ends: []order.Status{order.Refunded}},
		{name: "cancelled while the bank asks", prepare: withCode(ordertest.Paying("pm_card_authenticationRequired")), lead: bought, act: cancel, ends: []order.Status{order.Failed}, reason: order.ReasonCancelled},
		{name: "refunded in part", prepare: withCode(), lead: arrived, act: giveBack(false), noted: refunds, ends: []order.Status{order.Delivered}},
		{name: "refunded", prepare: withCode(), lead: arrived, act: giveBack(true), noted: refunds, ends: []order.Status{order.Refunded}},
		{name: "refunded, and the answer is lost", prepare: withCode(ordertest.Paying("pm_card_answerLost")), lead: arrived, act: giveBack(true), noted: refunds, ends: []order.Status{order.Refunded}},
		{name: "refunded in part, then cancelled", prepare: withCode(), lead: func(s *ordertest.Shop, in order.CheckoutInput) order.CheckoutResult {
			got := bought(s, in)
			if err := giveBack(false)(s, in, got); err != nil {
				t.Fatal(err)
			}
			return got
		}, act: cancel, ends: []order.Status{order.Refunded}},
	} {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/taken=%t", d.name, taken), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					dieEverywhere(t, d, taken)
				})
			})
		}
	}
}

func dieEverywhere(t *testing.T, d death, taken bool) {
	settings := []ordertest.Setting{ordertest.Patience(2 * time.Second), ordertest.Step(time.Second)}
	if d.name == "sold out" {
		settings = append(settings, ordertest.Wrapped(func(s inventory.Service) inventory.Service { return emptied{s} }, nil))
	}
	s := ordertest.New(t, settings...)
	s.Receive("shirt", map[string]int64{"berlin": 1, "hamburg": 5000})
	s.Receive("ebook", map[string]int64{"berlin": 5000})
	s.Receive("poster", map[string]int64{"berlin": 5000})
	if _, err := s.Carts.PutDiscount(background, ordertest.Ourselves, cart.Discount{Code: "SALE", Kind: cart.Percentage, BasisPoints: 1000, UsageLimit: 100_000}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		n++
		in := d.prepare(s)
		var got order.CheckoutResult
		if d.lead != nil {
			got = d.lead(s, in)
		}
		var reaper docstoretest.Reaper
		s.Start(&reaper)
		if taken {
			reaper.DieAfter(n)
		} else {
			reaper.DieBefore(n)
		}
		err := d.act(s, in, got)
		s.Stop()
		died := reaper.Dead()
		if died && err != nil && fault.KindOf(err) != fault.Unavailable && !errors.Is(err, order.ErrNotFound) {
			t.Errorf("write %d: the dying process said %v", n, err)
		}
		s.Start(nil)
		noted := func(o order.Order) bool { return o.CancelReason != "" }
		if d.noted != nil {
			noted = d.noted
		}
		if d.lead != nil && !noted(s.Order(got.Order.ID)) {
			// The process died before the wish was stored, and the customer
			// was told so: he asks again.
			if err := d.act(s, in, got); err != nil {
				t.Fatalf("write %d: asked again: %v", n, err)
			}
		}
		took := s.Settle()
		if took > time.Minute {
			t.Errorf("write %d: it took %s after the restart", n, took)
		}
		again := s.Buy(in)
		if got.Order != nil && again.Order.ID != got.Order.ID {
			t.Errorf("write %d: the same key gave another order", n)
		}
		ended := false
		for _, status := range d.ends {
			ended = ended || again.Order.Status == status
		}
		if !ended || again.Order.Status == order.Failed && again.Order.Reason != d.reason {
			t.Errorf("write %d: the order ended %s %s: %+v", n, again.Order.Status, again.Order.Reason, again.Order.Timeline)
		}
		_, cartErr := s.Carts.Get(background, identity.Caller{}, in.CartID)
		if gone := errors.Is(cartErr, cart.ErrNotFound); gone != (again.Order.Status != order.Failed) {
			t.Errorf("write %d: order %s, cart: %v", n, again.Order.Status, cartErr)
		}
		if !died {
			break
		}
	}
	s.WantInvariants()
	var uses int64
	for _, o := range s.All() {
		if o.Status != order.Failed && len(o.Quote.Codes) > 0 {
			uses++
		}
	}
	page, err := s.Carts.Discounts(background, ordertest.Ourselves, "", 10)
	if err != nil || page.Discounts[0].Used != uses {
		t.Errorf("the code was used %d times, its discount says %+v, %v", uses, page.Discounts, err)
	}
	if n < 5 {
		t.Errorf("only %d writes: this does not try what it should", n)
	}
	t.Logf("%d writes", n-1)
}

// TestDeathAfterDeath kills processes at random writes, those that clean up
// included, and lets the last one live.
func TestDeathAfterDeath(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t, ordertest.Patience(time.Second), ordertest.Step(time.Second))
		s.Receive("shirt", map[string]int64{"berlin": 30, "hamburg": 30})
		methods := []string{"pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"}
		for range 40 {
			in := s.Input(s.Cart("shirt", 1+rand.N(3)), ordertest.Paying(methods[rand.N(len(methods))]))
			var token, id string
			for range 1 + rand.N(4) {
				var reaper docstoretest.Reaper
				s.Start(&reaper)
				if at := 1 + rand.N(14); rand.N(2) == 0 {
					reaper.DieBefore(at)
				} else {
					reaper.DieAfter(at)
				}
				if got, err := s.Orders.Checkout(background, identity.Caller{}, in); err == nil {
					token, id = got.AccessToken, got.Order.ID
				}
				if token != "" && rand.N(3) == 0 {
					_, _ = s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: id, AccessToken: token})
				}
				_ = s.Payments.Sweep(background)
				_, _ = s.Orders.Sweep(background)
				s.Clock.Pass(rand.N(25 * time.Second))
			}
			s.Start(nil)
			s.Clock.Pass(11 * time.Second) // the last of the dead loses its lease
			if o := s.Buy(in).Order; o.Payment.ActionURL != "" {
				s.Clock.Pass(payment.ConfirmWithin) // nobody goes to the bank
			}
			s.Settle()
		}
		s.WantInvariants()
	})
}

// emptied is a stock that looks full and of which no shirt can be had.
type emptied struct{ inventory.Service }

func (e emptied) Reserve(ctx context.Context, who identity.Caller, id string, lines []inventory.Line) (inventory.Reservation, error) {
	for i := range lines {
		if lines[i].SKU == "sku-shirt" {
			lines[i].Quantity += 100_000
		}
	}
	return e.Service.Reserve(ctx, who, id, lines)
}
