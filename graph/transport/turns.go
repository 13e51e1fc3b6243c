package transport

import (
	"context"
	"runtime"
)

// turns bound how much is executed at a time for sockets, however many clients
// come back or are told something at once: the others wait with next to
// nothing in their hands.
type turns chan struct{}

// How many turns there are for each processor. Operations that begin and
// events have their own, so that a rush of orders does not hold up the news of
// them. Most of the time both wait for services.
const (
	beginningsPerCore = 256
	eventsPerCore     = 64
)

func newTurns(perCore int) turns { return make(turns, perCore*runtime.GOMAXPROCS(0)) }

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
