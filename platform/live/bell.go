package live

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/work"
)

const (
	mostRings     = 16384 // that wait at most; of others watchers learn later
	ringsAtOnce   = 512   // published in one round trip
	publishWithin = 5 * time.Second
)

// A Bell tells hubs, in whatever processes, that things have changed. It is
// rung after the change can be read. A ring may get lost; hubs find out.
//
// A nil *Bell rings nothing.
type Bell struct {
	client redis.UniversalClient
	log    *slog.Logger
	wake   chan struct{}

	mu      sync.Mutex
	waiting map[ring]int64 // the greatest version of each, or Changed
	spare   map[ring]int64
}

type ring struct{ topic, key string }

// NewBell is a bell over the client, which stays the caller's to close. What
// is rung goes out while Run works.
func NewBell(client redis.UniversalClient, log *slog.Logger) *Bell {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Bell{client: client, log: log, wake: make(chan struct{}, 1), waiting: map[ring]int64{}}
}

// Changed is the version that a thing is rung with whose own would have to be
// looked up first. Hubs ask for it, those alone in which the thing is watched.
const Changed int64 = 0

// Ring says that the thing has come to the version, or that it has Changed. It
// never waits, not even for Redis; of several rings of one thing the greatest
// version goes out, or that it has Changed if one of them says so.
func (b *Bell) Ring(topic, key string, version int64) {
	if b == nil {
		return
	}
	r := ring{topic, key}
	b.mu.Lock()
	switch before, ok := b.waiting[r]; {
	case ok && (before == Changed || version == Changed): // to any version
		b.waiting[r] = Changed
	case ok || len(b.waiting) < mostRings:
		b.waiting[r] = max(before, version)
	}
	b.mu.Unlock()
	poke(b.wake)
}

// Run publishes what was rung until ctx ends. What cannot be published is
// dropped.
func (b *Bell) Run(ctx context.Context) error {
	p := publisher{client: b.client, sharded: true}
	var trouble patience
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-b.wake:
		}
		b.mu.Lock()
		rings := b.waiting
		if b.waiting, b.spare = b.spare, nil; b.waiting == nil {
			b.waiting = map[ring]int64{}
		}
		b.mu.Unlock()
		err := p.publish(ctx, rings)
		clear(rings)
		b.mu.Lock()
		b.spare = rings
		b.mu.Unlock()
		switch {
		case err == nil:
			if trouble.tries > 0 {
				b.log.InfoContext(ctx, "live updates are rung again")
			}
			trouble = patience{}
		case ctx.Err() == nil:
			wait := trouble.next()
			if trouble.tries == 1 {
				b.log.WarnContext(ctx, "redis is away; live updates are not rung, and come later", "error", err)
			}
			work.Pause(ctx, wait)
		}
	}
}

// A publisher publishes as the server's listeners listen: by sharded pub/sub
// where the server knows it. Each batch finds out by trying, so that a server
// may be replaced by one of another version.
type publisher struct {
	client  redis.UniversalClient
	sharded bool // what the last batch found
	batch   []notice
}

type notice struct{ channel, version string }

func (p *publisher) publish(ctx context.Context, rings map[ring]int64) error {
	for r, version := range rings {
		name, _ := channelOf(r.topic, r.key)
		if p.batch = append(p.batch, notice{name, strconv.FormatInt(version, 10)}); len(p.batch) == ringsAtOnce {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
	return p.flush(ctx)
}

func (p *publisher) flush(ctx context.Context) error {
	defer func() {
		clear(p.batch)
		p.batch = p.batch[:0]
	}()
	if len(p.batch) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	was := p.sharded
	err := p.send(ctx)
	if p.sharded != was {
		err = p.send(ctx)
	}
	return err
}

// send publishes the batch once, together with a trial of sharded pub/sub, and
// notes whether the server knows it.
func (p *publisher) send(ctx context.Context) error {
	var trial *redis.IntCmd
	_, err := p.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		trial = pipe.SPublish(ctx, laneName(0)+":", "") // which nobody hears
		for _, n := range p.batch {
			if p.sharded {
				pipe.SPublish(ctx, n.channel, n.version)
			} else {
				pipe.Publish(ctx, n.channel, n.version)
			}
		}
		return nil
	})
	if unknown(trial.Err()) {
		p.sharded, err = false, nil
	} else if trial.Err() == nil {
		p.sharded = true
	}
	return err
}
