package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	perAddress = 900 // connections from one loopback address; the gateway admits 1,000
	abreast    = 64  // how many clients open their connections at the same time
)

// A crowd is many clients of one server, each with a socket and two
// subscriptions.
type crowd struct {
	orders  *orders
	clients []*client
	reading sync.WaitGroup

	mu      sync.Mutex
	delays  *hdrhistogram.Histogram // µs from the change of a client's own order until it was told
	events  int64                   // that were told of own orders
	folded  int64                   // versions of own orders that came within a later one
	problem error                   // the first

	behind atomic.Int64          // clients that have not been told of everyones' newest version
	toldAt atomic.Pointer[allAt] // what they wait for
}

// allAt is a version of everyones' order that a crowd waits for.
type allAt struct {
	version int64
	done    chan struct{} // closed when the last client has it
}

// A client has seen these versions of its two orders.
type client struct {
	socket   *socket
	own      *watched
	ownSeen  atomic.Int64
	allSeen  atomic.Int64
	received int
}

// gather opens a socket for each of the first n orders. They are there when
// each has its first event of both subscriptions.
func gather(ctx context.Context, addr string, all *orders, n int) (*crowd, error) {
	c := &crowd{orders: all, clients: make([]*client, n), delays: hdrhistogram.New(1, 60_000_000, 3)}
	places := make(chan struct{}, abreast)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var opening sync.WaitGroup
	for i := range n {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		opening.Add(1)
		c.reading.Go(func() {
			cl := &client{own: all.all[i]}
			from := net.IPv4(127, 0, 1, byte(1+i/perAddress))
			err := c.open(ctx, cl, from, addr)
			<-places
			if err != nil {
				cancel(fmt.Errorf("socket %d: %w", i+1, err))
				opening.Done()
				return
			}
			c.clients[i] = cl
			opening.Done()
			c.read(cl)
		})
	}
	opening.Wait()
	if err := context.Cause(ctx); err != nil {
		c.leave()
		return nil, err
	}
	return c, nil
}

func (c *crowd) open(ctx context.Context, cl *client, from net.IP, addr string) (err error) {
	if cl.socket, err = dial(ctx, from, addr); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = cl.socket.conn.Close()
		}
	}()
	if err := cl.socket.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := cl.socket.watch(cl.own, c.orders.everyones); err != nil {
		return err
	}
	for cl.ownSeen.Load() == 0 || cl.allSeen.Load() == 0 {
		if err := c.next(cl); err != nil {
			return err
		}
	}
	return cl.socket.conn.SetReadDeadline(time.Time{})
}

func (c *crowd) read(cl *client) {
	for {
		if err := c.next(cl); err != nil {
			if !gone(err) {
				c.fail(err)
			}
			return
		}
	}
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.problem == nil {
		c.problem = err
	}
}

// next takes in one event of a client.
func (c *crowd) next(cl *client) error {
	message, err := cl.socket.receive()
	if err != nil {
		return err
	}
	now := time.Now()
	cl.received++
	stream, version, err := event(message, cl.received%64 == 0)
	if err != nil {
		return err
	}
	seen := &cl.ownSeen
	if stream == allStream {
		seen = &cl.allSeen
	}
	before := seen.Load()
	if version <= before {
		return fmt.Errorf("version %d after version %d: %.300s", version, before, message)
	}
	seen.Store(version)
	switch {
	case before == 0: // the first event, which says what is
	case stream == ownStream:
		c.told(cl.own, before, version, now)
	default:
		if at := c.toldAt.Load(); at != nil && before < at.version && version >= at.version && c.behind.Add(-1) == 0 {
			close(at.done)
		}
	}
	return nil
}

// told notes how long it took until a client had the versions after one up to
// another. One that came within a later one has waited for that.
func (c *crowd) told(o *watched, after, version int64, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events++
	c.folded += version - after - 1
	for v := after + 1; v <= version; v++ {
		if at, ok := o.changedAt(v); ok {
			_ = c.delays.RecordValue(max(1, now.Sub(at).Microseconds()))
		}
	}
}

// forget begins the counts anew.
func (c *crowd) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delays.Reset()
	c.events, c.folded = 0, 0
}

// err is what first went wrong with a client, or nil.
func (c *crowd) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.problem
}

// missing is how many clients have not been told of their own order's newest version.
func (c *crowd) missing() int {
	n := 0
	for _, cl := range c.clients {
		if cl.ownSeen.Load() < cl.own.now().Version {
			n++
		}
	}
	return n
}

// expect announces the next version of everyones' order; the channel is
// closed when the last client has it.
func (c *crowd) expect() <-chan struct{} {
	at := &allAt{version: c.orders.everyones.now().Version + 1, done: make(chan struct{})}
	c.behind.Store(int64(len(c.clients)))
	c.toldAt.Store(at)
	return at.done
}

// leave closes all sockets and waits until nobody reads any more.
func (c *crowd) leave() {
	for _, cl := range c.clients {
		if cl != nil {
			cl.socket.leave()
		}
	}
	c.reading.Wait()
}

// settle waits until done says so, at most for the time that is waited for anything.
func settle(ctx context.Context, done func() bool) error {
	until := time.Now().Add(patience)
	for !done() {
		if time.Now().After(until) {
			return errLate
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

var errLate = errors.New("not within " + patience.String())
