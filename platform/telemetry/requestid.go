package telemetry

import (
	"context"
	"crypto/rand"
)

type requestIDKey struct{}

// WithRequestID marks everything done under ctx as part of one request. The
// id is for logs alone: nothing is decided by it.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// NewRequestID makes one up.
func NewRequestID() string { return rand.Text()[:16] }

// CleanRequestID accepts an id from outside if it is short and plain, so that
// it can be logged as it is; otherwise it makes a new one.
func CleanRequestID(id string) string {
	if len(id) < 8 || len(id) > 64 {
		return NewRequestID()
	}
	for _, c := range []byte(id) {
		if !(c == '-' || c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return NewRequestID()
		}
	}
	return id
}
