package budget

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	firstPause = time.Second
	mostPause  = 30 * time.Second
)

// absence keeps callers from waiting for a Redis that does not answer: after
// an error one call is let through at growing intervals, until one succeeds.
type absence struct {
	mu      sync.Mutex
	pause   time.Duration // 0: it answers
	until   time.Time
	probing bool
}

// is reports whether Redis is away.
func (a *absence) is() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pause != 0
}

// allows admits a call, which ends in learn.
func (a *absence) allows(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pause == 0 {
		return true
	}
	if a.probing || now.Before(a.until) {
		return false
	}
	a.probing = true
	return true
}

// learn notes what came of a call: when the next one is let through, and
// whether that is news.
func (a *absence) learn(err error, now time.Time) (again time.Duration, changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.pause != 0
	if was && !a.probing {
		return 0, false // begun before the trouble was known
	}
	a.probing = false
	if err == nil {
		a.pause = 0
		return 0, was
	}
	a.pause = min(max(2*a.pause, firstPause), mostPause)
	again = a.pause/2 + rand.N(a.pause)
	a.until = now.Add(again)
	return again, !was
}
