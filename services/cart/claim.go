package cart

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Claim goes in steps, each one write, and may be repeated after any of them:
//
//  1. The cart is marked as the order's, with the quote and a token that
//     names this claim among all others. Without codes, that is all.
//  2. Each code is held for the order, under the token.
//  3. The claim is made to stand.
//
// Should a code turn out used up, the mark is taken off first and what was
// held under its token after. So a hold whose token is no longer on its cart
// belongs to nobody, now and for ever, and whoever finds it may drop it
// (reconcile). That is what keeps the counts exact when a process dies
// between two steps, or wakes up long after another has gone on for it.
func (k *Keeper) Claim(ctx context.Context, who identity.Caller, in ClaimInput) (Quote, []Problem, error) {
	if !who.Is(identity.System) {
		return Quote{}, nil, ErrForbidden
	}
	if err := checkOrderID(in.OrderID); err != nil {
		return Quote{}, nil, err
	}
	key, err := keyOf(in.CartID)
	if err != nil {
		return Quote{}, []Problem{noCart()}, nil
	}
	in.Country, in.Province = tidyCountry(in.Country), tidyCountry(in.Province)
	in.Email = strings.TrimSpace(in.Email)
	problems := slices.Concat(
		checkCountry(in.Country, path("country")),
		checkText("The province", in.Province, 64, false, path("province")),
		checkEmail(in.Email, path("email")),
	)
	if len(problems) > 0 {
		return Quote{}, problems, nil
	}
	for range 5 { // a claim that was given up under our hands is made anew
		home, claim, problems, err := k.mark(ctx, key, in)
		if err != nil || len(problems) > 0 {
			return Quote{}, problems, err
		}
		stands, problems, err := k.redeemAll(ctx, home, claim)
		if err != nil || len(problems) > 0 {
			return Quote{}, problems, err
		}
		if stands {
			claim.Quote.CartID = in.CartID
			return claim.Quote, nil, nil
		}
	}
	return Quote{}, nil, docstore.ErrContended
}

// mark takes step 1, or finds that it was taken. home is the key of the cart
// that the key leads to.
func (k *Keeper) mark(ctx context.Context, key string, in ClaimInput) (home string, _ claimDoc, _ []Problem, _ error) {
	var problems []Problem
	now := k.now()
	doc, err := k.update(ctx, key, func(c *cartDoc) error {
		problems = nil
		switch {
		case c.claimedBy(in.OrderID):
			return docstore.Unchanged
		case c.refused(in.OrderID) != nil:
			return ErrUnclaimed
		case c.isCompleted():
			problems = []Problem{problem(CodeCompleted, path("cartId"), "An order was made of this cart already.")}
		case c.isExpired(now):
			problems = []Problem{noCart()}
		case c.Claim != nil:
			problems = []Problem{problem(CodeClaimed, path("cartId"), "Another order is being made of this cart.")}
		}
		if len(problems) > 0 {
			return docstore.Unchanged
		}
		claim, unfit, err := k.quote(ctx, c, in, now)
		if err != nil {
			return err
		}
		if problems = unfit; len(problems) > 0 {
			return docstore.Unchanged
		}
		c.Claim, c.Expires = &claim, nil
		return nil
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return "", claimDoc{}, []Problem{noCart()}, nil
	case err != nil || len(problems) > 0:
		return "", claimDoc{}, problems, err
	}
	return doc.ID, *doc.Claim, nil, nil
}

func noCart() Problem { return problem(CodeNotFound, path("cartId"), "There is no such cart.") }

// quote prices the cart for an order, or says why there can be none.
func (k *Keeper) quote(ctx context.Context, c *cartDoc, in ClaimInput, now time.Time) (claim claimDoc, problems []Problem, err error) {
	if len(c.Lines) == 0 {
		return claim, []Problem{problem(CodeEmpty, path("cartId"), "There is nothing in the cart.")}, nil
	}
	g, err := k.look(ctx, c.variants())
	if err != nil {
		return claim, nil, err
	}
	promised := map[string]int64{} // by SKU
	for i, l := range c.Lines {
		v, sold := g.sold(l.VariantID, k.rules.Currency)
		if !sold {
			problems = append(problems, problem(CodeUnknownMerchandise, path("lines", i), "%s is not sold any more. Please take it out of the cart.", g.name(l)))
			continue
		}
		sku := v.Variant.SKU
		room := g.available(sku) - promised[sku]
		promised[sku] += l.Quantity
		switch {
		case room < 1:
			problems = append(problems, outOfStock(g, l, path("lines", i)))
		case l.Quantity > room:
			problems = append(problems, notEnough(g, l, room, path("lines", i, "quantity")))
		}
	}
	if len(problems) > 0 {
		return claim, problems, nil
	}

	codes, err := k.entered(ctx, c, in.Email)
	if err != nil {
		return claim, nil, err
	}
	if in.Country == "" {
		in.Country = k.countryOf(c.Buyer.Country)
	}
	p := k.rules.price(basket{
		Lines: k.wares(c, g), Codes: codes, Country: in.Country, Province: in.Province,
		Rate: in.Rate, Choose: true, Now: now,
	})
	switch {
	case p.Ships && len(p.Rates) == 0:
		problems = append(problems, problem(CodeShippingUnavailable, path("country"), "This cannot be shipped there."))
	case p.Ships && p.Rate == nil:
		problems = append(problems, problem(CodeShippingUnavailable, path("rate"), "This way of shipping is not offered."))
	}
	for i, e := range codes {
		switch {
		case p.Spent[i]:
			problems = append(problems, usedUp(e.Code, p.Codes[i].Reason, i))
		case p.Codes[i].Applicable && e.Discount.OncePerCustomer && in.Email == "":
			problems = append(problems, problem(CodeInvalid, path("email"), "The discount code %s needs an e-mail address.", e.Code))
		case p.Codes[i].Applicable:
			u := use{Code: e.Code}
			if e.Discount.OncePerCustomer {
				u.Customer = customerHash(e.Code, in.Email)
			}
			claim.Uses = append(claim.Uses, u)
		}
	}
	if in.ExpectTotal != nil && *in.ExpectTotal != p.Cost.Total {
		problems = append(problems, problem(CodeInvalid, path("expectedTotal"), "The total is %s now.", p.Cost.Total))
	}
	if len(problems) > 0 {
		return claim, problems, nil
	}
	// Two orders that want the same codes ask for them in the same order, so
	// that one of them gets both.
	slices.SortFunc(claim.Uses, func(a, b use) int { return strings.Compare(a.Code, b.Code) })
	claim.Order, claim.Token, claim.State, claim.At = in.OrderID, rand.Text()[:16], held, now
	if len(claim.Uses) > 0 {
		claim.State = redeeming
	}
	claim.Quote = Quote{
		Lines: k.lines(c, g, p), Codes: p.Codes, Rate: p.Rate, ShippingTax: p.ShippingTax, ShippingTaxRate: p.ShippingTaxRate,
		Cost: p.Cost, Note: c.Note, Attributes: slices.Clone(c.Attributes), Buyer: c.Buyer,
	}
	return claim, nil, nil
}

func usedUp(code, reason string, i int) Problem {
	return problem(CodeDiscountUsedUp, path("discountCodes", i), "%s: %s", code, reason)
}

// redeemAll takes steps 2 and 3. It reports whether the claim stands; where
// it does not, and there is no problem either, somebody else has ended it.
func (k *Keeper) redeemAll(ctx context.Context, key string, claim claimDoc) (stands bool, problems []Problem, err error) {
	if claim.State != redeeming {
		return true, nil, nil
	}
	for _, u := range claim.Uses {
		err := k.redeem(ctx, u, hold{Order: claim.Order, Cart: key, Token: claim.Token, Customer: u.Customer, At: k.now()})
		var refused *spentError
		if errors.As(err, &refused) {
			return k.withdraw(ctx, key, claim, u.Code, refused.reason)
		}
		if err != nil {
			return false, nil, err
		}
	}
	doc, err := k.carts.Update(ctx, key, func(c *cartDoc) error {
		if c.Claim == nil || c.Claim.Token != claim.Token || c.Claim.State != redeeming {
			return docstore.Unchanged
		}
		c.Claim.State = held
		return nil
	})
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return false, nil, err
	}
	if err == nil && doc.Claim != nil && doc.Claim.Token == claim.Token {
		return true, nil, nil
	}
	return false, nil, k.releaseAll(ctx, claim.Order, claim.Token, claim.Uses)
}

// withdraw takes the mark off again because a code is used up, unless the
// claim has come to stand meanwhile.
func (k *Keeper) withdraw(ctx context.Context, key string, claim claimDoc, code, reason string) (stands bool, problems []Problem, err error) {
	doc, err := k.carts.Update(ctx, key, func(c *cartDoc) error {
		if c.Claim == nil || c.Claim.Token != claim.Token || c.Claim.State != redeeming {
			return docstore.Unchanged
		}
		c.Claim = nil
		c.touch(k.now())
		return nil
	})
	if err != nil {
		return false, nil, orNotFound(err)
	}
	if doc.Claim != nil && doc.Claim.Token == claim.Token {
		return true, nil, nil
	}
	if err := k.releaseAll(ctx, claim.Order, claim.Token, claim.Uses); err != nil {
		return false, nil, err
	}
	return false, []Problem{usedUp(code, reason, max(0, slices.Index(doc.Codes, code)))}, nil
}

// Unclaim remembers the order with the cart and takes its mark off in one
// write; what the order held of codes is given back after, and by the sweep
// should this process die in between.
func (k *Keeper) Unclaim(ctx context.Context, who identity.Caller, cartID, orderID string) error {
	if !who.Is(identity.System) {
		return ErrForbidden
	}
	if err := checkOrderID(orderID); err != nil {
		return err
	}
	key, err := keyOf(cartID)
	if err != nil {
		return nil // never was a cart, never will be
	}
	now := k.now()
	doc, err := k.update(ctx, key, func(c *cartDoc) error {
		switch {
		case c.refused(orderID) != nil, c.isCompleted() && !c.claimedBy(orderID):
			return docstore.Unchanged
		case c.isCompleted():
			return ErrCompleted
		}
		r := refusal{Order: orderID, At: now}
		if c.claimedBy(orderID) {
			r.Token, r.Uses = c.Claim.Token, c.Claim.Uses
			c.Claim = nil
			c.touch(now)
		}
		c.refuse(r)
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r := doc.refused(orderID); r != nil {
		return k.releaseAll(ctx, orderID, r.Token, r.Uses)
	}
	return nil
}

// Complete ends the cart in one write, which also forgets what the buyer wrote
// into it; the use of codes is settled after, and by the sweep should this
// process die in between.
func (k *Keeper) Complete(ctx context.Context, who identity.Caller, cartID, orderID string) error {
	if !who.Is(identity.System) {
		return ErrForbidden
	}
	if err := checkOrderID(orderID); err != nil {
		return err
	}
	key, err := keyOf(cartID)
	if err != nil {
		return ErrNotFound
	}
	doc, err := k.update(ctx, key, func(c *cartDoc) error {
		switch {
		case !c.claimedBy(orderID), c.Claim.State == redeeming:
			return ErrUnclaimed
		case c.isCompleted():
			return docstore.Unchanged
		}
		until := k.now().Add(keepCompleted)
		c.Claim.State, c.Expires = completed, &until
		c.Lines, c.Codes, c.Note, c.Attributes, c.Buyer, c.Refused = nil, nil, "", nil, Buyer{}, nil
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil // completed so long ago that it is forgotten
	}
	if err != nil {
		return err
	}
	return k.settleAll(ctx, doc.Claim)
}
