package order

import (
	"context"
	"errors"
	"fmt"

	"ordergraph/platform/fault"
	"ordergraph/services/inventory"
	"ordergraph/services/payment"
)

// undo gives back what the order may hold, and fails the order when all of it
// is back. Every part is repeated until it has succeeded; each also prevents
// what a driver that was thought dead might still do.
//
// The reservation comes first, being the referee (see Keeper): if the goods
// are sold after all, the order goes forward. The money comes last, since
// only the processor can keep us waiting there, and neither other buyers nor
// this customer's next attempt should wait with us.
func (r *run) undo(ctx context.Context) error {
	d := &r.doc
	if !r.inserted || r.reserves > 0 {
		sold, err := r.release(ctx)
		if err != nil {
			return fmt.Errorf("release the goods: %w", err)
		}
		if sold {
			return r.write(ctx, anyway, func(d *document) {
				d.Saga.Undo, d.Problems, d.Saga.Sold, d.Saga.Waits = "", nil, true, 0
			})
		}
	}
	if err := r.unclaim(ctx); err != nil {
		return fmt.Errorf("give the cart back: %w", err)
	}
	view := d.Payment
	if d.Saga.PayingSince != nil && d.Payment.State != string(payment.Declined) {
		p, err := r.void(ctx)
		if err != nil {
			return fmt.Errorf("give up the payment: %w", err)
		}
		if !ended(p) {
			return fmt.Errorf("payment is %s: %w", p.State, errNotYet)
		}
		view = viewOf(p)
	}
	return r.write(ctx, anyway, func(d *document) {
		d.Payment = view
		d.Reason = d.Saga.Undo
		d.enter(Failed, r.k.now(), failedBecause[d.Reason])
		d.rest()
	})
}

// release gives the goods back; sold reports that they cannot be any more.
func (r *run) release(ctx context.Context) (sold bool, err error) {
	ctx, cancel := r.call(ctx)
	defer cancel()
	res, err := r.k.o.Inventory.Release(ctx, ourselves, r.doc.ID)
	switch {
	case errors.Is(err, inventory.ErrCommitted), err == nil && res.State == inventory.Committed:
		return true, nil
	case errors.Is(err, inventory.ErrNoReservation):
		return false, nil
	}
	return false, err
}

func (r *run) unclaim(ctx context.Context) error {
	ctx, cancel := r.call(ctx)
	defer cancel()
	err := r.k.o.Cart.Unclaim(ctx, ourselves, r.doc.CartID, r.doc.ID)
	if err != nil {
		if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.Invalid {
			return nil // there is no such cart, so none can be claimed
		}
	}
	return err
}

func (r *run) void(ctx context.Context) (payment.Payment, error) {
	ctx, cancel := r.ask(ctx)
	defer cancel()
	p, err := r.k.o.Payment.Void(ctx, ourselves, r.doc.ID)
	if errors.Is(err, payment.ErrState) {
		// Not in a state to be given up: perhaps it has ended already.
		return r.k.o.Payment.Get(ctx, ourselves, r.doc.ID)
	}
	return p, err
}

// ended reports that the payment keeps no money, and never will.
func ended(p payment.Payment) bool {
	switch p.State {
	case payment.Declined, payment.Voided, payment.Captured:
		return kept(p).Minor == 0
	}
	return false
}

// failedBecause are the causes in the story of failed orders.
var failedBecause = map[Reason]string{
	ReasonOutOfStock:        "Not all of the goods are left.",
	ReasonCart:              "The cart cannot be bought as it is.",
	ReasonCardDeclined:      "The card was declined.",
	ReasonInsufficientFunds: "There is not enough money on the card.",
	ReasonExpiredCard:       "The card has expired.",
	ReasonInvalidMethod:     "The payment method cannot be used.",
	ReasonNotConfirmed:      "The customer did not confirm the payment in time.",
	ReasonPaymentFailed:     "The payment could not be made.",
	ReasonCancelled:         "The order was called off before it was confirmed.",
	ReasonTimeout:           "The checkout took too long.",
}
