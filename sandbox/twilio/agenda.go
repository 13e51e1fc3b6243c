package twilio

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// An agenda gives things out when their time has come, to one taker; what is
// due at the same time, in the order in which it came. It holds a number of
// things at most; more are dropped.
type agenda[T any] struct {
	most int
	kick chan struct{} // wakes the taker

	mu   sync.Mutex
	came int
	due  entries[T]
}

type entry[T any] struct {
	at   time.Time
	came int
	what T
}

func newAgenda[T any](most int) *agenda[T] {
	return &agenda[T]{most: most, kick: make(chan struct{}, 1)}
}

func (a *agenda[T]) add(at time.Time, what T) {
	a.mu.Lock()
	if len(a.due) < a.most {
		a.came++
		heap.Push(&a.due, entry[T]{at, a.came, what})
	}
	a.mu.Unlock()
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// next waits for what is due next; false says that ctx has ended.
func (a *agenda[T]) next(ctx context.Context) (what T, ok bool) {
	for ctx.Err() == nil {
		a.mu.Lock()
		var timer *time.Timer
		var ripe <-chan time.Time // nil while there is nothing to wait for
		if len(a.due) > 0 {
			wait := time.Until(a.due[0].at)
			if wait <= 0 {
				e := heap.Pop(&a.due).(entry[T])
				a.mu.Unlock()
				return e.what, true
			}
			timer = time.NewTimer(wait)
			ripe = timer.C
		}
		a.mu.Unlock()
		select {
		case <-ripe:
		case <-a.kick:
		case <-ctx.Done():
		}
		if timer != nil {
			timer.Stop()
		}
	}
	return what, false
}

// entries are a heap, the earliest first.
type entries[T any] []entry[T]

func (e entries[T]) Len() int      { return len(e) }
func (e entries[T]) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e entries[T]) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].came < e[j].came
	}
	return e[i].at.Before(e[j].at)
}

// Push is for package heap.
func (e *entries[T]) Push(x any) { *e = append(*e, x.(entry[T])) }

// Pop is for package heap.
func (e *entries[T]) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = entry[T]{}
	*e = old[:len(old)-1]
	return last
}
