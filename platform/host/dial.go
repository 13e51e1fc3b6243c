package host

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// connectParams let a service that has come be found soon: within the tries of
// a repeatable call, and well within connectFor.
var connectParams = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 500 * time.Millisecond},
	MinConnectTimeout: 5 * time.Second,
}

// connectFor is how long a call waits for a connection that is lost.
const connectFor = 2 * time.Second

// Dial is a client of the service at addr: "host:port", several of them with
// commas between, which take turns, or any gRPC target. It does not wait for
// the other side to be there.
func Dial[S any](c Contract[S], addr, secret string) (S, io.Closer, error) {
	var more []grpc.DialOption
	if hosts := strings.Split(addr, ","); len(hosts) > 1 {
		list := manual.NewBuilderWithScheme("list")
		var state resolver.State
		for _, host := range hosts {
			state.Addresses = append(state.Addresses, resolver.Address{Addr: strings.TrimSpace(host)})
		}
		list.InitialState(state)
		addr, more = "list:///"+c.Name, append(more, grpc.WithResolvers(list))
	}
	conn, err := c.dial(addr, secret, more...)
	if err != nil {
		var none S
		return none, nil, fmt.Errorf("dial %s at %s: %w", c.Name, addr, err)
	}
	return c.Dial(conn), conn, nil
}

// await sends a call. One that is not repeatable, and so has a single try, first
// waits for a connection where there is none: gRPC would fail it at once, though
// the other side may have come and only the next try to connect is not due yet.
func (c Contract[S]) await(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if !slices.Contains(c.Repeatable, path.Base(method)) {
		awaitConnection(ctx, conn)
	}
	return invoke(ctx, method, req, reply, conn, opts...)
}

// awaitConnection ends early enough that the caller learns that the other side
// is away, and not that his own time is up.
func awaitConnection(ctx context.Context, conn *grpc.ClientConn) {
	if conn.GetState() != connectivity.TransientFailure {
		return
	}
	most := connectFor
	if deadline, has := ctx.Deadline(); has {
		most = min(most, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for state := connectivity.TransientFailure; state == connectivity.TransientFailure || state == connectivity.Connecting; state = conn.GetState() {
		if !conn.WaitForStateChange(ctx, state) {
			return
		}
	}
}
