package events_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/platform/events"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/test/mongoserver"
)

var (
	errPoison = fault.New(fault.Conflict, "test.poison", "It cannot be taken.")
	errAway   = fault.New(fault.Unavailable, "test.away", "Somebody is away.")
	ourselves = identity.Ourselves()
)

// A palate fails to take the facts of keys with "poison" in them, while it is
// told to, with errPoison.
type palate struct {
	ears
	healed atomic.Bool
	spat   atomic.Int64
}

func (p *palate) hear(ctx context.Context, f events.Fact) error {
	if strings.Contains(f.Key, "poison") && !p.healed.Load() {
		p.spat.Add(1)
		return fmt.Errorf("ada@example.com could not be told: %w", errPoison)
	}
	return p.ears.hear(ctx, f)
}

// dead lists what died, all of it, by pages of so many.
func (w *world) dead(by int) (all []deadletter.Letter) {
	w.t.Helper()
	for q := (deadletter.Query{Limit: by}); ; {
		page, err := w.relay.List(w.ctx, ourselves, q)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page.Letters) > by || len(page.Letters) != len(page.Cursors) {
			w.t.Fatalf("a page of %d: %+v", by, page)
		}
		all = append(all, page.Letters...)
		if !page.HasMore {
			return all
		}
		q.After = page.Cursors[len(page.Cursors)-1]
	}
}

// later lets a minute pass and has what is due rung.
func (w *world) later() {
	w.t.Helper()
	w.clock.Pass(2 * time.Minute)
	if err := w.relay.Sweep(w.ctx); err != nil {
		w.t.Fatal(err)
	}
}

// haveDied waits until so many facts are dead.
func (w *world) haveDied(n int) []deadletter.Letter {
	w.t.Helper()
	w.eventually(func() error {
		w.later()
		if dead := w.dead(100); len(dead) != n {
			return fmt.Errorf("%d are dead", len(dead))
		}
		return nil
	})
	return w.dead(100)
}

// A poison fact dies for the listener that fails to take it, and only there.
func TestPoisonDiesAlone(t *testing.T) {
	t.Parallel()
	poisonDiesAlone(t, inMemory(t))
}

func TestPoisonDiesAloneOnMongo(t *testing.T) {
	uri, about := mongoserver.Start(t)
	t.Log(about)
	store, err := docstoremongo.Open(t.Context(), uri, "events_"+strings.ToLower(rand.Text()[:8]), docstoremongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	poisonDiesAlone(t, store)
}

func poisonDiesAlone(t *testing.T, store docstore.Store) {
	w := newWorldOn(t, miniredis.RunT(t).Addr(), clocktest.Still(), store)
	var one palate
	var two ears
	w.listen("one", one.hear)
	w.listen("two", two.hear)
	w.count("poison")
	for i := range 20 {
		w.count(fmt.Sprintf("thing-%d", i))
	}
	// Healthy traffic does not notice.
	w.eventually(func() error { return errors.Join(one.has(20, 1), two.has(20, 1)) })
	dead := w.haveDied(1)
	l := dead[0]
	if l.ID != "things/fact/poison/1:counted/one" || l.Service != topic || l.Kind != deadletter.Fact || l.Key != "poison" || l.Type != "counted" || l.Listener != "one" {
		t.Errorf("%+v", l)
	}
	if len(l.Attempts) != events.MostTries || l.DeadAt.IsZero() || !l.Attempts[0].At.Before(l.DeadAt) {
		t.Errorf("%+v", l)
	}
	for _, a := range l.Attempts {
		if !strings.HasPrefix(a.Outcome, "test.poison (") || strings.Contains(a.Outcome, "ada") {
			t.Errorf("an attempt ended %q", a.Outcome)
		}
	}
	// It holds nothing up, and is rung no more.
	w.count("poison-too")
	w.haveDied(2)
	neighbour, rounds := "healthy", 0 // of its lane
	for events.LaneOf(neighbour) != events.LaneOf("poison") {
		neighbour += "!"
	}
	w.eventually(func() error { // what was rung before it died may still be on its way
		spat := one.spat.Load()
		for range 5 {
			w.later()
		}
		rounds++
		w.count(neighbour)
		w.eventually(func() error { return one.hasHeard(fmt.Sprintf("%s:%d:counted", neighbour, rounds)) })
		if n := one.spat.Load() - spat; n > 0 {
			return fmt.Errorf("it was tried %d times more", n)
		}
		return nil
	})
	one.healed.Store(true)

	// Tried again, it is taken; dropped, it is gone.
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.relay.Replay(w.ctx, ourselves, l.ID))
	w.eventually(w.settled)
	must(w.relay.Drop(w.ctx, ourselves, "things/fact/poison-too/1:counted/one"))
	if dead := w.dead(100); len(dead) != 0 {
		t.Errorf("still dead: %+v", dead)
	}
	must(errors.Join(one.hasHeard("poison:1:counted"), two.hasHeard("poison:1:counted")))
	if one.hasHeard("poison-too:1:counted") == nil {
		t.Error("what was dropped was taken")
	}
	for _, gone := range []string{l.ID, "things/fact/poison-too/1:counted/one"} {
		_, err := w.relay.Get(w.ctx, ourselves, gone)
		for _, err := range []error{err, w.relay.Replay(w.ctx, ourselves, gone), w.relay.Drop(w.ctx, ourselves, gone)} {
			if !errors.Is(err, deadletter.ErrNotFound) {
				t.Errorf("%s: %v", gone, err)
			}
		}
	}
}

func (e *ears) hasHeard(id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, heard := range e.heard {
		if heard == id {
			return nil
		}
	}
	return fmt.Errorf("%s was not heard", id)
}

// Whoever is away, itself or because what it needs is, kills nothing.
func TestAbsenceKillsNothing(t *testing.T) {
	t.Parallel()
	w := standing(t, miniredis.RunT(t).Addr())
	var turnedAway atomic.Int64
	stop := w.listen("two", func(context.Context, events.Fact) error {
		turnedAway.Add(1)
		return fmt.Errorf("ask for the order: %w", errAway)
	})
	w.count("thing-0") // nobody listens as "one"
	w.eventually(func() error {
		w.later()
		if n := turnedAway.Load(); n < 3*events.MostTries {
			return fmt.Errorf("rung %d times", n)
		}
		return nil
	})
	stop()
	d, err := w.things.Get(w.ctx, "thing-0")
	if err != nil || len(d.Outbox.Facts) != 1 || d.Outbox.Facts[0].Attempts < 2*events.MostTries || d.Outbox.Facts[0].Failing != nil || d.Outbox.Dead != nil {
		t.Errorf("%+v %v", d.Outbox, err)
	}
	var one, two ears
	w.listen("one", one.hear)
	w.listen("two", two.hear)
	w.eventually(func() error {
		w.later()
		return w.settled()
	})
}

// Who comes back finds every ring of its absence, one behind the other. That it
// fails to take all of them within a moment is one failure.
func TestReturnAfterALongAbsenceKillsNothing(t *testing.T) {
	t.Parallel()
	w := standing(t, miniredis.RunT(t).Addr())
	var one palate
	var two ears
	w.listen("two", two.hear)
	w.count("poison")
	for range 2 * events.MostTries {
		w.later()
	}
	w.listen("one", one.hear)
	neighbour := "healthy" // behind it in its lane
	for events.LaneOf(neighbour) != events.LaneOf("poison") {
		neighbour += "!"
	}
	w.count(neighbour)
	w.eventually(func() error {
		d, err := w.things.Get(w.ctx, neighbour)
		if err != nil {
			return err
		}
		if len(d.Outbox.Facts) > 0 {
			return errors.New("what was rung last is not confirmed")
		}
		return nil
	})
	d, err := w.things.Get(w.ctx, "poison")
	if n := one.spat.Load(); err != nil || n < events.MostTries || len(d.Outbox.Facts) != 1 || len(d.Outbox.Facts[0].Failing) != 1 || d.Outbox.Facts[0].Failing[0].Tries != 1 {
		t.Errorf("failed %d times: %+v %v", n, d.Outbox, err)
	}
	one.healed.Store(true)
	w.eventually(func() error {
		w.later()
		return w.settled()
	})
}

// A new life is as long as the first. Failures outlive restarts, and those of
// the life before are kept as long as there is room.
func TestTheDeadAreReplayedAcrossRestarts(t *testing.T) {
	t.Parallel()
	addr, clock, store := miniredis.RunT(t).Addr(), clocktest.Still(), inMemory(t)
	w := newWorldOn(t, addr, clock, store)
	var one palate
	w.listen("one", one.hear)
	w.count("poison")
	w.eventually(func() error {
		w.later()
		if n := one.spat.Load(); n < events.MostTries/2 {
			return fmt.Errorf("tried %d times", n)
		}
		return nil
	})
	w.stop()
	w = newWorldOn(t, addr, clock, store)
	stop := w.listen("one", one.hear)
	first := w.haveDied(1)[0]
	stop()
	for range 2 { // the second finds it under way
		if err := w.relay.Replay(w.ctx, ourselves, first.ID); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.dead(100)) != 0 {
		t.Error("it was replayed, and is dead")
	}
	w.stop() // before anybody could take it
	before := one.spat.Load()
	w = newWorldOn(t, addr, clock, store)
	w.listen("one", one.hear)
	again := w.haveDied(1)[0]
	if n := one.spat.Load() - before; n < events.MostTries {
		t.Errorf("its new life had %d attempts", n)
	}
	if len(again.Attempts) != deadletter.MostAttempts || !again.DeadAt.After(first.DeadAt) || !again.Attempts[0].At.After(first.DeadAt) {
		t.Errorf("%+v after %+v", again, first)
	}
	var two ears
	one.healed.Store(true)
	w.listen("two", two.hear)
	if err := w.relay.Replay(w.ctx, ourselves, first.ID); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() error {
		w.later()
		return w.settled()
	})
}

func TestListsOfTheDead(t *testing.T) {
	t.Parallel()
	w := standing(t, miniredis.RunT(t).Addr())
	var one palate
	var two ears
	w.listen("one", one.hear)
	w.listen("two", two.hear)
	var want []string
	for i := range 3 {
		for range 3 {
			w.count(fmt.Sprintf("poison %d/%d", i, i)) // an id that needs care
		}
		w.haveDied(len(want) + 3)
		for n := range 3 {
			want = append(want, fmt.Sprintf("things/fact/poison%%20%d%%2F%d/%d:counted/one", i, i, n+1))
		}
	}
	for _, by := range []int{1, 2, 4, 9, 100} {
		var got []string
		for _, l := range w.dead(by) {
			got = append(got, l.ID)
		}
		if len(got) != len(want) {
			t.Fatalf("by %d: %d of %d", by, len(got), len(want))
		}
		for _, id := range want {
			if !strings.Contains(strings.Join(got, " "), id) {
				t.Errorf("by %d: %s is missing", by, id)
			}
			if l, err := w.relay.Get(w.ctx, ourselves, id); err != nil || l.ID != id {
				t.Errorf("%s: %+v %v", id, l, err)
			}
		}
	}
	if _, err := w.relay.List(w.ctx, ourselves, deadletter.Query{After: "nonsense"}); !errors.Is(err, deadletter.ErrCursor) {
		t.Error(err)
	}
	for _, id := range []string{"", "things", "things/fact/poison", "things/fact/%zz/1/one", "orders/fact/poison%200%2F0/1:counted/one", strings.Repeat("x", 5000)} {
		if _, err := w.relay.Get(w.ctx, ourselves, id); !errors.Is(err, deadletter.ErrNotFound) {
			t.Errorf("%.50s: %v", id, err)
		}
	}
	customer, merchant := identity.Caller{CustomerID: "ada"}, identity.Caller{Roles: []identity.Role{identity.Merchant}}
	_, listed := w.relay.List(w.ctx, customer, deadletter.Query{})
	_, got := w.relay.Get(w.ctx, customer, want[0])
	for _, err := range []error{listed, got, w.relay.Replay(w.ctx, merchant, want[0]), w.relay.Drop(w.ctx, merchant, want[0])} {
		if !errors.Is(err, deadletter.ErrForbidden) {
			t.Error(err)
		}
	}
}

// Where only the latest matters, the latest replaces the dead.
func TestALaterFactReplacesTheDead(t *testing.T) {
	t.Parallel()
	w := standing(t, miniredis.RunT(t).Addr())
	var one palate
	w.listen("one", one.hear)
	tell := func(n int) {
		t.Helper()
		doc, err := w.things.Upsert(w.ctx, "poison", func(d *thing) error {
			d.Outbox.AddLatest(w.clock.Now(), events.Fact{ID: fmt.Sprintf("poison:%d:x", n), Type: "x", Doc: "poison", Key: "poison"}, "one")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.relay.Ring(&doc)
	}
	tell(1)
	w.haveDied(1)
	one.healed.Store(true)
	tell(2)
	w.eventually(w.settled)
	if dead := w.dead(100); len(dead) != 0 {
		t.Errorf("%+v", dead)
	}
}

// A listener that runs out of time is believed to be able to do better only
// while it takes other facts.
func TestWhatIsHeldAgainstAFact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		others bool
		blames bool
	}{
		{errors.New("a defect"), false, true},
		{fmt.Errorf("wrapped: %w", errPoison), false, true},
		{fmt.Errorf("wrapped: %w", errAway), true, false},
		{fault.New(fault.Exhausted, "test.busy", "Busy."), true, false},
		{context.Canceled, true, false},
		{fmt.Errorf("call: %w", context.DeadlineExceeded), false, false},
		{fmt.Errorf("call: %w", context.DeadlineExceeded), true, true},
		{fmt.Errorf("dial: %w", &net.OpError{Op: "dial", Err: errors.New("connection refused")}), true, false},
	} {
		if got := events.Blames(c.err, c.others); got != c.blames {
			t.Errorf("%v, others taken %v: %v", c.err, c.others, got)
		}
	}
}
