package account

import (
	"context"
	"errors"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

const sweepEvery = 10 * time.Second

// Run sweeps and rings the accounts' facts until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{{Name: "account's sweep", Every: sweepEvery, Run: k.Sweep}}
	if k.relay != nil {
		parts = append(parts, work.Part{Name: "account's relay", Run: k.relay.Run})
	}
	work.Keep(ctx, k.o.Log, parts...)
	return nil
}

// Sweep finishes what is due: sessions that are to end, links, mails, sessions
// and attempts that have run out, keys that are to be made or to go. Several
// copies may sweep at once.
func (k *Keeper) Sweep(ctx context.Context) error {
	now := k.now()
	due := func(index string) docstore.Query {
		return docstore.Query{Index: index, Until: now.Add(time.Millisecond)}
	}
	var errs []error
	note := func(err error) {
		if err != nil && !errors.Is(err, errNotYet) {
			errs = append(errs, err)
		}
	}
	for doc, err := range k.accounts.All(ctx, due("ending")) {
		if err == nil {
			err = k.settle(ctx, &doc)
		}
		note(err)
	}
	for doc, err := range k.accounts.All(ctx, due("tidy")) {
		if err == nil {
			_, err = k.accounts.Update(ctx, doc.ID, func(d *accountDoc) error { d.prune(now); return nil })
			err = unlessGone(err)
		}
		note(err)
	}
	for s, err := range k.sessions.All(ctx, due("forget")) {
		if err == nil {
			err = k.sessions.Delete(ctx, s.ID, func(s *sessionDoc) error { return notYet(s.Forget, now) })
		}
		note(err)
	}
	for g, err := range k.guards.All(ctx, due(guardSweepIndex)) {
		if err == nil {
			err = k.guards.Delete(ctx, g.ID, func(g *guardDoc) error { return notYet(g.Forget, now) })
		}
		note(err)
	}
	_, err := k.currentKeys(ctx)
	note(err)
	note(k.retireKeys(ctx))
	return errors.Join(errs...)
}

var errNotYet = errors.New("account: not yet")

// notYet is an error where a document is in use again.
func notYet(forget, now time.Time) error {
	if forget.After(now) {
		return errNotYet
	}
	return nil
}

// unlessGone is nil where a document was deleted meanwhile.
func unlessGone(err error) error {
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	return err
}

// orNotFound says of a missing document what the service says.
func orNotFound(err error) error {
	if errors.Is(err, docstore.ErrNotFound) {
		return ErrNotFound
	}
	return err
}
