package invoicetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/platform/money"
	"ordergraph/services/invoice"
	"ordergraph/services/order"
)

var background = context.Background()

// Run holds an invoice service to its contract. reach says how the world's
// invoices are reached: themselves, or by a client of them.
func Run(t *testing.T, reach func(*testing.T, *World) invoice.Service) {
	for name, test := range map[string]func(*testing.T, *World, invoice.Service){
		"AConfirmedOrderHasOneInvoice": oneInvoice,
		"ARefundedOrderHasACreditNote": creditNote,
		"EachRefundHasACreditNote":     partialRefunds,
		"WhatWasGivenBackIsCredited":   givenBack,
		"AFailedOrderHasNothing":       failed,
		"WhoMaySeeAnInvoice":           whoMaySee,
		"VersionsAreForWhoMayReadAll":  versions,
		"AnAuditReadsAllBooks":         audited,
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			test(t, w, reach(t, w))
		})
	}
}

func oneInvoice(t *testing.T, w *World, invoices invoice.Service) {
	bought := w.Buy()
	got, err := invoices.Get(background, identity.Caller{}, bought.Order.ID, bought.AccessToken)
	total := bought.Order.Quote.Cost.Total
	if err != nil || got.Status != invoice.Ready || got.Kind != invoice.KindInvoice || got.OrderID != bought.Order.ID || got.IssuedAt.IsZero() ||
		got.Paid != total || got.Total.Plus(got.Rounding) != total || got.Net.Plus(got.Tax) != got.Total || got.Version != 3 || len(got.Taxes) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := w.Invoices.Issue(background, *bought.Order); err != nil {
		t.Fatal(err)
	}
	all, err := invoices.OfOrder(background, identity.Caller{}, bought.Order.ID, bought.AccessToken)
	if err != nil || len(all) != 1 || all[0].Number != got.Number {
		t.Errorf("%+v, %v", all, err)
	}
	for _, format := range []invoice.Format{invoice.PDF, invoice.XML} {
		first, err := invoices.File(background, identity.Caller{}, bought.Order.ID, format, bought.AccessToken)
		if err != nil || first.Name != got.Number+"."+string(format) || len(first.Content) < 1_000 {
			t.Fatalf("%s: %q, %d bytes, %v", format, first.Name, len(first.Content), err)
		}
		again, err := invoices.File(background, identity.Ourselves(), bought.Order.ID, format, "")
		if err != nil || !bytes.Equal(first.Content, again.Content) {
			t.Errorf("%s changes: %v", format, err)
		}
	}
	if _, err := invoices.File(background, identity.Ourselves(), bought.Order.ID, "docx", ""); !errors.Is(err, invoice.ErrInput) {
		t.Errorf("docx: %v", err)
	}
}

func creditNote(t *testing.T, w *World, invoices invoice.Service) {
	bought := w.Buy()
	if err := w.Invoices.Issue(background, w.Refund(bought)); err != nil {
		t.Fatal(err)
	}
	all, err := invoices.OfOrder(background, identity.Caller{}, bought.Order.ID, bought.AccessToken)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	credit := all[1]
	if credit.Kind != invoice.KindCreditNote || credit.Refers != all[0].Number || credit.Number != "CN-"+all[0].Number || credit.Paid != all[0].Paid ||
		credit.ID != bought.Order.ID+invoice.CreditSuffix {
		t.Errorf("%+v of %+v", credit, all[0])
	}
	if f, err := invoices.File(background, identity.Caller{}, credit.ID, invoice.XML, bought.AccessToken); err != nil || !bytes.Contains(f.Content, []byte("<CreditNote ")) {
		t.Errorf("%s, %v", f.Content, err)
	}
}

func failed(t *testing.T, w *World, invoices invoice.Service) {
	got := w.Shop.Buy(w.Shop.Input(w.Shop.Cart("mug"), func(in *order.CheckoutInput) { in.PaymentMethod = "pm_card_chargeDeclined" }))
	if _, err := invoices.Get(background, identity.Caller{}, got.Order.ID, got.AccessToken); !errors.Is(err, invoice.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if all, err := invoices.OfOrder(background, identity.Caller{}, got.Order.ID, got.AccessToken); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func whoMaySee(t *testing.T, w *World, invoices invoice.Service) {
	cart := w.Shop.Cart("mug")
	got, err := w.Shop.Orders.Checkout(background, identity.Caller{CustomerID: "ada"}, w.Shop.Input(cart))
	if err != nil || got.Order == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	id, token := got.Order.ID, got.AccessToken
	for range 2 { // before it is written, and after
		for _, c := range []struct {
			who   identity.Caller
			token string
			sees  bool
		}{
			{identity.Caller{}, "", false},
			{identity.Caller{}, token + "x", false},
			{identity.Caller{CustomerID: "eve"}, "", false},
			{identity.Caller{CustomerID: "eve", Roles: []identity.Role{identity.Warehouse}}, "", false},
			{identity.Caller{CustomerID: "ada"}, "", true},
			{identity.Caller{}, token, true},
			{identity.Caller{CustomerID: "eve", Roles: []identity.Role{identity.Support}}, "", true},
		} {
			_, err := invoices.Get(background, c.who, id, c.token)
			_, fileErr := invoices.File(background, c.who, id, invoice.PDF, c.token)
			if c.sees && (err != nil || fileErr != nil) || !c.sees && (!errors.Is(err, invoice.ErrNotFound) || !errors.Is(fileErr, invoice.ErrNotFound)) {
				t.Errorf("%+v with token %q: %v, %v", c.who, c.token, err, fileErr)
			}
		}
	}
	for _, id := range []string{"", "nothing", id + invoice.CreditSuffix} {
		if _, err := invoices.Get(background, identity.Ourselves(), id, token); !errors.Is(err, invoice.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func versions(t *testing.T, w *World, invoices invoice.Service) {
	bought := w.Buy()
	if _, err := invoices.Versions(background, identity.Caller{CustomerID: "ada"}, nil); !errors.Is(err, invoice.ErrForbidden) {
		t.Errorf("a customer: %v", err)
	}
	if _, err := invoices.Versions(background, identity.Ourselves(), make([]string, invoice.MaxVersions+1)); !errors.Is(err, invoice.ErrInput) {
		t.Errorf("too many: %v", err)
	}
	for _, want := range []int64{1, 3} {
		got, err := invoices.Versions(background, identity.Ourselves(), []string{bought.Order.ID})
		if err != nil || got[bought.Order.ID] != want {
			t.Errorf("%v, %v, want %d", got, err, want)
		}
		if err := w.Invoices.Issue(background, *bought.Order); err != nil {
			t.Fatal(err)
		}
	}
}

func partialRefunds(t *testing.T, w *World, invoices invoice.Service) {
	bought := w.Buy()
	o := *bought.Order
	lines, total := o.Quote.Lines, o.Quote.Cost.Total
	euro := func(minor int64) money.Amount { return money.Of(minor, total.Currency) }
	half := euro(lines[0].Total.Minor / lines[0].Quantity)
	refunds := []order.Refund{
		{ID: "1", Amount: half.Plus(euro(100)), Lines: []order.RefundLine{{LineID: lines[0].ID, Quantity: 1, Amount: half}}, Shipping: euro(100), Reason: "Scratched", State: order.RefundSucceeded},
		{ID: "2", Amount: euro(50), State: order.RefundFailed},
		{ID: "3", Amount: euro(200), State: order.RefundPending},
		{ID: "4", Amount: euro(99), Lines: []order.RefundLine{{LineID: lines[1].ID, Quantity: 1, Amount: euro(90)}}, State: order.RefundSucceeded},
	}
	want := func(ids ...string) []invoice.Invoice {
		t.Helper()
		if err := w.Invoices.Issue(background, o); err != nil {
			t.Fatal(err)
		}
		all, err := invoices.OfOrder(background, identity.Caller{}, o.ID, bought.AccessToken)
		if err != nil || len(all) != len(ids) {
			t.Fatalf("%+v, %v, want %v", all, err, ids)
		}
		for i, v := range all {
			if v.ID != o.ID+ids[i] || v.Status != invoice.Ready || v.Net.Plus(v.Tax) != v.Total || v.Total.Plus(v.Rounding) != v.Paid {
				t.Errorf("%d: %+v, want %s", i, v, ids[i])
			}
			if got, err := invoices.Get(background, identity.Caller{}, v.ID, bought.AccessToken); err != nil || got.Number != v.Number {
				t.Errorf("%s: %+v, %v", v.ID, got, err)
			}
			if _, err := invoices.Get(background, identity.Caller{}, v.ID, ""); !errors.Is(err, invoice.ErrNotFound) {
				t.Errorf("%s is seen by all: %v", v.ID, err)
			}
		}
		return all
	}
	want("")
	o.Refunds = refunds[:3]
	want("", "-credit-1")
	o.Refunds = refunds
	want("", "-credit-1", "-credit-4")
	o.Refunds[2].State = order.RefundSucceeded
	all := want("", "-credit-1", "-credit-4", "-credit-3")
	for i, amount := range map[int]money.Amount{1: refunds[0].Amount, 2: refunds[3].Amount, 3: refunds[2].Amount} {
		if all[i].Paid != amount || all[i].Refers != all[0].Number || all[i].Number != fmt.Sprintf("CN-%s-%06d", all[0].Number[:4], i) {
			t.Errorf("%+v, want %v of %s", all[i], amount, all[0].Number)
		}
	}
	f, err := invoices.File(background, identity.Caller{}, o.ID+"-credit-1", invoice.XML, bought.AccessToken)
	for _, text := range []string{"<cbc:Note>Scratched</cbc:Note>", "<cbc:CreditedQuantity unitCode=\"C62\">1<", lines[0].Item.SKU, "<cbc:ID>" + all[0].Number + "<"} {
		if err != nil || !bytes.Contains(f.Content, []byte(text)) {
			t.Errorf("%v, no %s in %s", err, text, f.Content)
		}
	}
	// What remains is given back: all is, at each rate of tax.
	left := total
	for _, r := range o.Refunds {
		if r.State == order.RefundSucceeded {
			left = left.Minus(r.Amount)
		}
	}
	o.Status = order.Refunded
	o.Refunds = append(o.Refunds, order.Refund{ID: order.RefundOfCancel, Amount: left, Reason: "in the customer's words", State: order.RefundSucceeded})
	all = want("", "-credit-1", "-credit-4", "-credit-3", "-credit")
	sum := euro(0)
	for _, v := range all[1:] {
		sum = sum.Plus(v.Paid)
	}
	if sum != all[0].Paid {
		t.Errorf("%v was given back of %v", sum, all[0].Paid)
	}
}

// givenBack has the order service refund a unit and its shipping, and then all
// that is left.
func givenBack(t *testing.T, w *World, invoices invoice.Service) {
	bought := w.Buy()
	line := bought.Order.Quote.Lines[0]
	first, err := w.Shop.Orders.Refund(background, identity.Ourselves(), order.RefundInput{
		OrderID: bought.Order.ID, IdempotencyKey: "refund-0001", Lines: []order.RefundUnits{{LineID: line.ID, Quantity: 1}}, Shipping: true, Reason: "Torn",
	})
	if err != nil || first.Refund.State != order.RefundSucceeded {
		t.Fatalf("%+v, %v", first.Refund, err)
	}
	if _, err := w.Shop.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: bought.Order.ID, AccessToken: bought.AccessToken}); err != nil {
		t.Fatal(err)
	}
	w.Shop.Settle(bought.Order.ID)
	if err := w.Invoices.Issue(background, w.Shop.WantOrder(bought.Order.ID, order.Refunded, "")); err != nil {
		t.Fatal(err)
	}
	all, err := invoices.OfOrder(background, identity.Caller{}, bought.Order.ID, bought.AccessToken)
	if err != nil || len(all) != 3 || all[1].Paid != first.Refund.Amount || all[1].Paid.Plus(all[2].Paid) != all[0].Paid || all[1].ID != bought.Order.ID+"-credit-1" || all[2].ID != bought.Order.ID+"-credit" {
		t.Fatalf("%+v, %v, want %v first", all, err, first.Refund.Amount)
	}
	w.Shop.Clock.Pass(time.Hour)
	w.WantAudit(invoices, 3)
}

func audited(t *testing.T, w *World, invoices invoice.Service) {
	identitytest.Needs(t, identity.OperationsRead, func(who identity.Caller) error {
		_, err := invoices.Audit(background, who, "")
		return err
	})
	for _, after := range []string{"x", "numbers/x", "numbers/2026/x", "numbers/2026/7", "orders/x"} {
		if _, err := invoices.Audit(background, identity.Ourselves(), after); !errors.Is(err, invoice.ErrCursor) {
			t.Errorf("after %q: %v", after, err)
		}
	}
	w.WantAudit(invoices, 0)
	bought := w.Buy()
	w.WantAudit(invoices, 0) // just now: it may yet get its invoice
	w.Shop.Clock.Pass(time.Hour)
	if found := w.WantAudit(invoices, 0, bought.Order.ID); !strings.Contains(found[0].Detail, "is owed") {
		t.Errorf("%+v", found)
	}
	if err := w.Invoices.Issue(background, w.Refund(bought)); err != nil {
		t.Fatal(err)
	}
	w.Shop.Clock.Pass(time.Hour)
	w.WantAudit(invoices, 2)
}
