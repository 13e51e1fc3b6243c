package cache_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/cache"
	"ordergraph/platform/clocktest"
	"ordergraph/test/redisserver"
)

// A call may take as long as a busy machine needs, except where that is what
// the test is about.
func open(t testing.TB, o cache.Options) *cache.Cache {
	t.Helper()
	if o.Within == 0 {
		o.Within = 30 * time.Second
	}
	o.Prefix = "query:"
	c := cache.New(o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

func want(t *testing.T, c *cache.Cache, key, text string) {
	t.Helper()
	if got, ok := c.Get(t.Context(), key); !ok || got != text {
		t.Errorf("%s: got %q, %v", key, got, ok)
	}
}

func wantNone(t *testing.T, c *cache.Cache, key string) {
	t.Helper()
	if got, ok := c.Get(t.Context(), key); ok {
		t.Errorf("%s: got %q", key, got)
	}
}

func TestProcessesShareTexts(t *testing.T) {
	server := redisserver.Start(t)
	options := &redis.Options{Addr: server.Addr}
	one, other := open(t, cache.Options{Redis: options}), open(t, cache.Options{Redis: options})
	wantNone(t, one, "mug")
	one.Put(t.Context(), "mug", "a mug")
	want(t, one, "mug", "a mug")
	want(t, other, "mug", "a mug")
	server.FlushAll(t)
	want(t, one, "mug", "a mug")
	want(t, other, "mug", "a mug")
	wantNone(t, open(t, cache.Options{Redis: options}), "mug")
}

// The Redis of a laptop is a part of the program.
func TestEmbeddedRedis(t *testing.T) {
	options := &redis.Options{Addr: miniredis.RunT(t).Addr()}
	one, other := open(t, cache.Options{Redis: options}), open(t, cache.Options{Redis: options})
	one.Put(t.Context(), "mug", "a mug")
	want(t, other, "mug", "a mug")
	wantNone(t, other, "cup")
}

// What is used stays, what is not goes.
func TestUseKeeps(t *testing.T) {
	server := redisserver.Start(t)
	options := &redis.Options{Addr: server.Addr}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	clock := clocktest.Still()
	c := open(t, cache.Options{Redis: options, Now: clock.Now, Keep: 7 * time.Hour})
	left := func() time.Duration { return client.PTTL(t.Context(), "query:mug").Val() }
	age := func() { client.PExpire(t.Context(), "query:mug", 5*time.Hour) }
	const whole = 6*time.Hour + 30*time.Minute // as good as

	c.Put(t.Context(), "mug", "a mug")
	if got := left(); got < whole {
		t.Errorf("put: kept for %v", got)
	}
	age()
	clock.Pass(30 * time.Minute)
	want(t, c, "mug", "a mug")
	if got := left(); got > 5*time.Hour {
		t.Errorf("Redis was asked again after half an hour: kept for %v", got)
	}
	clock.Pass(time.Hour)
	want(t, c, "mug", "a mug")
	if got := left(); got < whole {
		t.Errorf("used: kept for %v", got)
	}
	age()
	want(t, open(t, cache.Options{Redis: options, Keep: 7 * time.Hour}), "mug", "a mug")
	if got := left(); got < whole {
		t.Errorf("used by another process: kept for %v", got)
	}
	server.FlushAll(t)
	clock.Pass(2 * time.Hour)
	want(t, c, "mug", "a mug")
	if got := left(); got < whole {
		t.Errorf("used after Redis forgot it: kept for %v", got)
	}
}

func TestRedisAway(t *testing.T) {
	server := redisserver.Start(t)
	server.Stop()
	clock := clocktest.Still()
	var said lines
	options := &redis.Options{Addr: server.Addr}
	c := open(t, cache.Options{Redis: options, Now: clock.Now, Log: slog.New(slog.NewTextHandler(&said, nil))})
	wantNone(t, c, "mug")
	c.Put(t.Context(), "mug", "a mug")
	want(t, c, "mug", "a mug")
	if got := said.count("redis is away"); got != 1 {
		t.Errorf("said %d times that Redis is away", got)
	}
	server.Restart(t)
	want(t, c, "mug", "a mug") // not asked yet
	wantNone(t, open(t, cache.Options{Redis: options}), "mug")
	clock.Pass(time.Minute)
	want(t, c, "mug", "a mug") // and told to Redis
	want(t, open(t, cache.Options{Redis: options}), "mug", "a mug")
	if got := said.count("redis is back"); got != 1 {
		t.Errorf("said %d times that Redis is back", got)
	}
}

// A Redis that takes connections and never answers is asked once, and then
// left alone.
func TestRedisHangs(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	clock := clocktest.Still()
	var said lines
	c := open(t, cache.Options{Redis: &redis.Options{Addr: silent.Addr().String()}, Within: 50 * time.Millisecond, Now: clock.Now, Log: slog.New(slog.NewTextHandler(&said, nil))})
	began := time.Now()
	for i := range 1000 {
		wantNone(t, c, fmt.Sprint(i))
	}
	if took := time.Since(began); took > 30*time.Second { // asked each time it would be at least 50
		t.Errorf("took %v", took)
	}
	if got := said.count("redis is away"); got != 1 {
		t.Errorf("said %d times that Redis is away", got)
	}
}

// This process keeps what it used last, and never more than it may.
func TestProcessKeepsLittle(t *testing.T) {
	c := open(t, cache.Options{Bytes: 10_000})
	text := strings.Repeat("x", 1_000)
	for i := range 100 {
		c.Put(t.Context(), fmt.Sprint(i), text)
		want(t, c, "0", text)
	}
	known := 0
	for i := range 100 {
		if _, ok := c.Get(t.Context(), fmt.Sprint(i)); ok {
			known++
		}
	}
	if known != 8 {
		t.Errorf("%d texts of 1,201 bytes each are kept in 10,000", known)
	}
	want(t, c, "99", text)
	c.Put(t.Context(), "large", strings.Repeat("x", 10_000))
	wantNone(t, c, "large")
	want(t, c, "99", text)
}

func TestManyAtOnce(t *testing.T) {
	server := redisserver.Start(t)
	c := open(t, cache.Options{Redis: &redis.Options{Addr: server.Addr}, Bytes: 5_000})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				key := fmt.Sprint((i + n) % 40)
				if got, ok := c.Get(t.Context(), key); ok && got != "text "+key {
					t.Errorf("%s is %q", key, got)
				}
				c.Put(t.Context(), key, "text "+key)
			}
		})
	}
	all.Wait()
	for n := range 40 {
		want(t, c, fmt.Sprint(n), fmt.Sprint("text ", n))
	}
}

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}
