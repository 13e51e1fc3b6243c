// Package invoicetest is what every invoice service must do, whichever way it
// is reached, and a world to try it in: the real order service and its shop.
package invoicetest

import (
	"context"
	"slices"
	"testing"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/invoice"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// Seller is who sells.
var Seller = invoice.Seller{
	Name: "Harbour Store GmbH", Address: "Hafenstraße 1", Zip: "20457", City: "Hamburg", Country: "DE",
	TaxID: "DE123456788", Registration: "HRB 12345, Hamburg", Email: "hello@harbour.example",
}

// A World is a shop with an invoice service.
type World struct {
	t        testing.TB
	Shop     *ordertest.Shop
	Store    docstore.Store
	Invoices *invoice.Keeper
}

// New opens a shop that sells shirts and mugs.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{t: t, Shop: ordertest.New(t), Store: docstoretest.Memory(t)}
	w.Shop.Receive("shirt", map[string]int64{"berlin": 5000})
	w.Shop.Receive("mug", map[string]int64{"berlin": 5000})
	w.Invoices = w.Open(w.Store)
	return w
}

// Open is another copy of the invoice service, on this store.
func (w *World) Open(store docstore.Store) *invoice.Keeper {
	w.t.Helper()
	k, err := invoice.New(context.Background(), invoice.Options{Store: store, Orders: w.Shop.Orders, Seller: Seller, Now: w.Shop.Clock.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// Buy is a confirmed order, which nobody has told the invoice service of.
func (w *World) Buy(change ...func(*order.CheckoutInput)) order.CheckoutResult {
	w.t.Helper()
	got := w.Shop.Buy(w.Shop.Input(w.Shop.Cart("shirt", 2, "mug"), change...))
	if got.Order.Status != order.Confirmed {
		w.t.Fatalf("the order is %s: %+v", got.Order.Status, got.Order.Problems)
	}
	return got
}

// Refund calls the order off and waits until the money is back.
func (w *World) Refund(bought order.CheckoutResult) order.Order {
	w.t.Helper()
	if _, err := w.Shop.Orders.Cancel(context.Background(), identity.Caller{}, order.CancelInput{OrderID: bought.Order.ID, AccessToken: bought.AccessToken}); err != nil {
		w.t.Fatal(err)
	}
	w.Shop.Settle(bought.Order.ID)
	return w.Shop.WantOrder(bought.Order.ID, order.Refunded, "")
}

// WantAudit fails the test unless an audit reads so many documents and finds
// something about these orders, documents or numbers alone.
func (w *World) WantAudit(invoices invoice.Service, checked int, ids ...string) []invoice.Finding {
	w.t.Helper()
	var all invoice.AuditReport
	for pages := 0; ; pages++ {
		report, err := invoices.Audit(context.Background(), identity.Ourselves(), all.Next)
		if err != nil || pages > 1000 {
			w.t.Fatalf("page %d after %q: %v", pages, all.Next, err)
		}
		all.Checked += report.Checked
		all.Findings = append(all.Findings, report.Findings...)
		if all.Next = report.Next; all.Next == "" {
			break
		}
	}
	var found []string
	for _, f := range all.Findings {
		found = append(found, f.ID)
	}
	if all.Checked != checked || !slices.Equal(found, ids) {
		w.t.Fatalf("%d documents, %+v; want %d, %v", all.Checked, all.Findings, checked, ids)
	}
	return all.Findings
}
