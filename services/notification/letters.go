package notification

import (
	"context"
	"errors"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Letters are the messages that were given up, as dead letters.
func (k *Keeper) Letters() deadletter.Letters { return letters{k} }

type letters struct{ k *Keeper }

// letterOf is the message as a dead letter.
func letterOf(d *document) deadletter.Letter {
	l := deadletter.Letter{
		ID: deadletter.ID("notification", deadletter.Message, d.ID), Service: "notification", Kind: deadletter.Message,
		Key: d.Subject, Type: string(d.Kind), Listener: string(d.Channel),
	}
	for _, a := range d.Attempts {
		l.Attempts = append(l.Attempts, deadletter.Attempt{At: a.At, Outcome: a.Outcome})
	}
	if d.DeadAt != nil {
		l.DeadAt = *d.DeadAt
	}
	return l
}

// List is deadletter.Letters'.
func (l letters) List(ctx context.Context, who identity.Caller, q deadletter.Query) (deadletter.Page, error) {
	if err := deadletter.MayRead(who); err != nil {
		return deadletter.Page{}, err
	}
	find := docstore.Query{Index: "dead", After: docstore.Cursor(q.After), Limit: q.LimitOr()}
	found, err := l.k.docs.Find(ctx, find)
	if errors.Is(err, docstore.ErrCursor) {
		return deadletter.Page{}, deadletter.ErrCursor.Field("after")
	}
	if err != nil {
		return deadletter.Page{}, err
	}
	page := deadletter.Page{HasMore: found.Next != ""}
	for i := range found.Items {
		cursor, err := l.k.docs.CursorAt(find, &found.Items[i])
		if err != nil {
			return deadletter.Page{}, err
		}
		page.Letters, page.Cursors = append(page.Letters, letterOf(&found.Items[i])), append(page.Cursors, string(cursor))
	}
	return page, nil
}

// Get is deadletter.Letters'.
func (l letters) Get(ctx context.Context, who identity.Caller, id string) (deadletter.Letter, error) {
	if err := deadletter.MayRead(who); err != nil {
		return deadletter.Letter{}, err
	}
	key := deadletter.Parts(id, "notification", deadletter.Message)
	if len(key) != 1 {
		return deadletter.Letter{}, deadletter.ErrNotFound
	}
	d, err := l.k.docs.Get(ctx, key[0])
	switch {
	case errors.Is(err, docstore.ErrNotFound), err == nil && d.Status != Dead:
		return deadletter.Letter{}, deadletter.ErrNotFound
	case err != nil:
		return deadletter.Letter{}, err
	}
	return letterOf(&d), nil
}

// Replay is deadletter.Letters'.
func (l letters) Replay(ctx context.Context, who identity.Caller, id string) error {
	return operateOn(ctx, who, id, l.k.Replay)
}

// Drop is deadletter.Letters'.
func (l letters) Drop(ctx context.Context, who identity.Caller, id string) error {
	return operateOn(ctx, who, id, l.k.Drop)
}

// About is deadletter.Letters'. Messages are no facts.
func (letters) About(_ context.Context, who identity.Caller, _ string) (deadletter.Report, error) {
	return deadletter.Report{}, deadletter.MayRead(who)
}

func operateOn(ctx context.Context, who identity.Caller, id string, do func(context.Context, identity.Caller, string) (Notification, error)) error {
	if err := deadletter.MayWrite(who); err != nil {
		return err
	}
	key := deadletter.Parts(id, "notification", deadletter.Message)
	if len(key) != 1 {
		return deadletter.ErrNotFound
	}
	_, err := do(ctx, who, key[0])
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotDead) {
		return deadletter.ErrNotFound
	}
	return err
}
