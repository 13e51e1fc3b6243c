package events

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// mostTries is how often a group may fail to take a fact before the fact is
// dead for it. With the relay's back-off that is about a quarter of an hour of
// trying: longer than a bad release stays, as a rule, and short enough that
// somebody learns of it on the same day.
const mostTries = 20

// fail notes that a group tried to take a fact and failed, and reports whether
// that was news. Of each ring one failure counts, however often it is told: who
// comes back after a long absence finds all the rings of that time, and fails
// to take the fact as often within a moment. With the last one the fact is dead
// for the group, and the last of o.Dead.
func (o *Outbox) fail(now time.Time, factID, group, outcome string) bool {
	i, j := o.awaited(factID, group)
	if j < 0 {
		return false
	}
	p := &o.Facts[i]
	k := slices.IndexFunc(p.Failing, func(f Failing) bool { return f.Group == group })
	if k < 0 {
		k = len(p.Failing)
		p.Failing = append(p.Failing, Failing{Group: group})
	}
	f := &p.Failing[k]
	if f.Ring > p.Attempts {
		return false
	}
	f.Ring = p.Attempts + 1
	f.Tries++
	f.Attempts = append(f.Attempts, deadletter.Attempt{At: now, Outcome: outcome})
	if n := len(f.Attempts); n > deadletter.MostAttempts {
		f.Attempts = slices.Delete(f.Attempts, 0, n-deadletter.MostAttempts)
	}
	if f.Tries >= mostTries {
		dead := Dead{Fact: p.Fact, Group: group, Attempts: f.Attempts, At: now}
		o.settle(i, j)
		o.bury(append(o.Dead, dead))
	}
	return true
}

// bury makes these the dead.
func (o *Outbox) bury(dead []Dead) {
	o.Dead, o.DeadAt = dead, nil
	if len(dead) == 0 {
		o.Dead = nil
		return
	}
	at := dead[0].At
	o.DeadAt = &at
}

// exhume takes a fact from the dead, and reports whether it was there.
func (o *Outbox) exhume(factID, group string) bool {
	i := o.dead(factID, group)
	if i < 0 {
		return false
	}
	o.bury(slices.Delete(o.Dead, i, i+1))
	return true
}

func (o *Outbox) dead(factID, group string) int {
	return slices.IndexFunc(o.Dead, func(d Dead) bool { return d.Fact.ID == factID && d.Group == group })
}

// revive gives a dead fact a new life, and reports whether it was dead. What
// went wrong before stays with it.
func (o *Outbox) revive(now time.Time, factID, group string) bool {
	i := o.dead(factID, group)
	if i < 0 {
		return false
	}
	d := o.Dead[i]
	o.exhume(factID, group)
	j, _ := o.awaited(factID, group)
	if j < 0 {
		o.Add(now, d.Fact, group)
		j = len(o.Facts) - 1
	} else {
		o.Facts[j].Awaiting = append(o.Facts[j].Awaiting, group)
	}
	o.Facts[j].Failing = append(o.Facts[j].Failing, Failing{Group: group, Attempts: d.Attempts})
	return true
}

// idOf names a dead fact among the dead letters.
func (r *Relay[T]) idOf(f Fact, group string) string {
	return deadletter.ID(r.topic, deadletter.Fact, f.Doc, strings.TrimPrefix(f.ID, f.Doc+":"), group)
}

func (r *Relay[T]) letter(d Dead) deadletter.Letter {
	return deadletter.Letter{
		ID: r.idOf(d.Fact, d.Group), Service: r.topic, Kind: deadletter.Fact, Key: d.Fact.Key, Type: d.Fact.Type, Listener: d.Group,
		Attempts: slices.Clone(d.Attempts), DeadAt: d.At,
	}
}

// List returns the facts that were given up. Those of one document, which are
// few, stand together.
func (r *Relay[T]) List(ctx context.Context, who identity.Caller, q deadletter.Query) (deadletter.Page, error) {
	if err := deadletter.MayRead(who); err != nil {
		return deadletter.Page{}, err
	}
	// A cursor is the place before a letter's document, and the letter; or the
	// place behind the document, if the letter is its last.
	before, behind, _ := strings.Cut(q.After, "~")
	find := docstore.Query{Index: DeadIndex().Name, After: docstore.Cursor(before), Limit: q.LimitOr()}
	docs, err := r.docs.Find(ctx, find)
	if errors.Is(err, docstore.ErrCursor) {
		return deadletter.Page{}, deadletter.ErrCursor.Field("after")
	}
	if err != nil {
		return deadletter.Page{}, err
	}
	var page deadletter.Page
	for i := range docs.Items {
		dead := r.outbox(&docs.Items[i]).Dead
		if i == 0 && behind != "" {
			dead = dead[1+slices.IndexFunc(dead, func(d Dead) bool { return r.idOf(d.Fact, d.Group) == behind }):]
		}
		after, err := r.docs.CursorAt(find, &docs.Items[i])
		if err != nil {
			return deadletter.Page{}, err
		}
		for j, d := range dead {
			if len(page.Letters) == q.LimitOr() {
				page.HasMore = true
				return page, nil
			}
			l := r.letter(d)
			cursor := before + "~" + l.ID
			if j == len(dead)-1 {
				cursor = string(after) + "~"
			}
			page.Letters, page.Cursors = append(page.Letters, l), append(page.Cursors, cursor)
		}
		before = string(after)
	}
	page.HasMore = docs.Next != ""
	return page, nil
}

// Get returns a fact that was given up.
func (r *Relay[T]) Get(ctx context.Context, who identity.Caller, id string) (deadletter.Letter, error) {
	if err := deadletter.MayRead(who); err != nil {
		return deadletter.Letter{}, err
	}
	parts := deadletter.Parts(id, r.topic, deadletter.Fact)
	if len(parts) != 3 {
		return deadletter.Letter{}, deadletter.ErrNotFound
	}
	doc, err := r.docs.Get(ctx, parts[0])
	if errors.Is(err, docstore.ErrNotFound) {
		return deadletter.Letter{}, deadletter.ErrNotFound
	}
	if err != nil {
		return deadletter.Letter{}, err
	}
	for _, d := range r.outbox(&doc).Dead {
		if r.idOf(d.Fact, d.Group) == id {
			return r.letter(d), nil
		}
	}
	return deadletter.Letter{}, deadletter.ErrNotFound
}

// Replay rings a dead fact again.
func (r *Relay[T]) Replay(ctx context.Context, who identity.Caller, id string) error {
	if err := deadletter.MayWrite(who); err != nil {
		return err
	}
	var rings []Pending
	err := r.change(ctx, id, func(box *Outbox, group string) error {
		rings = nil
		for _, d := range box.Dead {
			if r.idOf(d.Fact, d.Group) == id {
				box.revive(r.now(), d.Fact.ID, group)
				rings = append(rings, Pending{Fact: d.Fact, Awaiting: []string{group}})
				return nil
			}
		}
		for _, p := range box.Facts {
			if r.idOf(p.Fact, group) == id && slices.Contains(p.Awaiting, group) {
				return docstore.Unchanged
			}
		}
		return deadletter.ErrNotFound
	})
	for _, p := range rings {
		select {
		case r.queue <- p:
		default: // the sweep rings it
		}
	}
	return err
}

// Drop takes a dead fact for confirmed.
func (r *Relay[T]) Drop(ctx context.Context, who identity.Caller, id string) error {
	if err := deadletter.MayWrite(who); err != nil {
		return err
	}
	return r.change(ctx, id, func(box *Outbox, group string) error {
		for _, d := range box.Dead {
			if r.idOf(d.Fact, d.Group) == id {
				box.exhume(d.Fact.ID, group)
				return nil
			}
		}
		return deadletter.ErrNotFound
	})
}

// change changes the outbox that a letter is in.
func (r *Relay[T]) change(ctx context.Context, id string, change func(box *Outbox, group string) error) error {
	parts := deadletter.Parts(id, r.topic, deadletter.Fact)
	if len(parts) != 3 {
		return deadletter.ErrNotFound
	}
	_, err := r.docs.Update(ctx, parts[0], func(d *T) error { return change(r.outbox(d), parts[2]) })
	if errors.Is(err, docstore.ErrNotFound) {
		return deadletter.ErrNotFound
	}
	return err
}
