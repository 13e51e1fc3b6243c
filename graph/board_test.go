package graph

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/graph/gengql"
	"ordergraph/platform/activity"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/services/order"
)

// A watchedBoard is a gateway's look at what one process of a service counts,
// in a bubble.
type watchedBoard struct {
	*Resolver
	t     *testing.T
	asked *asked
	count *activity.Recorder
}

// asked counts how often the services are asked, for whom, and from when on.
type asked struct {
	activity.Board
	mu     sync.Mutex
	shared int // for all who watch
	own    int // for one of them
}

func (a *asked) Read(ctx context.Context, who identity.Caller, from time.Time) (activity.Report, error) {
	a.mu.Lock()
	if who.Is(identity.System) {
		a.shared++
	} else {
		a.own++
	}
	a.mu.Unlock()
	return a.Board.Read(ctx, who, from)
}

func (a *asked) take() (shared, own int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	shared, own = a.shared, a.own
	a.shared, a.own = 0, 0
	return shared, own
}

func inBubble(t *testing.T, test func(t *testing.T, b *watchedBoard)) {
	synctest.Test(t, func(t *testing.T) {
		counts, err := activity.Open(t.Context(), activity.Options{Store: docstoretest.Memory(t)})
		if err != nil {
			t.Fatal(err)
		}
		hub := live.NewHub(live.Options{})
		ctx, end := context.WithCancel(context.Background())
		var work sync.WaitGroup
		work.Go(func() { _ = hub.Run(ctx) })
		work.Go(func() { _ = counts.Run(ctx) })
		defer work.Wait()
		defer end()
		b := &watchedBoard{&Resolver{}, t, &asked{Board: counts}, counts}
		b.activity = b.asked
		b.watch(hub)
		test(t, b)
	})
}

// open has somebody watch the last three minutes.
func (b *watchedBoard) open(ctx context.Context, who identity.Caller) *live.Stream[*gengql.ShopActivity] {
	b.t.Helper()
	s, err := b.watched.activity.Watch(ctx, live.Watch[*gengql.ShopActivity]{
		Key: wholeShop, Audience: audience(who, "3"), Load: func(ctx context.Context) (*gengql.ShopActivity, int64, error) {
			return b.readActivity(ctx, who, 3)
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// next is what somebody sees next, and how long it took to come.
func (b *watchedBoard) next(from *live.Stream[*gengql.ShopActivity]) (*gengql.ShopActivity, time.Duration) {
	b.t.Helper()
	began := time.Now()
	select {
	case shown, ok := <-from.C():
		if !ok {
			b.t.Fatalf("the stream has ended: %v", from.Err())
		}
		return shown, time.Since(began)
	case <-time.After(10 * time.Minute):
		b.t.Fatal("nothing comes")
		return nil, 0
	}
}

var merchant = identity.Caller{CustomerID: "mary", Roles: []identity.Role{identity.Merchant}}

// While nothing happens nothing is sent, but at every full minute; what
// happens is seen within seconds.
func TestTheBoardMovesWithTheShopAndTheClock(t *testing.T) {
	inBubble(t, func(t *testing.T, b *watchedBoard) {
		time.Sleep(10 * time.Second) // past a full minute
		stream := b.open(t.Context(), merchant)
		first, took := b.next(stream)
		if took > 0 || first.Total.Placed != 0 || len(first.Minutes) != 3 {
			t.Errorf("after %v: %+v", took, first)
		}
		second, took := b.next(stream)
		if took < 50*time.Second || took > 52*time.Second {
			t.Errorf("the next came after %v, 50 s before the next full minute", took)
		}
		if !second.Minutes[1].At.Equal(first.Minutes[2].At) {
			t.Errorf("the window is from %v to %v", second.Minutes[0].At, second.Minutes[2].At)
		}
		for placed := range int32(3) {
			b.count.Count(order.CountPlaced, "")
			if shown, took := b.next(stream); took > 6*time.Second || shown.Total.Placed != placed+1 || shown.Minutes[2].Figures.Placed != placed+1 {
				t.Errorf("after %v: %+v", took, shown.Total)
			}
		}
	})
}

// However many watch, one looks; and nobody when nobody watches.
func TestOneLooksForAll(t *testing.T) {
	inBubble(t, func(t *testing.T, b *watchedBoard) {
		ctx, leave := context.WithCancel(t.Context())
		for range 50 {
			b.next(b.open(ctx, merchant))
		}
		b.next(b.open(ctx, identity.Caller{CustomerID: "adam", Roles: []identity.Role{identity.Admin}}))
		synctest.Wait()
		b.asked.take()
		time.Sleep(30 * time.Second)
		if shared, own := b.asked.take(); shared < 15 || shared > 30 || own > 0 {
			t.Errorf("in half a minute in which nothing happened the services were asked %d times for all, and %d times for one", shared, own)
		}
		b.count.Count(order.CountPlaced, "")
		time.Sleep(10 * time.Second)
		if _, own := b.asked.take(); own != 2 {
			t.Errorf("a change was fetched %d times for two people with 51 windows", own)
		}
		leave()
		synctest.Wait()
		time.Sleep(5 * time.Second)
		b.asked.take()
		time.Sleep(10 * time.Minute)
		if shared, own := b.asked.take(); shared+own > 0 {
			t.Errorf("nobody watches, and the services are asked %d times", shared+own)
		}
	})
}
