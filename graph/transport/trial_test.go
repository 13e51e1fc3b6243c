package transport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/graph/transport"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// trial is a schema to try transports on, executed for real but without
// generated code. Its subscriptions have one field.
type trial struct {
	schema *ast.Schema
	feed   chan int      // what Subscription.feed sends
	open   atomic.Int64  // subscriptions that run
	free   chan struct{} // closed: Query.wait answers
	asked  chan struct{} // Query.wait is being executed
	done   atomic.Int64  // mutations that were executed
}

func newTrial() *trial {
	return &trial{
		feed: make(chan int), free: make(chan struct{}), asked: make(chan struct{}, 100),
		schema: gqlparser.MustLoadSchema(&ast.Source{Input: `
			type Query { hello: String  who: String  long(bytes: Int!): String  wait(file: Upload): String  panics: String }
			type Mutation { do: Int  size(file: Upload, files: [Upload], in: In): String }
			input In { file: Upload }
			scalar Upload
			type Subscription {
				count(to: Int!): Int    # counts and ends
				feed: Int               # what the test feeds
				signalled: Int          # the same, announced by a Signal
				hold: Int               # once, and nothing from then on
				never: Int              # nothing
				flood(bytes: Int!): String # without end, as fast as it is read
				fails: Int              # cannot begin
				breaks: Int             # once, then fails
				panics: Int             # once, then panics
				pretty: String          # JSON with line breaks
				who: String             # who asks
			}`}),
	}
}

func (s *trial) Schema() *ast.Schema { return s.schema }

func (s *trial) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func data(name string, value any) *graphql.Response {
	text, err := json.Marshal(map[string]any{name: value})
	if err != nil {
		panic(err)
	}
	return &graphql.Response{Data: text}
}

func coded(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

func (s *trial) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field := op.Operation.SelectionSet[0].(*ast.Field)
	args := field.ArgumentMap(op.Variables)
	number := func(name string) int {
		var n int
		_, _ = fmt.Sscan(fmt.Sprint(args[name]), &n)
		return n
	}
	if op.Operation.Operation != ast.Subscription {
		return func(ctx context.Context) *graphql.Response {
			switch field.Name {
			case "wait":
				s.asked <- struct{}{}
				select {
				case <-s.free:
				case <-ctx.Done():
					graphql.AddError(ctx, coded("TIMEOUT", "gave up"))
				}
			case "long":
				return data(field.Alias, strings.Repeat("all work and no play ", number("bytes")/21))
			case "who":
				return data(field.Alias, caller(ctx))
			case "size":
				s.done.Add(1)
				return data(field.Alias, contents(args))
			case "do":
				return data(field.Alias, s.done.Add(1))
			case "panics":
				panic("a resolver's panic")
			}
			return data(field.Alias, "world")
		}
	}
	s.open.Add(1)
	go func() { <-ctx.Done(); s.open.Add(-1) }()
	n := 0
	once := func(then func(context.Context) *graphql.Response) graphql.ResponseHandler {
		return func(ctx context.Context) *graphql.Response {
			if n++; n == 1 {
				return data(field.Alias, 1)
			}
			return then(ctx)
		}
	}
	blocks := func(ctx context.Context) *graphql.Response { <-ctx.Done(); return nil }
	switch field.Name {
	case "count":
		return func(context.Context) *graphql.Response {
			if n++; n > number("to") {
				return nil
			}
			return data(field.Alias, n)
		}
	case "feed", "signalled", "breaks":
		from := (<-chan int)(s.feed)
		if field.Name != "feed" {
			from, _ = transport.Stream(ctx, func(_ context.Context, signal *transport.Signal) (transport.Source[int], error) {
				waiting := &numbers{ch: make(chan int, 1)}
				if field.Name == "breaks" {
					signal.Fail(coded("UNAVAILABLE", "The source went away."))
					waiting.ch <- 1
					waiting.close()
					return waiting, nil
				}
				go func() {
					for v := range s.feed {
						waiting.ch <- v
						signal.Fire()
					}
					waiting.close()
					signal.Fire()
				}()
				return waiting, nil
			})
		}
		return func(ctx context.Context) *graphql.Response {
			select {
			case v, ok := <-from:
				if !ok {
					return nil
				}
				return data(field.Alias, v)
			case <-ctx.Done():
				return nil
			}
		}
	case "hold":
		return once(blocks)
	case "never":
		return blocks
	case "flood":
		text := strings.Repeat("x", number("bytes"))
		return func(ctx context.Context) *graphql.Response {
			if ctx.Err() != nil {
				return nil
			}
			return data(field.Alias, text)
		}
	case "fails":
		graphql.AddError(ctx, coded("NOT_FOUND", "There is no such order."))
		return nil
	case "panics":
		return once(func(context.Context) *graphql.Response { panic("a producer's panic") })
	case "pretty":
		return func(context.Context) *graphql.Response {
			if n++; n > 1 {
				return nil
			}
			return &graphql.Response{Data: json.RawMessage("{\n  \"pretty\":\r\n \"a\\nb\"\n}")}
		}
	case "who":
		return func(ctx context.Context) *graphql.Response {
			if n++; n > 1 {
				return nil
			}
			return data(field.Alias, caller(ctx))
		}
	}
	panic(field.Name)
}

// numbers are a source that tells of them.
type numbers struct {
	ch     chan int
	closed atomic.Bool
}

func (n *numbers) C() <-chan int { return n.ch }

func (n *numbers) Ready() bool { return n.closed.Load() || len(n.ch) > 0 }

func (n *numbers) close() {
	close(n.ch)
	n.closed.Store(true)
}

type callerKey struct{}

func caller(ctx context.Context) string { return fmt.Sprint(ctx.Value(callerKey{})) }

// keys are Sessions that take a token for a name; "bad…" does not hold.
type keys struct {
	mu       sync.Mutex
	followed map[*func()]bool
}

func (k *keys) Open(_ context.Context, _ *http.Request, token string) (identity.Session, error) {
	if strings.HasPrefix(token, "bad") {
		return identity.Session{}, errUnknown
	}
	return identity.Session{Caller: identity.Caller{CustomerID: token}, ID: token}, nil
}

func (k *keys) Follow(_ identity.Session, end func()) func() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.followed == nil {
		k.followed = map[*func()]bool{}
	}
	k.followed[&end] = true
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.followed, &end)
	}
}

// end ends all sessions that are followed.
func (k *keys) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for end := range k.followed {
		(*end)()
	}
}

func (k *keys) following() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.followed)
}

var errUnknown = fault.New(fault.Unauthenticated, "trial.unknown", "This token does not hold.")

// limits leave time enough on a busy machine; a test shortens the one it is about.
var limits = transport.Limits{
	Body: 64 << 10, Time: time.Minute, Connections: 1000, PerAddress: 1000, Streams: 10,
	InitWithin: time.Minute, SendWithin: time.Minute, KeepAlive: time.Minute,
}

// house is a server to try, on a socket of its own.
type house struct {
	*transport.Server
	trial *trial
	keys  *keys
	url   string
}

func (h *house) options(set func(*transport.Options)) transport.Options {
	o := transport.Options{
		Exec:     executor.New(h.trial),
		Sessions: h.keys,
		Begin: func(ctx context.Context, _ *http.Request, session identity.Session) context.Context {
			return context.WithValue(ctx, callerKey{}, session.Caller.CustomerID)
		},
		Limits: limits,
	}
	if set != nil {
		set(&o)
	}
	return o
}

func open(t *testing.T, set func(*transport.Options)) *house {
	t.Helper()
	h := &house{trial: newTrial(), keys: &keys{}}
	h.Server = transport.New(h.options(set))
	mux := http.NewServeMux()
	mux.Handle("/graphql", h.Server)
	mux.Handle("/graphql/stream", h.Streams())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// until waits for what happens by itself.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for give := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(give) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
