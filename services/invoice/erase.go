package invoice

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/services/account"
)

// heardOf forgets somebody who asked for it.
func (k *Keeper) heardOf(ctx context.Context, fact events.Fact) error {
	if fact.Type != account.FactErased {
		return nil
	}
	var erased account.Erased
	if err := bson.Unmarshal(fact.Data, &erased); err != nil {
		return err
	}
	return k.Forget(ctx, erased.CustomerID)
}

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
