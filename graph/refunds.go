package graph

import (
	"context"
	"errors"
	"strings"

	"ordergraph/graph/gengql"
	"ordergraph/graph/gid"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/platform/money"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
	"ordergraph/services/payment"
)

// unrefunded are the codes of why no refund is made.
var unrefunded = []struct {
	err  *fault.Error
	code string
}{
	{order.ErrNotFound, "ORDER_NOT_FOUND"}, {order.ErrInput, "INVALID"}, {order.ErrNotRefundable, "NOT_REFUNDABLE"},
	{order.ErrTooMuch, "TOO_MUCH"}, {order.ErrNotSent, "NOT_SENT"}, {order.ErrKeyReused, codeKeyReused},
}

// giveBack refunds, and shows what became of it.
func (r *Resolver) giveBack(ctx context.Context, in gengql.OrderRefundInput) (*gengql.OrderRefundPayload, error) {
	p := &gengql.OrderRefundPayload{UserErrors: []view.OrderRefundUserError{}}
	refuse := func(code string, field []string, message string) (*gengql.OrderRefundPayload, error) {
		p.UserErrors = append(p.UserErrors, view.OrderRefundUserError{Code: &code, Field: field, Message: message})
		return p, nil
	}
	key, wrong := idempotencyKey(ctx, in.IdempotencyKey)
	if wrong != "" {
		return refuse("INVALID", []string{"input", "idempotencyKey"}, wrong)
	}
	input := order.RefundInput{
		OrderID: keyOr(gid.Order, in.OrderID), IdempotencyKey: key, Shipping: in.Shipping != nil && *in.Shipping,
		Reason: text(in.Reason), Restock: in.Restock != nil && *in.Restock,
	}
	for _, l := range in.Lines {
		input.Lines = append(input.Lines, order.RefundUnits{LineID: keyOr(gid.OrderLine, l.LineID), Quantity: int64(l.Quantity)})
	}
	if in.Amount != nil {
		amount, err := money.Parse(in.Amount.Amount, in.Amount.CurrencyCode)
		if err != nil {
			return refuse("INVALID", []string{"input", "amount"}, fault.Of(err).Message)
		}
		input.Amount = &amount
	}
	result, err := r.order.Refund(ctx, caller(ctx), input)
	for _, known := range unrefunded {
		if errors.Is(err, known.err) {
			e := fault.Of(err)
			return refuse(known.code, fieldOf(e, checkoutArgument), e.Message)
		}
	}
	if err != nil {
		return nil, err
	}
	p.Order = view.NewOrder(r.shop, &result.Order)
	p.Refund = view.NewOrderRefund(p.Order, &result.Refund)
	return p, nil
}

// attempts are the calls to the card processor for an order, or nil.
func (r *Resolver) attempts(ctx context.Context, o *view.Order) ([]view.PaymentAttempt, error) {
	if r.payment == nil {
		return nil, nil
	}
	id, _ := o.Key()
	p, err := r.payment.Get(ctx, caller(ctx), id)
	if errors.Is(err, payment.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return view.NewPaymentAttempts(p.Attempts), nil
}

// reserved is the stock that was promised to an order, or nil.
func (r *Resolver) reserved(ctx context.Context, o *view.Order) (*view.OrderReservation, error) {
	id, _ := o.Key()
	res, err := r.inventory.Reservation(ctx, caller(ctx), id)
	if errors.Is(err, inventory.ErrNoReservation) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return view.NewOrderReservation(res), nil
}

// mostMovements is how long a page of the ledger may be.
const mostMovements = 100

func (r *Resolver) movements(ctx context.Context, sku string, first int32, after *string) (*view.StockHistory, error) {
	if first < 1 || first > mostMovements {
		return nil, errInput.Field("first").Say("`first` of history must be from 1 to %d, not %d.", mostMovements, first)
	}
	page, err := r.inventory.Movements(ctx, caller(ctx), sku, text(after), int(first))
	if err != nil {
		return nil, nameCursor(err, view.Window{})
	}
	return view.NewStockHistory(page, strings.TrimSpace(text(after)) != ""), nil
}
