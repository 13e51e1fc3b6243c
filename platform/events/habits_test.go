package events_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/events"
	"ordergraph/test/redisserver"
)

// A fact is rung when it is there, and does not wait for a sweep: here none
// ever finds anything.
func TestAFactArrivesAtOnce(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, addr string) {
		w := standing(t, addr)
		var one, two ears
		w.listen("one", one.hear)
		w.listen("two", two.hear)
		for i := range 50 {
			w.count(fmt.Sprint("thing-", i))
		}
		w.eventually(func() error { return errors.Join(one.has(50, 1), two.has(50, 1), w.settled()) })
	})
}

// A key whose handler is slow holds up its own lane, and no other.
func TestASlowLaneHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redisserver.Start(t).Addr)
	var two ears
	w.listen("two", two.hear)
	slow, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var quick ears
	w.listen("one", func(ctx context.Context, f events.Fact) error {
		if f.Key != "slow" {
			return quick.hear(ctx, f)
		}
		once.Do(func() { close(slow) })
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	})
	for range 300 { // more than a listener takes of a lane at once
		w.count("slow")
	}
	<-slow
	for i := range 50 {
		w.count(fmt.Sprintf("thing-%d", i))
	}
	// All but those few that share the slow lane.
	w.eventually(func() error {
		quick.mu.Lock()
		defer quick.mu.Unlock()
		if n := len(quick.heard); n < 35 {
			return fmt.Errorf("%d were heard", n)
		}
		return nil
	})
	close(release)
	w.eventually(func() error { return errors.Join(quick.has(50, 1), w.settled()) })
}

// While somebody waits for an answer, a process takes up few facts at once,
// whatever the number of its lanes.
func TestFactsTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redisserver.Start(t).Addr)
	bus := events.NewBus(w.client, slog.New(slog.DiscardHandler))
	bus.WaitForTurns(time.Hour)
	done := bus.Rush()
	most := max(1, runtime.GOMAXPROCS(0)/2)
	begun, release := make(chan string, 50), make(chan struct{})
	ctx, stop := context.WithCancel(w.ctx)
	w.all.Go(func() {
		_ = bus.Listen(ctx, topic, "one", func(_ context.Context, f events.Fact) error {
			begun <- f.Key
			<-release
			return nil
		})
	})
	for i := range 50 {
		w.count(fmt.Sprintf("thing-%d", i))
	}
	for range most {
		<-begun
	}
	select {
	case <-begun:
		t.Errorf("more than %d facts at once", most)
	case <-time.After(200 * time.Millisecond): // none comes, however long this takes
	}
	close(release)
	for range 50 - most {
		<-begun
	}
	done()
	stop()
}

// Where nobody waits for an answer no lane waits for another: handlers wait for
// disks and other services, and in turns that time would add up.
func TestNoTurnsWhereNobodyWaits(t *testing.T) {
	t.Parallel()
	w := standing(t, redisserver.Start(t).Addr)
	bus := events.NewBus(w.client, slog.New(slog.DiscardHandler))
	bus.WaitForTurns(time.Hour)
	done := bus.Rush()
	done()
	done()                   // once is enough
	keys := map[int]string{} // one of each lane
	for i := 0; len(keys) < 16; i++ {
		key := fmt.Sprintf("thing-%d", i)
		keys[events.LaneOf(key)] = key
	}
	var together sync.WaitGroup
	together.Add(len(keys))
	ctx, stop := context.WithCancel(w.ctx)
	w.all.Go(func() {
		_ = bus.Listen(ctx, topic, "one", func(context.Context, events.Fact) error {
			together.Done()
			together.Wait()
			return nil
		})
	})
	for _, key := range keys {
		w.count(key)
	}
	together.Wait() // for ever, if one waits for another's turn
	stop()
}

// A fact that is rung again while it waits, or because its confirmation got
// lost, is confirmed again, and its handler asked once. What a restored store
// tells under the same id is another fact.
func TestAFactTakenIsNotTakenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redisserver.Start(t).Addr)
	var one ears
	w.listen("one", one.hear)
	f := events.Fact{ID: "thing:1:counted", Type: "counted", Doc: "thing", Key: "thing", At: time.Now()}
	g, h := f, f
	g.ID, h.At = "thing:2:counted", f.At.Add(time.Second)
	if err := w.bus.Ring(w.ctx, topic, f, f, g, h); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() error {
		if n := w.client.XLen(w.ctx, "confirm:{"+topic+"}").Val(); n != 4 {
			return fmt.Errorf("%d confirmations", n)
		}
		return nil
	})
	one.mu.Lock()
	defer one.mu.Unlock()
	if len(one.heard) != 3 {
		t.Errorf("heard %v", one.heard)
	}
}

// What one group has confirmed is rung again for the others only.
func TestOnlyWhoHasNotConfirmedHearsAgain(t *testing.T) {
	t.Parallel()
	w := standing(t, redisserver.Start(t).Addr)
	var one ears
	w.listen("one", one.hear)
	w.count("thing-0")
	left := func(awaiting string, attempts int) func() error {
		return func() error {
			d, err := w.things.Get(w.ctx, "thing-0")
			if err == nil && (len(d.Outbox.Facts) != 1 || strings.Join(d.Outbox.Facts[0].Awaiting, " ") != awaiting || d.Outbox.Facts[0].Attempts < attempts) {
				err = fmt.Errorf("%+v", d.Outbox)
			}
			return err
		}
	}
	w.eventually(left("two", 0))
	w.eventually(func() error { // rung again, for "two"
		w.clock.Pass(time.Minute)
		return left("two", 2)()
	})
	var two ears
	w.listen("two", two.hear)
	w.eventually(func() error {
		w.clock.Pass(time.Minute)
		return w.settled()
	})
	one.mu.Lock()
	defer one.mu.Unlock()
	if len(one.heard) != 1 {
		t.Errorf("heard %d times by who had confirmed", len(one.heard))
	}
}

// Nobody waits for a read that blocks, here for an hour, and leases do not
// outlive the listener.
func TestListenersEndAtOnce(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, addr string) {
		w := newWorld(t, addr)
		w.block = time.Hour
		var one ears
		stop := w.listen("one", one.hear)
		w.count("thing-0")
		w.eventually(func() error { return one.has(1, 1) })
		stop()
		if leases := w.client.Keys(w.ctx, "lane:*").Val(); len(leases) > 0 {
			t.Errorf("left behind: %v", leases)
		}
	})
}

// With nothing to do, a listener and a relay ask Redis about once a second.
func TestIdleCostsLittle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, redisserver.Start(t).Addr)
	var one ears
	w.listen("one", one.hear)
	w.count("thing-0")
	w.eventually(func() error { return one.has(1, 1) })
	commands := func() (n int) {
		for line := range strings.SplitSeq(w.client.Info(w.ctx, "stats").Val(), "\r\n") {
			if _, err := fmt.Sscanf(line, "total_commands_processed:%d", &n); err == nil {
				return n
			}
		}
		t.Fatal("the server does not count")
		return 0
	}
	began := time.Now() // outside of what is counted, however long that takes
	before := commands()
	time.Sleep(6 * time.Second)
	// About 20 a second, since the script that shares the lanes is some 20
	// small commands within one call. Who does not wait sends thousands a second.
	n := commands() - before
	watched := time.Since(began)
	t.Logf("%d commands in %v", n, watched)
	if n > int(60*watched.Seconds()) {
		t.Errorf("%d commands in %v", n, watched)
	}
}

func TestOnlyTheLatestIsKept(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var box events.Outbox
	for i := range 3 {
		box.AddLatest(now.Add(time.Duration(i)), events.Fact{ID: fmt.Sprint("a", i), Type: "x", Key: "a"}, "one")
	}
	box.AddLatest(now, events.Fact{ID: "b", Type: "x", Key: "b"}, "one")
	box.AddLatest(now, events.Fact{ID: "c", Type: "y", Key: "a"}, "one")
	var ids []string
	for _, p := range box.Facts {
		ids = append(ids, p.Fact.ID)
	}
	if got := strings.Join(ids, " "); got != "a2 b c" || box.Due == nil {
		t.Errorf("%s, due %v", got, box.Due)
	}
	box.AddLatest(now, events.Fact{ID: "d", Type: "x", Key: "b"})
	if len(box.Facts) != 2 {
		t.Errorf("%+v", box)
	}
}
