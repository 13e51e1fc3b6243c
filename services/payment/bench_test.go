package payment_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/sandbox/card"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymenttest"
)

// BenchmarkAuthoriseAndCapture takes money with the processor in the same
// process and both stores on disk.
func BenchmarkAuthoriseAndCapture(b *testing.B) {
	disk := func() docstore.Store {
		s, err := docstorelocal.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		return s
	}
	w := paymenttest.New(b, paymenttest.Webhooks(),
		paymenttest.Card(func(o *card.Options) { o.Store = disk() }),
		paymenttest.Cashier(func(o *payment.Options) { o.Store = disk() }))
	var n atomic.Int64
	b.SetParallelism(8) // 16 buyers on two cores
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		ctx := context.Background()
		for pb.Next() {
			order := fmt.Sprintf("o-%d", n.Add(1))
			if p, err := w.Cashier.Authorise(ctx, paymenttest.Us(), paymenttest.Want19(order, "pm_card_visa")); err != nil || p.State != payment.Authorised {
				b.Errorf("authorise: %v %v", p.State, err)
				return
			}
			if p, err := w.Cashier.Capture(ctx, paymenttest.Us(), order); err != nil || p.State != payment.Captured {
				b.Errorf("capture: %v %v", p.State, err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
}
