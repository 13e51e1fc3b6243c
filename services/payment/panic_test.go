package payment_test

import (
	"testing"
	"time"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/payment"
)

// nothing is a gateway that panics whatever it is asked.
type nothing struct{ payment.Gateway }

// A call to the processor is made in a goroutine of its own, where a panic
// would end the process, and again as soon as it is back.
func TestAPanicAtTheProcessorIsNotTheEnd(t *testing.T) {
	store, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	now := time.Now()
	c, err := payment.New(t.Context(), payment.Options{Store: store, Gateway: nothing{}, InlineFor: 50 * time.Millisecond, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	p, err := c.Authorise(t.Context(), identity.Ourselves(), payment.Request{OrderID: "order-1", Amount: money.Of(100, "EUR"), Method: "pm_card_visa"})
	if err != nil || p.State != payment.Authorising {
		t.Errorf("%s, %v", p.State, err)
	}
	now = now.Add(time.Minute)
	if err := c.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
}
