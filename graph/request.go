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
	loaders loaders

	mu     sync.Mutex
	logged map[string]bool
}

type requestKey struct{}

// begin gives an operation's context its request.
func (r *Resolver) begin(ctx context.Context, _ *http.Request, session identity.Session) context.Context {
	state := &request{who: session.Caller}
	state.loaders.resolver = r
	return context.WithValue(ctx, requestKey{}, state)
}

// refresh is the context for one event of a subscription: the same caller,
// and nothing loaded yet.
func (r *Resolver) refresh(ctx context.Context) context.Context {
	return r.begin(ctx, nil, identity.Session{Caller: caller(ctx)})
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
