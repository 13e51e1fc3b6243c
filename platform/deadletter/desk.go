package deadletter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

// A Box is one service's letters: of one kind, or of all.
type Box struct {
	Service string
	Kind    Kind // "": all that the service has
	Letters
}

func (b Box) name() string {
	if b.Kind == "" {
		return b.Service
	}
	return b.Service + "/" + string(b.Kind)
}

// A Desk has the letters of several boxes, in their order; those of one service
// stand together. What it may show is for each of them to decide.
type Desk []Box

var _ Letters = Desk(nil)

// Services are those whose letters the desk has, in the order in which it lists
// them: none is asked. identity.OperationsRead: ErrForbidden.
func (d Desk) Services(who identity.Caller) ([]string, error) {
	if err := MayRead(who); err != nil {
		return nil, err
	}
	names := make([]string, len(d))
	for i, b := range d {
		names[i] = b.Service
	}
	return slices.Compact(names), nil
}

// askWithin is how long a box may take to list.
const askWithin = 10 * time.Second

// List lists box by box, and asks them all at once. One that cannot be asked does
// not keep the others from being listed, unless it is the only one.
func (d Desk) List(ctx context.Context, who identity.Caller, q Query) (Page, error) {
	if err := MayRead(who); err != nil {
		return Page{}, err
	}
	boxes := slices.DeleteFunc(slices.Clone(d), func(b Box) bool {
		return q.Service != "" && b.Service != q.Service || q.Kind != "" && b.Kind != "" && b.Kind != q.Kind
	})
	if q.Service != "" && !slices.ContainsFunc(d, func(b Box) bool { return b.Service == q.Service }) {
		return Page{}, ErrService.Field("service")
	}
	after := ""
	if q.After != "" {
		var name string
		name, after, _ = strings.Cut(q.After, " ")
		i := slices.IndexFunc(boxes, func(b Box) bool { return b.name() == name })
		if i < 0 || after == "" {
			return Page{}, ErrCursor.Field("after")
		}
		boxes = boxes[i:]
	}
	limit := q.LimitOr()
	pages, errs := make([]Page, len(boxes)), make([]error, len(boxes))
	var asked sync.WaitGroup
	for i, b := range boxes {
		inner := Query{Kind: q.Kind, Limit: limit}
		if i == 0 {
			inner.After = after
		}
		asked.Go(func() { pages[i], errs[i] = b.listSoon(ctx, who, inner) })
	}
	asked.Wait()

	var all Page
	var trouble error
	answered := false
	for i, b := range boxes {
		if err := errs[i]; err != nil {
			err = fmt.Errorf("dead letters of %s: %w", b.name(), err)
			if ctx.Err() != nil || !isAway(err) {
				return Page{}, err
			}
			trouble, all.Missing = err, append(all.Missing, b.Service)
			continue
		}
		answered = true
		all.Missing = append(all.Missing, pages[i].Missing...)
		if all.HasMore {
			continue // what this box has comes with a later page
		}
		fit := min(len(pages[i].Letters), limit-len(all.Letters))
		all.Letters = append(all.Letters, pages[i].Letters[:fit]...)
		for _, c := range pages[i].Cursors[:fit] {
			all.Cursors = append(all.Cursors, b.name()+" "+c)
		}
		all.HasMore = pages[i].HasMore || fit < len(pages[i].Letters)
	}
	if !answered && trouble != nil {
		return Page{}, trouble
	}
	slices.Sort(all.Missing)
	all.Missing = slices.Compact(all.Missing)
	return all, nil
}

func (b Box) listSoon(ctx context.Context, who identity.Caller, q Query) (page Page, err error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	err = work.Safely(func() error {
		page, err = b.List(ctx, who, q)
		return err
	})
	return page, err
}

// isAway reports whether the error is about who was asked, and not about what.
func isAway(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.DeadlineExceeded, fault.Exhausted, fault.Canceled, fault.Internal:
		return true
	}
	return false
}

// Get returns a letter of the box that its id names.
func (d Desk) Get(ctx context.Context, who identity.Caller, id string) (Letter, error) {
	if err := MayRead(who); err != nil {
		return Letter{}, err
	}
	b, err := d.box(id)
	if err != nil {
		return Letter{}, err
	}
	return b.Get(ctx, who, id)
}

// Replay tries a letter of the box that its id names again.
func (d Desk) Replay(ctx context.Context, who identity.Caller, id string) error {
	if err := MayWrite(who); err != nil {
		return err
	}
	b, err := d.box(id)
	if err != nil {
		return err
	}
	return b.Replay(ctx, who, id)
}

// Drop puts a letter of the box that its id names away.
func (d Desk) Drop(ctx context.Context, who identity.Caller, id string) error {
	if err := MayWrite(who); err != nil {
		return err
	}
	b, err := d.box(id)
	if err != nil {
		return err
	}
	return b.Drop(ctx, who, id)
}

func (d Desk) box(id string) (Box, error) {
	for _, b := range d {
		if strings.HasPrefix(id, b.name()+"/") && len(id) <= mostID {
			return b, nil
		}
	}
	return Box{}, ErrNotFound
}
