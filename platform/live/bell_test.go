package live

import "testing"

// Of rings of one thing that go out together the greatest version does; that
// the thing has changed, to whatever version, is said if one of them says so.
func TestRingsOfOneThing(t *testing.T) {
	for _, c := range []struct {
		rung []int64
		goes int64
	}{
		{[]int64{3}, 3},
		{[]int64{3, 5, 4}, 5},
		{[]int64{Changed}, Changed},
		{[]int64{5, Changed}, Changed},
		{[]int64{Changed, 5}, Changed},
	} {
		b := NewBell(nil, nil)
		for _, version := range c.rung {
			b.Ring("mug", "a", version)
		}
		if got := b.waiting[ring{"mug", "a"}]; got != c.goes {
			t.Errorf("of %v %d goes out, want %d", c.rung, got, c.goes)
		}
	}
}
