package account_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
	"ordergraph/services/account/accounttest"
)

var guest identity.Caller

func signIn(t *testing.T, s account.Service, email, password, source string) (account.Tokens, error) {
	t.Helper()
	return s.SignIn(t.Context(), guest, account.SignInInput{Email: email, Password: password, Source: source})
}

// TestUnknownAddressesCostTheSameWork is what makes them take the same time.
func TestUnknownAddressesCostTheSameWork(t *testing.T) {
	w := accounttest.New(t)
	w.Customer("ada@example.org")
	w.Must(w.Erase(t.Context(), accounttest.Ourselves, account.EraseInput{CustomerID: w.Customer("gone@example.org").CustomerID}))
	w.Must(w.Register(t.Context(), guest, account.RegisterInput{Email: "new@example.org", Password: accounttest.Password}))
	stronger := w.Copy(func(o *account.Options) { o.Cost = 6 })
	work := func(k *account.Keeper, do func() error, want error) account.Figures {
		before := k.Figures()
		if err := do(); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
		after := k.Figures()
		return account.Figures{Comparisons: after.Comparisons - before.Comparisons, HashWork: after.HashWork - before.HashWork}
	}
	for _, c := range []struct {
		k    *account.Keeper
		work int64
	}{{w.Keeper, 1 << 4}, {stronger, 1 << 6}} {
		for _, email := range []string{"ada@example.org", "nobody@example.org", "new@example.org", "gone@example.org", "not an address"} {
			for _, password := range []string{"not the password", "", strings.Repeat("x", 200)} {
				got := work(c.k, func() error { _, err := signIn(t, c.k, email, password, accounttest.Abroad); return err }, account.ErrCredentials)
				if want := (account.Figures{Comparisons: 1, HashWork: c.work}); got != want {
					t.Errorf("%s: %+v, want %+v", email, got, want)
				}
				w.Clock.Pass(24 * time.Hour)
			}
		}
		for i, email := range []string{"ada@example.org", "new@example.org", fmt.Sprintf("brand-new-%d@example.org", c.work)} {
			got := work(c.k, func() error {
				return c.k.Register(t.Context(), guest, account.RegisterInput{Email: email, Password: accounttest.Password})
			}, nil)
			if got.HashWork != c.work {
				t.Errorf("register %d: %+v", i, got)
			}
		}
	}
}

// TestGuessesAtOnceAreNotAllTheFirst: an attempt counts before its password is
// looked at.
func TestGuessesAtOnceAreNotAllTheFirst(t *testing.T) {
	w := accounttest.New(t, func(o *account.Options) { o.Hashers = 64 })
	w.Customer("ada@example.org")
	before := w.Figures()
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			_, err := signIn(t, w.Keeper, "ada@example.org", fmt.Sprint("guess number ", i), accounttest.Abroad)
			if !errors.Is(err, account.ErrCredentials) && !errors.Is(err, account.ErrSlowed) {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	after := w.Figures()
	if tried := after.Comparisons - before.Comparisons; tried != 5 || after.Slowed-before.Slowed != 195 {
		t.Errorf("%d of 200 guesses at once were looked at, %d slowed", tried, after.Slowed-before.Slowed)
	}
}

// TestAFloodIsRefused: 1,000 sign-ins at once take one processor at most, few
// wait, the others are told to come back, and the owner is not hurt.
func TestAFloodIsRefused(t *testing.T) {
	w := accounttest.New(t, func(o *account.Options) { o.Hashers = 1 })
	w.Customer("ada@example.org")
	before := w.Figures()
	var all sync.WaitGroup
	for i := range 1_000 {
		all.Go(func() {
			_, err := signIn(t, w.Keeper, fmt.Sprintf("somebody-%d@example.org", i), "a guess", fmt.Sprintf("10.%d.0.1", i%100))
			if !errors.Is(err, account.ErrCredentials) && !errors.Is(err, account.ErrBusy) {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	after := w.Figures()
	if seen := after.Comparisons - before.Comparisons + after.Busy - before.Busy; seen != 1_000 || w.Waiting() != 0 {
		t.Errorf("%d sign-ins were answered, %d wait", seen, w.Waiting())
	}
	w.Enter(w.Keeper, "ada@example.org")
}

func TestHashingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := accounttest.New(t, func(o *account.Options) { o.Hashers = 2 })
		w.Customer("ada@example.org")
		before := w.Figures()
		release, n := w.OccupyHashers()
		if n != 2 {
			t.Fatalf("%d passwords can be hashed at once", n)
		}
		results := make(chan error, 200)
		knock := func(source string) {
			go func() { _, err := signIn(t, w.Keeper, "nobody@example.org", "a guess", source); results <- err }()
			synctest.Wait()
		}
		// One network gets a quarter of the queue.
		for range 8 {
			for i := range 2 { // two addresses of it
				knock(fmt.Sprintf("192.0.2.%d", i))
			}
		}
		if n := w.Waiting(); n != 5 { // the sixth would have to wait for its failures
			t.Fatalf("%d wait", n)
		}
		for i := range 100 {
			source, email := "192.0.2.1", fmt.Sprintf("somebody-%d@example.org", i)
			go func() { _, err := signIn(t, w.Keeper, email, "a guess", source); results <- err }()
		}
		synctest.Wait()
		if n := w.Waiting(); n != 34/4 {
			t.Fatalf("%d of one network wait", n)
		}
		// All together get the queue and no more.
		for i := range 60 {
			source, email := fmt.Sprintf("10.%d.0.1", i), fmt.Sprintf("anybody-%d@example.org", i)
			go func() { _, err := signIn(t, w.Keeper, email, "a guess", source); results <- err }()
		}
		synctest.Wait()
		if n := w.Waiting(); n != 34 {
			t.Fatalf("%d wait", n)
		}
		if n := w.Figures().Comparisons - before.Comparisons; n != 0 {
			t.Fatalf("%d passwords were looked at", n)
		}
		// Nobody waits for ever, and what was not looked at is no failure.
		time.Sleep(account.HashPatience)
		synctest.Wait()
		if n := w.Waiting(); n != 0 {
			t.Fatalf("%d still wait", n)
		}
		for range 20 {
			if _, err := signIn(t, w.Keeper, "ada@example.org", accounttest.Password, "not an address"); !errors.Is(err, account.ErrBusy) {
				t.Fatal(err)
			}
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 20 {
			if _, err := w.SignIn(gone, guest, account.SignInInput{Email: "ada@example.org", Password: accounttest.Password}); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		release()
		if _, err := signIn(t, w.Keeper, "ada@example.org", accounttest.Password, "not an address"); err != nil {
			t.Error(err)
		}
		for len(results) > 0 {
			if err := <-results; !errors.Is(err, account.ErrBusy) && !errors.Is(err, account.ErrSlowed) {
				t.Error(err)
			}
		}
	})
}

// documents is all that is in the store, as text.
func documents(t *testing.T, s docstore.Store) (all []string, byCollection map[string]int) {
	t.Helper()
	specs, err := s.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byCollection = map[string]int{}
	for _, spec := range specs {
		docs, err := s.Documents(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		found, more, err := docs.Find(t.Context(), docstore.Query{Limit: 1_000})
		if err != nil || more {
			t.Fatal(more, err)
		}
		for _, d := range found {
			all = append(all, string(d)+" "+d.String())
		}
		byCollection[spec.Name] = len(found)
	}
	return all, byCollection
}

// TestNothingSecretIsKeptOrLogged lets somebody do everything, over gRPC, and
// looks for what they typed and got in the store, the facts and the logs.
func TestNothingSecretIsKeptOrLogged(t *testing.T) {
	var logged lockedBuffer
	log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w := accounttest.New(t, func(o *account.Options) { o.Log, o.Listeners = log, []string{"notification"} })
	s := dial(t, log, w.Keeper)
	ctx := t.Context()
	w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "ada@example.org", Password: "seven green teapots", LastName: "Lovelace", Source: "192.0.2.10"}))
	verify := w.Latest("ada@example.org", account.MailVerify)
	w.Must(s.Verify(ctx, guest, verify.Token))
	first := w.Enter(s, "ada@example.org")
	second, err := s.Refresh(ctx, guest, first.Refresh)
	w.Must(err)
	ada := identity.Caller{CustomerID: first.Customer.ID}
	w.Must(s.RequestReset(ctx, guest, "ada@example.org"))
	reset := w.Latest("ada@example.org", account.MailReset)
	_, err = signIn(t, s, "ada@example.org", "a wrong password", "192.0.2.10")
	if !errors.Is(err, account.ErrCredentials) {
		t.Error(err)
	}
	kept, _ := documents(t, w.Store)
	w.Must(s.ChangePassword(ctx, ada, account.ChangePasswordInput{Current: "seven green teapots", Password: "nine purple kettles", SessionID: second.SessionID, Source: "192.0.2.10"}))
	w.Clock.Pass(time.Minute)
	if _, err := s.Refresh(ctx, guest, first.Refresh); !errors.Is(err, account.ErrRefresh) {
		t.Error(err)
	}
	for range 10 {
		_, _ = signIn(t, s, "ada@example.org", "a wrong password", "203.0.113.20")
	}
	more, _ := documents(t, w.Store)
	kept = append(kept, more...)
	w.Must(s.Erase(ctx, ada, account.EraseInput{Password: "nine purple kettles", Source: "192.0.2.10"}))
	after, _ := documents(t, w.Store)

	part := func(token string) string { p := strings.Split(token, "."); return p[len(p)-1] }
	mac, _, _ := strings.Cut(verify.Token, ".")
	resetMAC, _, _ := strings.Cut(reset.Token, ".")
	secrets := []string{"seven green teapots", "nine purple kettles", "a wrong password", part(first.Refresh), part(second.Refresh), part(first.Access), mac, resetMAC, "192.0.2.10", "192.0.2.0", "203.0.113"}
	personal := []string{"ada@example.org", "Lovelace", "Laptop"}
	if !strings.Contains(logged.String(), "second time") || !strings.Contains(logged.String(), "SignIn") {
		t.Error("the log that is looked through is not the log")
	}
	for _, secret := range append(secrets, personal...) {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	for _, secret := range secrets {
		for _, doc := range append(kept, after...) {
			if strings.Contains(doc, secret) {
				t.Errorf("%q is in a document", secret)
			}
		}
	}
	found := false
	for _, doc := range kept {
		found = found || strings.Contains(doc, "ada@example.org")
	}
	if !found {
		t.Error("the documents that are looked through are not the documents")
	}
	for _, secret := range personal {
		for _, doc := range after {
			if strings.Contains(doc, secret) {
				t.Errorf("%q outlives its owner", secret)
			}
		}
	}
}

// dial serves the service over gRPC with a log.
func dial(t *testing.T, log *slog.Logger, s account.Service) account.Service {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := host.NewServer(log, "secret")
	accountrpc.Contract.Serve(server, s)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	client, conn, err := host.Dial(accountrpc.Contract, listener.Addr().String(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-done
	})
	return client
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
