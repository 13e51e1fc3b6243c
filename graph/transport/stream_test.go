package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/graph/transport"
	"ordergraph/test/memnet"
)

// listener reads a stream event by event.
type listener struct {
	t        *testing.T
	response *http.Response
	buffered *bufio.Reader
}

// listen opens an event stream and waits until it is open.
func (h *house) listen(t *testing.T, subscription string, more ...string) *listener {
	t.Helper()
	response := h.ask(t, "POST", "/graphql", sse, `{"query":"`+subscription+`"}`, more...)
	l := &listener{t: t, response: response, buffered: bufio.NewReader(response.Body)}
	if response.StatusCode != 200 {
		t.Fatalf("status %d: %s", response.StatusCode, all(t, response))
	}
	l.want(beat)
	return l
}

// event is the next one, beats included; "" at the end.
func (l *listener) event() string {
	l.t.Helper()
	give := time.AfterFunc(30*time.Second, func() { _ = l.response.Body.Close() })
	defer give.Stop()
	var event strings.Builder
	for !strings.HasSuffix(event.String(), "\n\n") {
		line, err := l.buffered.ReadString('\n')
		event.WriteString(line)
		if err != nil {
			break
		}
	}
	return event.String()
}

func (l *listener) want(events ...string) {
	l.t.Helper()
	for _, want := range events {
		if got := l.event(); got != want {
			l.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func (h *house) wantEmpty(t *testing.T) {
	t.Helper()
	until(t, "nothing is open any more", func() bool { return h.trial.open.Load() == 0 && h.Connections() == 0 })
}

// The server's own timeouts are for requests and single answers.
func TestStreamsOutliveTheServersTimeouts(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, accept := range []string{sse, `multipart/mixed;subscriptionSpec="1.0"`} {
			t.Run(fmt.Sprintf("HTTP/2 %v, %s", http2, accept), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { outlive(t, http2, accept) })
			})
		}
	}
}

func outlive(t *testing.T, http2 bool, accept string) {
	const short = 2 * time.Second
	h := &house{trial: newTrial(), keys: &keys{}}
	h.Server = transport.New(h.options(func(o *transport.Options) { o.Limits.SendWithin, o.Limits.Time = short, short }))
	network := memnet.Listen()
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetUnencryptedHTTP2(http2)
	server := &http.Server{Handler: h.Server, ReadTimeout: short, WriteTimeout: short, Protocols: &protocols}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(network) })
	client := &http.Client{Transport: &http.Transport{DialContext: network.Dial, Protocols: &protocols}}
	defer func() {
		client.CloseIdleConnections()
		_ = server.Close()
		serving.Wait()
	}()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://shop.example/graphql", strings.NewReader(`{"query":"subscription{feed}"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 0, 4096)
	for i := range 3 {
		h.trial.feed <- i
		for want := fmt.Sprintf(`{"data":{"feed":%d}}`, i); !strings.Contains(string(text), want); {
			n, err := response.Body.Read(text[len(text):cap(text)])
			text = text[:len(text)+n]
			if err != nil {
				t.Fatalf("%s: %v after %q", response.Proto, err, text)
			}
		}
		time.Sleep(short + short/2)
	}
	if (response.ProtoMajor == 2) != http2 {
		t.Errorf("this was %s", response.Proto)
	}
	_ = response.Body.Close()
	h.wantEmpty(t)
}

// Who does not read is dropped, and nobody waits for it.
func TestSlowReaders(t *testing.T) {
	h := open(t, func(o *transport.Options) { o.Limits.SendWithin = 5 * time.Second })
	other := h.listen(t, "subscription{feed}")
	for i, accept := range []string{sse, `multipart/mixed;subscriptionSpec="1.0"`} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		body := `{"query":"subscription{flood(bytes:65536)}"}`
		fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nAccept: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", accept, len(body), body)
		until(t, "the slow reader is let in", func() bool { return h.Connections() == 2+i })
		h.trial.feed <- i
		other.want(next(fmt.Sprintf(`{"data":{"feed":%d}}`, i)))
	}
	until(t, "the slow readers are dropped", func() bool { return h.Connections() == 1 && h.trial.open.Load() == 1 })
	h.trial.feed <- 2
	other.want(next(`{"data":{"feed":2}}`))
}

// A stream that ends without `complete` is opened again by clients, elsewhere;
// what was begun is finished.
func TestDrainedStreams(t *testing.T) {
	h := open(t, nil)
	before := h.listen(t, "subscription{hold}")
	before.want(next(`{"data":{"hold":1}}`))
	apollo := h.ask(t, "POST", "/graphql", `multipart/mixed;subscriptionSpec="1.0"`, `{"query":"subscription{never}"}`)
	question := h.listen(t, "{wait}")
	<-h.trial.asked

	drained := make(chan struct{})
	go func() { h.Drain(context.Background()); close(drained) }()
	before.want("")
	if got := all(t, apollo); !strings.HasSuffix(got, `,"extensions":{"code":"UNAVAILABLE"}}]}`+"\r\n--graphql--\r\n") || !strings.Contains(got, `{"payload":null,"errors":[`) {
		t.Errorf("the multipart stream ends with %q", got)
	}
	response := h.ask(t, "POST", "/graphql", sse, `{"query":"subscription{hold}"}`)
	if text := all(t, response); response.StatusCode != 503 || response.Header.Get("Retry-After") == "" || !strings.Contains(text, `"code":"UNAVAILABLE"`) {
		t.Errorf("while it stops: status %d, %s", response.StatusCode, text)
	}
	select {
	case <-drained:
		t.Error("drained, although a query is being executed")
	default:
	}
	close(h.trial.free)
	question.want(next(`{"data":{"wait":"world"}}`), done, "")
	<-drained
	h.wantEmpty(t)
}

func TestSessionEndsStream(t *testing.T) {
	h := open(t, nil)
	l := h.listen(t, "subscription{hold}", "Authorization", "Bearer ada")
	l.want(next(`{"data":{"hold":1}}`))
	h.keys.end()
	l.want(next(`{"errors":[{"message":"Your session has ended. Please sign in again.","extensions":{"code":"UNAUTHENTICATED"}}]}`), done, "")
	h.wantEmpty(t)
	if n := h.keys.following(); n != 0 {
		t.Errorf("%d sessions are still followed", n)
	}
	h.listen(t, "subscription{who}", "Authorization", "Bearer ada").want(next(`{"data":{"who":"ada"}}`), done, "")
}

func TestCutStreams(t *testing.T) {
	h := open(t, nil)
	before := runtime.NumGoroutine()
	var streams []*listener
	for range 20 {
		for _, field := range []string{"hold", "never"} {
			streams = append(streams, h.listen(t, "subscription{"+field+"}"))
		}
	}
	for _, l := range streams {
		_ = l.response.Body.Close()
	}
	h.wantEmpty(t)
	until(t, "the goroutines are gone", func() bool {
		http.DefaultClient.CloseIdleConnections()
		return runtime.NumGoroutine() <= before
	})
}

func TestLimitsOfStreams(t *testing.T) {
	t.Run("per address", func(t *testing.T) {
		h := open(t, func(o *transport.Options) { o.Limits.PerAddress = 1 })
		l := h.listen(t, "subscription{hold}")
		response := h.ask(t, "POST", "/graphql", sse, `{"query":"subscription{hold}"}`)
		if text := all(t, response); response.StatusCode != 429 || !strings.Contains(text, `"code":"THROTTLED"`) {
			t.Errorf("status %d: %s", response.StatusCode, text)
		}
		_ = l.response.Body.Close()
		h.wantEmpty(t)
		h.listen(t, "subscription{hold}")
	})
	t.Run("in all", func(t *testing.T) {
		h := open(t, func(o *transport.Options) { o.Limits.Connections = 1 })
		h.listen(t, "subscription{hold}")
		if response := h.ask(t, "POST", "/graphql", sse, `{"query":"subscription{hold}"}`); response.StatusCode != 503 {
			t.Errorf("status %d", response.StatusCode)
		}
	})
	t.Run("the first answer", func(t *testing.T) {
		h := open(t, func(o *transport.Options) { o.Limits.Time = 100 * time.Millisecond })
		h.listen(t, "subscription{never}").want(next(`{"errors":[{"message":"This took longer than 100ms, the limit for one operation.","extensions":{"code":"TIMEOUT"}}]}`), done, "")
		l := h.listen(t, "{wait}")
		if got := l.event(); !strings.Contains(got, `"code":"TIMEOUT"`) {
			t.Errorf("a query: %q", got)
		}
		l.want(done, "")
	})
}

func TestSignsOfLife(t *testing.T) {
	h := open(t, func(o *transport.Options) { o.Limits.KeepAlive = 5 * time.Millisecond })
	h.listen(t, "subscription{never}").want(beat, beat, beat)

	response := h.ask(t, "POST", "/graphql", `multipart/mixed;subscriptionSpec="1.0"`, `{"query":"subscription{never}"}`)
	read, want := make([]byte, 0, 4096), "\r\n--graphql"+strings.Repeat("\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql", 3)
	for len(read) < len(want) {
		n, err := response.Body.Read(read[len(read):len(want)])
		read = read[:len(read)+n]
		if err != nil {
			t.Fatal(err)
		}
	}
	if string(read) != want {
		t.Errorf("got %q, want %q", read, want)
	}
}

// A source that announces its values is waited for, not received from.
func TestSignalledSource(t *testing.T) {
	h := open(t, nil)
	l := h.listen(t, "subscription{signalled}")
	for i := range 100 {
		h.trial.feed <- i
		l.want(next(fmt.Sprintf(`{"data":{"signalled":%d}}`, i)))
	}
	close(h.trial.feed)
	l.want(done, "")
}

// A panic ends what it belongs to, and nothing else.
func TestPanics(t *testing.T) {
	h := open(t, nil)
	bystander := h.listen(t, "subscription{feed}")
	response := h.ask(t, "POST", "/graphql", "*/*", `{"query":"{panics}"}`)
	if text := all(t, response); response.StatusCode != 500 || !strings.Contains(text, `"code":"INTERNAL_SERVER_ERROR"`) || strings.Contains(text, "a resolver's panic") {
		t.Errorf("status %d: %s", response.StatusCode, text)
	}
	for _, document := range []string{"{panics}", "subscription{panics}"} {
		got := all(t, h.ask(t, "POST", "/graphql", sse, `{"query":"`+document+`"}`))
		if !strings.HasSuffix(got, `"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`+"\n\n"+done) || strings.Contains(got, "'s panic") {
			t.Errorf("%s: %q", document, got)
		}
	}
	h.trial.feed <- 1
	bystander.want(next(`{"data":{"feed":1}}`))
}
