// Package hosttest puts a real gRPC connection between a test and a service.
package hosttest

import (
	"log/slog"
	"net"
	"testing"

	"ordergraph/platform/host"
)

// Loopback serves impl over gRPC on a loopback port and returns the client
// that another process would have. Both end with the test.
func Loopback[S any](t testing.TB, contract host.Contract[S], impl S) S {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "loopback"
	server := host.NewServer(slog.New(slog.DiscardHandler), secret)
	contract.Serve(server, impl)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	client, conn, err := host.Dial(contract, listener.Addr().String(), secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return client
}
