// Package absence keeps those who can do without something from waiting for it
// while it is away.
package absence

import (
	"sync"
	"time"

	"ordergraph/platform/work"
)

const (
	firstPause = time.Second
	mostPause  = 30 * time.Second
)

// An Absence lets one call through at growing intervals after an error, until
// one succeeds. The zero Absence is of something that is there. It may be used
// from many goroutines.
type Absence struct {
	mu      sync.Mutex
	failed  int // calls, one after another; 0: it answers
	until   time.Time
	probing bool
}

// Is reports whether it is away.
func (a *Absence) Is() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed > 0
}

// Allows admits a call, which ends in Learn.
func (a *Absence) Allows(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed == 0 {
		return true
	}
	if a.probing || now.Before(a.until) {
		return false
	}
	a.probing = true
	return true
}

// Learn notes what came of a call: when the next one is let through, and
// whether that is news.
func (a *Absence) Learn(err error, now time.Time) (again time.Duration, changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.failed > 0
	if was && !a.probing {
		return 0, false // begun before the trouble was known
	}
	a.probing = false
	if err == nil {
		a.failed = 0
		return 0, was
	}
	again = work.BackOff(firstPause, mostPause, a.failed)
	a.failed++
	a.until = now.Add(again)
	return again, !was
}
