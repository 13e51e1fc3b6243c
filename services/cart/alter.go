package cart

import (
	"context"
	"slices"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// A verdict is what a rule says of a change. With problems nothing is changed.
type verdict struct {
	problems []Problem
	warnings []Problem
	err      error // the caller may not; nothing is changed
}

// alter applies a rule to a draft of the cart and prices what came of it: one
// read of the document, one look at catalogue and stock (for what is in the
// cart and what may come into it), one write, if anything changed at all.
func (k *Keeper) alter(ctx context.Context, who identity.Caller, id string, incoming []string, rule func(draft *cartDoc, g goods) verdict) (Result, error) {
	key, err := keyOf(id)
	if err != nil {
		return Result{}, err
	}
	var v verdict
	var g goods
	now, first := k.now(), false
	doc, err := k.update(ctx, key, func(c *cartDoc) error {
		first = false
		if c.gone(now) {
			return ErrNotFound
		}
		var err error
		if g, err = k.look(ctx, with(c.variants(), incoming)); err != nil {
			return err
		}
		if c.Claim != nil {
			v = verdict{problems: []Problem{inCheckout()}}
			return docstore.Unchanged
		}
		draft := *c
		draft.Lines = slices.Clone(c.Lines)
		v = rule(&draft, g)
		if v.err != nil {
			return v.err
		}
		if len(v.problems) > 0 {
			return docstore.Unchanged
		}
		if draft.Buyer.CustomerID == "" {
			draft.Buyer.CustomerID = who.CustomerID
		}
		if draft.sameAs(c) {
			if c.touch(now) {
				return nil
			}
			return docstore.Unchanged
		}
		c.fill() // a cart of before carts were counted
		draft.Filled = c.Filled
		first = draft.fill()
		draft.remember(g)
		draft.UpdatedAt = now
		draft.touch(now)
		*c = draft
		return nil
	})
	if err != nil {
		return Result{}, err
	}
	if first {
		k.activity.Count(CountFilled, "")
	}
	cart, err := k.show(ctx, who, id, &doc, g, now)
	return Result{Cart: cart, Problems: v.problems, Warnings: v.warnings}, err
}

// with is the sorted ids and more of them, without repetition.
func with(sorted, more []string) []string {
	if len(more) == 0 {
		return sorted
	}
	sorted = append(sorted, more...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
