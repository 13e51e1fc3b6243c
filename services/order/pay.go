package order

import (
	"context"
	"errors"
	"fmt"

	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/inventory"
	"ordergraph/services/payment"
)

// pay takes the money: authorise, then capture. Asking to authorise again
// answers how far the payment has come, so a driver that knows nothing begins
// there too.
func (r *run) pay(ctx context.Context) error {
	d := &r.doc
	p, err := r.authorise(ctx)
	if err != nil {
		return r.paymentRefused(ctx, "authorise the payment", err)
	}
	if p.State == payment.Authorised {
		// Within the time that the goods are held for only.
		if r.over(d.CreatedAt, r.k.at.Overall) {
			return r.giveUp(ctx, ReasonTimeout, tooLong())
		}
		if p, err = r.capture(ctx); err != nil {
			return r.paymentRefused(ctx, "capture the payment", err)
		}
	}
	switch p.State {
	case payment.Captured:
		return r.abreast(ctx, func(ctx context.Context) error { return r.sell(ctx, viewOf(p)) })
	case payment.Declined:
		reason := declined(p.Reason)
		return r.giveUp(ctx, reason, one(cart.Code(reason), declinedBecause[reason], "paymentMethod"), func(d *document) { d.see(p) })
	case payment.Voiding, payment.Voided:
		return r.giveUp(ctx, ReasonPaymentFailed, paymentFailed(), func(d *document) { d.see(p) })
	case payment.ActionNeeded:
		if r.over(*d.Saga.PayingSince, r.k.at.Confirm) || r.over(d.CreatedAt, r.k.at.Overall) {
			return r.giveUp(ctx, ReasonNotConfirmed, one(cart.Code(ReasonNotConfirmed), declinedBecause[ReasonNotConfirmed], "paymentMethod"))
		}
		return r.awaitCustomer(ctx, p)
	default: // Authorising, Capturing: the processor's answer was lost or is late
		if p.State != payment.Capturing && r.over(*d.Saga.PayingSince, r.k.at.Authorise) || r.over(d.CreatedAt, r.k.at.Overall) {
			return r.giveUp(ctx, ReasonPaymentFailed, paymentFailed())
		}
		return fmt.Errorf("payment is %s: %w", p.State, errNotYet)
	}
}

func (r *run) authorise(ctx context.Context) (payment.Payment, error) {
	ctx, cancel := r.ask(ctx)
	defer cancel()
	return r.k.o.Payment.Authorise(ctx, ourselves, payment.Request{
		OrderID: r.doc.ID, Amount: r.doc.Quote.Cost.Total, Method: r.doc.Method, Email: r.doc.Email, ReturnURL: r.doc.ReturnURL,
	})
}

func (r *run) capture(ctx context.Context) (payment.Payment, error) {
	ctx, cancel := r.ask(ctx)
	defer cancel()
	return r.k.o.Payment.Capture(ctx, ourselves, r.doc.ID)
}

// paymentRefused judges an error of the payment service itself.
func (r *run) paymentRefused(ctx context.Context, doing string, err error) error {
	switch {
	case errors.Is(err, payment.ErrState):
		// The payment has moved on between two calls: look again.
		return fmt.Errorf("%s: %w", doing, err)
	case !passing(err):
		r.k.o.Log.ErrorContext(ctx, "the payment service refuses an order", "order", r.doc.ID, "doing", doing, "error", err)
		if errors.Is(err, payment.ErrInput) {
			return r.giveUp(ctx, ReasonInvalidMethod, one(cart.Code(ReasonInvalidMethod), declinedBecause[ReasonInvalidMethod], "paymentMethod"))
		}
		return r.giveUp(ctx, ReasonPaymentFailed, paymentFailed())
	case r.over(*r.doc.Saga.PayingSince, r.k.at.Authorise):
		return r.giveUp(ctx, ReasonPaymentFailed, paymentFailed())
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// awaitCustomer shows where the customer confirms the payment, and lets go of
// the order until the payment service rings or the sweeper looks.
func (r *run) awaitCustomer(ctx context.Context, p payment.Payment) error {
	view := viewOf(p)
	return r.write(ctx, unlessCalled, func(d *document) {
		now := r.k.now()
		if d.Payment != view {
			d.Payment = view
			d.enter(Paying, now, "The bank asks the customer to confirm the payment.")
		}
		due := now.Add(patience(d.Saga.Waits + 2))
		d.Saga.Waits++
		d.Saga.Owner, d.Saga.Due = "", &due
	})
}

// sell turns the reservation into a sale, ends the cart and confirms the
// order. From the commit on the order can only be confirmed.
func (r *run) sell(ctx context.Context, paid PaymentView) error {
	if err := r.commit(ctx); err != nil {
		switch {
		case passing(err):
			return fmt.Errorf("commit the reservation: %w", err)
		case r.doc.Saga.Sold:
			return fmt.Errorf("commit a reservation that was committed: %w", err)
		}
		// The hold ran out before the money was there. What another buyer may
		// have by now is not sold twice: the money goes back.
		return r.giveUp(ctx, ReasonOutOfStock, one(cart.CodeOutOfStock, "The goods were held for you for a while and are sold out now. Your money goes back."), func(d *document) { d.Payment = paid })
	}
	err := r.complete(ctx)
	if err != nil {
		// The customer has paid and gets the goods; that the cart is still
		// there is no reason to wait.
		r.k.o.Log.WarnContext(ctx, "the cart of a sold order could not be ended yet", "order", r.doc.ID, "error", err)
	}
	return r.write(ctx, anyway, func(d *document) {
		d.Payment = paid
		d.Saga.Sold = true
		d.Saga.CartLeft = err != nil
		d.Saga.Waits = 0
		cause := "The payment was taken and the goods are sold."
		if d.Quote.Cost.Total.Minor == 0 {
			cause = "There was nothing to pay, and the goods are sold."
		}
		d.enter(Confirmed, r.k.now(), cause)
		if !d.Saga.CartLeft && d.Cancel == nil {
			d.rest()
		}
	})
}

func (r *run) commit(ctx context.Context) error {
	if len(goods(*r.doc.Quote)) == 0 {
		return nil
	}
	ctx, cancel := r.call(ctx)
	defer cancel()
	res, err := r.k.o.Inventory.Commit(ctx, ourselves, r.doc.ID)
	if err == nil && res.State != inventory.Committed {
		return fmt.Errorf("reservation is %s: %w", res.State, inventory.ErrReleased)
	}
	return err
}

// complete ends the cart. A cart that cannot be ended, because it is gone, is
// as good as ended.
func (r *run) complete(ctx context.Context) error {
	ctx, cancel := r.call(ctx)
	defer cancel()
	err := r.k.o.Cart.Complete(ctx, ourselves, r.doc.CartID, r.doc.ID)
	if err != nil && !passing(err) {
		r.k.o.Log.ErrorContext(ctx, "the cart of a sold order cannot be ended", "order", r.doc.ID, "error", err)
		return nil
	}
	return err
}

// tidy ends the cart of a confirmed order where that was left.
func (r *run) tidy(ctx context.Context) error {
	if r.doc.Saga.CartLeft {
		if err := r.complete(ctx); err != nil {
			return fmt.Errorf("end the cart: %w", err)
		}
	}
	return r.write(ctx, anyway, func(d *document) {
		d.Saga.CartLeft = false
		if !d.owes() && (d.Cancel == nil || rank[d.Status] == 0) {
			d.rest()
		}
	})
}

// declined is the order's reason for the payment's.
func declined(reason payment.Reason) Reason {
	switch reason {
	case payment.ReasonInsufficientFunds:
		return ReasonInsufficientFunds
	case payment.ReasonExpiredCard:
		return ReasonExpiredCard
	case payment.ReasonNotConfirmed:
		return ReasonNotConfirmed
	case payment.ReasonInvalidMethod:
		return ReasonInvalidMethod
	case payment.ReasonUnavailable:
		return ReasonPaymentFailed
	}
	return ReasonCardDeclined
}

var declinedBecause = map[Reason]string{
	ReasonCardDeclined:      "The card was declined. Nothing was charged; try another card or ask your bank.",
	ReasonInsufficientFunds: "There is not enough money on this card. Nothing was charged.",
	ReasonExpiredCard:       "This card has expired. Nothing was charged.",
	ReasonNotConfirmed:      "The payment was not confirmed in time. Nothing was charged.",
	ReasonInvalidMethod:     "This payment method cannot be used. Nothing was charged.",
	ReasonPaymentFailed:     "The payment could not be made right now. Nothing was charged; please try again later.",
}

func paymentFailed() []cart.Problem {
	return one(cart.Code(ReasonPaymentFailed), declinedBecause[ReasonPaymentFailed], "paymentMethod")
}

func tooLong() []cart.Problem {
	return one(cart.Code(ReasonTimeout), "The checkout took too long. Nothing was charged; please try again.")
}

// kept is what was taken and not given back.
func kept(p payment.Payment) money.Amount {
	if p.Captured.Currency == "" {
		return money.Of(0, p.Amount.Currency)
	}
	return money.Of(p.Captured.Minor-p.Refunded.Minor, p.Captured.Currency)
}
