package transport

import (
	"context"
	"sync"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// A Signal is how a subscription's source tells the transport that there is
// something to send, so that a socket with many subscriptions needs no
// goroutine for each that waits.
//
// A subscription's resolver returns a channel. It gets its Signal from
// SignalOf, attaches a function that reports whether a receive from that
// channel would be answered at once, because a value waits in it or it is
// closed, and fires the signal whenever that has become so. What Ready has
// reported must stay so until somebody receives, and nobody but the transport
// does. Who attaches also returns that channel, and no error. A newer value may take the place of one that waits.
type Signal struct {
	wake func()

	mu    sync.Mutex
	ready func() bool
	err   *gqlerror.Error
}

// NewSignal is a Signal that calls wake when it is fired; wake must not block.
func NewSignal(wake func()) *Signal { return &Signal{wake: wake} }

type signalKey struct{}

// WithSignal makes s the signal of the subscription that is begun under the
// context.
func WithSignal(ctx context.Context, s *Signal) context.Context {
	return context.WithValue(ctx, signalKey{}, s)
}

// SignalOf is the signal of the subscription that is begun under the context.
// Where nobody waits for one, it is a signal that does nothing.
func SignalOf(ctx context.Context) *Signal {
	if s, ok := ctx.Value(signalKey{}).(*Signal); ok {
		return s
	}
	return NewSignal(func() {})
}

// Attach says how to tell whether a receive would be answered at once. It is
// called once, before the first Fire.
func (s *Signal) Attach(ready func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = ready
}

// Fire says that something waits to be received, or that the channel is closed.
func (s *Signal) Fire() { s.wake() }

// Fail says why the channel is about to be closed: the client gets an error
// where it would have got the end of the stream. The first error stays.
func (s *Signal) Fail(err *gqlerror.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// Ready reports whether a receive from the channel would be answered at once;
// false as long as no source has attached itself.
func (s *Signal) Ready() bool {
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	return ready != nil && ready()
}

// Err is why the stream ended, or nil if it simply did.
func (s *Signal) Err() *gqlerror.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
