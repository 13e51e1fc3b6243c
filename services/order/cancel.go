package order

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
)

// maxCancelReason is how long the customer's words may be, in bytes.
const maxCancelReason = 500

// Cancel notes the wish in the order before anything is done, so that it
// outlives a crash; a driver that is at work sees it at its next write. Cancel
// then drives, or waits for who does. If the outcome is not there within
// Deadlines.Answer, the order is returned on its way.
func (k *Keeper) Cancel(ctx context.Context, who identity.Caller, in CancelInput) (Order, error) {
	if len(in.Reason) > maxCancelReason || !utf8.ValidString(in.Reason) {
		return Order{}, ErrInput.Field("reason").Say("The reason must be text of at most %d bytes.", maxCancelReason)
	}
	_, own, err := k.visible(ctx, who, in.OrderID, in.AccessToken)
	if err != nil {
		return Order{}, err
	}
	staff := who.May(identity.OrdersCancel)
	if !own && !staff {
		return Order{}, ErrForbidden
	}
	changed, err := k.orders.Update(ctx, in.OrderID, func(d *document) error {
		switch d.Status {
		case Failed, Cancelled, Refunded:
			return docstore.Unchanged
		case Shipped, Delivered:
			return ErrTooLate
		case Fulfilling:
			if !staff {
				return ErrTooLate
			}
		}
		if d.Cancel != nil || d.Saga.Undo != "" {
			return docstore.Unchanged
		}
		now := k.now()
		d.Cancel = &cancellation{At: now, Reason: in.Reason, Staff: !own}
		if !d.leased(now) {
			d.Saga.Owner, d.Saga.Due = "", &now
		}
		d.Shown = d.Version + 1 // the reason is seen
		return nil
	})
	if err != nil {
		return Order{}, err
	}
	k.rung(&changed)
	if r := k.running(in.OrderID); r != nil {
		r.poke()
	}
	doc, err := k.settle(ctx, in.OrderID, k.inline(ctx))
	if err != nil {
		return Order{}, err
	}
	if rank[doc.Status] > 0 && doc.Cancel == nil {
		return Order{}, ErrTooLate // it has left the house
	}
	return doc.orderFor(who, own), nil
}

// calledOff brings a confirmed order into the state from which goods and
// money go back.
func (d *document) calledOff(now time.Time) {
	cause := "The customer called the order off."
	if d.Cancel.Staff {
		cause = "The shop called the order off."
	}
	d.enter(Cancelled, now, cause)
	d.oweAll(now)
	d.Saga.Waits = 0
}

// callOff brings a confirmed order there, once its consignments have ended.
// What the fulfilment service says is final: from its yes on nothing can be
// sent, and after its no, for something may be on its way, the order goes on
// as if the wish had not been.
func (r *run) callOff(ctx context.Context) error {
	if r.k.o.Fulfilment != nil {
		call, cancel := r.call(ctx)
		err := r.k.o.Fulfilment.CallOff(call, ourselves, r.doc.ID)
		cancel()
		if errors.Is(err, ErrTooLate) {
			return r.write(ctx, anyway, func(d *document) {
				d.Cancel, d.Saga.Waits, d.Shown = nil, 0, d.Version+1
			})
		}
		if err != nil {
			return fmt.Errorf("call its consignments off: %w", err)
		}
	}
	return r.write(ctx, anyway, func(d *document) { d.calledOff(r.k.now()) })
}

// payBack takes the goods of a cancelled order back into stock and refunds
// the money; REFUNDED, when the processor has confirmed it.
func (r *run) payBack(ctx context.Context) error {
	if r.doc.Saga.CartLeft {
		if err := r.complete(ctx); err != nil {
			return fmt.Errorf("end the cart: %w", err)
		}
	}
	if err := r.restock(ctx); err != nil {
		return fmt.Errorf("take the goods back: %w", err)
	}
	if r.doc.pays() {
		return r.payOut(ctx)
	}
	return r.write(ctx, anyway, func(d *document) { d.payBackDone(r.k.now()) })
}

func (r *run) restock(ctx context.Context) error {
	if len(goods(*r.doc.Quote)) == 0 {
		return nil
	}
	ctx, cancel := r.call(ctx)
	defer cancel()
	_, err := r.k.o.Inventory.Restock(ctx, ourselves, r.doc.ID)
	if errors.Is(err, inventory.ErrNoReservation) || errors.Is(err, inventory.ErrReleased) {
		// Only a defect leads here; the customer's money does not wait for it.
		r.k.o.Log.ErrorContext(ctx, "the goods of a cancelled order cannot be taken back", "order", r.doc.ID, "error", err)
		return nil
	}
	return err
}
