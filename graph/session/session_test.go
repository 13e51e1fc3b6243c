package session_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"net/http"

	"ordergraph/graph/session"
	"ordergraph/platform/clocktest"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/platform/token"
	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
)

// A desk is a gateway's keeper of sessions without Redis, which finds out what
// has ended by asking.
type desk struct {
	t *testing.T
	*session.Keeper
	world    *accounttest.World
	accounts *flaky
	hub      *live.Hub
	endHub   func()
}

// flaky is an account service behind a line that may fail.
type flaky struct {
	account.Service
	asked atomic.Int64 // how often for ended sessions
	do    atomic.Pointer[func(context.Context) error]
}

func (f *flaky) EndedSessions(ctx context.Context, who identity.Caller, ids []string) ([]string, error) {
	f.asked.Add(1)
	if do := f.do.Load(); do != nil {
		if err := (*do)(ctx); err != nil {
			return nil, err
		}
	}
	return f.Service.EndedSessions(ctx, who, ids)
}

// behave has all questions do this first; nil: nothing.
func (f *flaky) behave(do func(context.Context) error) {
	if do == nil {
		f.do.Store(nil)
		return
	}
	f.do.Store(&do)
}

// inBubble runs a test with a desk where time passes by itself, and all that
// was begun must have ended with it.
func inBubble(t *testing.T, test func(t *testing.T, d *desk)) {
	synctest.Test(t, func(t *testing.T) {
		clock := &clocktest.Clock{}
		d := &desk{t: t, world: accounttest.New(t, func(o *account.Options) { o.Now = clock.Now }), hub: live.NewHub(live.Options{})}
		d.world.Clock = clock
		d.accounts = &flaky{Service: d.world.Keeper}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = d.hub.Run(ctx) })
		d.endHub = func() { cancel(); running.Wait() }
		defer d.endHub()
		var err error
		d.Keeper, err = session.New(session.Options{Accounts: d.accounts, Hub: d.hub, Verifier: d.world.Verifier(d.world.Keeper)})
		if err != nil {
			t.Fatal(err)
		}
		test(t, d)
		d.world.Must(d.Close())
		synctest.Wait()
		if s := d.hub.Stats(); s.Streams != 0 || s.Things != 0 {
			t.Errorf("%+v are left", s)
		}
	})
}

func (d *desk) open(access string) (identity.Session, error) {
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, "http://shop.example/graphql", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.Open(d.t.Context(), r, access)
}

func (d *desk) mustOpen(access string) identity.Session {
	d.t.Helper()
	got, err := d.open(access)
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

// ada has an account and signs in.
func (d *desk) ada() account.Tokens {
	d.t.Helper()
	d.world.Customer("ada@example.org")
	return d.world.Enter(d.world.Keeper, "ada@example.org")
}

func (d *desk) signOut(t account.Tokens) {
	d.t.Helper()
	d.world.Must(d.world.SignOut(d.t.Context(), identity.Caller{CustomerID: t.Customer.ID}, t.SessionID))
}

// follow counts how often the session ends.
func (d *desk) follow(s identity.Session) (ends *atomic.Int64, stop func()) {
	ends = new(atomic.Int64)
	return ends, d.Follow(s, func() { ends.Add(1) })
}

func (d *desk) refused(access string, want error) {
	d.t.Helper()
	if _, err := d.open(access); !errors.Is(err, want) {
		d.t.Errorf("%v, want %v", err, want)
	}
}

func TestATokenIsBelievedUntilItsSessionEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		s := d.mustOpen(ada.Access)
		if s.ID != ada.SessionID || s.Caller.CustomerID != ada.Customer.ID || !s.Expires.Equal(ada.AccessExpires) {
			t.Errorf("%+v", s)
		}
		ends, _ := d.follow(s)
		left, stop := d.follow(s)
		stop()
		stop()
		d.signOut(ada)
		time.Sleep(time.Minute) // it is found out by asking
		d.refused(ada.Access, token.ErrEnded)
		if ends.Load() != 1 || left.Load() != 0 {
			t.Errorf("its connections were ended %d times, those that were left %d times", ends.Load(), left.Load())
		}
		late, _ := d.follow(s) // was opened before, and is followed only now
		if late.Load() != 1 {
			t.Error("nobody tells who follows too late")
		}
	})
}

func TestATokenEndsWhileConnected(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		s := d.mustOpen(ada.Access)
		ends, _ := d.follow(s)
		time.Sleep(time.Until(ada.AccessExpires) - time.Second)
		d.mustOpen(ada.Access)
		synctest.Wait()
		if ends.Load() != 0 {
			t.Error("it was ended early")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if ends.Load() != 1 {
			t.Error("it was not ended")
		}
		d.refused(ada.Access, token.ErrExpired)
		if n := d.hub.Stats().Streams; n != 0 {
			t.Errorf("%d sessions are watched in vain", n)
		}
	})
}

func TestARenewedSessionStaysWatched(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		d.mustOpen(ada.Access)
		time.Sleep(account.AccessFor / 2)
		next, err := d.world.Refresh(t.Context(), identity.Caller{}, ada.Refresh)
		d.world.Must(err)
		ends, _ := d.follow(d.mustOpen(next.Access))
		time.Sleep(account.AccessFor * 3 / 4)
		d.refused(ada.Access, token.ErrExpired)
		if n := d.hub.Stats().Streams; n != 1 {
			t.Errorf("%d sessions are watched, want 1", n)
		}
		d.signOut(next)
		time.Sleep(time.Minute)
		if ends.Load() != 1 {
			t.Error("nobody told the connection of the second token")
		}
	})
}

func TestManyRequestsWatchOneSessionOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		d.accounts.behave(func(context.Context) error { time.Sleep(time.Second); return nil })
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				if _, err := d.open(ada.Access); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := d.accounts.asked.Load(); n != 1 {
			t.Errorf("the account service was asked %d times", n)
		}
		if s := d.hub.Stats(); s.Streams != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// None of the first requests is believed before it is known that the session lives.
func TestFirstRequestsOfASessionThatHasEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		d.signOut(ada)
		d.accounts.behave(func(context.Context) error { time.Sleep(time.Second); return nil })
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { d.refused(ada.Access, token.ErrEnded) })
		}
		all.Wait()
	})
}

// Who gives up does not take the answer from the others.
func TestTheFirstRequestIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		d.accounts.behave(func(context.Context) error { time.Sleep(time.Second); return nil })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if _, err := d.Open(ctx, &http.Request{}, ada.Access); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		d.mustOpen(ada.Access)
		if n := d.accounts.asked.Load(); n != 1 {
			t.Errorf("the account service was asked %d times", n)
		}
	})
}

func TestTokensAreBelievedWhileTheAccountServiceIsAway(t *testing.T) {
	for name, away := range map[string]func(context.Context) error{
		"it answers nothing":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"it answers an error":  func(context.Context) error { return errors.New("the store is away") },
		"the client is broken": func(context.Context) error { panic("nil map") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, d *desk) {
				ada := d.ada()
				d.accounts.behave(away)
				began := time.Now()
				ends, _ := d.follow(d.mustOpen(ada.Access))
				if waited := time.Since(began); waited > 2*time.Second {
					t.Errorf("the first request waited %v", waited)
				}
				began = time.Now()
				d.mustOpen(ada.Access)
				if waited := time.Since(began); waited != 0 {
					t.Errorf("the second one waited %v", waited)
				}
				d.signOut(ada)
				time.Sleep(time.Minute)
				d.mustOpen(ada.Access)
				d.accounts.behave(nil)
				time.Sleep(time.Minute)
				d.refused(ada.Access, token.ErrEnded)
				if ends.Load() != 1 {
					t.Error("the connection is still open")
				}
			})
		})
	}
}

// A process that stops says nothing about its customers' sessions.
func TestTheHubEndsBeforeTheSessions(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		ends, _ := d.follow(d.mustOpen(ada.Access))
		d.endHub()
		synctest.Wait()
		d.mustOpen(ada.Access)
		other := d.world.Enter(d.world.Keeper, "ada@example.org")
		d.mustOpen(other.Access)
		if ends.Load() != 0 {
			t.Error("sessions end with the hub")
		}
		time.Sleep(account.AccessFor)
		synctest.Wait()
		if ends.Load() != 1 {
			t.Error("a connection has outlived its token")
		}
	})
}

func TestAfterCloseTokensStillEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		ada := d.ada()
		ends, _ := d.follow(d.mustOpen(ada.Access))
		d.world.Must(d.Close())
		if n := d.hub.Stats().Streams; n != 0 {
			synctest.Wait()
			if n = d.hub.Stats().Streams; n != 0 {
				t.Errorf("%d sessions are watched", n)
			}
		}
		d.mustOpen(ada.Access)
		time.Sleep(account.AccessFor)
		synctest.Wait()
		if ends.Load() != 1 {
			t.Error("a connection has outlived its token")
		}
		d.refused(ada.Access, token.ErrExpired)
	})
}

// Sessions come, are ended and are forgotten from all sides at once.
func TestSessionsInARush(t *testing.T) {
	inBubble(t, func(t *testing.T, d *desk) {
		d.world.Customer("ada@example.org")
		var all sync.WaitGroup
		for i := range 30 {
			ada := d.world.Enter(d.world.Keeper, "ada@example.org")
			for range 4 {
				all.Go(func() {
					time.Sleep(time.Duration(i) * time.Second)
					s, err := d.open(ada.Access)
					if err != nil {
						return // it was ended before
					}
					ends, stop := d.follow(s)
					defer stop()
					time.Sleep(time.Minute)
					if ends.Load() != 1 {
						t.Errorf("session %d was ended %d times", i, ends.Load())
					}
				})
			}
			all.Go(func() {
				time.Sleep(time.Duration(i)*time.Second + time.Duration(i%3)*time.Millisecond)
				d.signOut(ada)
			})
		}
		all.Wait()
	})
}
