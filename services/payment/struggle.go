package payment

import (
	"context"
	"time"

	"ordergraph/platform/docstore"
)

// Struggling lists the payments that have failed so many times in a row, those
// to be tried next first. No work on money is ever dropped, so these are what
// an operator looks at.
func (c *Cashier) Struggling(ctx context.Context, tries int) ([]Payment, error) {
	var list []Payment
	for r, err := range c.payments.All(ctx, docstore.Query{Index: "due"}) {
		if err != nil {
			return nil, err
		}
		if r.Tries >= tries {
			list = append(list, r.view())
		}
	}
	return list, nil
}

// Hasten takes a payment on now that would wait for its next try. It changes
// nothing where nothing is to be done, or somebody is at it.
func (c *Cashier) Hasten(ctx context.Context, orderID string) (Payment, error) {
	now := c.now()
	r, err := c.payments.Update(ctx, orderID, func(r *record) error {
		if r.NextAt == nil || !r.NextAt.After(now) || r.leased(now) {
			return docstore.Unchanged
		}
		r.NextAt = &now
		return nil
	})
	if err != nil {
		return Payment{}, notFound(err)
	}
	if r, err = c.work(ctx, r, nil, time.Time{}, true); err != nil {
		return Payment{}, err
	}
	return r.view(), nil
}
