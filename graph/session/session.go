// Package session tells the gateway who its clients are, and when they no
// longer are.
//
// An access token is believed for what is signed in it, without a call. Its
// session is watched as long as the token lives: when the customer signs out
// elsewhere, or an operator ends the session, requests with the token are
// refused and open connections are closed, whatever process they are at.
package session

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"ordergraph/graph/transport"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/platform/token"
	"ordergraph/services/account"
)

// ErrForeign is a request that a page of another origin made with our
// customer's cookie.
var ErrForeign = fault.New(fault.PermissionDenied, "session.foreign", "Pages of this origin may not act for a customer who is signed in by cookie.")

// Options of a Keeper. Accounts and Hub must be set.
type Options struct {
	Accounts account.Service
	Hub      *live.Hub
	Verifier *token.Verifier
	Cookies  Cookies
	Origins  []string // besides our own, whose pages may use the cookie: "https://shop.example"
	Log      *slog.Logger
}

// A Keeper recognises clients.
type Keeper struct {
	o      Options
	topic  live.Topic[struct{}]
	csrf   *http.CrossOriginProtection
	ctx    context.Context // of what is watched
	cancel context.CancelFunc

	mu      sync.Mutex
	watched map[string]*watched // by session
}

var _ transport.Sessions = (*Keeper)(nil)

// watched is a session whose end is noticed.
type watched struct {
	until     time.Time // when its last token ends
	ended     bool
	followers map[*follower]struct{}
	stop      context.CancelFunc
}

// A follower is an open connection of the session.
type follower struct {
	once  sync.Once
	end   func()
	timer *time.Timer // until the token ends that it showed
}

// New is a Keeper. Close it.
func New(o Options) (*Keeper, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{o: o, csrf: http.NewCrossOriginProtection(), watched: map[string]*watched{}}
	for _, origin := range o.Origins {
		if origin == "*" {
			continue // any page may ask, but none with our customer's cookie
		}
		if err := k.csrf.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust %s: %w", origin, err)
		}
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.topic = live.NewTopic[struct{}](o.Hub, account.LiveTopic, k.versions)
	return k, nil
}

// Close ends all watching.
func (k *Keeper) Close() error {
	k.cancel()
	return nil
}

// The version of a session: it lives, or it has ended.
const (
	lives = 1
	over  = 2
)

// versions asks which sessions have ended.
func (k *Keeper) versions(ctx context.Context, ids []string) (map[string]int64, error) {
	gone, err := k.o.Accounts.EndedSessions(ctx, identity.Ourselves(), ids)
	if err != nil {
		return nil, err
	}
	versions := make(map[string]int64, len(ids))
	for _, id := range ids {
		versions[id] = lives
	}
	for _, id := range gone {
		versions[id] = over
	}
	return versions, nil
}

// Open says who shows the token, or the cookie where there is none.
func (k *Keeper) Open(ctx context.Context, r *http.Request, shown string) (identity.Session, error) {
	if shown == "" {
		shown = k.o.Cookies.access(r)
		if shown != "" || k.o.Cookies.Refresh(r) != "" {
			if err := k.csrf.Check(r); err != nil {
				return identity.Session{}, fmt.Errorf("%w (%v)", ErrForeign, err)
			}
		}
		if shown == "" {
			return identity.Session{}, nil
		}
	}
	session, err := k.o.Verifier.Verify(ctx, shown)
	if err != nil {
		return identity.Session{}, err
	}
	if err := k.watch(ctx, session); err != nil {
		return identity.Session{}, err
	}
	return session, nil
}

// watch notices the end of the session from now on, and says whether it has
// ended already. Where that cannot be asked now the token is believed: it is
// signed, and does not live long.
func (k *Keeper) watch(ctx context.Context, session identity.Session) error {
	k.mu.Lock()
	if w := k.watched[session.ID]; w != nil {
		if session.Expires.After(w.until) {
			w.until = session.Expires // of a newer token of the same session
		}
		k.mu.Unlock()
		return nil
	}
	watching, stop := context.WithCancel(k.ctx)
	w := &watched{until: session.Expires, followers: map[*follower]struct{}{}, stop: stop}
	k.watched[session.ID] = w
	k.mu.Unlock()

	_, err := k.topic.Watch(watching, live.Watch[struct{}]{
		Key: session.ID, After: lives,
		Load: func(ctx context.Context) (struct{}, int64, error) {
			versions, err := k.versions(ctx, []string{session.ID})
			return struct{}{}, versions[session.ID], err
		},
		Fire: func() { // nothing newer than `lives` is ever delivered but the end
			if watching.Err() == nil {
				k.over(session.ID, w)
			}
		},
		Fail: func(error) { k.forget(session.ID, w) }, // the next request watches it again
	})
	if err != nil {
		k.forget(session.ID, w)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k.o.Log.WarnContext(ctx, "a session is believed without being watched", "error", err)
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if w.ended {
		return token.ErrEnded
	}
	time.AfterFunc(time.Until(w.until), func() { k.expire(session.ID, w) })
	return nil
}

// expire stops watching when the last token of the session has ended.
func (k *Keeper) expire(id string, w *watched) {
	k.mu.Lock()
	wait := time.Until(w.until)
	k.mu.Unlock()
	if wait > 0 && k.ctx.Err() == nil {
		time.AfterFunc(wait, func() { k.expire(id, w) })
		return
	}
	k.forget(id, w)
}

// forget stops watching the session. Its followers stay until their tokens end.
func (k *Keeper) forget(id string, w *watched) {
	w.stop()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.watched[id] == w {
		delete(k.watched, id)
	}
}

// over is told that the session has ended: nobody is believed any more who
// shows a token of it, and its connections are closed.
func (k *Keeper) over(id string, w *watched) {
	k.o.Verifier.End(id)
	k.mu.Lock()
	followers := w.followers
	w.ended, w.followers = true, nil
	k.mu.Unlock()
	k.forget(id, w)
	for f := range followers {
		f.fire()
	}
}

// Follow calls end when the token that was shown ends, or its session.
func (k *Keeper) Follow(session identity.Session, end func()) (stop func()) {
	if session.ID == "" {
		return func() {}
	}
	f := &follower{end: end}
	f.timer = time.AfterFunc(time.Until(session.Expires), f.fire)
	k.mu.Lock()
	w := k.watched[session.ID]
	ended := w != nil && w.ended
	if w != nil && !ended {
		w.followers[f] = struct{}{}
	}
	k.mu.Unlock()
	if ended {
		f.fire()
	}
	return func() {
		f.once.Do(func() {})
		f.timer.Stop()
		if w == nil {
			return
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(w.followers, f)
	}
}

func (f *follower) fire() {
	f.once.Do(func() {
		f.timer.Stop()
		f.end()
	})
}
