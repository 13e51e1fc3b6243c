package work_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"strings"
	"sync/atomic"
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

// What fails for long fills no log, and that it succeeds again is told.
func TestRoundsThatFailForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		rounds := 0
		work.Keep(ctx, slog.New(slog.NewTextHandler(&log, nil)), work.Part{Name: "sweep", Every: time.Second, Run: func(context.Context) error {
			if rounds++; rounds <= 1000 {
				return errors.New("away")
			}
			return nil
		}})
		if warned, healed := strings.Count(log.String(), "level=WARN"), strings.Count(log.String(), "level=INFO"); warned != 10 || healed != 1 {
			t.Errorf("warned %d times, healed %d times:\n%s", warned, healed, log.String())
		}
	})
}

// Rounds go on after one that failed and one that panicked, the first within a
// minute, and at a rate that is theirs.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Hour)
		defer cancel()
		began := time.Now()
		var rounds []time.Duration
		work.Keep(ctx, slog.New(slog.NewTextHandler(&log, nil)), work.Part{Name: "sweep", Every: time.Hour, Run: func(context.Context) error {
			switch rounds = append(rounds, time.Since(began)); len(rounds) {
			case 2:
				return errors.New("oh dear")
			case 3:
				panic("ouch")
			}
			return nil
		}})
		if len(rounds) < 80 || len(rounds) > 134 {
			t.Errorf("%d rounds of an hour in 100 hours", len(rounds))
		}
		if rounds[0] >= time.Minute {
			t.Errorf("the first round was after %v", rounds[0])
		}
		for i := range rounds[1:] {
			if gap := rounds[i+1] - rounds[i]; i != 2 && (gap < 45*time.Minute || gap > 75*time.Minute) {
				t.Errorf("round %d was %v after the one before", i+1, gap)
			}
		}
		for _, words := range []string{"level=WARN", "worker=sweep", "oh dear", "level=ERROR", "ouch"} {
			if !strings.Contains(log.String(), words) {
				t.Errorf("the log does not say %q: %s", words, log.String())
			}
		}
	})
}

func TestSpread(t *testing.T) {
	low, high := time.Hour, time.Duration(0)
	for range 1000 {
		d := work.Spread(time.Minute)
		low, high = min(low, d), max(high, d)
	}
	if low < 45*time.Second || high > 75*time.Second || high-low < 10*time.Second {
		t.Errorf("a minute is spread from %v to %v", low, high)
	}
	if d := work.Spread(0); d != 0 {
		t.Errorf("nothing is spread to %v", d)
	}
}

func TestBackOff(t *testing.T) {
	for doubled, most := range map[int]time.Duration{-1: time.Second, 0: time.Second, 1: 2 * time.Second, 5: 32 * time.Second, 6: time.Minute, 1 << 40: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := work.BackOff(time.Second, time.Minute, doubled)
			if seen[d] = true; d < most/2 || d > most {
				t.Errorf("doubled %d times: %v", doubled, d)
			}
		}
		if len(seen) < 2 {
			t.Errorf("doubled %d times: always the same", doubled)
		}
	}
	if d := work.BackOff(time.Hour, time.Minute, 0); d > time.Minute {
		t.Errorf("%v is more than the most", d)
	}
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

func TestEach(t *testing.T) {
	lost := errors.New("lost")
	found := func(ends error) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range 100 {
				if !yield(i, nil) {
					return
				}
			}
			if ends != nil {
				yield(0, ends)
			}
		}
	}
	var done, now, most atomic.Int32
	n, err := work.Each(t.Context(), found(lost), 4, func(i int) error {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		done.Add(1)
		if i == 7 {
			panic("seven")
		}
		return nil
	})
	if n != 100 || done.Load() != 100 || most.Load() > 4 || now.Load() != 0 {
		t.Errorf("counted %d, did %d, at most %d at once, %d still at work", n, done.Load(), most.Load(), now.Load())
	}
	if !errors.Is(err, lost) || !strings.Contains(err.Error(), "seven") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n, err = work.Each(ctx, found(nil), 1, func(i int) error {
		if i == 9 {
			cancel()
		}
		return nil
	})
	if n < 10 || n > 12 || err != nil {
		t.Errorf("went on to %d after the end, %v", n, err)
	}
	_, err = work.Each(t.Context(), found(nil), 4, func(int) error { return lost })
	if text := err.Error(); strings.Count(text, "lost") != 5 || !strings.Contains(text, "and 95 more") {
		t.Errorf("of a hundred: %v", err)
	}
}
