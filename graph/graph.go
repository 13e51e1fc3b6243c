// Package graph is the shop's front door for programs: one GraphQL gateway
// over the services.
//
// The resolvers translate between the schema and the services and decide
// nothing. There is one file of them for each file of the schema; what they
// share stands in files named by what it does.
package graph

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/graph/gengql"
	"ordergraph/graph/session"
	"ordergraph/graph/transport"
	"ordergraph/graph/view"
	"ordergraph/platform/activity"
	"ordergraph/platform/cache"
	"ordergraph/platform/deadletter"
	"ordergraph/platform/live"
	"ordergraph/services/account"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
	"ordergraph/services/fulfilment"
	"ordergraph/services/inventory"
	"ordergraph/services/invoice"
	"ordergraph/services/notification"
	"ordergraph/services/order"
	"ordergraph/services/payment"
)

// Options of the gateway. The services must be set; all else has a default.
type Options struct {
	Account      account.Service
	Catalog      catalog.Service
	Cart         cart.Service
	Order        order.Service
	Inventory    inventory.Service
	Payment      payment.Service // nil: nobody sees what was asked of the card processor
	Fulfilment   fulfilment.Service
	Live         *live.Hub            // nil: nothing can be watched
	Invoice      invoice.Service      // nil: there are no invoices
	Notification notification.Service // nil: nobody sees what customers are told

	DeadLetters deadletter.Desk // nil: nobody sees any
	Activity    activity.Board  // nil: nobody sees what the shop is doing

	Log             *slog.Logger               // nil logs nothing
	Shop            Shop                       // who sells
	Limits          Limits                     // zero fields take DefaultLimits
	Charges         Charges                    // without Budgets nobody is charged
	Sessions        transport.Sessions         // nil: everyone is a guest
	Cookies         session.Cookies            // how sessions are kept in browsers
	Address         func(*http.Request) string // where a request comes from; nil: the address of its connection
	Persisted       transport.Documents        // documents known by their hash; nil: this process remembers them by itself
	Safelist        *Safelist                  // nothing but these operations is admitted; nil: all that are valid
	Origins         []string                   // whose pages may ask and open sockets, besides our own; "*": any, without cookies
	NoIntrospection bool                       // keep the schema to ourselves
	Metrics         prometheus.Registerer      // nil: nothing is measured
	Gather          time.Duration              // how long a lookup waits for others to share its call; 200 µs by default
}

// Shop describes the shop to its customers.
type Shop struct {
	Name      string   // "Ordergraph" by default
	About     string   // a sentence
	Currency  string   // ISO 4217; "EUR" by default
	Country   string   // ISO 3166-1 alpha-2; "DE" by default
	ShipsTo   []string // countries; none means its own
	PublicURL string   // of the web shop, for links and pictures; "http://localhost:8080" by default
}

// Limits protect the gateway from operations that ask for too much. Each
// error names its limit.
type Limits struct {
	transport.Limits
	Tokens     int   // words and signs of a document
	Depth      int   // fields within fields
	Aliases    int   // renamed fields, fragments counted as often as they are used; and repetitions of one field in one selection
	Page       int   // the greatest first or last
	Complexity int64 // fields of the answer, as far as they can be foreseen
}

// DefaultLimits leave room for the operations of large storefronts.
var DefaultLimits = Limits{
	Limits: transport.Limits{
		Body:        256 << 10,
		Time:        20 * time.Second,
		Files:       10 << 20,
		FilesTime:   time.Minute,
		Connections: 50_000,
		PerAddress:  1_000,
		Streams:     100,
		InitWithin:  10 * time.Second,
		SendWithin:  10 * time.Second,
		KeepAlive:   20 * time.Second,
	},
	Tokens:     6_000,
	Depth:      15,
	Aliases:    100,
	Page:       250,
	Complexity: 500_000,
}

// cachedDocuments is how many parsed documents are kept, and cachedSize up to
// how many bytes each: storefronts send few different ones.
const (
	cachedDocuments = 1_000
	cachedSize      = 16 << 10
)

// New is the gateway as an HTTP handler, which serves whatever path it is
// mounted on. It is to be drained when the process stops.
func New(o Options) *transport.Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	limits := o.Limits.orDefault()
	if o.Sessions == nil {
		o.Sessions = transport.Guests{}
	}
	if o.Address == nil {
		o.Address = transport.RemoteHost
	}
	r := &Resolver{
		deadLetters: o.DeadLetters, activity: o.Activity,
		account: o.Account, catalog: o.Catalog, cart: o.Cart, order: o.Order, inventory: o.Inventory, payment: o.Payment, fulfilment: o.Fulfilment, invoice: o.Invoice,
		notification: o.Notification,
		shop:         o.Shop.view(), gather: cmp.Or(o.Gather, gatherFor), sessions: o.Sessions, cookies: o.Cookies, address: o.Address,
	}

	exec := executor.New(gengql.NewExecutableSchema(gengql.Config{Resolvers: r, Directives: gengql.DirectiveRoot{HasPermission: hasPermission}}))
	r.present = presenter{o.Log}.present
	r.watch(o.Live)
	exec.SetErrorPresenter(r.present)
	exec.SetRecoverFunc(presenter{o.Log}.recover)
	exec.SetParserTokenLimit(limits.Tokens)
	known := newDocuments(cachedDocuments, cachedSize)
	exec.SetQueryCache(known)
	if o.NoIntrospection {
		exec.SetDisableSuggestion(true)
		exec.SetDefaultRulesFn(withoutHints)
	} else {
		exec.Use(extension.Introspection{})
	}
	if o.Persisted == nil {
		o.Persisted = cache.New(cache.Options{Log: o.Log})
	}
	guard := guard{limits: limits, known: known, hidden: o.NoIntrospection}
	var waste func(context.Context, *http.Request) *gqlerror.Error
	if o.Charges.Budgets != nil {
		guard.till = &till{o.Charges.orDefault()}
		waste = func(ctx context.Context, from *http.Request) *gqlerror.Error {
			return guard.till.waste(ctx, o.Address(from))
		}
		exec.Use(guard.till)
	}
	if o.Safelist != nil {
		o.Persisted = o.Safelist
	}
	exec.Use(transport.PersistedQueries{Known: o.Persisted, Only: o.Safelist != nil})
	exec.Use(guard)
	if o.Metrics != nil {
		exec.Use(newMeter(o.Metrics))
	}
	exec.Use(leaves{})

	return transport.New(transport.Options{
		Exec:     exec,
		Sessions: o.Sessions,
		Begin:    r.begin,
		Refresh:  r.refresh,
		Address:  o.Address,
		Files:    mayImport,
		Waste:    waste,
		Origins:  o.Origins,
		Limits:   limits.Limits,
		Log:      o.Log,
	})
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	return Limits{
		Limits: transport.Limits{
			Body:        cmp.Or(l.Body, d.Body),
			Time:        cmp.Or(l.Time, d.Time),
			Files:       cmp.Or(l.Files, d.Files),
			FilesTime:   cmp.Or(l.FilesTime, d.FilesTime),
			Connections: cmp.Or(l.Connections, d.Connections),
			PerAddress:  cmp.Or(l.PerAddress, d.PerAddress),
			Streams:     cmp.Or(l.Streams, d.Streams),
			InitWithin:  cmp.Or(l.InitWithin, d.InitWithin),
			SendWithin:  cmp.Or(l.SendWithin, d.SendWithin),
			KeepAlive:   cmp.Or(l.KeepAlive, d.KeepAlive),
		},
		Tokens:     cmp.Or(l.Tokens, d.Tokens),
		Depth:      cmp.Or(l.Depth, d.Depth),
		Aliases:    cmp.Or(l.Aliases, d.Aliases),
		Page:       cmp.Or(l.Page, d.Page),
		Complexity: cmp.Or(l.Complexity, d.Complexity),
	}
}

func (s Shop) view() *view.Shop {
	or := func(s, d string) string {
		if s == "" {
			return d
		}
		return s
	}
	v := &view.Shop{
		Name:      or(s.Name, "Ordergraph"),
		About:     s.About,
		Currency:  or(s.Currency, "EUR"),
		Country:   or(s.Country, "DE"),
		ShipsTo:   s.ShipsTo,
		PublicURL: strings.TrimRight(or(s.PublicURL, "http://localhost:8080"), "/"),
	}
	v.MoneyFormat = (&view.Localization{Shop: v, Here: v.Country}).Country().Currency().Symbol() + "{{amount}}"
	return v
}
