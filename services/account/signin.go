package account

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// SignIn begins a session.
func (k *Keeper) SignIn(ctx context.Context, _ identity.Caller, in SignInInput) (Tokens, error) {
	_, login, err := parseEmail(in.Email)
	if err != nil {
		// An address that nobody can have is treated as one that nobody has.
		login = strings.ToLower(in.Email[:min(len(in.Email), maxEmail)])
	}
	doc, _, err := k.byLogin(ctx, login)
	if err != nil {
		return Tokens{}, err
	}
	password := tidyPassword(in.Password)
	if err := k.prove(ctx, login, in.Source, doc.Hash, password); err != nil {
		return Tokens{}, err
	}
	k.strengthen(ctx, &doc, k.queueOf(in.Source), password)
	tokens, err := k.begin(ctx, &doc, in.Device)
	if err == nil {
		k.counts.signIns.Add(1)
	}
	return tokens, err
}

// strengthen hashes the password anew where the cost has been changed. It is
// tried again at the next sign-in if it does not succeed now.
func (k *Keeper) strengthen(ctx context.Context, doc *accountDoc, queue, password string) {
	old := doc.Hash
	if cost, err := bcrypt.Cost([]byte(old)); err != nil || cost == k.o.Cost {
		return
	}
	hash, err := k.hasher.hash(ctx, queue, password)
	if err == nil {
		_, err = k.accounts.Update(ctx, doc.ID, func(d *accountDoc) error {
			if d.Hash != old {
				return docstore.Unchanged
			}
			d.Hash = hash
			return nil
		})
	}
	if err != nil {
		k.o.Log.WarnContext(ctx, "a password could not be hashed at the new cost; it keeps the old one", "account", doc.ID, "error", err)
	}
}

// begin begins a session of the account as it was when the password was shown.
func (k *Keeper) begin(ctx context.Context, doc *accountDoc, device string) (Tokens, error) {
	now := k.now()
	s := sessionDoc{
		Meta: docstore.Meta{ID: rand.Text()}, Account: doc.ID, Live: doc.ID, Epoch: doc.Epoch,
		Device: deviceName(device), CreatedAt: now, RotatedAt: now,
	}
	s.use(now)
	secret := random(secretSize)
	s.Current = hashOf(secret)
	if err := k.sessions.Insert(ctx, &s); err != nil {
		return Tokens{}, err
	}
	// Who ended all sessions before this one was there has not seen it.
	after, err := k.account(ctx, doc.ID)
	if err == nil && (after.Epoch != doc.Epoch || after.Hash == "") {
		err = ErrCredentials
	}
	if err != nil {
		if endErr := k.end(ctx, s.ID); endErr != nil {
			err = errors.Join(err, endErr)
		}
		if errors.Is(err, ErrNotFound) {
			err = ErrCredentials
		}
		return Tokens{}, err
	}
	if err := k.makeRoom(ctx, doc.ID); err != nil {
		k.o.Log.WarnContext(ctx, "an account has more sessions than it should", "account", doc.ID, "error", err)
	}
	return k.tokens(ctx, &s, &after, secret)
}

// makeRoom ends the oldest sessions of an account that has too many.
func (k *Keeper) makeRoom(ctx context.Context, account string) error {
	all, err := k.live(ctx, account)
	if err != nil || len(all) <= MaxSessions {
		return err
	}
	for _, s := range all[:len(all)-MaxSessions] {
		if err := k.end(ctx, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// live are the account's sessions that have not ended, oldest first. Those
// that have run out count no more.
func (k *Keeper) live(ctx context.Context, account string) ([]sessionDoc, error) {
	var all []sessionDoc
	for s, err := range k.sessions.All(ctx, docstore.Query{Index: "live", Equal: []any{account}}) {
		if err != nil {
			return nil, err
		}
		if !s.over(k.now()) {
			all = append(all, s)
		}
	}
	return all, nil
}

// isStaff reports whether the roles are more than a customer's.
func isStaff(roles []identity.Role) bool {
	return slices.ContainsFunc(roles, func(r identity.Role) bool { return r != identity.Customer })
}
