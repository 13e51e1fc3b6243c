package events

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/fault"
	"ordergraph/platform/telemetry"
	"ordergraph/platform/work"
)

const (
	lanes       = 16    // of a topic; facts of one key take the same lane
	laneLength  = 4096  // entries kept per lane, about; older ones are rung again if still needed
	confirmed   = 16384 // confirmations kept per topic, about
	readCount   = 64    // entries per read
	handleIn    = 10 * time.Second
	courtesy    = 100 * time.Millisecond // a fact waits at most for its turn
	leaseFor    = 12 * time.Second       // on a lane; longer than handleIn, so that who takes over an expired lane is alone
	leaseRenew  = 2 * time.Second
	blockFor    = 2 * time.Second
	callWithin  = 5 * time.Second // one call to Redis
	patienceMax = 5 * time.Second // between tries while Redis is away
	tellAfter   = 7               // tries in vain, over some seconds
)

// A Bus rings facts and brings them to listeners, over Redis streams. It may
// be used from many goroutines.
type Bus struct {
	client  redis.UniversalClient
	log     *slog.Logger
	block   time.Duration // how long a read waits for facts
	turns   chan struct{} // see turn
	rushing atomic.Int64  // who waits for an answer of this process
	patient time.Duration // courtesy, but in tests
	figures figures
	away    atomic.Int32 // loops that have told of their trouble with Redis

	mu      sync.Mutex
	letters map[string]deadletter.Letters // of the relays, by topic
}

// NewBus is a bus over the client, which stays the caller's to close.
func NewBus(client redis.UniversalClient, log *slog.Logger) *Bus {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Bus{client: client, log: log, block: blockFor, turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), patient: courtesy, figures: newFigures(), letters: map[string]deadletter.Letters{}}
}

func (b *Bus) know(topic string, dead deadletter.Letters) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.letters[topic] = dead
	b.figures.rung.WithLabelValues(topic)
}

// Letters are the dead facts of the relays on this bus, by topic, which is the
// name of the service that rings them.
func (b *Bus) Letters() map[string]deadletter.Letters {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.letters)
}

func laneOf(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int(h.Sum32() % lanes)
}

// The braces keep a topic's keys in one slot of a Redis Cluster.
func stream(topic string, lane int) string { return fmt.Sprintf("facts:{%s}:%d", topic, lane) }
func confirmations(topic string) string    { return "confirm:{" + topic + "}" }

// Ring tells the topic's listeners of the facts, in one round trip. A ring may
// get lost; a Relay makes up for it.
func (b *Bus) Ring(ctx context.Context, topic string, facts ...Fact) error {
	rings := make([]Pending, len(facts))
	for i, f := range facts {
		rings[i].Fact = f
	}
	return b.ring(ctx, topic, rings)
}

// ring is Ring for the groups that a fact awaits; without any, for all.
func (b *Bus) ring(ctx context.Context, topic string, rings []Pending) error {
	if len(rings) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	_, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, r := range rings {
			data, err := bson.Marshal(r.Fact)
			if err != nil {
				return fmt.Errorf("encode fact %s: %w", r.Fact.ID, err)
			}
			p.XAdd(ctx, &redis.XAddArgs{Stream: stream(topic, laneOf(r.Fact.Key)), MaxLen: laneLength, Approx: true,
				Values: []any{"fact", data, "to", strings.Join(r.Awaiting, " ")}})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ring %s: %w", topic, err)
	}
	b.figures.rung.WithLabelValues(topic).Add(float64(len(rings)))
	return nil
}

// Listen brings the topic's facts to handle until ctx ends, and confirms those
// that it takes. All listeners of one group, in whatever processes, share the
// work: each lane is read by one of them at a time. While Redis is away Listen
// waits, with growing patience; nothing but the end of ctx ends it.
func (b *Bus) Listen(ctx context.Context, topic, group string, handle Handler) error {
	l := &listener{
		Bus: b, topic: topic, group: group, handle: handle, name: rand.Text()[:16],
		owned: map[int]*lane{}, changed: make(chan struct{}, 1), reported: make(chan struct{}, 1),
		confirmed: b.figures.handled.WithLabelValues(topic, group, confirmedOutcome),
		failed:    b.figures.handled.WithLabelValues(topic, group, failedOutcome),
		postponed: b.figures.handled.WithLabelValues(topic, group, postponedOutcome),
	}
	b.figures.died.WithLabelValues(topic, group)
	defer l.releaseAll(context.WithoutCancel(ctx))
	who := group + " listening to " + topic
	work.Keep(ctx, b.log,
		work.Part{Name: "leases of " + who, Run: l.keepLeases},
		work.Part{Name: "reading of " + who, Run: l.read},
		work.Part{Name: "reports of " + who, Run: l.tell})
	return ctx.Err()
}

// A listener is one member of a group.
type listener struct {
	*Bus
	topic, group, name string // name: among the group's members
	handle             Handler

	confirmed, failed, postponed prometheus.Counter
	took                         atomic.Int64 // facts
	lately                       recent       // the facts taken, see again

	mu       sync.Mutex
	owned    map[int]*lane
	changed  chan struct{} // a lane was taken or given back
	reports  []report      // that are still to be told
	reported chan struct{} // there are some

	telling sync.Mutex // see tellAll
}

// A lane that this listener reads: entries wait in queue for its one worker.
type lane struct {
	queue chan redis.XMessage
	stop  context.CancelFunc
	done  chan struct{}
}

func (l *listener) leaseKey(n int) string {
	return fmt.Sprintf("lane:{%s}:%s:%d", l.topic, l.group, n)
}

func (l *listener) membersKey() string { return fmt.Sprintf("members:{%s}:%s", l.topic, l.group) }

// keepLeases takes and renews this listener's fair share of the lanes.
func (l *listener) keepLeases(ctx context.Context) error {
	trouble := trouble{bus: l.Bus}
	defer trouble.over(ctx)
	for ctx.Err() == nil {
		settled, err := l.shareLanes(ctx)
		if err != nil && ctx.Err() == nil {
			trouble.wait(ctx, err)
			continue
		}
		trouble.over(ctx)
		wait := leaseRenew
		if !settled {
			wait /= 4
		}
		work.Pause(ctx, work.Spread(wait))
	}
	return ctx.Err()
}

// share notes that a member (ARGV[1]) of the group lives, extends its leases
// (for ARGV[2] ms), and gives it free lanes up to its fair share. It answers
// that share, then the lanes that are the member's. The clock is Redis's own.
//
// leave ends a lease if it is the member's.
var (
	share = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[2])
local fair = math.ceil((#KEYS - 1) / redis.call('ZCARD', KEYS[1]))
local answer, free = {fair}, {}
for i = 2, #KEYS do
	local member = redis.call('GET', KEYS[i])
	if member == ARGV[1] then
		redis.call('PEXPIRE', KEYS[i], ARGV[2])
		answer[#answer + 1] = i - 2
	elseif not member then
		free[#free + 1] = i
	end
end
for _, i in ipairs(free) do
	if #answer > fair then break end
	redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])
	answer[#answer + 1] = i - 2
end
return answer`)
	leave = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end`)
)

// shareLanes makes the owned lanes those that are leased to this listener. It
// reports whether it need not look again soon.
func (l *listener) shareLanes(ctx context.Context) (settled bool, err error) {
	keys := make([]string, 1, 1+lanes)
	keys[0] = l.membersKey()
	for n := range lanes {
		keys = append(keys, l.leaseKey(n))
	}
	call, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	answer, err := share.Run(call, l.client, keys, l.name, leaseFor.Milliseconds()).Int64Slice()
	if err != nil {
		return false, err
	}
	if len(answer) == 0 {
		return false, errors.New("redis answered nothing to who shares the lanes")
	}
	fair, leased := int(answer[0]), answer[1:]
	var fresh []int
	for n := range lanes {
		l.mu.Lock()
		_, mine := l.owned[n]
		l.mu.Unlock()
		switch has := slices.Contains(leased, int64(n)); {
		case mine && !has: // forgotten, and taken by another
			l.drop(ctx, n)
		case !mine && has:
			fresh = append(fresh, n)
		}
	}
	if err := l.take(ctx, fresh); err != nil {
		return false, err
	}
	for i := fair; i < len(leased); i++ {
		l.release(ctx, int(leased[i]))
	}
	return len(leased) > 0 && len(leased) <= fair, nil
}

// take begins to read lanes, each with what its last reader left unfinished.
// The lease says that that one is gone, so nothing has to lie idle first.
func (l *listener) take(ctx context.Context, fresh []int) error {
	if len(fresh) == 0 {
		return nil
	}
	if err := l.makeGroups(ctx, fresh); err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	claims := make([]*redis.XAutoClaimCmd, len(fresh))
	_, err := l.client.Pipelined(call, func(p redis.Pipeliner) error {
		for i, n := range fresh {
			// More than a reader ever has in hand.
			claims[i] = p.XAutoClaim(call, &redis.XAutoClaimArgs{Stream: stream(l.topic, n), Group: l.group, Consumer: consumer, Start: "0-0", Count: 8 * readCount})
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, n := range fresh {
		left, _ := claims[i].Val()
		working, stop := context.WithCancel(ctx)
		la := &lane{queue: make(chan redis.XMessage, 2*readCount), stop: stop, done: make(chan struct{})}
		go func() {
			defer close(la.done)
			work.Keep(working, l.log, work.Part{Name: fmt.Sprintf("lane %d of %s", n, l.topic), Run: func(ctx context.Context) error {
				for len(left) > 0 {
					m := left[0]
					left = left[1:] // should it panic, it is rung again
					l.hear(ctx, n, m)
				}
				return l.work(ctx, n, la)
			}})
		}()
		l.owned[n] = la
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
	return nil
}

// drop stops reading a lane, waits for the fact in hand, and tells what became
// of it: who reads the lane next claims what is not acknowledged.
func (l *listener) drop(ctx context.Context, n int) {
	l.mu.Lock()
	la := l.owned[n]
	delete(l.owned, n)
	l.mu.Unlock()
	if la != nil {
		la.stop()
		<-la.done
		l.tellAll(ctx)
	}
}

func (l *listener) release(ctx context.Context, n int) {
	l.drop(ctx, n)
	call, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	_ = leave.Run(call, l.client, []string{l.leaseKey(n)}, l.name).Err() // else it expires
}

func (l *listener) releaseAll(ctx context.Context) {
	for n := range lanes {
		l.mu.Lock()
		_, mine := l.owned[n]
		l.mu.Unlock()
		if mine {
			l.release(ctx, n)
		}
	}
	call, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	_ = l.client.ZRem(call, l.membersKey(), l.name).Err()
}

// makeGroups makes the group on streams that do not know it. It begins with
// the oldest entry: what was rung before the group was there is not lost.
func (l *listener) makeGroups(ctx context.Context, ns []int) error {
	call, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	made, err := l.client.Pipelined(call, func(p redis.Pipeliner) error {
		for _, n := range ns {
			p.XGroupCreateMkStream(call, stream(l.topic, n), l.group, "0")
		}
		return nil
	})
	if err == nil {
		return nil
	}
	for _, cmd := range made {
		if err := cmd.Err(); err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
			return err
		}
	}
	return nil
}

// consumer is the one name under which a group's members read: the lease says
// whose lane it is, and names of the dead would stay in Redis for ever.
const consumer = "reader"

// behindFor is how soon a lane is looked at again that was too full to read.
const behindFor = 20 * time.Millisecond

// read fetches new entries of all owned lanes in one call and hands them to
// the lanes' workers. A lane whose worker is behind is left out: what is not
// read waits in Redis, and holds no other lane up.
func (l *listener) read(ctx context.Context) error {
	client, done := dedicated(ctx, l.client)
	defer done()
	trouble := trouble{bus: l.Bus}
	defer trouble.over(ctx)
	for ctx.Err() == nil {
		names, byName, behind := l.reading()
		block := l.block
		switch {
		case len(names) == 0 && !behind:
			select {
			case <-l.changed:
			case <-ctx.Done():
			}
			continue
		case len(names) == 0:
			work.Pause(ctx, behindFor)
			continue
		case behind:
			block = behindFor
		}
		args := make([]string, 0, 2*len(names))
		args = append(args, names...)
		for range names {
			args = append(args, ">")
		}
		results, err := client.XReadGroup(ctx, &redis.XReadGroupArgs{
			Group: l.group, Consumer: consumer, Streams: args, Count: readCount, Block: block,
		}).Result()
		switch {
		case errors.Is(err, redis.Nil), err == nil:
			trouble.over(ctx)
		case ctx.Err() != nil:
			return ctx.Err()
		case strings.HasPrefix(err.Error(), "NOGROUP"):
			// Redis has forgotten everything. The groups are made anew; the
			// facts are rung again.
			ns := make([]int, 0, len(byName))
			for _, r := range byName {
				ns = append(ns, r.n)
			}
			if err := l.makeGroups(ctx, ns); err != nil {
				work.Pause(ctx, 50*time.Millisecond)
			}
			continue
		default:
			trouble.wait(ctx, err)
			continue
		}
		for _, r := range results {
			la := byName[r.Stream].lane
			for _, m := range r.Messages {
				select {
				case la.queue <- m:
				case <-la.done: // given back meanwhile; its next reader claims the entry
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		entries := 0
		for _, r := range results {
			entries += len(r.Messages)
		}
		breathe(ctx, entries)
	}
	return ctx.Err()
}

// breathe waits after a ring or a read of so many facts: what comes meanwhile
// goes with the next one. A fact that comes alone, or one of 250 a second, is
// held up by four milliseconds at most, and one of thousands by twenty.
func breathe(ctx context.Context, facts int) {
	if facts > 0 {
		work.Pause(ctx, min(time.Duration(facts)*4*time.Millisecond, 20*time.Millisecond))
	}
}

type reading struct {
	n    int
	lane *lane
}

// reading is the lanes that have room for what a read may bring; behind
// reports whether there are others.
func (l *listener) reading() (names []string, byName map[string]reading, behind bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	names, byName = make([]string, 0, len(l.owned)), make(map[string]reading, len(l.owned))
	for n, la := range l.owned {
		if cap(la.queue)-len(la.queue) < readCount {
			behind = true
			continue
		}
		name := stream(l.topic, n)
		names, byName[name] = append(names, name), reading{n, la}
	}
	return names, byName, behind
}

// work handles one lane's facts one after another.
func (l *listener) work(ctx context.Context, n int, la *lane) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-la.queue:
			l.hear(ctx, n, m)
		}
	}
}

// hear handles one entry of a lane and reports what became of it. One whose
// handler failed is acknowledged as well: its relay rings it again when it is
// due, and is told of the failure where that is evidence against the fact.
func (l *listener) hear(ctx context.Context, n int, m redis.XMessage) {
	if ctx.Err() != nil {
		return
	}
	r := report{lane: n, entry: m.ID}
	if to, _ := m.Values["to"].(string); to != "" && !slices.Contains(strings.Fields(to), l.group) {
		l.report(r) // rung again for others
		return
	}
	data, _ := m.Values["fact"].(string)
	var f Fact
	if err := bson.Unmarshal([]byte(data), &f); err != nil || f.ID == "" {
		l.log.ErrorContext(ctx, "a fact cannot be read and is left out", "topic", l.topic, "entry", m.ID)
		l.report(r)
		return
	}
	if l.lately.has(f.again()) { // rung again while it waited here, or its confirmation got lost
		r.of(f)
		l.report(r)
		return
	}
	before := l.took.Load()
	err := l.handleOne(ctx, f)
	switch {
	case err == nil:
		l.took.Add(1)
		l.lately.add(f.again())
		l.confirmed.Inc()
		r.of(f)
	case ctx.Err() != nil: // we end, and the fact is whole: who reads the lane next claims it
		return
	case blames(err, l.took.Load() > before):
		l.failed.Inc()
		r.of(f)
		r.failure = l.note(ctx, f, err)
	default:
		l.postponed.Inc()
		l.note(ctx, f, err)
	}
	l.report(r)
}

// again is what two rings of one fact have in common. The id alone is not
// enough: a store that was restored counts the versions of its documents again,
// from where they were, and tells something else under the ids of before.
func (f *Fact) again() string { return f.ID + "@" + strconv.FormatInt(f.At.UnixMilli(), 36) }

// note logs that a fact was not taken, and says as much of it as may be kept:
// the error's code, and the reference of the line in the log.
func (l *listener) note(ctx context.Context, f Fact, err error) string {
	reference := telemetry.NewRequestID()
	l.log.WarnContext(telemetry.WithRequestID(ctx, reference), "a fact could not be taken; it is rung again",
		"topic", l.topic, "group", l.group, "fact", f.ID, "error", err)
	return fmt.Sprintf("%s (%s)", fault.Of(err).Code, reference)
}

// blames reports whether an error is evidence against the fact, and not merely
// of somebody else's absence. Running out of time may be either: it is the
// fact's fault if others were taken meanwhile.
func blames(err error, othersWereTaken bool) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Exhausted, fault.Canceled:
		return false
	case fault.DeadlineExceeded:
		return othersWereTaken
	}
	_, absent := errors.AsType[net.Error](err)
	return !absent
}

func (l *listener) handleOne(ctx context.Context, f Fact) error {
	defer l.turn(ctx)()
	ctx, cancel := context.WithTimeout(ctx, handleIn)
	defer cancel()
	return work.Safely(func() error { return l.handle(ctx, f) })
}

// Rush says that somebody waits for an answer of this process, until done is
// called. Meanwhile facts take turns. On a nil Bus it says nothing.
func (b *Bus) Rush() (done func()) {
	if b == nil {
		return func() {}
	}
	b.rushing.Add(1)
	return sync.OnceFunc(func() { b.rushing.Add(-1) })
}

// turn waits until the process has room for another fact. Who is buying comes
// first: as long as somebody is, what follows from it is taken up by as many at
// once as there are processors, halved, so that a rush of customers is answered,
// and its facts pile up in Redis and the stores for a while. A fact waits no
// longer than courtesy, or one that waits for a service that is away would hold
// up all. Where nobody is buying, each lane goes its own way: handlers wait for
// disks and other services most of the time, and in turns that time would add up.
func (b *Bus) turn(ctx context.Context) (done func()) {
	if b.rushing.Load() == 0 {
		return func() {}
	}
	wait := time.NewTimer(b.patient)
	defer wait.Stop()
	select {
	case b.turns <- struct{}{}:
		return func() { <-b.turns }
	case <-wait.C:
	case <-ctx.Done():
	}
	return func() {}
}

// dedicated is a client for reads that block, which end when ctx does and take
// no connections from others. done closes it.
func dedicated(ctx context.Context, client redis.UniversalClient) (_ redis.UniversalClient, done func()) {
	var own redis.UniversalClient
	switch c := client.(type) {
	case *redis.Client:
		o := *c.Options()
		o.PoolSize, o.MinIdleConns, o.MaxActiveConns = 2, 0, 0
		o.PushNotificationProcessor = nil // each client has its own
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		own = redis.NewClient(&o)
	case *redis.ClusterClient:
		o := *c.Options()
		o.PoolSize, o.MinIdleConns, o.MaxActiveConns = 2, 0, 0
		o.PushNotificationProcessor = nil // each client has its own
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		own = redis.NewClusterClient(&o)
	default: // its reads end within blockFor
		return client, func() {}
	}
	stop := context.AfterFunc(ctx, func() { _ = own.Close() })
	return own, func() {
		stop()
		_ = own.Close()
	}
}

// trouble is what one loop has with Redis. The bus tells of it once, however
// many of its loops are in it, and once more when all are out.
type trouble struct {
	bus   *Bus
	tries int
}

// wait waits before another try, longer each time.
func (t *trouble) wait(ctx context.Context, err error) {
	if t.tries++; t.tries == tellAfter && t.bus.away.Add(1) == 1 {
		t.bus.log.WarnContext(ctx, "redis is away; facts wait", "error", err)
	}
	work.Pause(ctx, work.BackOff(50*time.Millisecond, patienceMax, t.tries-1))
}

// over is called after a try that was not in vain, and when the loop ends.
func (t *trouble) over(ctx context.Context) {
	if t.tries >= tellAfter && t.bus.away.Add(-1) == 0 && ctx.Err() == nil {
		t.bus.log.InfoContext(ctx, "redis is back; facts are rung again")
	}
	t.tries = 0
}
