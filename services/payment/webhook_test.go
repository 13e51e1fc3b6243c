package payment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"ordergraph/sandbox/card"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymenttest"
)

// eventually waits for what happens in another goroutine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (h hooked) state(id string) payment.State {
	p, _ := h.Cashier.Get(h.T.Context(), us, id)
	return p.State
}

type hooked struct{ *paymenttest.World }

// The processor's word is enough: nobody sweeps here.
func TestWebhookBringsTheNews(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]card.Faults{"once": {}, "twice and out of order": {Twice: true, Shuffled: true}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := hooked{paymenttest.New(t, paymenttest.Webhooks(), paymenttest.Card(func(o *card.Options) { o.Faults = f }))}
				p := want(t, payment.ActionNeeded)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("yes", "pm_card_authenticationRequired")))
				w.Answer(p, "confirm")
				eventually(t, "authorised after the customer confirmed", func() bool { return w.state("yes") == payment.Authorised })
				want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "yes"))

				p = want(t, payment.ActionNeeded)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("no", "pm_card_authenticationRequired")))
				w.Answer(p, "refuse")
				eventually(t, "declined after the customer refused", func() bool { return w.state("no") == payment.Declined })

				want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("late", "pm_card_pendingRefund")))
				want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "late"))
				want(t, payment.Captured)(w.Cashier.Refund(t.Context(), us, refundOf("late", "a", 1999)))
				w.Pass(5 * time.Second)
				eventually(t, "refunded when the processor says so", func() bool {
					p, _ := w.Cashier.Get(t.Context(), us, "late")
					return p.Refunded == euro(1999)
				})

				// Said to have succeeded, failed a second later.
				want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("back", "pm_card_refundFail")))
				want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "back"))
				p = want(t, payment.Captured)(w.Cashier.Refund(t.Context(), us, refundOf("back", "a", 1999)))
				if p.Refunds[0].State != payment.RefundSucceeded {
					t.Errorf("refunds: %+v", p.Refunds)
				}
				w.Pass(5 * time.Second)
				eventually(t, "the refund has failed after all", func() bool {
					p, _ := w.Cashier.Get(t.Context(), us, "back")
					return p.Refunds[0].State == payment.RefundFailed && p.Refunded.Minor == 0
				})
				w.WantBooksAgree()
			})
		})
	}
}

// What staff do at the processor's desk comes into our books.
func TestDoneAtTheProcessorsDesk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := hooked{paymenttest.New(t, paymenttest.Webhooks())}
		desk := func(path string, form url.Values) {
			t.Helper()
			if resp := w.Post(w.URL+path, paymenttest.SecretKey, form); resp.StatusCode != 200 {
				t.Fatalf("%s: %s", path, resp.Status)
			}
		}
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("sold", "pm_card_visa")))
		want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "sold"))
		desk("/v1/refunds", url.Values{"payment_intent": {w.Ledger("sold").Intents[0]}, "amount": {"400"}})
		eventually(t, "the refund is in our books", func() bool {
			p, _ := w.Cashier.Get(t.Context(), us, "sold")
			return p.Refunded == euro(400)
		})
		if _, err := w.Cashier.Refund(t.Context(), us, refundOf("sold", "a", 1600)); err == nil {
			t.Error("more was given back than was left")
		}

		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("left", "pm_card_visa")))
		desk("/v1/payment_intents/"+w.Ledger("left").Intents[0]+"/cancel", nil)
		eventually(t, "voided", func() bool { return w.state("left") == payment.Voided })
		w.WantBooksAgree()
	})
}

// What was given back at the desk without our hearing of it is known when the
// processor refuses to give back more than is left.
func TestDoneAtTheDeskUnheard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := hooked{paymenttest.New(t)}
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("sold", "pm_card_visa")))
		want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "sold"))
		form := url.Values{"payment_intent": {w.Ledger("sold").Intents[0]}, "amount": {"400"}}
		if resp := w.Post(w.URL+"/v1/refunds", paymenttest.SecretKey, form); resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
		all, err := w.Cashier.Refund(t.Context(), us, refundOf("sold", "a", 1999))
		if err != nil || len(all.Refunds) != 2 || all.Refunds[0].State != payment.RefundFailed || all.Refunded != euro(400) {
			t.Fatalf("%+v, %v", all, err)
		}
		if _, err := w.Cashier.Refund(t.Context(), us, refundOf("sold", "b", 1999)); !errors.Is(err, payment.ErrTooMuch) {
			t.Errorf("more than is left: %v", err)
		}
		rest, err := w.Cashier.Refund(t.Context(), us, refundOf("sold", "c", 1599))
		if err != nil || rest.Refunded != euro(1999) {
			t.Errorf("%+v, %v", rest, err)
		}
		w.WantBooksAgree()
	})
}

// event is what the processor would send about the order's intent.
func event(t *testing.T, order, intent, status string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": time.Now().Unix(), "api_version": "2019-01-01",
		"data": map[string]any{"object": map[string]any{
			"id": intent, "object": "payment_intent", "amount": 1999, "amount_received": 1999, "currency": "eur", "status": status,
			"metadata": map[string]string{"order_id": order},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func post(t *testing.T, w *paymenttest.World, body []byte, signature string) int {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/card", bytes.NewReader(body))
	req.Header.Set("Stripe-Signature", signature)
	rec := httptest.NewRecorder()
	w.Cashier.Webhook(paymenttest.WebhookSecret).ServeHTTP(rec, req)
	return rec.Code
}

func TestForgedNotices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
		intent := w.Ledger("o").Intents[0]
		body := event(t, "o", intent, "succeeded")
		now := time.Now()
		good := card.Sign(paymenttest.WebhookSecret, body, now)
		for name, c := range map[string]struct {
			body []byte
			sign string
			code int
		}{
			"unsigned":          {body, "", 400},
			"nonsense":          {body, "t=1,v1=zz", 400},
			"another secret":    {body, card.Sign("whsec_other", body, now), 400},
			"too old":           {body, card.Sign(paymenttest.WebhookSecret, body, now.Add(-5*time.Minute-time.Second)), 400},
			"tampered":          {bytes.Replace(body, []byte("1999"), []byte("2999"), 1), good, 400},
			"other time":        {body, strings.Replace(good, fmt.Sprint(now.Unix()), fmt.Sprint(now.Unix()+1), 1), 400},
			"too large":         {make([]byte, 1<<20+1), good, 413},
			"no JSON":           {[]byte("hello"), "", 200},
			"signed":            {body, good, 200},
			"signed, and old":   {body, card.Sign(paymenttest.WebhookSecret, body, now.Add(-4*time.Minute)), 200},
			"unknown order":     {event(t, "other", "pi_other", "succeeded"), "", 200},
			"another intent":    {event(t, "o", "pi_other", "succeeded"), "", 200},
			"no order at all":   {event(t, "", "pi_other", "succeeded"), "", 200},
			"unknown status":    {event(t, "o", intent, "reticulating"), "", 200},
			"unknown to them":   {event(t, "gone", "pi_gone", "requires_capture"), "", 200},
			"says less than is": {event(t, "o", intent, "requires_action"), "", 200},
		} {
			sign := c.sign
			if c.code == 200 && sign == "" {
				sign = card.Sign(paymenttest.WebhookSecret, c.body, now)
			}
			if code := post(t, w, c.body, sign); code != c.code {
				t.Errorf("%s: %d, want %d", name, code, c.code)
			}
			// Even a signed event is not believed: the processor says otherwise.
			want(t, payment.Authorised)(w.Cashier.Get(t.Context(), us, "o"))
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/webhooks/card", nil)
		rec := httptest.NewRecorder()
		w.Cashier.Webhook(paymenttest.WebhookSecret).ServeHTTP(rec, req)
		if rec.Code != http.StatusMethodNotAllowed {
			t.Errorf("GET: %d", rec.Code)
		}
		rec = httptest.NewRecorder()
		w.Cashier.Webhook("").ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body)))
		if rec.Code != http.StatusBadRequest {
			t.Errorf("without a secret anything goes: %d", rec.Code)
		}
	})
}

// A notice that cannot be checked now is not acknowledged.
func TestNoticeWhileTheProcessorIsDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
		body := event(t, "o", w.Ledger("o").Intents[0], "canceled")
		faults(t, w, card.Faults{Down: true})
		if code := post(t, w, body, card.Sign(paymenttest.WebhookSecret, body, time.Now())); code != http.StatusServiceUnavailable {
			t.Errorf("answered %d", code)
		}
		faults(t, w, card.Faults{})
		if code := post(t, w, body, card.Sign(paymenttest.WebhookSecret, body, time.Now())); code != http.StatusOK {
			t.Errorf("answered %d", code)
		}
		want(t, payment.Authorised)(w.Cashier.Get(t.Context(), us, "o"))
	})
}
