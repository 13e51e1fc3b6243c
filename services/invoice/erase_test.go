package invoice_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicetest"
)

// Who asks to be forgotten has no invoices any more; the papers stay as they
// are, and never had an address for mail or a telephone number in them.
func TestErasure(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bus := events.NewBus(client, nil)
	w := invoicetest.New(t)
	ada := identity.Caller{CustomerID: "ada"}
	in := w.Shop.Input(w.Shop.Cart("mug"))
	got, err := w.Shop.Orders.Checkout(background, ada, in)
	if err != nil || got.Order == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	before, err := w.Invoices.File(background, ada, got.Order.ID, invoice.PDF, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"invoices", "files"} {
		docs, err := w.Store.Documents(background, specOf(t, w, name))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := docs.Get(background, got.Order.ID)
		if err != nil || raw[0] == nil {
			t.Fatal(err)
		}
		for _, secret := range []string{in.Email, in.Phone, got.AccessToken} {
			if secret == "" || bytes.Contains(raw[0], []byte(secret)) {
				t.Errorf("%q is in %s", secret, name)
			}
		}
	}

	k, err := invoice.New(background, invoice.Options{Store: w.Store, Bus: bus, Orders: w.Shop.Orders, Seller: invoicetest.Seller, Now: w.Shop.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(background)
	ended := make(chan error)
	go func() { ended <- k.Run(ctx) }()
	defer func() { stop(); <-ended }()
	data, err := bson.Marshal(account.Erased{CustomerID: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Shop.Orders.Forget(background, "ada"); err != nil {
		t.Fatal(err)
	}
	w.Shop.Clock.Pass(366 * 24 * time.Hour)
	if err := w.Shop.Orders.SweepErasures(background); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		now := w.Shop.Clock.Now()
		if err := bus.Ring(background, account.Topic, events.Fact{ID: "ada:2:" + account.FactErased, Type: account.FactErased, Doc: "ada", Key: "ada", At: now, Data: data}); err != nil {
			t.Fatal(err)
		}
		if _, err = w.Invoices.Get(background, ada, got.Order.ID, ""); errors.Is(err, invoice.ErrNotFound) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %v", err)
		}
	}
	after, err := w.Invoices.File(background, identity.Ourselves(), got.Order.ID, invoice.PDF, "")
	if err != nil || !bytes.Equal(before.Content, after.Content) {
		t.Errorf("the invoice has changed: %v", err)
	}
	if found, err := w.Invoices.Audit(background, identity.Ourselves(), "documents/"); err != nil || found.Checked != 1 || len(found.Findings) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

func specOf(t *testing.T, w *invoicetest.World, name string) docstore.Spec {
	t.Helper()
	specs, err := w.Store.Collections(background)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		if spec.Name == name {
			return spec
		}
	}
	t.Fatalf("there is no collection %s", name)
	return docstore.Spec{}
}
