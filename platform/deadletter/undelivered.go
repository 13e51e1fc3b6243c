package deadletter

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

// Undelivered is a fact that not all services have taken whom it concerns. It
// is on its way, dead for some of them, or both.
type Undelivered struct {
	ID       string // the same fact always has the same
	Service  string // that tells it
	Type     string // what it says: "order.changed"
	At       time.Time
	Awaiting []string // who has yet to take it
	Dead     []string // for whom it was given up: a dead letter each
	Attempts int      // how often it was told, or died
}

// A Report is what is undelivered about one thing, the oldest first.
type Report struct {
	Facts   []Undelivered
	Missing []string // the services that could not be asked in time: theirs are not among Facts
}

// About asks all boxes at once. One that does not answer before the context
// ends, or fails to, does not keep the others from being heard.
func (d Desk) About(ctx context.Context, who identity.Caller, key string) (Report, error) {
	if err := MayRead(who); err != nil {
		return Report{}, err
	}
	var (
		all   Report
		mu    sync.Mutex
		asked sync.WaitGroup
	)
	for _, b := range d {
		asked.Go(func() {
			var found Report
			err := work.Safely(func() (err error) {
				found, err = b.About(ctx, who, key)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				found = Report{Missing: []string{b.Service}}
			}
			all.Facts, all.Missing = append(all.Facts, found.Facts...), append(all.Missing, found.Missing...)
		})
	}
	asked.Wait()
	slices.SortFunc(all.Facts, func(a, b Undelivered) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	slices.Sort(all.Missing)
	all.Missing = slices.Compact(all.Missing)
	return all, nil
}
