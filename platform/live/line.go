package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/work"
)

// answerWithin is how long Redis may take to let a connection listen.
const answerWithin = 5 * time.Second

// mostNames are subscribed to in one command.
const mostNames = 500

var errSilent = errors.New("redis does not answer any more")
var errMoved = errors.New("redis has moved the lane elsewhere")

// A line is one connection to Redis after another, and the things that are
// heard of on it. The hub's lock is its lock.
type line struct {
	hub     *Hub
	name    string            // a channel that is always subscribed to; in a cluster it leads to the right node
	things  map[string]*thing // by channel
	changes []*thing          // to be subscribed to or left
	up      bool              // a connection listens
	wake    chan struct{}
	away    bool // it was said that Redis is away; run's own
}

// change has the writer look at a thing. The lock is held.
func (l *line) change(th *thing) {
	if l.up && !th.changed {
		th.changed = true
		l.changes = append(l.changes, th)
		poke(l.wake)
	}
}

// left is told that nobody watches a thing any more. The lock is held.
func (l *line) left(th *thing) {
	if th.subscribed {
		l.change(th)
	} else {
		delete(l.things, th.name)
	}
}

// run listens as long as the hub works. While there is no connection, the
// topics poll.
func (l *line) run(ctx context.Context) {
	defer l.down()
	var trouble patience
	for ctx.Err() == nil {
		err := l.hub.guard(func() error { return l.session(ctx) })
		if ctx.Err() != nil {
			return
		}
		if l.down() {
			trouble = patience{}
		}
		wait := trouble.next()
		if !l.away {
			l.away = true
			l.hub.o.Log.WarnContext(ctx, "redis is away; live updates are polled meanwhile", "line", l.name, "error", err, "again", wait)
		}
		if cluster, ok := l.hub.o.Client.(*redis.ClusterClient); ok {
			cluster.ReloadState(ctx) // the lane may have moved
		}
		work.Pause(ctx, wait)
	}
}

// session is one connection, from when it is made until it is lost. Whether
// Redis knows sharded pub/sub is found out on each by trying.
func (l *line) session(ctx context.Context) error {
	conn, err := l.open(ctx, true)
	sharded := err == nil
	if unknown(err) {
		conn, err = l.open(ctx, false)
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	working, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(working, func() { _ = conn.Close() }) // which ends the read
	defer stop()
	l.raise()
	if l.away {
		l.away = false
		l.hub.o.Log.InfoContext(ctx, "redis is back; live updates are heard again", "line", l.name)
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		defer cancel()
		_ = l.hub.guard(func() error { return l.write(working, conn, sharded) })
	})
	defer writer.Wait()
	defer cancel()
	return l.read(working, conn)
}

// open connects and waits until Redis has confirmed that it listens.
func (l *line) open(ctx context.Context, sharded bool) (*redis.PubSub, error) {
	conn := l.hub.o.Client.Subscribe(ctx) // to nothing yet
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	err := subscribe(ctx, conn, sharded, l.name)
	if err == nil {
		_, err = conn.ReceiveTimeout(ctx, answerWithin)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func subscribe(ctx context.Context, conn *redis.PubSub, sharded bool, names ...string) error {
	if sharded {
		return conn.SSubscribe(ctx, names...)
	}
	return conn.Subscribe(ctx, names...)
}

func unsubscribe(ctx context.Context, conn *redis.PubSub, sharded bool, names ...string) error {
	if sharded {
		return conn.SUnsubscribe(ctx, names...)
	}
	return conn.Unsubscribe(ctx, names...)
}

// unknown reports whether a server said that it does not know a command, or
// not for us.
func unknown(err error) bool {
	_, ok := errors.AsType[redis.Error](err)
	return ok && (strings.HasPrefix(err.Error(), "ERR unknown command") || strings.HasPrefix(err.Error(), "NOPERM"))
}

// read takes what Redis says until the connection is lost. It goes on for no
// error: the driver would connect anew behind our back.
func (l *line) read(ctx context.Context, conn *redis.PubSub) error {
	silent := false
	for {
		said, err := conn.ReceiveTimeout(ctx, l.hub.o.Ping)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
			if silent {
				return errSilent
			}
			silent = true
			if err := conn.Ping(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		silent = false
		switch said := said.(type) {
		case *redis.Message:
			l.notice(said.Channel, said.Payload)
		case *redis.Subscription:
			switch {
			case said.Kind == "subscribe" || said.Kind == "ssubscribe":
				l.confirmed(said.Channel)
			case said.Channel == l.name: // not our wish: a cluster has moved the slot
				return errMoved
			}
		}
	}
}

func (l *line) notice(channel, text string) {
	version, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return
	}
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	switch th := l.things[channel]; {
	case th == nil:
	case version == Changed:
		th.topic.mark(th)
		poke(th.topic.wake)
	default:
		l.hub.heard(th, version)
	}
}

// confirmed is told that from now on nothing is missed of a thing. What came
// before is found by asking once more.
func (l *line) confirmed(channel string) {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	if th := l.things[channel]; th != nil {
		th.topic.mark(th)
		poke(th.topic.wake)
	}
}

// write subscribes and unsubscribes, many at once. It alone does, in order, so
// that a thing that is left and watched again at once ends subscribed.
func (l *line) write(ctx context.Context, conn *redis.PubSub, sharded bool) error {
	for {
		begin, end := l.takeChanges()
		if len(begin) > 0 {
			if err := subscribe(ctx, conn, sharded, begin...); err != nil {
				return fmt.Errorf("subscribe: %w", err)
			}
		}
		if len(end) > 0 {
			if err := unsubscribe(ctx, conn, sharded, end...); err != nil {
				return fmt.Errorf("unsubscribe: %w", err)
			}
		}
		if len(begin)+len(end) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.wake:
		}
	}
}

func (l *line) takeChanges() (begin, end []string) {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	n := min(len(l.changes), mostNames)
	for _, th := range l.changes[:n] {
		th.changed = false
		switch {
		case len(th.rooms) > 0 && !th.subscribed:
			th.subscribed = true
			begin = append(begin, th.name)
		case len(th.rooms) == 0 && th.subscribed:
			th.subscribed = false
			delete(l.things, th.name)
			end = append(end, th.name)
		}
	}
	clear(l.changes[:n])
	if l.changes = l.changes[n:]; len(l.changes) == 0 {
		l.changes = nil
	}
	return begin, end
}

// raise says that a connection listens; all things are to be subscribed to.
func (l *line) raise() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.up = true
	for _, th := range l.things {
		l.change(th)
	}
	l.hub.wakeTopics()
}

// down says that no connection listens, and reports whether one did.
func (l *line) down() bool {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	was := l.up
	l.up, l.changes = false, nil
	for name, th := range l.things {
		th.subscribed, th.changed = false, false
		if len(th.rooms) == 0 {
			delete(l.things, name)
		}
	}
	if was {
		l.hub.wakeTopics()
	}
	return was
}

func (h *Hub) wakeTopics() {
	for _, t := range h.topics {
		poke(t.wake)
	}
}
