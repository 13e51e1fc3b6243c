package host_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/host"
)

// web runs a host that serves HTTP until the test ends.
func web(t *testing.T, o host.Options, handler http.Handler) *host.Host {
	t.Helper()
	o.Log, o.HTTPAddr = slog.New(slog.DiscardHandler), "127.0.0.1:0"
	h, err := host.New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.Handle("/", handler)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return h
}

func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text+" over "+r.Proto) })
}

// Who sends a header bit by bit, and never all of it, is sent away, and holds
// nobody else up meanwhile.
func TestSlowClientsAreSentAway(t *testing.T) {
	h := web(t, host.Options{HeaderWithin: 5 * time.Second}, say("served"))
	slow, err := net.Dial("tcp", h.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	if _, err := io.WriteString(slow, "GET / HTTP/1.1\r\nHost: shop\r\n"); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, slow)
	}()
	resp, err := http.Get("http://" + h.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for give := time.After(30 * time.Second); ; {
		select {
		case <-gone:
			return
		case <-tick.C:
			_, _ = io.WriteString(slow, "X-Slow: 1\r\n") // it shows signs of life
		case <-give:
			t.Fatal("it is still waited for")
		}
	}
}

func TestLongHeadersAreRefused(t *testing.T) {
	h := web(t, host.Options{}, say("served"))
	for name, request := range map[string]string{
		"one long":  "GET / HTTP/1.1\r\nHost: shop\r\nX-Long: " + strings.Repeat("x", 100<<10) + "\r\n\r\n",
		"many":      "GET / HTTP/1.1\r\nHost: shop\r\n" + strings.Repeat("X-Many: 12345678\r\n", 8<<10) + "\r\n",
		"long path": "GET /" + strings.Repeat("x", 100<<10) + " HTTP/1.1\r\nHost: shop\r\n\r\n",
	} {
		status, err := refusal(h, request)
		// Who does not look at once may find the answer gone, since the server
		// hangs up with what it has not read.
		for tries := 0; err != nil && tries < 20; tries++ {
			status, err = refusal(h, request)
		}
		if status != http.StatusRequestHeaderFieldsTooLarge || err != nil {
			t.Errorf("%s: %d, %v", name, status, err)
		}
	}
}

// refusal sends a request and returns the status of its answer.
func refusal(h *host.Host, request string) (status int, err error) {
	conn, err := net.Dial("tcp", h.HTTPAddr())
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}

func TestHTTP2WithoutTLS(t *testing.T) {
	h := web(t, host.Options{}, say("served"))
	for _, major := range []int{1, 2} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(major == 1)
		protocols.SetUnencryptedHTTP2(major == 2)
		client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
		resp, err := client.Get("http://" + h.HTTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		client.CloseIdleConnections()
		if want := fmt.Sprintf("served over HTTP/%d.", major); err != nil || !strings.HasPrefix(string(text), want) {
			t.Errorf("%s, %v", text, err)
		}
	}
}

func TestSecured(t *testing.T) {
	h := web(t, host.Options{}, host.Secured(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
	}), true))
	resp, err := http.Get("http://" + h.HTTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'self'", "Strict-Transport-Security": "max-age=63072000",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
