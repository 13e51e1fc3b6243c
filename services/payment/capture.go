package payment

import (
	"context"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Capture takes what Authorise held.
func (c *Cashier) Capture(ctx context.Context, who identity.Caller, orderID string) (Payment, error) {
	if err := onlyOurselves(who); err != nil {
		return Payment{}, err
	}
	return c.ask(ctx, orderID, false, func(r *record) error {
		switch r.State {
		case Authorised:
			r.moveTo(Capturing)
			return nil
		case Capturing, Captured:
			return docstore.Unchanged
		}
		return ErrState.With("state", string(r.State))
	})
}
