package journey

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"ordergraph/services/catalog/feed"
	"ordergraph/test/shop"
)

// paper is an invoice as a customer sees it.
type paper struct {
	Kind, Status, Number, RefersTo, URL, XMLURL string
	Totals                                      *struct{ TotalAmount struct{ Amount string } }
}

// TestInvoiceArrives buys, waits for the invoice, downloads it as the guest,
// reads it with the tool of any customer, and gets a credit note for a refund.
func TestInvoiceArrives(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("lamp", 8990, here(5))})
		cart, err := s.Cart(t.Context(), shop.CartLine{MerchandiseID: s.Variant("lamp"), Quantity: 1})
		if err != nil {
			t.Fatal(err)
		}
		bought, err := s.Settle(limited(t, patience), cart, "pm_card_visa", "invoice-key")
		if err != nil || bought.Order == nil || bought.Order.Status != "CONFIRMED" {
			t.Fatalf("checkout: %+v, %v", bought, err)
		}
		vars := map[string]any{"id": bought.Order.ID, "token": bought.AccessToken}
		var got struct{ Order struct{ Invoices []paper } }
		papers := func(n int) []paper {
			s.Eventually(patience, "what was written for the order", func() error {
				err := s.Try(t.Context(), `query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { invoices { kind status number refersTo url xmlUrl totals { totalAmount { amount } } } } }`, vars, &got)
				if err == nil && (len(got.Order.Invoices) < n || got.Order.Invoices[n-1].Status != "READY") {
					err = context.DeadlineExceeded
				}
				return err
			})
			return got.Order.Invoices
		}
		first := papers(1)[0]
		if first.Kind != "INVOICE" || !strings.HasSuffix(first.Number, "-000001") || first.Totals == nil {
			t.Fatalf("%+v", first)
		}
		get := func(token string) (status int, header http.Header, body []byte) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, first.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if token != "" {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if body, err = io.ReadAll(resp.Body); err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, resp.Header, body
		}
		if status, _, _ := get(""); status != http.StatusNotFound {
			t.Errorf("a stranger gets %d", status)
		}
		status, header, body := get(bought.AccessToken)
		if status != http.StatusOK || header.Get("Content-Type") != "application/pdf" || header.Get("Cache-Control") != "no-store" ||
			header.Get("Content-Disposition") != `attachment; filename="`+first.Number+`.pdf"` {
			t.Fatalf("%d %v %.200s", status, header, body)
		}
		if _, err := exec.LookPath("pdftotext"); err == nil {
			read := exec.Command("pdftotext", "-layout", "-", "-")
			read.Stdin = strings.NewReader(string(body))
			text, err := read.Output()
			if err != nil || !strings.Contains(string(text), first.Number) || !strings.Contains(string(text), first.Totals.TotalAmount.Amount) {
				t.Errorf("%v: the invoice says\n%s", err, text)
			}
		}
		s.Do(`mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { userErrors { message } } }`,
			map[string]any{"input": map[string]any{"orderId": bought.Order.ID, "accessToken": bought.AccessToken}}, &struct{}{})
		if credit := papers(2)[1]; credit.Kind != "CREDIT_NOTE" || credit.RefersTo != first.Number || !strings.HasPrefix(credit.Number, "CN-") {
			t.Errorf("%+v", credit)
		}
		if _, _, again := get(bought.AccessToken); string(again) != string(body) {
			t.Error("the invoice has changed")
		}
	})
}
