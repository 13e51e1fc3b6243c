package payment_test

import (
	"strings"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymenttest"
)

// nothing is a gateway that panics whatever it is asked.
type nothing struct{ payment.Gateway }

// A call to the processor is made in a goroutine of its own, where a panic
// would end the process, and again as soon as it is back.
func TestAPanicAtTheProcessorIsNotTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.Gateway, o.InlineFor = nothing{}, 50*time.Millisecond }))
		want(t, payment.Authorising)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
		w.Pass(time.Minute)
		if err := w.Cashier.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(w.Log.String(), "payment: panic"); n != 2 {
			t.Errorf("%d panics were logged, want that of the call and that of the sweep", n)
		}
	})
}

func TestWorkersOutlivePanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		var trap docstoretest.Trap
		trap.Outlived(t, w.Another(trap.Wrap(w.Store)).Run)
	})
}
