package fulfilment

import (
	"context"
	"errors"
	"slices"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// Return takes a parcel back. Its goods are added to the stock on hand by
// keyed changes and not by inventory.Restock, which knows whole orders only:
// so what was sold stays sold, and what came back counts as received.
func (k *Keeper) Return(ctx context.Context, who identity.Caller, id string, restock []Units) (Consignment, error) {
	d, c, err := k.change(ctx, who, id, func(d *document, c *consignment) error {
		switch c.State {
		case Returned:
			return docstore.Unchanged
		case Shipped, Delivered, FailedDelivery:
		default:
			return unfit(c)
		}
		back, err := c.units("restock", restock)
		if err != nil {
			return err
		}
		for i, l := range c.Lines {
			switch left := l.Quantity - l.Returned; {
			case restock == nil:
				back[i] = left
			case back[i] > left:
				return ErrInput.Field("restock").Say("Of %s, %d units were put on the shelf before.", l.SKU, l.Returned)
			}
		}
		now := k.now()
		c.enter(Returned, now)
		for i := range c.Lines {
			l := &c.Lines[i]
			l.Returned += back[i]
			d.owe(now, correction{Key: "return:" + id + ":" + l.SKU, SKU: l.SKU, Warehouse: c.Warehouse, Delta: back[i], Reason: "returned"})
		}
		return nil
	})
	if err != nil {
		return Consignment{}, err
	}
	if len(d.Owed) > 0 {
		ctx = context.WithoutCancel(ctx)
		k.try(ctx, "correct the stock", d.ID, func() error { return k.correct(ctx, d.ID) })
	}
	return c, nil
}

// TakeBack spreads the units over the consignments that have left.
func (k *Keeper) TakeBack(ctx context.Context, who identity.Caller, orderID, key string, units []inventory.Line) error {
	switch {
	case !who.Is(identity.System):
		return ErrForbidden
	case key == "" || len(key) > 64:
		return ErrInput.Field("key").Say("A key has 1 to 64 bytes.")
	}
	d, err := k.write(ctx, orderID, func(d *document) error {
		if slices.Contains(d.Taken, key) {
			return docstore.Unchanged
		}
		now := k.now()
		d.Taken = append(d.Taken, key)
		// An order may have several lines of one SKU. Each correction has a key
		// of its own, so those of an SKU are made as one.
		back := map[string]int64{}
		for _, u := range units {
			back[u.SKU] += u.Quantity
		}
		for sku, left := range back {
			for i := range d.Parts {
				c := &d.Parts[i]
				if c.State != Shipped && c.State != Delivered && c.State != FailedDelivery && c.State != Returned {
					continue
				}
				for j := range c.Lines {
					l := &c.Lines[j]
					n := min(left, l.Quantity-l.Returned)
					if l.SKU != sku || n <= 0 {
						continue
					}
					l.Returned += n
					left -= n
					c.UpdatedAt = now
					d.owe(now, correction{Key: "back:" + idOf(orderID, c.N) + ":" + key + ":" + l.SKU, SKU: l.SKU, Warehouse: c.Warehouse, Delta: n, Reason: "returned"})
				}
			}
		}
		return nil
	})
	if err == nil && len(d.Owed) > 0 {
		k.try(ctx, "correct the stock", orderID, func() error { return k.correct(ctx, orderID) })
	}
	return err
}

// callOff ends the consignments. The goods go back with the order's
// reservation; only what was not found when it was picked is taken off again.
func (k *Keeper) callOff(ctx context.Context, orderID string) error {
	d, err := k.written(k.docs.Upsert(ctx, orderID, k.ruled(func(d *document) error {
		if d.CalledOff {
			return docstore.Unchanged
		}
		now := k.now()
		for i := range d.Parts {
			c := &d.Parts[i]
			if c.State.gone() {
				return order.ErrTooLate
			}
			if c.State == Packed {
				d.owe(now, d.shortfall(c)...)
			}
			c.enter(Cancelled, now)
		}
		d.CalledOff = true
		if d.CreatedAt.IsZero() {
			d.CreatedAt = now
		}
		return nil
	})))
	if err == nil && len(d.Owed) > 0 {
		k.try(ctx, "correct the stock", orderID, func() error { return k.correct(ctx, orderID) })
	}
	return err
}

// correct has the inventory take what is owed to it. A shelf that has less
// than is missing is corrected when goods come in; until then it stays owed.
func (k *Keeper) correct(ctx context.Context, orderID string) error {
	d, err := k.docs.Get(ctx, orderID)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	var errs []error
	for _, c := range d.Owed {
		call, cancel := k.call(ctx)
		_, err := k.o.Inventory.Adjust(call, ourselves, []inventory.Change{c.change()})
		cancel()
		switch {
		case err == nil:
			taken[c.Key] = true
		case errors.Is(err, inventory.ErrNegative):
		case fault.KindOf(err) == fault.NotFound, fault.KindOf(err) == fault.Invalid:
			k.o.Log.ErrorContext(ctx, "the stock cannot be corrected; it is tried again", "order", orderID, "sku", c.SKU, "delta", c.Delta, "error", err)
		default:
			errs = append(errs, err)
		}
	}
	_, err = k.write(ctx, orderID, func(d *document) error {
		var left []correction
		for _, c := range d.Owed {
			if !taken[c.Key] {
				left = append(left, c)
			}
		}
		d.Owed = left
		d.OwedDue, d.OwedTries = k.later(k.now(), d.OwedTries), d.OwedTries+1
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// mayAudit is who may.
func mayAudit(who identity.Caller) bool { return who.May(identity.OperationsRead) }
