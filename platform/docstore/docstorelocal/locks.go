package docstorelocal

import (
	"hash/maphash"
	"slices"
	"sync"
)

// stripes are locks on keys. A writer holds those of its document and of the
// unique keys it takes, from the check until the write is durable; different
// keys nearly always have different locks, so their writers share one fsync.
type stripes struct {
	seed  maphash.Seed
	locks [4096]sync.Mutex
}

func (s *stripes) of(key []byte) int {
	return int(maphash.Bytes(s.seed, key) % uint64(len(s.locks)))
}

// lock takes the locks of all keys, always in the same order.
func (s *stripes) lock(keys ...[]byte) (unlock func()) {
	if len(keys) == 1 {
		l := &s.locks[s.of(keys[0])]
		l.Lock()
		return l.Unlock
	}
	places := make([]int, len(keys))
	for i, key := range keys {
		places[i] = s.of(key)
	}
	slices.Sort(places)
	places = slices.Compact(places)
	for _, p := range places {
		s.locks[p].Lock()
	}
	return func() {
		for _, p := range places {
			s.locks[p].Unlock()
		}
	}
}
