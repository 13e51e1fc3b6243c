package live_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/fault"
	"ordergraph/platform/live"
	"ordergraph/test/redisserver"
)

func TestFirstWhatIsThenEveryChange(t *testing.T) {
	servers(t, func(t *testing.T, addr string) {
		k := newKitchen(t, addr, patient).connected()
		k.putQuietly("a")
		w := k.watch("a", "ada", 0)
		if m := w.next(); m.Version != 1 || m.Key != "a" {
			t.Errorf("got %+v first", m)
		}
		for want := int64(2); want < 20; want++ {
			k.put("a")
			if m := w.next(); m.Version != want {
				t.Errorf("got version %d, want %d", m.Version, want)
			}
		}
		w.stop()
		if err := w.ended(); err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestBurstIsFoldedIntoTheLatest(t *testing.T) {
	servers(t, func(t *testing.T, addr string) {
		k := newKitchen(t, addr, patient).connected()
		k.putQuietly("a")
		w := k.watch("a", "ada", 0)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 500 {
					k.put("a")
				}
			})
		}
		w.reaches(2001)
		all.Wait()
		t.Logf("%d loads for 2000 changes", k.loads.Load())
	})
}

func TestNothingComesTwice(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	for range 5 {
		k.putQuietly("a")
	}
	w := k.watch("a", "ada", 5)
	if w.stream.Ready() {
		t.Fatalf("something comes: %+v", w.next())
	}
	k.put("a")
	if m := w.next(); m.Version != 6 {
		t.Errorf("got %+v after version 5", m)
	}
	k.bell.Ring("mug", "a", 6)
	k.bell.Ring("mug", "a", 2)
	k.put("a")
	if m := w.next(); m.Version != 7 {
		t.Errorf("got %+v after version 6", m)
	}
	// A version that never was holds up what the others see.
	ahead := k.watch("a", "ada", 100)
	k.put("a")
	if m := w.next(); m.Version != 8 || ahead.stream.Ready() {
		t.Errorf("got %+v, ahead %v", m, ahead.stream.Ready())
	}
}

func TestLoadsAreShared(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	var all []*watcher
	for range 50 {
		all = append(all, k.watch("a", "ada", 0), k.watch("a", "staff", 0))
	}
	if s := k.hub.Stats(); s.Streams != 100 || s.Things != 1 {
		t.Errorf("%+v", s)
	}
	for _, w := range all {
		w.reaches(1)
	}
	// One Load for each audience; a few more at first, until Redis has
	// confirmed that it listens.
	for version := int64(2); version <= 11; version++ {
		k.put("a")
		for _, w := range all {
			w.reaches(version)
		}
	}
	if n := k.loads.Load(); n > 100+2*10+2 {
		t.Errorf("%d loads for 100 watchers and 10 changes", n)
	}
}

// A joiner whose Load is newer than the room's last brings the others along,
// and one whose Load is older is brought along.
func TestWhoComesLateIsBroughtAlong(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	first := k.watch("a", "ada", 0)
	first.reaches(1)
	k.putQuietly("a") // nobody rings
	k.watch("a", "ada", 0).reaches(2)
	first.reaches(2)

	late, err := k.mug.Watch(t.Context(), live.Watch[*mug]{Key: "a", Audience: "ada", Load: func(ctx context.Context) (*mug, int64, error) {
		if k.putQuietly("a") == 3 { // it is read, and then it changes and all others learn of it
			k.bell.Ring("mug", "a", 3)
			first.reaches(3)
			return &mug{"a", 2}, 2, nil
		}
		return k.load("a", "ada")(ctx)
	}})
	if err != nil {
		t.Fatal(err)
	}
	(&watcher{t: t, stream: late}).reaches(3)
}

func TestASlowReaderSlowsNobody(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	slow, quick := k.watch("a", "ada", 0), k.watch("a", "ada", 0)
	for version := int64(2); version < 200; version++ {
		k.put("a")
		quick.reaches(version)
	}
	eventually(t, "the slow reader's latest is there", func() bool {
		m := slow.next()
		return m.Version == 199
	})
}

func TestReadyAndFire(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	fired := make(chan struct{}, 100)
	var failed atomic.Pointer[error]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := k.mug.Watch(ctx, live.Watch[*mug]{Key: "a", Load: k.load("a", ""),
		Fire: func() { fired <- struct{}{} }, Fail: func(err error) { failed.Store(&err) }})
	if err != nil {
		t.Fatal(err)
	}
	for version := int64(1); version < 10; version++ {
		<-fired
		if !s.Ready() {
			t.Fatal("it fired and is not ready")
		}
		if m := <-s.C(); m.Version != version {
			t.Fatalf("got %+v, want version %d", m, version)
		}
		if s.Ready() {
			t.Fatal("it is ready and nothing is there")
		}
		k.put("a")
	}
	<-fired
	cancel()
	<-fired
	if !s.Ready() || failed.Load() != nil {
		t.Fatal("it has ended and is not ready, or failed")
	}
	if m, ok := <-s.C(); !ok || m.Version != 10 {
		t.Fatal("what waited was lost at the end")
	}
	if _, ok := <-s.C(); ok || !s.Ready() || s.Err() != nil {
		t.Fatal("it has not ended")
	}
}

func TestRightsAreWithdrawn(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	if _, err := k.mug.Watch(t.Context(), live.Watch[*mug]{Key: "none", Load: k.load("none", "")}); !errors.Is(err, errGone) {
		t.Errorf("watching nothing: %v", err)
	}
	ada, staff := k.watch("a", "ada", 0), k.watch("a", "staff", 0)
	told := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	another, err := k.mug.Watch(ctx, live.Watch[*mug]{Key: "a", Audience: "ada", Load: k.load("a", "ada"), Fail: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	k.change(func() { k.hidden["a"] = true })
	k.put("a")
	staff.reaches(2)
	if err := ada.ended(); !errors.Is(err, errGone) {
		t.Errorf("ended with %v", err)
	}
	if err := <-told; !errors.Is(err, errGone) {
		t.Errorf("told %v", err)
	}
	if err := (&watcher{t: t, stream: another}).ended(); !errors.Is(err, errGone) {
		t.Errorf("ended with %v", err)
	}
	if s := k.hub.Stats(); s.Streams != 1 || s.Things != 1 {
		t.Errorf("%+v are left", s)
	}
	k.put("a")
	staff.reaches(3)
}

// Rights end, and things vanish, without a change that anybody rings.
func TestRightsAreCheckedAlsoWithoutAChange(t *testing.T) {
	o := hasty
	o.Recheck = o.Sweep
	k := newKitchen(t, miniredis.RunT(t).Addr(), o).connected()
	k.putQuietly("a")
	k.putQuietly("b")
	a, b, staff := k.watch("a", "ada", 0), k.watch("b", "ada", 0), k.watch("a", "staff", 0)
	k.change(func() { k.hidden["a"] = true; delete(k.mugs, "b") })
	if err := a.ended(); !errors.Is(err, errGone) {
		t.Errorf("ended with %v", err)
	}
	if err := b.ended(); !errors.Is(err, errGone) {
		t.Errorf("ended with %v", err)
	}
	k.put("a")
	staff.reaches(2)
}

func TestAPanicEndsOneRoomOnly(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	k.putQuietly("b")
	a, b := k.watch("a", "ada", 0), k.watch("b", "ada", 0)
	k.change(func() { k.panics["a"] = true })
	k.put("a")
	if err := a.ended(); !errors.Is(err, live.ErrInternal) || fault.KindOf(err) != fault.Internal {
		t.Errorf("ended with %v", err)
	}
	if _, err := k.mug.Watch(t.Context(), live.Watch[*mug]{Key: "a", Load: k.load("a", "")}); !errors.Is(err, live.ErrInternal) {
		t.Errorf("the first load panics: %v", err)
	}
	for range 3 {
		b.reaches(k.put("b"))
	}
	// Nor does a Fire that panics hurt its neighbours.
	var calls atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := k.mug.Watch(ctx, live.Watch[*mug]{Key: "b", Audience: "ada", Load: k.load("b", "ada"), Fire: func() { calls.Add(1); panic("fire") }}); err != nil {
		t.Fatal(err)
	}
	b.reaches(k.put("b"))
	b.reaches(k.put("b"))
	eventually(t, "it was fired", func() bool { return calls.Load() > 1 })
}

func TestTheServiceIsAway(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), hasty).connected()
	k.putQuietly("a")
	w := k.watch("a", "ada", 0)
	w.reaches(1)
	k.change(func() { k.trouble = errAway })
	if _, err := k.mug.Watch(t.Context(), live.Watch[*mug]{Key: "a", Load: k.load("a", "")}); !errors.Is(err, errAway) {
		t.Errorf("the first load: %v", err)
	}
	before := k.failed.Load()
	k.put("a")
	eventually(t, "it is tried again", func() bool { return k.failed.Load() > before+2 })
	k.change(func() { k.trouble = nil })
	w.reaches(2)
}

// A notice of what cannot be read yet, or never can, does no harm.
func TestNoticesThatAreAhead(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	w := k.watch("a", "ada", 0)
	w.reaches(k.put("a")) // from now on every notice is heard
	before := k.loads.Load()
	k.bell.Ring("mug", "a", 3)
	eventually(t, "it is tried again", func() bool { return k.loads.Load() > before+1 })
	w.reaches(k.putQuietly("a"))
	k.bell.Ring("mug", "a", 1<<60)
	before = k.loads.Load()
	eventually(t, "it is given up", func() bool { return k.loads.Load() >= before+6 })
	w.reaches(k.put("a"))
}

func TestTheHubEnds(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	k.putQuietly("a")
	w := k.watch("a", "ada", 0)
	k.stop()
	if err := w.ended(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := k.mug.Watch(t.Context(), live.Watch[*mug]{Key: "a", Load: k.load("a", "")}); !errors.Is(err, live.ErrClosed) {
		t.Errorf("watching a hub that has ended: %v", err)
	}
	if s := k.hub.Stats(); s.Streams != 0 || s.Things != 0 {
		t.Errorf("%+v are left", s)
	}
}

// Several topics share a hub, and a key may be of each.
func TestTopics(t *testing.T) {
	k := newKitchen(t, miniredis.RunT(t).Addr(), patient).connected()
	cups := live.NewTopic[int64](k.hub, "cup", k.versions) // the same versions
	k.putQuietly("a")
	cup, err := cups.Watch(t.Context(), live.Watch[int64]{Key: "a", Load: func(ctx context.Context) (int64, int64, error) {
		m, v, err := k.load("a", "")(ctx)
		return 10 * m.Version, v, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	receive := func() int64 {
		select {
		case got := <-cup.C():
			return got
		case <-time.After(patience):
			t.Fatal("nothing arrives")
			return 0
		}
	}
	if got := receive(); got != 10 {
		t.Errorf("got %d", got)
	}
	w := k.watch("a", "", 0)
	w.reaches(1)
	w.reaches(k.put("a"))
	k.bell.Ring("cup", "a", 2)
	if got := receive(); got != 20 {
		t.Errorf("got %d", got)
	}
}

func TestANilBellRingsNothing(t *testing.T) {
	var none *live.Bell
	none.Ring("mug", "a", 1)
}

// Thousands come, watch, and go; nothing of them stays.
func TestACrowdComesAndGoes(t *testing.T) {
	server := redisserver.Start(t)
	k := newKitchen(t, server.Addr, patient).connected()
	names := keys(2_000)
	for _, name := range names {
		k.putQuietly(name)
	}
	for round := range 2 {
		var all sync.WaitGroup
		errs := make(chan error, 5_000)
		for i := range 5_000 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				name := names[i%len(names)]
				s, err := k.mug.Watch(ctx, live.Watch[*mug]{Key: name, Audience: fmt.Sprint(i % 7), Load: k.load(name, "")})
				if err != nil {
					errs <- err
					return
				}
				from := <-s.C()
				k.put(name)
				for m := range s.C() {
					if m.Version > from.Version {
						return
					}
				}
				errs <- fmt.Errorf("the stream ended: %w", s.Err())
			})
		}
		all.Wait()
		close(errs)
		for err := range errs {
			t.Fatal(err)
		}
		eventually(t, "all have left", func() bool {
			s := k.hub.Stats()
			return s.Streams == 0 && s.Things == 0
		})
		nobodyListens(t, server.Addr, round)
	}
}

func nobodyListens(t *testing.T, addr string, round int) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	eventually(t, fmt.Sprint("round ", round, ": Redis has no channels but the line's own"), func() bool {
		names, err := client.PubSubShardChannels(t.Context(), "*").Result()
		if err != nil {
			t.Fatal(err)
		}
		return len(names) == 1
	})
}

// Where the version would have to be looked up first, the hub asks for it, of
// what is watched.
func TestARingWithoutAVersion(t *testing.T) {
	servers(t, func(t *testing.T, addr string) {
		k := newKitchen(t, addr, patient).connected()
		k.putQuietly("a")
		w := k.watch("a", "ada", 0)
		for want := int64(2); want < 20; want++ {
			k.putQuietly("a")
			k.bell.Ring("mug", "a", live.Changed)
			k.putQuietly("unseen")
			k.bell.Ring("mug", "unseen", live.Changed)
			w.reaches(want)
		}
		if n := k.asked.Load(); n > 30 { // also once when it began to listen
			t.Errorf("%d versions were asked for, of one thing that is watched", n)
		}
	})
}
