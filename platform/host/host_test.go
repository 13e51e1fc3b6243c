package host_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/telemetry"
)

// door is a service small enough for a test. It travels in gRPC's own health
// messages, and so needs no generated code.
type door interface {
	Knock(ctx context.Context, who identity.Caller, word string) error
}

type doorServer struct {
	healthpb.UnimplementedHealthServer
	door door
}

func (s doorServer) List(ctx context.Context, _ *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	return &healthpb.HealthListResponse{}, s.door.Knock(ctx, host.CallerOf(ctx), "")
}

type doorClient struct{ c healthpb.HealthClient }

func (d doorClient) Knock(ctx context.Context, who identity.Caller, _ string) error {
	_, err := d.c.List(host.WithCaller(ctx, who), &healthpb.HealthListRequest{})
	return err
}

var doorContract = host.Contract[door]{
	Name: "door", Service: "grpc.health.v1.Health", Repeatable: []string{"List"},
	Serve: func(to grpc.ServiceRegistrar, impl door) { healthpb.RegisterHealthServer(to, doorServer{door: impl}) },
	Dial:  func(conn grpc.ClientConnInterface) door { return doorClient{healthpb.NewHealthClient(conn)} },
}

type doorFunc func(ctx context.Context, who identity.Caller) error

func (f doorFunc) Knock(ctx context.Context, who identity.Caller, _ string) error { return f(ctx, who) }

func TestCallerRequestAndDeadlineTravel(t *testing.T) {
	var got identity.Caller
	var request string
	var left time.Duration
	d := hosttest.Loopback(t, doorContract, door(doorFunc(func(ctx context.Context, who identity.Caller) error {
		deadline, _ := ctx.Deadline()
		got, request, left = who, telemetry.RequestID(ctx), time.Until(deadline)
		return nil
	})))
	ctx, cancel := context.WithTimeout(telemetry.WithRequestID(t.Context(), "request-1"), 7*time.Second)
	defer cancel()
	who := identity.Caller{CustomerID: "c1", Roles: []identity.Role{identity.Support, identity.Merchant}}
	if err := d.Knock(ctx, who, ""); err != nil {
		t.Fatal(err)
	}
	if got.CustomerID != "c1" || !got.Is(identity.Support) || !got.Is(identity.Merchant) || got.Is(identity.Admin) {
		t.Errorf("caller: %+v", got)
	}
	if request != "request-1" {
		t.Errorf("request id: %q", request)
	}
	if left <= 0 || left > 7*time.Second {
		t.Errorf("deadline in %v", left)
	}
	if err := d.Knock(t.Context(), identity.Caller{}, ""); err != nil || len(got.Roles) > 0 || left > 31*time.Second {
		t.Errorf("a guest without a deadline: %+v, %v, %v", got, left, err)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	locked := fault.New(fault.Conflict, "door.locked", "The door is locked.")
	var answer error
	d := hosttest.Loopback(t, doorContract, door(doorFunc(func(context.Context, identity.Caller) error { return answer })))
	answer = locked.With("key", "lost")
	if err := d.Knock(t.Context(), identity.Caller{}, ""); !errors.Is(err, locked) || fault.Of(err).Details["key"] != "lost" {
		t.Errorf("%v", err)
	}
	answer = errors.New("secret of this house")
	if err := d.Knock(t.Context(), identity.Caller{}, ""); fault.KindOf(err) != fault.Internal || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

func TestAPanicEndsTheCallAndNotTheProcess(t *testing.T) {
	d := hosttest.Loopback(t, doorContract, door(doorFunc(func(context.Context, identity.Caller) error { panic("ouch") })))
	for range 2 {
		if err := d.Knock(t.Context(), identity.Caller{}, ""); fault.KindOf(err) != fault.Internal {
			t.Errorf("%v", err)
		}
	}
}

func TestRepeatableCallsAreTriedAgain(t *testing.T) {
	var calls atomic.Int32
	d := hosttest.Loopback(t, doorContract, door(doorFunc(func(context.Context, identity.Caller) error {
		if calls.Add(1) < 3 {
			return fault.New(fault.Unavailable, "door.busy", "Somebody is in the way.")
		}
		return nil
	})))
	if err := d.Knock(t.Context(), identity.Caller{}, ""); err != nil || calls.Load() != 3 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
}

func TestStrangersAreNotAdmitted(t *testing.T) {
	server := host.NewServer(slog.New(slog.DiscardHandler), "right")
	doorContract.Serve(server, doorFunc(func(context.Context, identity.Caller) error { return nil }))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	defer server.Stop()
	for secret, want := range map[string]bool{"right": true, "wrong": false, "": false} {
		d, conn, err := host.Dial(doorContract, l.Addr().String(), secret)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Knock(t.Context(), identity.Ourselves(), "")
		if (err == nil) != want || err != nil && fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("secret %q: %v", secret, err)
		}
		_ = conn.Close()
	}
}

func TestSeveralAddressesTakeTurnsAndStandIn(t *testing.T) {
	var calls [2]atomic.Int32
	var addrs []string
	var servers []*grpc.Server
	for i := range calls {
		server := host.NewServer(slog.New(slog.DiscardHandler), "")
		doorContract.Serve(server, doorFunc(func(context.Context, identity.Caller) error { calls[i].Add(1); return nil }))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = server.Serve(l) }()
		defer server.Stop()
		addrs, servers = append(addrs, l.Addr().String()), append(servers, server)
	}
	d, conn, err := host.Dial(doorContract, strings.Join(addrs, ","), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for deadline := time.Now().Add(time.Minute); calls[0].Load() == 0 || calls[1].Load() == 0; {
		if err := d.Knock(t.Context(), identity.Caller{}, ""); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("only one of two was asked")
		}
	}
	servers[0].Stop()
	for range 20 {
		if err := d.Knock(t.Context(), identity.Caller{}, ""); err != nil {
			t.Errorf("one of two is gone: %v", err)
		}
	}
}

func TestUseIsTheServiceItselfOrAClient(t *testing.T) {
	here := newHost(t, host.Options{GRPCAddr: "127.0.0.1:0"})
	own := door(doorFunc(func(context.Context, identity.Caller) error { return nil }))
	// The host serves gRPC's own health service already, so this test's door
	// stands for a service of this process without being served.
	hidden := doorContract
	hidden.Serve = func(grpc.ServiceRegistrar, door) {}
	host.Provide(here, hidden, own)
	if d, err := host.Use(here, hidden); err != nil || d.Knock(t.Context(), identity.Caller{}, "") != nil {
		t.Errorf("%v", err)
	}
	there := newHost(t, host.Options{Addrs: map[string]string{"door": here.GRPCAddr()}})
	if d, err := host.Use(there, doorContract); err != nil {
		t.Error(err)
	} else if _, isClient := d.(doorClient); !isClient {
		t.Errorf("%T", d)
	}
	nowhere := newHost(t, host.Options{})
	if _, err := host.Use(nowhere, doorContract); err == nil || !strings.Contains(err.Error(), "DOOR_ADDR") {
		t.Errorf("%v", err)
	}
}

func newHost(t *testing.T, o host.Options) *host.Host {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	h, err := host.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func TestAPortInUseIsToldAtOnce(t *testing.T) {
	taken := newHost(t, host.Options{HTTPAddr: "127.0.0.1:0"})
	_, err := host.New(host.Options{Log: slog.New(slog.DiscardHandler), HTTPAddr: taken.HTTPAddr()})
	if err == nil || !strings.Contains(err.Error(), "HTTP_ADDR") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}

func TestStopFinishesWhatWasBegun(t *testing.T) {
	h := newHost(t, host.Options{HTTPAddr: "127.0.0.1:0"})
	began, finish := make(chan struct{}), make(chan struct{})
	h.Handle("GET /slow", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-finish
		_, _ = io.WriteString(w, "done")
	}))
	var ended []string
	var healthy atomic.Bool
	healthy.Store(true)
	h.Check("store", func(context.Context) error {
		if !healthy.Load() {
			return errors.New("away")
		}
		return nil
	})
	h.OnClose("store", func() error { ended = append(ended, "store"); return nil })
	h.Work("worker", func(ctx context.Context) error { <-ctx.Done(); ended = append(ended, "worker"); return ctx.Err() })
	ctx, stop := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- h.Run(ctx) }()

	url := "http://" + h.HTTPAddr()
	if code, _ := get(t, url+"/readyz"); code != 200 {
		t.Errorf("ready: %d", code)
	}
	healthy.Store(false)
	if code, body := get(t, url+"/readyz"); code != 503 || !strings.Contains(body, `"store"`) || strings.Contains(body, "away") {
		t.Errorf("not ready: %d %s", code, body)
	}
	if code, _ := get(t, url+"/healthz"); code != 200 {
		t.Errorf("healthy: %d", code)
	}
	answer := make(chan string, 1)
	go func() { _, body := get(t, url+"/slow"); answer <- body }()
	<-began
	stop()
	close(finish)
	if body := <-answer; body != "done" {
		t.Errorf("the request in flight got %q", body)
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
	if strings.Join(ended, " ") != "worker store" {
		t.Errorf("ended in the order %v", ended)
	}
}

// A connection that was taken over from net/http must end by itself, before
// what it stands on is gone.
func TestStopEndsConnectionsThatStayOpen(t *testing.T) {
	h := newHost(t, host.Options{HTTPAddr: "127.0.0.1:0"})
	taken := make(chan net.Conn, 1)
	h.Handle("GET /open", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
		}
		taken <- conn
	}))
	var ended []string
	h.OnStop("broken", func(context.Context) { panic("ouch") })
	h.OnStop("connections", func(ctx context.Context) {
		if _, limited := ctx.Deadline(); !limited || ctx.Err() != nil {
			t.Errorf("no time to stop in: %v", ctx)
		}
		conn := <-taken
		_, _ = io.WriteString(conn, "goodbye")
		_ = conn.Close()
		ended = append(ended, "connections")
	})
	h.Work("worker", func(ctx context.Context) error { <-ctx.Done(); ended = append(ended, "worker"); return ctx.Err() })
	ctx, stop := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- h.Run(ctx) }()

	conn, err := net.Dial("tcp", h.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET /open HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	taken <- <-taken // it is open
	stop()
	if said, err := io.ReadAll(conn); string(said) != "goodbye" || err != nil {
		t.Errorf("the open connection got %q, %v", said, err)
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
	if strings.Join(ended, " ") != "connections worker" {
		t.Errorf("ended in the order %v", ended)
	}
}

func get(t *testing.T, url string) (int, string) {
	resp, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}
