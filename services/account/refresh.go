package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/token"
)

// A refresh token is "<session>.<secret><mark>". The secret is 256 bits; only
// its hash is kept. The mark is a MAC that shows the token to be one of ours,
// however old: so a session is ended by a token of its that was used before,
// and not by what somebody made up who knows the session's id.
//
// Each secret but the first is a MAC of a new salt under the one before. So
// who shows the former secret again within the grace, because the answer got
// lost or two of its windows asked at once, is told the same successor, and
// the line of tokens never forks; and the database alone does not know it.
const (
	secretSize = 32
	markSize   = 16
)

func hashOf(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}

func successor(secret, salt []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(salt)
	return h.Sum(nil)
}

func (k *Keeper) mark(session string, secret []byte) []byte {
	return mac(k.secrets.refresh, session, string(secret))[:markSize]
}

// refreshToken writes a refresh token.
func (k *Keeper) refreshToken(session string, secret []byte) string {
	return session + "." + encode(append(secret[:secretSize:secretSize], k.mark(session, secret)...))
}

// readRefresh takes a refresh token apart. ours is false for one that was made
// up, or made under another key secret.
func (k *Keeper) readRefresh(refresh string) (session string, secret []byte, ours bool, err error) {
	if len(refresh) > 256 {
		return "", nil, false, ErrRefresh
	}
	session, rest, _ := strings.Cut(refresh, ".")
	raw, err := decode(rest)
	if err != nil || session == "" || len(raw) != secretSize+markSize {
		return "", nil, false, ErrRefresh
	}
	secret = raw[:secretSize]
	return session, secret, hmac.Equal(raw[secretSize:], k.mark(session, secret)), nil
}

// Refresh exchanges the refresh token for the next tokens of its session.
func (k *Keeper) Refresh(ctx context.Context, _ identity.Caller, refresh string) (Tokens, error) {
	id, secret, ours, err := k.readRefresh(refresh)
	if err != nil {
		return Tokens{}, err
	}
	s, err := k.sessions.Get(ctx, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return Tokens{}, ErrRefresh
	}
	if err != nil {
		return Tokens{}, err
	}
	doc, err := k.account(ctx, s.Account)
	if errors.Is(err, ErrNotFound) {
		return Tokens{}, ErrRefresh
	}
	if err != nil {
		return Tokens{}, err
	}
	hash := hashOf(secret)
	var next []byte
	reused := false
	s, err = k.sessions.Update(ctx, id, func(s *sessionDoc) error {
		now := k.now()
		next, reused = nil, false
		switch {
		case s.over(now) || !s.belongs(&doc):
			return ErrRefresh
		case same(hash, s.Current):
			salt := random(secretSize)
			next = successor(secret, salt)
			s.Previous, s.Current, s.Salt, s.RotatedAt = s.Current, hashOf(next), salt, now
			s.use(now)
			return nil
		case same(hash, s.Previous) && now.Sub(s.RotatedAt) <= RefreshGrace:
			next = successor(secret, s.Salt)
			return docstore.Unchanged
		case ours || same(hash, s.Previous):
			reused = true
			s.end(now)
			return nil
		}
		return ErrRefresh
	})
	switch {
	case errors.Is(err, docstore.ErrNotFound):
		return Tokens{}, ErrRefresh
	case err != nil:
		return Tokens{}, err
	case reused:
		k.counts.reused.Add(1)
		k.rangEnd(&s)
		k.o.Log.WarnContext(ctx, "a refresh token came for the second time; its session was ended", "account", s.Account, "session", s.ID)
		return Tokens{}, ErrRefresh
	}
	return k.tokens(ctx, &s, &doc, next)
}

func same(a, b []byte) bool { return len(b) > 0 && subtle.ConstantTimeCompare(a, b) == 1 }

// tokens writes the session's tokens.
func (k *Keeper) tokens(ctx context.Context, s *sessionDoc, doc *accountDoc, secret []byte) (Tokens, error) {
	signer, err := k.signer(ctx)
	if err != nil {
		return Tokens{}, err
	}
	now := k.now()
	expires := now.Add(AccessFor)
	if s.Expires.Before(expires) {
		expires = s.Expires
	}
	// A JWT knows seconds only.
	expires = expires.Truncate(1e9)
	access, err := signer.Sign(token.Claims{
		ID: rand.Text(), Account: doc.ID, SessionID: s.ID, Roles: doc.Roles, IssuedAt: now, Expires: expires,
	})
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		Access: access, AccessExpires: expires, Refresh: k.refreshToken(s.ID, secret), RefreshExpires: s.Expires,
		SessionID: s.ID, Customer: doc.customer(),
	}, nil
}
