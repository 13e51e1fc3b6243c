package activity

import (
	"math"
	"time"
)

// A Bucket is how often something took a time around the same: at most 7 %
// longer than what is in the bucket before.
type Bucket struct {
	Place int32 `bson:"place"`
	N     int64 `bson:"n"`
}

// Ten buckets for each doubling of the time, from a millisecond to about an
// hour. The first has all that is quicker, and the last all that is slower.
const (
	perDoubling = 10
	places      = 220
)

type histogram [places]int64

// placeOf is the bucket of a time.
func placeOf(took time.Duration) int32 {
	ms := float64(took) / float64(time.Millisecond)
	if ms <= 1 {
		return 0
	}
	// What is the end of a bucket is in it, however its logarithm is rounded.
	return int32(min(math.Ceil(perDoubling*math.Log2(ms)-1e-6), places-1))
}

// Longest is the longest time that the bucket is for.
func (b Bucket) Longest() time.Duration {
	return time.Duration(math.Exp2(float64(b.Place)/perDoubling) * float64(time.Millisecond))
}

func (h *histogram) list() []Bucket {
	if h == nil {
		return nil
	}
	var buckets []Bucket
	for place, n := range h {
		if n > 0 {
			buckets = append(buckets, Bucket{Place: int32(place), N: n})
		}
	}
	return buckets
}

// Within is the time in which so many of 100 were done, at most 7 % too long;
// ok is false where nothing was counted.
func Within(took []Bucket, ofHundred float64) (_ time.Duration, ok bool) {
	var all, so int64
	for _, b := range took {
		all += b.N
	}
	for _, b := range took {
		if so += b.N; float64(so) >= float64(all)*ofHundred/100 {
			return b.Longest(), true
		}
	}
	return 0, false
}
