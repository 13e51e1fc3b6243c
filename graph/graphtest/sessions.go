package graphtest

import (
	"context"
	"net/http"

	"ordergraph/graph/transport"
	"ordergraph/platform/identity"
)

// Sessions take everyone for who the function says at that moment.
type Sessions func() identity.Caller

var _ transport.Sessions = Sessions(nil)

// Open says who everyone is.
func (s Sessions) Open(context.Context, *http.Request, string) (identity.Session, error) {
	return identity.Session{Caller: s()}, nil
}

// Follow does nothing: these sessions have no end.
func (Sessions) Follow(identity.Session, func()) (stop func()) { return func() {} }
