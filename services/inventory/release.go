package inventory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// Release gives the order's reserved stock back.
func (k *Keeper) Release(ctx context.Context, who identity.Caller, orderID string) (Reservation, error) {
	if err := checkOrder(who.Is(identity.System), orderID); err != nil {
		return Reservation{}, err
	}
	doc, err := k.reservations.Upsert(ctx, orderID, func(d *reservationDoc) error {
		switch d.State {
		case "": // nothing reserved: nothing ever will be
			d.goTo(released, time.Time{})
			return nil
		case reserving, held:
			d.goTo(releasing, k.now().Add(finishWithin))
			return nil
		case releasing, released:
			return docstore.Unchanged
		}
		return ErrCommitted
	})
	if err != nil {
		return Reservation{}, err
	}
	if doc.State == releasing {
		if err := k.finishRelease(ctx, doc); err != nil {
			return Reservation{}, err
		}
	}
	return doc.show(), nil
}

func (k *Keeper) finishRelease(ctx context.Context, doc reservationDoc) error {
	if err := k.lift(ctx, doc, false); err != nil {
		return err
	}
	return k.become(ctx, doc.ID, releasing, released)
}

// Restock takes a committed order's goods back.
func (k *Keeper) Restock(ctx context.Context, who identity.Caller, orderID string) (Reservation, error) {
	if err := checkOrder(who.May(identity.OrdersFulfil), orderID); err != nil {
		return Reservation{}, err
	}
	doc, err := k.reservations.Update(ctx, orderID, func(d *reservationDoc) error {
		switch d.State {
		case committed:
			d.goTo(restocking, k.now().Add(finishWithin))
			return nil
		case committing, reserving, held:
			return ErrNoReservation.Say("This order's goods have not left the house.")
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
	if doc.State == restocking {
		if err := k.finishRestock(ctx, doc); err != nil {
			return Reservation{}, err
		}
	}
	return doc.show(), nil
}

func (k *Keeper) finishRestock(ctx context.Context, doc reservationDoc) error {
	for _, line := range doc.Lines {
		_, err := k.change(ctx, line.SKU, false, func(d *stockDoc) error {
			if d.Back.has(doc.ID) {
				return docstore.Unchanged
			}
			d.Back.add(doc.ID)
			for _, a := range doc.Allocations {
				if a.SKU != line.SKU {
					continue
				}
				l := d.level(a.Warehouse)
				l.OnHand += a.Quantity
				l.Sold -= a.Quantity
				d.move(k.now(), moveDoc{Warehouse: a.Warehouse, Kind: "restock", Order: doc.ID, OnHand: a.Quantity})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("restock %s: %w", line.SKU, err)
		}
	}
	return k.become(ctx, doc.ID, restocking, restocked)
}

// availableIn reads how many there were from an ErrOutOfStock.
func availableIn(err error) int64 {
	n, _ := strconv.ParseInt(fault.Of(err).Details["available"], 10, 64)
	return n
}
