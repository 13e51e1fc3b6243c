// Package clocktest is a time that tests can let pass.
package clocktest

import (
	"sync/atomic"
	"time"
)

// A Clock is given to what is tested as its Now. Its zero value shows the real
// time and what was let pass besides. It may be used from anywhere at once.
type Clock struct {
	stands time.Time // where it began, if it stands still
	passed atomic.Int64
}

// Still is a clock that stands at noon of 1 March 2026, UTC, and moves only
// when time is let pass.
func Still() *Clock { return &Clock{stands: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	now := c.stands
	if now.IsZero() {
		now = time.Now()
	}
	return now.Add(time.Duration(c.passed.Load()))
}

// Pass lets time pass.
func (c *Clock) Pass(d time.Duration) { c.passed.Add(int64(d)) }
