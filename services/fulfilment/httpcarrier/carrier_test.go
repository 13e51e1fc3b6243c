package httpcarrier_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/sandbox/carrier"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/httpcarrier"
	"ordergraph/services/order"
	"ordergraph/test/memnet"
)

const secret = "carrier_httpcarrier"

func open(t *testing.T, theirs, ours string) (*carrier.Carrier, *httpcarrier.Carrier, *clocktest.Clock) {
	t.Helper()
	clock := &clocktest.Clock{}
	c, err := carrier.New(t.Context(), carrier.Options{Store: docstoretest.Memory(t), Secret: theirs, Public: "http://carrier.example", Step: time.Minute, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	client, err := httpcarrier.New(httpcarrier.Options{URL: "http://localhost/", Secret: ours, Dial: memnet.Serve(t, c)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return c, client, clock
}

func parcel(change ...func(*fulfilment.Parcel)) fulfilment.Parcel {
	p := fulfilment.Parcel{Reference: "order-1", Units: 2, To: order.Address{FirstName: "Ada", LastName: "Lovelace", Address1: "Hafenstrasse 1", Zip: "20359", City: "Hamburg", Country: "DE"}}
	for _, c := range change {
		c(&p)
	}
	return p
}

func TestBook(t *testing.T) {
	c, client, _ := open(t, secret, secret)
	first, err := client.Book(t.Context(), "key-1", parcel())
	if err != nil || first.Number == "" || first.Company == "" || first.URL != "http://carrier.example/track/"+first.Number || first.Status != fulfilment.Booked {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := client.Book(t.Context(), "key-1", parcel())
	if err != nil || again != first {
		t.Errorf("the same key: %+v, %v", again, err)
	}
	refused := func(err error) bool { _, ok := errors.AsType[*fulfilment.Refusal](err); return ok }
	if _, err := client.Book(t.Context(), "key-1", parcel(func(p *fulfilment.Parcel) { p.Units = 3 })); err == nil || refused(err) {
		t.Errorf("another parcel under the key: %v", err)
	}
	for name, change := range map[string]func(*fulfilment.Parcel){
		"nobody lives there": func(p *fulfilment.Parcel) { p.To.Zip = "00000" },
		"no street":          func(p *fulfilment.Parcel) { p.To.Address1 = "" },
		"nothing in it":      func(p *fulfilment.Parcel) { p.Units = 0 },
	} {
		_, err := client.Book(t.Context(), "key-of-"+name[:2], parcel(change))
		if no, ok := errors.AsType[*fulfilment.Refusal](err); !ok || no.Reason == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := c.Parcels(t.Context(), "order-1"); n != 1 || err != nil {
		t.Errorf("%d parcels, %v", n, err)
	}
}

// An answer that does not come is no Refusal: it may have been booked.
func TestBookInTrouble(t *testing.T) {
	for name, faults := range map[string]carrier.Faults{"down": {Down: true}, "lost": {Lost: 1}} {
		c, client, _ := open(t, secret, secret)
		if err := c.SetFaults(faults); err != nil {
			t.Fatal(err)
		}
		_, err := client.Book(t.Context(), "key-1", parcel())
		if _, refused := errors.AsType[*fulfilment.Refusal](err); err == nil || refused {
			t.Errorf("%s: %v", name, err)
		}
		if err := c.SetFaults(carrier.Faults{}); err != nil {
			t.Fatal(err)
		}
		if got, err := client.Book(t.Context(), "key-1", parcel()); err != nil || got.Number == "" {
			t.Errorf("%s, then: %+v, %v", name, got, err)
		}
		if n, err := c.Parcels(t.Context(), "order-1"); n != 1 || err != nil {
			t.Errorf("%s: %d parcels, %v", name, n, err)
		}
	}
	_, client, _ := open(t, secret, "another")
	_, err := client.Book(t.Context(), "key-1", parcel())
	if _, refused := errors.AsType[*fulfilment.Refusal](err); err == nil || refused {
		t.Errorf("without the right key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Book(ctx, "key-1", parcel()); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}

func TestTrack(t *testing.T) {
	for street, way := range map[string][]fulfilment.CarrierStatus{
		"Hafenstrasse 1": {fulfilment.Booked, fulfilment.InTransit, fulfilment.OutForDelivery, fulfilment.Arrived, fulfilment.Arrived},
		"Nowhere 1":      {fulfilment.Booked, fulfilment.InTransit, fulfilment.OutForDelivery, fulfilment.Undeliverable, fulfilment.Undeliverable},
	} {
		c, client, clock := open(t, secret, secret)
		booked, err := client.Book(t.Context(), "key-1", parcel(func(p *fulfilment.Parcel) { p.To.Address1 = street }))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range way {
			if got, err := client.Track(t.Context(), booked.Number); got != want || err != nil {
				t.Errorf("%s, step %d: %s, %v, want %s", street, i, got, err, want)
			}
			clock.Pass(time.Minute)
			if err := c.Move(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.Track(t.Context(), "SBXNOTHING/../x"); !errors.Is(err, fulfilment.ErrNoParcel) {
			t.Errorf("a number that is not known: %v", err)
		}
	}
}

func TestNotice(t *testing.T) {
	_, client, _ := open(t, secret, secret)
	body := []byte(`{"reference": "order-1", "number": "SBX1"}`)
	read := func(signature string, body []byte) (fulfilment.Notice, error) {
		header := http.Header{}
		header.Set("Carrier-Signature", signature)
		return client.Notice(secret, header, body)
	}
	got, err := read(carrier.Sign(secret, body, time.Now()), body)
	if err != nil || got != (fulfilment.Notice{Reference: "order-1", Number: "SBX1"}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := read(carrier.Sign(secret, []byte("odd"), time.Now()), []byte("odd")); err != nil || got != (fulfilment.Notice{}) {
		t.Errorf("signed, and nothing that we know: %+v, %v", got, err)
	}
	for name, signature := range map[string]string{
		"none": "", "old": carrier.Sign(secret, body, time.Now().Add(-time.Hour)), "another's": carrier.Sign("other", body, time.Now()), "tampered": carrier.Sign(secret, body[1:], time.Now()),
	} {
		if _, err := read(signature, body); !errors.Is(err, fulfilment.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client.Notice("", http.Header{"Carrier-Signature": {carrier.Sign("", body, time.Now())}}, body); !errors.Is(err, fulfilment.ErrForged) {
		t.Errorf("a shop without a secret believes: %v", err)
	}
}

func TestNew(t *testing.T) {
	for _, o := range []httpcarrier.Options{{Secret: secret}, {URL: "carrier.example", Secret: secret}, {URL: "ftp://carrier.example", Secret: secret}, {URL: "https://carrier.example"}} {
		if _, err := httpcarrier.New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
