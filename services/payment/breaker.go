package payment

import (
	"sync"
	"time"
)

// A breaker keeps this process from knocking at a door that nobody opens:
// after eight calls in a row without a proper answer it lets one through at
// growing intervals, from 1 s up to 30 s, until one is answered.
type breaker struct {
	mu      sync.Mutex
	fails   int
	until   time.Time
	probing bool
}

const (
	breakAfter = 8
	maxBreak   = 30 * time.Second
)

// allow admits a call. Every call admitted ends in answered, or in skipped if
// it is not made after all.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fails < breakAfter {
		return true
	}
	if b.probing || now.Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

func (b *breaker) answered(properly bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if properly {
		b.fails = 0
		return
	}
	b.fails++
	if b.fails >= breakAfter {
		b.until = now.Add(min(time.Second<<min(b.fails-breakAfter, 10), maxBreak))
	}
}

func (b *breaker) skipped() {
	b.mu.Lock()
	b.probing = false
	b.mu.Unlock()
}

// open reports whether a call would be admitted, without admitting one.
func (b *breaker) open(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fails < breakAfter || !b.probing && !now.Before(b.until)
}
