package payment

import (
	"context"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Refund gives back money that was captured.
func (c *Cashier) Refund(ctx context.Context, who identity.Caller, req RefundRequest) (Payment, error) {
	if err := onlyOurselves(who); err != nil {
		return Payment{}, err
	}
	if err := checkID("key", req.Key); err != nil {
		return Payment{}, err
	}
	if err := checkAmount(req.Amount); err != nil {
		return Payment{}, err
	}
	if len(req.Reason) > 500 {
		return Payment{}, ErrInput.Field("reason").Say("The reason is too long.")
	}
	if strings.HasPrefix(req.Key, voidKey) || strings.HasPrefix(req.Key, deskKey) {
		return Payment{}, ErrInput.Field("key").Say("This key is reserved.")
	}
	now := c.now()
	return c.ask(ctx, req.OrderID, false, func(r *record) error {
		if b := r.refunding(req.Key); b != nil {
			if b.Amount != req.Amount {
				return ErrMismatch.Say("This refund was for another amount before.")
			}
			return docstore.Unchanged
		}
		if r.State != Captured {
			return ErrState.With("state", string(r.State))
		}
		if req.Amount.Currency != r.Captured.Currency {
			return ErrInput.Field("amount").Say("The payment was made in %s.", r.Captured.Currency)
		}
		if req.Amount.Minor > r.left().Minor {
			return ErrTooMuch
		}
		r.Refunds = append(r.Refunds, refunding{Key: req.Key, Amount: req.Amount, Reason: req.Reason, State: RefundPending, At: now, Since: now})
		return nil
	})
}
