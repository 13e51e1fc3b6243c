package notification

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

const pageSize = 100

// List returns the messages about a subject.
func (k *Keeper) List(ctx context.Context, who identity.Caller, subject string) ([]Notification, error) {
	if !who.May(identity.NotificationsRead) {
		return nil, ErrForbidden
	}
	if what, id, ok := strings.Cut(subject, ":"); !ok || what != "order" && what != "account" || id == "" || len(id) > 100 {
		return nil, ErrInput.Field("subject").Say("A subject is order: or account:, and the id.")
	}
	page, err := k.docs.Find(ctx, docstore.Query{Index: "subject", Equal: []any{subject}, Reverse: true, Limit: pageSize})
	if err != nil {
		return nil, err
	}
	all := views(page.Items)
	slices.Reverse(all)
	return all, nil
}

// Dead returns the messages that were given up.
func (k *Keeper) Dead(ctx context.Context, who identity.Caller, after string) (Page, error) {
	if !who.May(identity.OperationsRead) {
		return Page{}, ErrForbidden
	}
	page, err := k.docs.Find(ctx, docstore.Query{Index: "dead", After: docstore.Cursor(after), Limit: pageSize})
	if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) && after != "" {
		return Page{}, ErrCursor.Field("after")
	}
	if err != nil {
		return Page{}, err
	}
	return Page{Notifications: views(page.Items), Next: string(page.Next)}, nil
}

// Replay tries a dead message again.
func (k *Keeper) Replay(ctx context.Context, who identity.Caller, id string) (Notification, error) {
	if !who.May(identity.OperationsWrite) && !who.May(identity.NotificationsResend) {
		return Notification{}, ErrForbidden
	}
	if id == "" || len(id) > 200 {
		return Notification{}, ErrNotFound
	}
	d, err := k.docs.Update(ctx, id, func(d *document) error {
		switch d.Status {
		case Dead:
			d.requeue(k.now())
			return nil
		case Queued:
			return docstore.Unchanged
		}
		return ErrNotDead
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return Notification{}, ErrNotFound
	}
	if err != nil {
		return Notification{}, err
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return d.view(), nil
}

func views(docs []document) []Notification {
	all := make([]Notification, len(docs))
	for i := range docs {
		all[i] = docs[i].view()
	}
	return all
}
