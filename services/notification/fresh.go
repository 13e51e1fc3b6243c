package notification

import (
	"sync"
	"time"

	"ordergraph/services/order"
)

const (
	freshFor  = 10 * time.Second
	freshMost = 1024
)

// freshOrders are the orders that were asked for in the last moments: what is
// told of an order first is written from what was read to find out that it is
// to be told. Later attempts ask anew.
type freshOrders struct {
	mu     sync.Mutex
	orders map[string]freshOrder
	ring   []string // ids as they came, the oldest at next
	next   int
}

type freshOrder struct {
	order.Order
	until time.Time
}

func (f *freshOrders) put(o order.Order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.orders == nil {
		f.orders = make(map[string]freshOrder, freshMost)
	}
	known, ok := f.orders[o.ID]
	if ok && known.Version > o.Version {
		return
	}
	if !ok {
		if len(f.ring) < freshMost {
			f.ring = append(f.ring, o.ID)
		} else {
			delete(f.orders, f.ring[f.next])
			f.ring[f.next] = o.ID
			f.next = (f.next + 1) % freshMost
		}
	}
	f.orders[o.ID] = freshOrder{o, time.Now().Add(freshFor)}
}

// get returns an order that is to be read only, in the version that gave cause
// for a message or a later one: of several copies of this service one may send
// what another has heard of. Where the cause is not known, 0, there is none.
func (f *freshOrders) get(id string, cause int64) (order.Order, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.orders[id]
	return o.Order, ok && cause > 0 && o.Version >= cause && time.Now().Before(o.until)
}
