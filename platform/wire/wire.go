// Package wire writes what the shop's services tell each other the same way in
// all of them.
package wire

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// Each maps a slice, in its order. Nothing stays nothing, so that what arrives
// is equal to what was sent.
func Each[A, B any](all []A, f func(A) B) []B {
	if len(all) == 0 {
		return nil
	}
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = f(a)
	}
	return out
}

// FromTime writes a moment; no time at all is no message.
func FromTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// ToTime reads what FromTime wrote, in UTC.
func ToTime(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
