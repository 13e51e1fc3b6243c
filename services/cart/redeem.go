package cart

import (
	"context"
	"errors"
	"slices"

	"ordergraph/platform/docstore"
)

// spentError says that a code has been used as often as it may be.
type spentError struct{ reason string }

func (e *spentError) Error() string { return "discount code: " + e.reason }

// redeem holds one use of a code for an order, at most once per claim. Before
// it answers that the code is used up, it looks whether holds that belong to
// nobody are in the way.
func (k *Keeper) redeem(ctx context.Context, u use, h hold) error {
	err := k.hold(ctx, u.Code, h)
	var spent *spentError
	if !errors.As(err, &spent) {
		return err
	}
	dropped, reconcileErr := k.reconcile(ctx, u.Code)
	if reconcileErr != nil {
		return reconcileErr
	}
	if dropped == 0 {
		return err
	}
	return k.hold(ctx, u.Code, h)
}

func (k *Keeper) hold(ctx context.Context, code string, h hold) error {
	_, err := k.codes.Update(ctx, code, func(d *discountDoc) error {
		if d.holdOf(h.Order, h.Token) >= 0 {
			return docstore.Unchanged
		}
		// A redemption is written before its hold is taken away. Read after
		// the discount, it cannot be missed: either the hold is still there,
		// or the redemption is there already, or the swap fails.
		_, err := k.redemptions.Get(ctx, redemptionID(code, h.Order))
		if err == nil {
			return docstore.Unchanged
		} else if !errors.Is(err, docstore.ErrNotFound) {
			return err
		}
		if limit := d.Discount.UsageLimit; limit > 0 && d.used() >= limit {
			return &spentError{"This code has been used up."}
		}
		if h.Customer != "" {
			used, err := k.usedBy(ctx, d, h.Customer)
			if err != nil {
				return err
			}
			if used {
				return &spentError{"You have used this code before."}
			}
		}
		if len(d.Held) >= maxHeld {
			return ErrBusy
		}
		d.setHeld(append(d.Held, h))
		return nil
	})
	return err
}

// releaseAll gives back what an order held under a claim's token. Repeating
// it is harmless.
func (k *Keeper) releaseAll(ctx context.Context, order, token string, uses []use) error {
	for _, u := range uses {
		if err := k.release(ctx, u.Code, func(h hold) bool { return h.Order == order && h.Token == token }); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) release(ctx context.Context, code string, which func(hold) bool) error {
	_, err := k.codes.Update(ctx, code, func(d *discountDoc) error {
		kept := slices.DeleteFunc(slices.Clone(d.Held), which)
		if len(kept) == len(d.Held) {
			return docstore.Unchanged
		}
		d.setHeld(kept)
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	return err
}

// settleAll counts the uses of a completed claim for good. Repeating it is
// harmless.
func (k *Keeper) settleAll(ctx context.Context, claim *claimDoc) error {
	for _, u := range claim.Uses {
		if err := k.settle(ctx, u.Code, claim.Order, claim.Token); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) settle(ctx context.Context, code, order, token string) error {
	d, err := k.discounts.Get(ctx, code)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	i := d.holdOf(order, token)
	if i < 0 {
		return nil // settled before
	}
	err = k.redemptions.Insert(ctx, &redemptionDoc{
		Meta: docstore.Meta{ID: redemptionID(code, order)}, Code: code, Customer: d.Held[i].Customer, At: k.now(),
	})
	if err != nil && !errors.Is(err, docstore.ErrExists) {
		return err
	}
	_, err = k.codes.Update(ctx, code, func(d *discountDoc) error {
		i := d.holdOf(order, token)
		if i < 0 {
			return docstore.Unchanged
		}
		d.setHeld(slices.Delete(slices.Clone(d.Held), i, i+1))
		d.Settled++
		return nil
	})
	return err
}

// reconcile ends the holds of a code whose claims have ended: those of
// completed carts are settled, those that belong to no claim are dropped. It
// is right at any time, see Claim. It returns how many it dropped.
func (k *Keeper) reconcile(ctx context.Context, code string) (dropped int, err error) {
	d, err := k.discounts.Get(ctx, code)
	if err != nil {
		return 0, err
	}
	type name struct{ order, token string }
	orphans := map[name]bool{}
	for some := range slices.Chunk(d.Held, 200) {
		keys := make([]string, len(some))
		for i, h := range some {
			keys[i] = h.Cart
		}
		carts, err := k.carts.GetMany(ctx, keys)
		if err != nil {
			return 0, err
		}
		for _, h := range some {
			c := carts[h.Cart]
			switch {
			case c.Claim == nil || c.Claim.Token != h.Token:
				orphans[name{h.Order, h.Token}] = true
			case c.Claim.State == completed:
				if err := k.settle(ctx, code, h.Order, h.Token); err != nil {
					return 0, err
				}
			}
		}
	}
	if len(orphans) == 0 {
		return 0, nil
	}
	return len(orphans), k.release(ctx, code, func(h hold) bool { return orphans[name{h.Order, h.Token}] })
}
