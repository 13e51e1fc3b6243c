package notification

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Replay tries a dead message again.
func (k *Keeper) Replay(ctx context.Context, who identity.Caller, id string) (Notification, error) {
	if !who.May(identity.OperationsWrite) && !who.May(identity.NotificationsResend) {
		return Notification{}, ErrForbidden
	}
	return k.operate(ctx, id, func(d *document) error {
		switch d.Status {
		case Dead:
			d.requeue(k.now())
			return nil
		case Queued:
			return docstore.Unchanged
		}
		return ErrNotDead
	})
}

// Drop puts a dead message away.
func (k *Keeper) Drop(ctx context.Context, who identity.Caller, id string) (Notification, error) {
	if !who.May(identity.OperationsWrite) {
		return Notification{}, ErrForbidden
	}
	return k.operate(ctx, id, func(d *document) error {
		switch d.Status {
		case Dead:
			k.end(d, Dropped, k.now())
			return nil
		case Dropped:
			return docstore.Unchanged
		}
		return ErrNotDead
	})
}

// again parts the id of a message that is sent once more: "id:again:n".
const again = ":again:"

// Resend sends once more what was sent.
func (k *Keeper) Resend(ctx context.Context, who identity.Caller, id string) (Notification, error) {
	if !who.May(identity.NotificationsResend) {
		return Notification{}, ErrForbidden
	}
	id, _, _ = strings.Cut(id, again)
	if id == "" || len(id) > longestID {
		return Notification{}, ErrNotFound
	}
	first, err := k.docs.Get(ctx, id)
	if err != nil {
		return Notification{}, operated(err)
	}
	stored := true // the last one is, which may still be on its way
	if first.Again > 0 {
		last, err := k.docs.Get(ctx, againID(id, first.Again))
		if err == nil && last.Status == Queued {
			return last.view(), nil
		}
		if stored = err == nil; !stored && !errors.Is(err, docstore.ErrNotFound) {
			return Notification{}, err
		}
	}
	if before := first.Again; stored {
		first, err = k.docs.Update(ctx, id, func(d *document) error {
			switch d.Status {
			case Sent, Delivered, Undelivered:
				if d.Again != before { // somebody else does it at this moment
					return docstore.Unchanged
				}
				d.Again++
				return nil
			}
			return ErrNotSent
		})
		if err != nil {
			return Notification{}, operated(err)
		}
	}
	d := newDocument(againID(id, first.Again), first.Subject, first.Kind, first.Channel, first.Ref, k.domain, k.now())
	d.Refund, d.Country = first.Refund, first.Country
	if err := k.insert(ctx, d); err != nil {
		return Notification{}, err
	}
	next, err := k.docs.Get(ctx, d.ID) // whoever stored it
	return next.view(), err
}

func againID(id string, n int) string { return fmt.Sprintf("%s%s%d", id, again, n) }

// operate changes a message at somebody's wish.
func (k *Keeper) operate(ctx context.Context, id string, change func(*document) error) (Notification, error) {
	if id == "" || len(id) > longestID {
		return Notification{}, ErrNotFound
	}
	d, err := k.docs.Update(ctx, id, change)
	if err != nil {
		return Notification{}, operated(err)
	}
	k.changed(&d)
	return d.view(), nil
}

func operated(err error) error {
	if errors.Is(err, docstore.ErrNotFound) {
		return ErrNotFound
	}
	return err
}
