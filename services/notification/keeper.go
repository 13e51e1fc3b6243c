package notification

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.mongodb.org/mongo-driver/v2/bson"

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
	Orders    order.Reader
	Recent    *order.Recent // of Orders, where services of this process share it; nil: one of its own
	Invoices  Invoices      // nil: mails go without invoices, and none are promised
	Parcels   Parcels       // nil: nobody learns how to follow a parcel
	// MailUnknown and SMSUnknown are what follows when nobody knows whether a
	// provider took a message; "": Repeat for mail, Lookup for SMS.
	MailUnknown Policy
	SMSUnknown  Policy
	Grace       time.Duration    // how long a confirmation waits for its invoice; 0: 3 s; negative: not at all
	QuietHours  QuietHours       // in which no SMS goes out that can wait
	Workers     int              // messages of one channel on their way at once; 0: 8
	From        string           // the shop's address; Message-IDs are of its domain
	ShopName    string           // signs the mails; "": the name in From
	PublicURL   string           // where links lead to
	OrderPage   string           // the address of an order's page, up to its id; "": there is none
	Logo        []byte           // a PNG that mails show; nil: none
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger     // nil: silent
}

const (
	grace   = 3 * time.Second
	workers = 8
)

// Accounts are as much of account.Service as mails are made of.
type Accounts interface {
	Mail(ctx context.Context, who identity.Caller, id string) (account.Mail, error)
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
	o        Options
	docs     *docstore.Collection[document]
	outlines *docstore.Collection[outline] // the same documents; only read
	optOuts  *docstore.Collection[optOut]
	words    *words
	domain   string
	mail     *channel
	sms      *channel
	relay    *events.Relay[document] // nil where nobody listens
	states   *prometheus.CounterVec
	counts   struct{ missing atomic.Int64 }
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
	if o.Recent == nil {
		o.Recent = order.NewRecent(o.Orders)
	}
	if len(o.Mailers) == 0 {
		return nil, errors.New("notification service: it has no mail provider")
	}
	for _, p := range []struct {
		policy  *Policy
		channel Channel
	}{{&o.MailUnknown, Mail}, {&o.SMSUnknown, SMS}} {
		policy, err := ParsePolicy(string(*p.policy), p.channel)
		if err != nil {
			return nil, fmt.Errorf("notification service: unknown outcomes of %s: %w", p.channel, err)
		}
		*p.policy = policy
	}
	switch {
	case o.Grace < 0 || o.Invoices == nil:
		o.Grace = 0
	case o.Grace == 0:
		o.Grace = grace
	}
	o.Workers = cmp.Or(o.Workers, workers)
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
	outlines, err := docstore.Open[outline](ctx, o.Store, spec)
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
	k := &Keeper{
		o: o, states: newEnded(), docs: docs, outlines: outlines, optOuts: optOuts, words: words, domain: from.Address[strings.LastIndexByte(from.Address, '@')+1:],
		mail: newChannel(Mail, o.MailUnknown, len(o.Mailers), func(i int) *route { return &route{mailer: o.Mailers[i]} }),
		sms:  newChannel(SMS, o.SMSUnknown, len(o.Texters), func(i int) *route { return &route{texter: o.Texters[i]} }),
	}
	if o.Bus != nil && len(o.Listeners) > 0 {
		k.relay = events.NewRelay(o.Bus, Topic, docs, func(d *document) *events.Outbox { return &d.Outbox }, events.RelayOptions{
			Now: o.Now, Log: o.Log, About: func(orderID string) docstore.Query {
				return docstore.Query{Index: "subject", Equal: []any{OrderSubject(orderID)}}
			},
		})
	}
	return k, nil
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
	k.changed(d)
	return nil
}

// end says that nothing is left to do about a message that is about to be
// written, and puts the fact of it there. Without listeners there is none.
func (k *Keeper) end(d *document, status Status, now time.Time) {
	d.end(status, now)
	switch status {
	case Sent, Delivered, Undelivered, Dead:
	default:
		return
	}
	id := d.orderID()
	if id == "" || len(k.o.Listeners) == 0 {
		return
	}
	data, err := bson.Marshal(Told{ID: d.ID, Kind: d.Kind, Channel: d.Channel, Status: status})
	if err != nil {
		panic(fmt.Sprintf("notification: encode a fact: %v", err)) // four plain fields always encode
	}
	d.Outbox.AddLatest(now, events.Fact{
		ID: fmt.Sprintf("%s:%d:%s", d.ID, d.Shown, FactTold), Type: FactTold, Doc: d.ID, Key: id, At: now, Data: data,
	}, k.o.Listeners...)
}

// changed has a change told that was written: to the senders, to services, and
// to who watches the order. Should that get lost, the sweeps, the relay and
// the hubs make up for it.
func (k *Keeper) changed(d *document) {
	if d.Due != nil && !d.Due.After(k.now()) {
		k.channel(d.Channel).poke()
	}
	if k.relay != nil {
		k.relay.Ring(d)
	}
	if id := d.orderID(); id != "" {
		k.o.Bell.Ring(LiveTopic, id, live.Changed)
	}
}
