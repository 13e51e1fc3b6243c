package work

import (
	"context"
	"math/rand/v2"
	"time"
)

// Spread is a duration around d, evenly from three to five quarters of it, so
// that what began at the same moment parts.
func Spread(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2+1) }

// BackOff is how long to wait before a retry: first, doubled so many times, and
// never more than most; half of it fixed, half by chance.
func BackOff(first, most time.Duration, doubled int) time.Duration {
	d := min(first, most)
	for ; doubled > 0 && d < most; doubled-- {
		d = min(2*d, most)
	}
	return d/2 + rand.N(d/2+1)
}

// Pause waits until the time is over or ctx ends.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
