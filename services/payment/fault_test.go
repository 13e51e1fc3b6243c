package payment_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/money"
	"ordergraph/sandbox/card"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymenttest"
)

var us = paymenttest.Us()

func euro(minor int64) money.Amount { return money.Of(minor, "EUR") }

func refundOf(order, key string, minor int64) payment.RefundRequest {
	return payment.RefundRequest{OrderID: order, Key: key, Amount: euro(minor)}
}

// want fails unless the call answered with the state.
func want(t *testing.T, state payment.State) func(payment.Payment, error) payment.Payment {
	return func(p payment.Payment, err error) payment.Payment {
		t.Helper()
		if err != nil {
			t.Fatalf("want %s, got error %v", state, err)
		}
		if p.State != state {
			t.Fatalf("payment is %s %s, want %s; attempts %+v", p.State, p.Reason, state, p.Attempts)
		}
		return p
	}
}

func faults(t *testing.T, w *paymenttest.World, f card.Faults) {
	t.Helper()
	if err := w.Processor.SetFaults(f); err != nil {
		t.Fatal(err)
	}
}

// Answers that are lost after the processor has committed are found again
// while the caller waits, and nothing is done twice.
func TestAnswerLostAfterCommit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		w.Gateway.Close()
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("sold", "pm_card_answerLost")))
		want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "sold"))
		p := want(t, payment.Captured)(w.Cashier.Refund(t.Context(), us, refundOf("sold", "a", 700)))
		if p.Refunded != euro(700) {
			t.Errorf("refunded %v", p.Refunded)
		}
		w.WantLedger("sold", 1, 0, 1999, 700)
		if l := w.Ledger("sold"); l.Refunds != 1 || l.Captures != 1 || len(l.Intents) != 1 {
			t.Errorf("ledger: %+v", l)
		}

		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("voided", "pm_card_answerLost")))
		want(t, payment.Voided)(w.Cashier.Void(t.Context(), us, "voided"))
		w.WantLedger("voided", 1, 0, 0, 0)
		w.WantBooksAgree()
	})
}

// TestTrouble makes one kind of trouble during each operation, lets the
// processor recover, and looks whether everything was done once.
func TestTrouble(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]card.Faults{
		"answers lost": {Lost: 1},
		"down":         {Down: true},
		"busy":         {Busy: 1},
		"failing":      {Errors: 1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 120 * time.Millisecond }))
				during := func(order string, call func() (payment.Payment, error)) {
					t.Helper()
					faults(t, w, f)
					if _, err := call(); err != nil {
						t.Fatalf("a call in trouble is an error: %v", err)
					}
					faults(t, w, card.Faults{})
					w.Settle(order)
				}
				get := func(order string) (payment.Payment, error) { return w.Cashier.Get(t.Context(), us, order) }

				during("sold", func() (payment.Payment, error) {
					return w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("sold", "pm_card_visa"))
				})
				want(t, payment.Authorised)(get("sold"))
				w.WantLedger("sold", 1, 1999, 0, 0)
				during("sold", func() (payment.Payment, error) { return w.Cashier.Capture(t.Context(), us, "sold") })
				want(t, payment.Captured)(get("sold"))
				w.WantLedger("sold", 1, 0, 1999, 0)
				during("sold", func() (payment.Payment, error) { return w.Cashier.Refund(t.Context(), us, refundOf("sold", "a", 700)) })
				p := want(t, payment.Captured)(get("sold"))
				if p.Refunded != euro(700) || len(p.Refunds) != 1 {
					t.Errorf("refunds %+v", p.Refunds)
				}
				w.WantLedger("sold", 1, 0, 1999, 700)

				want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("voided", "pm_card_visa")))
				during("voided", func() (payment.Payment, error) { return w.Cashier.Void(t.Context(), us, "voided") })
				want(t, payment.Voided)(get("voided"))
				w.WantLedger("voided", 1, 0, 0, 0)

				during("declined", func() (payment.Payment, error) {
					return w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("declined", "pm_card_chargeDeclined"))
				})
				want(t, payment.Declined)(get("declined"))
				w.WantBooksAgree()
			})
		})
	}
}

// The card whose processor refuses the first three connections goes through
// while the customer waits.
func TestProcessorDownForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_processorDown")))
		want(t, payment.Captured)(w.Cashier.Capture(t.Context(), us, "o"))
		w.WantLedger("o", 1, 0, 1999, 0)
	})
}

// An authorisation that nobody answers is given up after ten minutes, and what
// it may have done is undone.
func TestGivenUpAfterManyAttempts(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]card.Faults{"never arrived": {Down: true}, "never answered": {Lost: 1}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 50 * time.Millisecond }))
				// Answers that are lost once are replayed at the next attempt; to lose
				// it for good, the processor goes down right after.
				faults(t, w, f)
				ctx, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
				defer cancel()
				if _, err := w.Cashier.Authorise(ctx, us, paymenttest.Want19("o", "pm_card_slow")); err != nil {
					t.Fatal(err)
				}
				if f.Lost > 0 {
					for w.Ledger("o").Charges == 0 {
						time.Sleep(time.Millisecond) // until the slow bank has committed
					}
				}
				faults(t, w, card.Faults{Down: true})
				for range 30 {
					w.Pass(time.Minute)
					if err := w.Cashier.Sweep(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				p, err := w.Cashier.Get(t.Context(), us, "o")
				if err != nil || p.State != payment.Voiding && p.State != payment.Authorised {
					t.Fatalf("%s %v; attempts %+v", p.State, err, p.Attempts)
				}
				faults(t, w, card.Faults{})
				w.Settle("o")
				p, err = w.Cashier.Get(t.Context(), us, "o")
				if err != nil {
					t.Fatal(err)
				}
				switch p.State {
				case payment.Declined:
					if p.Reason != payment.ReasonUnavailable {
						t.Errorf("declined as %s", p.Reason)
					}
					if l := w.Ledger("o"); l.Held != 0 || l.Captured != 0 {
						t.Errorf("given up, and yet: %+v", l)
					}
				case payment.Authorised: // the transport found the answer before the processor went down
				default:
					t.Errorf("payment is %s", p.State)
				}
				w.WantBooksAgree()
			})
		})
	}
}

// A Void that comes while the Authorise is with the processor, or while its
// outcome is unknown, ends with no money held.
func TestVoidRacesAuthorise(t *testing.T) {
	t.Parallel()
	t.Run("with the slow bank", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := paymenttest.New(t)
			for i := range 8 {
				order := fmt.Sprint("o-", i)
				var wg sync.WaitGroup
				wg.Go(func() {
					p, err := w.Cashier.Authorise(t.Context(), us, paymenttest.Want19(order, "pm_card_slow"))
					if err != nil || p.State == payment.Authorised {
						t.Errorf("authorise during void: %s %v", p.State, err)
					}
				})
				time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond) // any moment must do
				p, err := w.Cashier.Void(t.Context(), us, order)
				if err != nil || p.State != payment.Voided {
					t.Errorf("void: %s %v", p.State, err)
				}
				wg.Wait()
				if l := w.Ledger(order); l.Held != 0 || l.Captured != 0 {
					t.Errorf("ledger: %+v", l)
				}
			}
			w.WantBooksAgree()
		})
	})
	t.Run("never arrived", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 50 * time.Millisecond }))
			faults(t, w, card.Faults{Down: true})
			want(t, payment.Authorising)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
			want(t, payment.Voiding)(w.Cashier.Void(t.Context(), us, "o"))
			faults(t, w, card.Faults{})
			w.Settle("o")
			want(t, payment.Voided)(w.Cashier.Get(t.Context(), us, "o"))
			// The card's bank was never asked, not even to be told to forget it.
			w.WantLedger("o", 0, 0, 0, 0)
			// The first attempt may still be on its way: it finds its key spent.
			_, err := w.Gateway.Authorise(t.Context(), "o:authorise:1", paymenttest.Want19("o", "pm_card_visa"))
			if !errors.Is(err, payment.ErrSpent) {
				t.Errorf("a late attempt: %v, want ErrSpent", err)
			}
			w.WantLedger("o", 0, 0, 0, 0)
			w.WantBooksAgree()
		})
	})
	t.Run("arrived, answer unknown", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := paymenttest.New(t)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			want(t, payment.Authorising)(w.Cashier.Authorise(ctx, us, paymenttest.Want19("o", "pm_card_slow")))
			want(t, payment.Voided)(w.Cashier.Void(t.Context(), us, "o"))
			w.WantLedger("o", 1, 0, 0, 0)
			w.WantBooksAgree()
		})
	})
	t.Run("failed for good", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 20 * time.Millisecond }))
			faults(t, w, card.Faults{Errors: 1})
			want(t, payment.Authorising)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_visa")))
			faults(t, w, card.Faults{})
			p, err := w.Cashier.Void(t.Context(), us, "o")
			if err != nil {
				t.Fatal(p, err)
			}
			w.Settle("o")
			want(t, payment.Voided)(w.Cashier.Get(t.Context(), us, "o"))
			w.WantLedger("o", 0, 0, 0, 0)
		})
	})
}

// A Void during a Capture gives back what the Capture took.
func TestVoidRacesCapture(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		for i := range 20 {
			order := fmt.Sprint("o-", i)
			want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19(order, "pm_card_visa")))
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := w.Cashier.Capture(t.Context(), us, order); err != nil && !errors.Is(err, payment.ErrState) {
					t.Errorf("capture: %v", err)
				}
			})
			wg.Go(func() {
				if _, err := w.Cashier.Void(t.Context(), us, order); err != nil {
					t.Errorf("void: %v", err)
				}
			})
			wg.Wait()
			w.Settle(order)
			if l := w.Ledger(order); l.Held != 0 || l.Captured != l.Refunded {
				t.Errorf("ledger: %+v", l)
			}
		}
		w.WantBooksAgree()
	})
}

// A caller in a hurry gets an answer in time; the rest is done without him,
// and rung.
func TestCallerInAHurry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t)
		ctx, cancel := context.WithTimeout(t.Context(), 80*time.Millisecond)
		defer cancel()
		begun := time.Now()
		p := want(t, payment.Authorising)(w.Cashier.Authorise(ctx, us, paymenttest.Want19("o", "pm_card_slow")))
		if took := time.Since(begun); took >= 80*time.Millisecond || ctx.Err() != nil {
			t.Errorf("answered after %v, context: %v", took, ctx.Err())
		}
		if p.Attempts[0].Outcome != "" {
			t.Errorf("the attempt is known: %+v", p.Attempts)
		}
		// Another call for the same payment waits for the first one's attempt.
		want(t, payment.Authorised)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19("o", "pm_card_slow")))
		w.WantLedger("o", 1, 1999, 0, 0)
	})
}

// Several copies sweep one store and never call for one payment at once.
func TestSeveralSweepers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t, paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 30 * time.Millisecond }))
		faults(t, w, card.Faults{Down: true})
		const orders = 4
		for i := range orders {
			want(t, payment.Authorising)(w.Cashier.Authorise(t.Context(), us, paymenttest.Want19(fmt.Sprint("o-", i), "pm_card_slow")))
		}
		eventually(t, "the first attempts have ended", func() bool {
			for i := range orders {
				if p := want(t, payment.Authorising)(w.Cashier.Get(t.Context(), us, fmt.Sprint("o-", i))); p.Attempts[len(p.Attempts)-1].Outcome == "" {
					return false
				}
			}
			return true
		})
		faults(t, w, card.Faults{})
		copies := []*payment.Cashier{w.Another(w.Store), w.Another(w.Store), w.Another(w.Store)}
		w.Pass(2 * time.Minute)
		var wg sync.WaitGroup
		for _, c := range copies {
			wg.Go(func() {
				if err := c.Sweep(t.Context()); err != nil {
					t.Errorf("sweep: %v", err)
				}
			})
		}
		wg.Wait()
		for i := range orders {
			p := want(t, payment.Authorised)(w.Cashier.Get(t.Context(), us, fmt.Sprint("o-", i)))
			okays := 0
			for _, a := range p.Attempts {
				if a.Outcome == "ok" {
					okays++
				}
				if strings.Contains(a.Outcome, "idempotency") {
					t.Errorf("two at once: %+v", p.Attempts)
				}
			}
			if okays != 1 {
				t.Errorf("%d attempts succeeded: %+v", okays, p.Attempts)
			}
		}
	})
}

// Many buyers through a line that loses a fifth of all answers and fails in
// several other ways: when it has settled, everyone was charged once or not at
// all, and both books agree.
func TestStorm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t, paymenttest.Webhooks(),
			paymenttest.Card(func(o *card.Options) {
				o.Faults = card.Faults{Lost: 0.2, Errors: 0.05, Busy: 0.05, SearchLag: card.Duration(time.Hour), Twice: true, Shuffled: true}
			}),
			paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 300 * time.Millisecond }))
		const orders = 120
		ids := make([]string, orders)
		var wg sync.WaitGroup
		gate := make(chan struct{}, 16)
		for i := range orders {
			ids[i] = fmt.Sprint("o-", i)
			wg.Go(func() {
				gate <- struct{}{}
				defer func() { <-gate }()
				id := ids[i]
				p, err := w.Cashier.Authorise(t.Context(), us, paymenttest.Want19(id, "pm_card_visa"))
				if err == nil && p.State == payment.Authorised && i%4 != 0 {
					if p, err = w.Cashier.Capture(t.Context(), us, id); err == nil && p.State == payment.Captured && i%4 == 1 {
						_, err = w.Cashier.Refund(t.Context(), us, refundOf(id, "a", 999))
					}
				}
				if i%4 == 0 || i%4 == 2 {
					_, err = w.Cashier.Void(t.Context(), us, id)
				}
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
			})
		}
		wg.Wait()
		faults(t, w, card.Faults{SearchLag: card.Duration(time.Hour)})
		w.Settle(ids...)
		for i, id := range ids {
			p, err := w.Cashier.Get(t.Context(), us, id)
			l := w.Ledger(id)
			if err != nil || l.Captures > 1 || l.Charges > 1 {
				t.Errorf("%s: %v, ledger %+v", id, err, l)
			}
			if kept := l.Captured - l.Refunded; kept != p.Captured.Minor-p.Refunded.Minor {
				t.Errorf("%s: the processor kept %d, we think %v - %v", id, kept, p.Captured, p.Refunded)
			}
			if (i%4 == 0 || i%4 == 2) && (l.Held != 0 || l.Captured != l.Refunded) {
				t.Errorf("%s was voided, and yet: %+v", id, l)
			}
		}
		rep := w.WantBooksAgree()
		if rep.Unsettled != 0 || rep.Payments != orders {
			t.Errorf("audit: %+v", rep)
		}
	})
}

// Nothing of the customer's, and none of our secrets, is in the log.
func TestLogsKeepSecrets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := paymenttest.New(t, paymenttest.Webhooks(), paymenttest.Cashier(func(o *payment.Options) { o.InlineFor = 50 * time.Millisecond }))
		for i, f := range []card.Faults{{}, {Lost: 1}, {Errors: 1}, {Busy: 1}, {Down: true}} {
			for j, method := range []string{"pm_card_visa", "pm_card_chargeDeclined", "pm_card_nobodyKnows"} {
				faults(t, w, f)
				id := fmt.Sprintf("o-%d-%d", i, j)
				p, err := w.Cashier.Authorise(t.Context(), us, paymenttest.Want19(id, method))
				if err != nil {
					t.Fatal(err)
				}
				faults(t, w, card.Faults{})
				w.Settle(id)
				for _, a := range p.Attempts {
					if strings.Contains(a.Outcome, "@") {
						t.Errorf("attempt: %+v", a)
					}
				}
			}
		}
		log := w.Log.String()
		if !strings.Contains(log, "the processor did not do it") {
			t.Fatalf("the log is silent about trouble: %s", log)
		}
		for _, secret := range []string{"ada@example.com", "example.com", paymenttest.SecretKey, paymenttest.WebhookSecret} {
			if strings.Contains(log, secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
}
