package graph

import (
	"context"
	"net/http"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/platform/identity"
)

// request is what belongs to one request: on whose behalf it is made, what
// was loaded for it, and which mishaps of it stand in the log. The generated
// code hands resolvers nothing but a context, so it travels there.
type request struct {
	who     identity.Caller
	session identity.Session
	http    *http.Request // of the operation, or of the connection that brought it
	source  string        // where it comes from
	loaders loaders

	mu     sync.Mutex
	logged map[string]bool
}

type requestKey struct{}

// begin gives an operation's context its request.
func (r *Resolver) begin(ctx context.Context, from *http.Request, session identity.Session) context.Context {
	return r.with(ctx, &request{who: session.Caller, session: session, http: from, source: r.address(from)})
}

// refresh is the context for one event of a subscription: the same caller,
// and nothing loaded yet.
func (r *Resolver) refresh(ctx context.Context) context.Context {
	old := requestOf(ctx)
	return r.with(ctx, &request{who: old.who, session: old.session, http: old.http, source: old.source})
}

func (r *Resolver) with(ctx context.Context, state *request) context.Context {
	state.loaders.resolver = r
	return context.WithValue(ctx, requestKey{}, state)
}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// caller is on whose behalf the operation is made.
func caller(ctx context.Context) identity.Caller { return requestOf(ctx).who }

// first reports whether this mishap is new to the request.
func (r *request) first(mishap string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logged[mishap] || len(r.logged) >= 20 {
		return false
	}
	if r.logged == nil {
		r.logged = map[string]bool{}
	}
	r.logged[mishap] = true
	return true
}

// buyerCountry is the country of the operation's @inContext, or "".
func buyerCountry(ctx context.Context) string {
	op := graphql.GetOperationContext(ctx)
	in := op.Operation.Directives.ForName("inContext")
	if in == nil {
		return ""
	}
	argument := in.Arguments.ForName("country")
	if argument == nil {
		return ""
	}
	value, err := argument.Value.Value(op.Variables)
	if err != nil {
		return ""
	}
	country, _ := value.(string)
	return country
}
