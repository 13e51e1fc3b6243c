package payment_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/platform/events"
	"ordergraph/sandbox/card"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymenttest"
)

// heldBack is a way to the processor on which the answer for the order "slow"
// takes until it is let through.
type heldBack struct {
	payment.Gateway
	through chan struct{}
}

func (h heldBack) Authorise(ctx context.Context, key string, req payment.Request) (payment.Intent, error) {
	in, err := h.Gateway.Authorise(ctx, key, req)
	if req.OrderID == "slow" {
		<-h.through
	}
	return in, err
}

// Who was answered with a pending payment hears of its end; who got the end as
// the answer is not rung for it.
func TestRingsWhatItOwes(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bus := events.NewBus(client, slog.New(slog.DiscardHandler))
	through := make(chan struct{})
	w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) {
		o.Bus, o.SweepEvery, o.Gateway = bus, 50*time.Millisecond, heldBack{o.Gateway, through}
	}))
	options := w.Options(w.Store)
	options.InlineFor = time.Millisecond
	hasty, err := payment.New(t.Context(), options) // it answers before the processor does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hasty.Close() })
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	heard := map[string]int{}
	run := func(what string, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
	t.Cleanup(func() { stop(); wg.Wait() })
	run("cashier", hasty.Run)
	run("listener", func(ctx context.Context) error {
		return bus.Listen(ctx, payment.Topic, "order", func(_ context.Context, f events.Fact) error {
			if f.Type != payment.FactChanged {
				t.Errorf("heard %+v", f)
			}
			mu.Lock()
			heard[f.Key]++
			mu.Unlock()
			return nil
		})
	})
	count := func(order string) int {
		mu.Lock()
		defer mu.Unlock()
		return heard[order]
	}

	want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("quick", "pm_card_visa")))
	want(t, payment.Authorising)(hasty.Authorise(t.Context(), us, paymenttest.Want19("slow", "pm_card_visa")))
	close(through)
	eventually(t, "the slow bank's answer rings", func() bool { return count("slow") > 0 })
	want(t, payment.Authorised)(w.Cashier.Get(t.Context(), us, "slow"))

	faults(t, w, card.Faults{Down: true})
	want(t, payment.Capturing)(hasty.Capture(t.Context(), us, "slow"))
	before := count("slow")
	faults(t, w, card.Faults{})
	eventually(t, "the capture rings", func() bool { return count("slow") > before })
	want(t, payment.Captured)(w.Cashier.Get(t.Context(), us, "slow"))

	p := want(t, payment.ActionNeeded)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("customer", "pm_card_authenticationRequired")))
	w.Answer(p, "confirm")
	w.Pass(16 * time.Second)
	eventually(t, "the customer's confirmation rings", func() bool { return count("customer") > 0 })
	if n := count("quick"); n != 0 {
		t.Errorf("the quick one rang %d times", n)
	}
}
