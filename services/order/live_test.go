package order_test

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// TestWhoWatchesIsToldOfEveryChange follows an order from the bank's question
// to the refund. The hub asks for versions only when it begins to listen, so
// whatever comes later was rung; and nothing comes that shows no change.
func TestWhoWatchesIsToldOfEveryChange(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bell := live.NewBell(client, nil)
	hub := live.NewHub(live.Options{Client: client, Sweep: time.Hour, Poll: time.Hour, Recheck: time.Hour})
	s := ordertest.New(t, ordertest.Connected(newBus(t), "probe"), ordertest.Rung(bell))
	topic := live.NewTopic[*order.Order](hub, order.LiveTopic, func(ctx context.Context, ids []string) (map[string]int64, error) {
		return s.Orders.Versions(ctx, identity.Ourselves(), ids)
	})
	working, stop := context.WithCancel(background)
	var work sync.WaitGroup
	work.Go(func() { _ = bell.Run(working) })
	work.Go(func() { _ = hub.Run(working) })
	t.Cleanup(func() { stop(); work.Wait() })
	eventually(t, "the hub listens", func() bool { return hub.Stats().Connected })
	s.Receive("mug", map[string]int64{"berlin": 5})
	s.Work()

	got := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying("pm_card_authenticationRequired")))
	id, token := got.Order.ID, got.AccessToken
	stream, err := topic.Watch(working, live.Watch[*order.Order]{Key: id, Load: func(ctx context.Context) (*order.Order, int64, error) {
		o, err := s.Orders.Get(ctx, identity.Caller{}, id, token)
		return &o, o.Version, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	last := &order.Order{}
	until := func(status order.Status) {
		t.Helper()
		for last.Status != status {
			var o *order.Order
			select {
			case o = <-stream.C():
			case <-time.After(30 * time.Second):
				t.Fatalf("the order is %s, the watcher saw %s", s.Order(id).Status, last.Status)
			}
			before, now := *last, *o
			before.Version = now.Version
			if o.Version <= last.Version || reflect.DeepEqual(before, now) {
				t.Errorf("after version %d came\n%+v", last.Version, o)
			}
			last = o
		}
	}
	until(order.Paying)
	books, err := s.Processor.Ledger(background, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Processor.Decide(background, books.Orders[0].Intents[0], true); err != nil {
		t.Fatal(err)
	}
	until(order.Confirmed)
	if _, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: id, AccessToken: token, Reason: "too blue"}); err != nil {
		t.Fatal(err)
	}
	until(order.Refunded)
	if last.CancelReason != "too blue" || last.Version != s.Order(id).Version {
		t.Errorf("the last that came is %+v", last)
	}
}
