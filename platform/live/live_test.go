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
	"go.uber.org/goleak"

	"ordergraph/platform/fault"
	"ordergraph/platform/live"
	"ordergraph/test/redisserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errGone = fault.New(fault.NotFound, "mug.gone", "There is no such mug.")
	errAway = fault.New(fault.Unavailable, "mug.away", "The mugs are away.")
)

// A mug is what is watched in these tests.
type mug struct {
	Key     string
	Version int64
}

// A cupboard is the service that owns the mugs.
type cupboard struct {
	bell *live.Bell

	mu      sync.Mutex
	mugs    map[string]int64
	hidden  map[string]bool // from every audience but "staff"
	trouble error           // of everything
	panics  map[string]bool
	loads   atomic.Int64
	asked   atomic.Int64 // keys
	failed  atomic.Int64 // loads and questions
}

func (c *cupboard) put(key string) int64 {
	version := c.putQuietly(key)
	c.bell.Ring("mug", key, version)
	return version
}

// putQuietly is what is left of a put whose process died before it rang.
func (c *cupboard) putQuietly(key string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mugs[key]++
	return c.mugs[key]
}

func (c *cupboard) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *cupboard) versions(_ context.Context, keys []string) (map[string]int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(keys) > 500 {
		return nil, errors.New("too many keys")
	}
	if c.trouble != nil {
		c.failed.Add(1)
		return nil, c.trouble
	}
	c.asked.Add(int64(len(keys)))
	found := map[string]int64{}
	for _, k := range keys {
		if v := c.mugs[k]; v > 0 {
			found[k] = v
		}
	}
	return found, nil
}

func (c *cupboard) load(key, audience string) func(context.Context) (*mug, int64, error) {
	return func(context.Context) (*mug, int64, error) {
		c.loads.Add(1)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.panics[key] {
			panic("a mug broke")
		}
		if c.trouble != nil {
			c.failed.Add(1)
			return nil, 0, c.trouble
		}
		v := c.mugs[key]
		if v == 0 || c.hidden[key] && audience != "staff" {
			return nil, 0, errGone
		}
		return &mug{key, v}, v, nil
	}
}

// A kitchen is a cupboard, a bell and a hub that work.
type kitchen struct {
	*cupboard
	t    testing.TB
	hub  *live.Hub
	mug  live.Topic[*mug]
	stop func()
}

// hasty are intervals for tests that wait for what is found by asking.
var hasty = live.Options{Sweep: 200 * time.Millisecond, Poll: 100 * time.Millisecond, Recheck: time.Hour, Ping: 300 * time.Millisecond}

// patient are intervals that no test outlasts: what arrives was rung.
var patient = live.Options{Sweep: time.Hour, Poll: time.Hour, Recheck: time.Hour}

func newKitchen(t testing.TB, addr string, o live.Options) *kitchen {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = client.Close() })
	return openKitchen(t, client, o)
}

func openKitchen(t testing.TB, client redis.UniversalClient, o live.Options) *kitchen {
	t.Helper()
	c := &cupboard{bell: live.NewBell(client, nil), mugs: map[string]int64{}, hidden: map[string]bool{}, panics: map[string]bool{}}
	o.Client = client
	k := &kitchen{cupboard: c, t: t, hub: live.NewHub(o)}
	k.mug = live.NewTopic[*mug](k.hub, "mug", c.versions)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.bell.Run(ctx) })
	running.Go(func() { _ = k.hub.Run(ctx) })
	k.stop = func() { cancel(); running.Wait() }
	t.Cleanup(k.stop)
	return k
}

func (k *kitchen) connected() *kitchen {
	k.t.Helper()
	eventually(k.t, "the hub is connected", func() bool { return k.hub.Stats().Connected })
	return k
}

// A watcher is a stream and what it got, in order.
type watcher struct {
	t      testing.TB
	stream *live.Stream[*mug]
	stop   context.CancelFunc
	last   int64
}

func (k *kitchen) watch(key, audience string, after int64) *watcher {
	k.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	k.t.Cleanup(cancel)
	s, err := k.mug.Watch(ctx, live.Watch[*mug]{Key: key, Audience: audience, After: after, Load: k.load(key, audience)})
	if err != nil {
		k.t.Fatal(err)
	}
	return &watcher{k.t, s, cancel, after}
}

// next is the next value; it must be newer than the one before.
func (w *watcher) next() *mug {
	w.t.Helper()
	select {
	case m, ok := <-w.stream.C():
		if !ok {
			w.t.Fatalf("the stream ended: %v", w.stream.Err())
		}
		if m.Version <= w.last {
			w.t.Fatalf("version %d after %d", m.Version, w.last)
		}
		w.last = m.Version
		return m
	case <-time.After(patience):
		w.t.Fatal("nothing arrives")
		return nil
	}
}

// reaches reads on until a version has come.
func (w *watcher) reaches(version int64) {
	w.t.Helper()
	for w.last < version {
		w.next()
	}
}

func (w *watcher) ended() error {
	w.t.Helper()
	for end := time.After(patience); ; {
		select {
		case _, ok := <-w.stream.C():
			if !ok {
				return w.stream.Err()
			}
		case <-end:
			w.t.Fatal("the stream does not end")
		}
	}
}

const patience = 30 * time.Second

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// servers are what a hub may meet.
func servers(t *testing.T, test func(t *testing.T, addr string)) {
	t.Run("redis-server", func(t *testing.T) { test(t, redisserver.Start(t).Addr) })
	t.Run("miniredis", func(t *testing.T) { test(t, miniredis.RunT(t).Addr()) })
}

func keys(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("mug-%05d", i)
	}
	return all
}
