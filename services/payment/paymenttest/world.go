// Package paymenttest holds the payment service to its contract, against a
// card processor that it really calls.
package paymenttest

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/sandbox/card"
	"ordergraph/services/payment"
	"ordergraph/services/payment/stripegateway"
	"ordergraph/test/memnet"
)

// Secrets of the world's processor.
const (
	SecretKey     = "sk_test_sandbox"
	WebhookSecret = "whsec_sandbox"
)

// A World is a payment service and the processor it calls over HTTP, each with
// a store of its own, on one clock.
//
// Everybody speaks over connections in memory, so that a test may run in a
// bubble of testing/synctest: how long things take is then the processor's
// doing, not the machine's.
type World struct {
	T         testing.TB
	Processor *card.Processor
	URL       string      // the processor's
	Dial      memnet.Dial // to the processor
	Gateway   *stripegateway.Gateway
	Cashier   *payment.Cashier
	Store     docstore.Store // the cashier's
	Log       *Lines

	clocktest.Clock
	options payment.Options
}

// An Option changes the world before it begins.
type Option func(*setting)

type setting struct {
	card     card.Options
	webhooks bool
	options  func(*payment.Options)
}

// Card changes the processor's options.
func Card(change func(*card.Options)) Option { return func(s *setting) { change(&s.card) } }

// Cashier changes the cashier's options.
func Cashier(change func(*payment.Options)) Option { return func(s *setting) { s.options = change } }

// Webhooks lets the processor's events reach the cashier.
func Webhooks() Option { return func(s *setting) { s.webhooks = true } }

// New makes a world that ends with the test. Nothing sweeps in it but Settle
// and whoever calls Sweep.
func New(t testing.TB, options ...Option) *World {
	t.Helper()
	w := &World{T: t, Log: &Lines{}}
	var s setting
	s.card = card.Options{SecretKey: SecretKey, SlowBy: 300 * time.Millisecond, Now: w.Now}
	for _, o := range options {
		o(&s)
	}
	log := slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))

	if s.webhooks {
		hook := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.Cashier.Webhook(WebhookSecret).ServeHTTP(rw, r) })
		s.card.Webhook.URL, s.card.Webhook.Secret, s.card.Webhook.Dial = "http://localhost/webhooks/card", WebhookSecret, memnet.Serve(t, hook)
		if s.card.Webhook.Delay == 0 {
			s.card.Webhook.Delay = 5 * time.Millisecond
		}
	}
	if s.card.Store == nil {
		s.card.Store = docstoretest.Memory(t)
	}
	s.card.Log = log
	w.Processor, w.Dial = Processor(t, s.card)
	w.URL = "http://localhost"

	var err error
	if w.Gateway, err = stripegateway.New(stripegateway.Options{SecretKey: SecretKey, URL: w.URL, Dial: w.Dial}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Gateway.Close)
	w.Store = docstoretest.Memory(t)
	w.options = payment.Options{Store: w.Store, Gateway: w.Gateway, Listeners: []string{"order"}, Now: w.Now, Log: log}
	if s.options != nil {
		s.options(&w.options)
	}
	w.Store = w.options.Store
	w.Cashier = w.Another(w.options.Store)
	return w
}

// Another is one more copy of the cashier, over the given store.
func (w *World) Another(store docstore.Store) *payment.Cashier {
	w.T.Helper()
	c, err := payment.New(w.T.Context(), w.Options(store))
	if err != nil {
		w.T.Fatal(err)
	}
	w.T.Cleanup(func() {
		if err := c.Close(); err != nil {
			w.T.Errorf("close the cashier: %v", err)
		}
	})
	return c
}

// Options are those of the world's cashier, over the given store.
func (w *World) Options(store docstore.Store) payment.Options {
	o := w.options
	o.Store = store
	return o
}

// Processor runs a card processor until the test ends.
func Processor(t testing.TB, o card.Options) (*card.Processor, memnet.Dial) {
	t.Helper()
	p, err := card.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	listener := memnet.Listen()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("processor: %v", err)
		}
	})
	return p, listener.Dial
}

// Settle sweeps, letting time pass, until the payments of the orders are no
// longer under way.
func (w *World) Settle(orders ...string) {
	w.T.Helper()
	for range 60 {
		if err := w.Cashier.Sweep(w.T.Context()); err != nil {
			w.T.Fatalf("sweep: %v", err)
		}
		open := ""
		for _, id := range orders {
			if p, err := w.Cashier.Get(w.T.Context(), us, id); err == nil && underWay(p) {
				open = id
			}
		}
		if open == "" {
			return
		}
		w.Pass(16 * time.Second)
	}
	w.T.Fatalf("the payments %v never settle", orders)
}

func underWay(p payment.Payment) bool {
	switch p.State {
	case payment.Authorising, payment.Capturing, payment.Voiding, payment.ActionNeeded:
		return true
	}
	for _, r := range p.Refunds {
		if r.State == payment.RefundPending {
			return true
		}
	}
	return false
}

// Ledger is what the processor has done for the order.
func (w *World) Ledger(order string) card.OrderLedger {
	w.T.Helper()
	l, err := w.Processor.Ledger(w.T.Context(), order)
	if err != nil {
		w.T.Fatal(err)
	}
	if len(l.Orders) == 0 {
		return card.OrderLedger{Order: order}
	}
	return l.Orders[0]
}

// WantLedger compares what the processor has for the order, in minor units.
func (w *World) WantLedger(order string, charges int, held, captured, refunded int64) {
	w.T.Helper()
	l := w.Ledger(order)
	if l.Charges != charges || l.Held != held || l.Captured != captured || l.Refunded != refunded {
		w.T.Errorf("processor's ledger of %s: %d charges, held %d, captured %d, refunded %d; want %d, %d, %d, %d",
			order, l.Charges, l.Held, l.Captured, l.Refunded, charges, held, captured, refunded)
	}
}

// WantBooksAgree audits.
func (w *World) WantBooksAgree() payment.Report {
	w.T.Helper()
	rep, err := w.Cashier.Audit(w.T.Context(), us)
	if err != nil {
		w.T.Fatalf("audit: %v\n%s", err, w.Log)
	}
	for _, d := range rep.Differences {
		w.T.Errorf("audit: %s: %s", d.OrderID, d.What)
	}
	return rep
}

// Answer is the customer's, on the page that the payment names.
func (w *World) Answer(p payment.Payment, decision string) *http.Response {
	w.T.Helper()
	return w.Post(p.ActionURL, "", url.Values{"decision": {decision}})
}

// Post sends a form to the processor, with a secret key or without, and does
// not follow where it leads.
func (w *World) Post(address, key string, form url.Values) *http.Response {
	w.T.Helper()
	req, err := http.NewRequestWithContext(w.T.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		w.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := (&http.Transport{DialContext: w.Dial, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		w.T.Fatalf("post to the processor: %v", err)
	}
	_ = resp.Body.Close()
	return resp
}

// Lines is a log that can be searched.
type Lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var us = identity.Ourselves()

// Us is the caller in most tests: the program itself.
func Us() identity.Caller { return us }

// Want19 is a request for 19.99 EUR.
func Want19(order, method string) payment.Request {
	return payment.Request{OrderID: order, Amount: money.Of(1999, "EUR"), Method: method, Email: "ada@example.com", ReturnURL: "https://shop.example/back?order=1"}
}
