package notification_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
)

// Who watches an order's messages is told of every change, and who listens of
// all that was sent and arrived. The hub asks for versions only when it begins
// to listen, so what comes later was rung.
func TestEveryChangeIsTold(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bell, bus := live.NewBell(client, nil), events.NewBus(client, nil)
	hub := live.NewHub(live.Options{Client: client, Sweep: time.Hour, Poll: time.Hour, Recheck: time.Hour})
	w := notificationtest.NewShop(t)
	k := w.Copy(w.Store, nil, func(o *notification.Options) { o.Bus, o.Bell, o.Listeners, o.Grace = bus, bell, []string{"probe"}, -1 })
	topic := live.NewTopic[*notification.OrderMessages](hub, notification.LiveTopic, func(ctx context.Context, ids []string) (map[string]int64, error) {
		return k.Versions(ctx, identity.Ourselves(), ids)
	})
	var mu sync.Mutex
	told := map[notification.Told]int{}
	working, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = bell.Run(working) })
	all.Go(func() { _ = hub.Run(working) })
	all.Go(func() { _ = k.Run(working) })
	all.Go(func() {
		_ = bus.Listen(working, notification.Topic, "probe", func(_ context.Context, f events.Fact) error {
			var what notification.Told
			if err := bson.Unmarshal(f.Data, &what); err != nil || f.Type != notification.FactTold {
				t.Errorf("%+v: %v", f, err)
			}
			mu.Lock()
			defer mu.Unlock()
			told[what]++
			return nil
		})
	})
	t.Cleanup(func() { stop(); all.Wait() })
	eventually(t, "the hub listens", func() bool { return hub.Stats().Connected })

	bought := w.Shop.Buy(w.Shop.Input(w.Shop.Cart("mug")))
	id, token := bought.Order.ID, bought.AccessToken
	stream, err := topic.Watch(working, live.Watch[*notification.OrderMessages]{Key: id, Load: func(ctx context.Context) (*notification.OrderMessages, int64, error) {
		m, err := k.OfOrder(ctx, identity.Caller{}, id, token)
		return &m, m.Version, err
	}})
	w.Must(err)
	last := &notification.OrderMessages{}
	until := func(what string, enough func(status map[string]notification.Status) bool) {
		t.Helper()
		for {
			status := map[string]notification.Status{}
			for _, n := range last.Notifications {
				status[string(n.Channel)] = n.Status
			}
			if enough(status) {
				return
			}
			select {
			case now := <-stream.C():
				if now.Version <= last.Version || reflect.DeepEqual(now.Notifications, last.Notifications) && last.Version > 0 {
					t.Errorf("after version %d came %+v", last.Version, now)
				}
				last = now
			case <-time.After(30 * time.Second):
				t.Fatalf("%s: the watcher saw %+v", what, last)
			}
		}
	}
	w.Must(k.HearOrder(t.Context(), notificationtest.Changed(bought.Order)))
	until("both are sent", func(s map[string]notification.Status) bool {
		return s["MAIL"] == notification.Sent && s["SMS"] == notification.Sent
	})
	sms := "order:" + id + ":confirmed:sms"
	w.Must(k.Receive(t.Context(), notification.Receipt{ID: sms, Ref: "SM1", Status: notification.Delivered}))
	until("the SMS has arrived", func(s map[string]notification.Status) bool { return s["SMS"] == notification.Delivered })

	want := []notification.Told{
		{ID: "order:" + id + ":confirmed", Kind: notification.OrderConfirmed, Channel: notification.Mail, Status: notification.Sent},
		{ID: sms, Kind: notification.OrderConfirmed, Channel: notification.SMS, Status: notification.Delivered},
	}
	eventually(t, fmt.Sprintf("%+v are told", want), func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, what := range want {
			if told[what] == 0 {
				return false
			}
		}
		return true
	})
}

// eventually waits for something that is going to be so, however slow the
// machine is.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for began := time.Now(); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("not within 30 s: " + what)
		}
	}
}
