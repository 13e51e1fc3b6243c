package order_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// BenchmarkCheckout is whole checkouts, durable on disk, through all services
// in one process and the sandbox's processor over HTTP; carts are made before.
func BenchmarkCheckout(b *testing.B) {
	for _, clients := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			s := ordertest.New(b, ordertest.OnDisk())
			s.Receive("shirt", map[string]int64{"berlin": 1_000_000})
			s.Receive("ebook", map[string]int64{"berlin": 1_000_000})
			ins := make([]order.CheckoutInput, b.N)
			for i := range ins {
				ins[i] = s.Input(s.Cart("shirt", "ebook", 2))
			}
			var next atomic.Int64
			b.ResetTimer()
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						got, err := s.Orders.Checkout(background, identity.Caller{}, ins[i])
						if err != nil || got.Order.Status != order.Confirmed {
							b.Errorf("%+v %v", got.Order, err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checkouts/s")
		})
	}
}

// BenchmarkToldOf is what one fact of another service costs the order: a write
// of its document, durable on disk. There are about four to each order: of its
// invoice, its mail, and its SMS, which is sent and arrives.
func BenchmarkToldOf(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			s := ordertest.New(b, ordertest.OnDisk())
			s.Receive("shirt", map[string]int64{"berlin": 1_000_000})
			s.Receive("ebook", map[string]int64{"berlin": 1_000_000})
			ids := make([]string, 64)
			for i := range ids {
				ids[i] = s.Buy(s.Input(s.Cart("shirt", "ebook", 2))).Order.ID
			}
			var next atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						id := ids[i%int64(len(ids))]
						data, err := bson.Marshal(order.Told{ID: fmt.Sprint(i), Kind: "confirmed", Channel: "SMS", Status: "SENT"})
						if err != nil {
							b.Error(err)
							return
						}
						fact := events.Fact{ID: fmt.Sprint(i), Type: order.FactTold, Key: id, At: time.Unix(i, 0), Data: data}
						if err := s.Orders.HearMessage(background, fact); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}
