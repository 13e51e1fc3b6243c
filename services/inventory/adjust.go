package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

const adjustAtOnce = 32 // SKUs

// Adjust applies changes to the stock on hand, each at most once by its key.
func (k *Keeper) Adjust(ctx context.Context, who identity.Caller, changes []Change) ([]Stock, error) {
	if !who.May(identity.StockWrite) {
		return nil, ErrForbidden
	}
	if len(changes) > MaxChanges {
		return nil, ErrInput.Say("%d changes are too many for one call; send at most %d.", len(changes), MaxChanges).Field("changes")
	}
	_, known, err := k.allPlaces(ctx)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(changes, func(c Change) bool { _, ok := known[c.Warehouse]; return !ok }) {
		k.forgetPlaces() // another process may have added it just now
		if _, known, err = k.allPlaces(ctx); err != nil {
			return nil, err
		}
	}
	var order []string
	bySKU := map[string][]int{}
	for i, c := range changes {
		if err := c.check(i, known); err != nil {
			return nil, err
		}
		if bySKU[c.SKU] == nil {
			order = append(order, c.SKU)
		}
		bySKU[c.SKU] = append(bySKU[c.SKU], i)
	}
	stocks := make([]Stock, len(changes))
	refused := make([]error, len(changes))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(adjustAtOnce)
	for _, sku := range order {
		group.Go(func() error {
			var doc stockDoc
			err := work.Safely(func() (err error) {
				doc, err = k.adjustOne(ctx, sku, bySKU[sku], changes, refused)
				return err
			})
			if err != nil {
				return fmt.Errorf("adjust %s: %w", sku, err)
			}
			for _, i := range bySKU[sku] {
				stocks[i] = doc.show()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return stocks, errors.Join(refused...)
}

// errForgotten is a memory of keys that has moved on since it was looked at.
var errForgotten = errors.New("other changes came between")

// adjustOne makes the changes of one SKU, which stand at these places of
// changes, in one write.
func (k *Keeper) adjustOne(ctx context.Context, sku string, places []int, changes []Change, refused []error) (stockDoc, error) {
	for {
		made, seq, err := k.madeLongAgo(ctx, sku, places, changes)
		if err != nil {
			return stockDoc{}, err
		}
		doc, err := k.change(ctx, sku, true, func(d *stockDoc) error {
			if d.Seq >= seq+memoryLength {
				return errForgotten
			}
			news, now := false, map[string]bool{}
			for _, i := range places {
				c := changes[i]
				if refused[i] = nil; made[c.Key] || now[c.Key] || d.Keys.has(c.Key) {
					continue
				}
				if refused[i] = d.adjust(c, k.now()); refused[i] != nil {
					refused[i] = fmt.Errorf("change %d: %w", i, ErrNegative.With("sku", sku).With("warehouse", c.Warehouse).Field(fmt.Sprintf("changes.%d", i)))
					continue
				}
				news, now[c.Key] = true, true
			}
			if !news {
				return docstore.Unchanged
			}
			return nil
		})
		if !errors.Is(err, errForgotten) {
			return doc, err
		}
	}
}

// madeLongAgo finds those changes that were made before the latest ones, which
// the stock remembers by itself: their movements carry their keys. It returns
// the number of the movement up to which it has looked.
func (k *Keeper) madeLongAgo(ctx context.Context, sku string, places []int, changes []Change) (map[string]bool, int64, error) {
	doc, err := k.stock.Get(ctx, sku)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil || !doc.Keys.full() {
		return nil, doc.Seq, err
	}
	made := map[string]bool{}
	for _, m := range doc.Tail {
		made[m.Key] = true
	}
	for _, i := range places {
		key := changes[i].Key
		if made[key] || doc.Keys.has(key) {
			continue
		}
		page, err := k.movements.Find(ctx, docstore.Query{Index: "key", Equal: []any{sku, key}, Limit: 1})
		if err != nil {
			return nil, 0, err
		}
		if len(page.Items) > 0 {
			made[key] = true
		}
	}
	return made, doc.Seq, nil
}

func (c Change) check(i int, known map[string]int) error {
	field := func(name string) string { return fmt.Sprintf("changes.%d.%s", i, name) }
	switch {
	case c.Key == "" || len(c.Key) > 512:
		return ErrInput.Say("A change has a key of 1 to 512 bytes.").Field(field("key"))
	case !IsSKU(c.SKU):
		return ErrInput.Say("A SKU is 1 to 255 printable characters.").Field(field("sku"))
	case c.Set != nil && (*c.Set < 0 || *c.Set > MaxQuantity*1000):
		return ErrInput.Say("Units on hand are from 0 to %d.", MaxQuantity*1000).Field(field("set"))
	case c.Set == nil && (c.Delta < -MaxQuantity || c.Delta > MaxQuantity):
		return ErrInput.Say("A change is of at most %d units.", MaxQuantity).Field(field("delta"))
	case len(c.Reason) > 200:
		return ErrInput.Say("A reason has at most 200 bytes.").Field(field("reason"))
	}
	if _, ok := known[c.Warehouse]; !ok {
		return ErrNoWarehouse.Say("There is no warehouse %q.", c.Warehouse).Field(field("warehouse"))
	}
	return nil
}

// adjust makes one change, or answers ErrNegative. A count that finds nothing
// new is a movement as well: its key must not be forgotten.
func (d *stockDoc) adjust(c Change, now time.Time) error {
	var l levelDoc
	if i := slices.IndexFunc(d.Levels, func(l levelDoc) bool { return l.Warehouse == c.Warehouse }); i >= 0 {
		l = d.Levels[i]
	}
	delta := c.Delta
	if c.Set != nil {
		delta = *c.Set - l.OnHand
	}
	if l.OnHand+delta < l.Reserved || l.Received+delta < 0 {
		return ErrNegative
	}
	d.level(c.Warehouse).OnHand += delta
	d.level(c.Warehouse).Received += delta
	d.Keys.add(c.Key)
	d.move(now, moveDoc{Warehouse: c.Warehouse, Kind: "adjust", Key: c.Key, Reason: c.Reason, OnHand: delta})
	return nil
}
