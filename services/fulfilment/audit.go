package fulfilment

import (
	"context"
	"errors"
	"fmt"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// auditPage is how many orders one Audit looks at.
const auditPage = 200

// Audit compares consignments with what was sold: nothing leaves the house
// that no order paid for, and nothing that was sold is forgotten.
func (k *Keeper) Audit(ctx context.Context, who identity.Caller, after string) (AuditReport, error) {
	if !mayAudit(who) {
		return AuditReport{}, ErrForbidden
	}
	page, err := k.docs.Find(ctx, docstore.Query{After: docstore.Cursor(after), Limit: auditPage})
	if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) {
		return AuditReport{}, ErrCursor.Field("after")
	}
	if err != nil {
		return AuditReport{}, err
	}
	report := AuditReport{Next: string(page.Next)}
	for _, d := range page.Items {
		found, err := k.inspect(ctx, d)
		for try := 0; err == nil && len(found) > 0 && try < 3; try++ {
			// Perhaps it moved between our looks at it and at the others.
			if d, err = k.docs.Get(ctx, d.ID); err == nil {
				found, err = k.inspect(ctx, d)
			}
		}
		if err != nil {
			return report, fmt.Errorf("audit of the consignments of %s: %w", d.ID, err)
		}
		report.Checked++
		for _, detail := range found {
			report.Findings = append(report.Findings, Finding{d.ID, detail})
		}
	}
	return report, nil
}

func (k *Keeper) inspect(ctx context.Context, d document) (found []string, err error) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	gone := false
	type shelf struct{ sku, warehouse string }
	held := map[shelf]int64{}
	for _, c := range d.Parts {
		gone = gone || c.State.gone()
		if d.CalledOff != (c.State == Cancelled) {
			say("called off: %t, and consignment %d is %s", d.CalledOff, c.N, c.State)
		}
		for _, l := range c.Lines {
			held[shelf{l.SKU, c.Warehouse}] += l.Quantity
			if l.Returned > 0 && !c.State.gone() || l.Returned > l.Quantity {
				say("%d of %d %s of consignment %d came back, which is %s", l.Returned, l.Quantity, l.SKU, c.N, c.State)
			}
			if c.State.gone() && l.Packed != l.Quantity {
				say("consignment %d left with %d of %d %s", c.N, l.Packed, l.Quantity, l.SKU)
			}
		}
	}
	if len(d.Parts) == 0 {
		return found, nil
	}
	o, err := k.o.Orders.Get(ctx, ourselves, d.ID, "")
	if errors.Is(err, order.ErrNotFound) {
		say("there are consignments and no order")
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	switch o.Status {
	case order.Confirmed, order.Fulfilling, order.Shipped, order.Delivered:
		if d.CalledOff && o.CancelReason == "" && o.Status != order.Confirmed && o.Status != order.Fulfilling {
			say("the consignments are called off, and the order is %s", o.Status)
		}
	case order.Refunded: // called off, or sent and refunded
	default:
		if gone {
			say("something was shipped, and the order is %s", o.Status)
		}
	}
	sold, err := k.o.Inventory.Reservation(ctx, ourselves, d.ID)
	if err != nil && !errors.Is(err, inventory.ErrNoReservation) {
		return nil, err
	}
	if gone && sold.State != inventory.Committed {
		say("something was shipped, and its reservation is %q", sold.State)
	}
	for _, a := range sold.Allocations {
		at := shelf{a.SKU, a.Warehouse}
		if n, ships := held[at]; ships && n != a.Quantity {
			say("%d units of %s were sold from %s, the consignments hold %d", a.Quantity, a.SKU, a.Warehouse, n)
		}
		delete(held, at)
	}
	for at, n := range held {
		say("%d units of %s from %s were never sold", n, at.sku, at.warehouse)
	}
	return found, nil
}
