package payment

import (
	"context"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Void gives the authorisation up. It may come while Authorise is still under
// way, even in another process: whoever is with the processor then finds the
// new state when he comes back, and goes on with it.
//
// A payment that was declined stays so: there is nothing to give up.
func (c *Cashier) Void(ctx context.Context, who identity.Caller, orderID string) (Payment, error) {
	if err := onlyOurselves(who); err != nil {
		return Payment{}, err
	}
	if err := checkID("orderId", orderID); err != nil {
		return Payment{}, err
	}
	return c.ask(ctx, orderID, true, func(r *record) error {
		switch r.State {
		case "":
			r.State, r.CreatedAt = Voided, c.now()
		case Authorising:
			if r.Begun == nil {
				r.moveTo(Voided)
				return nil
			}
			r.moveTo(Voiding)
		case ActionNeeded, Authorised, Capturing:
			r.moveTo(Voiding)
		case Voiding:
			if r.GiveUp == "" {
				return docstore.Unchanged
			}
			r.GiveUp = ""
		case Captured:
			before := len(r.Refunds)
			if r.giveBackAll(c.now()); len(r.Refunds) == before {
				return docstore.Unchanged
			}
		default:
			return docstore.Unchanged
		}
		return nil
	})
}
