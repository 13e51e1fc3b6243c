package payment_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymenttest"
)

// A day of a shop: one order is bought and partly refunded, one is given up,
// one is given up after it was paid. It stops at the first error.
func aDay(ctx context.Context, c *payment.Cashier, method string) error {
	type call = func() (payment.Payment, error)
	authorise := func(order string) call {
		return func() (payment.Payment, error) {
			return c.Authorise(ctx, us, paymenttest.Want19(order, method))
		}
	}
	capture := func(order string) call {
		return func() (payment.Payment, error) { return c.Capture(ctx, us, order) }
	}
	void := func(order string) call {
		return func() (payment.Payment, error) { return c.Void(ctx, us, order) }
	}
	for _, do := range []call{
		authorise("sold"), capture("sold"), func() (payment.Payment, error) { return c.Refund(ctx, us, refundOf("sold", "a", 700)) },
		authorise("left"), void("left"),
		authorise("returned"), capture("returned"), void("returned"),
	} {
		if _, err := do(); err != nil && !errors.Is(err, payment.ErrState) {
			return err
		}
	}
	return nil
}

// TestDeathAtEveryWrite kills the payment service at each of its writes, once
// before and once after it is taken, and lets another one take over.
func TestDeathAtEveryWrite(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"pm_card_visa", "pm_card_answerLost"} {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s taken=%v", method, taken), func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					if n > 200 {
						t.Fatal("it never ends")
					}
					if !diesAndRecovers(t, method, n, taken) {
						if n < 15 {
							t.Errorf("only %d writes in a day", n)
						}
						return
					}
				}
			})
		}
	}
}

func diesAndRecovers(t *testing.T, method string, n int, taken bool) (died bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { died = die(t, method, n, taken) })
	return died
}

func die(t *testing.T, method string, n int, taken bool) bool {
	w := paymenttest.New(t)
	var reaper docstoretest.Reaper
	if taken {
		reaper.DieAfter(n)
	} else {
		reaper.DieBefore(n)
	}
	mortal, err := payment.New(t.Context(), w.Options(reaper.Wrap(w.Store)))
	if err == nil {
		err = aDay(t.Context(), mortal, method)
		if closed := mortal.Close(); closed != nil {
			t.Fatal(closed)
		}
	}
	if !reaper.Dead() {
		if err != nil {
			t.Fatalf("nobody died, and yet: %v", err)
		}
		return false
	}
	if !errors.Is(err, docstore.ErrUnavailable) {
		t.Fatalf("write %d: died, and the caller heard %v", n, err)
	}

	// Nobody calls again: the sweeper alone brings it to an end.
	w.Pass(16 * time.Second)
	w.Settle("sold", "left", "returned")
	w.WantBooksAgree()
	for _, id := range []string{"sold", "left", "returned"} {
		if l := w.Ledger(id); l.Charges > 1 || l.Captures > 1 {
			t.Errorf("write %d: charged twice: %+v", n, l)
		}
	}

	// The shop calls again, and everything comes out as if nothing had been.
	if err := aDay(t.Context(), w.Cashier, method); err != nil {
		t.Fatalf("write %d: the day after: %v", n, err)
	}
	w.Settle("sold", "left", "returned")
	w.WantLedger("sold", 1, 0, 1999, 700)
	w.WantLedger("returned", 1, 0, 1999, 1999)
	if l := w.Ledger("left"); l.Held != 0 || l.Captured != 0 {
		t.Errorf("write %d: %+v", n, l)
	}
	if rep := w.WantBooksAgree(); rep.Unsettled != 0 {
		t.Errorf("write %d: %d unsettled", n, rep.Unsettled)
	}
	if t.Failed() {
		t.Fatalf("at write %d", n)
	}
	return true
}
