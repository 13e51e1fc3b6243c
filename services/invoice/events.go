package invoice

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
	"ordergraph/services/account"
	"ordergraph/services/order"
)

// Topic is the stream on which the invoice service rings its facts.
const Topic = order.InvoiceTopic

// LiveTopic is the topic of package live on which documents' versions are rung.
const LiveTopic = "invoice"

// FactReady tells that an invoice or credit note can be had. Its key is the
// order's id, Doc the document's; who hears it asks Get and File.
const FactReady = order.FactInvoice

// group is the name under which the invoice service hears others' facts.
const group = "invoice"

func (k *Keeper) listen(ctx context.Context) error {
	return k.o.Bus.Listen(ctx, order.Topic, group, k.heard)
}

func (k *Keeper) listenOf(ctx context.Context) error {
	return k.o.Bus.Listen(ctx, account.Topic, group, account.OnErased(k.Forget))
}

// heard writes what the order is owed by now.
func (k *Keeper) heard(ctx context.Context, fact events.Fact) error {
	if fact.Type != order.FactChanged || fact.Key == "" {
		return nil
	}
	var changed order.Changed
	if len(fact.Data) > 0 {
		if err := bson.Unmarshal(fact.Data, &changed); err != nil {
			return fmt.Errorf("fact %s: %w", fact.ID, err)
		}
	}
	if changed.Status != "" && !billable(changed.Status) {
		return nil // should it be owed something later, that has a fact of its own
	}
	o, err := k.o.Recent.At(ctx, fact.Key, changed.Version)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("order %s: %w", fact.Key, err)
	}
	return k.Issue(ctx, o)
}

// Issue writes the documents that the order is owed: an invoice once it was
// confirmed, a credit note for each refund that has succeeded. Repeating it is
// harmless.
func (k *Keeper) Issue(ctx context.Context, o order.Order) error {
	if !billable(o.Status) {
		return nil
	}
	invoice, err := k.write(ctx, o.ID, func() document { return k.draft(o) })
	if err != nil {
		return fmt.Errorf("invoice of order %s: %w", o.ID, err)
	}
	for _, c := range credits(o, invoice) {
		if _, err := k.write(ctx, c.id, func() document { return k.credit(c, invoice) }); err != nil {
			return fmt.Errorf("credit note %s: %w", c.id, err)
		}
	}
	return nil
}

// billable reports whether an order in this state was confirmed once.
func billable(s order.Status) bool {
	switch s {
	case order.Confirmed, order.Fulfilling, order.Shipped, order.Delivered, order.Cancelled, order.Refunded:
		return true
	}
	return false
}

// write brings one document from wherever it is to READY.
func (k *Keeper) write(ctx context.Context, id string, draft func() document) (document, error) {
	d, err := k.begin(ctx, id, draft)
	if err == nil && d.Number == "" {
		d, err = k.number(ctx, d)
	}
	if err == nil && d.Status != Ready {
		d, err = k.file(ctx, d)
	}
	return d, err
}

// begin is the document, which is inserted if there is none.
func (k *Keeper) begin(ctx context.Context, id string, draft func() document) (document, error) {
	d, err := k.invoices.Get(ctx, id)
	if !isNotFound(err) {
		return d, err
	}
	d = draft()
	switch err := k.invoices.Insert(ctx, &d); {
	case isExists(err): // another process was faster
		return k.invoices.Get(ctx, id)
	case err != nil:
		return document{}, err
	}
	k.o.Bell.Ring(LiveTopic, d.ID, versionBegun)
	return d, nil
}

// rung has the news of a READY document told at once.
func (k *Keeper) rung(d *document) {
	k.issued.WithLabelValues(string(d.Kind)).Inc()
	k.o.Bell.Ring(LiveTopic, d.ID, versionReady)
	if k.relay != nil {
		k.relay.Ring(d)
	}
}

func (k *Keeper) ready(d *stage) {
	if len(k.o.Listeners) == 0 {
		return
	}
	now := k.now()
	d.Outbox.Add(now, events.Fact{
		ID: fmt.Sprintf("%s:%d:%s", d.ID, versionReady, FactReady), Type: FactReady, Doc: d.ID, Key: d.OrderID, At: now,
	}, k.o.Listeners...)
}
