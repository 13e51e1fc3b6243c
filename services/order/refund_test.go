package order_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/sandbox/card"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/services/payment"
)

var support = identity.Caller{CustomerID: "sam", Roles: []identity.Role{identity.Support}}

// delivered is an order that has arrived in one parcel.
func delivered(t *testing.T, s *ordertest.Shop, in order.CheckoutInput) order.Order {
	t.Helper()
	got := s.Buy(in)
	s.Deliver(got.Order.ID)
	return s.WantOrder(got.Order.ID, order.Delivered, "")
}

func all(o order.Order) (units []order.RefundUnits) {
	for _, l := range o.Quote.Lines {
		units = append(units, order.RefundUnits{LineID: l.ID, Quantity: l.Quantity})
	}
	return units
}

func cents(n int64) *money.Amount {
	a := money.Of(n, "EUR")
	return &a
}

// Refunds of parts never come to more than was taken, whoever asks for how
// many at once.
func TestRefundsAtOnce(t *testing.T) {
	s := ordertest.New(t)
	s.Receive("shirt", map[string]int64{"berlin": 5})
	o := delivered(t, s, s.Input(s.Cart("shirt", 3)))
	part := o.Payment.Captured.Minor * 3 / 10
	copies := []*order.Keeper{s.Orders, s.Another(), s.Another()}
	var all sync.WaitGroup
	answers := make([]error, 24)
	for i := range answers {
		all.Go(func() {
			_, answers[i] = copies[i%3].Refund(background, support, order.RefundInput{
				OrderID: o.ID, IdempotencyKey: fmt.Sprintf("refund-%04d", i/2), Amount: cents(part), // each twice
			})
		})
	}
	all.Wait()
	done := 0
	for i, err := range answers {
		if err == nil {
			done++
		} else if !errors.Is(err, order.ErrTooMuch) {
			t.Errorf("refund %d: %v", i, err)
		}
	}
	s.Settle()
	o = s.WantOrder(o.ID, order.Delivered, "")
	if done != 6 || len(o.Refunds) != 3 || o.Payment.Refunded.Minor != 3*part {
		t.Errorf("%d were answered, %d refunds, %s of %s back", done, len(o.Refunds), o.Payment.Refunded, o.Payment.Captured)
	}
	s.WantInvariants()
}

// An answer that is lost is found again, a processor that is away is waited for.
func TestRefundInTrouble(t *testing.T) {
	for name, faults := range map[string]card.Faults{"lost": {Lost: 1}, "down": {Down: true}, "busy": {Busy: 1}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := ordertest.New(t, ordertest.Patience(200*time.Millisecond))
				s.Receive("mug", map[string]int64{"berlin": 5})
				o := delivered(t, s, s.Input(s.Cart("mug", 2)))
				if err := s.Processor.SetFaults(faults); err != nil {
					t.Fatal(err)
				}
				in := order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-0001", Amount: cents(500), Reason: "late"}
				got, err := s.Orders.Refund(background, support, in)
				if err != nil || got.Refund.ID != "1" {
					t.Fatalf("%+v, %v", got.Refund, err)
				}
				if err := s.Processor.SetFaults(card.Faults{}); err != nil {
					t.Fatal(err)
				}
				s.Settle()
				again, err := s.Orders.Refund(background, support, in)
				if err != nil || again.Refund.State != order.RefundSucceeded || again.Refund.ID != "1" {
					t.Errorf("%+v, %v", again.Refund, err)
				}
				if o = s.Order(o.ID); len(o.Refunds) != 1 || o.Payment.Refunded != *cents(500) {
					t.Errorf("%+v", o.Refunds)
				}
				s.WantInvariants()
			})
		})
	}
}

// What the processor refuses for good has failed, is seen, and gives its part
// of the money free for another.
func TestRefundIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 5})
		o := delivered(t, s, s.Input(s.Cart("mug", 2)))
		// Somebody at the processor's desk was faster, and we have not heard of it.
		atTheDesk(t, s, o.ID, o.Payment.Captured.Minor-100)
		got, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-0001", Amount: cents(500)})
		if err != nil || got.Refund.State != order.RefundFailed {
			t.Fatalf("%+v, %v", got.Refund, err)
		}
		last := got.Order.Timeline[len(got.Order.Timeline)-1]
		if last.Status != order.Delivered || !strings.Contains(last.Cause, "refused") || got.Order.Refundable() != o.Payment.Captured {
			t.Errorf("%+v, %s can be given back", last, got.Order.Refundable())
		}
		got, err = s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-0002", Amount: cents(100)})
		if err != nil || got.Refund.State != order.RefundSucceeded || got.Refund.ID != "2" {
			t.Errorf("%+v, %v", got.Refund, err)
		}
	})
}

// atTheDesk gives money of an order back by hand, at the processor.
func atTheDesk(t *testing.T, s *ordertest.Shop, id string, minor int64) {
	t.Helper()
	books, err := s.Processor.Ledger(background, id)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"payment_intent": {books.Orders[0].Intents[0]}, "amount": {strconv.FormatInt(minor, 10)}}
	req := httptest.NewRequest(http.MethodPost, "/v1/refunds", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+ordertest.SecretKey)
	answer := httptest.NewRecorder()
	s.Processor.ServeHTTP(answer, req)
	if answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
}

// What was given back at the processor's desk counts when the order is called
// off, whether we have heard of it or not: the rest goes back, and no more.
func TestCancelAfterTheDeskGaveBack(t *testing.T) {
	for name, minor := range map[string]int64{"a part": 500, "all but a cent": -1, "all": 0} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := ordertest.New(t, ordertest.Patience(100*time.Millisecond))
				s.Receive("mug", map[string]int64{"berlin": 5})
				got := s.Buy(s.Input(s.Cart("mug", 2)))
				if minor <= 0 {
					minor += got.Order.Payment.Captured.Minor
				}
				atTheDesk(t, s, got.Order.ID, minor)
				cancelled(t, s, got)
				s.Clock.Pass(10 * time.Minute) // what the processor refuses is made again after a while
				calledOffAndPaidBack(t, s, got)
			})
		})
	}
	t.Run("a part, and we know", func(t *testing.T) {
		t.Parallel()
		s := ordertest.New(t, ordertest.Connected(newBus(t)))
		s.Receive("mug", map[string]int64{"berlin": 5})
		s.Work()
		got := s.Buy(s.Input(s.Cart("mug", 2)))
		atTheDesk(t, s, got.Order.ID, 500)
		eventually(t, "we hear of it", func() bool {
			p, err := s.Payments.Get(background, ordertest.Ourselves, got.Order.ID)
			return err == nil && p.Refunded.Minor == 500
		})
		cancelled(t, s, got)
		calledOffAndPaidBack(t, s, got)
	})
}

func calledOffAndPaidBack(t *testing.T, s *ordertest.Shop, got order.CheckoutResult) {
	t.Helper()
	s.Settle()
	o := s.WantOrder(got.Order.ID, order.Refunded, "")
	if len(o.Refunds) != 1 || o.Refunds[0].State != order.RefundSucceeded || o.Refunds[0].Amount != o.Payment.Captured || o.Payment.Refunded != o.Payment.Captured {
		t.Errorf("%+v %+v", o.Refunds, o.Payment)
	}
	s.WantInvariants()
}

// An order whose part is on its way back is called off: the rest follows when
// it is known how much that is.
func TestCancelAfterARefund(t *testing.T) {
	for _, method := range []string{"pm_card_visa", "pm_card_pendingRefund"} {
		t.Run(method, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := ordertest.New(t, ordertest.Patience(100*time.Millisecond))
				s.Receive("mug", map[string]int64{"berlin": 5})
				got := s.Buy(s.Input(s.Cart("mug", 2), ordertest.Paying(method)))
				line := got.Order.Quote.Lines[0].ID
				first, err := s.Orders.Refund(background, support, order.RefundInput{
					OrderID: got.Order.ID, IdempotencyKey: "refund-0001", Lines: []order.RefundUnits{{LineID: line, Quantity: 1}},
				})
				if err != nil {
					t.Fatal(err)
				}
				cancelled(t, s, got)
				if _, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: got.Order.ID, IdempotencyKey: "refund-0002", Amount: cents(1)}); !errors.Is(err, order.ErrNotRefundable) {
					t.Errorf("a refund of what is called off: %v", err)
				}
				s.Settle()
				o := s.WantOrder(got.Order.ID, order.Refunded, "")
				if len(o.Refunds) != 2 || o.Refunds[1].ID != order.RefundOfCancel || o.Refunds[0].Amount.Plus(o.Refunds[1].Amount) != o.Payment.Captured {
					t.Fatalf("%+v", o.Refunds)
				}
				rest := o.Refunds[1]
				if len(rest.Lines) != 1 || rest.Lines[0].Quantity != 1 || rest.Lines[0].Amount.Plus(rest.Shipping) != rest.Amount || first.Refund.Amount != first.Refund.Lines[0].Amount {
					t.Errorf("%+v", o.Refunds)
				}
				s.WantInvariants()
			})
		})
	}
}

// The bank says that a refund arrived, and days later that it did not.
func TestAPartThatComesBack(t *testing.T) {
	s := ordertest.New(t, ordertest.Connected(newBus(t)))
	s.Receive("mug", map[string]int64{"berlin": 5})
	s.Work()
	o := delivered(t, s, s.Input(s.Cart("mug", 2), ordertest.Paying("pm_card_refundFail")))
	if _, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-0001", Lines: all(o), Shipping: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the refund is made again", func() bool {
		s.Clock.Pass(time.Minute)
		o := s.Order(o.ID)
		return slices.ContainsFunc(o.Timeline, func(e order.Entry) bool { return strings.Contains(e.Cause, "sent a refund back") }) && len(o.Refunds) == 1
	})
}

// An order that is refunded while its parcel is on its way stays REFUNDED, and
// tells how the parcel fares.
func TestRefundedOnItsWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 5})
		o := *s.Buy(s.Input(s.Cart("mug", 2))).Order
		advance := func(p order.Progress) {
			t.Helper()
			if err := s.Orders.Advance(background, o.ID, p); err != nil {
				t.Fatal(err)
			}
		}
		advance(order.Progress{Version: 1, Consignments: 1, Begun: 1, Shipped: 1})
		if _, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-0001", Lines: all(o), Shipping: true}); err != nil {
			t.Fatal(err)
		}
		s.WantOrder(o.ID, order.Refunded, "")
		advance(order.Progress{Version: 2, Consignments: 1, Begun: 1, Returned: 1})
		o = s.WantOrder(o.ID, order.Refunded, "")
		if last := o.Timeline[len(o.Timeline)-1]; o.Parcels.Returned != 1 || last.Status != order.Refunded || last.Cause != "A parcel came back." {
			t.Errorf("%+v, and last: %+v", o.Parcels, last)
		}
		s.WantInvariants()
	})
}

// sentBack has the payment service, and it alone, learn that the bank has sent
// back what was refunded of an order so far.
func sentBack(t *testing.T, s *ordertest.Shop, id string) {
	t.Helper()
	s.Clock.Pass(time.Hour)
	books, err := s.Processor.Ledger(background, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Payments.Hear(background, payment.Notice{OrderID: id, IntentID: books.Orders[0].Intents[0], Refund: &payment.GivenBack{ID: "re_some"}}); err != nil {
		t.Fatal(err)
	}
}

// made are the refunds of an order that the payment service knows, and how
// they ended.
func made(t *testing.T, s *ordertest.Shop, id string) map[string]payment.RefundState {
	t.Helper()
	p, err := s.Payments.Get(background, ordertest.Ourselves, id)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]payment.RefundState{}
	for _, r := range p.Refunds {
		all[r.Key] = r.State
	}
	return all
}

// A refund comes back while another one is being made, and nobody hears of it:
// whoever makes the other one sees it.
func TestARefundComesBackUnheard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 5})
		o := delivered(t, s, s.Input(s.Cart("mug", 2), ordertest.Paying("pm_card_refundFail")))
		give := func(key string, amount int64) order.RefundResult {
			t.Helper()
			got, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: key, Amount: cents(amount)})
			if err != nil || got.Refund.State != order.RefundSucceeded {
				t.Fatalf("%+v, %v", got.Refund, err)
			}
			return got
		}
		give("refund-0001", 500)
		sentBack(t, s, o.ID)
		o = give("refund-0002", 100).Order
		want := map[string]payment.RefundState{"refund-1": payment.RefundFailed, "refund-2": payment.RefundSucceeded, "refund-1-2": payment.RefundSucceeded}
		if got := made(t, s, o.ID); !maps.Equal(got, want) || o.Payment.Refunded != *cents(600) || o.Status != order.Delivered {
			t.Errorf("%v, %s is back of an order that is %s", got, o.Payment.Refunded, o.Status)
		}
	})
}

// An order was called off and paid back before refunds were kept with orders,
// and then the bank sends the money back.
func TestARefundOfOldComesBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("mug", map[string]int64{"berlin": 5})
		got := s.Buy(s.Input(s.Cart("mug", 2), ordertest.Paying("pm_card_refundFail")))
		id := got.Order.ID
		cancelled(t, s, got)
		s.Settle()
		if err := s.Orders.AsBeforeRefunds(background, id); err != nil {
			t.Fatal(err)
		}
		if o := s.WantOrder(id, order.Refunded, ""); o.Refundable().Minor != 0 {
			t.Errorf("%s of what is back can be given back", o.Refundable())
		}
		sentBack(t, s, id)
		for range 2 { // facts come twice
			if err := order.HeardOfPayment(s.Orders, background, events.Fact{Type: payment.FactChanged, Key: id}); err != nil {
				t.Fatal(err)
			}
		}
		if o := s.WantOrder(id, order.Cancelled, ""); len(o.Refunds) != 1 || o.Refunds[0].ID != order.RefundOfCancel || o.Refunds[0].Amount != o.Payment.Captured {
			t.Errorf("%+v", o.Refunds)
		}
		for range 2 { // the first that is made again is the one that came back
			s.Clock.Pass(6 * time.Minute)
			if _, err := s.Orders.Sweep(background); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]payment.RefundState{"cancel": payment.RefundFailed, "cancel-2": payment.RefundSucceeded}
		if have := made(t, s, id); !maps.Equal(have, want) {
			t.Errorf("%v", have)
		}
		s.WantOrder(id, order.Refunded, "")
	})
}

// Lines are worth what was paid for them, to the last cent, however they are
// given back.
func TestWhatLinesAreWorth(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := ordertest.New(t)
		s.Receive("shirt", map[string]int64{"berlin": 50})
		s.Receive("mug", map[string]int64{"berlin": 50})
		o := delivered(t, s, s.Input(s.Cart("shirt", 7, "mug", 3)))
		give := func(in order.RefundInput) order.RefundResult {
			t.Helper()
			in.OrderID, in.IdempotencyKey = o.ID, fmt.Sprintf("refund-%04d", len(s.Order(o.ID).Refunds))
			got, err := s.Orders.Refund(background, support, in)
			if err != nil || got.Refund.State != order.RefundSucceeded {
				t.Fatalf("%+v, %v", got.Refund, err)
			}
			sum := got.Refund.Shipping
			for _, l := range got.Refund.Lines {
				sum = sum.Plus(l.Amount)
			}
			if sum.Minor > got.Refund.Amount.Minor || in.Amount == nil && sum != got.Refund.Amount {
				t.Errorf("%s: its lines and shipping come to %s", got.Refund.Amount, sum)
			}
			return got
		}
		shirts, mugs := o.Quote.Lines[0], o.Quote.Lines[1]
		var back int64
		for range 6 {
			back += give(order.RefundInput{Lines: []order.RefundUnits{{LineID: shirts.ID, Quantity: 1}}}).Refund.Amount.Minor
		}
		if want := shirts.Total.Minor * 6 / 7; back-want > 1 || back < want {
			t.Errorf("six of seven shirts at %s: %d", shirts.Total, back)
		}
		back += give(order.RefundInput{Lines: []order.RefundUnits{{LineID: shirts.ID, Quantity: 1}}}).Refund.Amount.Minor
		if back != shirts.Total.Minor {
			t.Errorf("seven shirts at %s: %d", shirts.Total, back)
		}
		// A fee is kept back, which lines and shipping share.
		less := mugs.Total.Plus(o.Quote.Cost.Shipping).Minor - 250
		got := give(order.RefundInput{Lines: []order.RefundUnits{{LineID: mugs.ID, Quantity: 3}}, Shipping: true, Amount: cents(less), Reason: "scratched"})
		if got.Refund.Amount.Minor != less || got.Refund.Lines[0].Amount.Plus(got.Refund.Shipping).Minor != less || got.Order.Status != order.Delivered {
			t.Errorf("%+v", got.Refund)
		}
		if _, err := s.Orders.Refund(background, support, order.RefundInput{OrderID: o.ID, IdempotencyKey: "refund-more", Amount: cents(251)}); !errors.Is(err, order.ErrTooMuch) {
			t.Errorf("more than was left: %v", err)
		}
		got = give(order.RefundInput{Amount: cents(250)})
		if got.Order.Status != order.Refunded || got.Order.Refundable().Minor != 0 || got.Order.Payment.Refunded != got.Order.Payment.Captured {
			t.Errorf("%s: %+v", got.Order.Status, got.Order.Payment)
		}
		s.WantInvariants()
	})
}
