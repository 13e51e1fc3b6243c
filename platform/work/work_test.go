package work_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/platform/work"
)

func TestAPartStartsAgainAndItsNeighboursDoNotNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		began := time.Now()
		var starts []time.Duration
		neighbour := 0
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			work.Keep(ctx, slog.New(slog.NewTextHandler(&log, nil)),
				work.Part{Name: "unlucky", Run: func(ctx context.Context) error {
					switch starts = append(starts, time.Since(began)); len(starts) {
					case 1:
						panic("ouch")
					case 2:
						return errors.New("oh dear")
					}
					<-ctx.Done()
					return ctx.Err()
				}},
				work.Part{Name: "neighbour", Run: func(ctx context.Context) error {
					neighbour++
					<-ctx.Done()
					return ctx.Err()
				}},
				work.Part{Name: "done", Run: func(context.Context) error { return nil }})
		}()
		time.Sleep(time.Hour)
		end()
		<-ended
		if len(starts) != 3 || neighbour != 1 {
			t.Errorf("started at %v, the neighbour %d times", starts, neighbour)
		}
		for _, words := range []string{"worker=unlucky", "panic: ouch", "work_test.go", "oh dear"} {
			if !strings.Contains(log.String(), words) {
				t.Errorf("the log does not say %q: %s", words, log.String())
			}
		}
	})
}

// What fails for an hour is tried some 250 times, not thousands of times and
// not a few.
func TestPausesGrowAndAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		starts := 0
		work.Keep(ctx, slog.New(slog.DiscardHandler), work.Part{Name: "hopeless", Run: func(context.Context) error {
			starts++
			panic("again")
		}})
		if starts < 150 || starts > 500 {
			t.Errorf("%d starts within an hour", starts)
		}
	})
}

func TestSafely(t *testing.T) {
	own := errors.New("own")
	if err := work.Safely(func() error { return own }); !errors.Is(err, own) {
		t.Errorf("%v", err)
	}
	if err := work.Safely(func() error { return nil }); err != nil {
		t.Errorf("%v", err)
	}
	var none map[string]int
	if err := work.Safely(func() error { none["x"] = 1; return nil }); err == nil || !strings.Contains(err.Error(), "work_test.go") {
		t.Errorf("%v", err)
	}
}
