package card_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/sandbox/card"
)

func TestMain(m *testing.M) {
	// Connections that the default client keeps open are not the processor's.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

const secret = "sk_test_1"

// A till is a client of the processor that sees every byte.
type till struct {
	*testing.T
	url string
	p   *card.Processor
}

func open(t *testing.T, o card.Options) till {
	t.Helper()
	if o.Store == nil {
		o.Store = docstoretest.Memory(t)
	}
	o.SecretKey, o.SlowBy = secret, 200*time.Millisecond
	p, err := card.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return till{t, "http://" + l.Addr().String(), p}
}

type answer struct {
	code   int
	header http.Header
	raw    string
	body   map[string]any
}

// at reads a value by its path: "error.code".
func (a answer) at(path string) any {
	var v any = a.body
	for _, name := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (s till) call(method, path, key string, form url.Values) (answer, error) {
	s.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, body)
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{code: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.body)
	return a, nil
}

func (s till) post(path, key string, form url.Values) answer {
	s.Helper()
	a, err := s.call(http.MethodPost, path, key, form)
	if err != nil {
		s.Fatalf("POST %s: %v", path, err)
	}
	return a
}

func (s till) get(path string) answer {
	s.Helper()
	a, err := s.call(http.MethodGet, path, "", nil)
	if err != nil {
		s.Fatalf("GET %s: %v", path, err)
	}
	return a
}

func buy(order, method string, more ...string) url.Values {
	v := url.Values{
		"amount": {"1999"}, "currency": {"eur"}, "payment_method": {method}, "capture_method": {"manual"}, "confirm": {"true"},
		"metadata[order_id]": {order}, "payment_method_types[0]": {"card"}, "expand[0]": {"latest_charge"},
	}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func (s till) want(a answer, code int, pairs ...any) answer {
	s.Helper()
	if a.code != code {
		s.Fatalf("HTTP %d, want %d: %s", a.code, code, a.raw)
	}
	for i := 0; i < len(pairs); i += 2 {
		if got := a.at(pairs[i].(string)); fmt.Sprint(got) != fmt.Sprint(pairs[i+1]) {
			s.Errorf("%s is %v, want %v; in %s", pairs[i], got, pairs[i+1], a.raw)
		}
	}
	return a
}

func TestLifeOfAPayment(t *testing.T) {
	s := open(t, card.Options{})
	a := s.want(s.post("/v1/payment_intents", "k1", buy("o", "pm_card_visa")), 200,
		"object", "payment_intent", "status", "requires_capture", "amount", 1999, "amount_capturable", 1999, "amount_received", 0,
		"metadata.order_id", "o", "latest_charge.payment_method_details.card.last4", "4242")
	if !strings.HasPrefix(a.header.Get("Request-Id"), "req_") {
		t.Errorf("Request-Id %q", a.header.Get("Request-Id"))
	}
	pi := "/v1/payment_intents/" + a.at("id").(string)
	s.want(s.post(pi+"/capture", "k2", nil), 200, "status", "succeeded", "amount_received", 1999, "amount_capturable", 0)
	s.want(s.post(pi+"/capture", "k3", nil), 400, "error.code", "payment_intent_unexpected_state", "error.type", "invalid_request_error", "error.payment_intent.status", "succeeded")
	s.want(s.post(pi+"/cancel", "k4", nil), 400, "error.code", "payment_intent_unexpected_state")
	r := s.want(s.post("/v1/refunds", "k5", url.Values{"payment_intent": {a.at("id").(string)}, "amount": {"500"}, "metadata[refund_key]": {"a"}}), 200,
		"object", "refund", "amount", 500, "status", "succeeded", "metadata.refund_key", "a")
	s.want(s.get("/v1/refunds/"+r.at("id").(string)), 200, "amount", 500)
	s.want(s.post("/v1/refunds", "k6", url.Values{"payment_intent": {a.at("id").(string)}, "amount": {"1500"}}), 400, "error.param", "amount")
	s.want(s.post("/v1/refunds", "k7", url.Values{"payment_intent": {a.at("id").(string)}}), 200, "amount", 1499)
	s.want(s.post("/v1/refunds", "k8", url.Values{"payment_intent": {a.at("id").(string)}}), 400, "error.code", "charge_already_refunded")
	s.want(s.get(pi+"?expand[]=latest_charge"), 200, "latest_charge.amount_refunded", 1999, "latest_charge.refunded", true)
	s.want(s.get("/sandbox/card/ledger?order=o"), 200, "captured.EUR", 1999, "refunded.EUR", 1999, "charges", 1)

	b := s.want(s.post("/v1/payment_intents", "k9", buy("p", "pm_card_visa")), 200)
	s.want(s.post("/v1/payment_intents/"+b.at("id").(string)+"/cancel", "k10", nil), 200, "status", "canceled", "amount_capturable", 0)
	s.want(s.post("/v1/refunds", "k11", url.Values{"payment_intent": {b.at("id").(string)}}), 400, "error.code", "payment_intent_unexpected_state")

	c := s.want(s.post("/v1/payment_intents", "k12", buy("q", "pm_card_visa", "confirm", "false")), 200, "status", "requires_confirmation", "latest_charge", nil)
	s.want(s.post("/v1/payment_intents/"+c.at("id").(string)+"/confirm", "k13", nil), 200, "status", "requires_capture")
	s.want(s.get("/sandbox/card/ledger"), 200, "intents", 3, "held.EUR", 1999, "captured.EUR", 1999)
}

func TestRefusals(t *testing.T) {
	s := open(t, card.Options{})
	for method, codes := range map[string][3]string{
		"pm_card_visa_chargeDeclined":                  {"card_error", "card_declined", "generic_decline"},
		"pm_card_visa_chargeDeclinedInsufficientFunds": {"card_error", "card_declined", "insufficient_funds"},
		"pm_card_chargeDeclinedExpiredCard":            {"card_error", "expired_card", "expired_card"},
	} {
		s.want(s.post("/v1/payment_intents", method, buy("o", method)), 402, "error.type", codes[0], "error.code", codes[1], "error.decline_code", codes[2],
			"error.payment_intent.status", "requires_payment_method", "error.payment_intent.last_payment_error.code", codes[1])
	}
	for name, c := range map[string]struct {
		form  url.Values
		param string
	}{
		"no amount":      {url.Values{"currency": {"eur"}}, "amount"},
		"zero":           {buy("o", "pm_card_visa", "amount", "0"), "amount"},
		"negative":       {buy("o", "pm_card_visa", "amount", "-5"), "amount"},
		"letters":        {buy("o", "pm_card_visa", "amount", "ten"), "amount"},
		"millions":       {buy("o", "pm_card_visa", "amount", "100000000"), "amount"},
		"no currency":    {buy("o", "pm_card_visa", "currency", ""), "currency"},
		"unknown card":   {buy("o", "pm_card_x"), "payment_method"},
		"no card":        {buy("o", ""), "payment_method"},
		"odd return":     {buy("o", "pm_card_visa", "return_url", "javascript:1"), "return_url"},
		"odd capturing":  {buy("o", "pm_card_visa", "capture_method", "never"), "capture_method"},
		"endless values": {buy("o", "pm_card_visa", "metadata[x]", strings.Repeat("x", 501)), "metadata"},
	} {
		s.want(s.post("/v1/payment_intents", name, c.form), 400, "error.type", "invalid_request_error", "error.param", c.param)
		// What was not begun is not remembered: the same key may do better.
		s.want(s.post("/v1/payment_intents", name, buy("ok", "pm_card_visa")), 200)
	}
	for _, path := range []string{"/v1/payment_intents/pi_gone", "/v1/refunds/re_gone_1", "/v1/charges/ch_gone", "/v1/customers"} {
		s.want(s.get(path), 404)
	}
	for _, path := range []string{"/v1/payment_intents?limit=0", "/v1/payment_intents?limit=101", "/v1/payment_intents/search?query=amount>5", "/v1/payment_intents?created[gte]=x"} {
		s.want(s.get(path), 400)
	}
	for _, auth := range []string{"", "Bearer wrong", "Bearer ", "Basic d3Jvbmc6"} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/payment_intents", nil)
		req.Header.Set("Authorization", auth)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 401 {
			t.Errorf("Authorization %q: %d", auth, resp.StatusCode)
		}
	}
	if a, err := s.call(http.MethodPost, "/v1/payment_intents", "big", url.Values{"x": {strings.Repeat("x", 70<<10)}}); err == nil && a.code < 400 {
		t.Errorf("a huge body: %d", a.code)
	}
}

func TestIdempotency(t *testing.T) {
	s := open(t, card.Options{})
	first := s.want(s.post("/v1/payment_intents", "k", buy("o", "pm_card_visa")), 200)
	again := s.want(s.post("/v1/payment_intents", "k", buy("o", "pm_card_visa")), 200)
	if again.raw != first.raw || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("replayed %q: %s, first %s", again.header.Get("Idempotent-Replayed"), again.raw, first.raw)
	}
	s.want(s.post("/v1/payment_intents", "k", buy("o", "pm_card_visa", "amount", "1")), 400, "error.type", "idempotency_error")
	pi := "/v1/payment_intents/" + first.at("id").(string)
	s.want(s.post(pi+"/capture", "k", nil), 400, "error.type", "idempotency_error")
	s.want(s.post(pi+"/capture", "c", nil), 200, "status", "succeeded")
	s.want(s.post(pi+"/capture", "c", nil), 200, "status", "succeeded")
	refund := url.Values{"payment_intent": {first.at("id").(string)}, "amount": {"1"}}
	r := s.want(s.post("/v1/refunds", "r", refund), 200)
	if s.want(s.post("/v1/refunds", "r", refund), 200).at("id") != r.at("id") {
		t.Error("refunded twice under one key")
	}
	// Declines are answers, too.
	s.want(s.post("/v1/payment_intents", "d", buy("d", "pm_card_chargeDeclined")), 402)
	if a := s.want(s.post("/v1/payment_intents", "d", buy("d", "pm_card_chargeDeclined")), 402); a.header.Get("Idempotent-Replayed") != "true" {
		t.Error("a decline was not remembered")
	}
	// One at a time.
	var wg sync.WaitGroup
	codes := make([]int, 4)
	for i := range codes {
		wg.Go(func() { codes[i] = s.post("/v1/payment_intents", "slow", buy("s", "pm_card_slow")).code })
	}
	wg.Wait()
	ok := 0
	for _, c := range codes {
		if c == 200 {
			ok++
		} else if c != 409 {
			t.Errorf("codes %v", codes)
		}
	}
	if ok == 0 {
		t.Errorf("codes %v", codes)
	}
	s.want(s.get("/sandbox/card/ledger?order=s"), 200, "charges", 1)
}

func TestFaults(t *testing.T) {
	s := open(t, card.Options{})
	set := func(body string) int {
		t.Helper()
		resp, err := http.Post(s.url+"/sandbox/card/faults", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for _, bad := range []string{`{`, `{"lost":2}`, `{"lost":-1}`, `{"nonsense":true}`, `{"delay":5}`, `{"delay":"1h"}`} {
		if code := set(bad); code != 400 {
			t.Errorf("%s: %d", bad, code)
		}
	}
	set(`{"lost":1}`)
	if a, err := s.call(http.MethodPost, "/v1/payment_intents", "lost", buy("lost", "pm_card_visa")); err == nil {
		t.Errorf("an answer came: %s", a.raw)
	}
	s.want(s.get("/sandbox/card/ledger?order=lost"), 200, "charges", 1)
	set(`{"errors":1}`)
	s.want(s.post("/v1/payment_intents", "failed", buy("failed", "pm_card_visa")), 500, "error.type", "api_error")
	set(`{"busy":1}`)
	s.want(s.post("/v1/payment_intents", "busy", buy("busy", "pm_card_visa")), 429)
	set(`{"down":true}`)
	if _, err := s.call(http.MethodGet, "/v1/payment_intents", "", nil); err == nil {
		t.Error("it is down, and answers")
	}
	set(`{}`)
	if a := s.want(s.post("/v1/payment_intents", "lost", buy("lost", "pm_card_visa")), 200); a.header.Get("Idempotent-Replayed") != "true" {
		t.Error("the lost answer was not remembered")
	}
	// As with Stripe, the failure is remembered as well.
	if a := s.want(s.post("/v1/payment_intents", "failed", buy("failed", "pm_card_visa")), 500); a.header.Get("Idempotent-Replayed") != "true" {
		t.Error("the failure was not remembered")
	}
	s.want(s.get("/sandbox/card/ledger?order=failed"), 200, "intents", 0)
	s.want(s.post("/v1/payment_intents", "busy", buy("busy", "pm_card_visa")), 200)

	// The cards that bring their own trouble.
	for range 3 {
		if _, err := s.call(http.MethodPost, "/v1/payment_intents", "down", buy("down", "pm_card_processorDown")); err == nil {
			t.Error("pm_card_processorDown answered too early")
		}
	}
	s.want(s.post("/v1/payment_intents", "down", buy("down", "pm_card_processorDown")), 200)
	if _, err := s.call(http.MethodPost, "/v1/payment_intents", "gone", buy("gone", "pm_card_answerLost")); err == nil {
		t.Error("pm_card_answerLost answered at first")
	}
	s.want(s.post("/v1/payment_intents", "gone", buy("gone", "pm_card_answerLost")), 200)
	s.want(s.get("/sandbox/card/ledger?order=gone"), 200, "charges", 1)
}

func TestListsAndSearch(t *testing.T) {
	s := open(t, card.Options{})
	for i := range 25 {
		s.want(s.post("/v1/payment_intents", fmt.Sprint("k", i), buy(fmt.Sprint("o-", i%5), "pm_card_visa")), 200)
	}
	seen, after := map[string]bool{}, ""
	for range 4 {
		a := s.want(s.get("/v1/payment_intents?limit=10"+after), 200, "object", "list")
		data := a.at("data").([]any)
		for _, in := range data {
			id := in.(map[string]any)["id"].(string)
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}
			seen[id] = true
			after = "&starting_after=" + id
		}
		if a.at("has_more") == false {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("listed %d of 25", len(seen))
	}
	q := "/v1/payment_intents/search?query=" + url.QueryEscape("metadata['order_id']:'o-3'")
	if n := len(s.want(s.get(q), 200, "has_more", false).at("data").([]any)); n != 5 {
		t.Errorf("found %d of 5", n)
	}
	a := s.want(s.get(q+"&limit=3"), 200, "has_more", true)
	if n := len(s.want(s.get(q+"&limit=3&page="+a.at("next_page").(string)), 200, "has_more", false).at("data").([]any)); n != 2 {
		t.Errorf("the second page has %d of 2", n)
	}
	future := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	if n := len(s.want(s.get("/v1/payment_intents?created[gte]="+future), 200).at("data").([]any)); n != 0 {
		t.Errorf("%d intents of the future", n)
	}
	if err := s.p.SetFaults(card.Faults{SearchLag: card.Duration(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.want(s.get(q), 200).at("data").([]any)); n != 0 {
		t.Errorf("the late search finds %d", n)
	}
}

func TestCustomerConfirmsOnThePage(t *testing.T) {
	s := open(t, card.Options{})
	for decision, want := range map[string][2]string{"confirm": {"requires_capture", "succeeded"}, "refuse": {"requires_payment_method", "failed"}} {
		a := s.want(s.post("/v1/payment_intents", decision, buy(decision, "pm_card_authenticationRequired", "return_url", "https://shop.example/back?x=1")), 200,
			"status", "requires_action", "next_action.type", "redirect_to_url", "amount_capturable", 0)
		page := a.at("next_action.redirect_to_url.url").(string)
		resp, err := http.Get(page)
		if err != nil {
			t.Fatal(err)
		}
		html, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if !bytes.Contains(html, []byte("19.99 EUR")) || !bytes.Contains(html, []byte("Refuse")) {
			t.Errorf("the page: %s", html)
		}
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		for range 2 { // pressed twice
			resp, err = client.PostForm(page, url.Values{"decision": {decision}})
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			back, _ := resp.Location()
			if resp.StatusCode != 303 || back.Query().Get("redirect_status") != want[1] || back.Query().Get("x") != "1" || back.Host != "shop.example" {
				t.Errorf("%s: %d to %v", decision, resp.StatusCode, back)
			}
		}
		s.want(s.get("/v1/payment_intents/"+a.at("id").(string)), 200, "status", want[0])
		if a := s.post("/sandbox/card/confirm/"+a.at("id").(string), "", url.Values{"decision": {"maybe"}}); a.code != 400 {
			t.Errorf("maybe: %d", a.code)
		}
	}
	if a := s.post("/sandbox/card/confirm/pi_gone", "", url.Values{"decision": {"confirm"}}); a.code != 404 {
		t.Errorf("nobody's page: %d", a.code)
	}
}

func TestFrontPage(t *testing.T) {
	s := open(t, card.Options{})
	s.want(s.post("/v1/payment_intents", "k", buy("<script>", "pm_card_visa")), 200)
	a := s.want(s.get("/"), 200)
	for _, want := range []string{"&lt;script&gt;", "visa 4242", "19.99 EUR", "requires capture", "pm_card_answerLost"} {
		if !strings.Contains(a.raw, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	if strings.Contains(a.raw, "<script>") {
		t.Error("the page runs what is written in an order")
	}
}

// A processor that dies at any of its writes has either done a thing and
// remembers its answer, or has not done it.
func TestDeathAtEveryWrite(t *testing.T) {
	steps := func(s till) {
		in, err := s.call(http.MethodPost, "/v1/payment_intents", "a", buy("o", "pm_card_visa"))
		if err != nil || in.code != 200 {
			return
		}
		id := in.at("id").(string)
		_, _ = s.call(http.MethodPost, "/v1/payment_intents/"+id+"/capture", "b", nil)
		_, _ = s.call(http.MethodPost, "/v1/refunds", "c", url.Values{"payment_intent": {id}, "amount": {"700"}})
	}
	for n := 2; ; n++ { // the first write opens the store
		for _, taken := range []bool{false, true} {
			store := docstoretest.Memory(t)
			var reaper docstoretest.Reaper
			if taken {
				reaper.DieAfter(n)
			} else {
				reaper.DieBefore(n)
			}
			steps(open(t, card.Options{Store: reaper.Wrap(store)}))
			if !reaper.Dead() {
				if n < 5 {
					t.Errorf("only %d writes", n-1)
				}
				return
			}
			s := open(t, card.Options{Store: store})
			steps(s)
			s.want(s.get("/sandbox/card/ledger"), 200, "intents", 1, "charges", 1, "held.EUR", 0, "captured.EUR", 1999, "refunded.EUR", 700)
		}
	}
}

// The processor remembers payments, answers and unsent events over a restart.
func TestRemembersOverARestart(t *testing.T) {
	dir := t.TempDir()
	var got sync.Map
	up := false
	var mu sync.Mutex
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !up {
			w.WriteHeader(503)
			return
		}
		var e struct{ ID, Type string }
		_ = json.NewDecoder(r.Body).Decode(&e)
		got.Store(e.Type, e.ID)
	}))
	defer hook.Close()
	run := func(use func(till)) {
		store, err := docstorelocal.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("life", func(t *testing.T) {
			use(open(t, card.Options{Store: store, Webhook: card.Webhook{URL: hook.URL, Secret: "whsec", Delay: time.Millisecond, Retry: 20 * time.Millisecond}}))
		})
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var first answer
	run(func(s till) { first = s.want(s.post("/v1/payment_intents", "k", buy("o", "pm_card_visa")), 200) })
	mu.Lock()
	up = true
	mu.Unlock()
	run(func(s till) {
		again := s.want(s.post("/v1/payment_intents", "k", buy("o", "pm_card_visa")), 200)
		if again.raw != first.raw {
			t.Errorf("after the restart: %s, before: %s", again.raw, first.raw)
		}
		s.want(s.get("/sandbox/card/ledger"), 200, "charges", 1)
		deadline := time.Now().Add(time.Minute)
		for {
			if _, ok := got.Load("payment_intent.amount_capturable_updated"); ok {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the event never arrives")
			}
			time.Sleep(time.Millisecond)
		}
	})
}
