// Package transport carries GraphQL operations between clients and the
// gateway: over plain HTTP, over WebSocket, as server-sent events and as
// multipart answers, each as its specification has it.
//
//   - GraphQL over HTTP: https://graphql.github.io/graphql-over-http/draft/
//   - graphql-transport-ws: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
//   - GraphQL over SSE: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
//   - Multipart subscriptions: https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol
package transport

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/platform/identity"
)

// Executor parses, checks and executes operations.
type Executor interface {
	graphql.GraphExecutor
	PresentRecoveredError(ctx context.Context, err any) error
}

// Sessions say who a client is.
type Sessions interface {
	// Open says who a client is that shows this token (what stands behind
	// "Bearer", or came in connection_init), or, if it shows none, the cookie
	// of its request. Who shows nothing is a guest. A token that does not
	// hold is an error of kind Unauthenticated.
	Open(ctx context.Context, r *http.Request, token string) (identity.Session, error)
	// Follow calls end once when the session has expired or was ended, until
	// stop is called. end must not block.
	Follow(session identity.Session, end func()) (stop func())
}

// Guests are the Sessions of a shop that knows nobody.
type Guests struct{}

// Open says that everyone is a guest.
func (Guests) Open(context.Context, *http.Request, string) (identity.Session, error) {
	return identity.Session{}, nil
}

// Follow does nothing: a guest's session has no end.
func (Guests) Follow(identity.Session, func()) (stop func()) { return func() {} }

// Options of a Server. Exec must be set, and every limit.
type Options struct {
	Exec     Executor
	Sessions Sessions
	// Begin gives what belongs to a request to the context of its operations.
	Begin func(context.Context, *http.Request, identity.Session) context.Context
	// Refresh is called before each event of a subscription: what was loaded
	// for the last one is old by then.
	Refresh func(context.Context) context.Context
	// Address says where a request comes from; nil: the address of its connection.
	Address func(*http.Request) string
	// Files says who may send requests with files, and why others may not.
	// Without it nobody may.
	Files func(identity.Caller) error
	// Waste is told of each request that does not become an operation. An
	// error is the answer instead. It may be nil.
	Waste func(context.Context, *http.Request) *gqlerror.Error
	// Origins are the origins whose pages may read answers and open sockets,
	// besides our own: "https://shop.example", which may send cookies too, or
	// "*" for any, without them.
	Origins []string
	Limits  Limits
	Log     *slog.Logger // nil logs nothing
}

// Limits protect the process from clients that ask for too much.
type Limits struct {
	Body        int64         // bytes of a request or of a message
	Time        time.Duration // for one query or mutation, and for the first answer of a subscription
	Files       int64         // bytes of all files of a request
	FilesTime   time.Duration // for a request with files, from its beginning
	Connections int           // that stay open: sockets and event streams, in all
	PerAddress  int           // of these, from one address, or one network of IPv6 (budget.Network)
	Streams     int           // operations at a time on one connection
	InitWithin  time.Duration // until connection_init
	SendWithin  time.Duration // how long a client may take to read one message
	KeepAlive   time.Duration // between signs of life on a silent connection
}

// A Server speaks GraphQL over every transport.
type Server struct {
	o       Options
	origins origins
	doors   doors
	// What sockets execute at a time.
	beginnings, events turns
	// Requests with files that are taken at a time.
	uploads turns
}

// New is a Server for these options.
func New(o Options) *Server {
	if o.Address == nil {
		o.Address = RemoteHost
	}
	if o.Sessions == nil {
		o.Sessions = Guests{}
	}
	if o.Begin == nil {
		o.Begin = func(ctx context.Context, _ *http.Request, _ identity.Session) context.Context { return ctx }
	}
	if o.Refresh == nil {
		o.Refresh = func(ctx context.Context) context.Context { return ctx }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, origins: newOrigins(o.Origins), beginnings: newTurns(beginningsPerCore), events: newTurns(eventsPerCore), uploads: make(turns, uploadsAtOnce)}
	s.doors.limits = o.Limits
	return s
}

// operationContext is the context for one operation of a request. Each
// operation of a socket has its own.
func (s *Server) operationContext(ctx context.Context, r *http.Request, session identity.Session) context.Context {
	return s.o.Begin(graphql.StartOperationTrace(ctx), r, session)
}

// bearer is the token that the request shows, or "".
func bearer(r *http.Request) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// RemoteHost is the address at the other end of the request's connection.
func RemoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
