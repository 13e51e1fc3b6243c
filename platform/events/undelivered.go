package events

import (
	"cmp"
	"context"
	"slices"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/identity"
)

// mostAbout is of how many documents about one thing the facts are told.
const mostAbout = 100

// About returns the facts in the outboxes of the documents about the key: the
// one with this id, or those that RelayOptions.About finds; of very many, a
// hundred of them.
func (r *Relay[T]) About(ctx context.Context, who identity.Caller, key string) (deadletter.Report, error) {
	if err := deadletter.MayRead(who); err != nil {
		return deadletter.Report{}, err
	}
	var report deadletter.Report
	add := func(doc *T) { report.Facts = append(report.Facts, r.outbox(doc).undelivered(r.topic)...) }
	if r.about != nil {
		find := r.about(key)
		find.Limit = mostAbout
		found, err := r.docs.Find(ctx, find)
		if err != nil {
			return deadletter.Report{}, err
		}
		for i := range found.Items {
			add(&found.Items[i])
		}
		return report, nil
	}
	found, err := r.docs.GetMany(ctx, []string{key})
	for _, doc := range found {
		add(&doc)
	}
	return report, err
}

// undelivered are the facts of the outbox, each once, the oldest first.
func (o *Outbox) undelivered(service string) []deadletter.Undelivered {
	var all []deadletter.Undelivered
	of := func(f Fact) *deadletter.Undelivered {
		i := slices.IndexFunc(all, func(u deadletter.Undelivered) bool { return u.ID == f.ID })
		if i < 0 {
			i = len(all)
			all = append(all, deadletter.Undelivered{ID: f.ID, Service: service, Type: f.Type, At: f.At})
		}
		return &all[i]
	}
	for _, p := range o.Facts {
		u := of(p.Fact)
		u.Awaiting, u.Attempts = slices.Clone(p.Awaiting), p.Attempts+1 // the first is made without being noted
	}
	for _, d := range o.Dead {
		u := of(d.Fact)
		u.Dead, u.Attempts = append(u.Dead, d.Group), max(u.Attempts, len(d.Attempts))
	}
	slices.SortStableFunc(all, func(a, b deadletter.Undelivered) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return all
}
