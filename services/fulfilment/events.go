package fulfilment

import (
	"fmt"

	"ordergraph/platform/events"
	"ordergraph/services/order"
)

// Topic is the stream on which the fulfilment service rings its facts.
const Topic = order.FulfilmentTopic

// FactChanged tells that an order's consignments changed. Its key is the
// order's id; who hears it asks Progress. Watchers learn of it by the order,
// which then has a new version.
const FactChanged = order.FactFulfilment

// group is the name under which the fulfilment service hears others' facts.
const group = "fulfilment"

// ring puts the fact of a change into the document that is about to be
// written. Only the latest matters.
func (k *Keeper) ring(d *document) {
	if len(k.o.Listeners) == 0 {
		return
	}
	now := k.now()
	d.Outbox.AddLatest(now, events.Fact{
		ID: fmt.Sprintf("%s:%d:%s", d.ID, d.Version+1, FactChanged), Type: FactChanged, Doc: d.ID, Key: d.ID, At: now,
	}, k.o.Listeners...)
}
