package invoice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

// AuditReport is what an Audit found on its stretch of three books, which it
// reads one after another:
//
//   - the numbers: from 1 to the last of each series, none is missing and the
//     dates ascend;
//   - the documents: each that is READY has its number and its files, as they
//     were written, and rendering it again gives the same bytes, unless that
//     was done by another version of the program;
//   - the orders: each that was confirmed has its invoice, and each refund its
//     credit note, within OwedWithin.
type AuditReport struct {
	Checked  int // documents
	Findings []Finding
	Next     string // pass as after to read on; "" at the end
}

// A Finding is a number or document that is not as it must be.
type Finding struct {
	ID     string // of the document or order, or the number
	Detail string // for operators; without personal data
}

// OwedWithin is how long after it was confirmed an order may be without its
// invoice before Audit calls that a finding.
const OwedWithin = 10 * time.Minute

// auditPage is how many documents one Audit looks at.
const auditPage = 100

// The books that an audit reads, and the beginnings of its cursors.
const (
	bookNumbers   = "numbers"
	bookDocuments = "documents"
	bookOrders    = "orders"
)

// Audit checks a stretch of the books.
func (k *Keeper) Audit(ctx context.Context, who identity.Caller, after string) (report AuditReport, err error) {
	if !who.May(identity.OperationsRead) {
		return AuditReport{}, ErrForbidden
	}
	book, place, found := strings.Cut(after, "/")
	switch {
	case after == "" || found && book == bookNumbers:
		err = k.auditNumbers(ctx, place, &report)
	case found && book == bookDocuments:
		err = k.auditDocuments(ctx, place, &report)
	case found && book == bookOrders:
		err = k.auditOrders(ctx, place, &report)
	default:
		err = ErrCursor.Field("after")
	}
	if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) || errors.Is(err, order.ErrCursor) {
		err = ErrCursor.Field("after")
	}
	if err != nil {
		return AuditReport{}, err
	}
	return report, nil
}

func (r *AuditReport) say(id, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{id, fmt.Sprintf(format, args...)})
}

// auditNumbers reads some numbers of a series. The place is the series and the
// number before the first.
func (k *Keeper) auditNumbers(ctx context.Context, place string, r *AuditReport) error {
	var name string
	var from int64
	if place != "" {
		cut := max(strings.LastIndexByte(place, '/'), 0)
		n, err := strconv.ParseInt(strings.TrimPrefix(place[cut:], "/"), 10, 64)
		if err != nil || n < 0 {
			return ErrCursor.Field("after")
		}
		name, from = place[:cut], n
	}
	if from == 0 {
		// The next series, in the order of their names.
		page, err := k.series.Find(ctx, docstore.Query{Limit: 1, After: docstore.Cursor(name)})
		if err != nil {
			return err
		}
		if len(page.Items) == 0 {
			r.Next = bookDocuments + "/"
			return nil
		}
		name = page.Items[0].ID
	}
	s, err := k.series.Get(ctx, name)
	if isNotFound(err) {
		return ErrCursor.Field("after")
	}
	if err != nil {
		return err
	}
	until := min(from+auditPage, s.Last)
	given := map[int64]document{}
	for d, err := range k.invoices.All(ctx, docstore.Query{Index: indexNumber, From: numberOf(name, from+1), Until: numberOf(name, until) + "~"}) {
		if err != nil {
			return err
		}
		// Texts are in another order than numbers of other lengths.
		if n, err := strconv.ParseInt(strings.TrimPrefix(d.Number, name+"-"), 10, 64); err == nil && n > from && n <= until {
			given[n] = d
		}
	}
	var last time.Time
	for n := from + 1; n <= until; n++ {
		d, ok := given[n]
		switch {
		case !ok && n == s.Last:
			// Given, and perhaps on its way to its document.
			holder, err := k.invoices.Get(ctx, s.Holder)
			switch {
			case isNotFound(err):
				r.say(numberOf(name, n), "is missing, with %s", s.Holder)
			case err != nil:
				return err
			}
			if holder.Number != "" && holder.Number != numberOf(name, n) {
				r.say(numberOf(name, n), "was given to %s, which has %s", s.Holder, holder.Number)
			}
		case !ok:
			r.say(numberOf(name, n), "is missing")
		case d.IssuedAt.Before(last):
			r.say(d.Number, "is older than its predecessor")
		}
		if ok {
			last = d.IssuedAt
		}
	}
	r.Next = fmt.Sprintf("%s/%s/%d", bookNumbers, name, until)
	if until == s.Last {
		cursor, err := k.series.CursorAt(docstore.Query{}, &s)
		if err != nil {
			return err
		}
		r.Next = bookNumbers + "/" + string(cursor) + "/0"
	}
	return nil
}

// auditDocuments reads some documents and their files.
func (k *Keeper) auditDocuments(ctx context.Context, place string, r *AuditReport) error {
	page, err := k.invoices.Find(ctx, docstore.Query{After: docstore.Cursor(place), Limit: auditPage})
	if err != nil {
		return err
	}
	ids := make([]string, len(page.Items))
	for i := range page.Items {
		ids[i] = page.Items[i].ID
	}
	kept, err := k.files.GetMany(ctx, ids)
	if err != nil {
		return err
	}
	for i := range page.Items {
		d := &page.Items[i]
		r.Checked++
		if d.Status != Ready {
			continue // its order is looked at below
		}
		o, err := k.o.Orders.Get(ctx, identity.Ourselves(), d.OrderID, "")
		switch {
		case errors.Is(err, order.ErrNotFound):
			r.say(d.ID, "there is no order %s", d.OrderID)
		case err != nil:
			return err
		case !billable(o.Status):
			r.say(d.ID, "its order is %s", o.Status)
		}
		if d.Number == "" || d.Key != d.Number {
			r.say(d.ID, "is READY, with the number %q under %q", d.Number, d.Key)
		}
		f, ok := kept[d.ID]
		if !ok {
			r.say(d.ID, "its files are missing")
			continue
		}
		if digestOf(f.PDF) != d.Digests.PDF || digestOf(f.XML) != d.Digests.XML {
			r.say(d.ID, "its files are not what was written")
		}
		if d.Edition != edition() {
			continue
		}
		again, err := k.draw(ctx, *d)
		if err != nil {
			return err
		}
		if digestOf(again.PDF) != d.Digests.PDF || digestOf(again.XML) != d.Digests.XML {
			r.say(d.ID, "renders to other bytes than were kept")
		}
	}
	r.Next = bookOrders + "/"
	if page.Next != "" {
		r.Next = bookDocuments + "/" + string(page.Next)
	}
	return nil
}

// auditOrders reads some orders, and looks for what they are owed.
func (k *Keeper) auditOrders(ctx context.Context, place string, r *AuditReport) error {
	page, err := k.o.Orders.List(ctx, identity.Ourselves(), order.ListQuery{After: place, Limit: auditPage})
	if err != nil {
		return err
	}
	owed := map[string]string{} // the order, by the document's id
	var ids []string
	due := k.now().Add(-OwedWithin)
	for i := range page.Orders {
		o := &page.Orders[i]
		if !billable(o.Status) || !o.UpdatedAt.Before(due) {
			continue
		}
		for _, id := range append([]string{o.ID}, creditIDs(o)...) {
			owed[id] = o.ID
			ids = append(ids, id)
		}
	}
	found, err := k.invoices.GetMany(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if d := found[id]; d.Status != Ready || d.OrderID != owed[id] {
			r.say(owed[id], "%s is owed, and not there: %q", id, d.Status)
		}
	}
	if page.HasMore {
		r.Next = bookOrders + "/" + page.Cursors[len(page.Cursors)-1]
	}
	return nil
}

// edition names what this version of the program makes of a document: another
// layout, library or language makes another one.
var edition = sync.OnceValue(func() string {
	sum := sha256.New()
	for _, locale := range []string{"en-US", "de", "fr", "hi-IN"} {
		d := specimen(locale)
		f, err := d.render()
		if err != nil {
			panic("invoice: the specimen cannot be rendered: " + err.Error())
		}
		_, _ = sum.Write(f.PDF)
		_, _ = sum.Write(f.XML)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
})

// specimen is a document with something of everything in it.
func specimen(locale string) document {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	amount := func(minor int64) money.Amount { return money.Of(minor, "EUR") }
	there := order.Address{FirstName: "Ἀλέξανδρος", LastName: "Łukasz", Company: "Щ", Address1: "1", Address2: "2", City: "Zürich", Province: "ZH", Zip: "8000", Country: "CH"}
	q := cart.Quote{
		Rate: &cart.ShippingRate{Title: "Standard"}, ShippingTaxRate: 1900,
		Cost: cart.Cost{Currency: "EUR", TaxIncluded: true, Shipping: amount(490), Total: amount(490 + 40*1000)},
	}
	for i := range int64(40) {
		rate := []int64{1900, 700, 0}[i%3]
		q.Lines = append(q.Lines, cart.Line{
			Quantity: 1 + i%3, Subtotal: amount(1100), Discount: amount(100), Total: amount(1000), TaxRate: rate,
			Item:  cart.Item{SKU: "SKU", Title: strings.Repeat("Title ", int(i)), VariantTitle: "Blue"},
			Codes: []cart.CodeShare{{Code: "CODE", Amount: amount(100)}},
		})
	}
	seller := Seller{Name: "Seller", Address: "Street 1", Zip: "20457", City: "Hamburg", Country: "DE", TaxID: "DE123456788", Registration: "HRB 1", Email: "s@example.org"}
	d := document{Kind: KindInvoice, Number: "2026-000001", IssuedAt: at, Body: body{
		Locale: locale, Currency: "EUR", OrderNumber: "ABCD", OrderedAt: at, Seller: seller, Buyer: there, ShipTo: there, BuyerTaxID: "CHE123",
		Card: card{"visa", "4242"}, Refers: &reference{"2025-000009", at}, Note: "Note", Bill: calculate(q, "DE", "CH"),
	}}
	if locale == "fr" {
		d.Kind = KindCreditNote
		d.Body.Bill.Rounding = 1
	}
	return d
}
