package inventory

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

// change applies one rule to a SKU's stock, together with others of the same
// moment. Like every rule within an Update it may run several times; one that
// answers an error has changed nothing.
func (k *Keeper) change(ctx context.Context, sku string, create bool, rule func(*stockDoc) error) (stockDoc, error) {
	write := k.crowd.Update
	if create {
		write = k.crowd.Upsert
	}
	doc, err := write(ctx, sku, rule)
	if err != nil {
		return doc, err
	}
	if k.relay != nil && len(doc.Outbox.Facts) > 0 {
		k.relay.Ring(&doc)
	}
	if len(doc.Tail) >= longTail {
		k.enterAside(ctx, doc)
	}
	return doc, nil
}

// follow adds to a write of stock what follows from its changes: what is
// available, that the SKU came into stock or went out of it, and a tail without
// the movements that the ledger has.
func (k *Keeper) follow(d *stockDoc, apply func() bool) error {
	before := d.available()
	if !apply() {
		return nil
	}
	after := d.available()
	d.Available = &after
	d.forget(k.entries.upTo(d.ID))
	return d.tell(before, k.now(), k.listeners)
}

// entries knows of SKUs whose movements are being entered into the ledger
// beside the sales, and up to where they are.
type entries struct {
	mu    sync.Mutex
	bySKU map[string]int64 // number of the last movement; 0 while they are on their way
}

// begin reports whether the SKU's movements may be entered now: nobody does.
func (e *entries) begin(sku string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, busy := e.bySKU[sku]; busy {
		return false
	}
	if e.bySKU == nil {
		e.bySKU = map[string]int64{}
	}
	e.bySKU[sku] = 0
	return true
}

func (e *entries) end(sku string, upTo int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if upTo == 0 {
		delete(e.bySKU, sku)
	} else {
		e.bySKU[sku] = upTo
	}
}

// upTo is the last movement that was entered and not yet forgotten, or 0.
// Asking ends the entry: should the write that asked fail, its movements are
// entered once more, which changes nothing.
func (e *entries) upTo(sku string) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := e.bySKU[sku]
	if last > 0 {
		delete(e.bySKU, sku)
	}
	return last
}

// enterWithin is how long entering a tail into the ledger may take.
const enterWithin = 15 * time.Second

// enterAside enters a long tail into the ledger without holding anybody up.
// The SKU's next write, or the sweep, takes it off the stock.
func (k *Keeper) enterAside(ctx context.Context, doc stockDoc) {
	if !k.entries.begin(doc.ID) {
		return
	}
	tail := slices.Clone(doc.Tail)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enterWithin)
		defer cancel()
		if err := work.Safely(func() error { return k.movements.Load(ctx, tail) }); err != nil {
			k.entries.end(doc.ID, 0)
			if !errors.Is(err, docstore.ErrUnavailable) {
				k.log.WarnContext(ctx, "movements could not be entered into the ledger; they are later", "sku", doc.ID, "error", err)
			}
			return
		}
		k.entries.end(doc.ID, tail[len(tail)-1].Seq)
	}()
}
