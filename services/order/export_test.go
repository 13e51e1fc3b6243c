package order

import "context"

// HeardOfMessage and HeardOfPayment take the effect of one fact of the
// notification and the payment service.
var (
	HeardOfMessage = (*Keeper).heardOfMessage
	HeardOfPayment = (*Keeper).heard
)

// AsBeforeRefunds keeps an order as it was kept before its refunds were kept
// with it.
func (k *Keeper) AsBeforeRefunds(ctx context.Context, id string) error {
	_, err := k.orders.Update(ctx, id, func(d *document) error {
		d.Refunds = nil
		return nil
	})
	return err
}
