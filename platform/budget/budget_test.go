package budget_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/budget"
	"ordergraph/platform/clocktest"
	"ordergraph/test/redisserver"
)

// A call may take as long as a busy machine needs.
func open(t testing.TB, o budget.Options) *budget.Budgets {
	t.Helper()
	if o.Within == 0 {
		o.Within = 30 * time.Second
	}
	b := budget.New(o)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// slow gives nothing back in the time of a test.
var slow = budget.Limit{Rate: 1, Per: time.Hour, Burst: 20}

func allowed(t *testing.T, b *budget.Budgets, key string, l budget.Limit, times int) (n int) {
	t.Helper()
	for range times {
		if b.Take(t.Context(), key, l, 1).Allowed {
			n++
		}
	}
	return n
}

func TestPointsComeBack(t *testing.T) {
	clock := clocktest.Still()
	b := open(t, budget.Options{Now: clock.Now})
	l := budget.PerSecond(2, 10)
	if r := b.Take(t.Context(), "ada", l, 8); !r.Allowed || r.Remaining != 2 {
		t.Fatalf("%+v", r)
	}
	if r := b.Take(t.Context(), "ada", l, 5); r.Allowed || r.Remaining != 2 || r.RetryAfter != 1500*time.Millisecond {
		t.Fatalf("%+v", r)
	}
	if r := b.Take(t.Context(), "bob", l, 10); !r.Allowed {
		t.Fatalf("somebody else pays: %+v", r)
	}
	clock.Pass(1500 * time.Millisecond)
	if r := b.Take(t.Context(), "ada", l, 5); !r.Allowed || r.Remaining != 0 {
		t.Fatalf("%+v", r)
	}
	if !b.Spent("ada", l) || b.Spent("eve", l) {
		t.Error("what is spent")
	}
	clock.Pass(time.Hour)
	if r := b.Take(t.Context(), "ada", l, 11); r.Allowed {
		t.Fatal("more than the burst")
	}
	if n := allowed(t, b, "ada", l, 30); n != 10 {
		t.Errorf("%d of a burst of 10", n)
	}
	if f := b.Figures(); f.Redis != 0 || f.Local == 0 || f.Refused < 22 || f.Away {
		t.Errorf("%+v", f)
	}
}

func TestRefund(t *testing.T) {
	clock := clocktest.Still()
	b := open(t, budget.Options{Now: clock.Now})
	l := budget.PerSecond(1, 100)
	b.Take(t.Context(), "ada", l, 90)
	if left := b.Refund("ada", l, 80); left != 90 {
		t.Fatalf("%d left", left)
	}
	if r := b.Take(t.Context(), "ada", l, 85); !r.Allowed || r.Remaining != 5 {
		t.Fatalf("%+v", r)
	}
	b.Refund("ada", l, 1_000)
	if r := b.Take(t.Context(), "ada", l, 101); r.Allowed {
		t.Fatal("refunds make more than the burst")
	}
	b.Take(t.Context(), "eve", l, 60)
	b.Refund("eve", l, 60)
	clock.Pass(time.Minute) // by now it is full without
	if n := allowed(t, b, "eve", l, 300); n != 100 {
		t.Errorf("%d, though 100 is the most", n)
	}
}

func TestProcessesShareABudget(t *testing.T) {
	for name, addr := range map[string]string{"redis": redisserver.Start(t).Addr, "embedded": miniredis.RunT(t).Addr()} {
		t.Run(name, func(t *testing.T) {
			o := budget.Options{Redis: &redis.Options{Addr: addr}}
			one, other := open(t, o), open(t, o)
			var n atomic.Int64
			var all sync.WaitGroup
			for _, b := range []*budget.Budgets{one, other, one, other} {
				all.Go(func() {
					for range 15 {
						r := b.Take(t.Context(), "ada", slow, 1)
						if r.Allowed {
							n.Add(1)
						} else if r.RetryAfter <= 0 || r.RetryAfter > time.Hour {
							t.Errorf("come back after %v", r.RetryAfter)
						}
					}
				})
			}
			all.Wait()
			if n.Load() != 20 {
				t.Errorf("%d of 20", n.Load())
			}
			if f, g := one.Figures(), other.Figures(); f.Redis+g.Redis != 60 || f.Local+g.Local != 0 || f.Refused+g.Refused != 40 {
				t.Errorf("%+v %+v", f, g)
			}
			// What one refunds is its own to spend, without asking again.
			one.Refund("ada", slow, 5)
			if n := allowed(t, one, "ada", slow, 10) + allowed(t, other, "ada", slow, 10); n != 5 {
				t.Errorf("%d of 5 refunded", n)
			}
			if f := one.Figures(); f.Saved != 5 {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestRedisGoesAndComesBack(t *testing.T) {
	server := redisserver.Start(t)
	var clock clocktest.Clock
	var log lines
	b := open(t, budget.Options{Redis: &redis.Options{Addr: server.Addr}, Now: clock.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if n := allowed(t, b, "ada", slow, 15); n != 15 {
		t.Fatalf("%d of 15", n)
	}
	server.Stop()
	if n := allowed(t, b, "ada", slow, 15); n != 5 {
		t.Errorf("alone: %d of the 5 that were left", n)
	}
	if n := allowed(t, b, "bob", slow, 30); n != 20 {
		t.Errorf("alone: %d of 20", n)
	}
	if f := b.Figures(); !f.Away || f.Redis != 15 || f.Local != 45 || f.Refused != 20 {
		t.Errorf("%+v", f)
	}
	server.Restart(t) // it has forgotten all
	for give := time.Now().Add(30 * time.Second); b.Figures().Away; {
		clock.Pass(30 * time.Second)
		b.Take(t.Context(), "eve", slow, 1)
		if time.Now().After(give) {
			t.Fatal("Redis is not asked again")
		}
	}
	if n := allowed(t, b, "cyd", slow, 30); n != 20 {
		t.Errorf("together again: %d of 20", n)
	}
	if f := b.Figures(); f.Redis < 15+30 {
		t.Errorf("%+v", f)
	}
	if away, back := strings.Count(log.String(), "redis is away"), strings.Count(log.String(), "redis is back"); away != 1 || back != 1 {
		t.Errorf("logged %d and %d times: %s", away, back, &log)
	}
}

// Nobody waits long for a server that takes connections and says nothing.
func TestRedisIsSilent(t *testing.T) {
	b := open(t, budget.Options{Redis: &redis.Options{Addr: silent(t)}, Within: time.Millisecond})
	if n := allowed(t, b, "ada", slow, 30); n != 20 {
		t.Errorf("%d of 20", n)
	}
	if f := b.Figures(); !f.Away || f.Redis != 0 {
		t.Errorf("%+v", f)
	}
}

func TestKeysAreForgotten(t *testing.T) {
	b := open(t, budget.Options{Keys: 10})
	for i := range 100 {
		b.Take(t.Context(), fmt.Sprint(i), slow, 20)
	}
	if !b.Spent("99", slow) || b.Spent("0", slow) {
		t.Error("not the last used are remembered")
	}
}

func BenchmarkTake(b *testing.B) {
	for name, o := range map[string]budget.Options{"local": {}, "redis": {Redis: &redis.Options{}}} {
		b.Run(name, func(b *testing.B) {
			if o.Redis != nil {
				server, err := redisserver.Launch()
				if err != nil {
					b.Skip(err)
				}
				defer server.Stop()
				o.Redis.Addr = server.Addr
			}
			budgets := open(b, o)
			l := budget.PerSecond(1_000_000, 1_000_000)
			b.ReportAllocs()
			for b.Loop() {
				budgets.Take(b.Context(), "ada", l, 1)
			}
		})
	}
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// silent is the address of a server that takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}
