package payment

import (
	"context"
	"errors"

	"ordergraph/platform/docstore"
)

// A Notice is what the processor says happened. It is a hint, never believed:
// it may be late, repeated and out of order, so the processor is asked.
type Notice struct {
	OrderID  string
	IntentID string
	Status   IntentStatus // "" if the notice is not about the intent itself
	Refund   *GivenBack   // nil if it is not about one refund
	Refunded int64        // minor units given back in all, if the notice says
}

// Hear takes a notice from the processor. nil means that its effect, if it has
// one, is stored; otherwise the processor should send it again. A notice about
// a payment that is not ours is none of our business, and no error.
func (c *Cashier) Hear(ctx context.Context, n Notice) error {
	if checkID("orderId", n.OrderID) != nil || n.IntentID == "" {
		return nil
	}
	r, err := c.payments.Get(ctx, n.OrderID)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.Intent != "" && r.Intent != n.IntentID || !n.tells(&r) {
		return nil
	}
	in, err := c.gateway.Intent(ctx, n.IntentID)
	if _, rejected := errors.AsType[*Rejection](err); rejected {
		return nil // the processor does not know it
	}
	if err != nil {
		return err
	}
	if in.OrderID != r.ID {
		return nil
	}
	var given []GivenBack
	if in.Refunded.Minor > 0 || n.Refund != nil {
		if given, err = c.gateway.Refunds(ctx, n.IntentID); err != nil {
			return err
		}
	}
	now := c.now()
	r, err = c.payments.Update(ctx, r.ID, func(r *record) error {
		before := r.progress()
		c.adopt(ctx, r, in, now)
		for _, g := range given {
			r.adoptRefund(g)
		}
		if r.progress() == before {
			return docstore.Unchanged
		}
		r.UpdatedAt, r.Tries = now, 0
		if !r.leased(now) {
			r.plan(now)
		}
		c.ring(r, now)
		if !r.pending() {
			r.Owed = false
		}
		return nil
	})
	if err == nil {
		c.rung(&r)
	}
	return err
}

// tells reports whether the notice may hold something that the record does
// not know, so that the usual echo of our own calls costs one read.
func (n Notice) tells(r *record) bool {
	if n.Refund != nil {
		for _, b := range r.Refunds {
			if b.Foreign == n.Refund.ID {
				return b.State != n.Refund.State
			}
		}
		return true
	}
	if n.Refunded > 0 {
		var known int64
		for _, b := range r.Refunds {
			if b.State != RefundFailed {
				known += b.Amount.Minor
			}
		}
		return known != n.Refunded
	}
	switch n.Status {
	case IntentAction:
		return r.State == Authorising
	case IntentRefused:
		return r.State == Authorising || r.State == ActionNeeded
	case IntentHeld:
		return r.State == Authorising || r.State == ActionNeeded || r.State == Declined || r.State == Voided
	case IntentTaken:
		return r.State != Captured
	case IntentCancelled:
		return r.State != Voided && r.State != Declined && r.State != Captured
	}
	return false
}
