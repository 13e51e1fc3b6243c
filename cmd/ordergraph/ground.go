package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/platform/events"
	"ordergraph/platform/host"
	"ordergraph/platform/live"
	"ordergraph/services"
)

// ground is what services in this process stand on, with the engines that
// the settings choose.
func (c *groundConfig) ground(h *host.Host, log *slog.Logger, client *redis.Client) *services.Ground {
	bell := live.NewBell(client, log)
	h.Work("live updates' bell", bell.Run)
	return &services.Ground{
		Host: h, Log: log,
		Bus:      events.NewBus(client, log),
		Bell:     bell,
		Store:    func(ctx context.Context, service string) (docstore.Store, error) { return c.store(ctx, log, service) },
		Settings: services.Settings{Currency: c.Currency, Country: c.Country},
	}
}

// store opens a service's own database.
func (c *groundConfig) store(ctx context.Context, log *slog.Logger, service string) (docstore.Store, error) {
	if c.MongoURI != "" {
		store, err := docstoremongo.Open(ctx, c.MongoURI, c.MongoDatabase+"_"+service, docstoremongo.Options{Log: log})
		if err != nil {
			return nil, fmt.Errorf("MONGODB_URI: %w", err)
		}
		return store, nil
	}
	store, err := docstorelocal.Open(filepath.Join(c.DataDir, service), docstorelocal.WithLog(log))
	switch {
	case errors.Is(err, docstore.ErrHeld):
		return nil, fmt.Errorf("DATA_DIR: %w; several copies of a service need MONGODB_URI", err)
	case err != nil:
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	return store, nil
}

// redis is for services: the server, which must answer, or one embedded in
// this process, whose memory ends with it: it only rings, and what it forgets
// is rung again.
func (c *groundConfig) redis(ctx context.Context, h *host.Host, log *slog.Logger) (*redis.Client, error) {
	if c.RedisURL == "" {
		embedded := miniredis.NewMiniRedis()
		if err := embedded.Start(); err != nil {
			return nil, fmt.Errorf("start embedded redis: %w", err)
		}
		h.Work("embedded redis's clock", func(ctx context.Context) error { return passTime(ctx, embedded) })
		h.OnClose("embedded redis", func() error { embedded.Close(); return nil })
		return connectRedis(h, log, &redis.Options{Addr: embedded.Addr()}), nil
	}
	options, err := redis.ParseURL(c.RedisURL)
	if err != nil {
		return nil, usage("REDIS_URL cannot be read")
	}
	if err := answersAsRedis(ctx, *options); err != nil {
		return nil, fmt.Errorf("REDIS_URL: %s does not let us in, or is no Redis: %w", options.Addr, err)
	}
	return connectRedis(h, log, options), nil
}

// passTime lets what the embedded Redis keeps for a while run out, leases above
// all. Its own way (ClockTTL) looks at every key before every command, which is
// a seventh of a busy shop's work.
func passTime(ctx context.Context, embedded *miniredis.Miniredis) error {
	const every = 100 * time.Millisecond // leases are of seconds
	tick := time.NewTicker(every)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			embedded.FastForward(now.Sub(last))
			last = now
		}
	}
}

// doorbell is for a gateway on its own: the server, or nil where none is set.
// It may be away at the start: the gateway answers without it, and live
// updates come later.
func (c *groundConfig) doorbell(h *host.Host, log *slog.Logger) (*redis.Client, error) {
	if c.RedisURL == "" {
		log.Warn("REDIS_URL is not set: live updates are found by asking the services, and come up to two seconds late")
		return nil, nil
	}
	options, err := redis.ParseURL(c.RedisURL)
	if err != nil {
		return nil, usage("REDIS_URL cannot be read")
	}
	return connectRedis(h, log, options), nil
}

func connectRedis(h *host.Host, log *slog.Logger, options *redis.Options) *redis.Client {
	// The driver's own complaints; what they mean for the shop is told by
	// those who use it.
	redis.SetLogger(redisLog{log})
	options.ClientName = "ordergraph"
	client := redis.NewClient(options)
	h.OnClose("redis", client.Close)
	return client
}

// answersAsRedis tells of a wrong address or password now. Later the shop goes
// on without Redis, and catches up when it is back.
func answersAsRedis(ctx context.Context, options redis.Options) error {
	const patience = 5 * time.Second
	options.ContextTimeoutEnabled = true
	options.MaxRetries, options.DialerRetries = -1, 1
	options.DialTimeout, options.ReadTimeout = patience, patience
	probe := redis.NewClient(&options)
	defer func() { _ = probe.Close() }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return probe.Ping(ctx).Err()
}

type redisLog struct{ log *slog.Logger }

// Printf is what the Redis driver calls.
func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "redis client: "+fmt.Sprintf(format, args...))
}
