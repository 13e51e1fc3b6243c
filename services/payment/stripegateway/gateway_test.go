package stripegateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stripe/stripe-go/v85"

	"ordergraph/platform/money"
	"ordergraph/services/payment"
	"ordergraph/test/memnet"
)

func TestNewChecksItsOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no key": {}, "no address": {SecretKey: "sk", URL: "stripe"}, "odd scheme": {SecretKey: "sk", URL: "ftp://stripe.example"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMinorUnits(t *testing.T) {
	for _, c := range []struct {
		ours   money.Amount
		theirs int64
	}{
		{money.Of(1999, "EUR"), 1999}, {money.Of(1999, "JPY"), 1999}, {money.Of(1500, "ISK"), 150000}, {money.Of(700, "UGX"), 70000},
	} {
		if got := toStripe(c.ours); got != c.theirs {
			t.Errorf("%v is %d to Stripe, want %d", c.ours, got, c.theirs)
		}
		if got := fromStripe(c.theirs, c.ours.Currency); got != c.ours {
			t.Errorf("%d %s is %v, want %v", c.theirs, c.ours.Currency, got, c.ours)
		}
	}
}

// What each kind of answer means for the money.
func TestWhatAnErrorMeans(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		replayed bool
		body     string
		want     error
		reason   payment.Reason
	}{
		"busy":              {429, false, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`, payment.ErrNotNow, ""},
		"a lock":            {429, false, `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`, payment.ErrUnknown, ""},
		"key in use":        {409, false, `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`, payment.ErrUnknown, ""},
		"other parameters":  {400, false, `{"error":{"type":"idempotency_error"}}`, payment.ErrSpent, ""},
		"wrong secret":      {401, false, `{"error":{"type":"invalid_request_error"}}`, payment.ErrNotNow, ""},
		"failed":            {500, false, `{"error":{"type":"api_error"}}`, payment.ErrUnknown, ""},
		"failed, and again": {500, true, `{"error":{"type":"api_error"}}`, payment.ErrSpent, ""},
		"no JSON":           {502, false, `<html>bad gateway</html>`, payment.ErrUnknown, ""},
		"no such card":      {400, false, `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method"}}`, nil, payment.ReasonInvalidMethod},
		"too small":         {400, false, `{"error":{"type":"invalid_request_error","code":"amount_too_small","param":"amount"}}`, nil, payment.ReasonDeclined},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.replayed {
					w.Header().Set("Idempotent-Replayed", "true")
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			_, err := gateway(t, Options{URL: server.URL}).Authorise(t.Context(), "k", payment.Request{OrderID: "o", Amount: money.Of(1, "EUR"), Method: "m"})
			if c.want != nil {
				if !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
				return
			}
			if r, ok := errors.AsType[*payment.Rejection](err); !ok || r.Reason != c.reason {
				t.Errorf("%v, want a rejection for %s", err, c.reason)
			}
		})
	}
}

func gateway(t *testing.T, o Options) *Gateway {
	t.Helper()
	o.SecretKey = "sk"
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// Only where no connection was made is it sure that nothing was done.
func TestNobodyThere(t *testing.T) {
	req := payment.Request{OrderID: "o", Amount: money.Of(1, "EUR"), Method: "m"}
	if _, err := gateway(t, Options{URL: "http://127.0.0.1:1"}).Authorise(t.Context(), "k", req); !errors.Is(err, payment.ErrNotNow) {
		t.Errorf("refused connection: %v", err)
	}
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	if _, err := gateway(t, Options{URL: cut.URL}).Authorise(t.Context(), "k", req); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("cut: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		silent := memnet.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done() // until the caller has gone
		}))
		g := gateway(t, Options{URL: "http://localhost", Timeout: 100 * time.Millisecond, Dial: silent})
		for name, patience := range map[string]time.Duration{"no answer": time.Hour, "deadline": 10 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			begun := time.Now()
			if _, err := g.Authorise(ctx, "k", req); !errors.Is(err, payment.ErrUnknown) {
				t.Errorf("%s: %v", name, err)
			}
			if waited := time.Since(begun); waited != min(patience, 100*time.Millisecond) {
				t.Errorf("%s: waited %v", name, waited)
			}
			cancel()
		}
	})
}

func TestStatuses(t *testing.T) {
	for s, want := range map[stripe.PaymentIntentStatus]payment.IntentStatus{
		stripe.PaymentIntentStatusRequiresPaymentMethod: payment.IntentOpen,
		stripe.PaymentIntentStatusRequiresCapture:       payment.IntentHeld,
		"brand_new": payment.IntentProcessing,
	} {
		if got := statusOf(s, false); got != want {
			t.Errorf("%s is %s, want %s", s, got, want)
		}
	}
	if got := statusOf(stripe.PaymentIntentStatusRequiresPaymentMethod, true); got != payment.IntentRefused {
		t.Errorf("refused is %s", got)
	}
}
