package graph_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
)

// TestInvoicesAreForWhoMaySeeThem watches an invoice, and downloads it as
// everybody who might want to.
func TestInvoicesAreForWhoMaySeeThem(t *testing.T) {
	s := graphtest.New(t, nil)
	ada, eve := s.Customer("ada@example.org"), s.Customer("eve@example.org")
	bought := s.Buy(ada.Access, "Café Mug")
	const watch = `subscription ($id: ID!, $token: String, $after: Int) { invoiceStatus(orderId: $id, accessToken: $token, afterVersion: $after) { version status number url xmlUrl issuedAt refersTo
		totals { netAmount { amount } taxAmount { amount } grossAmount { amount } roundingAmount { amount } totalAmount { amount currencyCode } taxes { rate taxableAmount { amount } taxAmount { amount } } } } }`
	e := next(t, events(t, s, watch, graphtest.Vars{"id": bought.Order, "token": bought.Token}))
	if graphtest.Get(e.Data, "invoiceStatus.status") != "READY" || graphtest.Get(e.Data, "invoiceStatus.totals.totalAmount.currencyCode") != "EUR" {
		t.Fatalf("%+v", e)
	}
	number, _ := graphtest.Get(e.Data, "invoiceStatus.number").(string)
	address, _ := graphtest.Get(e.Data, "invoiceStatus.url").(string)
	path, ok := strings.CutPrefix(address, graphtest.PublicURL)
	if !ok || number == "" {
		t.Fatalf("%+v", e)
	}
	if e := next(t, events(t, s, watch, graphtest.Vars{"id": bought.Order, "token": "wrong"})); len(e.Errors) != 1 {
		t.Errorf("a stranger watches %+v", e)
	}
	for who, token := range map[string]string{eve.Access: "", "": "wrong"} {
		if got := s.AskAs(who, `query ($id: ID!, $token: String) { invoice(orderId: $id, accessToken: $token) { number } }`, graphtest.Vars{"id": bought.Order, "token": token}); len(got.Errors) > 0 || graphtest.Get(got.Data, "invoice") != nil {
			t.Errorf("a stranger sees %+v", got)
		}
	}
	support, warehouse := s.Staff(identity.Support), s.Staff(identity.Warehouse)
	for _, c := range []struct {
		name, path, bearer string
		status             int
	}{
		{"nobody", path, "", 404},
		{"another customer", path, eve.Access, 404},
		{"the warehouse", path, warehouse.Access, 404},
		{"the customer", path, ada.Access, 200},
		{"support", path, support.Access, 200},
		{"the token behind Bearer", path, bought.Token, 200},
		{"the token in the address", path + "?token=" + bought.Token, "", 200},
		{"the XML", strings.Replace(path, ".pdf", ".xml", 1), bought.Token, 200},
		{"a wrong token", path + "?token=wrong", "", 404},
		{"a broken session", path, "a.b.c", 401},
		{"another format", strings.Replace(path, ".pdf", ".docx", 1), bought.Token, 404},
		{"no such invoice", "/invoices/nothing.pdf", support.Access, 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+c.bearer)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != c.status || response.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, %v, %.100s", c.name, response.StatusCode, err, body)
		}
		if c.status == 200 && (len(body) < 1_000 || !strings.Contains(response.Header.Get("Content-Disposition"), number)) {
			t.Errorf("%s: %v, %d bytes", c.name, response.Header, len(body))
		}
	}
}
