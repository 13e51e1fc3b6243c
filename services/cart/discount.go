package cart

import (
	"context"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
)

// PutDiscount leaves the count of orders that used the code as it is, and
// orders on their way keep the terms they were quoted. ErrInput names the field.
func (k *Keeper) PutDiscount(ctx context.Context, who identity.Caller, d Discount) (Discount, error) {
	if !who.May(identity.DiscountsWrite) {
		return Discount{}, ErrForbidden
	}
	d, err := k.checkDiscount(d)
	if err != nil {
		return Discount{}, err
	}
	doc, err := k.discounts.Upsert(ctx, d.Code, func(doc *discountDoc) error {
		if doc.Version > 0 && doc.Discount == d {
			return docstore.Unchanged
		}
		doc.Discount = d
		return nil
	})
	if err != nil {
		return Discount{}, err
	}
	return doc.public(), nil
}

// checkDiscount tidies a discount, or names the field that is wrong.
func (k *Keeper) checkDiscount(d Discount) (Discount, error) {
	bad := func(field, format string, args ...any) (Discount, error) {
		return Discount{}, ErrInput.Field(field).Say(format, args...)
	}
	d.Code = strings.ToUpper(strings.TrimSpace(d.Code))
	d.Used = 0
	d.StartsAt, d.EndsAt = d.StartsAt.UTC().Truncate(time.Millisecond), d.EndsAt.UTC().Truncate(time.Millisecond)
	if !isCode(d.Code) {
		return bad("code", "A discount code has 1 to %d letters, digits, - and _.", MaxCodeLength)
	}
	switch d.Kind {
	case Percentage:
		if d.BasisPoints < 1 || d.BasisPoints > 10_000 {
			return bad("basisPoints", "A percentage is from 1 to 10000 basis points.")
		}
		d.Amount = money.Amount{}
	case Fixed:
		if d.Amount.Currency != k.rules.Currency {
			return bad("amount", "The amount must be in %s.", k.rules.Currency)
		}
		if d.Amount.Minor < 1 || d.Amount.Minor > maxPrice {
			return bad("amount", "The amount must be more than zero, and not absurdly much.")
		}
		d.BasisPoints = 0
	case FreeShipping:
		d.BasisPoints, d.Amount = 0, money.Amount{}
	default:
		return bad("kind", "There is no such kind of discount.")
	}
	switch {
	case d.Minimum.Minor == 0:
		d.Minimum = money.Amount{}
	case d.Minimum.Currency != k.rules.Currency:
		return bad("minimum", "The minimum must be in %s.", k.rules.Currency)
	case d.Minimum.Minor < 0 || d.Minimum.Minor > maxPrice:
		return bad("minimum", "The minimum must not be negative, nor absurdly much.")
	}
	if !d.EndsAt.IsZero() && !d.EndsAt.After(d.StartsAt) {
		return bad("endsAt", "A discount must end after it starts.")
	}
	if d.UsageLimit < 0 {
		return bad("usageLimit", "The usage limit must not be negative.")
	}
	return d, nil
}

// maxDiscountPage is the most discounts in one page.
const maxDiscountPage = 250

// Discounts lists them by code, at most maxDiscountPage at once; 0 means 100.
func (k *Keeper) Discounts(ctx context.Context, who identity.Caller, after string, limit int) (DiscountPage, error) {
	if !who.May(identity.DiscountsRead) {
		return DiscountPage{}, ErrForbidden
	}
	if limit < 0 || limit > maxDiscountPage {
		return DiscountPage{}, ErrInput.Field("limit").Say("A page has at most %d discounts.", maxDiscountPage)
	}
	page, err := k.discounts.Find(ctx, docstore.Query{After: docstore.Cursor(after), Limit: limit})
	if err != nil {
		return DiscountPage{}, err
	}
	out := DiscountPage{Next: string(page.Next)}
	for i := range page.Items {
		out.Discounts = append(out.Discounts, page.Items[i].public())
	}
	return out, nil
}

// DemoDiscounts are codes for a shop to try out, in its currency.
func DemoDiscounts(currency string) []Discount {
	unit := roundUnit(currency) * 10
	return []Discount{
		{Code: "WELCOME10", Kind: Percentage, BasisPoints: 1_000},
		{Code: "ONCE20", Kind: Percentage, BasisPoints: 2_000, OncePerCustomer: true},
		{Code: "SAVE5", Kind: Fixed, Amount: money.Of(5*unit, currency), Minimum: money.Of(25*unit, currency)},
		{Code: "FREESHIP", Kind: FreeShipping},
		{Code: "FIRST100", Kind: Percentage, BasisPoints: 1_500, UsageLimit: 100},
	}
}
