package main

import (
	"errors"
	"expvar"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"ordergraph/graph"
	"ordergraph/platform/cache"
	"ordergraph/platform/host"
	"ordergraph/platform/live"
	"ordergraph/platform/telemetry"
	"ordergraph/services"
	"ordergraph/services/account/accountrpc"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/demo"
	"ordergraph/services/fulfilment/fulfilmentrpc"
	"ordergraph/services/inventory/inventoryrpc"
	"ordergraph/services/invoice/invoicerpc"
	"ordergraph/services/notification/notificationrpc"
	"ordergraph/services/order/orderrpc"
	"ordergraph/services/payment/paymentrpc"
	"ordergraph/web"
)

// gatewayConfig says what clients of the gateway may see and do.
type gatewayConfig struct {
	Origins       []string `name:"origins" env:"ORIGINS" placeholder:"URL,…" group:"Gateway" help:"Origins whose pages may ask and open sockets here, with the customer's cookies, besides the gateway's own: https://shop.example; * for any other, without cookies."`
	Introspection string   `env:"INTROSPECTION" enum:"on,off" default:"on" placeholder:"WHEN" group:"Gateway" help:"Tell clients the schema, by introspection and at /schema.graphql: on or off."`
	Playground    string   `env:"PLAYGROUND" enum:"on,off" default:"on" placeholder:"WHEN" group:"Gateway" help:"Serve the playground at /playground: on or off."`
}

func (c *gatewayConfig) check(wrong *complaints) {
	for _, origin := range c.Origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "") {
			wrong.add("ORIGINS: %s is not an origin like https://shop.example, without a path", origin)
		}
	}
	if c.Introspection == "off" && c.Playground == "on" {
		wrong.add("INTROSPECTION is off, and the playground cannot work without it: set PLAYGROUND=off as well")
	}
}

// startGateway needs no Redis: without a client, what clients watch is polled.
func (s *serveCmd) startGateway(h *host.Host, log *slog.Logger, client *redis.Client, metrics prometheus.Registerer) error {
	log = log.With("service", gateway)
	listening := live.Options{Log: log}
	if client != nil {
		listening.Client = client
	}
	hub := live.NewHub(listening)
	h.Work("live updates", hub.Run)
	o := graph.Options{
		Log: log, Live: hub, Metrics: metrics, Origins: s.Origins, NoIntrospection: s.Introspection == "off",
		Shop: graph.Shop{
			Name: s.ShopName, Currency: s.Currency, Country: s.Country, PublicURL: s.publicURL(h),
			ShipsTo: cart.DefaultRules(s.Currency, s.Country).ShipsTo(),
		},
	}
	persisted := cache.Options{Prefix: "query:", Log: log}
	if client != nil {
		persisted.Redis = client.Options()
	}
	known := cache.New(persisted)
	h.OnClose("persisted queries", known.Close)
	o.Persisted = known
	var errs [9]error
	o.Payment, errs[8] = host.Use(h, paymentrpc.Contract)
	o.Account, errs[4] = host.Use(h, accountrpc.Contract)
	o.Catalog, errs[0] = host.Use(h, catalogrpc.Contract)
	o.Inventory, errs[1] = host.Use(h, inventoryrpc.Contract)
	o.Cart, errs[2] = host.Use(h, cartrpc.Contract)
	o.Order, errs[3] = host.Use(h, orderrpc.Contract)
	o.Fulfilment, errs[5] = host.Use(h, fulfilmentrpc.Contract)
	o.Invoice, errs[6] = host.Use(h, invoicerpc.Contract)
	o.Notification, errs[7] = host.Use(h, notificationrpc.Contract)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	letters, err := services.Letters(h, services.Names())
	if err != nil {
		return err
	}
	o.DeadLetters = letters
	if o.Activity, err = services.Activity(h); err != nil {
		return err
	}
	sessions, err := s.sessions(h, log, hub, o.Account)
	if err != nil {
		return err
	}
	o.Sessions, o.Cookies = sessions, s.cookies(h)
	if err := s.startLimits(h, log, client, &o); err != nil {
		return err
	}
	front := graph.New(o)
	handle := func(pattern string, handler http.Handler) {
		h.Handle(pattern, host.Secured(handler, strings.HasPrefix(s.publicURL(h), "https://")))
	}
	handle("/graphql", logged(log, front))
	handle("/graphql/stream", logged(log, front.Streams()))
	h.OnStop("open connections", front.Drain)
	measureConnections(metrics, front, hub)
	expvar.Publish("connections", expvar.Func(func() any { return front.Connections() }))
	expvar.Publish("live", expvar.Func(func() any { return hub.Stats() }))
	handle("GET "+graph.InvoicePath, logged(log, graph.Invoices(o)))
	if s.Introspection == "on" {
		handle("GET /schema.graphql", graph.Schema())
	}
	handle(http.MethodGet+" "+demo.PicturePath, demo.Pictures())
	if s.Playground == "on" {
		handle("GET "+web.PlaygroundPath, web.Playground())
	}
	handle("/", web.Storefront(web.StorefrontOptions{ShopName: s.ShopName, Test: !s.Production && s.inTest(), API: front, Instead: http.HandlerFunc(s.welcome)}))
	return nil
}

// logged notes every request at level DEBUG, under the id it was answered with.
func logged(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		next.ServeHTTP(w, r)
		ctx := telemetry.WithRequestID(r.Context(), w.Header().Get("X-Request-Id"))
		log.DebugContext(ctx, "answered", "method", r.Method, "took", time.Since(began))
	})
}

// welcome is what a browser sees at the root of a gateway that was built
// without the storefront.
func (s *serveCmd) welcome(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	playground := ""
	if s.Playground == "on" {
		playground = fmt.Sprintf(", and lets you try it at http://%s%s", r.Host, web.PlaygroundPath)
	}
	_, _ = fmt.Fprintf(w, "%s speaks GraphQL at /graphql%s.\n\nTry:\n  curl -s http://%s/graphql -H 'Content-Type: application/json' \\\n    -d '{\"query\":\"{ products(first: 3, query: \\\"mug\\\") { nodes { title handle } } }\"}'\n", s.ShopName, playground, r.Host)
}
