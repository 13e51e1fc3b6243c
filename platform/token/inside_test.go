package token

import (
	"context"
	"testing"
)

// Remembered is how many verified tokens are remembered.
const Remembered = remembered

// Refetch fetches the keys as Run does.
func (v *Verifier) Refetch(ctx context.Context) error { return v.fetch(ctx) }

// Refetched reports whether the keys have come.
func (v *Verifier) Refetched() bool { return v.keys.Load() != nil }

func TestOnlyTheLatestAreRemembered(t *testing.T) {
	r := recent[int, int]{most: 3}
	for i := range 10 {
		r.put(i, i)
		r.put(i, -i) // there already: takes no other's place
		if v, ok := r.get(i); !ok || v != -i {
			t.Errorf("%d: %d, %v", i, v, ok)
		}
		if _, ok := r.get(i - 2); ok != (i >= 2) {
			t.Errorf("%d is remembered: %v", i-2, ok)
		}
		if _, ok := r.get(i - 3); ok {
			t.Errorf("%d is still remembered", i-3)
		}
		if len(r.values) > 3 || len(r.order) > 3 {
			t.Fatalf("%d values, %d in order", len(r.values), len(r.order))
		}
	}
}
