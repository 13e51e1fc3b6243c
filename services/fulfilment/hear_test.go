package fulfilment_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"ordergraph/sandbox/carrier"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/fulfilmenttest"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// notice is what the carrier sends of a parcel.
func notice(t *testing.T, c fulfilment.Consignment, status string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{"number": c.Tracking.Number, "reference": c.ID, "status": status})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func post(w *fulfilmenttest.World, body []byte, signature string) int {
	req := httptest.NewRequest(http.MethodPost, "/webhooks/carrier", strings.NewReader(string(body)))
	if signature != "" {
		req.Header.Set("Carrier-Signature", signature)
	}
	answer := httptest.NewRecorder()
	w.Parcels.Webhook(fulfilmenttest.Secret).ServeHTTP(answer, req)
	return answer.Code
}

func shipped(w *fulfilmenttest.World, what ...any) (order.CheckoutResult, fulfilment.Consignment) {
	got, all := w.Sold(what...)
	packed(w, all[0].ID)
	c, err := w.Parcels.Ship(background, ada, all[0].ID, fulfilment.ShipInput{})
	w.Must(err)
	return got, c
}

// What the carrier did not sign, or signed long ago, changes nothing.
func TestForgedNotices(t *testing.T) {
	w := fulfilmenttest.New(t)
	got, c := shipped(w, "mug")
	w.Clock.Pass(time.Minute)
	w.Must(w.Carrier.Move(background)) // there would be something to hear
	body := notice(t, c, "delivered")
	now := time.Now()
	other := notice(t, c, "failed")
	for name, signature := range map[string]string{
		"none":             "",
		"garbage":          "garbage",
		"no time":          "t=,v1=00",
		"another's secret": carrier.Sign("other", body, now),
		"no secret":        carrier.Sign("", body, now),
		"of another body":  carrier.Sign(fulfilmenttest.Secret, other, now),
		"cut short":        carrier.Sign(fulfilmenttest.Secret, body, now)[:40],
		"old":              carrier.Sign(fulfilmenttest.Secret, body, now.Add(-time.Hour)),
		"of the future":    carrier.Sign(fulfilmenttest.Secret, body, now.Add(time.Hour)),
	} {
		if code := post(w, body, signature); code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, code)
		}
	}
	long := []byte(strings.Repeat(" ", 70_000))
	if code := post(w, long, carrier.Sign(fulfilmenttest.Secret, long, now)); code != http.StatusBadRequest {
		t.Errorf("70 kB: %d", code)
	}
	if now := w.Consignments(got.Order.ID)[0]; !reflect.DeepEqual(now, c) {
		t.Errorf("it was %+v, it is %+v", c, now)
	}
}

// Notices may come twice, late, out of order, and of what nobody knows: what
// counts is what the carrier says when it is asked.
func TestNotices(t *testing.T) {
	w := fulfilmenttest.New(t)
	got, c := shipped(w, "mug")
	tell := func(body []byte) int { return post(w, body, carrier.Sign(fulfilmenttest.Secret, body, time.Now())) }
	state := func() fulfilment.Consignment { return w.Consignments(got.Order.ID)[0] }
	if code := tell(notice(t, c, "delivered")); code != http.StatusOK || state().State != fulfilment.Shipped {
		t.Errorf("it has not arrived yet: %d, %s", code, state().State)
	}
	for range 3 {
		w.Clock.Pass(time.Minute)
		w.Must(w.Carrier.Move(background))
	}
	w.Must(w.Carrier.SetFaults(carrier.Faults{Down: true}))
	if code := tell(notice(t, c, "delivered")); code != http.StatusServiceUnavailable || state().State != fulfilment.Shipped {
		t.Errorf("the carrier cannot be asked: %d, %s", code, state().State)
	}
	w.Must(w.Carrier.SetFaults(carrier.Faults{}))
	if code := tell(notice(t, c, "booked")); code != http.StatusOK || state().State != fulfilment.Delivered {
		t.Errorf("an old notice, and it has arrived: %d, %s", code, state().State)
	}
	version := func() int64 {
		p, err := w.Parcels.Progress(background, ordertest.Ourselves, got.Order.ID)
		w.Must(err)
		return p.Version
	}
	before := version()
	for _, status := range []string{"delivered", "in_transit", "booked", "delivered"} {
		if code := tell(notice(t, c, status)); code != http.StatusOK || version() != before {
			t.Errorf("%s once more: %d, version %d, was %d", status, code, version(), before)
		}
	}
	for _, body := range []string{
		`{"reference": "no-such-order-1", "number": "X"}`, `{"reference": "` + got.Order.ID + `-9"}`, `{"reference": "-"}`, `{}`, `[]`, `not JSON`,
	} {
		if code := tell([]byte(body)); code != http.StatusOK {
			t.Errorf("%s: %d", body, code)
		}
	}
	w.WantSound()
}

// Of a parcel that people have handed over the carrier of the shop is not asked.
func TestNoticeOfAParcelByHand(t *testing.T) {
	w := fulfilmenttest.New(t)
	got, all := w.Sold("mug")
	packed(w, all[0].ID)
	c, err := w.Parcels.Ship(background, ada, all[0].ID, fulfilment.ShipInput{ByHand: &fulfilment.Tracking{Company: "Post", Number: "RR1"}})
	w.Must(err)
	body := notice(t, c, "delivered")
	if code := post(w, body, carrier.Sign(fulfilmenttest.Secret, body, time.Now())); code != http.StatusOK {
		t.Errorf("%d", code)
	}
	if c := w.Consignments(got.Order.ID)[0]; c.State != fulfilment.Shipped {
		t.Errorf("%s", c.State)
	}
}

// Orders of which nobody has told are found.
func TestSearch(t *testing.T) {
	w := fulfilmenttest.New(t)
	w.Receive("ebook", map[string]int64{"berlin": 10})
	untold := w.Buy(w.Input(w.Cart("mug", 2))).Order.ID
	download := w.Buy(w.Input(w.Cart("ebook"))).Order.ID
	calledOff := w.Buy(w.Input(w.Cart("mug")))
	w.Must(w.Parcels.CallOff(background, ordertest.Ourselves, calledOff.Order.ID))
	told, parts := w.Sold("mug")
	if n, err := w.Parcels.Search(background); n != 1 || err != nil {
		t.Errorf("%d were opened, %v", n, err)
	}
	if all := w.Consignments(untold); len(all) != 1 || all[0].State != fulfilment.Open || all[0].Lines[0].Quantity != 2 {
		t.Errorf("%+v", all)
	}
	for _, id := range []string{download, calledOff.Order.ID} {
		if all := w.Consignments(id); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	}
	if all := w.Consignments(told.Order.ID); !reflect.DeepEqual(all, parts) {
		t.Errorf("%+v", all)
	}
	if n, err := w.Parcels.Search(background); n != 0 || err != nil {
		t.Errorf("once more: %d were opened, %v", n, err)
	}
	w.WantSound()
}
