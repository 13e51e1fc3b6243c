package activity

import (
	"context"
	"slices"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

const (
	// readEvery is how old what is read may be. Whoever watches through
	// several processes must not see counts shrink, so it is less than the
	// time between two looks.
	readEvery = time.Second
	// skew is how far the clocks of two processes may be apart, and how long a
	// document may be on its way into the store, without being overlooked.
	skew = time.Minute
	page = 500
)

// past is what all processes have counted. After the first time only the
// documents are read that were written since; of most minutes nothing is.
type past struct {
	turn    chan struct{} // one reads at a time
	read    time.Time     // when
	latest  time.Time     // the greatest Written that was seen
	minutes map[time.Time]*merged
}

// merged is a minute of all processes.
type merged struct {
	parts map[string]part // by the documents' ids
	sum   []Count         // of them; nil: it has to be made
}

type part struct {
	written time.Time
	counts  []Count
}

func newPast() past { return past{turn: make(chan struct{}, 1), minutes: map[time.Time]*merged{}} }

// Read shows what all processes of the service have written.
func (r *Recorder) Read(ctx context.Context, who identity.Caller, from time.Time) (Report, error) {
	if !who.May(identity.OperationsRead) {
		return Report{}, ErrForbidden
	}
	p := &r.past
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil { // also where there was a turn: select takes either
		return Report{}, err
	}
	now := r.now()
	if age := now.Sub(p.read); age < 0 || age >= readEvery {
		if err := r.refresh(ctx, now); err != nil {
			return Report{}, err
		}
		p.read = now
	}
	return p.report(now, from), nil
}

func (r *Recorder) refresh(ctx context.Context, now time.Time) error {
	p := &r.past
	since := latest(p.latest.Add(-skew), now.Add(-Kept))
	for d, err := range r.docs.All(ctx, docstore.Query{Index: indexWritten, From: since, Limit: page}) {
		if err != nil {
			return err
		}
		p.take(&d)
	}
	for at := range p.minutes {
		if now.Sub(at) > Kept+skew {
			delete(p.minutes, at)
		}
	}
	return nil
}

func (p *past) take(d *document) {
	m := p.minutes[d.Minute]
	if m == nil {
		m = &merged{parts: map[string]part{}}
		p.minutes[d.Minute] = m
	}
	if !d.Written.After(m.parts[d.ID].written) {
		return
	}
	m.parts[d.ID], m.sum = part{d.Written, d.Counts}, nil
	p.latest = latest(p.latest, d.Written)
}

// report is what there is from this minute on. Its version does not shrink
// when all of it has been forgotten.
func (p *past) report(now, from time.Time) Report {
	report := Report{Version: latest(p.latest, now.Add(-Kept).Truncate(time.Hour)).UnixMilli()}
	for at, m := range p.minutes {
		if at.Before(from) {
			continue
		}
		if m.sum == nil {
			all := make([][]Count, 0, len(m.parts))
			for _, part := range m.parts {
				all = append(all, part.counts)
			}
			m.sum = Sum(all...)
		}
		report.Minutes = append(report.Minutes, Minute{At: at, Counts: m.sum})
	}
	slices.SortFunc(report.Minutes, func(a, b Minute) int { return a.At.Compare(b.At) })
	return report
}
