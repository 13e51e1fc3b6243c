package token

import "context"

// Remembered is how many verified tokens are remembered.
const Remembered = remembered

// Refetch fetches the keys as Run does.
func (v *Verifier) Refetch(ctx context.Context) error { return v.fetch(ctx) }

// Refetched reports whether the keys have come.
func (v *Verifier) Refetched() bool { return v.keys.Load() != nil }

// InMemory is how many tokens are remembered.
func (v *Verifier) InMemory() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.verified.values)
}
