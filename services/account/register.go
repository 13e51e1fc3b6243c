package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Register opens an account, or has its owner told that somebody tried to.
func (k *Keeper) Register(ctx context.Context, _ identity.Caller, in RegisterInput) error {
	email, login, err := parseEmail(in.Email)
	if err != nil {
		return err
	}
	p := profile{FirstName: in.FirstName, LastName: in.LastName, Phone: in.Phone, Locale: in.Locale}
	if err := p.tidy(); err != nil {
		return err
	}
	if err := checkPassword(in.Password, email, p.FirstName, p.LastName); err != nil {
		return err
	}
	now := k.now()
	if in.AcceptsMarketing {
		p.Marketing, p.MarketingAt = true, &now
	}
	// Whether the address has an account or not: one hash, one look, one write.
	hash, err := k.hasher.hash(ctx, k.queueOf(in.Source), tidyPassword(in.Password))
	if err != nil {
		return err
	}
	doc, found, err := k.byLogin(ctx, login)
	if err != nil {
		return err
	}
	if !found {
		doc = newAccount(email, login, p, []identity.Role{identity.Customer}, now)
		if err := k.registered(&doc, now, hash, p); err != nil {
			return err
		}
		err := k.accounts.Insert(ctx, &doc)
		if err == nil {
			k.tell(&doc)
			return nil
		}
		if !errors.Is(err, docstore.ErrDuplicate) {
			return err
		}
		// Somebody else registered the address at this moment.
		if doc, found, err = k.byLogin(ctx, login); err != nil || !found {
			return err
		}
	}
	return k.changeQuietly(ctx, &doc, func(d *accountDoc, now time.Time) error {
		if d.Verified {
			return k.mail(d, now, MailAlreadyRegistered, nil)
		}
		return k.registered(d, now, hash, p)
	})
}

// registered adds a registration to an account that is not verified.
func (k *Keeper) registered(d *accountDoc, now time.Time, hash string, p profile) error {
	if err := d.mayMail(now, MailVerify); err != nil {
		return err
	}
	d.Registered++
	l := d.addLink(link{Purpose: verifying, Hash: hash, Profile: &p}, now, VerifyFor)
	return k.mail(d, now, MailVerify, &l)
}

// RequestVerification has the link mailed once more.
func (k *Keeper) RequestVerification(ctx context.Context, _ identity.Caller, email string) error {
	return k.request(ctx, email, func(d *accountDoc, now time.Time) error {
		if d.Verified {
			return docstore.Unchanged
		}
		i := slices.IndexFunc(d.Links, func(l link) bool { return l.Purpose == verifying })
		if d.Registered != 1 || i < 0 {
			// Whose registration is meant cannot be known: who reads the
			// mail sets a new password.
			return k.resetBy(d, now, MailReset, ResetFor)
		}
		d.Links[i].Expires = now.Add(VerifyFor)
		return k.mail(d, now, MailVerify, &d.Links[i])
	})
}

// request changes the account of an address in a way that cannot be told from
// there being none.
func (k *Keeper) request(ctx context.Context, email string, change func(*accountDoc, time.Time) error) error {
	_, login, err := parseEmail(email)
	if err != nil {
		return err
	}
	doc, found, err := k.byLogin(ctx, login)
	if err != nil {
		return err
	}
	if !found {
		return k.decoy(ctx, login)
	}
	return k.changeQuietly(ctx, &doc, change)
}

// changeQuietly is change, except that a change which comes to nothing costs a
// write as well.
func (k *Keeper) changeQuietly(ctx context.Context, doc *accountDoc, change func(*accountDoc, time.Time) error) error {
	version := doc.Version
	changed, err := k.change(ctx, doc.ID, change)
	switch {
	case errors.Is(err, ErrNotFound): // erased at this moment
		return k.decoy(ctx, doc.Login)
	case err == nil && changed.Version == version:
		return k.decoy(ctx, doc.Login)
	}
	return err
}

// Verify makes the registration that asked for the link the account's.
func (k *Keeper) Verify(ctx context.Context, _ identity.Caller, oneTime string) error {
	id, linkID, err := k.readToken(verifying, oneTime)
	if err != nil {
		return err
	}
	_, err = k.change(ctx, id, func(d *accountDoc, _ time.Time) error {
		l := d.link(linkID)
		switch {
		case l == nil:
			return ErrLink
		case l.Used:
			return docstore.Unchanged
		}
		d.Verified, d.Registered, d.Hash, d.Profile = true, 0, l.Hash, *l.Profile
		used := *l
		used.Used, used.Hash, used.Profile = true, "", nil
		d.Links = []link{used}
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return ErrLink
	}
	return err
}

func newAccount(email, login string, p profile, roles []identity.Role, now time.Time) accountDoc {
	return accountDoc{
		Meta:  docstore.Meta{ID: uuid.Must(uuid.NewV7()).String()},
		Login: login, Email: email, Profile: p, Roles: roles, Staff: isStaff(roles), CreatedAt: now, UpdatedAt: now,
	}
}

// queueOf names the source in the queue for hashing.
func (k *Keeper) queueOf(address string) string {
	if s := k.sourceOf(address); s != sourceUnknown {
		return s
	}
	return ""
}
