// Package cache remembers texts that can be had again: those used last in this
// process, and all of them in Redis, for every process of the shop.
//
// A key always stands for the same text, such as its hash. Nothing here fails:
// while Redis is away each process remembers for itself, and a text that was
// forgotten is simply not known.
package cache

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/absence"
)

// Options of a Cache.
type Options struct {
	Redis  *redis.Options // nil: only this process remembers; the timeouts are the cache's own
	Prefix string         // of the keys in Redis, such as "query:"
	Keep   time.Duration  // how long a text is remembered after its last use; 7 days by default
	Bytes  int            // how much this process keeps itself, keys and texts; 8 MiB by default
	Within time.Duration  // how long a call to Redis may take; 150 ms by default, since somebody waits who can do without
	Log    *slog.Logger   // nil logs nothing
	Now    func() time.Time
}

// A Cache may be used from many goroutines. It is closed by Close.
type Cache struct {
	o      Options
	client *redis.Client // nil: none
	here   recent
	away   absence.Absence
}

// New makes a cache. Redis may be away.
func New(o Options) *Cache {
	o.Keep = cmp.Or(o.Keep, 7*24*time.Hour)
	o.Bytes = cmp.Or(o.Bytes, 8<<20)
	o.Within = cmp.Or(o.Within, 150*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Cache{o: o, here: recent{most: o.Bytes}}
	if o.Redis != nil {
		own := *o.Redis
		own.ContextTimeoutEnabled = true
		own.MaxRetries, own.DialerRetries = -1, 1
		own.DialTimeout, own.ReadTimeout, own.WriteTimeout, own.PoolTimeout = o.Within, o.Within, o.Within, o.Within
		c.client = redis.NewClient(&own)
	}
	return c
}

// Close ends the connections to Redis.
func (c *Cache) Close() error {
	if c.client == nil {
		return nil
	}
	return c.client.Close()
}

// Get is the text of a key. One that this process has not used of late costs a
// call to Redis, and is remembered anew by it.
func (c *Cache) Get(ctx context.Context, key string) (text string, ok bool) {
	now := c.o.Now()
	text, stale, ok := c.here.get(key, now, c.o.Keep)
	switch {
	case ok && stale:
		c.store(ctx, key, text, now)
		return text, true
	case ok:
		return text, true
	}
	var found *redis.StringCmd
	err := c.call(ctx, now, func(ctx context.Context) error {
		_, err := c.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			found = p.Get(ctx, c.o.Prefix+key)
			p.PExpire(ctx, c.o.Prefix+key, c.o.Keep)
			return nil
		})
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	if err != nil || found == nil || found.Err() != nil {
		return "", false
	}
	c.here.put(key, found.Val(), now)
	return found.Val(), true
}

// Put remembers the text of a key. If this process knows it already, it costs
// nothing.
func (c *Cache) Put(ctx context.Context, key, text string) {
	now := c.o.Now()
	if _, stale, ok := c.here.get(key, now, c.o.Keep); ok && !stale {
		return
	}
	c.here.put(key, text, now)
	c.store(ctx, key, text, now)
}

func (c *Cache) store(ctx context.Context, key, text string, now time.Time) {
	if c.client == nil {
		return
	}
	err := c.call(ctx, now, func(ctx context.Context) error {
		return c.client.Set(ctx, c.o.Prefix+key, text, c.o.Keep).Err()
	})
	if err != nil {
		c.here.doubt(key)
	}
}

var errAway = errors.New("redis is away")

// call makes a call to Redis, unless that was away a moment ago. It may take
// its time, whatever becomes of the request that caused it.
func (c *Cache) call(ctx context.Context, now time.Time, do func(context.Context) error) error {
	if c.client == nil || !c.away.Allows(now) {
		return errAway
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.o.Within)
	defer cancel()
	err := do(call)
	switch again, changed := c.away.Learn(err, now); {
	case err != nil && changed:
		c.o.Log.WarnContext(ctx, "redis is away; each process remembers for itself", "cache", c.o.Prefix, "error", err, "again", again)
	case changed:
		c.o.Log.InfoContext(ctx, "redis is back", "cache", c.o.Prefix)
	}
	return err
}
