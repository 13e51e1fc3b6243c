package graph_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"ordergraph/graph/graphtest"
)

// A checkout may be named by its request: it is made once, however often that
// is sent.
func TestIdempotencyKeyOfTheRequest(t *testing.T) {
	shop := newStorefront(t)
	in := input(fill(t, shop, "Ocean Blue T-Shirt", 1), "", "pm_card_visa")
	delete(in, "idempotencyKey")
	send := func(method string, header string, given any) any {
		t.Helper()
		if delete(in, "idempotencyKey"); given != nil {
			in["idempotencyKey"] = given
		}
		body, err := json.Marshal(graphtest.Vars{"query": checkout, "variables": graphtest.Vars{"in": in}})
		if err != nil {
			t.Fatal(err)
		}
		headers := map[string]string{"Content-Type": "application/json"}
		if header != "" {
			headers["Idempotency-Key"] = header
		}
		a := shop.Send(method, "", headers, body)
		if len(a.Errors) > 0 {
			t.Fatalf("%s", a.Body)
		}
		return a.Data
	}
	for name, c := range map[string]struct {
		header string
		given  any
	}{
		"neither":        {"", nil},
		"empty":          {"", ""},
		"different":      {`"request-0001"`, "request-0002"},
		"too short":      {`"x"`, nil},
		"not closed":     {`"request-0001`, nil},
		"several":        {`request-0001, request-0002`, nil},
		"empty quotes":   {`""`, nil},
		"with parameter": {`"request-0001";a=1`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			data := send(http.MethodPost, c.header, c.given)
			want(t, data, "checkout.order", nil)
			want(t, data, "checkout.userErrors.0.code", "INVALID")
			want(t, data, "checkout.userErrors.0.field.1", "idempotencyKey")
		})
	}
	first := send(http.MethodPost, `"request-0001"`, nil)
	want(t, first, "checkout.order.status", "CONFIRMED")
	id := graphtest.Get(first, "checkout.order.id")
	for _, again := range []struct {
		header string
		given  any
	}{{`"request-0001"`, nil}, {`request-0001`, nil}, {`"request-0001"`, "request-0001"}, {"", "request-0001"}} {
		want(t, send(http.MethodPost, again.header, again.given), "checkout.order.id", id)
	}
	in["email"] = "bob@example.com"
	want(t, send(http.MethodPost, `"request-0001"`, nil), "checkout.userErrors.0.code", "IDEMPOTENCY_KEY_REUSED")
}
