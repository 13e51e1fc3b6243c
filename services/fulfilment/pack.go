package fulfilment

import (
	"context"
	"fmt"
	"slices"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Pack notes what is in the parcel.
func (k *Keeper) Pack(ctx context.Context, who identity.Caller, id string, packed []Units) (Consignment, error) {
	_, c, err := k.change(ctx, who, id, func(_ *document, c *consignment) error {
		switch {
		case c.State == Picking && c.Picker != who.CustomerID:
			return ErrTaken
		case c.State != Picking && c.State != Packed:
			return unfit(c)
		}
		found, err := c.units("packed", packed)
		if err != nil {
			return err
		}
		news := c.State == Picking
		for i := range c.Lines {
			news = news || c.Lines[i].Packed != found[i]
			c.Lines[i].Packed = found[i]
		}
		if !news {
			return docstore.Unchanged
		}
		now := k.now()
		c.enter(Packed, now)
		c.Due = k.next(now)
		return nil
	})
	return c, err
}

// units lays out what was said of some SKUs along the lines; nil is all of
// each. It does not allow more than there is, and an SKU that is not there.
func (c *consignment) units(field string, said []Units) ([]int64, error) {
	units := make([]int64, len(c.Lines))
	if said == nil {
		for i, l := range c.Lines {
			units[i] = l.Quantity
		}
		return units, nil
	}
	for n, u := range said {
		at := func(name string) string { return fmt.Sprintf("%s.%d.%s", field, n, name) }
		i := slices.IndexFunc(c.Lines, func(l Line) bool { return l.SKU == u.SKU })
		switch {
		case i < 0:
			return nil, ErrInput.Field(at("sku")).Say("This SKU does not belong to the consignment.")
		case u.Quantity < 0 || u.Quantity > c.Lines[i].Quantity-units[i]:
			return nil, ErrInput.Field(at("quantity")).Say("There are %d units of it in the consignment.", c.Lines[i].Quantity)
		}
		units[i] += u.Quantity
	}
	return units, nil
}
