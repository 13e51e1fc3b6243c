package order_test

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// TestWhatOthersHaveDoneIsNoted tells an order of papers and messages, in and
// out of turn, and twice: it takes over what is news, shows that to who watches
// it, and tells no service.
func TestWhatOthersHaveDoneIsNoted(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bus, bell := newBus(t), live.NewBell(client, nil)
	hub := live.NewHub(live.Options{Client: client, Sweep: time.Hour, Poll: time.Hour, Recheck: time.Hour})
	s := ordertest.New(t, ordertest.Connected(bus, "probe"), ordertest.Rung(bell))
	topic := live.NewTopic[order.Order](hub, order.LiveTopic, func(ctx context.Context, ids []string) (map[string]int64, error) {
		return s.Orders.Versions(ctx, identity.Ourselves(), ids)
	})
	working, stop := context.WithCancel(background)
	var work sync.WaitGroup
	work.Go(func() { _ = bell.Run(working) })
	work.Go(func() { _ = hub.Run(working) })
	var mu sync.Mutex
	var heard []order.Changed
	work.Go(func() {
		_ = bus.Listen(working, order.Topic, "probe", func(_ context.Context, f events.Fact) error {
			var c order.Changed
			if err := bson.Unmarshal(f.Data, &c); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, c)
			return nil
		})
	})
	t.Cleanup(func() { stop(); work.Wait() })
	eventually(t, "the hub listens", func() bool { return hub.Stats().Connected })
	s.Receive("mug", map[string]int64{"berlin": 5})
	s.Work()
	bought := s.Buy(s.Input(s.Cart("mug")))
	id := bought.Order.ID

	stream, err := topic.Watch(working, live.Watch[order.Order]{Key: id, After: bought.Order.Version, Load: func(ctx context.Context) (order.Order, int64, error) {
		o, err := s.Orders.Get(ctx, identity.Caller{}, id, bought.AccessToken)
		return o, o.Version, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	told := func(message, kind, channel, status string, later time.Duration) {
		t.Helper()
		data, err := bson.Marshal(order.Told{ID: message, Kind: kind, Channel: channel, Status: status})
		if err != nil {
			t.Fatal(err)
		}
		err = bus.Ring(background, order.NotificationTopic, events.Fact{ID: message + status + later.String(), Type: order.FactTold, Doc: message, Key: id, At: at.Add(later), Data: data})
		if err != nil {
			t.Fatal(err)
		}
	}
	ready := func(doc string) {
		t.Helper()
		if err := bus.Ring(background, order.InvoiceTopic, events.Fact{ID: doc + ":3", Type: order.FactInvoice, Doc: doc, Key: id, At: at}); err != nil {
			t.Fatal(err)
		}
	}
	const mail, sms = "order:1:confirmed", "order:1:confirmed:sms"
	told(sms, "confirmed", "SMS", "SENT", 0)
	told(sms, "confirmed", "SMS", "DELIVERED", time.Second)
	told(sms, "confirmed", "SMS", "SENT", 0)                              // late
	told(sms, "confirmed", "SMS", "DELIVERED", time.Second)               // twice
	told(sms, "confirmed", "SMS", "UNDELIVERED", 2*time.Second)           // it has arrived
	told(mail, "confirmed", "MAIL", "DEAD", 0)                            //
	told(mail, "confirmed", "MAIL", "SENT", time.Minute)                  // replayed
	told(mail+":again", "confirmed", "MAIL", "DEAD", 2*time.Minute)       // sent once more
	told(mail, "confirmed", "MAIL", "SENT", time.Minute)                  // late
	told(mail+":first", "confirmed", "MAIL", "DELIVERED", -2*time.Minute) // of an older one
	ready(id)
	ready(id)
	ready(id + "-credit")
	told("order:1:invoice", "invoice", "MAIL", "SENT", time.Hour) // the last

	want := []order.Message{
		{ID: sms, Kind: "confirmed", Channel: "SMS", Status: "DELIVERED", At: at.Add(time.Second)},
		{ID: mail + ":again", Kind: "confirmed", Channel: "MAIL", Status: "DEAD", At: at.Add(2 * time.Minute)},
		{ID: "order:1:invoice", Kind: "invoice", Channel: "MAIL", Status: "SENT", At: at.Add(time.Hour)},
	}
	papers := []order.Paper{{ID: id, Kind: order.PaperInvoice, At: at}, {ID: id + "-credit", Kind: order.PaperCreditNote, At: at}}
	last := *bought.Order
	for !slices.Equal(last.Messages, want) || !slices.Equal(last.Papers, papers) {
		var o order.Order
		select {
		case o = <-stream.C():
		case <-time.After(time.Minute):
			t.Fatalf("the watcher saw last\n%+v\n%+v", last.Papers, last.Messages)
		}
		before, now := last, o
		before.Version = now.Version
		if o.Version <= last.Version || reflect.DeepEqual(before, now) || o.Status != order.Confirmed {
			t.Errorf("after version %d came\n%+v", last.Version, o)
		}
		last = o
	}
	if got := s.Order(id); got.Version != last.Version {
		t.Errorf("version %d is shown, %d was seen last", got.Version, last.Version)
	}

	// Facts of one order are heard in turn, so this one comes after all others.
	if _, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: id, AccessToken: bought.AccessToken}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "others have heard of the end", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(heard, func(c order.Changed) bool { return c.Status == order.Refunded })
	})
	mu.Lock()
	defer mu.Unlock()
	for _, c := range heard {
		if c.Version > bought.Order.Version && c.Version <= last.Version {
			t.Errorf("services are told of version %d", c.Version)
		}
	}
}
