package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// SignOut ends one session.
func (k *Keeper) SignOut(ctx context.Context, who identity.Caller, sessionID string) error {
	if who.CustomerID == "" && !who.May(identity.CustomersWrite) {
		return ErrSignIn
	}
	if sessionID == "" || len(sessionID) > maxID {
		return nil
	}
	s, err := k.sessions.Get(ctx, sessionID)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.Account != who.CustomerID && !who.May(identity.CustomersWrite) {
		return nil // for this caller it is unknown
	}
	return k.end(ctx, sessionID)
}

// SignOutEverywhere ends all sessions of the account.
func (k *Keeper) SignOutEverywhere(ctx context.Context, who identity.Caller, id string) error {
	id, err := own(who, id, true)
	if err != nil {
		return err
	}
	doc, err := k.change(ctx, id, func(d *accountDoc, now time.Time) error {
		if err := mayTouch(who, d); err != nil {
			return err
		}
		d.endSessions(now, "")
		return nil
	})
	if err != nil {
		return err
	}
	return k.settle(ctx, &doc)
}

// end ends a session; it may be gone already.
func (k *Keeper) end(ctx context.Context, id string) error {
	ended := false
	s, err := k.sessions.Update(ctx, id, func(s *sessionDoc) error {
		if ended = s.EndedAt == nil; !ended {
			return docstore.Unchanged
		}
		s.end(k.now())
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err == nil && ended {
		k.rangEnd(&s)
	}
	return err
}

// rangEnd tells who watches that the session has ended.
func (k *Keeper) rangEnd(s *sessionDoc) {
	k.counts.ended.Add(1)
	if k.o.Bell != nil {
		k.o.Bell.Ring(LiveTopic, s.ID, SessionOver)
	}
}

// settle marks the sessions that the account no longer means as ended. Until
// that is done the account says so, and the sweeper tries again.
func (k *Keeper) settle(ctx context.Context, doc *accountDoc) error {
	sessions, err := k.live(ctx, doc.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if s.belongs(doc) || s.Epoch > doc.Epoch {
			continue
		}
		if err := k.end(ctx, s.ID); err != nil {
			return err
		}
	}
	_, err = k.accounts.Update(ctx, doc.ID, func(d *accountDoc) error {
		if d.Epoch != doc.Epoch || d.Ending == nil {
			return docstore.Unchanged
		}
		d.Ending = nil
		return nil
	})
	return err
}

// Sessions lists the account's sessions that have not ended, newest first.
func (k *Keeper) Sessions(ctx context.Context, who identity.Caller, id string) ([]Session, error) {
	id, err := own(who, id, false)
	if err != nil {
		return nil, err
	}
	doc, err := k.account(ctx, id)
	if err != nil {
		return nil, err
	}
	return k.sessionsOf(ctx, &doc)
}

func (k *Keeper) sessionsOf(ctx context.Context, doc *accountDoc) ([]Session, error) {
	docs, err := k.live(ctx, doc.ID)
	if err != nil {
		return nil, err
	}
	all := []Session{}
	for _, s := range slices.Backward(docs) {
		if s.belongs(doc) {
			all = append(all, s.session())
		}
	}
	return all, nil
}

// EndedSessions answers which of the sessions have ended. One that is not
// known any more has ended long ago.
func (k *Keeper) EndedSessions(ctx context.Context, who identity.Caller, ids []string) ([]string, error) {
	switch {
	case !who.Is(identity.System):
		return nil, ErrForbidden
	case len(ids) > MaxSessionIDs:
		return nil, ErrInput.Field("ids").Say("Ask about at most %d sessions at once.", MaxSessionIDs)
	}
	ask := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" || len(id) > maxID })
	docs, err := k.sessions.GetMany(ctx, ask)
	if err != nil {
		return nil, err
	}
	now := k.now()
	var ended []string
	for _, id := range ids {
		if s, ok := docs[id]; !ok || s.over(now) {
			ended = append(ended, id)
		}
	}
	return ended, nil
}
