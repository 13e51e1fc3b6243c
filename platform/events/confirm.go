package events

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

const (
	gatherFor   = 500 * time.Millisecond // reports are gathered; far shorter than firstPatience
	gatherMost  = 4096                   // reports, about
	gatherEvery = 50 * time.Millisecond  // they are fetched; a failure is told after so long
	noteWithin  = 2 * time.Second        // what was gathered when the process was told to end: a host grants workers little more
)

// hearReports takes facts that were confirmed out of their outboxes, and notes
// failures there. A report that gets lost here is made again, for the fact is
// rung again.
func (r *Relay[T]) hearReports(ctx context.Context) error {
	const group = "relay"
	client, done := dedicated(ctx, r.bus.client)
	defer done()
	stream := confirmations(r.topic)
	trouble := trouble{bus: r.bus}
	defer trouble.over(ctx)
	read := func(block time.Duration) ([]redis.XMessage, error) {
		results, err := client.XReadGroup(ctx, &redis.XReadGroupArgs{
			Group: group, Consumer: consumer, Streams: []string{stream, ">"}, Count: gatherMost, Block: block, NoAck: true,
		}).Result()
		if err != nil || len(results) == 0 {
			return nil, err
		}
		return results[0].Messages, nil
	}
	for ctx.Err() == nil {
		messages, err := gather(ctx, read)
		if len(messages) > 0 {
			if err := r.noteAll(ctx, messages); err != nil && ctx.Err() == nil {
				r.log.WarnContext(ctx, "confirmations could not be noted; their facts are rung again", "topic", r.topic, "error", err)
				work.Pause(ctx, 100*time.Millisecond)
			}
		}
		switch {
		case err == nil, errors.Is(err, redis.Nil):
			trouble.over(ctx)
		case ctx.Err() != nil:
			return ctx.Err()
		case strings.HasPrefix(err.Error(), "NOGROUP"):
			if err := client.XGroupCreateMkStream(ctx, stream, group, "0").Err(); err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
				work.Pause(ctx, 50*time.Millisecond)
			}
		default:
			trouble.wait(ctx, err)
		}
	}
	return ctx.Err()
}

// gather waits for reports, and then for more: the listeners of a document's
// facts take them one a little after the other, and what all of them say is
// noted in one write. A failure, and what came before it, is told soon: the
// next ring may only follow when it is noted.
func gather(ctx context.Context, read func(block time.Duration) ([]redis.XMessage, error)) ([]redis.XMessage, error) {
	all, err := read(blockFor)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	failed := failures(all)
	for until := time.Now().Add(gatherFor); ; {
		if work.Pause(ctx, gatherEvery); ctx.Err() != nil {
			return all, ctx.Err()
		}
		more, err := read(-1)
		if err != nil && !errors.Is(err, redis.Nil) {
			return all, err
		}
		all, failed = append(all, more...), failed || failures(more)
		if failed || len(all) >= gatherMost || time.Now().After(until) {
			return all, nil
		}
	}
}

// failures reports whether one of the reports is of a failure.
func failures(reports []redis.XMessage) bool {
	for _, m := range reports {
		if m.Values["failed"] != nil {
			return true
		}
	}
	return false
}

// A note is what a listener reported about a fact.
type note struct{ fact, group, failure string }

// noteAll notes confirmations and failures, each document in one write. When
// ctx ends it goes on for a while: what is not noted would be rung again.
func (r *Relay[T]) noteAll(ctx context.Context, reports []redis.XMessage) error {
	lasting, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer context.AfterFunc(ctx, func() {
		work.Pause(lasting, noteWithin)
		end()
	})()
	byDoc := map[string][]note{}
	for _, m := range reports {
		doc, _ := m.Values["doc"].(string)
		fact, _ := m.Values["fact"].(string)
		group, _ := m.Values["group"].(string)
		failure, _ := m.Values["failed"].(string)
		byDoc[doc] = append(byDoc[doc], note{fact, group, failure})
	}
	r.late.learn(r.now(), reports)
	docs := slices.Collect(maps.Keys(byDoc))
	_, err := work.Each(lasting, places(len(docs)), atOnce, func(i int) error { return r.note(lasting, docs[i], byDoc[docs[i]]) })
	return err
}

// note notes what listeners reported about a document's facts.
func (r *Relay[T]) note(ctx context.Context, doc string, notes []note) error {
	var died []Dead
	_, err := r.boxes.Update(ctx, doc, func(d *docstore.Partial[boxed]) error {
		box, news := &d.Part.Outbox, false
		died = died[:0]
		for _, n := range notes {
			switch {
			case n.failure == "":
				news = box.Confirm(n.fact, n.group) || news
			case box.fail(r.now(), n.fact, n.group, n.failure):
				news = true
				if i := len(box.Dead) - 1; i >= 0 && box.Dead[i].Fact.ID == n.fact && box.Dead[i].Group == n.group {
					died = append(died, box.Dead[i])
				}
			}
		}
		if !news {
			return docstore.Unchanged
		}
		return nil
	})
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return fmt.Errorf("confirm %s: %w", doc, err)
	}
	for _, d := range died {
		r.bus.figures.died.WithLabelValues(r.topic, d.Group).Inc()
		r.log.ErrorContext(ctx, "a fact is given up; replay it when the cause is gone", "topic", r.topic, "fact", d.Fact.ID,
			"listener", d.Group, "outcome", d.Attempts[len(d.Attempts)-1].Outcome)
	}
	return nil
}
