package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/graph/transport"
	"ordergraph/platform/telemetry"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// world is a schema whose fields do what can go right and wrong.
type world struct {
	schema *ast.Schema
	gate   chan struct{} // what waits, waits until it is closed
	began  chan string   // says that something waits there
	paid   atomic.Int32
	events int // that a source keeps before newer ones are dropped

	mu      sync.Mutex
	sources map[*source]struct{}
}

// source is where a subscription's events wait.
type source struct {
	topic  string
	ch     chan string
	signal *transport.Signal
	closed atomic.Bool
	panics atomic.Bool
}

func (s *source) C() <-chan string { return s.ch }

func (s *source) Ready() bool {
	if s.panics.Load() {
		panic("the producer fell over")
	}
	return len(s.ch) > 0 || s.closed.Load()
}

var worldSchema = gqlparser.MustLoadSchema(&ast.Source{Name: "world", Input: `
	type Query { hello(name: String): String!, fail: String, nothing: String!, wait: String, panics: String, blank: String }
	type Mutation { pay: String! }
	type Subscription {
		count(to: Int!): String!
		slowCount(to: Int!): String!
		watch(topic: String!): String!
		refuse: String!
		panics: String!
		wait: String!
	}`})

func newWorld() *world {
	return &world{schema: worldSchema, gate: make(chan struct{}), began: make(chan string, 100), events: 16, sources: map[*source]struct{}{}}
}

func (w *world) Schema() *ast.Schema { return w.schema }

func (w *world) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

// Exec executes the one field of an operation, in the way of generated code.
func (w *world) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field := op.Operation.SelectionSet[0].(*ast.Field)
	arguments := field.ArgumentMap(op.Variables)
	if op.Operation.Operation == ast.Subscription {
		events, err := w.subscribe(ctx, field.Name, arguments)
		if err != nil {
			graphql.AddError(ctx, err)
			return nil
		}
		return func(ctx context.Context) *graphql.Response {
			select {
			case v, ok := <-events:
				if !ok {
					return nil
				}
				if v == "panic" {
					panic("an event fell over")
				}
				return &graphql.Response{Data: []byte(`{` + strconv.Quote(field.Alias) + `:` + strconv.Quote(v) + `}`)}
			case <-ctx.Done():
				return nil
			}
		}
	}
	first := true
	return func(ctx context.Context) *graphql.Response {
		if !first {
			return nil
		}
		first = false
		value, err := w.resolve(ctx, op, field.Name, arguments)
		data := []byte(`{` + strconv.Quote(field.Alias) + `:` + value + `}`)
		if err != nil {
			graphql.AddError(ctx, err)
			if field.Definition.Type.NonNull {
				data = []byte("null")
			}
		}
		return &graphql.Response{Data: data}
	}
}

func (w *world) resolve(ctx context.Context, op *graphql.OperationContext, field string, arguments map[string]any) (value string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			value, err = "null", op.Recover(ctx, cause)
		}
	}()
	switch field {
	case "hello":
		name, _ := arguments["name"].(string)
		return strconv.Quote("hello " + name), nil
	case "fail", "nothing":
		return "null", errors.New("it failed")
	case "wait":
		w.began <- field
		select {
		case <-w.gate:
			return `"waited"`, nil
		case <-ctx.Done():
			w.began <- "cancelled"
			return "null", ctx.Err()
		}
	case "pay":
		w.began <- field
		<-w.gate
		if ctx.Err() != nil {
			return "null", ctx.Err()
		}
		w.paid.Add(1)
		return `"paid"`, nil
	case "panics":
		panic("a resolver fell over")
	}
	return "null", nil
}

func (w *world) subscribe(ctx context.Context, field string, arguments map[string]any) (<-chan string, error) {
	switch field {
	case "count", "slowCount":
		to, _ := arguments["to"].(int64)
		if field == "slowCount" { // a source that knows of no Signal
			ch := make(chan string)
			go func() {
				defer close(ch)
				for i := range to {
					select {
					case ch <- strconv.FormatInt(i+1, 10):
					case <-ctx.Done():
						w.began <- "stopped"
						return
					}
				}
			}()
			return ch, nil
		}
		return transport.Stream(ctx, func(_ context.Context, signal *transport.Signal) (transport.Source[string], error) {
			s := &source{ch: make(chan string, to), signal: signal}
			for i := range to {
				s.ch <- strconv.FormatInt(i+1, 10)
			}
			close(s.ch)
			s.closed.Store(true)
			return s, nil
		})
	case "watch":
		topic, _ := arguments["topic"].(string)
		return transport.Stream(ctx, func(ctx context.Context, signal *transport.Signal) (transport.Source[string], error) {
			s := &source{topic: topic, ch: make(chan string, w.events), signal: signal}
			w.mu.Lock()
			w.sources[s] = struct{}{}
			w.mu.Unlock()
			context.AfterFunc(ctx, func() {
				w.mu.Lock()
				delete(w.sources, s)
				w.mu.Unlock()
			})
			return s, nil
		})
	case "refuse":
		return nil, &gqlerror.Error{Message: "There is no such thing.", Extensions: map[string]any{"code": "NOT_FOUND"}}
	case "wait":
		w.began <- field
		select {
		case <-w.gate:
		case <-ctx.Done():
			w.began <- "cancelled"
			return nil, ctx.Err()
		}
		ch := make(chan string)
		close(ch)
		return ch, nil
	}
	panic("a resolver fell over")
}

// each calls do with the sources of a topic.
func (w *world) each(topic string, do func(*source)) int {
	w.mu.Lock()
	var of []*source
	for s := range w.sources {
		if s.topic == topic {
			of = append(of, s)
		}
	}
	w.mu.Unlock()
	for _, s := range of {
		do(s)
	}
	return len(of)
}

// publish tells a topic's watchers something; who has too much waiting misses it.
func (w *world) publish(topic, value string) int {
	return w.each(topic, func(s *source) {
		select {
		case s.ch <- value:
		default:
		}
		s.signal.Fire()
	})
}

// shut ends a topic, with an error if there is one.
func (w *world) shut(topic string, err *gqlerror.Error) {
	w.each(topic, func(s *source) {
		if err != nil {
			s.signal.Fail(err)
		}
		close(s.ch)
		s.closed.Store(true)
		s.signal.Fire()
	})
}

// watchers waits until the topic has so many.
func (w *world) watchers(t testing.TB, topic string, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d watch %s", want, topic), func() bool { return w.each(topic, func(*source) {}) == want })
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for give := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(give) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// limits that no test reaches by accident.
func roomy() transport.Limits {
	return transport.Limits{
		Body: 64 << 10, Time: patience, Connections: 10_000, PerAddress: 10_000, Streams: 100,
		InitWithin: patience, SendWithin: patience, KeepAlive: patience,
	}
}

// socketHouse is a server of a world.
type socketHouse struct {
	*world
	*transport.Server
	URL    string // ws://…
	log    *socketLog
	client *http.Client
}

type socketLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *socketLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *socketLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func buildSockets(w *world, set func(*transport.Options)) (*transport.Server, *socketLog) {
	log := &socketLog{}
	exec := executor.New(w)
	logger := telemetry.NewLogger(log, slog.LevelInfo, false)
	exec.SetRecoverFunc(func(ctx context.Context, cause any) error {
		logger.ErrorContext(ctx, "panic in a resolver", "panic", cause)
		return gqlerror.Errorf("Something went wrong.")
	})
	o := transport.Options{Exec: exec, Limits: roomy(), Log: logger}
	if set != nil {
		set(&o)
	}
	return transport.New(o), log
}

// openInBubble is for tests whose time is not the machine's: within
// synctest.Test, over connections that hold nothing between a write and a read.
func openInBubble(t *testing.T, set func(*transport.Options)) *socketHouse {
	t.Helper()
	h := &socketHouse{world: newWorld(), URL: "ws://shop.example"}
	h.Server, h.log = buildSockets(h.world, set)
	pipes := pipeListener{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: h.Server}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(pipes) }()
	h.client = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return pipes.dial(), nil }}}
	t.Cleanup(func() {
		h.Drain(t.Context())
		_ = server.Close()
		<-served
	})
	return h
}

type pipeListener struct {
	dialled chan net.Conn
	closed  chan struct{}
}

func (l pipeListener) dial() net.Conn {
	near, far := net.Pipe()
	l.dialled <- far
	return near
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.dialled:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error { close(l.closed); return nil }

func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func openSockets(t testing.TB, set func(*transport.Options)) *socketHouse {
	t.Helper()
	h := &socketHouse{world: newWorld()}
	h.Server, h.log = buildSockets(h.world, set)
	server := httptest.NewServer(h.Server)
	h.URL = "ws" + strings.TrimPrefix(server.URL, "http")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		h.Drain(ctx)
		if n := h.Connections(); n > 0 {
			t.Errorf("%d connections do not end", n)
		}
		server.Close()
	})
	return h
}

// peer is a client.
type peer struct {
	t  testing.TB
	ws *websocket.Conn
}

func (h *socketHouse) dial(t testing.TB, header ...string) *peer {
	t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{}, HTTPClient: h.client}
	for i := 0; i < len(header); i += 2 {
		o.HTTPHeader.Set(header[i], header[i+1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, h.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(8 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &peer{t, ws}
}

// greet dials and gets acknowledged.
func (h *socketHouse) greet(t testing.TB) *peer {
	t.Helper()
	p := h.dial(t)
	p.send(`{"type":"connection_init"}`)
	p.want(`{"type":"connection_ack"}`)
	return p
}

func (p *peer) send(message string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.ws.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		p.t.Fatalf("send %.100s: %v", message, err)
	}
}

func (p *peer) subscribe(id, query string) {
	p.t.Helper()
	p.send(fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q}}`, id, query))
}

func (p *peer) receive() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, text, err := p.ws.Read(ctx)
	return string(text), err
}

// want receives a message and compares it as JSON.
func (p *peer) want(message string) {
	p.t.Helper()
	got, err := p.receive()
	if err != nil {
		p.t.Fatalf("want %s, got %v", message, err)
	}
	if !sameJSON(got, message) {
		p.t.Fatalf("got  %s\nwant %s", got, message)
	}
}

// wantError receives an `error` for the id whose message contains the text.
func (p *peer) wantError(id, text string) {
	p.t.Helper()
	got, err := p.receive()
	var m struct {
		ID, Type string
		Payload  []struct{ Message string }
	}
	if err != nil || json.Unmarshal([]byte(got), &m) != nil || m.ID != id || m.Type != "error" || len(m.Payload) == 0 || !strings.Contains(m.Payload[0].Message, text) {
		p.t.Fatalf("got %s, %v, want an error for %s that says %q", got, err, id, text)
	}
}

// wantClosed receives the end: its code, and a reason that contains the text.
func (p *peer) wantClosed(code websocket.StatusCode, reason string) {
	p.t.Helper()
	got, err := p.receive()
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok || closed.Code != code || !strings.Contains(closed.Reason, reason) {
		p.t.Fatalf("got %s, %v, want it closed with %d %q", got, err, code, reason)
	}
}

// wantQuiet makes sure that nothing more was sent: the answer to a ping is
// what comes next.
func (p *peer) wantQuiet() {
	p.t.Helper()
	p.send(`{"type":"ping","payload":{"quiet":true}}`)
	p.want(`{"type":"pong","payload":{"quiet":true}}`)
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
