package inventory

import (
	"context"
	"errors"

	"ordergraph/platform/docstore"
)

// finish brings every reservation that is due to its end: a held one has
// expired, a half-done one was left by a process that died.
func (k *Keeper) finish(ctx context.Context) error {
	var errs []error
	for doc, err := range k.reservations.All(ctx, docstore.Query{Index: "due", Until: k.now()}) {
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, k.finishOne(ctx, doc))
	}
	return errors.Join(errs...)
}

func (k *Keeper) finishOne(ctx context.Context, doc reservationDoc) error {
	doc, err := k.reservations.Update(ctx, doc.ID, func(d *reservationDoc) error {
		if d.Due == nil || d.Due.After(k.now()) || d.State != reserving && d.State != held {
			return docstore.Unchanged
		}
		d.goTo(releasing, k.now().Add(finishWithin))
		return nil
	})
	if err != nil {
		return err
	}
	switch doc.State {
	case releasing:
		return k.finishRelease(ctx, doc)
	case committing:
		return k.finishCommit(ctx, doc)
	case restocking:
		return k.finishRestock(ctx, doc)
	}
	return nil
}

// expireHolds lifts holds that have outlived their time although their
// reservation was decided: a Reserve that came so late that its order was
// over, and died before it could take its hold back.
func (k *Keeper) expireHolds(ctx context.Context) error {
	for stock, err := range k.stock.All(ctx, docstore.Query{Index: "holdsUntil", Until: k.now()}) {
		if err != nil {
			return err
		}
		for _, h := range stock.Holds {
			if h.Expires.After(k.now()) {
				continue
			}
			doc, err := k.reservations.Get(ctx, h.Order)
			if err != nil && !errors.Is(err, docstore.ErrNotFound) {
				return err
			}
			switch doc.State {
			case reserving, held, committing, releasing:
				continue // finish sees to it
			}
			_, err = k.change(ctx, stock.ID, false, func(d *stockDoc) error {
				if !d.lift(h.Order, false, k.now()) {
					return docstore.Unchanged
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
