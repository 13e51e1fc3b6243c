package notification

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/order"
)

// group is the name under which the notification service hears others' facts.
const group = "notification"

func (k *Keeper) hearAccounts(ctx context.Context) error {
	return k.o.Bus.Listen(ctx, account.Topic, group, k.HearAccount)
}

func (k *Keeper) hearOrders(ctx context.Context) error {
	return k.o.Bus.Listen(ctx, order.Topic, group, k.HearOrder)
}

// accountKinds are the messages that the account service asks for.
var accountKinds = map[account.MailKind]Kind{
	account.MailVerify: Verify, account.MailAlreadyRegistered: AlreadyRegistered, account.MailReset: Reset,
	account.MailInvite: Invite, account.MailPasswordChanged: PasswordChanged,
}

// HearAccount takes the effect of a fact of the account service: nil says that
// the message it asks for is stored.
func (k *Keeper) HearAccount(ctx context.Context, f events.Fact) error {
	if f.Type != account.FactMail {
		return nil
	}
	var due account.MailDue
	if err := bson.Unmarshal(f.Data, &due); err != nil {
		return fmt.Errorf("fact %s: %w", f.ID, err)
	}
	kind, ok := accountKinds[due.Kind]
	if !ok {
		k.o.Log.WarnContext(ctx, "the account service asks for a message that is not known here", "kind", due.Kind)
		return nil
	}
	return k.insert(ctx, newDocument("account:"+due.ID, AccountSubject(f.Key), kind, Mail, due.ID, k.domain, k.now()))
}

// HearOrder takes the effect of a fact of the order service: nil says that all
// that the order's story gives cause for is stored.
func (k *Keeper) HearOrder(ctx context.Context, f events.Fact) error {
	if f.Type != order.FactChanged {
		return nil
	}
	o, err := k.o.Orders.Get(ctx, identity.Ourselves(), f.Key, "")
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("order %s: %w", f.Key, err)
	}
	for _, e := range o.Timeline {
		kind, ok := orderKind(o, e)
		if !ok || k.now().Sub(e.At) > maxAge {
			continue
		}
		id := fmt.Sprintf("order:%s:%s", o.ID, kind)
		if err := k.insert(ctx, newDocument(id, OrderSubject(o.ID), kind, Mail, o.ID, k.domain, k.now())); err != nil {
			return err
		}
	}
	return nil
}

// sawFor is how long a customer waits for the answer to a checkout. An order
// that failed later was still on its way when it was answered.
const sawFor = 10 * time.Second

// orderKind says which message a step of the order's story gives cause for.
// Who called an order off before it was confirmed needs no mail about it, nor
// does who saw it fail.
func orderKind(o order.Order, e order.Entry) (Kind, bool) {
	switch e.Status {
	case order.Confirmed:
		return OrderConfirmed, true
	case order.Failed:
		return OrderFailed, o.Reason != order.ReasonCancelled && e.At.Sub(o.CreatedAt) > sawFor
	case order.Cancelled:
		return OrderCancelled, true
	case order.Refunded:
		return OrderRefunded, true
	}
	return "", false
}
