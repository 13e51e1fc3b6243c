package card

import (
	"fmt"
	"strings"
	"time"
)

const refundSettles = time.Second // how long a refund takes that is not done at once

// giveBack is POST /v1/refunds.
func (p *Processor) giveBack(req *request) (plan, *trouble) {
	id := req.form.Get("payment_intent")
	if charge := req.form.Get("charge"); id == "" && strings.HasPrefix(charge, "ch_") {
		id = "pi_" + charge[len("ch_"):]
	}
	if id == "" {
		return plan{}, invalid("parameter_missing", "payment_intent", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	var amount int64
	if req.form.Has("amount") {
		var t *trouble
		if amount, t = amountOf(req.form, "amount"); t != nil {
			return plan{}, t
		}
	}
	meta, t := metadata(req.form)
	if t != nil {
		return plan{}, t
	}
	reason := req.form.Get("reason")
	switch reason {
	case "", "duplicate", "fraudulent", "requested_by_customer":
	default:
		return plan{}, invalid("", "reason", "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer")
	}
	return plan{id: id, change: func(d *intent) (any, *trouble) {
		if d.Status != succeeded {
			return nil, unexpectedState(d, "refunded")
		}
		left := d.Received - d.givenBack()
		if left == 0 {
			return nil, invalid("charge_already_refunded", "", "Charge %s has already been refunded.", d.chargeID())
		}
		if amount > left {
			return nil, invalid("", "amount", "Refund amount (%d) is greater than unrefunded amount on charge (%d)", amount, left)
		}
		r := refund{ID: fmt.Sprintf("re_%s_%d", d.ID[len("pi_"):], len(d.Refunds)+1), Amount: amount, Status: succeeded, Reason: reason, Metadata: meta, At: req.now}
		if amount == 0 {
			r.Amount = left
		}
		settles := req.now.Add(refundSettles)
		switch methods[d.Method].refunds {
		case pending:
			r.Status, r.Then, r.Settles = pending, succeeded, &settles
		case failed:
			r.Then, r.Settles = failed, &settles
		}
		d.Refunds = append(d.Refunds, r)
		if d.Refunded == nil {
			at := req.now
			d.Refunded = &at
		}
		i := len(d.Refunds) - 1
		p.tell(d, "charge.refunded", d.charge(), req.now)
		p.tell(d, "refund.created", d.refund(i), req.now)
		return d.refund(i), nil
	}}, nil
}
