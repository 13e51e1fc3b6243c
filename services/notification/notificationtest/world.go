// Package notificationtest is what every notification service must do,
// whichever way it is reached, and a world to try it in: real accounts, real
// orders and invoices with all that stands behind them, the sandbox's mail
// server, spoken to by SMTP, and its phone company, spoken to as to Twilio.
package notificationtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicetest"
	"ordergraph/services/notification"
	"ordergraph/services/notification/smtpmail"
	"ordergraph/services/notification/twiliosms"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/test/memnet"
)

// Ourselves is the caller that the program is.
var Ourselves = identity.Ourselves()

// Grace is how long confirmations wait for their invoices: longer than any
// test takes, so that nothing depends on the machine's speed.
const Grace = 24 * time.Hour

// PublicURL is where the mails' links lead.
const PublicURL = "https://shop.example"

// OrderPage is where an order's page is, up to its id.
const OrderPage = PublicURL + "/order/"

// A World is a notification service and those whose facts it hears. Nothing
// is sent in it but by Sweep; facts come by Mailed and Changed.
type World struct {
	T        testing.TB
	Clock    *clocktest.Clock // the service's, the accounts' and the shop's
	Store    docstore.Store
	Accounts *accounttest.World
	Shop     *ordertest.Shop // nil where nothing is sold
	Invoices *Invoices       // nil, likewise
	Post     *mail.Server
	Dial     memnet.Dial    // to the mail server
	Phone    *twilio.Server // nil where nothing is sold; it calls nobody back
	Texter   notification.Texter
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
	if shop != nil {
		w.Phone, w.Texter = Phone(t, clock.Now)
		keeper, err := invoice.New(t.Context(), invoice.Options{
			Store: docstoretest.Memory(t), Orders: shop.Orders, Seller: invoicetest.Seller, Now: clock.Now,
		})
		w.Must(err)
		w.Invoices = &Invoices{Keeper: keeper}
	}
	w.Keeper = w.Copy(w.Store, nil)
	return w
}

// Invoices are the shop's. While they are away they answer nobody.
type Invoices struct {
	*invoice.Keeper
	Away  atomic.Bool
	Asked atomic.Int64 // how often files were asked for
}

var errAway = fault.New(fault.Unavailable, "notificationtest.away", "The invoice service is away.")

// File answers for the invoice service, however long that takes: what is cut
// short on a busy machine would be finished when the order is told of again, and
// here nobody tells.
func (i *Invoices) File(ctx context.Context, who identity.Caller, id string, f invoice.Format, token string) (invoice.File, error) {
	i.Asked.Add(1)
	if i.Away.Load() {
		return invoice.File{}, errAway
	}
	return i.Keeper.File(context.WithoutCancel(ctx), who, id, f, token)
}

// Ready is the fact that tells of an order's invoice.
func Ready(orderID string) events.Fact {
	return events.Fact{ID: orderID + ":ready", Type: invoice.FactReady, Doc: orderID, Key: orderID}
}

// Phone is a phone company that ends with the test, and a client of it.
func Phone(t testing.TB, now func() time.Time) (*twilio.Server, notification.Texter) {
	t.Helper()
	const account, token = "ACnotificationtest0000000000000000", "notificationtest"
	phone, err := twilio.New(twilio.Options{Account: account, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	phone.Routes(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(func() { phone.Close(); server.Close() })
	texter, err := twiliosms.New(twiliosms.Options{AccountSID: account, AuthToken: token, From: "+15005550006", URL: server.URL, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(texter.Close)
	return phone, texter
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
func (w *World) Copy(store docstore.Store, mailer notification.Mailer, change ...func(*notification.Options)) *notification.Keeper {
	w.T.Helper()
	if mailer == nil {
		mailer = w.Mailer(w.Dial)
	}
	o := notification.Options{
		Store: store, Mailers: []notification.Mailer{mailer}, Accounts: accounts{w}, Orders: orders{w}, From: from, PublicURL: PublicURL, OrderPage: OrderPage, Now: w.Clock.Now,
		Log: slog.New(slog.NewTextHandler(w.Log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if w.Shop != nil {
		o.Invoices, o.Texters, o.Grace = w.Invoices, []notification.Texter{w.Texter}, Grace
	}
	for _, c := range change {
		c(&o)
	}
	k, err := notification.New(w.T.Context(), o)
	w.Must(err)
	return k
}

const from = "Harbour Store <shop@ordergraph.localhost>"

// Mailer sends to the server that dial reaches.
func (w *World) Mailer(dial memnet.Dial) notification.Mailer {
	w.T.Helper()
	mailer, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: dial})
	w.Must(err)
	w.T.Cleanup(mailer.Close)
	return mailer
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
