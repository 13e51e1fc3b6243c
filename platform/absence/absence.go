// Package absence keeps those who can do without something from waiting for it
// while it is away.
package absence

import (
	"math/rand/v2"
	"sync"
	"time"
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
	pause   time.Duration // 0: it answers
	until   time.Time
	probing bool
}

// Is reports whether it is away.
func (a *Absence) Is() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pause != 0
}

// Allows admits a call, which ends in Learn.
func (a *Absence) Allows(now time.Time) bool {
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

// Learn notes what came of a call: when the next one is let through, and
// whether that is news.
func (a *Absence) Learn(err error, now time.Time) (again time.Duration, changed bool) {
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
