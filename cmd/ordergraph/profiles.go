package main

import (
	"context"
	"expvar"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/platform/host"
	"ordergraph/platform/telemetry"
)

// startProfiles serves what `go tool pprof` reads, and what this process has
// counted, as JSON.
func (s *serveCmd) startProfiles(ctx context.Context, h *host.Host, metrics *prometheus.Registry) error {
	listener, err := listen(ctx, "DEBUG_ADDR", s.DebugAddr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.Handle("/debug/vars", expvar.Handler())
	mux.Handle("GET /metrics", telemetry.Metrics(metrics))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	h.OnClose("profiles", server.Close)
	h.Work("profiles", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		return server.Serve(listener)
	})
	return nil
}
