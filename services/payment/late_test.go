package payment_test

import (
	"fmt"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/sandbox/card"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymenttest"
)

// A shop that was dead for longer than the processor remembers idempotency
// keys looks up what it did before it does anything.
func TestKeysGrowOld(t *testing.T) {
	t.Parallel()
	const writesOfOpening = 1
	for name, die := range map[string]func(*docstoretest.Reaper){
		"it was done":     func(r *docstoretest.Reaper) { r.DieBefore(writesOfOpening + 2) },
		"it was not done": func(r *docstoretest.Reaper) { r.DieAfter(writesOfOpening + 1) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := paymenttest.New(t)
				faults(t, w, card.Faults{SearchLag: card.Duration(100 * time.Hour)}) // the list must do
				var reaper docstoretest.Reaper
				die(&reaper)
				mortal, err := payment.New(t.Context(), w.Options(reaper.Wrap(w.Store)))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := mortal.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")); err == nil {
					t.Fatal("it did not die")
				}
				if err := mortal.Close(); err != nil {
					t.Fatal(err)
				}
				w.Pass(21 * time.Hour)
				w.Settle("o")
				p := want(t, payment.Authorised)(w.Cashier.Get(t.Context(), us, "o"))
				looked := false
				for _, a := range p.Attempts {
					looked = looked || a.Kind == "look up"
				}
				if w.WantLedger("o", 1, 1999, 0, 0); looked != (name == "it was done") {
					// A look-up that finds nothing is not worth a line; the new key is.
					t.Errorf("attempts: %+v", p.Attempts)
				}
				if last := p.Attempts[len(p.Attempts)-1]; name == "it was not done" && last.Key != "o:authorise:2" {
					t.Errorf("an old key was used again: %+v", p.Attempts)
				}
			})
		})
	}
	t.Run("a refund", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := paymenttest.New(t)
			want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
			want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "o"))
			var reaper docstoretest.Reaper
			reaper.DieBefore(writesOfOpening + 2)
			mortal, err := payment.New(t.Context(), w.Options(reaper.Wrap(w.Store)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := mortal.Refund(t.Context(), us, refundOf("o", "a", 700)); err == nil {
				t.Fatal("it did not die")
			}
			if err := mortal.Close(); err != nil {
				t.Fatal(err)
			}
			w.Pass(21 * time.Hour)
			w.Settle("o")
			p := want(t, payment.Captured)(w.Cashier.Get(t.Context(), us, "o"))
			if p.Refunded != euro(700) || w.Ledger("o").Refunds != 1 {
				t.Errorf("refunds %+v, ledger %+v", p.Refunds, w.Ledger("o"))
			}
		})
	})
}

// Work that fails again and again is never dropped, can be seen, and can be
// tried at once.
func TestStruggling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 20 * time.Millisecond }))
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
		faults(t, w, card.Faults{Down: true})
		want(t, payment.Capturing)(w.Cashier.Capture(t.Context(), us, "o"))
		for range 12 {
			w.Pass(2 * time.Minute)
			if err := w.Cashier.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		list, err := w.Cashier.Struggling(t.Context(), 10)
		if err != nil || len(list) != 1 || list[0].OrderID != "o" {
			t.Fatalf("struggling: %+v %v", list, err)
		}
		faults(t, w, card.Faults{})
		w.Pass(30 * time.Second) // of the breaker
		want(t, payment.Captured)(w.Cashier.Hasten(t.Context(), "o"))
		w.WantLedger("o", 1, 0, 1999, 0)
		if list, err = w.Cashier.Struggling(t.Context(), 1); err != nil || len(list) != 0 {
			t.Errorf("struggling still: %+v %v", list, err)
		}
	})
}

// A processor that is away is not knocked at for every payment.
func TestPoliteness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 5 * time.Millisecond }))
		faults(t, w, card.Faults{Down: true})
		ids := make([]string, 60)
		attempts := func() (n int) {
			for _, id := range ids {
				p, err := w.Cashier.Get(t.Context(), us, id)
				if err != nil {
					t.Fatal(err)
				}
				n += len(p.Attempts)
			}
			return n
		}
		for i := range ids {
			ids[i] = fmt.Sprint("o-", i)
			want(t, payment.Authorising)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19(ids[i], "pm_card_visa")))
		}
		before := attempts()
		if before > len(ids)/2 {
			t.Errorf("%d attempts at a processor that is away", before)
		}
		w.Pass(35 * time.Second)
		if err := w.Cashier.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := attempts() - before; n > 3 {
			t.Errorf("%d attempts to see whether it is back", n)
		}
		faults(t, w, card.Faults{})
		w.Settle(ids...)
		for _, id := range ids {
			w.WantLedger(id, 1, 1999, 0, 0)
		}
		w.WantBooksAgree()
	})
}

// The processor's notice may settle what a dead copy of the service still
// leases.
func TestNoticeAboutADeadCopysWork(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		var reaper docstoretest.Reaper
		reaper.DieBefore(3) // opening the store, the attempt, and then its outcome
		mortal, err := payment.New(t.Context(), w.Options(reaper.Wrap(w.Store)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mortal.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")); err == nil {
			t.Fatal("it did not die")
		}
		if err := mortal.Close(); err != nil {
			t.Fatal(err)
		}
		want(t, payment.Authorising)(w.Cashier.Get(t.Context(), us, "o"))
		body := event(t, "o", w.Ledger("o").Intents[0], "requires_capture")
		if code := post(t, w, body, card.Sign(paymenttest.WebhookSecret, body, time.Now())); code != 200 {
			t.Fatalf("notice: %d", code)
		}
		want(t, payment.Authorised)(w.Cashier.Get(t.Context(), us, "o"))
		w.Pass(16 * time.Second)
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
		want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "o"))
		w.WantLedger("o", 1, 0, 1999, 0)
	})
}
