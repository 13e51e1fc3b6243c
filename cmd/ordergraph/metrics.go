package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/graph/transport"
	"ordergraph/platform/host"
	"ordergraph/platform/live"
	"ordergraph/platform/telemetry"
)

// startMetrics serves this process's figures at an address of their own. They
// are about nobody, but a competitor would love to read them: so never at
// HTTP_ADDR, which customers reach, and which a proxy on the same machine
// makes public even where it is on loopback.
func (s *serveCmd) startMetrics(ctx context.Context, h *host.Host, metrics *prometheus.Registry) error {
	listener, err := listen(ctx, "METRICS_ADDR", s.MetricsAddr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", telemetry.Metrics(metrics))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	h.OnClose("metrics", server.Close)
	h.Work("metrics", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		return server.Serve(listener)
	})
	return nil
}

// measureConnections counts who is connected to the gateway.
func measureConnections(metrics prometheus.Registerer, front *transport.Server, hub *live.Hub) {
	gauge := func(name, help string, value func() float64) {
		metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("ordergraph_live_connections", "Sockets and event streams that are open.", func() float64 { return float64(front.Connections()) })
	gauge("ordergraph_live_watchers", "Subscriptions that are watched.", func() float64 { return float64(hub.Stats().Streams) })
	gauge("ordergraph_live_bell_connected", "1 while changes are heard from Redis, 0 while they are polled.", func() float64 {
		if hub.Stats().Connected {
			return 1
		}
		return 0
	})
}
