package catalog

import (
	"testing"
	"time"
)

// A copy reads up to the first change that is still being made; one whose
// process died does not hold it up for ever.
func TestThrough(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixMilli() }
	for _, c := range []struct {
		open map[string]int64
		want int64
	}{
		{nil, 9},
		{map[string]int64{"9": ago(0)}, 8},
		{map[string]int64{"7": ago(time.Minute), "8": ago(time.Second)}, 6},
		{map[string]int64{"7": ago(time.Minute), "3": ago(time.Hour)}, 6},
		{map[string]int64{"3": ago(time.Hour)}, 9},
	} {
		if got := (&journalDoc{Last: 9, Open: c.open}).through(now); got != c.want {
			t.Errorf("%v: %d, want %d", c.open, got, c.want)
		}
	}
}
