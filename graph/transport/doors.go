package transport

import (
	"context"
	"sync"

	"ordergraph/platform/budget"
)

// doors count the connections that stay open, and empty the house when the
// process stops.
type doors struct {
	limits Limits

	mu      sync.Mutex
	inside  map[*visit]struct{}
	from    map[string]int // by network, as budget.Network has it
	closing bool
	empty   chan struct{} // closed when closing and nobody is inside
}

// A visit is one connection that stays open.
type visit struct {
	network string
	leave   func() // asks it to end
}

// Why somebody is not let in.
type refusalAtDoor int

const (
	welcome refusalAtDoor = iota
	houseFull
	addressFull
	houseClosing
)

// enter lets a connection in. leave is called when the process stops, at most
// once, under the lock of the doors: it must not block, nor call them. The
// connection then ends in its own way. Who was let in calls exit.
func (d *doors) enter(address string, leave func()) (*visit, refusalAtDoor) {
	network := budget.Network(address)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closing:
		return nil, houseClosing
	case len(d.inside) >= d.limits.Connections:
		return nil, houseFull
	case d.from[network] >= d.limits.PerAddress:
		return nil, addressFull
	}
	if d.inside == nil {
		d.inside, d.from = map[*visit]struct{}{}, map[string]int{}
	}
	v := &visit{network: network, leave: leave}
	d.inside[v] = struct{}{}
	d.from[network]++
	return v, welcome
}

func (d *doors) exit(v *visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.inside[v]; !ok {
		return
	}
	delete(d.inside, v)
	if d.from[v.network]--; d.from[v.network] == 0 {
		delete(d.from, v.network)
	}
	if len(d.inside) > 0 {
		return
	}
	d.inside, d.from = nil, nil // maps keep the room of their greatest crowd
	if d.closing {
		close(d.empty)
	}
}

// Drain lets nobody in any more, asks every open connection to end after what
// it has begun, and waits for that until ctx ends.
func (s *Server) Drain(ctx context.Context) {
	d := &s.doors
	d.mu.Lock()
	if !d.closing {
		d.closing, d.empty = true, make(chan struct{})
		if len(d.inside) == 0 {
			close(d.empty)
		}
		for v := range d.inside {
			v.leave()
		}
	}
	empty := d.empty
	d.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

// Connections is how many connections stay open at the moment.
func (s *Server) Connections() int {
	s.doors.mu.Lock()
	defer s.doors.mu.Unlock()
	return len(s.doors.inside)
}
