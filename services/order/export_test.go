package order

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// HeardOfPayment takes the effect of one fact of the payment service.
var HeardOfPayment = (*Keeper).heard

// AsBeforeRefunds keeps an order as it was kept before its refunds were kept
// with it.
func (k *Keeper) AsBeforeRefunds(ctx context.Context, id string) error {
	_, err := k.orders.Update(ctx, id, func(d *document) error {
		d.Refunds = nil
		return nil
	})
	return err
}

// Copy stores so many orders like one there is, each under an id, a number and
// a key of its own.
func (k *Keeper) Copy(ctx context.Context, id string, times int) error {
	pattern, err := k.orders.Get(ctx, id)
	if err != nil {
		return err
	}
	for range times {
		d := pattern
		d.identify()
		d.Key = d.ID
		if err := k.orders.Insert(ctx, &d); err != nil {
			return err
		}
	}
	return nil
}

// Keeps reports whether the order's document has the text anywhere.
func (k *Keeper) Keeps(ctx context.Context, id, text string) (bool, error) {
	d, err := k.orders.Get(ctx, id)
	if err != nil {
		return false, err
	}
	raw, err := bson.MarshalExtJSON(&d, false, false)
	return strings.Contains(string(raw), text), err
}
