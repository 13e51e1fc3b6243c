package cache

import (
	"container/list"
	"sync"
	"time"
)

// recent are the texts that this process used last, up to so many bytes.
type recent struct {
	most int

	mu    sync.Mutex
	byKey map[string]*list.Element
	order list.List // the last used first
	bytes int
}

type entry struct {
	key, text string
	stored    time.Time // when Redis was last told to remember it
}

// size is what an entry takes, with what keeps it in place.
func (e *entry) size() int { return len(e.key) + len(e.text) + 200 }

// get is the text of a key. stale says, to one caller only, that Redis should
// be told to remember it, since a good part of the time it is kept has passed.
func (r *recent) get(key string, now time.Time, keep time.Duration) (text string, stale, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	place, ok := r.byKey[key]
	if !ok {
		return "", false, false
	}
	r.order.MoveToFront(place)
	e := place.Value.(*entry)
	if now.Sub(e.stored) > keep/7 {
		e.stored, stale = now, true
	}
	return e.text, stale, true
}

// doubt notes that Redis may not remember a key: its next use is stale.
func (r *recent) doubt(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if place, ok := r.byKey[key]; ok {
		place.Value.(*entry).stored = time.Time{}
	}
}

func (r *recent) put(key, text string, now time.Time) {
	e := &entry{key, text, now}
	if e.size() > r.most {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if place, ok := r.byKey[key]; ok {
		r.forget(place)
	}
	if r.byKey == nil {
		r.byKey = map[string]*list.Element{}
	}
	r.byKey[key] = r.order.PushFront(e)
	for r.bytes += e.size(); r.bytes > r.most; {
		r.forget(r.order.Back())
	}
}

func (r *recent) forget(place *list.Element) {
	e := r.order.Remove(place).(*entry)
	delete(r.byKey, e.key)
	r.bytes -= e.size()
}
