package cart

import (
	"context"
	"errors"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

// sweepEvery is how often Run sweeps.
const sweepEvery = time.Minute

// sweepFor is how long a sweep may take; the next one goes on where it ended.
const sweepFor = 5 * time.Minute

// settleAfter is how old a hold on a code is before the sweep asks what has
// become of its order. Asking earlier would be right as well, only vain.
const settleAfter = time.Minute

// Run sweeps and listens until the context ends. It returns the context's error.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{{Name: "cart's sweep", Every: sweepEvery, Run: k.sweep}}
	if k.bus != nil {
		parts = append(parts, work.Part{Name: "cart's ears", Run: k.listen})
	}
	work.Keep(ctx, k.log, parts...)
	return ctx.Err()
}

// sweep sweeps for as long as one sweep may take.
func (k *Keeper) sweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepFor)
	defer cancel()
	swept, err := k.Sweep(ctx)
	if err == nil && swept != (Swept{}) {
		k.log.InfoContext(ctx, "carts swept", "expired", swept.Expired, "codes_released", swept.Released, "merges_finished", swept.Merged)
	}
	return err
}

// Swept is what a sweep did.
type Swept struct {
	Expired  int // carts deleted
	Released int // uses of codes given back for orders that never came about
	Merged   int // guests' carts brought to their end
}

// Sweep deletes carts that nobody has touched for KeepFor, unless an order
// has them, puts the use of discount codes right where a process died in the
// midst of a claim, and finishes merges. It may run in several processes at once.
func (k *Keeper) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	now := k.now()
	// The codes come first: what a completed cart says of its codes is still
	// needed, and is deleted long after they have been settled here.
	aged := docstore.Query{Index: "held", Until: now.Add(-settleAfter)}
	for d, err := range k.discounts.All(ctx, aged) {
		if err != nil {
			return s, err
		}
		n, err := k.reconcile(ctx, d.ID)
		s.Released += n
		if err != nil {
			return s, err
		}
	}
	for c, err := range k.carts.All(ctx, docstore.Query{Index: indexMerging, Until: now.Add(-settleAfter)}) {
		if err != nil {
			return s, err
		}
		if _, err := k.finishMerge(ctx, &c); err != nil && !errors.Is(err, ErrNotFound) {
			return s, err
		}
		s.Merged++
	}
	for c, err := range k.carts.All(ctx, docstore.Query{Index: "expires", Until: now, Limit: 200}) {
		if err != nil {
			return s, err
		}
		deleted, err := k.expire(ctx, c.ID, now)
		if err != nil {
			return s, err
		}
		if deleted {
			s.Expired++
		}
	}
	return s, nil
}

var errKept = errors.New("cart: touched meanwhile")

func (k *Keeper) expire(ctx context.Context, id string, now time.Time) (deleted bool, err error) {
	err = k.carts.Delete(ctx, id, func(c *cartDoc) error {
		if !c.isExpired(now) || c.Claim != nil && c.Claim.State != completed {
			return errKept
		}
		return nil
	})
	if errors.Is(err, errKept) {
		return false, nil
	}
	return err == nil, err
}
