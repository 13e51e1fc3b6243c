package order

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

const (
	recentFor    = 10 * time.Second
	recentMost   = 1024
	recentWithin = 10 * time.Second // one question to the order service
)

// Reader is as much of a Service as those need who only read orders.
type Reader interface {
	Get(ctx context.Context, who identity.Caller, id, accessToken string) (Order, error)
}

// Recent reads orders for services that hear of them. Several hear of the same
// change at about the same moment, and soon write of it: those of one process
// ask once, and what they got is kept for some seconds.
type Recent struct {
	orders  Reader
	reading singleflight.Group

	mu    sync.Mutex
	known map[string]recentOrder
	ids   []string    // of known, as they came
	prune *time.Timer // while there are any
}

type recentOrder struct {
	Order
	until time.Time
}

// NewRecent reads from the service.
func NewRecent(orders Reader) *Recent {
	return &Recent{orders: orders, known: map[string]recentOrder{}}
}

// At returns an order in this version, which a fact has told of, or a later
// one; an earlier one only where the service itself has no later. Version 0
// asks for the order as it now is. The order is shared with other callers: read
// it only. Errors are those of Service.Get.
func (r *Recent) At(ctx context.Context, id string, version int64) (Order, error) {
	if o, ok := r.find(id, version); ok {
		return o, nil
	}
	// Who comes while the question is under way may have heard of a change
	// since; so may who asks for the present.
	if version > 0 {
		if o, err := r.read(ctx, id); err != nil || o.Version >= version {
			return o, err
		}
	}
	return r.get(ctx, id)
}

func (r *Recent) get(ctx context.Context, id string) (Order, error) {
	o, err := r.orders.Get(ctx, identity.Ourselves(), id, "")
	if err == nil {
		r.keep(o)
	}
	return o, err
}

// read asks the service, at the same time for all who want the order.
func (r *Recent) read(ctx context.Context, id string) (Order, error) {
	answer := r.reading.DoChan(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recentWithin)
		defer cancel()
		var o Order
		err := work.Safely(func() (err error) {
			o, err = r.get(ctx, id)
			return err
		})
		return o, err
	})
	select {
	case a := <-answer:
		o, _ := a.Val.(Order)
		return o, a.Err
	case <-ctx.Done():
		return Order{}, ctx.Err()
	}
}

func (r *Recent) find(id string, version int64) (Order, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.known[id]
	return o.Order, ok && version > 0 && o.Version >= version && time.Now().Before(o.until)
}

func (r *Recent) keep(o Order) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.known[o.ID]
	switch {
	case ok && known.Version > o.Version:
		return
	case !ok:
		r.ids = append(r.ids, o.ID)
	}
	r.known[o.ID] = recentOrder{o, time.Now().Add(recentFor)}
	if len(r.ids) > recentMost {
		r.forget(1)
	}
	if r.prune == nil {
		r.prune = time.AfterFunc(recentFor, r.forgetOld)
	}
}

// forget drops those that came first. The lock is held.
func (r *Recent) forget(n int) {
	for _, id := range r.ids[:n] {
		delete(r.known, id)
	}
	clear(r.ids[:n])
	r.ids = r.ids[n:]
}

func (r *Recent) forgetOld() {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := 0
	for old < len(r.ids) && !time.Now().Before(r.known[r.ids[old]].until) {
		old++
	}
	r.forget(old)
	r.prune = nil
	if len(r.ids) > 0 {
		r.prune = time.AfterFunc(time.Until(r.known[r.ids[0]].until), r.forgetOld)
	} else {
		r.ids = nil
	}
}
