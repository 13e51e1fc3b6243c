package live_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"ordergraph/platform/live"
)

// What nobody rings is asked for all the time, though Redis is there: the
// sweep, which finds what was not rung, is too far off to help.
func TestWhatNobodyRingsIsAskedFor(t *testing.T) {
	often := live.Options{Sweep: time.Hour, Poll: 20 * time.Millisecond, Recheck: time.Hour}
	k := newKitchen(t, miniredis.RunT(t).Addr(), often).connected()
	polled := live.NewPolledTopic[*mug](k.hub, "polled mug", k.versions)
	k.putQuietly("blue")
	s, err := polled.Watch(t.Context(), live.Watch[*mug]{Key: "blue", Load: k.load("blue", "")})
	if err != nil {
		t.Fatal(err)
	}
	for want := int64(1); want <= 3; want++ {
		select {
		case m := <-s.C():
			if m.Version != want {
				t.Fatalf("came %+v, want version %d", m, want)
			}
		case <-time.After(patience):
			t.Fatalf("version %d does not come", want)
		}
		k.putQuietly("blue")
	}
}
