package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// told is a report as a relay reads it, of a fact rung so long before.
func told(at time.Time, group string, late time.Duration, failure string) redis.XMessage {
	values := map[string]any{"doc": "thing", "fact": "thing:1:counted", "group": group, "entry": fmt.Sprintf("%d-7", at.Add(-late).UnixMilli())}
	if failure != "" {
		values["failed"] = failure
	}
	return redis.XMessage{ID: fmt.Sprintf("%d-0", at.UnixMilli()), Values: values}
}

// What listeners report one a little after the other is gathered, for a while
// and so many; a failure does not wait for that.
func TestReportsAreGathered(t *testing.T) {
	type come struct {
		after  time.Duration
		n      int
		failed string
		err    error
	}
	away := errors.New("redis is away")
	for name, c := range map[string]struct {
		comes []come
		ends  time.Duration // of the process; 0: later
		n     int
		err   error
		least time.Duration
		most  time.Duration
	}{
		"none":                 {nil, 0, 0, redis.Nil, blockFor, blockFor},
		"one":                  {[]come{{after: time.Second, n: 1}}, 0, 1, nil, time.Second + gatherFor, time.Second + gatherFor + 2*gatherEvery},
		"three listeners":      {[]come{{n: 1}, {after: 200 * time.Millisecond, n: 1}, {after: 400 * time.Millisecond, n: 1}}, 0, 3, nil, gatherFor, gatherFor + 2*gatherEvery},
		"one is late":          {[]come{{n: 1}, {after: time.Second, n: 1}}, 0, 1, nil, gatherFor, gatherFor + 2*gatherEvery},
		"very many":            {[]come{{n: gatherMost}}, 0, gatherMost, nil, 0, gatherEvery},
		"a failure":            {[]come{{n: 1, failed: "test.poison"}}, 0, 1, nil, 0, gatherEvery},
		"a failure among them": {[]come{{n: 3}, {after: 120 * time.Millisecond, n: 1, failed: "test.poison"}, {after: 300 * time.Millisecond, n: 1}}, 0, 4, nil, 120 * time.Millisecond, 120*time.Millisecond + gatherEvery},
		"trouble at once":      {[]come{{err: away}}, 0, 0, away, 0, 0},
		"trouble meanwhile":    {[]come{{n: 2}, {after: 100 * time.Millisecond, err: away}}, 0, 2, away, 100 * time.Millisecond, 100*time.Millisecond + gatherEvery},
		"the process ends":     {[]come{{n: 2}}, 130 * time.Millisecond, 2, context.DeadlineExceeded, 130 * time.Millisecond, 130 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(c.ends, time.Hour))
			defer cancel()
			began := time.Now()
			read := func(block time.Duration) ([]redis.XMessage, error) {
				if len(c.comes) > 0 && block > 0 {
					time.Sleep(min(block, c.comes[0].after))
				} else if block > 0 {
					time.Sleep(block)
				}
				if len(c.comes) == 0 || time.Since(began) < c.comes[0].after {
					return nil, redis.Nil
				}
				next := c.comes[0]
				c.comes = c.comes[1:]
				var all []redis.XMessage
				for range next.n {
					all = append(all, told(time.Now(), "one", 0, next.failed))
				}
				return all, next.err
			}
			all, err := gather(ctx, read)
			if took := time.Since(began); len(all) != c.n || !errors.Is(err, c.err) || took < c.least || took > c.most {
				t.Errorf("%s: %d after %v, %v", name, len(all), took, err)
			}
		})
	}
}

// A relay gives listeners more time at once when they are late, and takes it
// back by halves when they are quick, and where they have fallen silent.
func TestLateListenersAreGivenTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var l lateness
	want := func(when string, extra time.Duration) {
		t.Helper()
		if got := l.extra(now); got != extra {
			t.Errorf("%s: %v more, want %v", when, got, extra)
		}
	}
	learn := func(group string, late ...time.Duration) {
		var all []redis.XMessage
		for _, by := range late {
			all = append(all, told(now, group, by, ""))
		}
		l.learn(now, all)
	}
	want("nobody has reported", 0)
	learn("quick", 0, 50*time.Millisecond)
	want("all are quick", 0)
	learn("slow", 8*time.Second, 6*time.Second)
	want("one is late", 2*7500*time.Millisecond-firstPatience)
	learn("quick", 10*time.Millisecond)
	want("the other is quick still", 2*7500*time.Millisecond-firstPatience)
	learn("slow", 0)
	want("it was quick once", 2*4*time.Second-firstPatience)
	for range 3 {
		learn("slow", 0)
	}
	want("it is quick", 0)
	learn("slow", time.Hour)
	want("it comes back after an hour", mostLate-firstPatience)
	now = now.Add(lateFor - time.Millisecond)
	want("it is at it", mostLate-firstPatience)
	now = now.Add(time.Millisecond)
	want("it has fallen silent", 0)
	learn("slow", time.Second)
	want("what was long ago counts no more", 2*1500*time.Millisecond-firstPatience)
	l = lateness{}
	learn("slow", -time.Hour)
	l.learn(now, []redis.XMessage{
		{ID: "nonsense", Values: map[string]any{"group": "slow", "entry": "1-0"}},
		{ID: "99999999999-0", Values: map[string]any{"group": "slow"}},
		{ID: "99999999999-0", Values: map[string]any{"group": "slow", "entry": "nonsense"}},
	})
	want("who says nothing of use", 0)
}
