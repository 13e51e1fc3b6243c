// Package notificationtest is what every notification service must do,
// whichever way it is reached, and a world to try it in: real accounts, real
// orders with all that stands behind them, and the sandbox's mail server,
// spoken to by SMTP.
package notificationtest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/sandbox/mail"
	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
	"ordergraph/services/notification"
	"ordergraph/services/notification/smtpmail"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/test/memnet"
)

// Ourselves is the caller that the program is.
var Ourselves = identity.Ourselves()

// PublicURL is where the mails' links lead.
const PublicURL = "https://shop.example"

// A World is a notification service and those whose facts it hears. Nothing
// is sent in it but by Sweep; facts come by Mailed and Changed.
type World struct {
	T        testing.TB
	Clock    *clocktest.Clock // the service's, the accounts' and the shop's
	Store    docstore.Store
	Accounts *accounttest.World
	Shop     *ordertest.Shop // nil where nothing is sold
	Post     *mail.Server
	Dial     memnet.Dial // to the mail server
	Log      *Lines
	// Name is what customers call themselves in their mails, whatever the
	// account service thinks of it; "": what they told it.
	Name string
	*notification.Keeper
}

// New is a world whose stores are in memory, in which nothing is sold.
func New(t testing.TB) *World {
	t.Helper()
	return begin(t, nil, &clocktest.Clock{})
}

// NewShop is a world with a shop in it, on one clock.
func NewShop(t testing.TB) *World {
	t.Helper()
	shop := ordertest.New(t)
	shop.Receive("mug", map[string]int64{"berlin": 100})
	return begin(t, shop, shop.Clock)
}

func begin(t testing.TB, shop *ordertest.Shop, clock *clocktest.Clock) *World {
	t.Helper()
	w := &World{T: t, Clock: clock, Shop: shop, Store: docstoretest.Memory(t), Log: &Lines{}}
	w.Accounts = accounttest.New(t, func(o *account.Options) { o.Now = w.Clock.Now })
	w.Post, w.Dial = Post(t)
	w.Keeper = w.Copy(w.Store, nil)
	return w
}

// Post is a mail server that ends with the test.
func Post(t testing.TB) (*mail.Server, memnet.Dial) {
	t.Helper()
	post, err := mail.New(mail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	listener := memnet.Listen()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- post.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("mail server: %v", err)
		}
	})
	return post, listener.Dial
}

// Copy is one more copy of the service, over the given store. mailer is nil
// for the world's own.
func (w *World) Copy(store docstore.Store, mailer notification.Mailer) *notification.Keeper {
	w.T.Helper()
	const from = "Harbour Store <shop@ordergraph.localhost>"
	if mailer == nil {
		var err error
		mailer, err = smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: w.Dial})
		w.Must(err)
	}
	k, err := notification.New(w.T.Context(), notification.Options{
		Store: store, Mailers: []notification.Mailer{mailer}, Accounts: accounts{w}, Orders: orders{w}, From: from, PublicURL: PublicURL, Now: w.Clock.Now,
		Log: slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	w.Must(err)
	return k
}

// accounts are the world's.
type accounts struct{ w *World }

func (a accounts) Mail(ctx context.Context, who identity.Caller, id string) (account.Mail, error) {
	m, err := a.w.Accounts.Mail(ctx, who, id)
	if a.w.Name != "" {
		m.FirstName = a.w.Name
	}
	return m, err
}

// orders are the shop's, if there is one.
type orders struct{ w *World }

func (o orders) Get(ctx context.Context, who identity.Caller, id, token string) (order.Order, error) {
	if o.w.Shop == nil {
		return order.Order{}, order.ErrNotFound
	}
	return o.w.Shop.Orders.Get(ctx, who, id, token)
}

// Register has somebody register, and returns the fact of the mail that is due.
func (w *World) Register(email, firstName, locale string) (events.Fact, account.Mail) {
	w.T.Helper()
	w.Must(w.Accounts.Register(w.T.Context(), identity.Caller{}, account.RegisterInput{
		Email: email, Password: accounttest.Password, FirstName: firstName, LastName: "Lovelace", Locale: locale,
	}))
	m := w.Accounts.Latest(email, account.MailVerify)
	return Mailed(m), m
}

// Mailed is the fact that tells of an account's mail.
func Mailed(m account.Mail) events.Fact {
	data, err := bson.Marshal(account.MailDue{ID: m.ID, Kind: m.Kind})
	if err != nil {
		panic(err)
	}
	return events.Fact{ID: m.ID, Type: account.FactMail, Doc: m.CustomerID, Key: m.CustomerID, Data: data}
}

// Changed is the fact that tells of an order.
func Changed(o *order.Order) events.Fact {
	return events.Fact{ID: fmt.Sprint(o.ID, o.Version), Type: order.FactChanged, Doc: o.ID, Key: o.ID}
}

// Settle sweeps with one copy, letting time pass, until nothing of the subject
// is queued.
func (w *World) Settle(k *notification.Keeper, subject string) []notification.Notification {
	w.T.Helper()
	for range 60 {
		w.Must(k.Sweep(w.T.Context()))
		all, err := k.List(w.T.Context(), Ourselves, subject)
		w.Must(err)
		queued := false
		for _, n := range all {
			queued = queued || n.Status == notification.Queued
		}
		if !queued {
			return all
		}
		w.Clock.Pass(time.Hour)
	}
	w.T.Fatalf("the messages about %s never end", subject)
	return nil
}

// Only is the one message about a subject.
func (w *World) Only(s notification.Service, subject string) notification.Notification {
	w.T.Helper()
	all, err := s.List(w.T.Context(), Ourselves, subject)
	w.Must(err)
	if len(all) != 1 {
		w.T.Fatalf("%d messages about %s: %+v", len(all), subject, all)
	}
	return all[0]
}

// Must fails the test on an error.
func (w *World) Must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// Lines is a log that can be searched.
type Lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
