package payment

import (
	"testing"
	"time"
)

func TestBreaker(t *testing.T) {
	var b breaker
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range breakAfter {
		if !b.open(now) || !b.allow(now) {
			t.Fatalf("closed after %d failures", i)
		}
		b.answered(false, now)
	}
	wait := time.Second
	for i := range 8 {
		if b.allow(now.Add(wait-time.Millisecond)) || b.open(now.Add(wait-time.Millisecond)) {
			t.Fatalf("probe %d: admitted before %v", i, wait)
		}
		now = now.Add(wait)
		if !b.open(now) || !b.allow(now) {
			t.Fatalf("probe %d: not admitted after %v", i, wait)
		}
		if b.allow(now) || b.open(now) {
			t.Fatalf("probe %d: a second one admitted", i)
		}
		b.skipped() // the one that was admitted did not call after all
		if !b.allow(now) {
			t.Fatalf("probe %d: lost with the one who did not use it", i)
		}
		b.answered(false, now)
		wait = min(2*wait, maxBreak)
	}
	now = now.Add(maxBreak)
	if !b.allow(now) {
		t.Fatal("not admitted")
	}
	b.answered(true, now)
	for range breakAfter - 1 {
		if !b.allow(now) {
			t.Fatal("not healed by a proper answer")
		}
		b.answered(false, now)
	}
}

func TestBackOffGrowsAndIsBounded(t *testing.T) {
	for tries := 1; tries < 40; tries++ {
		for range 50 {
			d := backOff(tries)
			most := lastRetry
			if tries == 1 {
				most = firstRetry
			}
			if d <= 0 || d > most || tries > 10 && d < lastRetry/2 {
				t.Fatalf("after %d tries: %v", tries, d)
			}
		}
	}
}
