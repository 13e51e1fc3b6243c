package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// heard opens the consignments of an order that is confirmed. The order is
// asked, not the fact, which may come late and more than once.
func (k *Keeper) heard(ctx context.Context, fact events.Fact) error {
	if fact.Type != order.FactChanged || fact.Key == "" {
		return nil
	}
	return k.Open(ctx, fact.Key)
}

// Open makes the consignments of a confirmed order, one per warehouse. It does
// nothing where they are made already, where the order was called off, and
// where nothing must be shipped.
func (k *Keeper) Open(ctx context.Context, orderID string) error {
	if _, err := k.docs.Get(ctx, orderID); !errors.Is(err, docstore.ErrNotFound) {
		return err
	}
	call, cancel := k.call(ctx)
	defer cancel()
	o, err := k.o.Orders.Get(call, ourselves, orderID, "")
	if errors.Is(err, order.ErrNotFound) || err == nil && o.Status != order.Confirmed {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the consignments of order %s: %w", orderID, err)
	}
	return k.open(ctx, o)
}

func (k *Keeper) open(ctx context.Context, o order.Order) error {
	ctx, cancel := k.call(ctx)
	defer cancel()
	orderID := o.ID
	titles := map[string]string{} // of what must be shipped, by SKU
	for _, l := range o.Quote.Lines {
		if l.Item.RequiresShipping {
			titles[l.Item.SKU] = l.Item.Title
		}
	}
	if len(titles) == 0 {
		return nil
	}
	sold, err := k.o.Inventory.Reservation(ctx, ourselves, orderID)
	if err != nil {
		return fmt.Errorf("open the consignments of order %s: %w", orderID, err)
	}
	if sold.State != inventory.Committed {
		return nil
	}
	now := k.now()
	var parts []consignment
	for _, a := range sold.Allocations {
		title, ships := titles[a.SKU]
		if !ships {
			continue
		}
		i := slices.IndexFunc(parts, func(c consignment) bool { return c.Warehouse == a.Warehouse })
		if i < 0 {
			i = len(parts)
			parts = append(parts, consignment{N: i + 1, Warehouse: a.Warehouse, State: Open, CreatedAt: now, UpdatedAt: now, Due: k.next(now)})
		}
		parts[i].Lines = append(parts[i].Lines, Line{SKU: a.SKU, Title: title, Quantity: a.Quantity})
	}
	_, err = k.written(k.docs.Upsert(ctx, orderID, k.ruled(func(d *document) error {
		if d.CalledOff || len(d.Parts) > 0 {
			return docstore.Unchanged
		}
		d.Number, d.CreatedAt, d.Parts = o.Number, now, parts
		return nil
	})))
	return err
}

const (
	searchEvery = time.Hour
	searchPage  = 100
)

// search looks for orders that nobody has told of: those that were confirmed
// before this service first ran, for which no fact was kept.
func (k *Keeper) search(ctx context.Context) error {
	n, err := k.Search(ctx)
	if n > 0 {
		k.o.Log.InfoContext(ctx, "consignments were opened of orders that nobody had told of", "orders", n)
	}
	return err
}

// Search opens the consignments of all confirmed orders that have none, and
// returns of how many. Several copies may search at once.
func (k *Keeper) Search(ctx context.Context) (opened int, err error) {
	var errs []error
	for after := ""; ; {
		call, cancel := k.call(ctx)
		page, err := k.o.Orders.List(call, ourselves, order.ListQuery{Statuses: []order.Status{order.Confirmed}, After: after, Limit: searchPage})
		cancel()
		if err != nil {
			return opened, errors.Join(append(errs, err)...)
		}
		ids := make([]string, len(page.Orders))
		for i, o := range page.Orders {
			ids[i] = o.ID
		}
		known, err := k.docs.GetMany(ctx, ids)
		if err != nil {
			return opened, errors.Join(append(errs, err)...)
		}
		for _, o := range page.Orders {
			if _, ok := known[o.ID]; ok || !ships(o) {
				continue
			}
			if err := k.open(ctx, o); err != nil {
				errs = append(errs, err)
				continue
			}
			opened++
		}
		if !page.HasMore || ctx.Err() != nil {
			return opened, errors.Join(errs...)
		}
		after = page.Cursors[len(page.Cursors)-1]
	}
}

// ships reports whether something of the order is sent.
func ships(o order.Order) bool {
	return slices.ContainsFunc(o.Quote.Lines, func(l cart.Line) bool { return l.Item.RequiresShipping })
}

// OfOrder asks the order service who may see.
func (k *Keeper) OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) ([]Consignment, error) {
	if !who.May(identity.OrdersRead) {
		if _, err := k.o.Orders.Get(ctx, who, orderID, accessToken); err != nil {
			return nil, err
		}
	}
	shown := []Consignment{}
	d, err := k.docs.Get(ctx, orderID)
	if errors.Is(err, docstore.ErrNotFound) {
		return shown, nil
	}
	for i := range d.Parts {
		shown = append(shown, d.show(&d.Parts[i]))
	}
	return shown, err
}

// Progress counts.
func (k *Keeper) Progress(ctx context.Context, who identity.Caller, orderID string) (order.Progress, error) {
	if !who.May(identity.OrdersRead) {
		return order.Progress{}, ErrForbidden
	}
	d, err := k.docs.Get(ctx, orderID)
	if errors.Is(err, docstore.ErrNotFound) {
		return order.Progress{}, ErrNotFound
	}
	return d.progress(), err
}
