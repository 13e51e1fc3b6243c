package catalog

import "sync"

// hits are products with their scores, in order of their ordinals. With but
// set they are all products except those listed, unscored.
type hits struct {
	ordinals []uint32
	scores   []float32 // nil: all 0
	but      bool
}

func (h *hits) score(i int) float32 {
	if h.scores == nil {
		return 0
	}
	return h.scores[i]
}

func (h *hits) none() bool { return !h.but && len(h.ordinals) == 0 }

func (h *hits) not() *hits { return &hits{ordinals: h.ordinals, but: !h.but} }

// and are the products in both, with the sum of their scores.
func (h *hits) and(o *hits) *hits {
	switch {
	case h.but && o.but:
		return &hits{ordinals: merged(h, o, true).ordinals, but: true}
	case h.but:
		return o.without(h)
	case o.but:
		return h.without(o)
	}
	return merged(h, o, false)
}

// or are the products in one or both, with the sum of their scores.
func (h *hits) or(o *hits) *hits {
	switch {
	case h.but && o.but:
		return &hits{ordinals: merged(h, o, false).ordinals, but: true}
	case h.but:
		return &hits{ordinals: h.without(o).ordinals, but: true}
	case o.but:
		return &hits{ordinals: o.without(h).ordinals, but: true}
	}
	return merged(h, o, true)
}

// merged are the products in both, or with union in one or both.
func merged(a, b *hits, union bool) *hits {
	m := &hits{}
	i, j := 0, 0
	for i < len(a.ordinals) && j < len(b.ordinals) {
		switch x, y := a.ordinals[i], b.ordinals[j]; {
		case x == y:
			m.add(x, a.score(i)+b.score(j))
			i++
			j++
		case x < y:
			if union {
				m.add(x, a.score(i))
			}
			i++
		default:
			if union {
				m.add(y, b.score(j))
			}
			j++
		}
	}
	if union {
		for ; i < len(a.ordinals); i++ {
			m.add(a.ordinals[i], a.score(i))
		}
		for ; j < len(b.ordinals); j++ {
			m.add(b.ordinals[j], b.score(j))
		}
	}
	return m
}

// without are the products of h that o does not list.
func (h *hits) without(o *hits) *hits {
	m := &hits{}
	j := 0
	for i, x := range h.ordinals {
		for j < len(o.ordinals) && o.ordinals[j] < x {
			j++
		}
		if j == len(o.ordinals) || o.ordinals[j] != x {
			m.add(x, h.score(i))
		}
	}
	return m
}

func (h *hits) add(ordinal uint32, score float32) {
	h.ordinals = append(h.ordinals, ordinal)
	h.scores = append(h.scores, score)
}

// hitsCache remembers which products hold which words, for one state of the
// index: the same words are asked for again and again.
type hitsCache struct {
	mu   sync.Mutex
	byQ  map[wordQuery]*hits
	size int
}

// cacheAtMost is how many hits the cache holds altogether, 8 bytes each.
const cacheAtMost = 1 << 20

func newHitsCache() *hitsCache { return &hitsCache{byQ: map[wordQuery]*hits{}} }

func (c *hitsCache) get(q wordQuery) (*hits, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.byQ[q]
	return h, ok
}

func (c *hitsCache) put(q wordQuery, h *hits) {
	const own = 32 // about what an entry takes besides
	c.mu.Lock()
	defer c.mu.Unlock()
	for old, was := range c.byQ {
		if c.size+len(h.ordinals)+own <= cacheAtMost {
			break
		}
		delete(c.byQ, old)
		c.size -= len(was.ordinals) + own
	}
	if _, ok := c.byQ[q]; !ok {
		c.size += len(h.ordinals) + own
	}
	c.byQ[q] = h
}
