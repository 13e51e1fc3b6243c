package events_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/events"
	"ordergraph/test/redisserver"
)

func TestMain(m *testing.M) {
	// A MongoDB server is shared by all tests, and ends with the process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("ordergraph/test/child.Start.func1"), goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"))
}

// thing is a document that counts, and tells of every count.
type thing struct {
	docstore.Meta `bson:",inline"`
	Count         int64         `bson:"count"`
	Outbox        events.Outbox `bson:"outbox"`
}

const topic = "things"

// world is a store of things, a relay for them, and a Redis.
type world struct {
	t      testing.TB
	client *redis.Client
	things *docstore.Collection[thing]
	bus    *events.Bus
	relay  *events.Relay[thing]
	clock  *clocktest.Clock // the relay's
	block  time.Duration    // how long a listener's read blocks, if not as usual
	mines  atomic.Int64     // how often the relay's look at its clock is to panic
	ctx    context.Context
	end    func()
	all    sync.WaitGroup
}

func newWorld(t testing.TB, addr string) *world {
	t.Helper()
	return newWorldAt(t, addr, new(clocktest.Clock))
}

// standing is a world whose relay's clock stands still: no fact is ever
// overdue, so that each is rung once, unless time is let pass.
func standing(t *testing.T, addr string) *world {
	t.Helper()
	return newWorldAt(t, addr, clocktest.Still())
}

func newWorldAt(t testing.TB, addr string, clock *clocktest.Clock) *world {
	t.Helper()
	return newWorldOn(t, addr, clock, inMemory(t))
}

func inMemory(t testing.TB) docstore.Store {
	t.Helper()
	store, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// newWorldOn is a world whose things are kept in the store, which is the
// caller's to close.
func newWorldOn(t testing.TB, addr string, clock *clocktest.Clock, store docstore.Store) *world {
	t.Helper()
	things, err := docstore.Open[thing](t.Context(), store, docstore.Spec{Name: "things", Indexes: []docstore.Index{events.Index(), events.DeadIndex()}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, things: things, clock: clock, client: redis.NewClient(&redis.Options{Addr: addr})}
	w.ctx, w.end = context.WithCancel(t.Context())
	w.bus = events.NewBus(w.client, slog.New(slog.DiscardHandler))
	w.relay = events.NewRelay(w.bus, topic, things, func(d *thing) *events.Outbox { return &d.Outbox }, events.RelayOptions{Now: w.now})
	w.all.Go(func() { _ = w.relay.Run(w.ctx) })
	t.Cleanup(w.stop)
	return w
}

// stop ends everything but the store and Redis, as the end of a process does.
func (w *world) stop() {
	w.end()
	w.all.Wait()
	_ = w.client.Close()
}

func (w *world) now() time.Time {
	if w.mines.Load() > 0 && w.mines.Add(-1) >= 0 {
		panic("a mine")
	}
	return w.clock.Now()
}

// on runs the test on the embedded Redis and on a real one.
func on(t *testing.T, test func(t *testing.T, addr string)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, miniredis.RunT(t).Addr())
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		test(t, redisserver.Start(t).Addr)
	})
}

// count changes a thing and tells of it.
func (w *world) count(id string) {
	w.t.Helper()
	w.countFor(id, "one", "two")
}

// countFor is count for these listeners.
func (w *world) countFor(id string, listeners ...string) {
	w.t.Helper()
	doc, err := w.things.Upsert(w.ctx, id, func(d *thing) error {
		d.Count++
		d.Outbox.Add(w.clock.Now(), events.Fact{
			ID: fmt.Sprintf("%s:%d:counted", id, d.Count), Type: "counted", Doc: id, Key: id, At: time.Now(),
		}, listeners...)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.relay.Ring(&doc)
}

// rung is how many rings the relay has made.
func (w *world) rung() float64 {
	w.t.Helper()
	figures := prometheus.NewRegistry()
	figures.MustRegister(w.bus)
	all, err := figures.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == "ordergraph_facts_rung_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	w.t.Fatal("the bus does not count its rings")
	return 0
}

func (w *world) listen(group string, handle events.Handler) (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	bus := events.NewBus(w.client, slog.New(slog.DiscardHandler)) // of another process
	if w.block > 0 {
		bus.BlockFor(w.block)
	}
	done := make(chan struct{})
	w.all.Go(func() {
		defer close(done)
		_ = bus.Listen(ctx, topic, group, handle)
	})
	return func() { cancel(); <-done }
}

// ears remember what they heard, in order.
type ears struct {
	mu    sync.Mutex
	heard []string
}

func (e *ears) hear(_ context.Context, f events.Fact) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, f.ID)
	return nil
}

// has reports whether every fact of n things with m counts each was heard.
func (e *ears) has(n, m int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range n {
		for j := range m {
			if id := fmt.Sprintf("thing-%d:%d:counted", i, j+1); !slices.Contains(e.heard, id) {
				return fmt.Errorf("%s was not heard (of %d)", id, len(e.heard))
			}
		}
	}
	return nil
}

func (w *world) eventually(try func() error) {
	w.t.Helper()
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	w.t.Fatalf("it never comes to that: %v", err)
}

// settled reports whether every outbox is empty.
func (w *world) settled() error {
	for d, err := range w.things.All(w.ctx, docstore.Query{}) {
		if err != nil {
			return err
		}
		if len(d.Outbox.Facts) > 0 || d.Outbox.Due != nil {
			return fmt.Errorf("%s still has %d facts", d.ID, len(d.Outbox.Facts))
		}
	}
	return nil
}

func TestFactsReachEveryGroupInOrderAndAreConfirmed(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, addr string) {
		w := newWorld(t, addr)
		var one, two ears
		w.listen("one", one.hear)
		w.listen("two", two.hear)
		for range 20 {
			for i := range 10 {
				w.count(fmt.Sprintf("thing-%d", i))
			}
		}
		w.eventually(func() error { return errors.Join(one.has(10, 20), two.has(10, 20), w.settled()) })
		last := map[string]int{}
		for _, id := range one.heard {
			var thing, n int
			if _, err := fmt.Sscanf(id, "thing-%d:%d:counted", &thing, &n); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprint(thing)
			if n > last[key]+1 {
				t.Errorf("%s came after %d", id, last[key])
			}
			last[key] = max(last[key], n)
		}
	})
}

func TestAFailedFactIsRungAgain(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, addr string) {
		w := newWorld(t, addr)
		var two ears
		var mu sync.Mutex
		tries := 0
		w.listen("one", func(context.Context, events.Fact) error {
			mu.Lock()
			defer mu.Unlock()
			if tries++; tries == 1 {
				return errors.New("not now")
			} else if tries == 2 {
				panic("nor now")
			}
			return nil
		})
		w.listen("two", two.hear)
		w.count("thing-0")
		w.eventually(w.settled)
		mu.Lock()
		defer mu.Unlock()
		if tries < 3 { // more where the confirmation took longer than the relay's patience
			t.Errorf("%d tries", tries)
		}
	})
}

// A relay that panics goes on.
func TestARelayOutlivesPanics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, miniredis.RunT(t).Addr())
	var one, two ears
	w.listen("one", one.hear)
	w.listen("two", two.hear)
	for range 3 {
		w.count("thing-0")
		w.mines.Store(2)
		w.eventually(func() error {
			if n := w.mines.Load(); n > 0 {
				return fmt.Errorf("%d mines are left", n)
			}
			return nil
		})
	}
	w.eventually(func() error { return errors.Join(one.has(1, 3), two.has(1, 3), w.settled()) })
}

func TestListenersOfAGroupShareAndStandIn(t *testing.T) {
	t.Parallel()
	on(t, func(t *testing.T, addr string) {
		w := newWorld(t, addr)
		var first, second, two ears
		w.listen("two", two.hear)
		stopFirst := w.listen("one", first.hear)
		w.listen("one", second.hear)
		w.eventually(func() error { // until both have lanes
			w.count(fmt.Sprintf("thing-%d", rand.IntN(100)))
			first.mu.Lock()
			defer first.mu.Unlock()
			second.mu.Lock()
			defer second.mu.Unlock()
			if len(first.heard) == 0 || len(second.heard) == 0 {
				return fmt.Errorf("%d and %d", len(first.heard), len(second.heard))
			}
			return nil
		})
		stopFirst()
		for i := range 50 {
			w.count(fmt.Sprintf("late-%d", i))
		}
		w.eventually(w.settled)
	})
}

func TestForgettingAndAbsenceOfRedisLoseNothing(t *testing.T) {
	t.Parallel()
	server := redisserver.Start(t)
	w := newWorld(t, server.Addr)
	var one, two ears
	w.listen("one", one.hear)
	w.listen("two", two.hear)
	for round := range 10 {
		for i := range 10 {
			w.count(fmt.Sprintf("thing-%d", i))
		}
		server.FlushAll(t)
		if round == 5 {
			server.Stop()
			w.count("thing-0")
			server.Restart(t)
		}
	}
	w.eventually(func() error { return errors.Join(one.has(10, 10), two.has(10, 10), w.settled()) })
}

// Who stands in takes up at once what another has begun: nothing is rung again
// here.
func TestAProcessEndsBetweenEffectAndConfirmation(t *testing.T) {
	t.Parallel()
	w := standing(t, redisserver.Start(t).Addr)
	var two ears
	w.listen("two", two.hear)
	took := make(chan struct{})
	var once sync.Once
	stop := w.listen("one", func(ctx context.Context, _ events.Fact) error {
		once.Do(func() { close(took) })
		<-ctx.Done() // its process ends here
		return ctx.Err()
	})
	w.count("thing-0")
	<-took
	stop()
	var one ears
	w.listen("one", one.hear)
	w.eventually(func() error { return errors.Join(one.has(1, 1), w.settled()) })
}

// What a relay has gathered is noted when its process is told to end. Only what
// is on its way from Redis at that moment may get lost, which is why there are
// several tries.
func TestWhatWasConfirmedIsNotedAtTheEnd(t *testing.T) {
	t.Parallel()
	server := redisserver.Start(t)
	confirmations := "confirm:{" + topic + "}"
	var left []events.Pending
	for range 10 {
		server.FlushAll(t)
		w := standing(t, server.Addr)
		var one, two ears
		w.listen("one", one.hear)
		w.listen("two", two.hear)
		w.count("thing-0")
		w.eventually(func() error { // until the relay has both confirmations, and waits for more
			reports := w.client.XRange(w.ctx, confirmations, "-", "+").Val()
			groups := w.client.XInfoGroups(w.ctx, confirmations).Val()
			if len(reports) != 2 || len(groups) != 1 || groups[0].LastDeliveredID != reports[1].ID {
				return fmt.Errorf("%v of %v", groups, reports)
			}
			return nil
		})
		w.stop()
		d, err := w.things.Get(t.Context(), "thing-0")
		if err != nil {
			t.Fatal(err)
		}
		if left = d.Outbox.Facts; len(left) == 0 {
			return
		}
	}
	t.Errorf("never noted: %+v", left)
}

// While a listener is behind, its facts are not rung again; when it has fallen
// silent they are.
func TestWhoIsBehindIsGivenTime(t *testing.T) {
	t.Parallel()
	redis, began := miniredis.RunT(t), time.Now()
	redis.SetTime(began)
	w := standing(t, redis.Addr())
	begun, release := make(chan struct{}), make(chan struct{})
	stop := w.listen("one", func(context.Context, events.Fact) error {
		close(begun)
		<-release
		return nil
	})
	w.countFor("thing-0", "one")
	<-begun
	redis.SetTime(began.Add(10 * time.Second))
	close(release)
	w.eventually(w.settled)
	stop()
	w.countFor("thing-1", "one")
	sweep := func(after time.Duration) thing {
		t.Helper()
		w.clock.Pass(after)
		if err := w.relay.Sweep(w.ctx); err != nil {
			t.Fatal(err)
		}
		d, err := w.things.Get(w.ctx, "thing-1")
		if err != nil || len(d.Outbox.Facts) != 1 {
			t.Fatalf("%+v, %v", d, err)
		}
		return d
	}
	if d := sweep(4 * time.Second); d.Version != 1 || d.Outbox.Facts[0].Attempts != 0 {
		t.Errorf("rung again while the listener is behind: %+v", d)
	}
	if d := sweep(2 * time.Second); d.Outbox.Facts[0].Attempts != 1 {
		t.Errorf("not rung again though nothing was heard of the listener: %+v", d)
	}
}

// An outbox that is due without a fact is due no more.
func TestNothingIsDueInAnEmptyOutbox(t *testing.T) {
	t.Parallel()
	w := standing(t, miniredis.RunT(t).Addr())
	due := w.clock.Now().Add(-time.Minute)
	doc := thing{Meta: docstore.Meta{ID: "thing-0"}, Outbox: events.Outbox{Due: &due}}
	if err := w.things.Insert(w.ctx, &doc); err != nil {
		t.Fatal(err)
	}
	w.eventually(w.settled)
}

func TestWithoutListenersNothingIsKept(t *testing.T) {
	t.Parallel()
	var box events.Outbox
	box.Add(time.Now(), events.Fact{ID: "x"})
	if box.Facts != nil || box.Due != nil {
		t.Errorf("%+v", box)
	}
}

// That Redis is back is told by a relay to which nobody confirms anything, too.
func TestAnIdleRelayTellsThatRedisIsBack(t *testing.T) {
	t.Parallel()
	server := redisserver.Start(t)
	w := newWorld(t, server.Addr)
	var said lines
	bus := events.NewBus(w.client, slog.New(slog.NewTextHandler(&said, nil)))
	relay := events.NewRelay(bus, topic, w.things, func(d *thing) *events.Outbox { return &d.Outbox }, events.RelayOptions{})
	w.all.Go(func() { _ = relay.Run(w.ctx) })
	server.Stop()
	w.eventually(func() error { return said.want("redis is away") })
	server.Restart(t)
	w.eventually(func() error { return said.want("redis is back") })
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// want is nil if this was logged once.
func (l *lines) want(what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := strings.Count(l.text.String(), what); n != 1 {
		return fmt.Errorf("%q was logged %d times", what, n)
	}
	return nil
}
