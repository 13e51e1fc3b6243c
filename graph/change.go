package graph

import (
	"context"
	"strings"

	"ordergraph/graph/gengql"
	"ordergraph/graph/gid"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/services/cart"
)

// nobody stands for an id that is malformed, where a list has to keep its
// places: no service knows it.
const nobody = "-"

// change makes one change of a cart and shows what became of it.
func (r *Resolver) change(ctx context.Context, id string, make func(key string) (cart.Result, error)) (*view.CartPayload, error) {
	key, ok := gid.Parse(gid.Cart, id)
	if !ok {
		return &view.CartPayload{UserErrors: []view.CartUserError{noCart}, Warnings: []view.CartWarning{}}, nil
	}
	result, err := make(key)
	return r.changed(ctx, result, err, nil)
}

var (
	codeNotFound = string(cart.CodeNotFound)
	noCart       = view.CartUserError{Code: &codeNotFound, Field: []string{"cartId"}, Message: cart.ErrNotFound.Message}
)

// changed shows the outcome of a change. What a buyer may meet are userErrors;
// argument is where the service's input stands in the mutation's.
func (r *Resolver) changed(ctx context.Context, result cart.Result, err error, argument []string) (*view.CartPayload, error) {
	p := &view.CartPayload{UserErrors: []view.CartUserError{}, Warnings: []view.CartWarning{}}
	if err != nil {
		switch e := fault.Of(err); e.Kind {
		case fault.NotFound:
			p.UserErrors = append(p.UserErrors, noCart)
		case fault.Invalid:
			code := string(cart.CodeInvalid)
			p.UserErrors = append(p.UserErrors, view.CartUserError{Code: &code, Field: fieldOf(e, argument), Message: e.Message})
		default:
			return nil, err
		}
		return p, nil
	}
	for _, problem := range result.Problems {
		code := string(problem.Code)
		p.UserErrors = append(p.UserErrors, view.CartUserError{Code: &code, Field: view.FieldPath(argument, problem.Field), Message: problem.Message})
	}
	if result.Cart.ID == "" {
		return p, nil
	}
	p.Cart = view.NewCart(r.shop, &result.Cart)
	for _, w := range result.Warnings {
		p.Warnings = append(p.Warnings, view.CartWarning{Code: warningCode(w.Code), Message: w.Message, Target: p.Cart.ID()})
	}
	return p, nil
}

func warningCode(c cart.Code) string {
	switch c {
	case cart.CodeNotEnoughStock:
		return "MERCHANDISE_NOT_ENOUGH_STOCK"
	case cart.CodeOutOfStock:
		return "MERCHANDISE_OUT_OF_STOCK"
	case cart.CodeDiscount, cart.CodeDiscountUsedUp:
		return "DISCOUNT_CODE_NOT_HONOURED"
	}
	return "CART_CHANGED"
}

// fieldOf is the path that an error names, in the schema's names.
func fieldOf(e *fault.Error, argument []string) []string {
	if e.Details["field"] == "" {
		return nil
	}
	return view.FieldPath(argument, strings.Split(e.Details["field"], "."))
}

func newLines(in []gengql.CartLineInput) []cart.LineInput {
	lines := make([]cart.LineInput, len(in))
	for i, l := range in {
		lines[i] = cart.LineInput{VariantID: keyOr(gid.Variant, l.MerchandiseID), Quantity: 1, Attributes: l.Attributes}
		if l.Quantity != nil {
			lines[i].Quantity = int64(*l.Quantity)
		}
	}
	return lines
}

func lineUpdates(in []gengql.CartLineUpdateInput) []cart.LineUpdate {
	updates := make([]cart.LineUpdate, len(in))
	for i, l := range in {
		u := cart.LineUpdate{ID: keyOr(gid.CartLine, l.ID)}
		if l.MerchandiseID != nil {
			variant := keyOr(gid.Variant, *l.MerchandiseID)
			u.VariantID = &variant
		}
		if l.Quantity != nil {
			quantity := int64(*l.Quantity)
			u.Quantity = &quantity
		}
		if l.Attributes != nil {
			u.Attributes = &l.Attributes
		}
		updates[i] = u
	}
	return updates
}

func keyOr(kind, id string) string {
	if key, ok := gid.Parse(kind, id); ok {
		return key
	}
	return nobody
}

func buyer(in *gengql.CartBuyerIdentityInput, country string) cart.Buyer {
	b := cart.Buyer{Country: country}
	if in != nil {
		b.Email, b.Phone = text(in.Email), text(in.Phone)
		if in.CountryCode != nil {
			b.Country = *in.CountryCode
		}
	}
	return b
}
