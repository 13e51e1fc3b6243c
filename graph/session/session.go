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
	"errors"
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

var (
	// ErrForeign is a request that a page of another origin makes with our
	// customer's cookies.
	ErrForeign = fault.New(fault.PermissionDenied, "session.foreign", "Pages of this origin may not act for who is signed in here by cookie.")
	errAway    = fault.New(fault.Unavailable, "session.away", "Nobody can say at the moment whether this session has ended.")
)

// askWithin is how long the first request of a session waits to hear whether
// it has ended already. It is believed then, and asked about again later.
const askWithin = 2 * time.Second

// Options of a Keeper. Accounts, Hub and Verifier must be set.
type Options struct {
	Accounts account.Service
	Hub      *live.Hub // of which account.LiveTopic is the Keeper's alone
	Verifier *token.Verifier
	Cookies  Cookies
	Origins  []string // besides our own, whose pages may use the cookies: "https://shop.example"
	Log      *slog.Logger
}

// A Keeper recognises clients.
type Keeper struct {
	o      Options
	topic  live.Topic[struct{}]
	csrf   *http.CrossOriginProtection
	ctx    context.Context // of what is watched
	cancel context.CancelFunc

	asking sync.WaitGroup

	mu      sync.Mutex
	watched map[string]*watched // by session
}

var _ transport.Sessions = (*Keeper)(nil)

// watched is a session of which a token has been shown, until its last token
// has expired.
type watched struct {
	until     time.Time     // when that is
	known     chan struct{} // closed when it was found out whether it lives
	ended     bool
	followers map[*follower]struct{}
	forget    *time.Timer // at until
	stop      context.CancelFunc
}

// New is a Keeper. Close it.
func New(o Options) (*Keeper, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{o: o, csrf: http.NewCrossOriginProtection(), watched: map[string]*watched{}}
	for _, origin := range o.Origins {
		if origin == "*" {
			continue // any page may ask, but none with our customers' cookies
		}
		if err := k.csrf.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust %s: %w", origin, err)
		}
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.topic = live.NewTopic[struct{}](o.Hub, account.LiveTopic, k.versions)
	return k, nil
}

// Close ends all watching. Sessions that are followed end with their tokens
// from now on.
func (k *Keeper) Close() error {
	k.mu.Lock()
	k.cancel()
	for _, w := range k.watched {
		w.forget.Stop()
	}
	clear(k.watched)
	k.mu.Unlock()
	k.asking.Wait()
	return nil
}

// versions asks which sessions have ended.
func (k *Keeper) versions(ctx context.Context, ids []string) (map[string]int64, error) {
	gone, err := k.o.Accounts.EndedSessions(ctx, identity.Ourselves(), ids)
	if err != nil {
		return nil, err
	}
	versions := make(map[string]int64, len(ids))
	for _, id := range ids {
		versions[id] = account.SessionLives
	}
	for _, id := range gone {
		versions[id] = account.SessionOver
	}
	return versions, nil
}

// Open says who shows the token, or, where there is none, the cookie. A cookie
// that is no longer good shows nobody: browsers send it until it expires, and
// who signs in again must not be turned away for it.
func (k *Keeper) Open(ctx context.Context, r *http.Request, shown string) (identity.Session, error) {
	if err := k.ours(r); err != nil {
		return identity.Session{}, err
	}
	if shown != "" {
		return k.believe(ctx, shown)
	}
	if shown = k.o.Cookies.access(r); shown == "" {
		return identity.Session{}, nil
	}
	session, err := k.believe(ctx, shown)
	if err != nil && fault.KindOf(err) == fault.Unauthenticated {
		return identity.Session{}, nil
	}
	return session, err
}

// ours answers ErrForeign where our cookies come with the request of a page
// that is not ours. It makes no difference what the request asks for: sockets
// are opened by GET, too.
func (k *Keeper) ours(r *http.Request) error {
	if !k.o.Cookies.Sent(r) {
		return nil
	}
	if err := k.csrf.Check(&http.Request{Method: http.MethodPost, URL: r.URL, Host: r.Host, Header: r.Header}); err != nil {
		return fmt.Errorf("%w (%v)", ErrForeign, err)
	}
	return nil
}

func (k *Keeper) believe(ctx context.Context, shown string) (identity.Session, error) {
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
	w := k.watched[session.ID]
	if w == nil && k.ctx.Err() == nil {
		w = &watched{until: session.Expires, known: make(chan struct{}), followers: map[*follower]struct{}{}}
		w.forget = time.AfterFunc(time.Until(w.until), func() { k.expire(session.ID, w) })
		k.watched[session.ID] = w
		k.asking.Go(func() { k.begin(session.ID, w) }) //nolint:contextcheck // for all who show the session, not for the first alone
	} else if w != nil && session.Expires.After(w.until) { // a newer token of the same session
		w.until = session.Expires
	}
	k.mu.Unlock()
	if w == nil {
		return nil // there is no watching any more
	}
	select {
	case <-w.known:
	case <-ctx.Done():
		return ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if w.ended {
		return token.ErrEnded
	}
	return nil
}

// begin finds out whether the session lives, and watches it if so. It ends
// within askWithin, whatever becomes of the request that came first.
func (k *Keeper) begin(id string, w *watched) {
	defer close(w.known)
	asking, cancel := context.WithTimeout(k.ctx, askWithin)
	defer cancel()
	over, err := k.isOver(asking, id)
	if over {
		k.over(id, w)
		return
	}
	if err != nil && k.ctx.Err() == nil {
		k.o.Log.Warn("a session is believed, for nobody can say whether it has ended", "error", err)
	}
	watching, stop := context.WithCancel(k.ctx)
	asked := true // just now
	_, err = k.topic.Watch(watching, live.Watch[struct{}]{
		Key: id, After: account.SessionOver, // all that matters has happened in Load
		Load: func(ctx context.Context) (none struct{}, version int64, err error) {
			if asked { // by Watch itself, before anybody else
				asked = false
				return none, account.SessionLives, nil
			}
			over, err := k.isOver(ctx, id)
			switch {
			case err != nil:
				return none, 0, err
			case over:
				k.over(id, w)
				return none, account.SessionOver, nil
			}
			return none, account.SessionLives, nil
		},
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	w.stop = stop
	if err != nil || w.ended || k.watched[id] != w {
		stop()
	}
}

// isOver asks whether the session has ended. Its error is one that passes.
func (k *Keeper) isOver(ctx context.Context, id string) (over bool, err error) {
	defer func() { // nobody else would catch it
		if cause := recover(); cause != nil {
			over, err = false, fmt.Errorf("panic: %v: %w", cause, errAway)
		}
	}()
	versions, err := k.versions(ctx, []string{id})
	if err != nil {
		return false, errors.Join(errAway, err)
	}
	return versions[id] == account.SessionOver, nil
}

// expire forgets a session when its last token has ended.
func (k *Keeper) expire(id string, w *watched) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.watched[id] != w {
		return
	}
	if wait := time.Until(w.until); wait > 0 {
		w.forget.Reset(wait)
		return
	}
	delete(k.watched, id)
	if w.stop != nil {
		w.stop()
	}
}

// over is told that the session has ended: nobody is believed any more who
// shows a token of it, and its connections are closed.
func (k *Keeper) over(id string, w *watched) {
	k.o.Verifier.End(id)
	k.mu.Lock()
	followers := w.followers
	w.ended, w.followers = true, nil
	if w.stop != nil {
		w.stop()
	}
	k.mu.Unlock()
	for f := range followers {
		f.fire()
	}
}
