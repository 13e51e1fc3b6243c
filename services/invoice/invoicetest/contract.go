package invoicetest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"ordergraph/platform/identity"
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
		"AFailedOrderHasNothing":       failed,
		"WhoMaySeeAnInvoice":           whoMaySee,
		"VersionsAreForWhoMayReadAll":  versions,
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
