package page

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A Bell tells those who watch that there is something new. It rings with a
// number that grows; who was slow hears the latest only. The zero Bell has
// never rung.
type Bell struct {
	mu       sync.Mutex
	last     int64
	watchers map[chan int64]bool
	closed   bool
}

// Ring says the number to everybody, and to those who come later.
func (b *Bell) Ring(number int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = max(b.last, number)
	for w := range b.watchers {
		select {
		case <-w: // an older one that nobody has taken
		default:
		}
		w <- b.last // nobody else writes: there is room now
	}
}

// Close ends what Serve answers, and will.
func (b *Bell) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watchers {
		close(w)
	}
	b.watchers, b.closed = nil, true
}

// watch returns a channel that holds the latest number that its reader has
// not heard, at first the one that is there. It is closed by Close.
func (b *Bell) watch() (latest <-chan int64, done func()) {
	w := make(chan int64, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	w <- b.last
	if b.closed {
		close(w)
		return w, func() {}
	}
	if b.watchers == nil {
		b.watchers = map[chan int64]bool{}
	}
	b.watchers[w] = true
	return w, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, w)
	}
}

// Serve is an event stream of the bell's numbers, beginning with the latest,
// until its reader leaves or the bell is closed.
func (b *Bell) Serve(w http.ResponseWriter, r *http.Request) {
	Head(w, "text/event-stream")
	out := http.NewResponseController(w)
	latest, done := b.watch()
	defer done()
	beat := time.NewTicker(20 * time.Second) // so that a reader who has gone is noticed
	defer beat.Stop()
	for {
		line := ":\n\n"
		select {
		case number, ok := <-latest:
			if !ok {
				return
			}
			line = fmt.Sprintf("data: %d\n\n", number)
		case <-beat.C:
		case <-r.Context().Done():
			return
		}
		_ = out.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if _, err := w.Write([]byte(line)); err != nil || out.Flush() != nil {
			return
		}
	}
}
