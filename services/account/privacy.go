package account

import (
	"context"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Export returns all that is kept about somebody here.
func (k *Keeper) Export(ctx context.Context, who identity.Caller, id string) (Export, error) {
	id, err := own(who, id, true)
	if err != nil {
		return Export{}, err
	}
	doc, err := k.account(ctx, id)
	if err != nil {
		return Export{}, err
	}
	if err := mayTouch(who, &doc); err != nil {
		return Export{}, err
	}
	sessions, err := k.sessionsOf(ctx, &doc)
	if err != nil {
		return Export{}, err
	}
	out := Export{Customer: doc.customer(), Sessions: sessions}
	for _, m := range doc.Mails {
		out.Mails = append(out.Mails, MailNote{Kind: m.Kind, At: m.At})
	}
	return out, nil
}

// Erase forgets somebody.
func (k *Keeper) Erase(ctx context.Context, who identity.Caller, in EraseInput) error {
	id, err := own(who, in.CustomerID, true)
	if err != nil {
		return err
	}
	if len(id) > maxID {
		return ErrNotFound
	}
	doc, err := k.accounts.Get(ctx, id)
	if err != nil {
		return orNotFound(err)
	}
	if err := mayTouch(who, &doc); err != nil {
		return err
	}
	if doc.ErasedAt == nil && id == who.CustomerID {
		if err := k.prove(ctx, doc.Login, in.Source, doc.Hash, tidyPassword(in.Password)); err != nil {
			return err
		}
	}
	login := ""
	doc, err = k.accounts.Update(ctx, id, func(d *accountDoc) error {
		if d.ErasedAt != nil {
			return docstore.Unchanged
		}
		login = d.Login
		d.erase(k.now())
		k.fact(d, *d.ErasedAt, FactErased, Erased{CustomerID: d.ID})
		return nil
	})
	if err != nil {
		return orNotFound(err)
	}
	k.tell(&doc)
	if login != "" { // attempts at it are known by hashes only, and would run out by themselves
		if err := k.guards.Delete(ctx, k.guardOf(login), nil); err != nil {
			k.o.Log.WarnContext(ctx, "the attempts at an erased address stay until they run out", "account", id, "error", err)
		}
	}
	return k.settle(ctx, &doc)
}

// erase overwrites what is personal.
func (d *accountDoc) erase(now time.Time) {
	*d = accountDoc{
		Meta: d.Meta, Login: " " + d.ID, CreatedAt: d.CreatedAt, UpdatedAt: now, ErasedAt: &now,
		Roles: []identity.Role{}, Epoch: d.Epoch, Outbox: d.Outbox,
	}
	d.endSessions(now, "")
}
