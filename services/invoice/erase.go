package invoice

import (
	"context"

	"ordergraph/platform/docstore"
)

// Forget parts a customer's documents from the account. They stay as they are,
// with the name and address of their recipient, which the law wants kept; there
// is nothing else of the customer in them. Repeating it is harmless, and
// finishes what a crash has interrupted.
func (k *Keeper) Forget(ctx context.Context, customerID string) error {
	if customerID == "" {
		return nil
	}
	for d, err := range k.invoices.All(ctx, docstore.Query{Index: indexCustomer, Equal: []any{customerID}}) {
		if err != nil {
			return err
		}
		if _, err := k.invoices.Update(ctx, d.ID, func(d *document) error {
			if d.CustomerID == "" {
				return docstore.Unchanged
			}
			d.CustomerID = ""
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
