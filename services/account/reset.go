package account

import (
	"context"
	"errors"
	"time"

	"ordergraph/platform/identity"
)

// ChangePassword changes the caller's own password.
func (k *Keeper) ChangePassword(ctx context.Context, who identity.Caller, in ChangePasswordInput) error {
	if who.CustomerID == "" {
		return ErrSignIn
	}
	doc, err := k.account(ctx, who.CustomerID)
	if err != nil {
		return err
	}
	if err := checkPassword(in.Password, doc.Email, doc.Profile.FirstName, doc.Profile.LastName); err != nil {
		return err
	}
	if err := k.prove(ctx, doc.Login, in.Source, doc.Hash, tidyPassword(in.Current)); err != nil {
		return err
	}
	hash, err := k.hasher.hash(ctx, k.queueOf(in.Source), tidyPassword(in.Password))
	if err != nil {
		return err
	}
	was, keep := doc.Hash, in.SessionID
	if len(keep) > maxID {
		keep = ""
	}
	doc, err = k.change(ctx, doc.ID, func(d *accountDoc, now time.Time) error {
		if d.Hash != was {
			return ErrCredentials // changed meanwhile: what was shown is no longer the password
		}
		d.setPassword(hash, now, keep)
		k.mustMail(d, now, MailPasswordChanged, nil)
		return nil
	})
	if err != nil {
		return err
	}
	return k.settle(ctx, &doc)
}

// setPassword puts a password in place. What was begun under the old one ends.
func (d *accountDoc) setPassword(hash string, now time.Time, keep string) {
	d.Hash = hash
	d.Links = nil
	d.endSessions(now, keep)
}

// RequestReset has a link mailed that sets a new password.
func (k *Keeper) RequestReset(ctx context.Context, _ identity.Caller, email string) error {
	return k.request(ctx, email, func(d *accountDoc, now time.Time) error {
		return k.resetBy(d, now, MailReset, ResetFor)
	})
}

// resetBy has a link mailed that sets a password, unless there was enough mail.
func (k *Keeper) resetBy(d *accountDoc, now time.Time, kind MailKind, good time.Duration) error {
	if err := d.mayMail(now, kind); err != nil {
		return err
	}
	l := d.addLink(link{Purpose: resetting}, now, good)
	return k.mail(d, now, kind, &l)
}

// Reset sets a password by a mailed link. Who reads the account's mail is its
// owner, whoever registered it.
func (k *Keeper) Reset(ctx context.Context, _ identity.Caller, in ResetInput) error {
	id, linkID, err := k.readToken(resetting, in.Token)
	if err != nil {
		return err
	}
	doc, err := k.account(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return ErrLink
	}
	if err != nil {
		return err
	}
	doc.prune(k.now())
	if doc.link(linkID) == nil {
		return ErrLink
	}
	if err := checkPassword(in.Password, doc.Email, doc.Profile.FirstName, doc.Profile.LastName); err != nil {
		return err
	}
	hash, err := k.hasher.hash(ctx, k.queueOf(in.Source), tidyPassword(in.Password))
	if err != nil {
		return err
	}
	doc, err = k.change(ctx, id, func(d *accountDoc, now time.Time) error {
		if d.link(linkID) == nil {
			return ErrLink
		}
		d.setPassword(hash, now, "")
		d.Verified, d.Registered = true, 0
		k.mustMail(d, now, MailPasswordChanged, nil)
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return ErrLink
	}
	if err != nil {
		return err
	}
	if err := k.welcome(ctx, doc.Login, k.sourceOf(in.Source)); err != nil {
		k.o.Log.WarnContext(ctx, "the source of a reset could not be noted", "account", doc.ID, "error", err)
	}
	return k.settle(ctx, &doc)
}
