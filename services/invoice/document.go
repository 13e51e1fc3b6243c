package invoice

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/money"
	"ordergraph/services/order"
)

// A document is an invoice or credit note as it is kept. All that is rendered
// stands in Body, Number and IssuedAt.
type document struct {
	docstore.Meta `bson:",inline"`

	Kind     Kind      `bson:"kind"`
	OrderID  string    `bson:"orderId"`
	Status   Status    `bson:"status"`
	Series   string    `bson:"series"` // "2026", "CN-2026": chosen once, so that nobody numbers it in two
	Key      string    `bson:"key"`    // the number, or the id while there is none: a unique index has every field
	Number   string    `bson:"number,omitempty"`
	IssuedAt time.Time `bson:"issuedAt"`
	Digests  digests   `bson:"digests"`           // of the files, once READY
	Edition  string    `bson:"edition,omitempty"` // of the program that rendered them

	CustomerID string        `bson:"customerId,omitempty"`
	Body       body          `bson:"body"`
	Outbox     events.Outbox `bson:"outbox"`
}

// A stage is all of a document that changes while it is written: its body stays
// where it is.
type stage struct {
	docstore.Meta `bson:",inline"`
	OrderID       string        `bson:"orderId"`
	Status        Status        `bson:"status"`
	Key           string        `bson:"key"`
	Number        string        `bson:"number,omitempty"`
	IssuedAt      time.Time     `bson:"issuedAt"`
	Digests       digests       `bson:"digests"`
	Edition       string        `bson:"edition,omitempty"`
	Outbox        events.Outbox `bson:"outbox"`
}

// at is the document at the stage.
func (d document) at(s *stage) document {
	d.Meta, d.Status, d.Key, d.Number, d.IssuedAt = s.Meta, s.Status, s.Key, s.Number, s.IssuedAt
	d.Digests, d.Edition, d.Outbox = s.Digests, s.Edition, s.Outbox
	return d
}

// A head is what says how far a document has come: reading it leaves the body
// where it is.
type head struct {
	docstore.Meta `bson:",inline"`
	Status        Status `bson:"status"`
	Number        string `bson:"number,omitempty"`
}

// digests are SHA-256 sums in hexadecimal.
type digests struct {
	PDF string `bson:"pdf,omitempty"`
	XML string `bson:"xml,omitempty"`
}

// files are a document's files as they were written, under its id.
type files struct {
	docstore.Meta `bson:",inline"`
	PDF           []byte `bson:"pdf"`
	XML           []byte `bson:"xml"`
}

const (
	indexNumber   = "number"
	indexOrder    = "order"
	indexCustomer = "customer"
)

var invoicesSpec = docstore.Spec{Name: "invoices", Indexes: []docstore.Index{
	{Name: indexNumber, Fields: []string{"key"}, Unique: true},
	{Name: indexOrder, Fields: []string{"orderId"}},
	{Name: indexCustomer, Fields: []string{"customerId"}},
	events.Index(), events.DeadIndex(),
}}

// A body is everything that stands in a document but its number and date. Its
// amounts are minor units of one currency. The customer's e-mail address and
// telephone number are not among it: no law asks for them, and a file that is
// kept for ten years cannot forget.
type body struct {
	Locale      string        `bson:"locale"`
	Currency    string        `bson:"currency"`
	OrderNumber string        `bson:"orderNumber"`
	OrderedAt   time.Time     `bson:"orderedAt"`
	Seller      Seller        `bson:"seller"`
	Buyer       order.Address `bson:"buyer"`
	BuyerTaxID  string        `bson:"buyerTaxId,omitempty"`
	ShipTo      order.Address `bson:"shipTo"`
	Card        card          `bson:"card"`
	Refers      *reference    `bson:"refers,omitempty"` // a credit note's invoice
	Note        string        `bson:"note,omitempty"`   // BT-22: why money was given back
	Bill        bill          `bson:"bill"`
}

type card struct {
	Brand string `bson:"brand,omitempty"`
	Last4 string `bson:"last4,omitempty"`
}

type reference struct {
	Number   string    `bson:"number"`
	IssuedAt time.Time `bson:"issuedAt"`
}

// TaxIDAttribute is the key of the cart's attribute in which buyers give their
// own VAT or GST number.
const TaxIDAttribute = "taxId"

// draft is a new invoice with all that will stand in it.
func (k *Keeper) draft(o order.Order) document {
	d := document{
		Meta: docstore.Meta{ID: o.ID}, Kind: KindInvoice, OrderID: o.ID, Status: Pending, Key: o.ID,
		Series: fmt.Sprintf("%04d", k.now().Year()), CustomerID: o.CustomerID,
		Body: body{
			Locale: o.Locale, Currency: o.Quote.Cost.Currency, OrderNumber: o.Number, OrderedAt: o.CreatedAt, Seller: k.o.Seller,
			Buyer: o.BillingAddress, ShipTo: o.ShippingAddress,
			Card: card{Brand: o.Payment.Brand, Last4: o.Payment.Last4},
			Bill: calculate(o.Quote, k.o.Seller.Country, o.ShippingAddress.Country),
		},
	}
	for _, a := range o.Quote.Attributes {
		if a.Key == TaxIDAttribute && isTaxID(a.Value) {
			d.Body.BuyerTaxID = strings.TrimSpace(a.Value)
		}
	}
	return d
}

// isTaxID admits what tax numbers are made of.
func isTaxID(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) >= 4 && len(text) <= 24 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-/") == ""
}

func (d *document) version() int64 { return head{d.Meta, d.Status, d.Number}.version() }

func (h head) version() int64 {
	switch {
	case h.Version == 0:
		return versionNone
	case h.Status == Ready:
		return versionReady
	}
	return versionBegun
}

// invoice is the document as others see it.
func (d *document) invoice() Invoice {
	b := &d.Body.Bill
	amount := func(minor int64) money.Amount { return money.Of(minor, d.Body.Currency) }
	v := Invoice{
		ID: d.ID, Version: d.version(), Kind: d.Kind, Status: d.Status, OrderID: d.OrderID, Currency: d.Body.Currency,
		Net: amount(b.Net), Tax: amount(b.Tax), Total: amount(b.Gross), Rounding: amount(b.Rounding), Paid: amount(b.Paid),
	}
	if d.Status == Ready {
		v.Number, v.IssuedAt = d.Number, d.IssuedAt
	}
	if d.Body.Refers != nil {
		v.Refers = d.Body.Refers.Number
	}
	for _, t := range b.Taxes {
		v.Taxes = append(v.Taxes, Tax{Rate: t.Class.Rate, Taxable: amount(t.Taxable), Tax: amount(t.Tax)})
	}
	return v
}

func isNotFound(err error) bool { return errors.Is(err, docstore.ErrNotFound) }
func isExists(err error) bool   { return errors.Is(err, docstore.ErrExists) }
