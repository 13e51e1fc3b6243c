package invoice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/order"
	"ordergraph/test/poppler"
)

var issued = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// sold is an order of so many lines in many scripts, and who sold it.
func sold(lines int, locale, currency string) (order.Order, Seller) {
	of := func(n int64) money.Amount { return money.Of(n, currency) }
	titles := []string{"Harbour mug", "Kleine Schöpfkelle für große Töpfe, handgeschmiedet in Solingen", "Чайник «Нева»", "Φλιτζάνι καφέ", "Kubek „Łódź”"}
	q := cart.Quote{Rate: &cart.ShippingRate{Title: "Standard"}, ShippingTaxRate: 1900}
	var sum int64
	for i := range lines {
		l := cart.Line{
			Quantity: int64(1 + i%4), TaxRate: 1900,
			Item: cart.Item{SKU: fmt.Sprintf("SKU-%03d", i), Title: titles[i%len(titles)], VariantTitle: "Blue / L"},
		}
		if i%5 == 4 {
			l.TaxRate = 700
		}
		l.Subtotal = of(int64(999+731*i) * l.Quantity)
		l.Discount = of(0)
		if i%3 == 0 {
			l.Discount = of(l.Subtotal.Minor / 10)
			l.Codes = []cart.CodeShare{{Code: "SUMMER10", Amount: l.Discount}}
		}
		l.Total = l.Subtotal.Minus(l.Discount)
		sum += l.Total.Minor
		q.Lines = append(q.Lines, l)
	}
	q.Cost = cart.Cost{Currency: currency, Shipping: of(490), Total: of(sum + 490), TaxIncluded: true}
	q.Attributes = []cart.Attribute{{Key: TaxIDAttribute, Value: "ATU12345675"}}
	return order.Order{
			ID: "order", Number: "K7M2-4QXD", CreatedAt: issued, Locale: locale, Quote: q, Email: "ada@example.org",
			BillingAddress:  order.Address{Company: "Analytical Engines Ltd", FirstName: "Ada", LastName: "Lovelace", Address1: "Unter den Linden 1", City: "Berlin", Zip: "10117", Country: "DE"},
			ShippingAddress: order.Address{FirstName: "Ἀλέξανδρος", LastName: "अदिति & Söhne", Address1: "Οδός Ερμού 12", City: "Αθήνα", Zip: "105 63", Country: "GR"},
			Payment:         order.PaymentView{Brand: "visa", Last4: "4242"},
		}, Seller{
			Name: "Harbour Store GmbH", Address: "Hafenstraße 1", Zip: "20457", City: "Hamburg", Country: "DE", TaxID: "DE123456788",
		}
}

// numbered is that order's invoice.
func numbered(lines int, locale, currency string) document {
	o, seller := sold(lines, locale, currency)
	k := &Keeper{o: Options{Now: func() time.Time { return issued }, Seller: seller}}
	d := k.draft(o)
	d.Number, d.IssuedAt = "2026-000042", issued
	return d
}

// rendered is the document as files, whose bytes are the same each time.
func rendered(t *testing.T, d document) (pdf, text string, x []byte) {
	t.Helper()
	x, err := d.renderCII()
	if err != nil {
		t.Fatal(err)
	}
	content := d.renderPDF(x)
	for range 5 {
		if !bytes.Equal(content, d.renderPDF(x)) {
			t.Fatal("the same invoice renders to other bytes")
		}
	}
	pdf = filepath.Join(t.TempDir(), "invoice.pdf")
	if err := os.WriteFile(pdf, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return pdf, strings.ReplaceAll(poppler.Run(t, "pdftotext", "-layout", pdf, "-"), "\u00a0", " "), x
}

func TestLongInvoice(t *testing.T) {
	const lines = 60
	pdf, text, x := rendered(t, numbered(lines, "de-DE", "EUR"))
	if out := poppler.Run(t, "qpdf", "--check", pdf); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf says %s", out)
	}
	info := poppler.Run(t, "pdfinfo", pdf)
	for _, want := range []string{"Rechnung 2026-000042", "A4", "Nov 21", "Pages:           5"} {
		if !strings.Contains(info, want) {
			t.Errorf("pdfinfo does not say %q:\n%s", want, info)
		}
	}
	for _, want := range []string{
		"2026-000042", "21.11.2026", "K7M2-4QXD", "Harbour Store GmbH", "USt-IdNr. DE123456788", "ATU12345675", "Analytical Engines Ltd",
		"Чайник «Нева»", "Φλιτζάνι καφέ", "Łódź", "Ἀλέξανδρος □□□□□ & …", "Griechenland", "Rabatt SUMMER10", "Versand (Standard)", "USt. 19 % auf", "USt. 7 % auf", "4242", "Seite 5 von 5",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q", want)
		}
	}
	if n := strings.Count(text, "Einzel netto"); n < 4 {
		t.Errorf("the table has its head on %d pages", n)
	}
	for i := range lines {
		if n := strings.Count(text, fmt.Sprintf("SKU-%03d", i)); n != 1 {
			t.Errorf("line %d stands there %d times", i, n)
		}
	}
	out := filepath.Join(t.TempDir(), "attached.xml")
	poppler.Run(t, "pdfdetach", "-save", "1", "-o", out, pdf)
	if attached, err := os.ReadFile(out); err != nil || !bytes.Equal(attached, x) {
		t.Errorf("the attached XML is another: %v", err)
	}
}

// Each locale has its own words, amounts and dates, as far as the font goes.
func TestLocales(t *testing.T) {
	for _, c := range []struct {
		locale, currency string
		says             []string
	}{
		{"en-US", "USD", []string{"Invoice", "November 21, 2026", "$14.54", "Amount due"}},
		{"en", "JPY", []string{"21 November 2026", "¥"}},
		{"fr-FR", "EUR", []string{"Facture", "21/11/2026", "14,54 €", "Total TTC"}},
		{"hi-IN", "INR", []string{"Invoice", "21 November 2026", "₹"}},
		{"ar-EG", "EUR", []string{"Invoice", "14.54"}},
		{"not a locale", "EUR", []string{"Invoice", "€14.54"}},
	} {
		_, text, _ := rendered(t, numbered(2, c.locale, c.currency))
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%s", c.locale, want, text)
			}
		}
	}
}

// What programs read is well formed, in the standard's namespaces, and says
// the customer's name in full.
func TestXML(t *testing.T) {
	d := numbered(7, "de-DE", "EUR")
	x, err := d.renderUBL()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := xml.NewDecoder(bytes.NewReader(x)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		`<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"`,
		"<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>", "<cbc:InvoiceTypeCode>380<",
		"<cbc:Name>Ἀλέξανδρος अदिति &amp; Söhne</cbc:Name>", "<cbc:CompanyID>ATU12345675</cbc:CompanyID>",
		fmt.Sprintf(`<cbc:TaxInclusiveAmount currencyID="EUR">%s<`, decimal(d.Body.Bill.Gross, 2)), `<cbc:PayableAmount currencyID="EUR">0.00<`,
	} {
		if !bytes.Contains(x, []byte(want)) {
			t.Errorf("the XML does not say %s:\n%s", want, x)
		}
	}
	credit := d
	credit.Kind, credit.Number = KindCreditNote, "CN-2026-000001"
	credit.Body.Refers = &reference{d.Number, d.IssuedAt}
	if x, err = credit.renderUBL(); err != nil || !bytes.Contains(x, []byte("<cbc:CreditNoteTypeCode>381<")) || !bytes.Contains(x, []byte("<cac:CreditNoteLine>")) ||
		!bytes.Contains(x, []byte("<cbc:ID>2026-000042</cbc:ID>")) || bytes.Contains(x, []byte("InvoiceLine>")) {
		t.Errorf("%v\n%s", err, x)
	}
}
