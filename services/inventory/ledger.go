package inventory

import (
	"context"
	"errors"
	"fmt"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// longTail is how many movements may wait in the stock document before they
// are entered into the ledger at once. While nobody can enter them the tail
// grows; while nobody can write, neither does the stock change.
const longTail = 64

// flush enters a SKU's waiting movements into the ledger, then forgets them
// in the stock document. Their numbers are their ids: entering them twice
// changes nothing.
func (k *Keeper) flush(ctx context.Context, sku string) error {
	doc, err := k.stock.Get(ctx, sku)
	if err != nil || len(doc.Tail) == 0 {
		return err
	}
	if err := k.movements.Load(ctx, doc.Tail); err != nil {
		return err
	}
	entered := doc.Tail[len(doc.Tail)-1].Seq
	_, err = k.stock.Update(ctx, sku, func(d *stockDoc) error {
		if len(d.Tail) == 0 || d.Tail[0].Seq > entered {
			return docstore.Unchanged
		}
		d.forget(entered)
		return nil
	})
	return err
}

func (k *Keeper) flushDue(ctx context.Context) error {
	var errs []error
	for doc, err := range k.stock.All(ctx, docstore.Query{Index: "tailDue", Until: k.now()}) {
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, k.flush(ctx, doc.ID))
	}
	return errors.Join(errs...)
}

// Movements reads the ledger of one SKU, newest first.
func (k *Keeper) Movements(ctx context.Context, who identity.Caller, sku, after string, limit int) (MovementPage, error) {
	if !who.May(identity.StockRead) {
		return MovementPage{}, ErrForbidden
	}
	if limit < 0 || limit > 250 {
		return MovementPage{}, ErrInput.Say("Ask for 1 to 250 movements.").Field("limit")
	}
	if err := k.flush(ctx, sku); errors.Is(err, docstore.ErrNotFound) {
		return MovementPage{}, ErrUnknownSKU.With("sku", sku)
	} else if err != nil {
		return MovementPage{}, err
	}
	page, err := k.movements.Find(ctx, docstore.Query{Index: "sku", Equal: []any{sku}, Reverse: true, After: docstore.Cursor(after), Limit: limit})
	if errors.Is(err, docstore.ErrCursor) {
		return MovementPage{}, ErrInput.Say("This cursor does not belong to this SKU's ledger.").Field("after")
	}
	if err != nil {
		return MovementPage{}, err
	}
	result := MovementPage{Next: string(page.Next), Movements: make([]Movement, len(page.Items))}
	for i, m := range page.Items {
		result.Movements[i] = Movement{SKU: m.SKU, Warehouse: m.Warehouse, Seq: m.Seq, At: m.At, Kind: m.Kind,
			OrderID: m.Order, Reason: m.Reason, OnHand: m.OnHand, Reserved: m.Reserved}
	}
	return result, nil
}

const auditPage = 100

// Audit checks what must always hold on a stretch of the SKUs.
func (k *Keeper) Audit(ctx context.Context, who identity.Caller, after string) (AuditReport, error) {
	if !who.May(identity.OperationsRead) {
		return AuditReport{}, ErrForbidden
	}
	page, err := k.stock.Find(ctx, docstore.Query{After: docstore.Cursor(after), Limit: auditPage})
	if errors.Is(err, docstore.ErrCursor) {
		return AuditReport{}, ErrInput.Say("This cursor does not belong to an audit.").Field("after")
	}
	if err != nil {
		return AuditReport{}, err
	}
	report := AuditReport{Next: string(page.Next), Checked: len(page.Items)}
	for _, doc := range page.Items {
		findings, err := k.inspect(ctx, doc.ID)
		if err != nil {
			return AuditReport{}, err
		}
		report.Findings = append(report.Findings, findings...)
	}
	return report, nil
}

// inspect looks at one SKU. If it changes meanwhile, it is looked at again.
func (k *Keeper) inspect(ctx context.Context, sku string) (findings []string, err error) {
	for range 20 {
		if err := k.flush(ctx, sku); err != nil {
			return nil, err
		}
		before, err := k.stock.Get(ctx, sku)
		if err != nil {
			return nil, err
		}
		if len(before.Tail) > 0 {
			continue
		}
		if findings, err = k.compare(ctx, before); err != nil || len(findings) == 0 {
			return nil, err
		}
		now, err := k.stock.Get(ctx, sku)
		if err != nil {
			return nil, err
		}
		if now.Version == before.Version {
			return findings, nil
		}
	}
	return findings, nil
}

func (k *Keeper) compare(ctx context.Context, doc stockDoc) (findings []string, err error) {
	find := func(format string, args ...any) {
		findings = append(findings, doc.ID+": "+fmt.Sprintf(format, args...))
	}
	type sums struct{ onHand, reserved, held int64 }
	by := map[string]sums{}
	for _, h := range doc.Holds {
		for _, p := range h.Parts {
			s := by[p.Warehouse]
			s.held += p.Quantity
			by[p.Warehouse] = s
		}
		r, err := k.reservations.Get(ctx, h.Order)
		if err != nil && !errors.Is(err, docstore.ErrNotFound) {
			return nil, err
		}
		if r.State == "" || r.State == committed || r.State == released || r.State == restocked {
			find("a hold of order %s is left behind; its reservation is %q", h.Order, r.State)
		}
	}
	var seq int64
	for m, err := range k.movements.All(ctx, docstore.Query{Index: "sku", Equal: []any{doc.ID}, Limit: 1000}) {
		if err != nil {
			return nil, err
		}
		if seq++; m.Seq != seq {
			find("movement %d is missing from the ledger", seq)
			break
		}
		s := by[m.Warehouse]
		s.onHand += m.OnHand
		s.reserved += m.Reserved
		by[m.Warehouse] = s
	}
	if seq != doc.Seq {
		find("the ledger ends at %d, the stock at %d", seq, doc.Seq)
	}
	for _, l := range doc.Levels {
		s := by[l.Warehouse]
		if l.OnHand < 0 || l.Reserved < 0 || l.available() < 0 || l.Sold < 0 || l.Received < 0 {
			find("%s has less than nothing: %+v", l.Warehouse, l)
		}
		if l.Sold+l.OnHand != l.Received {
			find("%s: %d sold and %d on hand are not the %d received", l.Warehouse, l.Sold, l.OnHand, l.Received)
		}
		if s.held != l.Reserved {
			find("%s: %d are reserved and %d held", l.Warehouse, l.Reserved, s.held)
		}
		if s.onHand != l.OnHand || s.reserved != l.Reserved {
			find("%s: the ledger comes to %d on hand and %d reserved, the stock says %d and %d", l.Warehouse, s.onHand, s.reserved, l.OnHand, l.Reserved)
		}
	}
	return findings, nil
}
