package order

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
	"ordergraph/services/payment"
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
			if !d.open() {
				d.calledOff(now)
				k.ring(d, d.Version+1)
			}
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
	return doc.order(), nil
}

// calledOff brings a confirmed order into the state from which goods and
// money go back.
func (d *document) calledOff(now time.Time) {
	cause := "The customer called the order off."
	if d.Cancel.Staff {
		cause = "The shop called the order off."
	}
	d.enter(Cancelled, now, cause)
	d.Saga.Waits = 0
}

// callOff does the same for an order that was confirmed while its
// cancellation was waiting.
func (r *run) callOff(ctx context.Context) error {
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
	view, cause := r.doc.Payment, "There was nothing to pay back."
	if total := r.doc.Quote.Cost.Total; total.Minor > 0 {
		key := "cancel"
		if n := r.doc.Saga.Refunds; n > 0 {
			key += "-" + strconv.Itoa(n+1)
		}
		p, err := r.refund(ctx, payment.RefundRequest{OrderID: r.doc.ID, Key: key, Amount: total, Reason: "The order was cancelled."})
		switch {
		case errors.Is(err, payment.ErrTooMuch) && kept(p).Minor == 0 && p.Captured.Minor > 0:
			// All of it went back by another door.
		case err != nil:
			return fmt.Errorf("refund: %w", err)
		case refused(p, key):
			// A definite no. The next attempt is another refund, with a key
			// that is stored before it is used.
			r.k.o.Log.ErrorContext(ctx, "the processor refused a refund", "order", r.doc.ID, "refunds", r.doc.Saga.Refunds+1)
			return r.write(ctx, anyway, func(d *document) {
				due := r.k.now().Add(refundPatience << min(d.Saga.Refunds, 6))
				d.Saga.Refunds++
				d.Saga.Owner, d.Saga.Due = "", &due
				d.see(p)
			})
		case kept(p).Minor != 0:
			return fmt.Errorf("refund of a payment that is %s: %w", p.State, errNotYet)
		}
		view, cause = viewOf(p), "The money is back."
	}
	return r.write(ctx, anyway, func(d *document) {
		d.Payment = view
		d.Saga.CartLeft = false
		d.enter(Refunded, r.k.now(), cause)
		d.rest()
	})
}

// refundPatience is how long a refund that the processor refused waits for the
// next attempt; twice as long each time, up to about five hours.
const refundPatience = 5 * time.Minute

func refused(p payment.Payment, key string) bool {
	for _, refund := range p.Refunds {
		if refund.Key == key {
			return refund.State == payment.RefundFailed
		}
	}
	return false
}

func (r *run) refund(ctx context.Context, req payment.RefundRequest) (payment.Payment, error) {
	ctx, cancel := r.ask(ctx)
	defer cancel()
	p, err := r.k.o.Payment.Refund(ctx, ourselves, req)
	if errors.Is(err, payment.ErrTooMuch) {
		now, getErr := r.k.o.Payment.Get(ctx, ourselves, req.OrderID)
		return now, errors.Join(err, getErr)
	}
	return p, err
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
