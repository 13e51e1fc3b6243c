package graph

import (
	"context"
	"errors"
	"slices"

	"ordergraph/graph/gengql"
	"ordergraph/graph/gid"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

// The codes that a checkout has beside those of the cart's problems.
const codeKeyReused = "IDEMPOTENCY_KEY_REUSED"

// reasons are the sentences for an order that failed without saying more.
var reasons = map[order.Reason]string{
	order.ReasonOutOfStock:        "Something in the cart is sold out.",
	order.ReasonCart:              "The cart could not be bought any more.",
	order.ReasonCardDeclined:      "The bank refused the card.",
	order.ReasonInsufficientFunds: "There was not enough money on the account.",
	order.ReasonExpiredCard:       "The card has expired.",
	order.ReasonInvalidMethod:     "The payment method does not exist.",
	order.ReasonNotConfirmed:      "The payment was not confirmed.",
	order.ReasonPaymentFailed:     "The card processor could not be reached. Nothing was charged.",
	order.ReasonCancelled:         "The order was called off.",
	order.ReasonTimeout:           "A step took too long. Nothing was charged.",
}

var checkoutArgument = []string{"input"}

// buy makes an order and shows what became of it: expected outcomes, a failed
// order's included, are userErrors.
func (r *Resolver) buy(ctx context.Context, in gengql.CheckoutInput) (*gengql.CheckoutPayload, error) {
	p := &gengql.CheckoutPayload{UserErrors: []view.CheckoutUserError{}}
	cartKey, ok := gid.Parse(gid.Cart, in.CartID)
	if !ok {
		p.UserErrors = append(p.UserErrors, mishap(string(cart.CodeNotFound), []string{"input", "cartId"}, cart.ErrNotFound.Message))
		return p, nil
	}
	key, wrong := idempotencyKey(ctx, in.IdempotencyKey)
	if wrong != "" {
		p.UserErrors = append(p.UserErrors, mishap(string(cart.CodeInvalid), []string{"input", "idempotencyKey"}, wrong))
		return p, nil
	}
	input := order.CheckoutInput{
		CartID:          cartKey,
		IdempotencyKey:  key,
		Email:           in.Email,
		Phone:           text(in.Phone),
		ShippingAddress: addressOf(&in.ShippingAddress),
		ShippingRate:    text(in.ShippingRate),
		PaymentMethod:   in.Payment.Method,
		ReturnURL:       text(in.Payment.ReturnURL),
		Locale:          text(in.Locale),
	}
	if in.BillingAddress != nil {
		billing := addressOf(in.BillingAddress)
		input.BillingAddress = &billing
	}
	if in.ExpectedTotal != nil {
		total, err := money.Parse(in.ExpectedTotal.Amount, in.ExpectedTotal.CurrencyCode)
		if err != nil {
			p.UserErrors = append(p.UserErrors, mishap(string(cart.CodeInvalid), []string{"input", "expectedTotal", "amount"}, fault.Of(err).Message))
			return p, nil
		}
		input.ExpectTotal = &total
	}

	result, err := r.order.Checkout(ctx, caller(ctx), input)
	switch e := fault.Of(err); {
	case err == nil:
	case errors.Is(err, order.ErrKeyReused):
		p.UserErrors = append(p.UserErrors, mishap(codeKeyReused, []string{"input", "idempotencyKey"}, e.Message))
		return p, nil
	case e.Kind == fault.Invalid:
		p.UserErrors = append(p.UserErrors, mishap(string(cart.CodeInvalid), fieldOf(e, checkoutArgument), e.Message))
		return p, nil
	default:
		return nil, err
	}
	p.UserErrors = append(p.UserErrors, view.CheckoutErrors(checkoutArgument, result.Problems)...)
	if result.Order == nil {
		return p, nil
	}
	p.Order = view.NewOrder(r.shop, result.Order).By(result.AccessToken)
	if result.AccessToken != "" {
		p.AccessToken = &result.AccessToken
	}
	if result.Order.Status == order.Failed && len(p.UserErrors) == 0 {
		p.UserErrors = failure(result.Order)
	}
	return p, nil
}

// failure tells why an order failed: by its own problems where one of them
// says the reason, and by the reason otherwise.
func failure(o *order.Order) []view.CheckoutUserError {
	problems := view.CheckoutErrors(checkoutArgument, o.Problems)
	told := o.Reason == order.ReasonCart && len(problems) > 0 ||
		slices.ContainsFunc(o.Problems, func(p cart.Problem) bool { return string(p.Code) == string(o.Reason) })
	if told {
		return problems
	}
	message, ok := reasons[o.Reason]
	if !ok {
		message = "The order failed. Nothing was charged."
	}
	return append([]view.CheckoutUserError{mishap(string(o.Reason), nil, message)}, problems...)
}

func mishap(code string, field []string, message string) view.CheckoutUserError {
	return view.CheckoutUserError{Code: &code, Field: field, Message: message}
}

func addressOf(in *gengql.MailingAddressInput) order.Address {
	return order.Address{
		FirstName: text(in.FirstName), LastName: text(in.LastName), Company: text(in.Company),
		Address1: text(in.Address1), Address2: text(in.Address2), City: text(in.City),
		Province: text(in.ProvinceCode), Zip: text(in.Zip), Country: in.CountryCode, Phone: text(in.Phone),
	}
}

// callOff cancels an order and shows what became of it.
func (r *Resolver) callOff(ctx context.Context, in gengql.OrderCancelInput) (*gengql.OrderCancelPayload, error) {
	p := &gengql.OrderCancelPayload{UserErrors: []view.OrderCancelUserError{}}
	refuse := func(code string, field []string, message string) (*gengql.OrderCancelPayload, error) {
		p.UserErrors = append(p.UserErrors, view.OrderCancelUserError{Code: &code, Field: field, Message: message})
		return p, nil
	}
	key, ok := gid.Parse(gid.Order, in.OrderID)
	if !ok {
		return refuse("ORDER_NOT_FOUND", []string{"input", "orderId"}, order.ErrNotFound.Message)
	}
	o, err := r.order.Cancel(ctx, caller(ctx), order.CancelInput{OrderID: key, AccessToken: text(in.AccessToken), Reason: text(in.Reason)})
	switch e := fault.Of(err); {
	case err == nil:
	case errors.Is(err, order.ErrNotFound):
		return refuse("ORDER_NOT_FOUND", []string{"input", "orderId"}, e.Message)
	case errors.Is(err, order.ErrTooLate):
		return refuse("TOO_LATE", []string{"input", "orderId"}, e.Message)
	case e.Kind == fault.Invalid:
		return refuse("INVALID", fieldOf(e, checkoutArgument), e.Message)
	default:
		return nil, err
	}
	p.Order = view.NewOrder(r.shop, &o).By(text(in.AccessToken))
	return p, nil
}
