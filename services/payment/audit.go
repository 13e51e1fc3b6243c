package payment

import (
	"context"
	"fmt"
	"sort"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
)

// A Report compares our books with the processor's. Sums are in minor units,
// by currency.
type Report struct {
	Payments    int // ours
	Intents     int // the processor's
	Unsettled   int // ours that are still under way; they are not compared
	Captured    map[string]int64
	Refunded    map[string]int64
	Theirs      Sums
	Differences []Difference // by order; empty when the books agree
}

// Sums is what the processor says.
type Sums struct {
	Captured, Refunded map[string]int64
}

// A Difference is one order on which the books do not agree.
type Difference struct {
	OrderID string
	What    string
}

// Audit reads all payments here and all intents at the processor. It is true
// of a moment only if nobody buys meanwhile; payments under way are counted
// apart. Refunds count as soon as the processor has accepted them.
func (c *Cashier) Audit(ctx context.Context, who identity.Caller) (Report, error) {
	if !who.May(identity.OperationsRead) {
		return Report{}, ErrForbidden
	}
	rep := Report{
		Captured: map[string]int64{}, Refunded: map[string]int64{},
		Theirs: Sums{Captured: map[string]int64{}, Refunded: map[string]int64{}},
	}
	type theirs struct {
		live               int // intents that hold money or took it
		held               bool
		captured, refunded money.Amount
		id                 string
	}
	at := map[string]*theirs{}
	for in, err := range c.gateway.All(ctx) {
		if err != nil {
			return Report{}, fmt.Errorf("audit: read the processor's books: %w", err)
		}
		rep.Intents++
		rep.Theirs.Captured[in.Amount.Currency] += in.Received.Minor
		rep.Theirs.Refunded[in.Amount.Currency] += in.Refunded.Minor
		t := at[in.OrderID]
		if t == nil {
			t = &theirs{captured: money.Of(0, in.Amount.Currency), refunded: money.Of(0, in.Amount.Currency)}
			at[in.OrderID] = t
		}
		if in.Status == IntentTaken || in.Status == IntentHeld {
			t.live++
		}
		t.id, t.held = in.ID, t.held || in.Status == IntentHeld
		if t.captured.Currency == in.Received.Currency {
			t.captured, t.refunded = t.captured.Plus(in.Received), t.refunded.Plus(in.Refunded)
		}
	}
	differ := func(order, format string, args ...any) {
		rep.Differences = append(rep.Differences, Difference{order, fmt.Sprintf(format, args...)})
	}
	for r, err := range c.payments.All(ctx, docstore.Query{}) {
		if err != nil {
			return Report{}, fmt.Errorf("audit: read our books: %w", err)
		}
		rep.Payments++
		var refunded int64
		waiting := false
		for _, b := range r.Refunds {
			waiting = waiting || b.State == RefundPending && b.Foreign == ""
			if b.State != RefundFailed && b.Foreign != "" {
				refunded += b.Amount.Minor
			}
		}
		rep.Captured[r.Captured.Currency] += r.Captured.Minor
		rep.Refunded[r.Captured.Currency] += refunded
		t := at[r.ID]
		delete(at, r.ID)
		switch {
		case r.State == Authorising || r.State == ActionNeeded || r.State == Capturing || r.State == Voiding || waiting:
			rep.Unsettled++
			continue
		case t == nil && r.Intent != "":
			differ(r.ID, "we know intent %s, the processor does not", r.Intent)
		case t == nil:
			if r.Captured.Minor != 0 {
				differ(r.ID, "we took %s, the processor nothing", r.Captured)
			}
		case t.live > 1:
			differ(r.ID, "charged %d times", t.live)
		case t.captured.Minor != r.Captured.Minor:
			differ(r.ID, "we took %s, the processor %s", r.Captured, t.captured)
		case t.refunded.Minor != refunded:
			differ(r.ID, "we gave back %s, the processor %s", money.Of(refunded, t.refunded.Currency), t.refunded)
		case t.held && r.State != Authorised:
			differ(r.ID, "money is held for a payment that is %s", r.State)
		}
	}
	for order, t := range at {
		switch {
		case t.captured.Minor != t.refunded.Minor:
			differ(order, "the processor took %s (%s), we know nothing of it", t.captured, t.id)
		case t.held:
			differ(order, "the processor holds money (%s), we know nothing of it", t.id)
		}
	}
	sort.Slice(rep.Differences, func(i, j int) bool { return rep.Differences[i].OrderID < rep.Differences[j].OrderID })
	delete(rep.Captured, "")
	delete(rep.Refunded, "")
	return rep, nil
}
