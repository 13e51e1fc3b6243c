package order

import (
	"context"
	"errors"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/services/cart"
)

// How long an order of somebody who asked to be forgotten keeps what is
// personal. See docs/decisions/privacy.md.
const (
	// RefundWindow is how long after the end of an order its customer may
	// have to be reached about it.
	RefundWindow = 30 * 24 * time.Hour
	// AbandonedAfter is how long an order may stand still before its end is
	// not waited for any more.
	AbandonedAfter = 365 * 24 * time.Hour
	// InvoiceYears is how many whole calendar years after the order's own an
	// invoice must name its recipient.
	InvoiceYears = 10
)

// An erasure is the wish of an order's customer to be forgotten.
type erasure struct {
	Due     *time.Time `bson:"due,omitempty"`     // when the next part is to be forgotten, as far as is known; nil: all is
	Contact bool       `bson:"contact,omitempty"` // how to reach the customer is forgotten
}

// indexErase finds the orders in which something is to be forgotten.
const indexErase = "erase"

// eraseEvery is how often erasures are looked for.
const eraseEvery = time.Minute

// Forget marks a customer's orders, each in one write, so that SweepErasures
// forgets who the customer was as soon as each allows. Repeating it is
// harmless, and finishes what a crash has interrupted.
func (k *Keeper) Forget(ctx context.Context, customerID string) error {
	if customerID == "" {
		return nil
	}
	now := k.now()
	for d, err := range k.orders.All(ctx, docstore.Query{Index: indexCustomer, Equal: []any{customerID}}) {
		if err != nil {
			return err
		}
		if _, err := k.orders.Update(ctx, d.ID, func(d *document) error {
			if d.Erasure != nil {
				return docstore.Unchanged
			}
			d.Erasure = &erasure{Due: &now}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// SweepErasures forgets what is due to be forgotten. Several copies may do so
// at once.
func (k *Keeper) SweepErasures(ctx context.Context) error {
	var errs []error
	now := k.now()
	for d, err := range k.orders.All(ctx, docstore.Query{Index: indexErase, Until: now.Add(time.Millisecond)}) {
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		changed, err := k.orders.Update(ctx, d.ID, func(d *document) error {
			if d.Erasure == nil || d.Erasure.Due == nil || d.Erasure.Due.After(now) {
				return docstore.Unchanged
			}
			d.forget(now)
			return nil
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		k.o.Bell.Ring(LiveTopic, changed.ID, changed.Shown)
	}
	return errors.Join(errs...)
}

// forget overwrites what need not be kept any more, and says when there will
// be more of it.
func (d *document) forget(now time.Time) {
	later := func(t time.Time) { d.Erasure.Due = &t }
	if !d.Erasure.Contact {
		if !d.steady() {
			later(now.Add(time.Hour))
			return
		}
		if until := d.contactUntil(); until.After(now) {
			later(until)
			return
		}
		d.CustomerID, d.Email, d.Mail, d.Phone, d.ReturnURL = "", "", "", "", ""
		d.Token = newToken() // links in old mails open it no more
		d.ShipTo.Phone = ""
		if d.BillTo != nil {
			d.BillTo.Phone = ""
		}
		if d.Quote != nil {
			d.Quote.Note, d.Quote.Attributes, d.Quote.Buyer = "", nil, cart.Buyer{Country: d.Quote.Buyer.Country}
		}
		if d.Cancel != nil {
			d.Cancel.Reason = ""
		}
		for i := range d.Refunds {
			d.Refunds[i].Reason = ""
		}
		d.Erasure.Contact = true
		d.Shown = d.Version + 1
	}
	if until := d.addressesUntil(); until.After(now) {
		later(until)
		return
	}
	d.ShipTo = Address{Country: d.ShipTo.Country, Province: d.ShipTo.Province}
	d.BillTo = nil
	d.Erasure.Due = nil
	d.Shown = d.Version + 1
}

// contactUntil is when nobody has to reach the customer about the order any more.
func (d *document) contactUntil() time.Time {
	switch d.Status {
	case Failed:
		return d.UpdatedAt
	case Delivered, Refunded:
		return d.UpdatedAt.Add(RefundWindow)
	}
	return d.UpdatedAt.Add(AbandonedAfter)
}

// addressesUntil is until when the law wants to know whom something was sold to.
func (d *document) addressesUntil() time.Time {
	if d.Status == Failed {
		return d.UpdatedAt // nothing was
	}
	return time.Date(d.CreatedAt.Year()+InvoiceYears+1, 1, 1, 0, 0, 0, 0, time.UTC)
}
