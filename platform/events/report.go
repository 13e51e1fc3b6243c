package events

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/work"
)

// reportEvery is how long a report waits for others. Relays gather them for
// longer, so nothing comes of it later.
const reportEvery = 50 * time.Millisecond

// A report tells what became of a lane's entry: it is dealt with, and where it
// bears a fact, that was taken or failed with this.
type report struct {
	lane      int
	entry     string
	doc, fact string
	failure   string
}

// of says which fact it is that was taken, or failed.
func (r *report) of(f Fact) { r.doc, r.fact = f.Doc, f.ID }

// report has a report told soon, with those of other lanes. It never waits.
func (l *listener) report(r report) {
	l.mu.Lock()
	l.reports = append(l.reports, r)
	l.mu.Unlock()
	select {
	case l.reported <- struct{}{}:
	default:
	}
}

// tell tells what is reported until ctx ends.
func (l *listener) tell(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.reported:
		}
		work.Pause(ctx, reportEvery)
		l.tellAll(ctx)
	}
}

// tellAll tells the relay of all facts that were reported, and acknowledges
// their entries, in one round trip. What cannot be told is rung again. It
// returns when nothing is on its way any more, of what others tell either.
func (l *listener) tellAll(ctx context.Context) {
	l.telling.Lock()
	defer l.telling.Unlock()
	l.mu.Lock()
	reports := l.reports
	l.reports = nil
	l.mu.Unlock()
	if len(reports) == 0 {
		return
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callWithin)
	defer cancel()
	_, err := l.client.Pipelined(call, func(p redis.Pipeliner) error {
		var dealtWith [lanes][]string
		for _, r := range reports {
			dealtWith[r.lane] = append(dealtWith[r.lane], r.entry)
			if r.fact == "" {
				continue
			}
			values := []any{"doc", r.doc, "fact", r.fact, "group", l.group, "entry", r.entry}
			if r.failure != "" {
				values = append(values, "failed", r.failure)
			}
			p.XAdd(call, &redis.XAddArgs{Stream: confirmations(l.topic), MaxLen: confirmed, Approx: true, Values: values})
		}
		for n, entries := range dealtWith {
			if len(entries) > 0 {
				p.XAck(call, stream(l.topic, n), l.group, entries...)
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		l.log.WarnContext(ctx, "facts were taken but not confirmed; they are rung again", "topic", l.topic, "group", l.group, "facts", len(reports), "error", err)
	}
}
