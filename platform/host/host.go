// Package host runs services: those of this process behind its ports, and
// those of other processes behind clients that look the same.
//
// A caller gets a service with Use and cannot tell whether it is the
// implementation itself or a gRPC client of it; where it runs is decided once,
// when the process starts.
package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"ordergraph/platform/work"
)

// StopWithin is how long a process may take to stop: two thirds to finish
// what it has accepted, the rest to close what it has open.
const StopWithin = 10 * time.Second

// Options of a Host.
type Options struct {
	Log      *slog.Logger
	HTTPAddr string            // "" serves no HTTP
	GRPCAddr string            // "" serves no gRPC
	Secret   string            // what processes of the shop show each other; "" admits anyone
	Addrs    map[string]string // where services run that do not run here, by name

	HeaderWithin time.Duration // how long a client may take to send the header of a request; 10 seconds by default
}

// A Host is one process of the shop. Build it with New, fill it, Run it once.
type Host struct {
	o        Options
	mux      *http.ServeMux
	http     net.Listener
	grpc     net.Listener
	server   *grpc.Server
	health   *health.Server
	here     map[string]any
	remotes  map[string]any // clients dialled so far
	checks   []check
	workers  []work.Part
	stoppers []stopper
	closers  []closer
	mu       sync.Mutex
	stopping bool
}

type check struct {
	name string
	ping func(context.Context) error
}

type stopper struct {
	name string
	stop func(context.Context)
}

type closer struct {
	name  string
	close func() error
}

// New takes the ports, so that a port in use is told before anything starts.
func New(o Options) (*Host, error) {
	h := &Host{o: o, mux: http.NewServeMux(), here: map[string]any{}, remotes: map[string]any{}}
	var err error
	if h.http, err = listen("HTTP_ADDR", o.HTTPAddr); err != nil {
		return nil, err
	}
	if h.grpc, err = listen("GRPC_ADDR", o.GRPCAddr); err != nil {
		if h.http != nil {
			_ = h.http.Close()
		}
		return nil, err
	}
	h.server = NewServer(o.Log, o.Secret)
	h.health = health.NewServer()
	healthpb.RegisterHealthServer(h.server, h.health)
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n")
	})
	h.mux.HandleFunc("GET /readyz", h.ready)
	return h, nil
}

func listen(variable, addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s=%s: this port is in use, perhaps by another ordergraph; stop that or set %s to another address", variable, addr, variable)
	case err != nil:
		return nil, fmt.Errorf("%s=%s: cannot listen: %w", variable, addr, err)
	}
	return l, nil
}

// HTTPAddr is the address that HTTP is served on, with the port it got.
func (h *Host) HTTPAddr() string { return addrOf(h.http) }

// GRPCAddr is the address that gRPC is served on, with the port it got.
func (h *Host) GRPCAddr() string { return addrOf(h.grpc) }

func addrOf(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Provide makes impl the service of this process: for callers here, and for
// other processes if gRPC is served.
func Provide[S any](h *Host, c Contract[S], impl S) {
	h.here[c.Name] = impl
	c.Serve(h.server, impl)
	h.health.SetServingStatus(c.Service, healthpb.HealthCheckResponse_SERVING)
}

// Use is the service: the implementation where it runs here, and otherwise a
// client of the process that Options.Addrs names.
func Use[S any](h *Host, c Contract[S]) (S, error) {
	if s, ok := h.here[c.Name]; ok {
		return s.(S), nil
	}
	if s, ok := h.remotes[c.Name]; ok {
		return s.(S), nil
	}
	var none S
	service := cmp.Or(c.Of, c.Name)
	addr := h.o.Addrs[service]
	if addr == "" {
		return none, fmt.Errorf("the %s service does not run in this process: set %s_ADDR to where it runs (host:port), or serve it here too", service, strings.ToUpper(service))
	}
	client, conn, err := Dial(c, addr, h.o.Secret)
	if err != nil {
		return none, err
	}
	h.remotes[c.Name] = client
	h.OnClose("connection to "+c.Name, conn.Close)
	return client, nil
}

// Handle serves HTTP requests that match the pattern, as http.ServeMux does.
func (h *Host) Handle(pattern string, handler http.Handler) { h.mux.Handle(pattern, handler) }

// Work runs in the background, at most until the process stops. If it fails,
// that is logged and it starts again, with growing patience; nil ends it.
func (h *Host) Work(name string, run func(context.Context) error) {
	h.workers = append(h.workers, work.Part{Name: name, Run: run})
}

// Check is asked by /readyz: the process is ready while every check is nil.
// Put here what this process cannot work without and nobody else can replace;
// not other services, or one that is down would take the rest with it.
func (h *Host) Check(name string, ping func(context.Context) error) {
	h.checks = append(h.checks, check{name, ping})
}

// OnStop is called when the process begins to stop, while requests in flight
// finish and workers still run: for connections that would stay open, of
// which net/http does not know or for which it would wait in vain. stop
// returns when they have ended, or when ctx ends.
func (h *Host) OnStop(name string, stop func(ctx context.Context)) {
	h.stoppers = append(h.stoppers, stopper{name, stop})
}

// OnClose is called when everything that runs has ended, the last first.
func (h *Host) OnClose(name string, close func() error) {
	h.closers = append(h.closers, closer{name, close})
}

// Close releases what was opened, for a Host that is not run.
func (h *Host) Close() error {
	for _, l := range []net.Listener{h.http, h.grpc} {
		if l != nil {
			_ = l.Close()
		}
	}
	return h.closeAll()
}

func (h *Host) closeAll() error {
	var errs []error
	for _, c := range slices.Backward(h.closers) {
		if err := c.close(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", c.name, err))
		}
	}
	h.closers = nil
	return errors.Join(errs...)
}

// Run serves until ctx ends, then stops in order: no longer ready, requests
// in flight finish and connections that stay open end, workers end, stores
// close; within StopWithin.
func (h *Host) Run(ctx context.Context) error {
	web := &http.Server{
		Handler:           h.mux,
		Protocols:         protocols(),
		ReadHeaderTimeout: cmp.Or(h.o.HeaderWithin, 10*time.Second),
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(h.o.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 2)
	if h.http != nil {
		go func() { failed <- web.Serve(h.http) }()
	}
	if h.grpc != nil {
		go func() { failed <- h.server.Serve(h.grpc) }()
	}

	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	var workers sync.WaitGroup
	workers.Go(func() { work.Keep(working, h.o.Log, h.workers...) })

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
		cause = fmt.Errorf("serve: %w", cause)
	}

	h.o.Log.Info("stopping: finishing what was begun")
	h.mu.Lock()
	h.stopping = true
	h.mu.Unlock()
	h.health.Shutdown()

	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopWithin*2/3)
	defer cancel()
	var drained sync.WaitGroup
	for _, s := range h.stoppers {
		drained.Go(func() { h.stop(drain, s) })
	}
	drained.Go(func() {
		if err := web.Shutdown(drain); err != nil {
			_ = web.Close()
		}
	})
	drained.Go(func() {
		done := make(chan struct{})
		go func() { h.server.GracefulStop(); close(done) }()
		select {
		case <-done:
		case <-drain.Done():
			h.server.Stop()
			<-done
		}
	})
	drained.Wait()
	stopWorking()
	if !waitFor(&workers, StopWithin/4) {
		h.o.Log.Warn("a worker did not end in time")
	}
	return errors.Join(cause, h.closeAll())
}

// protocols are those of clients and proxies: HTTP/1.1, which sockets need, and
// HTTP/2 without TLS, which ends before us.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

func (h *Host) stop(ctx context.Context, s stopper) {
	defer func() {
		if p := recover(); p != nil {
			h.o.Log.ErrorContext(ctx, "panic while stopping", "of", s.name, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	s.stop(ctx)
	if ctx.Err() != nil {
		h.o.Log.WarnContext(ctx, "did not end in time", "of", s.name)
	}
}

func waitFor(group *sync.WaitGroup, most time.Duration) bool {
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(most):
		return false
	}
}

// ready answers 200 while every check passes and 503 otherwise, with each
// check's state as JSON. Errors themselves go to the log: they may name hosts.
func (h *Host) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	h.mu.Lock()
	stopping := h.stopping
	h.mu.Unlock()

	type result struct {
		Name string `json:"name"`
		OK   bool   `json:"ok"`
	}
	results := make([]result, len(h.checks))
	var all sync.WaitGroup
	for i, c := range h.checks {
		all.Go(func() {
			err := work.Safely(func() error { return c.ping(ctx) })
			results[i] = result{c.name, err == nil}
			if err != nil {
				h.o.Log.WarnContext(ctx, "not ready", "check", c.name, "error", err)
			}
		})
	}
	all.Wait()
	slices.SortFunc(results, func(a, b result) int { return cmp.Compare(a.Name, b.Name) })
	status := http.StatusOK
	if stopping || slices.ContainsFunc(results, func(r result) bool { return !r.OK }) {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": status == http.StatusOK, "stopping": stopping, "checks": results})
}
