// Package memnet is a network that never leaves the process.
//
// A test whose servers are reached over it may run in a bubble of
// testing/synctest, where time passes only while everybody waits: real HTTP,
// and yet nothing in it depends on how fast the machine is.
package memnet

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A Dial reaches one server, whatever the address it is asked for.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Serve answers HTTP with the handler until the test ends.
func Serve(t testing.TB, handler http.Handler) Dial {
	l := Listen()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Dial
}

// A Listener accepts the connections that its Dial makes.
type Listener struct {
	dialled chan net.Conn
	closed  chan struct{}
	close   func()
}

var _ net.Listener = (*Listener)(nil)

// Listen begins to listen.
func Listen() *Listener {
	closed := make(chan struct{})
	return &Listener{dialled: make(chan net.Conn), closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

// Dial waits until the connection is accepted.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.dialled <- there:
		return here, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.dialled:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and refuses who dials from now on; connections stay open.
func (l *Listener) Close() error {
	l.close()
	return nil
}

// Addr is an address by which nobody else can reach it.
func (l *Listener) Addr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "memnet" }
func (addr) String() string  { return "localhost" }
