package token

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

// What Verify answers instead of a session.
var (
	ErrInvalid = fault.New(fault.Unauthenticated, "token.invalid", "This access token is not good. Please sign in again.")
	ErrExpired = fault.New(fault.Unauthenticated, "token.expired", "This access token has expired. Refresh it.")
	ErrEnded   = fault.New(fault.Unauthenticated, "token.ended", "This session has ended. Please sign in again.")
	// ErrNoKeys is a token that nobody can judge yet, for the keys have not come.
	ErrNoKeys = fault.New(fault.Unavailable, "token.no_keys", "Sign-ins cannot be checked right now. Please try again.")
)

const (
	maxToken    = 4096             // bytes
	mayBeAhead  = time.Minute      // the issuer's clock
	fetchEvery  = 5 * time.Minute  // keys, in the background
	lookAgain   = 10 * time.Second // at least, between two looks for an unknown key
	fetchWithin = 5 * time.Second
	firstPause  = 100 * time.Millisecond // after a fetch that failed; doubled up to lastPause
	lastPause   = 30 * time.Second
	remembered  = 8_192  // verified tokens
	endedKept   = 65_536 // sessions
)

// VerifierOptions are what a Verifier needs.
type VerifierOptions struct {
	Issuer   string
	Audience string
	Keys     func(context.Context) ([]Key, error) // where the keys are published
	Now      func() time.Time                     // nil: time.Now
	Log      *slog.Logger                         // nil: silent
}

// A Verifier believes what is signed by the published keys, and nothing else.
// It asks for the keys in the background, and for a key it does not know, but
// not more often than every ten seconds however many such tokens come.
//
// Verified tokens are remembered, by their hash, so that a client's later
// requests cost no signature check.
type Verifier struct {
	o      VerifierOptions
	parser *jwt.Parser
	keys   atomic.Pointer[map[string]ed25519.PublicKey] // by id; nil: never fetched

	mu       sync.Mutex
	verified recent[[sha256.Size]byte, verdict]
	ended    recent[string, struct{}]
	looking  chan struct{} // closed when the look under way is over; nil: none
	nextLook time.Time
}

// A verdict is what was found out about a token.
type verdict struct {
	session identity.Session
	keyID   string
}

// NewVerifier makes a verifier. It fetches the keys when Run is called or the
// first token comes.
func NewVerifier(o VerifierOptions) *Verifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Verifier{
		o: o,
		parser: jwt.NewParser(
			// The algorithm is ours to choose, and not the token's.
			jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
			jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience),
			jwt.WithExpirationRequired(), jwt.WithTimeFunc(o.Now), jwt.WithStrictDecoding(),
		),
		verified: recent[[sha256.Size]byte, verdict]{most: remembered},
		ended:    recent[string, struct{}]{most: endedKept},
	}
}

// Run keeps the keys fresh until ctx ends.
func (v *Verifier) Run(ctx context.Context) error {
	failed := 0
	for ctx.Err() == nil {
		wait := work.Spread(fetchEvery)
		if err := v.fetch(ctx); err != nil && ctx.Err() == nil {
			wait = work.BackOff(firstPause, lastPause, failed)
			failed++
			v.o.Log.WarnContext(ctx, "the keys of access tokens could not be fetched; those known stay in use", "error", err, "again", wait)
		} else {
			failed = 0
		}
		work.Pause(ctx, wait)
	}
	return nil
}

// Verify says who shows the token. ErrInvalid, ErrExpired, ErrEnded; ErrNoKeys
// while the keys have never been fetched.
func (v *Verifier) Verify(ctx context.Context, raw string) (identity.Session, error) {
	if raw == "" || len(raw) > maxToken {
		return identity.Session{}, ErrInvalid
	}
	sum := sha256.Sum256([]byte(raw))
	v.mu.Lock()
	known, ok := v.verified.get(sum)
	v.mu.Unlock()
	if !ok || !v.has(known.keyID) {
		var err error
		if known, err = v.judge(ctx, raw); err != nil {
			return identity.Session{}, err
		}
	}
	if !v.o.Now().Before(known.session.Expires) {
		return identity.Session{}, ErrExpired
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ended := v.ended.get(known.session.ID); ended {
		return identity.Session{}, ErrEnded
	}
	if !ok {
		v.verified.put(sum, known)
	}
	session := known.session
	session.Caller.Roles = slices.Clone(session.Caller.Roles) // the caller's to keep
	return session, nil
}

// End has tokens of the session refused from now on. Of the sessions that
// ended, the last 65,536 are remembered: more than end while a token lives.
func (v *Verifier) End(sessionID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended.put(sessionID, struct{}{})
}

var errUnknownKey = errors.New("unknown key")

// judge reads a token that was not seen before.
func (v *Verifier) judge(ctx context.Context, raw string) (verdict, error) {
	got, err := v.parse(raw)
	if errors.Is(err, errUnknownKey) && v.look(ctx) {
		got, err = v.parse(raw)
	}
	switch {
	case err == nil:
		return got, nil
	case errors.Is(err, errUnknownKey) && v.keys.Load() == nil:
		return verdict{}, ErrNoKeys
	case errors.Is(err, jwt.ErrTokenExpired):
		return verdict{}, ErrExpired
	}
	return verdict{}, fmt.Errorf("%w (%v)", ErrInvalid, err)
}

func (v *Verifier) parse(raw string) (got verdict, err error) {
	var c claims
	_, err = v.parser.ParseWithClaims(raw, &c, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != header {
			return nil, errors.New("not an access token")
		}
		if _, critical := t.Header["crit"]; critical {
			return nil, errors.New("an extension that must be understood")
		}
		id, _ := t.Header["kid"].(string)
		keys := v.keys.Load()
		if keys == nil {
			return nil, errUnknownKey
		}
		key, ok := (*keys)[id]
		if !ok {
			return nil, errUnknownKey
		}
		got.keyID = id
		return key, nil
	})
	switch {
	case err != nil:
		return verdict{}, err
	case c.Subject == "" || c.Session == "" || c.IssuedAt == nil:
		return verdict{}, errors.New("a claim is missing")
	case c.IssuedAt.After(v.o.Now().Add(mayBeAhead)):
		return verdict{}, errors.New("issued in the future")
	case slices.ContainsFunc(c.Roles, func(r identity.Role) bool { return !r.IsAssignable() }):
		return verdict{}, errors.New("a role that nobody can hold")
	}
	got.session = identity.Session{
		Caller: identity.Caller{CustomerID: c.Subject, Roles: c.Roles}, ID: c.Session, Expires: c.ExpiresAt.Time,
	}
	return got, nil
}

func (v *Verifier) has(keyID string) bool {
	keys := v.keys.Load()
	if keys == nil {
		return false
	}
	_, ok := (*keys)[keyID]
	return ok
}

// look fetches the keys for the sake of one that is not known, unless that was
// done just now. All who look at once share one fetch.
func (v *Verifier) look(ctx context.Context) bool {
	v.mu.Lock()
	done := v.looking
	if done == nil {
		now := v.o.Now()
		if now.Before(v.nextLook) {
			v.mu.Unlock()
			return false
		}
		v.nextLook = now.Add(lookAgain)
		done = make(chan struct{})
		v.looking = done
		go func() {
			if err := v.fetch(context.WithoutCancel(ctx)); err != nil {
				v.o.Log.WarnContext(ctx, "the keys of access tokens could not be fetched for one that is not known", "error", err)
			}
			v.mu.Lock()
			v.looking = nil
			v.mu.Unlock()
			close(done)
		}()
	}
	v.mu.Unlock()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

func (v *Verifier) fetch(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	published, err := v.o.Keys(ctx)
	if err != nil {
		return err
	}
	keys := make(map[string]ed25519.PublicKey, len(published))
	for _, k := range published {
		public, err := k.public()
		if err != nil {
			return err
		}
		keys[k.ID] = public
	}
	if len(keys) == 0 {
		return errors.New("no keys are published")
	}
	v.keys.Store(&keys)
	return nil
}

// recent is a map that keeps the latest entries only.
type recent[K comparable, V any] struct {
	most   int
	values map[K]V
	order  []K // a ring: the oldest is at next once it is full
	next   int
}

func (r *recent[K, V]) get(k K) (V, bool) {
	v, ok := r.values[k]
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	if r.values == nil {
		r.values = make(map[K]V)
	}
	if _, there := r.values[k]; there {
		r.values[k] = v
		return
	}
	if len(r.order) < r.most {
		r.order = append(r.order, k)
	} else {
		delete(r.values, r.order[r.next])
		r.order[r.next] = k
		r.next = (r.next + 1) % r.most
	}
	r.values[k] = v
}
