package host

import (
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

var connectParams = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
	MinConnectTimeout: 5 * time.Second,
}

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
	conn, err := dial(addr, secret, c.serviceConfig(), more...)
	if err != nil {
		var none S
		return none, nil, fmt.Errorf("dial %s at %s: %w", c.Name, addr, err)
	}
	return c.Dial(conn), conn, nil
}
