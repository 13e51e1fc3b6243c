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
	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
)

// A stranger is somebody else's letters, which do as they like when asked.
type stranger struct {
	deadletter.Letters
	about func(context.Context) (deadletter.Report, error)
}

func (s stranger) About(ctx context.Context, _ identity.Caller, _ string) (deadletter.Report, error) {
	return s.about(ctx)
}

// Whoever fails to answer, or takes too long, is named, and the others are heard.
func TestADeskHearsWhoAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
		tells := func(after time.Duration, ids ...string) deadletter.Letters {
			return stranger{about: func(ctx context.Context) (report deadletter.Report, err error) {
				select {
				case <-time.After(after):
				case <-ctx.Done():
					return report, ctx.Err()
				}
				for _, id := range ids {
					at, _ := time.ParseDuration(id + "s")
					report.Facts = append(report.Facts, deadletter.Undelivered{ID: id, At: noon.Add(at)})
				}
				return report, nil
			}}
		}
		desk := deadletter.Desk{
			{Service: "order", Letters: tells(2*time.Second, "1", "4")},
			{Service: "payment", Letters: tells(2*time.Second, "3", "2")},
			{Service: "invoice", Letters: tells(time.Hour, "5")},
			{Service: "fulfilment", Letters: stranger{about: func(context.Context) (deadletter.Report, error) { panic("a defect") }}},
			{Service: "notification", Kind: deadletter.Message, Letters: tells(0)},
			{Service: "notification", Kind: deadletter.Fact, Letters: stranger{about: func(context.Context) (deadletter.Report, error) {
				return deadletter.Report{}, errors.New("its store is away")
			}}},
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		report, err := desk.About(ctx, identity.Ourselves(), "thing")
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, f := range report.Facts {
			ids = append(ids, f.ID)
		}
		if got := strings.Join(ids, " "); got != "1 2 3 4" {
			t.Errorf("heard of %s", got)
		}
		if !slices.Equal(report.Missing, []string{"fulfilment", "invoice", "notification"}) {
			t.Errorf("missing are %v", report.Missing)
		}
		identitytest.Needs(t, identity.OperationsRead, func(who identity.Caller) error {
			_, err := desk.About(ctx, who, "thing")
			return err
		})
	})
}
