package live

import (
	"context"
	"time"

	"ordergraph/platform/work"
)

// staleTries is how often a thing is loaded again that is older than what was
// heard of it; then the service is believed.
const staleTries = 5

// loadFirst makes a watcher's first Load, at most so many at once: a rush of
// watchers who come back waits here.
func (h *Hub) loadFirst(ctx context.Context, load func(context.Context) (any, int64, error)) (any, int64, error) {
	select {
	case h.first <- struct{}{}:
		defer func() { <-h.first }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case <-h.ctx.Done():
		return nil, 0, ErrClosed
	}
	return h.loadOnce(ctx, load)
}

func (h *Hub) loadOnce(ctx context.Context, load func(context.Context) (any, int64, error)) (value any, version int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, h.o.Load)
	defer cancel()
	err = h.guard(func() (err error) {
		value, version, err = load(ctx)
		return err
	})
	return value, version, err
}

// enqueue has a room loaded as soon as a loader is free. A room that is being
// loaded, or waits for another try, sees afterwards what it missed. The lock
// is held.
func (h *Hub) enqueue(r *room) {
	if h.closed || r.state != resting || len(r.streams) == 0 {
		return
	}
	r.state = queued
	if h.tail == nil {
		h.head = r
	} else {
		h.tail.next = r
	}
	h.tail = r
	if h.loading < h.o.Loaders {
		h.loading++
		h.running.Go(h.loadQueued)
	}
}

// loadQueued is a loader: it works off the queue.
func (h *Hub) loadQueued() {
	for {
		h.mu.Lock()
		r := h.head
		if r == nil || h.closed {
			h.loading--
			h.mu.Unlock()
			return
		}
		if h.head = r.next; h.head == nil {
			h.tail = nil
		}
		r.next, r.state = nil, resting
		if len(r.streams) == 0 {
			h.mu.Unlock()
			continue
		}
		r.state = loading
		want, load := r.want, r.load
		h.mu.Unlock()

		value, version, err := h.loadOnce(h.ctx, load)
		h.settle(r, want, value, version, err)
	}
}

// settle brings what was loaded to the room. want is what had been heard of
// when the Load began.
func (h *Hub) settle(r *room, want int64, value any, version int64, err error) {
	h.mu.Lock()
	r.state = resting
	if h.closed || len(r.streams) == 0 {
		h.mu.Unlock()
		return
	}
	if err != nil {
		if passes(err) {
			h.tryAgain(r)
			h.mu.Unlock()
			return
		}
		gone := h.dissolve(r)
		h.mu.Unlock()
		for _, l := range gone {
			h.finish(l, err)
		}
		return
	}
	r.loaded = time.Since(h.began)
	r.have = max(r.have, version)
	h.heard(r.thing, version) // other rooms learn of it too
	switch {
	case version >= r.want:
		r.tries = 0
	case version >= want: // it was heard of during the Load
		h.enqueue(r)
	case r.tries < staleTries:
		h.tryAgain(r)
	default:
		r.tries, r.want = 0, version
		r.thing.known = version
	}
	var one [1]listener // mostly there is one, and then nothing is allocated
	streams := append(one[:0], r.streams...)
	h.mu.Unlock()
	for _, l := range streams {
		h.deliver(l, value, version)
	}
}

// tryAgain has a room loaded once more, later each time. Only rooms in
// trouble have a timer. The lock is held.
func (h *Hub) tryAgain(r *room) {
	p := patience{r.tries}
	r.tries++
	r.state = waiting
	r.retry = time.AfterFunc(p.next(), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if r.state == waiting {
			r.state, r.retry = resting, nil
			h.enqueue(r)
		}
	})
}

// mostKeys are asked about in one question for versions.
const mostKeys = 500

// rounds are made in so many steps, so that the questions are spread.
const steps = 16

// run asks for versions: of things that Redis has just confirmed, at once; of
// all, in rounds.
func (t *topic) run(ctx context.Context) {
	var trouble patience
	hears := t.hears()
	step, every := 0, t.every(hears)
	tick := time.NewTimer(every / steps)
	defer tick.Stop()
	for ctx.Err() == nil {
		if batch := t.take(); len(batch) > 0 {
			if err := t.ask(ctx, batch); err == nil {
				trouble = patience{}
				continue
			} else if ctx.Err() == nil {
				wait := trouble.next()
				if trouble.tries == 1 {
					t.hub.o.Log.WarnContext(ctx, "versions of what is watched cannot be had; changes may come late", "topic", t.name, "error", err, "again", wait)
				}
				t.askAbout(batch...)
				work.Pause(ctx, wait)
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
			if now := t.hears(); now != hears {
				hears, step, every = now, steps, t.every(now)
				tick.Reset(every / steps)
			}
		case <-tick.C:
			if step++; step > steps {
				step, every = 1, t.every(hears)
			}
			t.advance(step)
			tick.Reset(every / steps)
		}
	}
}

func (t *topic) hears() bool {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	return t.hub.hears() && !t.polled
}

func (t *topic) every(hears bool) time.Duration {
	if hears {
		return work.Spread(t.hub.o.Sweep)
	}
	return work.Spread(t.hub.o.Poll)
}

// advance puts the things of one step of the round among those to be asked about.
func (t *topic) advance(step int) {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	if step == 1 {
		t.cursor = 0
	}
	for until := (len(t.things)*step + steps - 1) / steps; t.cursor < until; t.cursor++ {
		t.mark(t.things[t.cursor])
	}
}

func (t *topic) askAbout(things ...*thing) {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	for _, th := range things {
		t.mark(th)
	}
}

func (t *topic) mark(th *thing) {
	if !th.asking && len(th.rooms) > 0 {
		th.asking = true
		t.asking = append(t.asking, th)
	}
}

// take is the next things to ask about.
func (t *topic) take() []*thing {
	t.hub.mu.Lock()
	defer t.hub.mu.Unlock()
	var batch []*thing
	n := 0
	for ; n < len(t.asking) && len(batch) < mostKeys; n++ {
		th := t.asking[n]
		th.asking = false
		if len(th.rooms) > 0 {
			batch = append(batch, th)
		}
	}
	clear(t.asking[:n])
	if t.asking = t.asking[n:]; len(t.asking) == 0 {
		t.asking = nil
	}
	return batch
}

// ask has rooms loaded whose thing has grown or is gone, and those that were
// not loaded for long.
func (t *topic) ask(ctx context.Context, batch []*thing) error {
	keys := make([]string, len(batch))
	for i, th := range batch {
		keys[i] = th.key
	}
	call, cancel := context.WithTimeout(ctx, t.hub.o.Load)
	defer cancel()
	var versions map[string]int64
	err := t.hub.guard(func() (err error) {
		versions, err = t.versions(call, keys)
		return err
	})
	if err != nil {
		return err
	}
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Since(h.began)
	for _, th := range batch {
		version, exists := versions[th.key]
		h.heard(th, version)
		for _, r := range th.rooms {
			if !exists || now-r.loaded > work.Spread(h.o.Recheck) {
				h.enqueue(r)
			}
		}
	}
	return nil
}
