package carrier_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/sandbox/carrier"
	"ordergraph/sandbox/faults"
	"ordergraph/test/memnet"
)

const secret = "carrier_test"

const good = `{"reference": "order-1", "units": 1, "to": {"name": "Ada", "street": "Hafenstrasse 1", "zip": "20359", "city": "Hamburg", "country": "DE"}}`

// ask makes a request, and gives its status and its answer.
func ask(c *carrier.Carrier, method, path, key, authorization, body string) (int, map[string]any) {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	c.ServeHTTP(answer, req)
	var got map[string]any
	_ = json.Unmarshal(answer.Body.Bytes(), &got)
	return answer.Code, got
}

func open(t *testing.T, o carrier.Options) *carrier.Carrier {
	t.Helper()
	o.Store, o.Secret, o.Public, o.Step = docstoretest.Memory(t), secret, "http://carrier.example", time.Minute
	c, err := carrier.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestProtocol(t *testing.T) {
	c := open(t, carrier.Options{})
	const bearer = "Bearer " + secret
	for name, r := range map[string]struct {
		method, path, key, authorization, body string
		want                                   int
	}{
		"no key of the shop's":      {"POST", "/v1/parcels", "k", "", good, 401},
		"another's":                 {"POST", "/v1/parcels", "k", "Bearer other", good, 401},
		"no idempotency key":        {"POST", "/v1/parcels", "", bearer, good, 400},
		"an endless one":            {"POST", "/v1/parcels", strings.Repeat("k", 256), bearer, good, 400},
		"not JSON":                  {"POST", "/v1/parcels", "k", bearer, "parcel", 400},
		"too large":                 {"POST", "/v1/parcels", "k", bearer, good + strings.Repeat(" ", 70_000), 400},
		"no such zip":               {"POST", "/v1/parcels", "k", bearer, strings.Replace(good, "20359", "00000", 1), 422},
		"empty":                     {"POST", "/v1/parcels", "k", bearer, strings.Replace(good, `"units": 1`, `"units": 0`, 1), 422},
		"a parcel that is not here": {"GET", "/v1/parcels/SBX1", "", bearer, "", 404},
		"looking without a key":     {"GET", "/v1/parcels/SBX1", "", "", "", 401},
		"its page":                  {"GET", "/track/SBX1", "", "", "", 404},
		"elsewhere":                 {"GET", "/v2", "", bearer, "", 404},
		"odd faults":                {"POST", "/faults", "", "", `{"odd": 1}`, 400},
		"more than all lost":        {"POST", "/faults", "", "", `{"lost": 2}`, 400},
		"too slow":                  {"POST", "/faults", "", "", `{"slow": "2h"}`, 400},
	} {
		if code, got := ask(c, r.method, r.path, r.key, r.authorization, r.body); code != r.want || got["message"] == "" {
			t.Errorf("%s: %d %v, want %d", name, code, got, r.want)
		}
	}
	code, first := ask(c, "POST", "/v1/parcels", "k", bearer, good)
	if code != 201 || first["status"] != "booked" || first["reference"] != "order-1" {
		t.Fatalf("%d %v", code, first)
	}
	if code, again := ask(c, "POST", "/v1/parcels", "k", bearer, good); code != 200 || again["number"] != first["number"] {
		t.Errorf("again: %d %v", code, again)
	}
	if code, _ := ask(c, "POST", "/v1/parcels", "k", bearer, strings.Replace(good, "Ada", "Bob", 1)); code != 409 {
		t.Errorf("the key for another: %d", code)
	}
	number := first["number"].(string)
	if code, got := ask(c, "GET", "/v1/parcels/"+number, "", bearer, ""); code != 200 || got["number"] != number {
		t.Errorf("%d %v", code, got)
	}
	page := httptest.NewRecorder()
	c.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/track/"+number, nil))
	if page.Code != 200 || !strings.Contains(page.Body.String(), number) || page.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("%d %s", page.Code, page.Body)
	}
	if code, got := ask(c, "POST", "/faults", "", "", `{"lost": 0.5, "slow": "1ms"}`); code != 200 || got["lost"] != 0.5 || c.Faults().Slow != faults.Duration(time.Millisecond) {
		t.Errorf("%d %v", code, got)
	}
}

// The shop is told of each step, signed, and again until it has heard.
func TestNoticesAreRepeated(t *testing.T) {
	var mu sync.Mutex
	deaf := 2
	var heard []string
	clock := &clocktest.Clock{}
	shop := memnet.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		var p struct{ Status, Reference string }
		stamp, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Carrier-Signature"), "t="), ",")
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || carrier.Sign(secret, body, time.Unix(seconds, 0)) != r.Header.Get("Carrier-Signature") || json.Unmarshal(body, &p) != nil || p.Reference != "order-1" {
			t.Errorf("%s %s", r.Header.Get("Carrier-Signature"), body)
		}
		if deaf > 0 {
			deaf--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		heard = append(heard, p.Status)
	}))
	c := open(t, carrier.Options{Now: clock.Now, Webhook: "http://localhost/webhooks/carrier", Dial: shop})
	if code, got := ask(c, "POST", "/v1/parcels", "k", "Bearer "+secret, good); code != 201 {
		t.Fatal(code, got)
	}
	for range 40 {
		clock.Pass(10 * time.Second)
		if err := c.Move(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"in_transit", "out_for_delivery", "delivered"}; !slices.Equal(heard, want) || deaf != 0 {
		t.Errorf("heard %v, want %v", heard, want)
	}
}
