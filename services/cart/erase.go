package cart

import (
	"context"
	"errors"

	"ordergraph/platform/docstore"
	"ordergraph/services/account"
)

// group is the name under which the cart service hears others' facts.
const group = "cart"

func (k *Keeper) listen(ctx context.Context) error {
	return k.bus.Listen(ctx, account.Topic, group, account.OnErased(k.Forget))
}

// Forget deletes a customer's carts. One that an order has is needed until
// that ends: it loses all that says whose it is. Repeating it is harmless, and
// finishes what a crash has interrupted.
func (k *Keeper) Forget(ctx context.Context, customerID string) error {
	if customerID == "" {
		return nil
	}
	for c, err := range k.carts.All(ctx, docstore.Query{Index: indexCustomer, Equal: []any{customerID}}) {
		if err != nil {
			return err
		}
		err := k.carts.Delete(ctx, c.ID, func(c *cartDoc) error {
			if c.Claim != nil {
				return errKept
			}
			return nil
		})
		if !errors.Is(err, errKept) {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := k.carts.Update(ctx, c.ID, func(c *cartDoc) error {
			c.Buyer, c.Note, c.Attributes = Buyer{Country: c.Buyer.Country}, "", nil
			if c.Claim != nil {
				c.Claim.Quote.Buyer, c.Claim.Quote.Note, c.Claim.Quote.Attributes = c.Buyer, "", nil
			}
			return nil
		}); err != nil && !errors.Is(err, docstore.ErrNotFound) {
			return err
		}
	}
	return nil
}
