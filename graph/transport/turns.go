package transport

import (
	"context"
	"runtime"
)

// turns bound how many operations and events of sockets are executed at a
// time, however many clients come back or are told something at once: the
// others wait with next to nothing in their hands.
type turns chan struct{}

// turnsPerCore leaves room for operations that wait for services.
const turnsPerCore = 64

func newTurns() turns { return make(turns, turnsPerCore*runtime.GOMAXPROCS(0)) }

// take waits for a turn until ctx ends.
func (t turns) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) give() { <-t }
