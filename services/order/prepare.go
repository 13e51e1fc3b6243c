package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"ordergraph/platform/fault"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/inventory"
)

// prepare claims the cart, which prices it once more, and reserves the goods.
// Both were announced by inserting the order, so neither needs a write before
// it; the write after them announces the payment and carries the quote.
func (r *run) prepare(ctx context.Context) error {
	d := &r.doc
	if r.over(d.CreatedAt, r.k.at.Prepare) {
		return r.giveUp(ctx, ReasonTimeout, one(cart.Code(ReasonTimeout), "The checkout took too long. Nothing was charged; please try again."))
	}

	quote, problems, err := r.claim(ctx)
	switch {
	case err != nil && passing(err):
		return fmt.Errorf("claim the cart: %w", err)
	case err != nil:
		return r.giveUp(ctx, ReasonCart, cartRefused(err))
	case len(problems) > 0:
		return r.giveUp(ctx, cartReason(problems), ofCheckout(problems))
	}

	lines := goods(quote)
	if len(lines) > 0 {
		r.reserves++
		if err := r.reserve(ctx, lines); err != nil {
			if passing(err) {
				return fmt.Errorf("reserve the goods: %w", err)
			}
			if r.reserves == 1 {
				r.reserves = 0 // all lines or none: the first answer being a no, nothing is held
			}
			return r.giveUp(ctx, ReasonOutOfStock, soldOut(quote, err))
		}
	}

	return r.write(ctx, unlessCalled, func(d *document) {
		now := r.k.now()
		d.Quote = &quote
		d.Payment.Captured = money.Of(0, quote.Cost.Total.Currency)
		d.Payment.Refunded = money.Of(0, quote.Cost.Total.Currency)
		d.enter(Reserved, now, "The goods are reserved.")
		if quote.Cost.Total.Minor > 0 {
			d.enter(Paying, now, "The payment was begun.")
			d.Saga.PayingSince = &now
		}
		d.Saga.Waits = 0
	})
}

func (r *run) claim(ctx context.Context) (cart.Quote, []cart.Problem, error) {
	ctx, cancel := r.call(ctx)
	defer cancel()
	return r.k.o.Cart.Claim(ctx, ourselves, cart.ClaimInput{
		CartID: r.doc.CartID, OrderID: r.doc.ID,
		Country: r.doc.ShipTo.Country, Province: r.doc.ShipTo.Province,
		Rate: r.doc.Rate, Email: r.doc.Email, ExpectTotal: r.doc.Expect,
	})
}

func (r *run) reserve(ctx context.Context, lines []inventory.Line) error {
	ctx, cancel := r.call(ctx)
	defer cancel()
	_, err := r.k.o.Inventory.Reserve(ctx, ourselves, r.doc.ID, lines)
	return err
}

// goods are what the quote takes from the stock, one line per SKU.
func goods(quote cart.Quote) []inventory.Line {
	var lines []inventory.Line
	for _, l := range quote.Lines {
		i := slices.IndexFunc(lines, func(have inventory.Line) bool { return have.SKU == l.Item.SKU })
		if i < 0 {
			lines = append(lines, inventory.Line{SKU: l.Item.SKU})
			i = len(lines) - 1
		}
		lines[i].Quantity += l.Quantity
	}
	return lines
}

// cartReason is the reason that the cart's problems amount to.
func cartReason(problems []cart.Problem) Reason {
	for _, p := range problems {
		if p.Code == cart.CodeOutOfStock || p.Code == cart.CodeNotEnoughStock {
			return ReasonOutOfStock
		}
	}
	return ReasonCart
}

// ofCheckout names the cart's fields as the input of a checkout does.
func ofCheckout(problems []cart.Problem) []cart.Problem {
	problems = copyProblems(problems)
	for i, p := range problems {
		if len(p.Field) != 1 {
			continue
		}
		switch p.Field[0] {
		case "country":
			problems[i].Field = at("shippingAddress", "country")
		case "province":
			problems[i].Field = at("shippingAddress", "province")
		case "expectedTotal":
			problems[i].Field = at("expectTotal")
		case "rate":
			problems[i].Field = at("shippingRate")
		}
	}
	return problems
}

func cartRefused(err error) []cart.Problem {
	e := fault.Of(err)
	code := cart.CodeInvalid
	if errors.Is(err, cart.ErrNotFound) {
		code = cart.CodeNotFound
	}
	return one(code, e.Message, "cartId")
}

// soldOut says of which line there is too little.
func soldOut(quote cart.Quote, err error) []cart.Problem {
	e := fault.Of(err)
	sku := e.Details["sku"]
	for i, l := range quote.Lines {
		if sku == "" || l.Item.SKU != sku {
			continue
		}
		path := []string{"lines", strconv.Itoa(i)}
		if n, err := strconv.ParseInt(e.Details["available"], 10, 64); err == nil && n > 0 {
			return one(cart.CodeNotEnoughStock, fmt.Sprintf("Only %d of %q are left.", n, l.Item.Title), path...)
		}
		return one(cart.CodeOutOfStock, fmt.Sprintf("%q is sold out.", l.Item.Title), path...)
	}
	return one(cart.CodeOutOfStock, "Something in your cart is sold out.")
}

// one problem, with the path of its field.
func one(code cart.Code, message string, field ...string) []cart.Problem {
	return []cart.Problem{{Code: code, Field: field, Message: message}}
}
