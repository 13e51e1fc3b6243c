package notification

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
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
	return k.insertAndSend(ctx, newDocument("account:"+due.ID, AccountSubject(f.Key), kind, Mail, due.ID, k.domain, k.now()))
}

// HearOrder takes the effect of a fact of the order service: nil says that all
// that the order's story gives cause for is stored.
func (k *Keeper) HearOrder(ctx context.Context, f events.Fact) error {
	if f.Type != order.FactChanged {
		return nil
	}
	var changed order.Changed
	if len(f.Data) > 0 {
		if err := bson.Unmarshal(f.Data, &changed); err != nil {
			return fmt.Errorf("fact %s: %w", f.ID, err)
		}
	}
	switch changed.Status {
	case order.Pending, order.Reserved, order.Paying:
		return nil // nothing is to be told of it yet, and its next state has a fact of its own
	}
	return k.tellOf(ctx, f.Key, changed.Version, false)
}

// tellOf stores what the order's story up to this version gives cause for and
// is not there yet. ready says that its invoice can be had.
func (k *Keeper) tellOf(ctx context.Context, orderID string, version int64, ready bool) error {
	o, err := k.o.Recent.At(ctx, orderID, version)
	if errors.Is(err, order.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("order %s: %w", orderID, err)
	}
	now := k.now()
	var due []*document
	var ids []string
	for i, e := range o.Timeline {
		if slices.ContainsFunc(o.Timeline[:i], func(b order.Entry) bool { return b.Status == e.Status }) {
			continue // the order stays as it is: money went back
		}
		kind, ok := orderKind(o, e)
		if !ok || now.Sub(e.At) > maxAge {
			continue
		}
		for _, c := range []Channel{Mail, SMS} {
			if c == SMS && (o.Phone == "" || len(k.sms.routes) == 0) {
				continue
			}
			d := newDocument(orderMessageID(o.ID, kind, c), OrderSubject(o.ID), kind, c, o.ID, k.domain, now)
			at := now
			switch {
			case c == SMS:
				d.Country = o.ShippingAddress.Country
				at = k.disturb(d, now)
			case kind == OrderConfirmed && !ready:
				at = laterOf(now, e.At.Add(k.o.Grace))
			}
			d.Due, d.Cause = &at, o.Version
			due, ids = append(due, d), append(ids, d.ID)
		}
	}
	for _, r := range o.Refunds {
		if r.State != order.RefundSucceeded || r.Amount.Minor == 0 || now.Sub(r.At) > maxAge {
			continue
		}
		d := newDocument(refundMessageID(o.ID, r.ID), OrderSubject(o.ID), OrderRefunded, Mail, o.ID, k.domain, now)
		d.Refund, d.Cause = r.ID, o.Version
		due, ids = append(due, d), append(ids, d.ID)
	}
	there, err := k.docs.GetMany(ctx, ids)
	if err != nil {
		return err
	}
	for _, d := range due {
		if _, ok := there[d.ID]; ok {
			continue
		}
		// Where no SMS were sent when it happened, it has been told by mail.
		if mail, ok := there[orderMessageID(o.ID, d.Kind, Mail)]; ok && d.Channel == SMS && now.Sub(mail.CreatedAt) > maxLag {
			continue
		}
		if err := k.insertAndSend(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// orderMessageID is the id of an order's message, made of its cause.
func orderMessageID(orderID string, kind Kind, c Channel) string {
	id := "order:" + orderID + ":" + string(kind)
	if c == SMS {
		id += ":sms"
	}
	return id
}

// refundMessageID is the id of the mail about one refund of an order.
func refundMessageID(orderID, refundID string) string {
	id := orderMessageID(orderID, OrderRefunded, Mail)
	if refundID != order.RefundOfCancel {
		id += ":" + refundID
	}
	return id
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// sawFor is how long a customer waits for the answer to a checkout. An order
// that failed later was still on its way when it was answered.
const sawFor = 10 * time.Second

// orderKind says which message a step of the order's story gives cause for.
// Who called an order off before it was confirmed needs no mail about it, nor
// does who saw it fail. Refunds are told of one by one.
func orderKind(o order.Order, e order.Entry) (Kind, bool) {
	switch e.Status {
	case order.Confirmed:
		return OrderConfirmed, true
	case order.Failed:
		return OrderFailed, o.Reason != order.ReasonCancelled && e.At.Sub(o.CreatedAt) > sawFor
	case order.Shipped:
		return OrderShipped, true
	case order.Delivered:
		return OrderDelivered, true
	case order.Cancelled:
		return OrderCancelled, true
	}
	return "", false
}
