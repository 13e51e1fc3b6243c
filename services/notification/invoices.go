package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
	"ordergraph/services/invoice"
)

// An enclosure is what a mail does about the order's invoice.
//
// The confirmation waits a moment for the invoice. If it is there the mail
// brings it. Otherwise the mail promises it, and the mail that keeps the
// promise is stored before the one that makes it is handed over; so whatever
// dies, no promise is without its invoice. The message that follows asks for
// the invoice until it is there, and is OBSOLETE if the confirmation brought it
// after all. An attempt after one whose outcome is unknown does what that one
// did: the two must be one mail.
type enclosure string

const (
	enclosed enclosure = "attached"
	promised enclosure = "promised"
)

// askFor is how long a mail waits for the invoice service's answer.
const askFor = 2 * time.Second

func confirmedID(orderID string) string { return orderMessageID(orderID, OrderConfirmed, Mail) }
func followsID(orderID string) string   { return orderMessageID(orderID, InvoiceFollows, Mail) }

// enclose decides what a mail does about the invoice, notes it in d, and
// returns what is to be attached.
func (k *Keeper) enclose(ctx context.Context, d *document) ([]Attachment, error) {
	switch {
	case k.o.Invoices == nil:
		return nil, nil
	case d.Kind == InvoiceFollows:
		return k.follow(ctx, d)
	case d.Kind != OrderConfirmed, d.Doubts > 0 && d.Invoice != enclosed:
		return nil, nil
	}
	file, err := k.invoiceOf(ctx, d.orderID())
	switch {
	case err == nil:
		d.Invoice = enclosed
		return file, nil
	case errors.Is(err, invoice.ErrNotFound):
		d.Invoice = ""
		return nil, nil
	case d.Doubts > 0, d.ID != confirmedID(d.orderID()):
		// The mail that may have arrived had it; and who asked for the mail
		// once more can wait.
		return nil, fmt.Errorf("its invoice: %w", err)
	}
	if err := k.promise(ctx, d.orderID()); err != nil {
		return nil, err
	}
	d.Invoice = promised
	return nil, nil
}

// follow is what the mail encloses that keeps the confirmation's promise.
func (k *Keeper) follow(ctx context.Context, d *document) ([]Attachment, error) {
	if d.ID == followsID(d.orderID()) { // and not sent once more
		confirmed, err := k.docs.Get(ctx, confirmedID(d.orderID()))
		switch {
		case errors.Is(err, docstore.ErrNotFound):
			if k.now().Sub(d.CreatedAt) < maxAge { // who made the promise has died, or stores the confirmation right now
				return nil, errWaiting
			}
		case err != nil:
			return nil, err
		case confirmed.Status == Queued:
			return nil, errWaiting
		case confirmed.Invoice != promised:
			return nil, errObsolete
		}
	}
	file, err := k.invoiceOf(ctx, d.orderID())
	switch {
	case errors.Is(err, invoice.ErrNotFound):
		return nil, errObsolete
	case errors.Is(err, invoice.ErrPending), err != nil && passes(err):
		return nil, errWaiting
	}
	return file, err
}

// invoiceOf is the invoice as it goes with a mail.
func (k *Keeper) invoiceOf(ctx context.Context, orderID string) ([]Attachment, error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	f, err := k.o.Invoices.File(ctx, identity.Ourselves(), orderID, invoice.PDF, "")
	if err != nil {
		return nil, err
	}
	return []Attachment{{Name: f.Name, ContentType: f.ContentType, Content: f.Content}}, nil
}

// promise stores the mail that brings the invoice later.
func (k *Keeper) promise(ctx context.Context, orderID string) error {
	now := k.now()
	later := newDocument(followsID(orderID), OrderSubject(orderID), InvoiceFollows, Mail, orderID, k.domain, now)
	due := now.Add(work.BackOff(firstRetry, nextLook, 1))
	later.Due = &due
	err := k.docs.Insert(ctx, later)
	if !errors.Is(err, docstore.ErrExists) {
		if err == nil {
			k.changed(later)
		}
		return err
	}
	_, err = k.docs.Update(ctx, later.ID, func(d *document) error {
		if d.Status != Obsolete {
			return docstore.Unchanged
		}
		d.requeue(now)
		d.Due = &due
		return nil
	})
	return err
}

func (k *Keeper) hearInvoices(ctx context.Context) error {
	return k.o.Bus.Listen(ctx, invoice.Topic, group, k.HearInvoice)
}

// HearInvoice takes the effect of a fact of the invoice service: nil says that
// the mail that waits for the invoice is due.
func (k *Keeper) HearInvoice(ctx context.Context, f events.Fact) error {
	if f.Type != invoice.FactReady || f.Doc != f.Key { // a credit note has another id than its order
		return nil
	}
	confirmed, err := k.hasten(ctx, confirmedID(f.Key))
	if errors.Is(err, docstore.ErrNotFound) { // we have not heard of the order yet, or hear of it right now
		if err := k.tellOf(ctx, f.Key, 0, true); err != nil {
			return err
		}
		confirmed, err = k.hasten(ctx, confirmedID(f.Key))
	}
	if err == nil && confirmed.Invoice == promised {
		_, err = k.hasten(ctx, followsID(f.Key))
	}
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	return err
}

// hasten makes a message due that waits for its invoice, and sends it at once
// where a sender is free.
func (k *Keeper) hasten(ctx context.Context, id string) (document, error) {
	d, err := k.docs.Get(ctx, id)
	if err != nil || !d.waits(k.now()) {
		return d, err
	}
	now := k.now()
	d.Due = &now
	sent, err := k.sendAtOnce(ctx, &d, func(ctx context.Context, r *route, m message) (document, error) {
		return k.attempt(ctx, k.channel(d.Channel), r, &d, m)
	})
	if sent || err != nil {
		return d, err
	}
	d, err = k.docs.Update(ctx, id, func(d *document) error {
		now := k.now()
		if !d.waits(now) {
			return docstore.Unchanged
		}
		d.Due = &now
		return nil
	})
	if err == nil {
		k.channel(d.Channel).poke()
	}
	return d, err
}

// waits reports whether nobody has looked at the message yet.
func (d *document) waits(now time.Time) bool {
	return d.Status == Queued && d.Holder == "" && d.Due != nil && d.Due.After(now) && len(d.Attempts) == 0
}
