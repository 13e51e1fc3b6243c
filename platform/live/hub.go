package live

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/work"
)

// Options of a Hub. All but Client have defaults.
type Options struct {
	// Client connects to Redis: a *redis.Client or a *redis.ClusterClient,
	// which stays the caller's to close. Without it nothing is heard, and all
	// changes are found as while Redis is away.
	Client redis.UniversalClient
	Log    *slog.Logger // nil: silent

	Sweep   time.Duration // how often each watched thing's version is asked for though nothing was heard of it; 10 s
	Poll    time.Duration // the same while Redis is away; 1.5 s
	Recheck time.Duration // how often each thing is loaded though it has not changed, so that rights that were withdrawn end a stream; 1 min
	Ping    time.Duration // how long Redis may be silent before it is asked whether it is there; after twice that it is away; 3 s
	Load    time.Duration // how long one Load, or one question for versions, may take; 5 s
	Loaders int           // how many Loads run at once; 16
}

func (o Options) orDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Sweep, 10 * time.Second}, {&o.Poll, 1500 * time.Millisecond}, {&o.Recheck, time.Minute},
		{&o.Ping, 3 * time.Second}, {&o.Load, 5 * time.Second},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if o.Loaders <= 0 {
		o.Loaders = 16
	}
	return o
}

// A Hub tells the watchers of one process of changes. It keeps one connection
// to Redis for all of them (to a Redis Cluster one per lane, sixteen), on
// which each thing that is watched is subscribed to once.
type Hub struct {
	o     Options
	lines []*line
	began time.Time
	ctx   context.Context // of Loads that are made for watchers; ends with the hub
	stop  context.CancelFunc
	first chan struct{} // taken by first Loads

	mu      sync.Mutex // of all that follows, and of lines, topics, things and rooms
	closed  bool
	started bool
	topics  []*topic
	streams int
	things  int
	head    *room // the queue of rooms to be loaded
	tail    *room
	loading int // loaders at work
	running sync.WaitGroup
}

// NewHub is a hub that works while Run does. Watching it before is fine.
func NewHub(o Options) *Hub {
	h := &Hub{o: o.orDefaults(), began: time.Now()}
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.first = make(chan struct{}, 4*h.o.Loaders)
	n := 1
	if _, ok := o.Client.(*redis.ClusterClient); ok {
		n = lanes
	}
	for lane := range n {
		h.lines = append(h.lines, &line{hub: h, name: laneName(lane), things: map[string]*thing{}, wake: make(chan struct{}, 1)})
	}
	return h
}

// Stats are what a hub has in hand.
type Stats struct {
	Streams   int  // watchers
	Things    int  // that they watch; each is one channel on Redis
	Connected bool // to Redis
}

// Stats counts.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Stats{Streams: h.streams, Things: h.things, Connected: h.hears()}
}

// hears reports whether notices of all things come in.
func (h *Hub) hears() bool {
	return !slices.ContainsFunc(h.lines, func(l *line) bool { return !l.up })
}

// Run works until ctx ends; then all streams are closed, and the hub is of no
// more use.
func (h *Hub) Run(ctx context.Context) error {
	h.mu.Lock()
	if h.started || h.closed {
		h.mu.Unlock()
		return ErrClosed
	}
	h.started = true
	defer h.close()
	for _, t := range h.topics {
		h.keep("topic "+t.name, t.run)
	}
	if h.o.Client != nil {
		for _, l := range h.lines {
			h.keep("line "+l.name, l.run)
		}
	}
	h.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

// keep runs what is to run as long as the hub. The lock is held.
func (h *Hub) keep(what string, run func(context.Context)) {
	h.running.Go(func() {
		work.Keep(h.ctx, h.o.Log, work.Part{Name: "live updates, " + what, Run: func(ctx context.Context) error { run(ctx); return nil }})
	})
}

func (h *Hub) close() {
	h.mu.Lock()
	h.closed = true
	var all []listener
	for _, t := range h.topics {
		for _, th := range slices.Clone(t.things) {
			for _, r := range slices.Clone(th.rooms) {
				all = append(all, h.dissolve(r)...)
			}
		}
	}
	h.mu.Unlock()
	h.stop()
	for _, l := range all {
		h.finish(l, nil)
	}
	h.running.Wait()
}

// A topic is the untyped side of a Topic. The hub's lock is its lock.
type topic struct {
	hub      *Hub
	name     string
	versions func(context.Context, []string) (map[string]int64, error)
	polled   bool // nobody rings

	things []*thing // those that are watched
	cursor int      // things before it have been asked about in this round
	asking []*thing // to be asked about next
	wake   chan struct{}
}

func (h *Hub) newTopic(name string, versions func(context.Context, []string) (map[string]int64, error), polled bool) *topic {
	t := &topic{hub: h, name: name, versions: versions, polled: polled, wake: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.ContainsFunc(h.topics, func(t *topic) bool { return t.name == name }) {
		panic("live: topic " + name + " exists already")
	}
	h.topics = append(h.topics, t)
	if h.started && !h.closed {
		h.keep("topic "+name, t.run)
	}
	return t
}

// A thing is what is watched, by whomever.
type thing struct {
	topic *topic
	line  *line
	name  string // of its channel
	key   string
	rooms []*room // one for each audience
	known int64   // the greatest version that was heard of
	place int     // in topic.things

	subscribed bool // on the line's present connection
	changed    bool // in line.changes
	asking     bool // in topic.asking
}

// A room is the watchers of one thing who share what is loaded.
type room struct {
	thing    *thing
	audience string
	load     func(context.Context) (any, int64, error) // of whoever came last
	streams  []listener
	have     int64         // the version that was loaded last
	want     int64         // the greatest that was heard of
	loaded   time.Duration // since the hub began
	state    roomState
	tries    int // in a row without success
	retry    *time.Timer
	next     *room // in the queue
}

type roomState uint8

const (
	resting roomState = iota
	queued
	loading
	waiting // for another try
)

// A listener is the untyped side of a Stream.
type listener interface {
	place() *seat
	push(value any, version int64)
	end(err error)
}

// A seat is a stream's place among those of its room; under the hub's lock.
type seat struct {
	room *room // nil: it has left
	at   int
}

// join seats a listener, who has loaded this value, and delivers it.
func (h *Hub) join(t *topic, key, audience string, load func(context.Context) (any, int64, error), l listener, value any, version int64) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return ErrClosed
	}
	th := h.thingOf(t, key)
	i := slices.IndexFunc(th.rooms, func(r *room) bool { return r.audience == audience })
	if i < 0 {
		i = len(th.rooms)
		th.rooms = append(th.rooms, &room{thing: th, audience: audience, have: version})
	}
	r := th.rooms[i]
	r.load, r.loaded = load, time.Since(h.began)
	var others []listener
	if version > r.have {
		r.have = version
		others = slices.Clone(r.streams)
	}
	*l.place() = seat{r, len(r.streams)}
	r.streams = append(r.streams, l)
	h.streams++
	h.heard(th, version)
	if latest := max(th.known, r.have); latest > version { // it changed since the Load
		r.want = max(r.want, latest)
		h.enqueue(r)
	}
	h.mu.Unlock()
	for _, other := range others {
		h.deliver(other, value, version)
	}
	h.deliver(l, value, version)
	return nil
}

func (h *Hub) thingOf(t *topic, key string) *thing {
	name, lane := channelOf(t.name, key)
	line := h.lines[lane%len(h.lines)]
	th := line.things[name]
	if th == nil {
		th = &thing{topic: t, line: line, name: name, key: name[len(name)-len(key):], place: -1}
		line.things[name] = th
		line.change(th)
	}
	if th.place < 0 {
		th.place = len(t.things)
		t.things = append(t.things, th)
		h.things++
	}
	return th
}

// leave takes a listener out of its room; it is harmless to repeat.
func (h *Hub) leave(l listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := l.place()
	r := s.room
	if r == nil {
		return
	}
	last := len(r.streams) - 1
	moved := r.streams[last]
	r.streams[s.at] = moved
	moved.place().at = s.at
	r.streams[last] = nil
	r.streams = r.streams[:last]
	*s = seat{}
	h.streams--
	if last == 0 {
		h.dissolve(r)
	}
}

// dissolve ends a room and returns who was in it. The lock is held.
func (h *Hub) dissolve(r *room) []listener {
	streams := r.streams
	r.streams = nil
	h.streams -= len(streams)
	for _, l := range streams {
		*l.place() = seat{}
	}
	if r.retry != nil {
		r.retry.Stop()
		r.retry = nil
	}
	th := r.thing
	if i := slices.Index(th.rooms, r); i >= 0 {
		th.rooms = slices.Delete(th.rooms, i, i+1)
	}
	if len(th.rooms) == 0 && th.place >= 0 {
		th.topic.forget(th)
		h.things--
		th.line.left(th)
	}
	return streams
}

// forget takes a thing out of the round, in which nobody is left out for it.
func (t *topic) forget(th *thing) {
	gap := th.place
	if gap < t.cursor { // the last that was asked about takes its place
		t.cursor--
		t.put(t.things[t.cursor], gap)
		gap = t.cursor
	}
	last := len(t.things) - 1
	if gap != last { // otherwise the last has already moved
		t.put(t.things[last], gap)
	}
	t.things[last] = nil
	t.things = t.things[:last]
	th.place = -1
}

func (t *topic) put(th *thing, place int) {
	t.things[place] = th
	th.place = place
}

// heard takes note of a version. The lock is held.
func (h *Hub) heard(th *thing, version int64) {
	th.known = max(th.known, version)
	for _, r := range th.rooms {
		if version > r.have {
			r.want = max(r.want, version)
			h.enqueue(r)
		}
	}
}

func (h *Hub) deliver(l listener, value any, version int64) {
	_ = h.guard(func() error { l.push(value, version); return nil }) // its Fire may panic
}

func (h *Hub) finish(l listener, why error) {
	_ = h.guard(func() error { l.end(why); return nil })
}

// guard logs a panic and makes an error of it.
func (h *Hub) guard(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			h.o.Log.Error("panic in live updates", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v: %w", cause, ErrInternal)
		}
	}()
	return f()
}

// patience grows from one wait to the next.
type patience struct{ tries int }

func (p *patience) next() time.Duration {
	d := work.BackOff(50*time.Millisecond, 5*time.Second, p.tries)
	p.tries++
	return d
}

func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
