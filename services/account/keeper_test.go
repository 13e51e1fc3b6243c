package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/platform/token"
	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
)

func TestOneAddressIsOneAccount(t *testing.T) {
	w := accounttest.New(t, func(o *account.Options) { o.Hashers = 16 })
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			email := []string{"ada@example.org", "ADA@example.org", "Ada@Example.Org"}[i%3]
			if err := w.Register(t.Context(), guest, account.RegisterInput{Email: email, Password: accounttest.Password}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	page, err := w.List(t.Context(), accounttest.Ourselves, account.ListQuery{})
	w.Must(err)
	if len(page.Customers) != 1 {
		t.Errorf("%d accounts", len(page.Customers))
	}
	if n := len(w.Mails("ada@example.org")); n != 3 {
		t.Errorf("%d mails", n)
	}
}

func TestRefreshesAtOnceAreOne(t *testing.T) {
	w := accounttest.New(t)
	w.Customer("ada@example.org")
	first := w.Enter(w.Keeper, "ada@example.org")
	copies := []*account.Keeper{w.Keeper, w.Copy(), w.Copy()}
	var mu sync.Mutex
	next := map[string]int{}
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			got, err := copies[i%3].Refresh(t.Context(), guest, first.Refresh)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			next[got.Refresh]++
		})
	}
	all.Wait()
	if len(next) != 1 {
		t.Errorf("%d lines of tokens", len(next))
	}
	for refresh := range next {
		if _, err := w.Refresh(t.Context(), guest, refresh); err != nil {
			t.Error(err)
		}
	}
}

// TestNobodySlipsThroughSignOutEverywhere: whoever signs in at the moment when
// all sessions are ended has one that works, or none.
func TestNobodySlipsThroughSignOutEverywhere(t *testing.T) {
	w := accounttest.New(t)
	ada := w.Customer("ada@example.org")
	other := w.Copy()
	for range 15 {
		var all sync.WaitGroup
		tokens := make([]account.Tokens, 4)
		for i := range tokens {
			all.Go(func() {
				var err error
				tokens[i], err = signIn(t, other, "ada@example.org", accounttest.Password, accounttest.Home)
				if err != nil && !errors.Is(err, account.ErrCredentials) && !errors.Is(err, account.ErrSlowed) {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := w.SignOutEverywhere(t.Context(), ada, ""); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		for _, got := range tokens {
			if got.SessionID == "" {
				continue
			}
			ended, err := w.EndedSessions(t.Context(), accounttest.Ourselves, []string{got.SessionID})
			w.Must(err)
			_, err = w.Refresh(t.Context(), guest, got.Refresh)
			if (err == nil) != (len(ended) == 0) {
				t.Fatalf("ended: %v, refreshed: %v", ended, err)
			}
		}
		w.Clock.Pass(time.Hour)
	}
}

func TestARestartSignsNobodyOut(t *testing.T) {
	dir := t.TempDir()
	w := accounttest.New(t)
	verifier := w.Verifier(w.Keeper)
	var tokens account.Tokens
	for round := range 3 {
		store, err := docstorelocal.Open(dir)
		w.Must(err)
		w.Store = store
		w.Keeper = w.Copy()
		if round == 0 {
			verifier = w.Verifier(w.Keeper)
			w.Customer("ada@example.org")
			tokens = w.Enter(w.Keeper, "ada@example.org")
			for range 6 {
				_, _ = signIn(t, w.Keeper, "ada@example.org", "a guess", accounttest.Abroad)
			}
		} else {
			_, err := verifier.Verify(t.Context(), tokens.Access)
			w.Must(err)
			tokens, err = w.Refresh(t.Context(), guest, tokens.Refresh)
			w.Must(err)
			_, err = verifier.Verify(t.Context(), tokens.Access)
			w.Must(err)
			if _, err := signIn(t, w.Keeper, "ada@example.org", "a guess", accounttest.Abroad); !errors.Is(err, account.ErrSlowed) {
				t.Errorf("failures are forgotten: %v", err)
			}
			w.Enter(w.Keeper, "ada@example.org")
		}
		w.Must(store.Close())
	}
}

func TestCopiesAgreeOnKeys(t *testing.T) {
	for _, secret := range []string{accounttest.KeySecret, ""} {
		w := &accounttest.World{T: t, Store: docstoretest.Memory(t), Clock: accounttest.New(t).Clock}
		copies := make([]*account.Keeper, 8)
		var all sync.WaitGroup
		for i := range copies {
			all.Go(func() {
				var err error
				copies[i], err = account.New(t.Context(), account.Options{
					Store: w.Store, Issuer: accounttest.Issuer, Audience: accounttest.Audience, KeySecret: secret, Cost: 4, Weak: true, Now: w.Clock.Now,
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		first, err := copies[0].Keys(t.Context())
		w.Must(err)
		for _, k := range copies {
			keys, err := k.Keys(t.Context())
			w.Must(err)
			if len(keys) != 1 || !slices.Equal(keys, first) {
				t.Errorf("%v and %v", first, keys)
			}
		}
		// And on their secrets: one makes a link, another takes it.
		w.Keeper = copies[0]
		w.Must(w.Register(t.Context(), guest, account.RegisterInput{Email: "ada@example.org", Password: accounttest.Password}))
		w.Must(copies[1].Verify(t.Context(), guest, w.Latest("ada@example.org", account.MailVerify).Token))
	}
}

// TestKeysRotate lets 200 days pass. Whoever fetched the keys an hour ago
// knows every key that signs, and a token is good until it expires.
func TestKeysRotate(t *testing.T) {
	w := accounttest.New(t)
	w.Customer("ada@example.org")
	tokens := w.Enter(w.Keeper, "ada@example.org")
	copies := []*account.Keeper{w.Keeper, w.Copy()}
	signed := map[string]bool{}
	for i := range 400 {
		k, other := copies[i%2], copies[(i+1)%2]
		w.Clock.Pass(11*time.Hour - account.AccessFor + time.Second)
		w.Must(k.Sweep(t.Context()))
		stale, err := other.Keys(t.Context())
		w.Must(err)
		hourOld := token.NewVerifier(token.VerifierOptions{
			Issuer: accounttest.Issuer, Audience: accounttest.Audience, Now: w.Clock.Now,
			Keys: func(context.Context) ([]token.Key, error) { return stale, nil },
		})
		w.Clock.Pass(time.Hour)
		if tokens, err = k.Refresh(t.Context(), guest, tokens.Refresh); errors.Is(err, account.ErrRefresh) {
			tokens = w.Enter(k, "ada@example.org") // a session lives 90 days
		} else if err != nil {
			t.Fatal(err)
		}
		signed[strings.Split(tokens.Access, ".")[0]] = true
		if _, err := hourOld.Verify(t.Context(), tokens.Access); err != nil {
			t.Fatalf("at step %d a key signs that was not published an hour ago: %v", i, err)
		}
		w.Clock.Pass(account.AccessFor - time.Second)
		w.Must(other.Sweep(t.Context()))
		if len(stale) > 2 {
			t.Fatalf("%d keys are published", len(stale))
		}
		if _, err := w.Verifier(other).Verify(t.Context(), tokens.Access); err != nil && w.Clock.Now().Before(tokens.AccessExpires) {
			t.Fatalf("at step %d a token is refused that has not expired: %v", i, err)
		}
	}
	if len(signed) != 7 { // 200 days, 30 each
		t.Errorf("%d keys have signed", len(signed))
	}
	if _, kept := documents(t, w.Store); kept["keys"] > 2 {
		t.Errorf("%d keys are kept", kept["keys"])
	}
	// The service was down for long: the new key is still published ahead.
	w.Clock.Pass(100 * 24 * time.Hour)
	before, err := w.Keys(t.Context())
	w.Must(err)
	if len(before) != 2 {
		t.Errorf("%v", before)
	}
	w.Clock.Pass(account.PublishAhead + 2*time.Hour)
	if after, err := w.Keys(t.Context()); err != nil || !slices.Equal(after, before[1:]) {
		t.Errorf("%v after %v, %v", after, before, err)
	}
}

// TestAnotherKeySecret: the database alone signs nothing and makes no link,
// and a secret that is exchanged signs nobody out.
func TestAnotherKeySecret(t *testing.T) {
	w := accounttest.New(t)
	w.Customer("ada@example.org")
	tokens := w.Enter(w.Keeper, "ada@example.org")
	w.Must(w.RequestReset(t.Context(), guest, "ada@example.org"))
	link := w.Latest("ada@example.org", account.MailReset).Token
	other := w.Copy(func(o *account.Options) { o.KeySecret = strings.Repeat("another", 5) })
	keys, err := other.Keys(t.Context())
	w.Must(err)
	if len(keys) != 2 {
		t.Errorf("the private key could be opened with another secret: %v", keys)
	}
	if err := other.Reset(t.Context(), guest, account.ResetInput{Token: link, Password: "nine purple kettles"}); !errors.Is(err, account.ErrLink) {
		t.Errorf("a link of another secret: %v", err)
	}
	verifier := w.Verifier(other)
	_, err = verifier.Verify(t.Context(), tokens.Access)
	w.Must(err)
	tokens, err = other.Refresh(t.Context(), guest, tokens.Refresh)
	w.Must(err)
	_, err = verifier.Verify(t.Context(), tokens.Access)
	w.Must(err)
	again := w.Copy(func(o *account.Options) { o.KeySecret = strings.Repeat("another", 5) })
	if got, err := again.Keys(t.Context()); err != nil || !slices.Equal(got, keys) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestTheCostIsRaised(t *testing.T) {
	w := accounttest.New(t)
	ada := w.Customer("ada@example.org")
	stronger := w.Copy(func(o *account.Options) { o.Cost = 5 })
	w.Enter(stronger, "ada@example.org")
	if cost, err := w.HashCost(t.Context(), ada.CustomerID); err != nil || cost != 5 {
		t.Errorf("cost %d, %v", cost, err)
	}
	w.Enter(stronger, "ada@example.org")
}

func TestOptions(t *testing.T) {
	good := account.Options{Store: docstoretest.Memory(t), Issuer: "a", Audience: "b", Cost: account.LeastCost}
	for name, change := range map[string]func(*account.Options){
		"a weak cost":    func(o *account.Options) { o.Cost = account.LeastCost - 1 },
		"a mad cost":     func(o *account.Options) { o.Cost = 17 },
		"no issuer":      func(o *account.Options) { o.Issuer = "" },
		"no audience":    func(o *account.Options) { o.Audience = "" },
		"a short secret": func(o *account.Options) { o.KeySecret = "short" },
	} {
		o := good
		change(&o)
		if _, err := account.New(t.Context(), o); err == nil {
			t.Error(name)
		}
	}
	if _, err := account.New(t.Context(), good); err != nil {
		t.Error(err)
	}
}

// TestDeathAtEveryWrite lets the service die before and after each of its
// writes. What was begun is then done by the sweeper, or was never begun.
func TestDeathAtEveryWrite(t *testing.T) {
	const second = "nine purple kettles"
	for name, c := range map[string]struct {
		do       func(k *account.Keeper, ada identity.Caller, here account.Tokens, link string) error
		password string // afterwards
		stays    bool   // the session from which it was done
		erased   bool
	}{
		"sign out everywhere": {
			do: func(k *account.Keeper, ada identity.Caller, _ account.Tokens, _ string) error {
				return k.SignOutEverywhere(context.Background(), ada, "")
			}, password: accounttest.Password},
		"change the password": {
			do: func(k *account.Keeper, ada identity.Caller, here account.Tokens, _ string) error {
				return k.ChangePassword(context.Background(), ada, account.ChangePasswordInput{Current: accounttest.Password, Password: second, SessionID: here.SessionID, Source: accounttest.Home})
			}, password: second, stays: true},
		"reset the password": {
			do: func(k *account.Keeper, _ identity.Caller, _ account.Tokens, link string) error {
				return k.Reset(context.Background(), guest, account.ResetInput{Token: link, Password: second, Source: accounttest.Home})
			}, password: second},
		"set roles": {
			do: func(k *account.Keeper, ada identity.Caller, _ account.Tokens, _ string) error {
				_, err := k.SetRoles(context.Background(), accounttest.Ourselves, ada.CustomerID, []identity.Role{identity.Support})
				return err
			}, password: accounttest.Password},
		"erase": {
			do: func(k *account.Keeper, ada identity.Caller, _ account.Tokens, _ string) error {
				return k.Erase(context.Background(), ada, account.EraseInput{Password: accounttest.Password, Source: accounttest.Home})
			}, erased: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, after := range []bool{false, true} {
				for n := 1; ; n++ {
					w := accounttest.New(t)
					ada := w.Customer("ada@example.org")
					here, there := w.Enter(w.Keeper, "ada@example.org"), w.Enter(w.Keeper, "ada@example.org")
					w.Must(w.RequestReset(t.Context(), guest, "ada@example.org"))
					link := w.Latest("ada@example.org", account.MailReset).Token
					var reaper docstoretest.Reaper
					mortal := w.Copy(func(o *account.Options) { o.Store = reaper.Wrap(w.Store) })
					if after {
						reaper.DieAfter(n)
					} else {
						reaper.DieBefore(n)
					}
					err := c.do(mortal, ada, here, link)
					died := reaper.Dead()
					if !died && err != nil {
						t.Fatal(err)
					}
					k := w.Copy()
					_, refreshErr := k.Refresh(t.Context(), guest, there.Refresh)
					w.Must(k.Sweep(t.Context()))
					ended, err := k.EndedSessions(t.Context(), accounttest.Ourselves, []string{here.SessionID, there.SessionID})
					w.Must(err)
					_, signErr := signIn(t, k, "ada@example.org", accounttest.Password, accounttest.Home)
					_, getErr := k.Get(t.Context(), ada, "")
					begun := len(ended) > 0
					var want []string
					if begun {
						if !c.stays {
							want = append(want, here.SessionID)
						}
						want = append(want, there.SessionID)
					}
					oldPasswordIsGood := !begun || c.password == accounttest.Password
					if !begun && !died || !slices.Equal(ended, want) || (signErr == nil) != oldPasswordIsGood || (getErr != nil) != (begun && c.erased) || begun != errors.Is(refreshErr, account.ErrRefresh) {
						t.Fatalf("write %d, taken %v: ended %v, sign in: %v, get: %v", n, after, ended, signErr, getErr)
					}
					if begun && !c.erased {
						_, err := signIn(t, k, "ada@example.org", c.password, accounttest.Home)
						w.Must(err)
					}
					if !died {
						break
					}
				}
			}
		})
	}
}

func TestTheSweeperForgets(t *testing.T) {
	w := accounttest.New(t)
	w.Customer("ada@example.org")
	w.Enter(w.Keeper, "ada@example.org")
	w.Must(w.Register(t.Context(), guest, account.RegisterInput{Email: "new@example.org", Password: accounttest.Password}))
	w.Must(w.RequestReset(t.Context(), guest, "nobody@example.org"))
	_, _ = signIn(t, w.Keeper, "nobody@example.org", "a guess", accounttest.Abroad)
	w.Must(w.Sweep(t.Context()))
	if _, kept := documents(t, w.Store); kept["sessions"] != 1 || kept["guards"] != 3 || kept["accounts"] != 2 {
		t.Errorf("%v", kept)
	}
	w.Clock.Pass(25 * time.Hour)
	w.Must(w.Sweep(t.Context()))
	all, kept := documents(t, w.Store)
	if kept["sessions"] != 1 || kept["guards"] != 1 || kept["accounts"] != 2 {
		t.Errorf("%v", kept)
	}
	for _, doc := range all {
		if strings.Contains(doc, `"links": {`) || strings.Contains(doc, `"links": [{`) || strings.Contains(doc, `"mails": [{`) {
			t.Errorf("links or mails are left: %s", doc)
		}
	}
	w.Clock.Pass(100 * 24 * time.Hour)
	w.Must(w.Sweep(t.Context()))
	if _, kept := documents(t, w.Store); kept["sessions"] != 0 || kept["guards"] != 0 || kept["accounts"] != 2 {
		t.Errorf("%v", kept)
	}
}

// TestManyNetworksAreBounded: however many networks guess, the document that
// remembers them stays small, and the owner's is among them.
func TestManyNetworksAreBounded(t *testing.T) {
	w := accounttest.New(t)
	w.Customer("ada@example.org")
	w.Enter(w.Keeper, "ada@example.org")
	for i := range 120 {
		_, _ = signIn(t, w.Keeper, "ada@example.org", "a guess", fmt.Sprintf("10.%d.%d.1", i/100, i%100))
		w.Clock.Pass(16 * time.Minute) // longer than anybody is made to wait
	}
	all, _ := documents(t, w.Store)
	for _, doc := range all {
		if n := strings.Count(doc, `"trace"`); n > 51 {
			t.Errorf("%d networks are remembered", n)
		}
	}
	w.Enter(w.Keeper, "ada@example.org")
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// TestOthersHear has a listener hear of mails and of who is to be forgotten,
// and a watcher of sessions that end.
func TestOthersHear(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bus := events.NewBus(client, nil)
	bell := live.NewBell(client, nil)
	hub := live.NewHub(live.Options{Client: client, Sweep: time.Hour, Recheck: time.Hour})
	w := accounttest.New(t, func(o *account.Options) {
		o.Bus, o.Listeners, o.Bell, o.Now = bus, []string{"probe"}, bell, time.Now
	})
	w.Clock = nil
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	mails, erased := map[account.MailKind]account.Mail{}, map[string]bool{}
	var all sync.WaitGroup
	t.Cleanup(func() { stop(); all.Wait() })
	for _, run := range []func(context.Context) error{bell.Run, hub.Run, w.Run, func(ctx context.Context) error {
		return bus.Listen(ctx, account.Topic, "probe", func(ctx context.Context, f events.Fact) error {
			switch f.Type {
			case account.FactMail:
				var due account.MailDue
				if err := bson.Unmarshal(f.Data, &due); err != nil {
					return err
				}
				mail, err := w.Keeper.Mail(ctx, accounttest.Ourselves, due.ID)
				if errors.Is(err, account.ErrNoMail) {
					return nil
				}
				if err == nil && (mail.Kind != due.Kind || f.Key != mail.CustomerID || mail.Token != "" && strings.Contains(string(f.Data), mail.Token)) {
					t.Errorf("%+v tells of %+v", f, mail)
				}
				mu.Lock()
				defer mu.Unlock()
				mails[mail.Kind] = mail
				return err
			case account.FactErased:
				var e account.Erased
				if err := bson.Unmarshal(f.Data, &e); err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				erased[e.CustomerID] = true
			}
			return nil
		})
	}} {
		all.Go(func() { _ = run(ctx) })
	}
	mail := func(kind account.MailKind) (m account.Mail) {
		eventually(t, string(kind), func() bool {
			mu.Lock()
			defer mu.Unlock()
			m = mails[kind]
			return m.ID != ""
		})
		return m
	}
	w.Must(w.Register(ctx, guest, account.RegisterInput{Email: "ada@example.org", Password: accounttest.Password}))
	w.Must(w.Verify(ctx, guest, mail(account.MailVerify).Token))
	w.Must(w.RequestReset(ctx, guest, "ada@example.org"))
	w.Must(w.Reset(ctx, guest, account.ResetInput{Token: mail(account.MailReset).Token, Password: "nine purple kettles", Source: accounttest.Home}))
	mail(account.MailPasswordChanged)
	tokens, err := signIn(t, w.Keeper, "ada@example.org", "nine purple kettles", accounttest.Home)
	w.Must(err)
	topic := live.NewTopic[bool](hub, account.LiveTopic, func(context.Context, []string) (map[string]int64, error) { return nil, nil })
	watch, err := topic.Watch(ctx, live.Watch[bool]{
		Key: tokens.SessionID, After: account.SessionLives,
		Load: func(ctx context.Context) (bool, int64, error) {
			ended, err := w.EndedSessions(ctx, accounttest.Ourselves, []string{tokens.SessionID})
			return len(ended) > 0, int64(account.SessionLives + len(ended)), err
		},
	})
	w.Must(err)
	ada := identity.Caller{CustomerID: tokens.Customer.ID}
	w.Must(w.SignOut(ctx, ada, tokens.SessionID))
	select {
	case over := <-watch.C():
		if !over {
			t.Error("the session has not ended")
		}
	case <-time.After(time.Minute):
		t.Error("the end of the session was not told")
	}
	w.Must(w.Erase(ctx, accounttest.Ourselves, account.EraseInput{CustomerID: ada.CustomerID}))
	eventually(t, "erased", func() bool { mu.Lock(); defer mu.Unlock(); return erased[ada.CustomerID] })
}

// TestKeysOverlap: a key is published an hour before it signs, and as long as
// a token of its is good.
func TestKeysOverlap(t *testing.T) {
	w := accounttest.New(t)
	w.Customer("ada@example.org")
	w.Clock.Pass(account.SignsFor - account.PublishAhead)
	w.Must(w.Sweep(t.Context()))
	w.Clock.Pass(account.PublishAhead - time.Hour)
	early, err := w.Keys(t.Context())
	w.Must(err)
	if len(early) != 2 {
		t.Errorf("an hour before it signs %d keys are published", len(early))
	}
	w.Clock.Pass(time.Hour - time.Second)
	last := w.Enter(w.Keeper, "ada@example.org")
	w.Clock.Pass(account.AccessFor - time.Second)
	w.Must(w.Sweep(t.Context()))
	if _, err := w.Verifier(w.Keeper).Verify(t.Context(), last.Access); err != nil {
		t.Errorf("the last token of a key: %v", err)
	}
	if next := w.Enter(w.Keeper, "ada@example.org"); strings.Split(next.Access, ".")[0] == strings.Split(last.Access, ".")[0] {
		t.Error("the new key does not sign")
	}
}
