package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
	"ordergraph/services/payment"
)

// auditPage is how many orders one Audit looks at.
const auditPage = 200

// A Finding is an order for which something does not hold that always must.
type Finding struct {
	OrderID string
	Rule    Rule
	Detail  string // for operators; without personal data
}

// Rule names what must hold.
type Rule string

// The rules that Audit checks.
const (
	RuleSettled     Rule = "settled"     // an order older than its deadlines has ended
	RuleMoney       Rule = "money"       // what the payment kept is what the order says
	RuleStock       Rule = "stock"       // what the reservation says is what the order says
	RuleOncePerCart Rule = "oncePerCart" // a cart was sold once
)

// AuditReport is what an Audit found on its stretch of the orders.
type AuditReport struct {
	Checked  int
	Findings []Finding
	Next     string // pass as after to read on; "" at the end
}

// Audit compares a stretch of the orders with what payment and inventory know
// of them. It takes no locks: an order that changes while it is looked at is
// looked at again, and one that is on its way is checked for its age only.
func (k *Keeper) Audit(ctx context.Context, who identity.Caller, after string) (AuditReport, error) {
	if !who.May(identity.OperationsRead) {
		return AuditReport{}, ErrForbidden
	}
	page, err := k.orders.Find(ctx, docstore.Query{After: docstore.Cursor(after), Limit: auditPage})
	if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) {
		return AuditReport{}, ErrCursor.Field("after")
	}
	if err != nil {
		return AuditReport{}, err
	}
	report := AuditReport{Next: string(page.Next)}
	for _, doc := range page.Items {
		findings, err := k.inspect(ctx, doc)
		for try := 0; err == nil && len(findings) > 0 && try < 3; try++ {
			// Perhaps it moved between our looks at it and at the others.
			again, getErr := k.orders.Get(ctx, doc.ID)
			if getErr != nil {
				return report, getErr
			}
			if again.Version == doc.Version {
				break
			}
			doc = again
			findings, err = k.inspect(ctx, doc)
		}
		if err != nil {
			return report, fmt.Errorf("audit of order %s: %w", doc.ID, err)
		}
		report.Checked++
		report.Findings = append(report.Findings, findings...)
	}
	return report, nil
}

func (k *Keeper) inspect(ctx context.Context, d document) ([]Finding, error) {
	var found []Finding
	say := func(rule Rule, format string, args ...any) {
		found = append(found, Finding{OrderID: d.ID, Rule: rule, Detail: fmt.Sprintf(format, args...)})
	}
	now := k.now()
	if !d.steady() {
		// Refunds may wait for the processor; everything else ends within
		// the overall deadline, and a little for who is to end it.
		from, limit := d.CreatedAt, k.at.Overall+5*time.Minute
		if d.Status == Cancelled || d.owes() {
			from, limit = d.UpdatedAt, 24*time.Hour
		}
		if n := len(d.Refunds); n > 0 && d.Refunds[n-1].At.After(from) {
			from = d.Refunds[n-1].At
		}
		if age := now.Sub(from); age > limit {
			say(RuleSettled, "%s for %s (undo %q, refunds on their way: %t)", d.Status, age.Round(time.Second), d.Saga.Undo, d.pays())
		}
	}
	sold := false
	switch d.Status {
	case Confirmed, Fulfilling, Shipped, Delivered:
		sold = true
	case Refunded:
		sold = d.Cancel == nil // the goods are the customer's, or came back by another way
	case Failed:
	default:
		return found, nil // on its way
	}

	p, err := k.o.Payment.Get(ctx, ourselves, d.ID)
	switch {
	case errors.Is(err, payment.ErrNotFound):
		p = payment.Payment{}
	case err != nil:
		return nil, err
	}
	var due int64
	if sold {
		due = d.left().Minor
	}
	most := due // while refunds are on their way
	for _, b := range d.Refunds {
		if sold && b.State == RefundPending {
			most += b.Amount.Minor
		}
	}
	if have := p.Captured.Minor - p.Refunded.Minor; have < due || have > most {
		say(RuleMoney, "%s order: the payment (%s) kept %d minor units, it should be %d to %d", d.Status, p.State, have, due, most)
	} else if d.Status == Failed && p.State != "" && !ended(p) {
		say(RuleMoney, "failed order: the payment is still %s", p.State)
	}

	if d.Quote != nil && len(goods(*d.Quote)) > 0 || d.Status == Failed {
		res, err := k.o.Inventory.Reservation(ctx, ourselves, d.ID)
		if err != nil && !errors.Is(err, inventory.ErrNoReservation) {
			return nil, err
		}
		good := map[bool]inventory.State{true: inventory.Committed, false: inventory.Restocked}[sold]
		if d.Status == Failed {
			if res.State == inventory.Held || res.State == inventory.Committed {
				say(RuleStock, "failed order: its reservation is %s", res.State)
			}
		} else if res.State != good {
			say(RuleStock, "%s order: its reservation is %q, it should be %s", d.Status, res.State, good)
		}
	}

	if sold {
		others, err := k.orders.Find(ctx, docstore.Query{Index: "cart", Equal: []any{d.CartID}, Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, other := range others.Items {
			switch other.Status {
			case Confirmed, Fulfilling, Shipped, Delivered, Cancelled, Refunded:
				if other.ID != d.ID {
					say(RuleOncePerCart, "order %s was made of the same cart", other.ID)
				}
			}
		}
	}
	return found, nil
}
