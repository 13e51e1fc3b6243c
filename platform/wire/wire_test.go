package wire_test

import (
	"strconv"
	"testing"
	"time"

	"ordergraph/platform/wire"
)

func TestTimesArriveAsTheyWereSent(t *testing.T) {
	for _, sent := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Date(2026, 3, 1, 12, 0, 0, 1_000_000, time.UTC)} {
		if got := wire.ToTime(wire.FromTime(sent)); got != sent {
			t.Errorf("%v arrives as %v", sent, got)
		}
	}
	if got := wire.FromTime(time.Time{}); got != nil {
		t.Errorf("no time is sent as %v", got)
	}
}

func TestEachKeepsOrderAndAbsence(t *testing.T) {
	if got := wire.Each([]int{2, 1}, strconv.Itoa); len(got) != 2 || got[0] != "2" || got[1] != "1" {
		t.Errorf("%q", got)
	}
	if got := wire.Each([]int{}, strconv.Itoa); got != nil {
		t.Errorf("nothing became %q", got)
	}
}
