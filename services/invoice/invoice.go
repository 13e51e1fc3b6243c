// Package invoice writes what the shop owes its customers on paper: one
// invoice for every confirmed order, one credit note for every refund,
// numbered without a gap, and the same to the last byte whenever it is read.
package invoice

import (
	"context"
	"strings"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
)

// Service is the contract of the invoice service.
//
// An invoice has the id of its order; a credit note that id with CreditSuffix,
// and behind it, if the refund was of a part, "-" and the refund's id.
// All may be read by the customer whose order it is, by anyone with the
// order's access token, and by who may identity.InvoicesRead. For everyone
// else they do not exist: ErrNotFound.
type Service interface {
	// Get returns an invoice or credit note. An order that is still on its way,
	// or whose invoice is, has one that is PENDING. A confirmed order that no
	// fact has told of gets its invoice now.
	Get(ctx context.Context, who identity.Caller, id, accessToken string) (Invoice, error)
	// OfOrder returns what was written for an order: its invoice, then its
	// credit notes, the oldest first. An order that has failed has none.
	OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) ([]Invoice, error)
	// File returns the document itself. ErrPending: it is not there yet.
	File(ctx context.Context, who identity.Caller, id string, format Format, accessToken string) (File, error)
	// Versions returns the present versions by id; at most MaxVersions at once.
	// An id without an invoice has the version of one that was not begun. It
	// is for the program itself and staff: ErrForbidden, ErrInput.
	Versions(ctx context.Context, who identity.Caller, ids []string) (map[string]int64, error)
	// Audit checks what must always hold on a stretch of all numbers, then of
	// all documents, then of all orders: see AuditReport. It needs
	// identity.OperationsRead: ErrForbidden, ErrCursor.
	Audit(ctx context.Context, who identity.Caller, after string) (AuditReport, error)
}

// CreditSuffix makes the ids of an order's credit notes of the order's id.
const CreditSuffix = "-credit"

// MaxVersions is how many versions are told at once.
const MaxVersions = 500

// Kind of a document.
type Kind string

// The kinds of documents.
const (
	KindInvoice    Kind = "INVOICE"
	KindCreditNote Kind = "CREDIT_NOTE"
)

// Status is how far a document has come.
type Status string

// The states of a document.
const (
	Pending Status = "PENDING" // not to be had yet
	Ready   Status = "READY"   // final: nothing of it ever changes
)

// Format of a file.
type Format string

// The formats a document can be had in.
const (
	PDF Format = "pdf" // for people, with the XML attached
	XML Format = "xml" // EN 16931 in UBL 2.1, for programs
)

// The versions of a document, which say how far it has come.
const (
	versionNone  = 1 // not begun
	versionBegun = 2
	versionReady = 3
)

// An Invoice is an invoice or a credit note; the amounts of both are positive.
type Invoice struct {
	ID       string
	Version  int64 // grows until the document is READY
	Kind     Kind
	Status   Status
	OrderID  string
	Number   string    // "2026-000001", "CN-2026-000001"; "" while PENDING
	Refers   string    // a credit note's invoice
	IssuedAt time.Time // zero while PENDING
	Currency string    // "" while it is not begun, and then the amounts are zero
	Net      money.Amount
	Tax      money.Amount
	Total    money.Amount // Net and Tax
	Rounding money.Amount // what was charged, less Total: a few minor units at most
	Paid     money.Amount // what was charged, or given back
	Taxes    []Tax        // by rate, the highest first
}

// Tax is what is taxed at one rate.
type Tax struct {
	Rate    int64 // basis points
	Taxable money.Amount
	Tax     money.Amount
}

// A File is a document to be downloaded.
type File struct {
	Name        string // "2026-000001.pdf"
	ContentType string
	Content     []byte
}

// A Seller is who sells, as the law wants it on invoices.
type Seller struct {
	Name         string `bson:"name"`
	Address      string `bson:"address"` // street and number
	Zip          string `bson:"zip,omitempty"`
	City         string `bson:"city"`
	Country      string `bson:"country"`                // ISO 3166-1 alpha-2
	TaxID        string `bson:"taxId"`                  // VAT identification number with its country's prefix, or GST number and the like
	Registration string `bson:"registration,omitempty"` // in the register of companies
	Email        string `bson:"email,omitempty"`
}

// Check reports the first thing missing as ErrSeller.
func (s Seller) Check() error {
	for _, f := range []struct{ name, text string }{
		{"name", s.Name}, {"address", s.Address}, {"city", s.City}, {"country", s.Country}, {"taxId", s.TaxID},
	} {
		if strings.TrimSpace(f.text) == "" {
			return ErrSeller.Field(f.name).Say("The seller's %s is missing: invoices need it.", f.name)
		}
	}
	return nil
}
