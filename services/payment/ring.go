package payment

import (
	"fmt"
	"time"

	"ordergraph/platform/events"
)

// ring puts the fact into the outbox, in the write that makes it true.
func (c *Cashier) ring(r *record, now time.Time) {
	r.Outbox.Add(now, events.Fact{
		ID: fmt.Sprintf("%s:%d:%s", r.ID, r.Version+1, FactChanged), Type: FactChanged, Doc: r.ID, Key: r.ID, At: now,
	}, c.o.Listeners...)
}

// rung has the facts of a record rung that was just written.
func (c *Cashier) rung(r *record) {
	if c.relay != nil && len(r.Outbox.Facts) > 0 {
		c.relay.Ring(r)
	}
}
