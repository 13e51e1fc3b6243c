package docstorelocal

import (
	"bytes"
	"cmp"
	"math"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"
)

// TestKeysSortAsValues: whatever stands beside a value, its key sorts as the
// value does, and equal values have equal keys.
func TestKeysSortAsValues(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune{0, 1, 0xff, 'a'}), 0, 4, -1))
	whole := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-3, 3), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 1 << 53, 1<<53 + 1}))
	values := rapid.OneOf(
		rapid.Map(texts, func(s string) any { return s }),
		rapid.Map(whole, func(n int64) any { return n }),
		rapid.Map(rapid.Int32(), func(n int32) any { return n }),
		rapid.Map(rapid.OneOf(rapid.Float64(), rapid.Float64Range(-3, 3), rapid.SampledFrom([]float64{1 << 53, math.Inf(1), math.Inf(-1), 0.5})), func(d float64) any { return d }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64Range(-1<<50, 1<<50), func(ms int64) any { return time.UnixMilli(ms) }),
	)
	raw := func(v any) bson.RawValue {
		kind, data, err := bson.MarshalValue(v)
		if err != nil {
			t.Fatal(err)
		}
		return bson.RawValue{Type: kind, Value: data}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		next, other := values.Draw(t, "behind a"), values.Draw(t, "behind b")
		keyA, keyB := appendValue(nil, raw(a)), appendValue(nil, raw(b))
		want := compareAny(a, b)
		if got := bytes.Compare(keyA, keyB); got != want {
			t.Fatalf("%v and %v: keys compare %d, want %d (% x, % x)", a, b, got, want, keyA, keyB)
		}
		if want == 0 {
			want = compareAny(next, other)
		}
		if got := bytes.Compare(appendValue(keyA, raw(next)), appendValue(keyB, raw(other))); got != want {
			t.Fatalf("%v, %v and %v, %v: keys compare %d, want %d", a, next, b, other, got, want)
		}
	})
}

// compareAny is MongoDB's order.
func compareAny(a, b any) int {
	rank := func(v any) int {
		switch v.(type) {
		case string:
			return 2
		case bool:
			return 3
		case time.Time:
			return 4
		}
		return 1
	}
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case bool:
		return cmp.Compare(raised(a), raised(b.(bool)))
	case time.Time:
		return cmp.Compare(a.UnixMilli(), b.(time.Time).UnixMilli())
	}
	return compareNumbers(a, b)
}

func raised(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareNumbers compares exactly, where converting to a double would not.
func compareNumbers(a, b any) int {
	da, aIsDouble := a.(float64)
	db, bIsDouble := b.(float64)
	switch {
	case aIsDouble && bIsDouble:
		return cmp.Compare(da, db)
	case bIsDouble:
		return -compareNumbers(b, a)
	case !aIsDouble:
		return cmp.Compare(integer(a), integer(b))
	}
	n := integer(b)
	switch {
	case da < math.MinInt64:
		return -1
	case da >= math.MaxInt64: // 2^63 as a double, more than any int64
		return 1
	}
	floor := math.Floor(da)
	if c := cmp.Compare(int64(floor), n); c != 0 || floor == da {
		return c
	}
	return 1
}

func integer(v any) int64 {
	if n, ok := v.(int32); ok {
		return int64(n)
	}
	return v.(int64)
}

func TestAfterIsTheNextPrefix(t *testing.T) {
	for _, c := range []struct{ prefix, want string }{{"a", "b"}, {"a\xff", "b"}, {"\x00", "\x01"}, {"a\xff\xff", "b"}, {"ab", "ac"}} {
		if got := after([]byte(c.prefix)); string(got) != c.want {
			t.Errorf("after %q: %q, want %q", c.prefix, got, c.want)
		}
	}
	if got := after([]byte{0xff}); got != nil {
		t.Errorf("after the last prefix: %q", got)
	}
}

// TestCacheStaysWithinItsLimit also checks that it holds on to what is used.
func TestCacheStaysWithinItsLimit(t *testing.T) {
	const limit = 256 * 20 * (1000 + cachedOverhead)
	c := newCache(limit)
	doc := make(bson.Raw, 1000)
	hot := documentKey(1, "hot")
	c.begin(hot)
	c.end(hot, doc)
	for n := range uint32(50_000) {
		key := documentKey(2, string(binaryID(n)))
		_, seen := c.get(key)
		if c.offer(key, doc, seen) {
			t.Fatal("a write is under way that nobody began")
		}
		if got, _ := c.get(hot); got == nil {
			t.Fatalf("a document in use was evicted after %d others", n)
		}
	}
	total, entries := 0, 0
	for i := range c.shards {
		s := &c.shards[i]
		entries += len(s.docs)
		for _, e := range s.docs {
			total += e.size()
			if s.ring[e.slot] != e {
				t.Fatal("the ring has lost an entry")
			}
		}
		if s.bytes > s.limit || len(s.ring) != len(s.docs) {
			t.Fatalf("%d of %d bytes, %d in the ring, %d documents", s.bytes, s.limit, len(s.ring), len(s.docs))
		}
	}
	if total > limit || entries < 256*10 {
		t.Errorf("%d entries in %d bytes, limit %d", entries, total, limit)
	}
}

func binaryID(n uint32) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

// TestCacheIsNotFilledPastAWrite: what was read before or during a write must
// not cover what was written.
func TestCacheIsNotFilledPastAWrite(t *testing.T) {
	c := newCache(1 << 20)
	key := documentKey(1, "a")
	old, written := bson.Raw("old"), bson.Raw("new")
	_, before := c.get(key)
	c.begin(key)
	_, during := c.get(key)
	if !c.offer(key, old, during) {
		t.Error("a reader was not told of the write under way")
	}
	c.end(key, written)
	for name, seen := range map[string]sight{"before": before, "during": during} {
		if c.offer(key, old, seen); true {
			if got, _ := c.get(key); string(got) != "new" {
				t.Errorf("a reader from %s the write covered it with %q", name, got)
			}
		}
	}
	c.begin(key)
	c.end(key, nil)
	if got, seen := c.get(key); got != nil {
		t.Errorf("deleted, and there is %q", got)
	} else if c.offer(key, written, before); true {
		if got, _ := c.get(key); got != nil {
			t.Error("a reader from before the deletion brought it back")
		}
		c.offer(key, old, seen)
		if got, _ := c.get(key); string(got) != "old" {
			t.Error("what was read after all writes was not kept")
		}
	}
}
