package host_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/test/memnet"
)

// A process that began before the service it calls knows it is away. The first
// change after the service has come finds it; until then changes fail, soon.
func TestAChangeWaitsForAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var there atomic.Pointer[memnet.Listener]
		once := doorContract
		once.Repeatable = nil
		d, conn, err := host.DialOver(once, grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			if l := there.Load(); l != nil {
				return l.Dial(ctx, "", addr)
			}
			return nil, errors.New("nobody is there")
		}))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		knock := func(within time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			return d.Knock(ctx, identity.Caller{}, "")
		}
		for _, within := range []time.Duration{time.Hour, time.Hour, time.Second} {
			if err := knock(within); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("nobody is there: %v", err)
			}
		}
		time.Sleep(time.Minute) // the tries to connect are as rare as they get

		calls := 0
		server := host.NewServer(slog.New(slog.DiscardHandler), "")
		once.Serve(server, doorFunc(func(context.Context, identity.Caller) error { calls++; return nil }))
		l := memnet.Listen()
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(l) }()
		there.Store(l)
		if err := knock(time.Hour); err != nil || calls != 1 {
			t.Errorf("the service has come: %v, %d calls", err, calls)
		}
		_ = conn.Close()
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
