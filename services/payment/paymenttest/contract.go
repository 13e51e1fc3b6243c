package paymenttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/platform/money"
	"ordergraph/services/payment"
)

// Run holds a payment service to its contract. serve says how the world's
// cashier is reached.
func Run(t *testing.T, serve func(t *testing.T, w *World) payment.Service) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *World, payment.Service)
	}{
		{"TakesTheMoneyOnce", takesTheMoneyOnce},
		{"SaysWhyACardIsDeclined", saysWhyACardIsDeclined},
		{"RefusesOtherParameters", refusesOtherParameters},
		{"NamesTheFieldAtFault", namesTheFieldAtFault},
		{"WhoMay", whoMay},
		{"KnowsWhatItDoesNotKnow", knowsWhatItDoesNotKnow},
		{"VoidsWhatIsHeld", voidsWhatIsHeld},
		{"VoidsWhatNeverBegan", voidsWhatNeverBegan},
		{"VoidsWhatWasTaken", voidsWhatWasTaken},
		{"RefundsOnce", refundsOnce},
		{"WaitsForRefunds", waitsForRefunds},
		{"KeepsToItsStates", keepsToItsStates},
		{"OneIntentForManyCalls", oneIntentForManyCalls},
		{"CustomerConfirms", customerConfirms},
		{"CustomerRefuses", customerRefuses},
		{"CustomerForgets", customerForgets},
		{"SlowBank", slowBank},
		{"ComparesTheBooks", comparesTheBooks},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := New(t)
			c.test(t, w, serve(t, w))
		})
	}
}

func wantState(t *testing.T, p payment.Payment, err error, want payment.State) payment.Payment {
	t.Helper()
	if err != nil {
		t.Fatalf("want %s, got error %v", want, err)
	}
	if p.State != want {
		t.Fatalf("payment is %s (%s), want %s", p.State, p.Reason, want)
	}
	return p
}

func takesTheMoneyOnce(t *testing.T, w *World, s payment.Service) {
	ctx := t.Context()
	var first payment.Payment
	for range 3 {
		p, err := s.Authorise(ctx, us, Want19("o", "pm_card_visa"))
		wantState(t, p, err, payment.Authorised)
		if first.Version == 0 {
			first = p
		}
		if p.Version != first.Version {
			t.Errorf("a repeated Authorise changed the payment: version %d, then %d", first.Version, p.Version)
		}
	}
	if first.OrderID != "o" || first.Amount != money.Of(1999, "EUR") || first.Captured != money.Of(0, "EUR") || first.Card != (payment.Card{Brand: "visa", Last4: "4242"}) {
		t.Errorf("authorised: %+v", first)
	}
	w.WantLedger("o", 1, 1999, 0, 0)
	for range 3 {
		p, err := s.Capture(ctx, us, "o")
		wantState(t, p, err, payment.Captured)
		if p.Captured != money.Of(1999, "EUR") || p.Version <= first.Version {
			t.Errorf("captured %v, version %d after %d", p.Captured, p.Version, first.Version)
		}
	}
	p, err := s.Authorise(ctx, us, Want19("o", "pm_card_visa"))
	wantState(t, p, err, payment.Captured)
	w.WantLedger("o", 1, 0, 1999, 0)
	got, err := s.Get(ctx, us, "o")
	wantState(t, got, err, payment.Captured)
	if len(got.Attempts) != 2 || got.Attempts[0].Kind != "authorise" || got.Attempts[1].Outcome != "ok" || got.Attempts[0].Key == "" {
		t.Errorf("attempts: %+v", got.Attempts)
	}
	if got.UpdatedAt.IsZero() || time.Since(got.UpdatedAt) > time.Hour {
		t.Errorf("updated at %v", got.UpdatedAt)
	}
	w.WantBooksAgree()
}

func saysWhyACardIsDeclined(t *testing.T, w *World, s payment.Service) {
	for method, reason := range map[string]payment.Reason{
		"pm_card_visa_chargeDeclined":                  payment.ReasonDeclined,
		"pm_card_chargeDeclined":                       payment.ReasonDeclined,
		"pm_card_visa_chargeDeclinedInsufficientFunds": payment.ReasonInsufficientFunds,
		"pm_card_chargeDeclinedInsufficientFunds":      payment.ReasonInsufficientFunds,
		"pm_card_chargeDeclinedExpiredCard":            payment.ReasonExpiredCard,
		"pm_card_chargeDeclinedIncorrectCvc":           payment.ReasonDeclined,
		"pm_card_visa_chargeDeclinedLostCard":          payment.ReasonDeclined,
		"pm_card_nobodyKnows":                          payment.ReasonInvalidMethod,
	} {
		order := "o-" + method
		for range 2 {
			p, err := s.Authorise(t.Context(), us, Want19(order, method))
			wantState(t, p, err, payment.Declined)
			if p.Reason != reason {
				t.Errorf("%s: declined as %s, want %s", method, p.Reason, reason)
			}
		}
		p, err := s.Void(t.Context(), us, order)
		wantState(t, p, err, payment.Declined)
		w.WantLedger(order, 0, 0, 0, 0)
	}
	w.WantBooksAgree()
}

func refusesOtherParameters(t *testing.T, w *World, s payment.Service) {
	first := Want19("o", "pm_card_visa")
	p, err := s.Authorise(t.Context(), us, first)
	wantState(t, p, err, payment.Authorised)
	for name, change := range map[string]func(*payment.Request){
		"amount":   func(r *payment.Request) { r.Amount.Minor++ },
		"currency": func(r *payment.Request) { r.Amount.Currency = "USD" },
		"method":   func(r *payment.Request) { r.Method = "pm_card_mastercard" },
		"email":    func(r *payment.Request) { r.Email = "other@example.com" },
		"return":   func(r *payment.Request) { r.ReturnURL = "" },
	} {
		other := first
		change(&other)
		if _, err := s.Authorise(t.Context(), us, other); !errors.Is(err, payment.ErrMismatch) {
			t.Errorf("other %s: %v, want ErrMismatch", name, err)
		}
	}
	w.WantLedger("o", 1, 1999, 0, 0)
}

func namesTheFieldAtFault(t *testing.T, w *World, s payment.Service) {
	for name, c := range map[string]struct {
		field  string
		change func(*payment.Request)
	}{
		"no order":         {"orderId", func(r *payment.Request) { r.OrderID = "" }},
		"long order":       {"orderId", func(r *payment.Request) { r.OrderID = strings.Repeat("x", 101) }},
		"odd order":        {"orderId", func(r *payment.Request) { r.OrderID = "o' OR 1" }},
		"nothing":          {"amount", func(r *payment.Request) { r.Amount.Minor = 0 }},
		"less":             {"amount", func(r *payment.Request) { r.Amount.Minor = -1999 }},
		"no currency":      {"amount", func(r *payment.Request) { r.Amount.Currency = "" }},
		"small letters":    {"amount", func(r *payment.Request) { r.Amount.Currency = "eur" }},
		"no method":        {"method", func(r *payment.Request) { r.Method = "" }},
		"a card number":    {"method", func(r *payment.Request) { r.Method = "4242424242424242" }},
		"in groups":        {"method", func(r *payment.Request) { r.Method = "4242-4242-4242-4242" }},
		"with blanks":      {"method", func(r *payment.Request) { r.Method = "4242 4242 4242 4242" }},
		"no web address":   {"returnUrl", func(r *payment.Request) { r.ReturnURL = "javascript:alert(1)" }},
		"half an address":  {"returnUrl", func(r *payment.Request) { r.ReturnURL = "/back" }},
		"too long address": {"returnUrl", func(r *payment.Request) { r.ReturnURL = "https://x.example/" + strings.Repeat("x", 3000) }},
	} {
		req := Want19("o", "pm_card_visa")
		c.change(&req)
		_, err := s.Authorise(t.Context(), us, req)
		if !errors.Is(err, payment.ErrInput) || fault.Of(err).Details["field"] != c.field {
			t.Errorf("%s: %v %v, want ErrInput for %s", name, err, fault.Of(err).Details, c.field)
		}
		if err != nil && strings.Contains(err.Error(), "4242") {
			t.Errorf("%s: the error repeats the card number: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		field string
		req   payment.RefundRequest
	}{
		"no key":   {"key", payment.RefundRequest{OrderID: "o", Amount: money.Of(1, "EUR")}},
		"reserved": {"key", payment.RefundRequest{OrderID: "o", Key: "void:1", Amount: money.Of(1, "EUR")}},
		"nothing":  {"amount", payment.RefundRequest{OrderID: "o", Key: "k", Amount: money.Of(0, "EUR")}},
		"less":     {"amount", payment.RefundRequest{OrderID: "o", Key: "k", Amount: money.Of(-1, "EUR")}},
		"essay":    {"reason", payment.RefundRequest{OrderID: "o", Key: "k", Amount: money.Of(1, "EUR"), Reason: strings.Repeat("x", 501)}},
	} {
		if _, err := s.Refund(t.Context(), us, c.req); !errors.Is(err, payment.ErrInput) || fault.Of(err).Details["field"] != c.field {
			t.Errorf("refund, %s: %v, want ErrInput for %s", name, err, c.field)
		}
	}
	if _, err := s.Get(t.Context(), us, "o"); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("a refused request left something: %v", err)
	}
}

func whoMay(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_visa"))
	wantState(t, p, err, payment.Authorised)
	forbidden := func(p payment.Payment, err error) error {
		if err != nil && (!errors.Is(err, payment.ErrForbidden) || p.OrderID != "") {
			t.Errorf("%+v, %v, want ErrForbidden", p, err)
		}
		return err
	}
	identitytest.Needs(t, identity.PaymentsRead, func(who identity.Caller) error { return forbidden(s.Get(t.Context(), who, "o")) })
	identitytest.Needs(t, identity.OperationsRead, func(who identity.Caller) error {
		_, err := s.Audit(t.Context(), who)
		return forbidden(payment.Payment{}, err)
	})
	w.WantLedger("o", 1, 1999, 0, 0)
	// Money moves for orders only, and the order service says when.
	for _, call := range []func(identity.Caller) error{
		func(who identity.Caller) error {
			return forbidden(s.Authorise(t.Context(), who, Want19("o", "pm_card_visa")))
		},
		func(who identity.Caller) error { return forbidden(s.Capture(t.Context(), who, "o")) },
		func(who identity.Caller) error {
			return forbidden(s.Refund(t.Context(), who, payment.RefundRequest{OrderID: "o", Key: "k", Amount: money.Of(1, "EUR")}))
		},
		func(who identity.Caller) error { return forbidden(s.Void(t.Context(), who, "o")) },
	} {
		identitytest.OnlyTheProgram(t, call)
	}
}

func knowsWhatItDoesNotKnow(t *testing.T, _ *World, s payment.Service) {
	if _, err := s.Get(t.Context(), us, "nobody"); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Capture(t.Context(), us, "nobody"); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("Capture: %v", err)
	}
	if _, err := s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "nobody", Key: "k", Amount: money.Of(1, "EUR")}); !errors.Is(err, payment.ErrNotFound) {
		t.Errorf("Refund: %v", err)
	}
}

func voidsWhatIsHeld(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_visa"))
	wantState(t, p, err, payment.Authorised)
	for range 2 {
		p, err = s.Void(t.Context(), us, "o")
		wantState(t, p, err, payment.Voided)
	}
	w.WantLedger("o", 1, 0, 0, 0)
	p, err = s.Authorise(t.Context(), us, Want19("o", "pm_card_visa"))
	wantState(t, p, err, payment.Voided)
	w.WantLedger("o", 1, 0, 0, 0)
	w.WantBooksAgree()
}

func voidsWhatNeverBegan(t *testing.T, w *World, s payment.Service) {
	for range 2 {
		p, err := s.Void(t.Context(), us, "o")
		wantState(t, p, err, payment.Voided)
	}
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_visa"))
	wantState(t, p, err, payment.Voided)
	if _, err := s.Capture(t.Context(), us, "o"); !errors.Is(err, payment.ErrState) {
		t.Errorf("capture of a voided payment: %v", err)
	}
	if l := w.Ledger("o"); len(l.Intents) != 0 {
		t.Errorf("the processor was asked for a voided payment: %+v", l)
	}
	w.WantBooksAgree()
}

func voidsWhatWasTaken(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_visa"))
	wantState(t, p, err, payment.Authorised)
	p, err = s.Capture(t.Context(), us, "o")
	wantState(t, p, err, payment.Captured)
	p, err = s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "o", Key: "part", Amount: money.Of(500, "EUR")})
	wantState(t, p, err, payment.Captured)
	for range 3 {
		p, err = s.Void(t.Context(), us, "o")
		wantState(t, p, err, payment.Captured)
	}
	if p.Refunded != money.Of(1999, "EUR") || len(p.Refunds) != 2 {
		t.Errorf("voided after capture: refunded %v in %+v", p.Refunded, p.Refunds)
	}
	w.WantLedger("o", 1, 0, 1999, 1999)
	w.WantBooksAgree()
}

func refundsOnce(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_mastercard"))
	wantState(t, p, err, payment.Authorised)
	p, err = s.Capture(t.Context(), us, "o")
	wantState(t, p, err, payment.Captured)
	part := payment.RefundRequest{OrderID: "o", Key: "a", Amount: money.Of(700, "EUR"), Reason: "one mug was broken"}
	for range 3 {
		p, err = s.Refund(t.Context(), us, part)
		wantState(t, p, err, payment.Captured)
	}
	if len(p.Refunds) != 1 || p.Refunds[0].State != payment.RefundSucceeded || p.Refunds[0].Reason != part.Reason || p.Refunded != money.Of(700, "EUR") {
		t.Errorf("refunds: %+v, refunded %v", p.Refunds, p.Refunded)
	}
	other := part
	other.Amount.Minor = 701
	if _, err := s.Refund(t.Context(), us, other); !errors.Is(err, payment.ErrMismatch) {
		t.Errorf("same key, other amount: %v", err)
	}
	if _, err := s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "o", Key: "b", Amount: money.Of(1300, "EUR")}); !errors.Is(err, payment.ErrTooMuch) {
		t.Errorf("more than is left: %v", err)
	}
	if _, err := s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "o", Key: "b", Amount: money.Of(1299, "USD")}); !errors.Is(err, payment.ErrInput) {
		t.Errorf("other currency: %v", err)
	}
	p, err = s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "o", Key: "b", Amount: money.Of(1299, "EUR")})
	wantState(t, p, err, payment.Captured)
	if p.Refunded != money.Of(1999, "EUR") {
		t.Errorf("refunded %v", p.Refunded)
	}
	if _, err := s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "o", Key: "c", Amount: money.Of(1, "EUR")}); !errors.Is(err, payment.ErrTooMuch) {
		t.Errorf("after everything: %v", err)
	}
	w.WantLedger("o", 1, 0, 1999, 1999)
	w.WantBooksAgree()
}

func waitsForRefunds(t *testing.T, w *World, s payment.Service) {
	for method, want := range map[string]payment.RefundState{"pm_card_pendingRefund": payment.RefundSucceeded} {
		order := "o-" + method
		p, err := s.Authorise(t.Context(), us, Want19(order, method))
		wantState(t, p, err, payment.Authorised)
		p, err = s.Capture(t.Context(), us, order)
		wantState(t, p, err, payment.Captured)
		p, err = s.Refund(t.Context(), us, payment.RefundRequest{OrderID: order, Key: "a", Amount: money.Of(1999, "EUR")})
		wantState(t, p, err, payment.Captured)
		if p.Refunds[0].State != payment.RefundPending || p.Refunded.Minor != 0 {
			t.Errorf("%s: %+v, want pending", method, p.Refunds)
		}
		w.Pass(time.Minute)
		w.Settle(order)
		p, err = s.Get(t.Context(), us, order)
		wantState(t, p, err, payment.Captured)
		if p.Refunds[0].State != want {
			t.Errorf("%s: %+v, want %s", method, p.Refunds, want)
		}
	}
	w.WantBooksAgree()
}

func keepsToItsStates(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("declined", "pm_card_chargeDeclined"))
	wantState(t, p, err, payment.Declined)
	p, err = s.Authorise(t.Context(), us, Want19("held", "pm_card_visa"))
	wantState(t, p, err, payment.Authorised)
	if _, err := s.Capture(t.Context(), us, "declined"); !errors.Is(err, payment.ErrState) {
		t.Errorf("capture of a declined payment: %v", err)
	}
	if _, err := s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "held", Key: "k", Amount: money.Of(1, "EUR")}); !errors.Is(err, payment.ErrState) {
		t.Errorf("refund of what is only held: %v", err)
	}
	w.WantLedger("held", 1, 1999, 0, 0)
}

func oneIntentForManyCalls(t *testing.T, w *World, s payment.Service) {
	together := func(what string, call func() (payment.Payment, error), want payment.State) {
		t.Helper()
		var wg sync.WaitGroup
		start := make(chan struct{})
		answers := make([]string, 20)
		for i := range answers {
			wg.Go(func() {
				<-start
				p, err := call()
				if err != nil {
					answers[i] = err.Error()
					return
				}
				answers[i] = fmt.Sprint(p.State, p.Version)
			})
		}
		close(start)
		wg.Wait()
		slices.Sort(answers)
		if answers[0] != answers[19] || !strings.HasPrefix(answers[0], string(want)) {
			t.Errorf("%s, 20 at once: %v", what, slices.Compact(answers))
		}
	}
	together("authorise", func() (payment.Payment, error) { return s.Authorise(t.Context(), us, Want19("o", "pm_card_visa")) }, payment.Authorised)
	together("capture", func() (payment.Payment, error) { return s.Capture(t.Context(), us, "o") }, payment.Captured)
	together("refund", func() (payment.Payment, error) {
		return s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "o", Key: "k", Amount: money.Of(100, "EUR")})
	}, payment.Captured)
	if l := w.Ledger("o"); len(l.Intents) != 1 || l.Captures != 1 || l.Refunds != 1 || l.Refunded != 100 {
		t.Errorf("ledger: %+v", l)
	}
	w.WantBooksAgree()
}

func customerConfirms(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_authenticationRequired"))
	p = wantState(t, p, err, payment.ActionNeeded)
	if !strings.HasPrefix(p.ActionURL, w.URL) {
		t.Fatalf("action URL %q", p.ActionURL)
	}
	if _, err := s.Capture(t.Context(), us, "o"); !errors.Is(err, payment.ErrState) {
		t.Errorf("capture of an unconfirmed payment: %v", err)
	}
	back := w.Answer(p, "confirm").Header.Get("Location")
	if !strings.HasPrefix(back, "https://shop.example/back?") || !strings.Contains(back, "order=1") || !strings.Contains(back, "redirect_status=succeeded") {
		t.Errorf("sent back to %q", back)
	}
	w.Settle("o")
	p, err = s.Authorise(t.Context(), us, Want19("o", "pm_card_authenticationRequired"))
	p = wantState(t, p, err, payment.Authorised)
	if p.ActionURL != "" {
		t.Errorf("an authorised payment still names %q", p.ActionURL)
	}
	p, err = s.Capture(t.Context(), us, "o")
	wantState(t, p, err, payment.Captured)
	w.WantLedger("o", 1, 0, 1999, 0)
}

func customerRefuses(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_authenticationRequired"))
	p = wantState(t, p, err, payment.ActionNeeded)
	w.Answer(p, "refuse")
	w.Settle("o")
	p, err = s.Get(t.Context(), us, "o")
	p = wantState(t, p, err, payment.Declined)
	if p.Reason != payment.ReasonNotConfirmed || p.ActionURL != "" {
		t.Errorf("refused: %+v", p)
	}
	w.WantLedger("o", 0, 0, 0, 0)
}

func customerForgets(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_authenticationRequired"))
	p = wantState(t, p, err, payment.ActionNeeded)
	w.Pass(payment.ConfirmWithin - time.Minute)
	if err := w.Cashier.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	still, err := s.Get(t.Context(), us, "o")
	wantState(t, still, err, payment.ActionNeeded)
	w.Pass(2 * time.Minute)
	w.Settle("o")
	done, err := s.Get(t.Context(), us, "o")
	done = wantState(t, done, err, payment.Declined)
	if done.Reason != payment.ReasonNotConfirmed {
		t.Errorf("forgotten: %s", done.Reason)
	}
	w.Answer(p, "confirm") // too late
	w.Settle("o")
	w.WantLedger("o", 0, 0, 0, 0)
	w.WantBooksAgree()
}

func slowBank(t *testing.T, w *World, s payment.Service) {
	p, err := s.Authorise(t.Context(), us, Want19("o", "pm_card_slow"))
	wantState(t, p, err, payment.Authorised)
	p, err = s.Capture(t.Context(), us, "o")
	wantState(t, p, err, payment.Captured)
	w.WantLedger("o", 1, 0, 1999, 0)
}

func comparesTheBooks(t *testing.T, w *World, s payment.Service) {
	for _, order := range []string{"kept", "given-back", "held"} {
		p, err := s.Authorise(t.Context(), us, Want19(order, "pm_card_visa"))
		wantState(t, p, err, payment.Authorised)
	}
	for _, order := range []string{"kept", "given-back"} {
		p, err := s.Capture(t.Context(), us, order)
		wantState(t, p, err, payment.Captured)
	}
	p, err := s.Refund(t.Context(), us, payment.RefundRequest{OrderID: "given-back", Key: "k", Amount: money.Of(1999, "EUR")})
	wantState(t, p, err, payment.Captured)

	rep, err := s.Audit(t.Context(), us)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Payments != 3 || rep.Intents != 3 || rep.Unsettled != 0 || len(rep.Differences) != 0 ||
		rep.Captured["EUR"] != 2*1999 || rep.Refunded["EUR"] != 1999 ||
		rep.Theirs.Captured["EUR"] != 2*1999 || rep.Theirs.Refunded["EUR"] != 1999 {
		t.Errorf("%+v", rep)
	}

	// Somebody else uses our key at the processor.
	if _, err := w.Gateway.Authorise(t.Context(), "stranger", Want19("stranger", "pm_card_visa")); err != nil {
		t.Fatal(err)
	}
	rep, err = s.Audit(t.Context(), us)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Payments != 3 || rep.Intents != 4 || len(rep.Differences) != 1 ||
		rep.Differences[0].OrderID != "stranger" || rep.Differences[0].What == "" {
		t.Errorf("%+v", rep)
	}
}
