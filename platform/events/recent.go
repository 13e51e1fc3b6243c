package events

import "sync"

// recentLength is how many ids are remembered.
const recentLength = 4096

// recent remembers the latest ids that it was given. Its zero value is ready;
// it may be used from many goroutines.
type recent struct {
	mu    sync.Mutex
	known map[string]bool
	ring  []string // as they came, the oldest at next
	next  int
}

// add reports whether the id is news.
func (r *recent) add(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[id] {
		return false
	}
	if r.known == nil {
		r.known = map[string]bool{}
	}
	r.known[id] = true
	if len(r.ring) < recentLength {
		r.ring = append(r.ring, id)
		return true
	}
	delete(r.known, r.ring[r.next])
	r.ring[r.next] = id
	r.next = (r.next + 1) % recentLength
	return true
}

func (r *recent) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[id]
}
