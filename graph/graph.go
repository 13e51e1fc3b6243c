// Package graph is the shop's front door for programs: one GraphQL gateway
// over the services.
//
// The resolvers translate between the schema and the services and decide
// nothing. There is one file of them for each file of the schema; what they
// share stands in files named by what it does.
package graph

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/extension"

	"ordergraph/graph/gengql"
	"ordergraph/graph/transport"
	"ordergraph/graph/view"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// Options of the gateway. The services must be set; all else has a default.
type Options struct {
	Catalog   catalog.Service
	Cart      cart.Service
	Order     order.Service
	Inventory inventory.Service

	Log    *slog.Logger                        // nil logs nothing
	Shop   Shop                                // who sells
	Limits Limits                              // zero fields take DefaultLimits
	Caller func(*http.Request) identity.Caller // nil: everyone is a guest
	Gather time.Duration                       // how long a lookup waits for others to share its call; 200 µs by default
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
	Body       int64         // bytes of a request
	Tokens     int           // words and signs of a document
	Depth      int           // fields within fields
	Aliases    int           // renamed fields, fragments counted as often as they are used; and repetitions of one field in one selection
	Page       int           // the greatest first or last
	Complexity int64         // fields of the answer, as far as they can be foreseen
	Time       time.Duration // for one operation
}

// DefaultLimits leave room for the operations of large storefronts.
var DefaultLimits = Limits{
	Body:       256 << 10,
	Tokens:     6_000,
	Depth:      15,
	Aliases:    100,
	Page:       250,
	Complexity: 500_000,
	Time:       20 * time.Second,
}

// cachedDocuments is how many parsed documents are kept, and cachedSize up to
// how many bytes each: storefronts send few different ones.
const (
	cachedDocuments = 1_000
	cachedSize      = 16 << 10
)

// New is the gateway as an HTTP handler; it serves whatever path it is
// mounted on.
func New(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	limits := o.Limits.orDefault()
	r := &Resolver{catalog: o.Catalog, cart: o.Cart, order: o.Order, inventory: o.Inventory, shop: o.Shop.view(), gather: cmp.Or(o.Gather, gatherFor)}

	exec := executor.New(gengql.NewExecutableSchema(gengql.Config{Resolvers: r}))
	exec.SetErrorPresenter(presenter{o.Log}.present)
	exec.SetRecoverFunc(presenter{o.Log}.recover)
	exec.SetParserTokenLimit(limits.Tokens)
	known := newDocuments(cachedDocuments, cachedSize)
	exec.SetQueryCache(known)
	exec.Use(extension.Introspection{})
	exec.Use(guard{limits, known})
	exec.Use(leaves{})

	caller := o.Caller
	if caller == nil {
		caller = func(*http.Request) identity.Caller { return identity.Caller{} }
	}
	return &transport.HTTP{
		Exec:    exec,
		MaxBody: limits.Body,
		Time:    limits.Time,
		Log:     o.Log,
		Begin:   r.begin(caller),
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	if l.Body > 0 {
		d.Body = l.Body
	}
	if l.Tokens > 0 {
		d.Tokens = l.Tokens
	}
	if l.Depth > 0 {
		d.Depth = l.Depth
	}
	if l.Aliases > 0 {
		d.Aliases = l.Aliases
	}
	if l.Page > 0 {
		d.Page = l.Page
	}
	if l.Complexity > 0 {
		d.Complexity = l.Complexity
	}
	if l.Time > 0 {
		d.Time = l.Time
	}
	return d
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
