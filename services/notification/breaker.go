package notification

import (
	"sync"
	"time"
)

// A breaker spares a provider that takes nothing: after five attempts in a row
// that found it unreachable, one at a time is let through, at intervals that
// grow from 1 s to 1 min, until one is answered. Mails keep their place
// meanwhile and lose no attempt.
type breaker struct {
	mu      sync.Mutex
	failed  int // in a row
	next    time.Time
	probing bool
}

const (
	breakAfter = 5
	probeMost  = time.Minute
)

// admit reports whether an attempt may be made. Who is admitted calls done.
func (b *breaker) admit(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failed < breakAfter:
		return true
	case b.probing || now.Before(b.next):
		return false
	}
	b.probing = true
	return true
}

// open reports whether an attempt would be admitted, without admitting one.
func (b *breaker) open(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed < breakAfter || !b.probing && !now.Before(b.next)
}

// done says what came of an attempt that was admitted: whether somebody
// answered. tried is false where the provider was not called after all.
func (b *breaker) done(tried, answered bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	switch {
	case !tried:
	case answered:
		b.failed = 0
	default:
		b.failed++
		if over := b.failed - breakAfter; over >= 0 {
			b.next = now.Add(min(time.Second<<min(over, 6), probeMost))
		}
	}
}
