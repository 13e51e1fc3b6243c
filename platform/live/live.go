// Package live tells whoever watches a thing that it has changed.
//
// The service that owns the thing rings a Bell after each write: a notice of
// topic, key and version over Redis pub/sub, and nothing else. A Hub, one in
// each process that has watchers, hears it and then asks the service for the
// thing, on behalf of each who watches. So rights are checked anew at every
// change, by the one who knows them, and nothing personal passes through Redis.
//
// The service's store is the truth and Redis only the doorbell: what Redis
// loses, the hub finds out by asking for versions. A watcher always ends with
// the latest version, whichever notices it got.
package live

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"

	"ordergraph/platform/fault"
)

var (
	// ErrClosed is a Watch of a hub that has ended.
	ErrClosed = fault.New(fault.Unavailable, "live.closed", "This server is about to stop. Please connect again.")
	// ErrInternal is a defect in what a hub was given to call.
	ErrInternal = fault.New(fault.Internal, "live.internal", "Something went wrong on our side. It has been noted; please try again.")
)

// A Topic is one kind of things that can be watched.
type Topic[T any] struct{ *topic }

// NewTopic opens a topic of the hub, once for each name. versions answers the
// present versions of up to 500 things in one call, and leaves out those that
// do not exist.
func NewTopic[T any](h *Hub, name string, versions func(ctx context.Context, keys []string) (map[string]int64, error)) Topic[T] {
	return Topic[T]{h.newTopic(name, versions, false)}
}

// NewPolledTopic is NewTopic for what nobody rings: while something of it is
// watched, versions are asked for as if Redis were away, see Options.Poll.
func NewPolledTopic[T any](h *Hub, name string, versions func(ctx context.Context, keys []string) (map[string]int64, error)) Topic[T] {
	return Topic[T]{h.newTopic(name, versions, true)}
}

// Watch says what to watch, and for whom. Its functions are called from
// several goroutines; none is called while the hub holds a lock.
type Watch[T any] struct {
	Key string
	// Audience stands for the rights with which Load asks. Watchers of one key
	// and audience share what is loaded: one Load per change for all of them.
	Audience string
	// After is the last version that the watcher has seen. Nothing up to it
	// is delivered, so that who comes back gets nothing twice.
	After int64
	// Load gets the thing and its version. A fault that says the watcher may
	// not have it (NotFound, PermissionDenied, …) ends the stream with it; one
	// that passes (Unavailable, DeadlineExceeded, Exhausted) is tried again.
	// Its context ends with the hub or after Options.Load.
	Load func(context.Context) (T, int64, error)
	// Fire, if set, says that a value waits or that the stream is closed. It
	// may be called before Watch has returned, and must not block.
	Fire func()
	// Fail, if set, says why the stream is about to be closed with an error,
	// before that can be seen.
	Fail func(error)
}

// Watch begins with what is, then delivers every change until ctx ends. A
// watcher who is slower than the changes gets the latest; versions only grow.
// The first Load is made at once, under ctx, and its error is Watch's.
func (t Topic[T]) Watch(ctx context.Context, w Watch[T]) (*Stream[T], error) {
	load := func(ctx context.Context) (any, int64, error) { return w.Load(ctx) }
	value, version, err := t.hub.loadFirst(ctx, load)
	if err != nil {
		return nil, err
	}
	s := &Stream[T]{values: make(chan T, 1), version: w.After, fire: w.Fire, fail: w.Fail}
	if err := t.hub.join(t.topic, w.Key, w.Audience, load, s, value, version); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		t.hub.leave(s)
		t.hub.finish(s, nil)
	})
	s.mu.Lock()
	s.stop = stop
	over := s.ending
	s.mu.Unlock()
	if over {
		stop()
	}
	return s, nil
}

// A Stream delivers one thing's changes to one watcher.
type Stream[T any] struct {
	seat   seat
	values chan T
	fire   func()
	fail   func(error)

	mu      sync.Mutex
	version int64 // of the last value
	stop    func() bool
	err     error
	ending  bool // nothing more is delivered
	closed  bool
}

// C holds the latest value that was not received yet: a newer one takes the
// place of an older. It is closed when the stream ends.
func (s *Stream[T]) C() <-chan T { return s.values }

// Ready reports whether a receive from C would be answered at once. Once true
// it stays so until somebody receives.
func (s *Stream[T]) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || len(s.values) > 0
}

// Err is why the stream was closed: nil while it is not, and where its context
// or the hub has ended.
func (s *Stream[T]) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *Stream[T]) place() *seat { return &s.seat }

func (s *Stream[T]) push(value any, version int64) {
	s.mu.Lock()
	if s.ending || version <= s.version {
		s.mu.Unlock()
		return
	}
	s.version = version
	// Nobody else sends, so there is room after this; and Ready waits for the
	// lock, so it sees no gap.
	select {
	case <-s.values:
	default:
	}
	typed, _ := value.(T) // what its own Load has given; nil is the zero of an interface
	s.values <- typed
	s.mu.Unlock()
	if s.fire != nil {
		s.fire()
	}
}

func (s *Stream[T]) end(err error) {
	s.mu.Lock()
	if s.ending {
		s.mu.Unlock()
		return
	}
	s.ending = true
	stop := s.stop
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	defer func() { // also if Fail panics
		s.mu.Lock()
		s.err, s.closed = err, true
		close(s.values)
		s.mu.Unlock()
		if s.fire != nil {
			s.fire()
		}
	}()
	if err != nil && s.fail != nil {
		s.fail(err)
	}
}

// passes reports whether an error may be gone at the next attempt.
func passes(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.DeadlineExceeded, fault.Exhausted, fault.Canceled:
		return true
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// lanes are the slots of a Redis Cluster that all channels share, so that a
// process needs that many connections to it and not one for each channel.
const lanes = 16

// laneName is a channel that every connection of the lane listens to.
func laneName(lane int) string { return laneNames[lane] }

var laneNames = func() (names [lanes]string) {
	const digits = "0123456789abcdef"
	for i := range names {
		names[i] = "live:{" + digits[i:i+1] + "}"
	}
	return names
}()

// channelOf names the channel of a thing. The braces choose its slot.
func channelOf(topic, key string) (name string, lane int) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(topic))
	_, _ = h.Write([]byte(key))
	lane = int(h.Sum32() % lanes)
	return laneNames[lane] + ":" + topic + ":" + key, lane
}
