// Package activity counts what the shop is doing, minute by minute, for people
// who watch.
//
// A service counts with a Recorder, in memory, and every two seconds or so what
// this process counted of a minute becomes one document of the service's own
// store.
// A Board reads what all its processes have counted; several services' boards
// are read as one.
//
// These are counts to look at, not books: a process that is killed takes its
// last two seconds with it, and one whose write was stored while its answer was
// lost for good does not count that. Nothing is counted twice.
package activity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

// Kept is how long counts are kept.
const Kept = 24 * time.Hour

// ErrForbidden is answered to who may not look at the shop's counts.
var ErrForbidden = fault.New(fault.PermissionDenied, "activity.forbidden", "You may not do this.")

// A Board shows what one service, or several, have counted.
type Board interface {
	// Read returns the minutes from this one on, at most those of Kept, about
	// three seconds late. identity.OperationsRead: ErrForbidden. What is
	// returned is shared and must not be changed.
	Read(ctx context.Context, who identity.Caller, from time.Time) (Report, error)
}

// A Report is what was counted.
type Report struct {
	Version int64    // grows whenever something more was counted
	Minutes []Minute // oldest first, without the quiet ones
}

// A Minute is what was counted in one.
type Minute struct {
	At     time.Time // when it began, UTC
	Counts []Count   // names are of one service each
}

// A Count is how often something happened.
type Count struct {
	Name  string   `bson:"name"`
	Label string   `bson:"label,omitempty"`
	N     int64    `bson:"n"`
	Took  []Bucket `bson:"took,omitempty"` // how long it took each time, where that is counted; quickest first
}

// Boards are read as one.
type Boards []Board

var _ Board = Boards(nil)

// Read asks all of them at once, and answers nothing unless all do: half of the
// counts would be taken for the whole.
func (b Boards) Read(ctx context.Context, who identity.Caller, from time.Time) (Report, error) {
	reports := make([]Report, len(b))
	all, ctx := errgroup.WithContext(ctx)
	for i, board := range b {
		all.Go(func() error {
			return work.Safely(func() (err error) {
				reports[i], err = board.Read(ctx, who, from)
				return err
			})
		})
	}
	if err := all.Wait(); err != nil {
		return Report{}, fmt.Errorf("read what was counted: %w", err)
	}
	var sum Report
	for _, r := range reports {
		sum.Version += r.Version
		sum.Minutes = append(sum.Minutes, r.Minutes...)
	}
	slices.SortStableFunc(sum.Minutes, func(a, b Minute) int { return a.At.Compare(b.At) })
	merged := sum.Minutes[:0]
	for _, m := range sum.Minutes {
		if last := len(merged) - 1; last >= 0 && merged[last].At.Equal(m.At) {
			merged[last].Counts = slices.Concat(merged[last].Counts, m.Counts)
			continue
		}
		merged = append(merged, m)
	}
	sum.Minutes = merged
	return sum, nil
}

// Sum adds counts up.
func Sum(of ...[]Count) []Count {
	sum := tally{}
	for _, counts := range of {
		for _, c := range counts {
			sum.add(c)
		}
	}
	return sum.list()
}

// A kind is what counts are told apart by.
type kind struct{ name, label string }

// A tally is what was counted so far.
type tally map[kind]*cell

type cell struct {
	n    int64
	took *histogram
}

func (t tally) cell(k kind) *cell {
	c := t[k]
	if c == nil {
		c = &cell{}
		t[k] = c
	}
	return c
}

func (t tally) add(c Count) {
	sum := t.cell(kind{c.Name, c.Label})
	sum.n += c.N
	for _, b := range c.Took {
		if b.Place >= 0 && b.Place < places {
			sum.histogram()[b.Place] += b.N
		}
	}
}

func (c *cell) histogram() *histogram {
	if c.took == nil {
		c.took = &histogram{}
	}
	return c.took
}

// list is the tally in the order of names and labels; it shares nothing with it.
func (t tally) list() []Count {
	counts := make([]Count, 0, len(t))
	for k, c := range t {
		counts = append(counts, Count{Name: k.name, Label: k.label, N: c.n, Took: c.took.list()})
	}
	slices.SortFunc(counts, func(a, b Count) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Label, b.Label)) })
	return counts
}
