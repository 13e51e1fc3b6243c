package docstoremongo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"ordergraph/platform/docstore"
)

// sent, in a context, is set once a command of the operation is on its way to
// the server: before that, a failure is certain to have changed nothing.
type sent struct{}

func noteSent(more func(context.Context, string)) *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(ctx context.Context, e *event.CommandStartedEvent) {
		if flag, ok := ctx.Value(sent{}).(*atomic.Bool); ok {
			flag.Store(true)
		}
		if more != nil {
			more(ctx, e.CommandName)
		}
	}}
}

// errLost is a command that was sent and of which we do not know whether it
// was done.
type errLost struct{ cause error }

func (e *errLost) Error() string { return "answer lost: " + e.cause.Error() }
func (e *errLost) Unwrap() error { return e.cause }

// once runs one command, as long as an answer may take, and tells apart what
// may have happened: nil, a declared error of docstore or the server's own
// where nothing was changed, *errLost where that is not known.
//
// A command that could not be sent, because connections broke that others were
// using, is tried again for as long as a server is looked for.
func (s *Store) once(ctx context.Context, command func(context.Context) error) error {
	for began, try := time.Now(), 1; ; try++ {
		limited, cancel := context.WithTimeout(ctx, s.answerWithin)
		err := s.run(ctx, limited, command)
		cancel()
		unsent, ok := errors.AsType[*errUnsent](err)
		if !ok {
			return err
		}
		if time.Since(began) >= s.connectWithin {
			return fmt.Errorf("%w (MongoDB: %v)", docstore.ErrUnavailable, unsent.cause)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// errUnsent is a command that did not reach the server.
type errUnsent struct{ cause error }

func (e *errUnsent) Error() string { return "not sent: " + e.cause.Error() }

// lengthy is once for what may take as long as the caller is willing to wait.
func (s *Store) lengthy(ctx context.Context, command func(context.Context) error) error {
	err := s.run(ctx, ctx, command)
	if unsent, ok := errors.AsType[*errUnsent](err); ok {
		return fmt.Errorf("%w (MongoDB: %v)", docstore.ErrUnavailable, unsent.cause)
	}
	return err
}

func (s *Store) run(ctx, limited context.Context, command func(context.Context) error) error {
	var flag atomic.Bool
	err := command(context.WithValue(limited, sent{}, &flag))
	switch {
	case err == nil, errors.Is(err, docstore.ErrStale), errors.Is(err, mongo.ErrNoDocuments):
		return err
	case refused(err):
		return fmt.Errorf("%w (MongoDB: %v)", docstore.ErrUnavailable, err)
	case answered(err):
		if index, ok := duplicate(err); ok {
			// The server's own words quote the key, which can be somebody's.
			if index == "_id_" {
				return docstore.ErrExists
			}
			return docstore.ErrDuplicate.With("index", index)
		}
		return err
	case flag.Load():
		return &errLost{err}
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, mongo.ErrClientDisconnected):
		return errClosed
	default:
		return &errUnsent{err}
	}
}

var errClosed = fmt.Errorf("%w (the store is closed)", docstore.ErrUnavailable)

// lostCodes are the answers of a server that was stopped in the middle of a
// write, or cannot say that a majority has it.
var lostCodes = []int{6, 7, 50, 64, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}

// answered reports whether err is the server's word that it did nothing.
func answered(err error) bool {
	lost := func(code int) bool { return slices.Contains(lostCodes, code) }
	if write, ok := errors.AsType[mongo.WriteException](err); ok {
		return len(write.WriteErrors) > 0 && !slices.ContainsFunc(write.ErrorCodes(), lost)
	}
	if bulk, ok := errors.AsType[mongo.BulkWriteException](err); ok {
		return len(bulk.WriteErrors) > 0 && !slices.ContainsFunc(bulk.ErrorCodes(), lost)
	}
	if command, ok := errors.AsType[mongo.CommandError](err); ok {
		return command.Code > 0 && !lost(int(command.Code)) &&
			!command.HasErrorLabel("NetworkError") && !command.HasErrorLabel("RetryableWriteError")
	}
	_, ours := errors.AsType[mongo.MarshalError](err)
	return ours
}

var indexName = regexp.MustCompile(`index: (?:\S+\.\$)?(\S+)`)

// duplicate names the unique index that err is about.
func duplicate(err error) (index string, ok bool) {
	if !mongo.IsDuplicateKeyError(err) {
		return "", false
	}
	if found := indexName.FindStringSubmatch(err.Error()); found != nil {
		return found[1], true
	}
	return "", true
}

// read runs a command that changes nothing, and so may be repeated.
func (s *Store) read(ctx context.Context, command func(context.Context) error) error {
	var err error
	for try := range 3 {
		if try > 0 {
			if err := pause(ctx, try); err != nil {
				return err
			}
		}
		var lost *errLost
		if err = s.once(ctx, command); !errors.As(err, &lost) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("%w (MongoDB: %v)", docstore.ErrUnavailable, err)
}

// A verdict is what became of a write whose answer was lost.
type verdict int

const (
	unknown   verdict = iota // others have written too often since
	done                     // it is in place, or was until others wrote over it
	undone                   // it was not done: it may be tried again
	overtaken                // it was not done and can no longer be
)

// write runs a command that changes one document. If its answer is lost, look
// tells what became of it, and it is run again if it has not been done: so it
// is done once or not at all, and the caller learns which. late is the error
// for a write that can no longer be done.
//
// Where the outcome cannot be found out, the error is that of the context or
// ErrUnavailable; the write may then still be done.
func (s *Store) write(ctx context.Context, what string, late error, command func(context.Context) error, look func(context.Context) (verdict, error)) error {
	err := s.once(ctx, command)
	var lost *errLost
	if !errors.As(err, &lost) {
		return err
	}
	began, cause := time.Now(), lost.cause
	until, cancel := context.WithTimeout(ctx, s.settleWithin)
	defer cancel()
	var refusal error
	for try := 1; ; try++ {
		found, err := look(until)
		if err == nil && found != undone {
			s.log.WarnContext(ctx, "the answer to a write was lost and its outcome looked up",
				"write", what, "outcome", found.String(), "tries", try, "took", time.Since(began))
			switch found {
			case done:
				return nil
			case overtaken:
				return late
			default:
				return fmt.Errorf("%w (MongoDB: %s: others have written too often to know the outcome: %v)", docstore.ErrUnavailable, what, cause)
			}
		}
		if err == nil {
			// A majority may see the first try a little later than the
			// primary does, which refuses the second one because of it: so a
			// refusal is believed only when nothing appears for a while.
			if refusal != nil && try > 5 {
				return refusal
			}
			err = s.once(until, command)
			if err == nil {
				s.log.WarnContext(ctx, "the answer to a write was lost, and it was done again",
					"write", what, "tries", try, "took", time.Since(began))
				return nil
			}
		}
		refusal = nil
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%w (%s: the outcome is not known: %v)", ctx.Err(), what, cause)
		case errors.Is(err, errClosed), until.Err() != nil:
			return fmt.Errorf("%w (MongoDB: %s: the outcome is not known: %v)", docstore.ErrUnavailable, what, cause)
		case errors.As(err, &lost):
			cause = lost.cause
		case errors.Is(err, docstore.ErrDuplicate):
			refusal = err
		case errors.Is(err, docstore.ErrStale), errors.Is(err, docstore.ErrExists), errors.Is(err, docstore.ErrUnavailable):
			// Look again, which tells whether it is our own first try that
			// stands in the way.
		default:
			return err
		}
		_ = pause(until, try) // an end of the context shows at the next look
	}
}

func (v verdict) String() string {
	return [...]string{"unknown", "done", "not done", "overtaken by others"}[v]
}

// pause waits before another try: up to 10 ms at first, up to 640 ms later.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(rand.N(10 * time.Millisecond << min(try-1, 6)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
