package order_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
	"ordergraph/services/payment"
)

func newBus(t *testing.T) *events.Bus {
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	return events.NewBus(client, nil)
}

// eventually waits for what other goroutines bring about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// TestFacts has a customer confirm at the bank: the bank tells the payment
// service, that tells the orders, and those tell who listens to them; not,
// however, of an order on its way, from which nothing follows.
func TestFacts(t *testing.T) {
	bus := newBus(t)
	s := ordertest.New(t, ordertest.Connected(bus, "probe"))
	s.Receive("mug", map[string]int64{"berlin": 5})
	var mu sync.Mutex
	heard := map[string][]order.Changed{}
	listening, stop := context.WithCancel(background)
	var probe sync.WaitGroup
	probe.Go(func() {
		_ = bus.Listen(listening, order.Topic, "probe", func(_ context.Context, f events.Fact) error {
			var c order.Changed
			if err := bson.Unmarshal(f.Data, &c); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			heard[f.Key] = append(heard[f.Key], c)
			return nil
		})
	})
	t.Cleanup(func() { stop(); probe.Wait() })
	s.Work()

	for range 3 { // the first may wait until all are listening
		aCustomerConfirms(t, s, &mu, heard)
	}
	s.WantInvariants()
}

func aCustomerConfirms(t *testing.T, s *ordertest.Shop, mu *sync.Mutex, heard map[string][]order.Changed) {
	got := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying("pm_card_authenticationRequired")))
	id := got.Order.ID
	if got.Order.Payment.State != string(payment.ActionNeeded) {
		t.Fatalf("%+v", got.Order.Payment)
	}
	books, err := s.Processor.Ledger(background, id)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := s.Processor.Decide(background, books.Orders[0].Intents[0], true); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the order is confirmed", func() bool { return s.Order(id).Status == order.Confirmed })
	t.Logf("confirmed %s after the customer", time.Since(began).Round(time.Millisecond))
	eventually(t, "the probe has heard it", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(heard[id], func(c order.Changed) bool { return c.Status == order.Confirmed })
	})
	mu.Lock()
	var story []order.Status
	for _, c := range heard[id] {
		if !slices.Contains(story, c.Status) {
			story = append(story, c.Status)
		}
	}
	mu.Unlock()
	if want := []order.Status{order.Confirmed}; !slices.Equal(story, want) {
		t.Errorf("heard %v, want %v", story, want)
	}
}

// TestARefundThatComesBack: the bank says that the money is back, and days
// later that it is not.
func TestARefundThatComesBack(t *testing.T) {
	s := ordertest.New(t, ordertest.Connected(newBus(t)))
	s.Receive("mug", map[string]int64{"berlin": 5})
	s.Work()
	got := s.Buy(s.Input(s.Cart("mug"), ordertest.Paying("pm_card_refundFail")))
	if _, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken}); err != nil {
		t.Fatal(err)
	}
	refunded := func(o order.Order) int {
		n := 0
		for _, e := range o.Timeline {
			if e.Status == order.Cancelled {
				n++
			}
		}
		return n
	}
	eventually(t, "the refund is made again", func() bool {
		s.Clock.Pass(time.Minute)
		time.Sleep(20 * time.Millisecond)
		return refunded(s.Order(got.Order.ID)) > 1
	})
}
