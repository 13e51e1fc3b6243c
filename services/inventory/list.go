package inventory

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

const defaultPage = 50

// List pages over all stock, or over what is scarce.
func (k *Keeper) List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error) {
	switch {
	case !who.May(identity.StockRead):
		return Page{}, ErrForbidden
	case q.Limit < 0 || q.Limit > MaxPage:
		return Page{}, ErrInput.Say("A page has at most %d SKUs.", MaxPage).Field("limit")
	case len(q.Prefix) > MaxSKU || !utf8.ValidString(q.Prefix):
		return Page{}, ErrInput.Say("This is not the beginning of a SKU.").Field("sku")
	case q.Prefix != "" && q.AvailableAtMost != nil:
		return Page{}, ErrInput.Say("Ask either for SKUs that begin alike or for what is scarce: not for both.").Field("availableAtMost")
	case q.AvailableAtMost != nil && (*q.AvailableAtMost < 0 || *q.AvailableAtMost > MaxQuantity*1000):
		return Page{}, ErrInput.Say("Units available are from 0 to %d.", MaxQuantity*1000).Field("availableAtMost")
	case q.Limit == 0:
		q.Limit = defaultPage
	}
	find := docstore.Query{After: docstore.Cursor(q.After), Limit: q.Limit}
	if q.Prefix != "" {
		find.From, find.Until = q.Prefix, q.Prefix+"\U0010FFFF"
	}
	if q.AvailableAtMost != nil {
		if err := k.fill(ctx); err != nil {
			return Page{}, err
		}
		find.Index, find.Until = availableIndex, *q.AvailableAtMost+1
	}
	found, err := k.shelves.Find(ctx, find)
	if errors.Is(err, docstore.ErrCursor) {
		return Page{}, ErrCursor.Field("after")
	}
	if err != nil {
		return Page{}, err
	}
	page := Page{Stocks: make([]Stock, len(found.Items)), Cursors: make([]string, len(found.Items)), HasMore: found.Next != ""}
	for i := range found.Items {
		cursor, err := k.shelves.CursorAt(find, &found.Items[i])
		if err != nil {
			return Page{}, err
		}
		page.Stocks[i], page.Cursors[i] = found.Items[i].show(), string(cursor)
	}
	return page, nil
}

const fillPage = 500 // SKUs looked at in one go

// fill writes what is available into stock that was written before that was
// kept, so that lists of what is scarce have it. It looks through all stock
// once in this Keeper's life, in the background after the start, and goes on
// where it was cut short.
func (k *Keeper) fill(ctx context.Context) error {
	select {
	case k.filling <- struct{}{}:
		defer func() { <-k.filling }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for !k.filled.done {
		page, err := k.shelves.Find(ctx, docstore.Query{After: k.filled.upTo, Limit: fillPage})
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(adjustAtOnce)
		for _, d := range page.Items {
			if d.Available != nil {
				continue
			}
			group.Go(func() error {
				return work.Safely(func() error { return k.fillOne(ctx, d.ID) })
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		k.filled.upTo, k.filled.done = page.Next, page.Next == ""
	}
	return nil
}

func (k *Keeper) fillOne(ctx context.Context, sku string) error {
	_, err := k.change(ctx, sku, false, func(d *stockDoc) error {
		if d.Available != nil {
			return docstore.Unchanged
		}
		return nil // follow does it
	})
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return fmt.Errorf("note what is available of %s: %w", sku, err)
	}
	return nil
}
