package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/graph"
	"ordergraph/platform/host"
	"ordergraph/platform/live"
	"ordergraph/platform/telemetry"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/demo"
	"ordergraph/services/inventory/inventoryrpc"
	"ordergraph/services/order/orderrpc"
)

// gatewayCalls are the services that the gateway cannot do without.
var gatewayCalls = []string{"catalog", "inventory", "cart", "order"}

// startGateway needs no Redis: without a client, what clients watch is polled.
func (s *serveCmd) startGateway(h *host.Host, log *slog.Logger, client redis.UniversalClient) error {
	log = log.With("service", gateway)
	hub := live.NewHub(live.Options{Client: client, Log: log})
	h.Work("live updates", hub.Run)
	o := graph.Options{
		Log: log, Live: hub,
		Shop: graph.Shop{
			Name: s.ShopName, Currency: s.Currency, Country: s.Country, PublicURL: s.publicURL(h),
			ShipsTo: cart.DefaultRules(s.Currency, s.Country).ShipsTo(),
		},
	}
	var errs [4]error
	o.Catalog, errs[0] = host.Use(h, catalogrpc.Contract)
	o.Inventory, errs[1] = host.Use(h, inventoryrpc.Contract)
	o.Cart, errs[2] = host.Use(h, cartrpc.Contract)
	o.Order, errs[3] = host.Use(h, orderrpc.Contract)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	front := graph.New(o)
	h.Handle("/graphql", logged(log, front))
	h.OnStop("open connections", front.Drain)
	h.Handle(http.MethodGet+" "+demo.PicturePath, demo.Pictures())
	h.Handle("GET /{$}", http.HandlerFunc(s.welcome))
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

// welcome is what a browser sees at the gateway's root until there is a shop.
func (s *serveCmd) welcome(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = fmt.Fprintf(w, "%s speaks GraphQL at /graphql.\n\nTry:\n  curl -s http://%s/graphql -H 'Content-Type: application/json' \\\n    -d '{\"query\":\"{ products(first: 3, query: \\\"mug\\\") { nodes { title handle } } }\"}'\n", s.ShopName, r.Host)
}
