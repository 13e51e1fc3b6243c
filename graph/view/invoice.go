package view

import (
	"time"

	"ordergraph/graph/gid"
	"ordergraph/platform/money"
	"ordergraph/services/invoice"
)

// InvoicePath is below which invoices are downloaded.
const InvoicePath = "/invoices/"

// Invoice is an invoice or credit note.
type Invoice struct {
	of   *invoice.Invoice
	shop *Shop
}

// NewInvoice shows an invoice, which must not change any more.
func NewInvoice(shop *Shop, v *invoice.Invoice) *Invoice { return &Invoice{v, shop} }

// NewInvoices shows the invoices of an order.
func NewInvoices(shop *Shop, all []invoice.Invoice) []Invoice {
	shown := make([]Invoice, len(all))
	for i := range all {
		shown[i] = Invoice{&all[i], shop}
	}
	return shown
}

// ID is the global id.
func (v *Invoice) ID() string { return idOf(gid.Invoice, v.of.ID) }

// Version grows until it is READY.
func (v *Invoice) Version() int64 { return v.of.Version }

// Kind tells invoices from credit notes.
func (v *Invoice) Kind() string { return string(v.of.Kind) }

// Status is how far it has come.
func (v *Invoice) Status() string { return string(v.of.Status) }

// Number is null while PENDING.
func (v *Invoice) Number() *string { return orNil(v.of.Number) }

// RefersTo is a credit note's invoice.
func (v *Invoice) RefersTo() *string { return orNil(v.of.Refers) }

// IssuedAt is null while PENDING.
func (v *Invoice) IssuedAt() *time.Time {
	if !v.ready() {
		return nil
	}
	return &v.of.IssuedAt
}

// Totals are null while PENDING.
func (v *Invoice) Totals() *InvoiceTotals {
	if !v.ready() {
		return nil
	}
	return &InvoiceTotals{v.of}
}

// URL of the PDF.
func (v *Invoice) URL() *string { return v.file(invoice.PDF) }

// XMLURL is that of the electronic invoice.
func (v *Invoice) XMLURL() *string { return v.file(invoice.XML) }

func (v *Invoice) file(format invoice.Format) *string {
	if !v.ready() {
		return nil
	}
	return orNil(v.shop.PublicURL + InvoicePath + v.of.ID + "." + string(format))
}

func (v *Invoice) ready() bool { return v.of.Status == invoice.Ready }

// InvoiceTotals are an invoice's sums.
type InvoiceTotals struct{ of *invoice.Invoice }

// NetAmount is without tax.
func (t *InvoiceTotals) NetAmount() money.Amount { return t.of.Net }

// TaxAmount is the tax.
func (t *InvoiceTotals) TaxAmount() money.Amount { return t.of.Tax }

// GrossAmount is with tax.
func (t *InvoiceTotals) GrossAmount() money.Amount { return t.of.Total }

// RoundingAmount is what was charged, less the gross amount.
func (t *InvoiceTotals) RoundingAmount() money.Amount { return t.of.Rounding }

// TotalAmount is what was charged or given back.
func (t *InvoiceTotals) TotalAmount() money.Amount { return t.of.Paid }

// Taxes by rate.
func (t *InvoiceTotals) Taxes() []InvoiceTax {
	taxes := make([]InvoiceTax, len(t.of.Taxes))
	for i := range taxes {
		taxes[i] = InvoiceTax{&t.of.Taxes[i]}
	}
	return taxes
}

// InvoiceTax is what is taxed at one rate.
type InvoiceTax struct{ of *invoice.Tax }

// Rate in percent.
func (t *InvoiceTax) Rate() float64 { return float64(t.of.Rate) / 100 }

// TaxableAmount is what the tax is worked out of.
func (t *InvoiceTax) TaxableAmount() money.Amount { return t.of.Taxable }

// TaxAmount is the tax.
func (t *InvoiceTax) TaxAmount() money.Amount { return t.of.Tax }
