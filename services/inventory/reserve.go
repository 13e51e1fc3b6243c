package inventory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

const maxOrderID = 128

func checkOrder(allowed bool, orderID string) error {
	if !allowed {
		return ErrForbidden
	}
	if orderID == "" || len(orderID) > maxOrderID {
		return ErrInput.Say("An order's id is 1 to %d bytes.", maxOrderID).Field("orderId")
	}
	return nil
}

func outOfStock(sku string, available int64) error {
	return ErrOutOfStock.With("sku", sku).With("available", strconv.FormatInt(available, 10))
}

// Reserve holds stock for the order: all lines or none.
func (k *Keeper) Reserve(ctx context.Context, who identity.Caller, orderID string, lines []Line) (Reservation, error) {
	if err := checkOrder(who.Is(identity.System), orderID); err != nil {
		return Reservation{}, err
	}
	lines, err := total(lines)
	if err != nil {
		return Reservation{}, err
	}
	short, err := k.shortOf(ctx, lines)
	if err != nil {
		return Reservation{}, err
	}
	now := k.now()
	doc, err := k.reservations.Upsert(ctx, orderID, func(d *reservationDoc) error {
		if d.Version > 0 {
			return docstore.Unchanged
		}
		d.Lines, d.ExpiresAt = lines, now.Add(HoldFor)
		if d.Short = short; short != nil {
			d.goTo(released, time.Time{})
			return nil
		}
		d.goTo(reserving, now.Add(reserveWithin))
		return nil
	})
	if err != nil {
		return Reservation{}, err
	}
	switch doc.State {
	case reserving:
		return k.hold(ctx, doc)
	case releasing, released:
		return Reservation{}, doc.refusal()
	}
	return doc.show(), nil
}

// shortOf looks whether there is enough of everything, so that the many who
// come when all is sold do not stand in line for it. nil: as it looks, there is.
func (k *Keeper) shortOf(ctx context.Context, lines []Line) (*shortage, error) {
	skus := make([]string, len(lines))
	for i, l := range lines {
		skus[i] = l.SKU
	}
	docs, err := k.shelves.GetMany(ctx, skus)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		d, known := docs[l.SKU]
		if n := available(d.Levels); n < l.Quantity {
			return &shortage{SKU: l.SKU, Available: n, Unknown: !known}, nil
		}
	}
	return nil, nil
}

// errLifted is a Reserve that comes after its order's hold was lifted again.
var errLifted = errors.New("the hold was lifted before")

// errLate is a Reserve that took so long that its order may be over.
var errLate = fmt.Errorf("the reservation was read too long ago: %w", context.DeadlineExceeded)

// hold makes the reservation's holds, SKU by SKU, and makes it Held.
func (k *Keeper) hold(ctx context.Context, doc reservationDoc) (Reservation, error) {
	_, priority, err := k.allPlaces(ctx)
	if err != nil {
		return Reservation{}, err
	}
	begun := time.Now()
	var allocations []Allocation
	for _, line := range doc.Lines {
		var parts []part
		_, err := k.change(ctx, line.SKU, false, func(d *stockDoc) error {
			if h, has := d.holdOf(doc.ID); has {
				parts = h.Parts
				return docstore.Unchanged
			}
			if d.Done.has(doc.ID) {
				return errLifted
			}
			if time.Since(begun) > holdWithin {
				return errLate
			}
			parts = d.allocate(line.Quantity, priority)
			if parts == nil {
				return outOfStock(line.SKU, d.available())
			}
			d.hold(doc.ID, parts, doc.ExpiresAt, k.now())
			return nil
		})
		short := shortage{SKU: line.SKU}
		switch {
		case err == nil:
			for _, p := range parts {
				allocations = append(allocations, Allocation{SKU: line.SKU, Warehouse: p.Warehouse, Quantity: p.Quantity})
			}
			continue
		case errors.Is(err, docstore.ErrNotFound):
			short.Unknown = true
		case errors.Is(err, ErrOutOfStock):
			short.Available = availableIn(err)
		case errors.Is(err, errLifted):
			return k.overtaken(ctx, doc.ID)
		default:
			return Reservation{}, fmt.Errorf("reserve %s: %w", line.SKU, err)
		}
		// All or none.
		return k.giveUp(ctx, doc.ID, short)
	}
	final, err := k.reservations.Update(ctx, doc.ID, func(d *reservationDoc) error {
		if d.State != reserving {
			return docstore.Unchanged
		}
		d.Allocations = allocations
		d.goTo(held, d.ExpiresAt)
		return nil
	})
	if err != nil {
		return Reservation{}, err
	}
	if final.State != held {
		return k.overtaken(ctx, doc.ID)
	}
	return final.show(), nil
}

// overtaken answers a Reserve whose order was decided while it was on its
// way: what it may have held is given back.
func (k *Keeper) overtaken(ctx context.Context, orderID string) (Reservation, error) {
	doc, err := k.reservations.Get(ctx, orderID)
	if err != nil {
		return Reservation{}, err
	}
	switch doc.State {
	case releasing, released:
		if err := k.lift(ctx, doc, false); err != nil {
			return Reservation{}, err
		}
		return Reservation{}, doc.refusal()
	case committed, restocking, restocked:
		// All that was sold has left: a hold that is there came after.
		if err := k.lift(ctx, doc, false); err != nil {
			return Reservation{}, err
		}
	}
	return doc.show(), nil
}

// giveUp releases a reservation that cannot be held in full, and says why.
func (k *Keeper) giveUp(ctx context.Context, orderID string, short shortage) (Reservation, error) {
	doc, err := k.reservations.Update(ctx, orderID, func(d *reservationDoc) error {
		if d.State != reserving {
			return docstore.Unchanged
		}
		d.Short = &short
		d.goTo(releasing, k.now().Add(finishWithin))
		return nil
	})
	if err != nil {
		return Reservation{}, err
	}
	if doc.State != releasing {
		return k.overtaken(ctx, orderID)
	}
	if err := k.finishRelease(ctx, doc); err != nil {
		return Reservation{}, err
	}
	return Reservation{}, doc.refusal()
}

// Commit turns the order's reservation into a sale.
func (k *Keeper) Commit(ctx context.Context, who identity.Caller, orderID string) (Reservation, error) {
	if err := checkOrder(who.Is(identity.System), orderID); err != nil {
		return Reservation{}, err
	}
	doc, err := k.reservations.Update(ctx, orderID, func(d *reservationDoc) error {
		switch d.State {
		case held:
			d.goTo(committing, k.now().Add(finishWithin))
			return nil
		case reserving:
			return ErrNoReservation
		case releasing, released:
			return ErrReleased
		}
		return docstore.Unchanged
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return Reservation{}, ErrNoReservation
	}
	if err != nil {
		return Reservation{}, err
	}
	if doc.State == committing {
		if err := k.finishCommit(ctx, doc); err != nil {
			return Reservation{}, err
		}
	}
	return doc.show(), nil
}

func (k *Keeper) finishCommit(ctx context.Context, doc reservationDoc) error {
	if err := k.lift(ctx, doc, true); err != nil {
		return err
	}
	return k.become(ctx, doc.ID, committing, committed)
}

// lift takes the order's holds away from all its SKUs.
func (k *Keeper) lift(ctx context.Context, doc reservationDoc, sold bool) error {
	for _, line := range doc.Lines {
		_, err := k.change(ctx, line.SKU, false, func(d *stockDoc) error {
			if !d.lift(doc.ID, sold, k.now()) {
				return docstore.Unchanged
			}
			return nil
		})
		if err != nil && !errors.Is(err, docstore.ErrNotFound) {
			return fmt.Errorf("lift the hold on %s: %w", line.SKU, err)
		}
	}
	return nil
}

// become makes a half-done state final.
func (k *Keeper) become(ctx context.Context, orderID string, from, to step) error {
	_, err := k.reservations.Update(ctx, orderID, func(d *reservationDoc) error {
		if d.State != from {
			return docstore.Unchanged
		}
		d.goTo(to, time.Time{})
		return nil
	})
	return err
}

// Reservation returns the order's reservation.
func (k *Keeper) Reservation(ctx context.Context, who identity.Caller, orderID string) (Reservation, error) {
	if !who.May(identity.StockRead) {
		return Reservation{}, ErrForbidden
	}
	doc, err := k.reservations.Get(ctx, orderID)
	if errors.Is(err, docstore.ErrNotFound) || err == nil && doc.Lines == nil {
		return Reservation{}, ErrNoReservation
	}
	return doc.show(), err
}
