package events_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
)

// about is what is undelivered about a key, each fact with who awaits it and
// for whom it is dead.
func about(t *testing.T, l deadletter.Letters, key string) (all []string) {
	t.Helper()
	report, err := l.About(t.Context(), ourselves, key)
	if err != nil || len(report.Missing) != 0 {
		t.Fatal(report, err)
	}
	for _, f := range report.Facts {
		if f.Service != topic || f.Type != "counted" || f.At.IsZero() || f.Attempts < 1 {
			t.Errorf("%+v", f)
		}
		all = append(all, fmt.Sprintf("%s%v%v", f.ID, f.Awaiting, f.Dead))
	}
	return all
}

// What one listener has taken, another failed to take and a third never heard
// of is told of a thing, and of no other.
func TestWhatIsUndelivered(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, miniredis.RunT(t).Addr(), clocktest.Still(), inMemory(t))
	var one palate // fails to take it, and "two" is away
	w.listen("one", one.hear)
	w.count("poison")
	w.count("other")
	if got := about(t, w.relay, "poison"); !slices.Equal(got, []string{"poison:1:counted[one two][]"}) {
		t.Errorf("while it is on its way: %v", got)
	}
	w.haveDied(1)
	if got := about(t, w.relay, "poison"); !slices.Equal(got, []string{"poison:1:counted[two][one]"}) {
		t.Errorf("when it is dead for one: %v", got)
	}
	report, err := w.relay.About(t.Context(), ourselves, "poison")
	if err != nil || len(report.Facts) != 1 || report.Facts[0].Attempts < events.MostTries {
		t.Errorf("%+v, %v", report, err)
	}
	var two ears
	w.listen("two", two.hear)
	w.eventually(func() error {
		w.later()
		if got := about(t, w.relay, "poison"); !slices.Equal(got, []string{"poison:1:counted[][one]"}) {
			return fmt.Errorf("the other has come, and still: %v", got)
		}
		return nil
	})
	one.healed.Store(true)
	if err := w.relay.Replay(w.ctx, ourselves, "things/fact/poison/1:counted/one"); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() error {
		w.later()
		if got := about(t, w.relay, "poison"); got != nil {
			return fmt.Errorf("undelivered: %v", got)
		}
		return nil
	})
	if got := about(t, w.relay, "nothing"); got != nil {
		t.Errorf("about nothing: %v", got)
	}
	identitytest.Needs(t, identity.OperationsRead, func(who identity.Caller) error {
		_, err := w.relay.About(t.Context(), who, "poison")
		return err
	})
}

// A paper is one of several documents about a thing.
type paper struct {
	docstore.Meta `bson:",inline"`
	About         string        `bson:"about"`
	Outbox        events.Outbox `bson:"outbox"`
}

// The facts of several documents about one thing are found by an index.
func TestUndeliveredFactsOfSeveralDocuments(t *testing.T) {
	t.Parallel()
	w := standing(t, miniredis.RunT(t).Addr())
	papers, err := docstore.Open[paper](t.Context(), inMemory(t), docstore.Spec{Name: "papers", Indexes: []docstore.Index{
		{Name: "about", Fields: []string{"about"}}, events.Index(), events.DeadIndex(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	relay := events.NewRelay(w.bus, topic, papers, func(p *paper) *events.Outbox { return &p.Outbox }, events.RelayOptions{
		Now: w.clock.Now, About: func(key string) docstore.Query { return docstore.Query{Index: "about", Equal: []any{key}} },
	})
	for _, p := range []struct{ id, about string }{{"bill", "thing"}, {"credit", "thing"}, {"else", "other"}} {
		doc := paper{Meta: docstore.Meta{ID: p.id}, About: p.about}
		doc.Outbox.Add(w.clock.Now(), events.Fact{ID: p.id + ":1:counted", Type: "counted", Doc: p.id, Key: p.about, At: w.clock.Now()}, "one")
		if err := papers.Insert(t.Context(), &doc); err != nil {
			t.Fatal(err)
		}
	}
	if got := about(t, relay, "thing"); !slices.Equal(got, []string{"bill:1:counted[one][]", "credit:1:counted[one][]"}) {
		t.Errorf("%v", got)
	}
	if got := about(t, relay, "bill"); got != nil {
		t.Errorf("by a document's own id: %v", got)
	}
	if _, err := relay.About(t.Context(), identity.Caller{}, "thing"); !errors.Is(err, deadletter.ErrForbidden) {
		t.Errorf("a guest: %v", err)
	}
}
