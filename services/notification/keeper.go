package notification

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/services/account"
	"ordergraph/services/invoice"
	"ordergraph/services/order"
)

// Options of a Keeper. Store, Mailers, Accounts, Orders, From and PublicURL
// must be given.
type Options struct {
	Store     docstore.Store
	Bus       *events.Bus // nil: nothing is heard or rung
	Listeners []string    // the groups that hear Topic
	Bell      *live.Bell  // nil: who watches messages learns of changes by asking for Versions
	Mailers   []Mailer    // in order of preference: each stands in for those before it
	Texters   []Texter    // likewise; none: no SMS are sent
	Accounts  Accounts
	Orders    Orders
	Invoices  Invoices         // nil: mails go without invoices, and none are promised
	From      string           // the shop's address; Message-IDs are of its domain
	ShopName  string           // signs the mails; "": the name in From
	PublicURL string           // where links lead to
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: silent
}

// Accounts are as much of account.Service as mails are made of.
type Accounts interface {
	Mail(ctx context.Context, who identity.Caller, id string) (account.Mail, error)
}

// Orders are as much of order.Service as mails are made of.
type Orders interface {
	Get(ctx context.Context, who identity.Caller, id, accessToken string) (order.Order, error)
}

// Invoices are as much of invoice.Service as mails are made of.
type Invoices interface {
	File(ctx context.Context, who identity.Caller, id string, format invoice.Format, accessToken string) (invoice.File, error)
}

// Keeper is the notification service. Any number may share one store.
//
// What is to be sent is stored, under an id made of its cause, before the fact
// that tells of it is confirmed: a fact heard twice makes one message, and a
// fact whose effect is not stored is rung again. Each attempt is stored before
// it is made. So the one way to send a mail twice is that the provider's
// answer, or our note of it, was lost; such repeats bear the same Message-ID,
// by which mailboxes know them, and are counted.
type Keeper struct {
	o       Options
	docs    *docstore.Collection[document]
	optOuts *docstore.Collection[optOut]
	words   *words
	domain  string
	breaker breaker
	wake    chan struct{} // something is due
	counts  counts
}

var _ Service = (*Keeper)(nil)

// New opens the notification service's documents.
func New(ctx context.Context, o Options) (*Keeper, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("notification service: the sender %q is not an address like Shop <shop@example.com>", o.From)
	}
	if o.ShopName == "" {
		o.ShopName = from.Name
	}
	if u, err := url.Parse(o.PublicURL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("notification service: links cannot lead to %q", o.PublicURL)
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	docs, err := docstore.Open[document](ctx, o.Store, spec)
	if err != nil {
		return nil, fmt.Errorf("notification service: %w", err)
	}
	optOuts, err := docstore.Open[optOut](ctx, o.Store, optOutSpec)
	if err != nil {
		return nil, fmt.Errorf("notification service: %w", err)
	}
	words, err := loadWords()
	if err != nil {
		return nil, fmt.Errorf("notification service: %w", err)
	}
	return &Keeper{
		o: o, docs: docs, optOuts: optOuts, words: words, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:],
		wake: make(chan struct{}, 1),
	}, nil
}

// now is to the millisecond, as documents keep it.
func (k *Keeper) now() time.Time { return k.o.Now().UTC().Truncate(time.Millisecond) }

// insert stores a message, unless it is there already.
func (k *Keeper) insert(ctx context.Context, d *document) error {
	err := k.docs.Insert(ctx, d)
	switch {
	case errors.Is(err, docstore.ErrExists):
		return nil
	case err != nil:
		return fmt.Errorf("notification %s: %w", d.ID, err)
	}
	k.changed(ctx, d)
	return nil
}

// changed has a change told that was written: to the senders, and to who
// watches the order. Should that get lost, sweeps and hubs make up for it.
func (k *Keeper) changed(ctx context.Context, d *document) {
	if d.Due != nil {
		select {
		case k.wake <- struct{}{}:
		default:
		}
	}
	if id := d.orderID(); id != "" && k.o.Bell != nil {
		if version, err := k.version(ctx, d.Subject); err == nil {
			k.o.Bell.Ring(LiveTopic, id, version)
		}
	}
}

// Figures are what the service has counted since it began, for its operator.
type Figures struct {
	Sent            int64
	Deferred        int64 // attempts that the provider put off
	Unreachable     int64 // attempts that no provider answered
	Repeated        int64 // attempts made although an earlier one may have succeeded
	Dead            int64
	MissingLanguage int64 // mails written in English for want of the customer's language
}

type counts struct{ sent, deferred, unreachable, repeated, dead, missing atomic.Int64 }

// Figures are what was counted so far.
func (k *Keeper) Figures() Figures {
	c := &k.counts
	return Figures{
		Sent: c.sent.Load(), Deferred: c.deferred.Load(), Unreachable: c.unreachable.Load(),
		Repeated: c.repeated.Load(), Dead: c.dead.Load(), MissingLanguage: c.missing.Load(),
	}
}
