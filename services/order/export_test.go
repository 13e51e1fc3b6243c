package order

import "context"

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
