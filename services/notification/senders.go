package notification

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/work"
)

// preparedWithin is how long who hears of a message prepares it, before it is
// left to the queue.
const preparedWithin = 2 * time.Second

// writtenWithin is how long it may then take to note the attempt; with sendFor
// it is shorter than the lease that begins with that.
const writtenWithin = 5 * time.Second

// senders are those of a channel, so many at once. They take what is due from
// the queue; and who hears of a message sends it right away where one of them
// is free.
type senders struct {
	ctx   context.Context // of what they send
	slots chan struct{}
	all   sync.WaitGroup
}

func newSenders(ctx context.Context, n int) *senders {
	return &senders{ctx: ctx, slots: make(chan struct{}, n)}
}

// wait takes a slot as soon as there is one; false: ctx has ended.
func (s *senders) wait(ctx context.Context) bool {
	select {
	case s.slots <- struct{}{}:
		s.all.Add(1)
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *senders) leave() {
	<-s.slots
	s.all.Done()
}

// open lets who hears of messages send them, until close.
func (c *channel) open(s *senders) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.senders = s
}

// close waits for what is on its way.
func (c *channel) close() {
	c.mu.Lock()
	s := c.senders
	c.senders = nil
	c.mu.Unlock()
	s.all.Wait()
}

// free takes a slot if there is one; otherwise it is nil.
func (c *channel) free() *senders {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.senders == nil {
		return nil
	}
	select {
	case c.senders.slots <- struct{}{}:
		c.senders.all.Add(1)
		return c.senders
	default:
		return nil
	}
}

// insertAndSend stores a message, and sends it at once if it is due and a
// sender is free. Then it is stored with its attempt.
func (k *Keeper) insertAndSend(ctx context.Context, d *document) error {
	there := false
	sent, err := k.sendAtOnce(ctx, d, func(ctx context.Context, r *route, m message) (document, error) {
		d.Holder = newHolder()
		d.begin(r.name, wordsOf(m), k.now())
		err := k.docs.Insert(ctx, d)
		if there = errors.Is(err, docstore.ErrExists); there {
			err = errNotNow
		}
		return *d, err
	})
	if sent || there || err != nil {
		return err
	}
	return k.insert(ctx, d)
}

// sendAtOnce makes the first attempt at a message that is due and that nobody
// has taken. Unlike send it prepares the message first: write, which is called
// then, both takes it and notes the attempt. Where write answers errNotNow
// somebody else was faster. It goes on when ctx ends: an attempt that is noted
// and not made looks as if the message might have arrived. Nothing was written
// where false comes without an error, and the queue is to have the message:
// whatever was in its way is in the queue's as well, and noted there.
func (k *Keeper) sendAtOnce(ctx context.Context, d *document, write func(context.Context, *route, message) (document, error)) (sent bool, _ error) {
	c, now := k.channel(d.Channel), k.now()
	if d.Due.After(now) || k.disturb(d, now).After(now) {
		return false, nil
	}
	s := c.free()
	if s == nil {
		return false, nil
	}
	r := c.admit("", now)
	if r == nil {
		s.leave()
		return false, nil
	}
	defer func() {
		if !sent {
			r.done(false, nil, k.now())
			s.leave()
		}
	}()
	preparing, cancel := context.WithTimeout(ctx, preparedWithin)
	m, err := k.prepare(preparing, c, d)
	cancel()
	if err != nil {
		d.Invoice = ""
		return false, nil
	}
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writtenWithin)
	taken, err := write(writing, r, m)
	cancel()
	if errors.Is(err, errNotNow) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	k.changed(&taken)
	go k.as(ctx, s, taken.ID, func(ctx context.Context) error { return k.handOver(ctx, c, r, &taken, m) })
	return true, nil
}

// as makes an attempt at a message as one of the senders, and gives the slot
// back. It goes on when ctx ends, until they have to stop.
func (k *Keeper) as(ctx context.Context, s *senders, id string, attempt func(context.Context) error) {
	defer s.leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendFor)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)() //nolint:contextcheck // the end of the senders, not of who hears
	if err := work.Safely(func() error { return attempt(ctx) }); err != nil {
		k.o.Log.ErrorContext(ctx, "a message could not be taken on; its lease gives pause", "notification", id, "error", err)
	}
}

func newHolder() string { return rand.Text()[:12] }
