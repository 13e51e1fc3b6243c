package docstore

import (
	"context"
	"sync"
)

// A Queue lets one goroutine at a time hold each key, in order of arrival.
type Queue struct {
	mu    sync.Mutex
	turns map[string]*turn
}

type turn struct {
	token   chan struct{} // holds one token while nobody has the key
	waiting int
}

// enter waits for the key and returns the function that gives it back.
func (q *Queue) enter(ctx context.Context, key string) (leave func(), err error) {
	q.mu.Lock()
	if q.turns == nil {
		q.turns = map[string]*turn{}
	}
	t := q.turns[key]
	if t == nil {
		t = &turn{token: make(chan struct{}, 1)}
		t.token <- struct{}{}
		q.turns[key] = t
	}
	t.waiting++
	q.mu.Unlock()

	forget := func() {
		q.mu.Lock()
		if t.waiting--; t.waiting == 0 {
			delete(q.turns, key)
		}
		q.mu.Unlock()
	}
	select {
	case <-t.token:
		return func() { t.token <- struct{}{}; forget() }, nil
	case <-ctx.Done():
		forget()
		return nil, ctx.Err()
	}
}

// Queued is implemented by Documents that see all writers of a collection, as
// those of an engine do that belongs to one process. Collections of the same
// documents then share one queue, and their writers never fight over a version.
type Queued interface {
	Queue() *Queue
}
