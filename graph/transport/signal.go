package transport

import (
	"context"
	"sync"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// A Signal is how a subscription's source tells the transport that there is
// something to send, so that a socket with many subscriptions needs no
// goroutine for each that waits. Stream hands it out.
type Signal struct {
	ctx  context.Context // of the subscription, without what its execution adds
	wake func()

	mu     sync.Mutex
	source interface{ Ready() bool }
	err    *gqlerror.Error
}

// A Source is where the values of a subscription wait.
type Source[T any] interface {
	// C is what they are received from, by nobody but the transport. A newer
	// value may take the place of one that waits. It is closed when no more
	// will come.
	C() <-chan T
	// Ready reports whether a receive from C would be answered at once,
	// because a value waits in it or it is closed. Once true it stays so until
	// somebody receives. Whenever it has become true the source fires the
	// Signal.
	Ready() bool
}

// Stream is what the resolver of a subscription returns: the channel of the
// source that open has opened. A resolver may also return any other channel;
// then something waits for it as long as the subscription stands.
//
// On a socket the operation is executed anew for each event, so that nothing
// of an execution is kept between them: the operation is dispatched with the
// variables and the statistics it had, interceptors of operations and of
// fields run again, and the resolver is called again and gets the same channel
// from here. What looks at an operation's parameters or checks it before it is
// executed runs only at the beginning.
//
// open is called once, at the beginning. Its context ends with the
// subscription and has nothing of the execution in it; whoever wants to keep
// memory small keeps no other. Its error is the answer to the subscription.
func Stream[T any](ctx context.Context, open func(context.Context, *Signal) (Source[T], error)) (<-chan T, error) {
	s, ok := ctx.Value(signalKey{}).(*Signal)
	if !ok { // nobody waits for it
		_, s = withSignal(ctx, func() {})
	}
	s.mu.Lock()
	kept, ok := s.source.(Source[T])
	s.mu.Unlock()
	if ok {
		return kept.C(), nil
	}
	source, err := open(s.ctx, s) //nolint:contextcheck // the subscription outlives this execution
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.source = source
	s.mu.Unlock()
	return source.C(), nil
}

type signalKey struct{}

// withSignal begins a subscription under the context. Its signal calls wake
// when it is fired; wake must not block, and may be called before there is a
// source.
func withSignal(ctx context.Context, wake func()) (context.Context, *Signal) {
	s := &Signal{wake: wake}
	s.ctx = context.WithValue(ctx, signalKey{}, s)
	return s.ctx, s
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

// hasSource reports whether the subscription's resolver has used Stream.
func (s *Signal) hasSource() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source != nil
}

// ready reports whether a receive from the channel would be answered at once;
// false where there is no source that could tell.
func (s *Signal) ready() bool {
	s.mu.Lock()
	source := s.source
	s.mu.Unlock()
	return source != nil && source.Ready()
}

// failure is why the stream ended, or nil if it simply did.
func (s *Signal) failure() *gqlerror.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
