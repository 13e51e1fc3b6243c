package fulfilment

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Pick takes a consignment in hand.
func (k *Keeper) Pick(ctx context.Context, who identity.Caller, id string) (Consignment, error) {
	_, c, err := k.change(ctx, who, id, func(_ *document, c *consignment) error {
		switch {
		case c.State == Picking && c.Picker == who.CustomerID:
			return docstore.Unchanged
		case c.State == Picking:
			return ErrTaken
		case c.State != Open:
			return unfit(c)
		}
		now := k.now()
		c.enter(Picking, now)
		c.Picker, c.Due = who.CustomerID, k.next(now)
		return nil
	})
	return c, err
}

// maxScan is how many orders are looked at for one page of one warehouse;
// what lies behind is on the next page.
const maxScan = 500

// List reads the index of the state. Its cursors are the store's, and which of
// the order's consignments comes next.
func (k *Keeper) List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error) {
	if q.State == "" {
		q.State = Open
	}
	switch {
	case !who.May(identity.OrdersFulfil):
		return Page{}, ErrForbidden
	case q.Limit < 0 || q.Limit > MaxPage:
		return Page{}, ErrInput.Field("limit").Say("A page has at most %d consignments.", MaxPage)
	case !slices.Contains(States, q.State):
		return Page{}, ErrInput.Field("state").Say("There is no such state.")
	case q.Limit == 0:
		q.Limit = 20
	}
	find := docstore.Query{Index: indexOf(q.State), Limit: q.Limit + 1}
	last, skip := "", 0 // the order that the page before ended in, and with which consignment
	if q.After != "" {
		id, place, _ := strings.Cut(q.After, ".")
		var ok bool
		if last, skip, ok = splitID(id); !ok {
			return Page{}, ErrCursor.Field("after")
		}
		find.After = docstore.Cursor(place)
	}
	page := Page{Consignments: []Consignment{}}
	before := find.After // the place before the order that is looked at
	for scanned := 0; ; {
		found, err := k.docs.Find(ctx, find)
		if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) {
			return Page{}, ErrCursor.Field("after")
		}
		if err != nil {
			return Page{}, err
		}
		for i := range found.Items {
			d := &found.Items[i]
			for j := range d.Parts {
				c := &d.Parts[j]
				if d.ID == last && c.N <= skip || c.State != q.State || q.Warehouse != "" && c.Warehouse != q.Warehouse {
					continue
				}
				if len(page.Consignments) == q.Limit {
					page.HasMore = true
					return page, nil
				}
				page.Consignments = append(page.Consignments, d.show(c))
				page.Cursors = append(page.Cursors, idOf(d.ID, c.N)+"."+string(before))
			}
			if before, err = k.docs.CursorAt(find, d); err != nil {
				return Page{}, err
			}
		}
		scanned += len(found.Items)
		switch {
		case found.Next == "":
			return page, nil
		case len(page.Consignments) > 0 && scanned >= maxScan:
			page.HasMore = true
			return page, nil
		}
		find.After = found.Next
	}
}
