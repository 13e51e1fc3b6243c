package events

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

// A bus tells once that Redis is away, however many of its loops find out, and
// once that it is back, when the last of them has found it.
func TestAwayIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		bus := NewBus(nil, slog.New(slog.NewTextHandler(&said, nil)))
		want := func(when string, away, back int) {
			t.Helper()
			if a, b := strings.Count(said.String(), "redis is away"), strings.Count(said.String(), "redis is back"); a != away || b != back {
				t.Errorf("%s: away was told %d times, and back %d times, want %d and %d", when, a, b, away, back)
			}
		}
		loops := []*trouble{{bus: bus}, {bus: bus}, {bus: bus}}
		fail := func(times int) {
			for range times {
				for _, l := range loops {
					l.wait(t.Context(), errors.New("connection refused"))
				}
			}
		}
		for n := range 2 {
			fail(tellAfter - 1)
			want("a moment", n, n)
			fail(2 * tellAfter)
			want("away", n+1, n)
			for _, l := range loops[1:] {
				l.over(t.Context())
				l.over(t.Context())
			}
			want("one loop has not found it yet", n+1, n)
			loops[0].over(t.Context())
			want("back", n+1, n+1)
		}
		fail(tellAfter - 1)
		for _, l := range loops {
			l.over(t.Context())
		}
		want("a moment only", 2, 2)
		fail(tellAfter)
		ended, end := context.WithCancel(t.Context())
		end()
		for _, l := range loops {
			l.over(ended)
		}
		want("the process ends", 3, 2)
	})
}
