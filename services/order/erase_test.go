package order_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

var ada = identity.Caller{CustomerID: "ada", Roles: []identity.Role{identity.Customer}}

// A past is what somebody has bought: one order that failed, one that was
// given back, one that is confirmed; and one of somebody else.
type past struct {
	*testing.T
	*ordertest.Shop
	failed, refunded, confirmed, others string
}

func newPast(t *testing.T, settings ...ordertest.Setting) *past {
	p := &past{T: t, Shop: ordertest.New(t, settings...)}
	p.Receive("mug", map[string]int64{"berlin": 50})
	buy := func(who identity.Caller, method string) string {
		t.Helper()
		got, err := p.Orders.Checkout(background, who, p.Input(p.Cart("mug"), ordertest.Paying(method), func(in *order.CheckoutInput) {
			in.BillingAddress = &order.Address{LastName: "Lovelace", Address1: "Hafenstrasse 1", City: "Hamburg", Zip: "20359", Country: "DE", Phone: "+491701234567"}
		}))
		if err != nil {
			t.Fatal(err)
		}
		return got.Order.ID
	}
	p.failed, p.refunded, p.confirmed = buy(ada, "pm_card_chargeDeclined"), buy(ada, "pm_card_visa"), buy(ada, "pm_card_visa")
	p.others = buy(identity.Caller{CustomerID: "bob"}, "pm_card_visa")
	if _, err := p.Orders.Cancel(background, ada, order.CancelInput{OrderID: p.refunded, Reason: "call me: +491701234567"}); err != nil {
		t.Fatal(err)
	}
	p.WantOrder(p.refunded, order.Refunded, "")
	return p
}

// forgotten are the names of what an order does not tell of its customer.
func (p *past) forgotten(id string) string {
	p.Helper()
	raw, err := json.Marshal(p.Order(id))
	if err != nil {
		p.Fatal(err)
	}
	var gone []string
	for _, c := range []struct{ what, text string }{{"customer", `"CustomerID":"ada"`}, {"mail", "ada@example.org"}, {"phone", "+491701234567"}, {"name", "Lovelace"}} {
		if !strings.Contains(string(raw), c.text) {
			gone = append(gone, c.what)
		}
	}
	return strings.Join(gone, " ")
}

func (p *past) sweep() {
	p.Helper()
	if err := p.Orders.SweepErasures(background); err != nil {
		p.Fatal(err)
	}
}

func (p *past) want(failed, refunded, confirmed string) {
	p.Helper()
	for id, want := range map[string]string{p.failed: failed, p.refunded: refunded, p.confirmed: confirmed, p.others: "customer"} {
		if got := p.forgotten(id); got != want {
			p.Errorf("of the order that is %s this is forgotten: %q, want %q", p.Order(id).Status, got, want)
		}
	}
}

func TestOrdersForgetTheirCustomer(t *testing.T) {
	p := newPast(t)
	got, err := p.Orders.Checkout(background, ada, p.Input(p.Cart("mug")))
	if err != nil {
		t.Fatal(err)
	}
	p.sweep()
	p.want("", "", "")
	for range 2 {
		if err := p.Orders.Forget(background, "ada"); err != nil {
			t.Fatal(err)
		}
		p.sweep()
		p.want("customer mail phone name", "", "")
	}
	before := p.Order(p.refunded).Version
	p.Clock.Pass(order.RefundWindow)
	p.sweep()
	p.want("customer mail phone name", "customer mail phone", "")
	if after := p.Order(p.refunded).Version; after <= before {
		t.Error("who watches the order is not told")
	}
	p.Clock.Pass(order.AbandonedAfter)
	p.sweep()
	p.want("customer mail phone name", "customer mail phone", "customer mail phone")
	for _, token := range []string{"", got.AccessToken} {
		if o, err := p.Orders.Get(background, ada, got.Order.ID, token); err == nil {
			t.Errorf("with the token %q it is still shown: %+v", token, o)
		}
	}
	p.Clock.Pass((order.InvoiceYears + 1) * 366 * 24 * time.Hour)
	p.sweep()
	p.want("customer mail phone name", "customer mail phone name", "customer mail phone name")
	if o := p.Order(p.confirmed); o.ShippingAddress.Country != "DE" || len(o.Quote.Lines) != 1 || o.Payment.Captured.Minor == 0 {
		t.Errorf("the books do not add up any more: %+v", o)
	}
	p.sweep()
	p.WantInvariants()
}

// The process dies at any write of it, and the fact is heard again.
func TestDeathInForgetting(t *testing.T) {
	for n, alive := 1, true; alive; n++ {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprintf("write%d/taken=%v", n, taken), func(t *testing.T) {
				p := newPast(t)
				p.Clock.Pass(order.RefundWindow)
				var reaper docstoretest.Reaper
				p.Start(&reaper)
				if taken {
					reaper.DieAfter(n)
				} else {
					reaper.DieBefore(n)
				}
				_ = p.Orders.Forget(background, "ada")
				_ = p.Orders.SweepErasures(background)
				alive = reaper.Dead()
				p.Start(nil)
				if err := p.Orders.Forget(background, "ada"); err != nil {
					t.Fatal(err)
				}
				p.sweep()
				p.want("customer mail phone name", "customer mail phone", "")
			})
		}
		if n > 20 {
			t.Fatal("it never survives")
		}
	}
}

func TestHearsOfErasure(t *testing.T) {
	bus := newBus(t)
	p := newPast(t, ordertest.Connected(bus))
	p.Work()
	data, err := bson.Marshal(account.Erased{CustomerID: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	mail, err := bson.Marshal(account.MailDue{ID: "m", Kind: account.MailVerify})
	if err != nil {
		t.Fatal(err)
	}
	now := p.Clock.Now()
	eventually(t, "the order forgets its customer", func() bool {
		if err := bus.Ring(background, account.Topic,
			events.Fact{ID: "bob:1:" + account.FactMail, Type: account.FactMail, Doc: "bob", Key: "bob", At: now, Data: mail},
			events.Fact{ID: "ada:2:" + account.FactErased, Type: account.FactErased, Doc: "ada", Key: "ada", At: now, Data: data},
		); err != nil {
			t.Fatal(err)
		}
		p.sweep()
		return p.forgotten(p.failed) == "customer mail phone name"
	})
	p.want("customer mail phone name", "", "")
}
