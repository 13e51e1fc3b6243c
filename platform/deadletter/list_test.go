package deadletter_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
)

// A shelf has letters by their ids, or an error instead.
type shelf struct {
	deadletter.Letters
	ids  []string
	list func(context.Context) error
}

func (s shelf) List(ctx context.Context, _ identity.Caller, q deadletter.Query) (page deadletter.Page, err error) {
	if s.list != nil {
		if err := s.list(ctx); err != nil {
			return page, err
		}
	}
	rest := s.ids[slices.Index(s.ids, q.After)+1:]
	n := min(len(rest), q.LimitOr())
	for _, id := range rest[:n] {
		page.Letters, page.Cursors = append(page.Letters, deadletter.Letter{ID: id}), append(page.Cursors, id)
	}
	page.HasMore = len(rest) > n
	return page, nil
}

// One service that cannot be asked is named, and the others are listed, however
// many letters a page has; asked for alone, it is an error.
func TestADeskListsWhoAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		who := identity.Ourselves()
		away := fault.New(fault.Unavailable, "test.away", "It is away.")
		silent := func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Hour):
				return nil
			}
		}
		desk := deadletter.Desk{
			{Service: "payment", Letters: shelf{list: func(context.Context) error { return away }}},
			{Service: "order", Letters: shelf{ids: []string{"o1", "o2", "o3"}}},
			{Service: "cart", Letters: shelf{ids: []string{"c1"}, list: silent}},
			{Service: "invoice", Letters: shelf{ids: []string{"i1"}}},
			{Service: "account", Letters: shelf{list: func(context.Context) error { panic("a defect") }}},
		}
		// Which services there are is said without asking them.
		twice := slices.Insert(slices.Clone(desk), 1, desk[0])
		if names, err := twice.Services(who); err != nil || strings.Join(names, " ") != "payment order cart invoice account" {
			t.Errorf("%v, %v", names, err)
		}
		identitytest.Needs(t, identity.OperationsRead, func(who identity.Caller) error {
			_, err := desk.Services(who)
			return err
		})
		// However many are silent, an operation's time is enough.
		hurry, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		silents := append(deadletter.Desk{{Service: "x", Letters: shelf{list: silent}}, {Service: "y", Letters: shelf{list: silent}}, {Service: "z", Letters: shelf{list: silent}}}, desk...)
		if page, err := silents.List(hurry, who, deadletter.Query{}); err != nil || len(page.Letters) != 4 {
			t.Errorf("%v, %d letters beside silent services", err, len(page.Letters))
		}
		for _, limit := range []int{1, 2, 3, 4, 100} {
			var ids, missing []string
			q := deadletter.Query{Limit: limit}
			for more := true; more; {
				page, err := desk.List(t.Context(), who, q)
				if err != nil || len(page.Letters) > limit {
					t.Fatalf("%v, %d letters on a page of %d", err, len(page.Letters), limit)
				}
				for _, l := range page.Letters {
					ids = append(ids, l.ID)
				}
				missing = append(missing, page.Missing...)
				if more = page.HasMore; more {
					q.After = page.Cursors[len(page.Cursors)-1]
				}
			}
			slices.Sort(missing)
			if got := strings.Join(ids, " "); got != "o1 o2 o3 i1" || !slices.Equal(slices.Compact(missing), []string{"account", "cart", "payment"}) {
				t.Errorf("pages of %d: %s; missing %v", limit, got, missing)
			}
		}
		if _, err := desk.List(t.Context(), who, deadletter.Query{Service: "payment"}); !errors.Is(err, away) {
			t.Errorf("asked for alone: %v", err)
		}
		if _, err := desk[:1].List(t.Context(), who, deadletter.Query{}); !errors.Is(err, away) {
			t.Errorf("nobody is there: %v", err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if page, err := desk.List(ended, who, deadletter.Query{}); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, away) {
			t.Errorf("%v, %+v", err, page)
		}
		desk = append(desk, deadletter.Box{Service: "catalog", Letters: shelf{list: func(context.Context) error { return deadletter.ErrCursor }}})
		if _, err := desk.List(t.Context(), who, deadletter.Query{}); !errors.Is(err, deadletter.ErrCursor) {
			t.Errorf("what was asked was wrong: %v", err)
		}
	})
}
