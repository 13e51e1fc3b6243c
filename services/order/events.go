package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/services/payment"
)

// Topic is the stream on which the order service rings its facts.
const Topic = "order"

// LiveTopic is the topic of package live on which orders' versions are rung.
const LiveTopic = "order"

// FactChanged tells that an order came into a new state, or that what the
// customer sees of its payment changed, once its checkout has ended: nothing
// follows from an order on its way. Its key is the order's id, its data a
// Changed; who hears it asks Get for the order.
const FactChanged = "order.changed"

// Changed is the data of FactChanged.
type Changed struct {
	Status  Status `bson:"status"`
	Version int64  `bson:"version"` // of the order; the greater is the later
}

// group is the name under which the order service hears others' facts.
const group = "order"

// ring notes in the document that is about to be written as this version that
// others see a change, and puts the fact of it there, and what the order is
// found by. Without listeners there is no fact to keep, nor while the order is
// on its way.
func (k *Keeper) ring(d *document, version int64) {
	d.Shown, d.Mail = version, mailOf(d.Email)
	if len(k.o.Listeners) == 0 || d.open() {
		return
	}
	data, err := bson.Marshal(Changed{Status: d.Status, Version: version})
	if err != nil {
		panic(fmt.Sprintf("order: encode a fact: %v", err)) // two plain fields always encode
	}
	now := k.now()
	d.Outbox.Add(now, events.Fact{
		ID: fmt.Sprintf("%s:%d:%s", d.ID, version, FactChanged), Type: FactChanged, Doc: d.ID, Key: d.ID, At: now, Data: data,
	}, k.o.Listeners...)
}

// rung has what ring kept told at once, to services and to who watches; should
// that get lost, the relay and the hubs make up for it.
func (k *Keeper) rung(d *document) {
	k.o.Bell.Ring(LiveTopic, d.ID, d.Shown)
	if k.relay != nil {
		k.relay.Ring(d)
	}
}

func (k *Keeper) listen(ctx context.Context) error {
	return k.o.Bus.Listen(ctx, payment.Topic, group, k.heard)
}

func (k *Keeper) listenToFulfilment(ctx context.Context) error {
	return k.o.Bus.Listen(ctx, FulfilmentTopic, group, k.progressed)
}

// heard drives the order whose payment has changed. A fact that comes while a
// driver is at it makes that one look again; one that comes late changes
// nothing.
func (k *Keeper) heard(ctx context.Context, fact events.Fact) error {
	if fact.Type != payment.FactChanged || fact.Key == "" {
		return nil
	}
	if r := k.running(fact.Key); r != nil {
		r.poke()
		return nil
	}
	doc, err := k.orders.Get(ctx, fact.Key)
	switch {
	case errors.Is(err, docstore.ErrNotFound):
		return nil // a payment that no order of ours has begun
	case err != nil:
		return err
	case doc.steady():
		return k.recheck(ctx, &doc)
	case doc.leased(k.now()):
		return nil
	}
	return k.resume(ctx, fact.Key, true, false, time.Now().Add(k.turn()))
}

// recheck looks at an order that has ended when its payment changes after all:
// a bank may send a refund back days after it was said to have succeeded. It
// is then made once more.
func (k *Keeper) recheck(ctx context.Context, d *document) error {
	if d.Saga.PayingSince == nil || d.Status != Failed && d.Status != Refunded && len(d.Refunds) == 0 {
		return nil
	}
	p, err := k.o.Payment.Get(ctx, ourselves, d.ID)
	if err != nil {
		return err
	}
	if d.Status == Failed {
		if kept(p).Minor <= 0 {
			return nil
		}
		k.o.Log.ErrorContext(ctx, "an order that failed has its customer's money", "order", d.ID)
		_, err := k.o.Payment.Void(ctx, ourselves, d.ID)
		return err
	}
	news, entered := false, false
	changed, err := k.orders.Update(ctx, d.ID, func(d *document) error {
		status := d.Status
		if news = d.steady() && d.sentBack(p, k.now()); !news {
			return docstore.Unchanged
		}
		entered = d.Status != status
		k.ring(d, d.Version+1)
		return nil
	})
	if err == nil && news {
		k.o.Log.ErrorContext(ctx, "the bank sent a refund back", "order", d.ID, "status", d.Status)
		if entered {
			k.entered(&changed)
		}
		k.rung(&changed)
	}
	return err
}
