package notification_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/sandbox/mail"
	"ordergraph/services/account"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

func plainSpaces(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// one is the one mail to an address about what the text says.
func one(t *testing.T, w *notificationtest.World, to, subject string) mail.Message {
	t.Helper()
	var found []mail.Message
	for _, m := range w.Post.Messages(to) {
		if strings.Contains(m.Subject, subject) {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d mails %q to %s of %+v", len(found), subject, to, w.Post.Messages(""))
	}
	return found[0]
}

func TestLanguages(t *testing.T) {
	for locale, c := range map[string]struct {
		language, subject string
		missing           int64
	}{
		"de":    {"de", "Bitte bestätigen", 0},
		"de-AT": {"de", "Bitte bestätigen", 0},
		"hi-IN": {"hi", "पुष्टि", 0},
		"en-GB": {"en", "Please confirm", 0},
		"":      {"en", "Please confirm", 0},
		"fi":    {"en", "Please confirm", 1},
	} {
		t.Run(locale, func(t *testing.T) {
			w := notificationtest.New(t)
			fact, _ := w.Register("ada@example.org", "Ada", locale)
			w.Must(w.HearAccount(t.Context(), fact))
			w.Must(w.Sweep(t.Context()))
			m := one(t, w, "ada@example.org", c.subject)
			if f := w.Figures(); m.Language != c.language || f.MissingLanguage != c.missing || !strings.Contains(m.HTML, `<html lang="`+c.language+`">`) {
				t.Errorf("%q, %+v", m.Language, f)
			}
		})
	}
}

// Every language says everything, with the same places to fill.
func TestNothingIsUnsaid(t *testing.T) {
	read := func(language string) map[string]any {
		data, err := os.ReadFile("texts/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal(data, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	places := func(text any) []string {
		data, _ := json.Marshal(text)
		var found []string
		for _, place := range []string{"{name}", "{n}", "{shop}", "{number}", "{amount}", "{carrier}", "{tracking}", "{day}", "{month}", "{year}"} {
			if strings.Contains(string(data), place) {
				found = append(found, place)
			}
		}
		return found
	}
	english := read("en")
	for _, language := range []string{"de", "hi"} {
		other := read(language)
		if a, b := slices.Sorted(maps.Keys(english)), slices.Sorted(maps.Keys(other)); !slices.Equal(a, b) {
			t.Errorf("%s says %v, and English %v", language, b, a)
		}
		for key, text := range english {
			if a, b := places(text), places(other[key]); !slices.Equal(a, b) {
				t.Errorf("%s: %s has %v, and English %v", language, key, b, a)
			}
		}
	}
}

// What customers call themselves does no harm to those who read it.
func TestInjection(t *testing.T) {
	for name, greeting := range map[string]string{
		"Ada\r\nBcc: eve@example.org":     "Hello,",
		"<script>alert(1)</script>":       "Hello,",
		"Win at http://evil.example/ now": "Hello,",
		"evil.example":                    "Hello,",
		"Call 0900123":                    "Hello,",
		"Zoë O'Neill & Söhne":             "Hello Zoë O'Neill & Söhne,",
		"Ada\u202e\u2028Lovelace":         "Hello Ada Lovelace,",
		strings.Repeat("Ada ", 30):        "Hello,",
		"{shop} {number}":                 "Hello {shop} {number},",
	} {
		w := notificationtest.New(t)
		fact := due(w, name)
		w.Must(w.HearAccount(t.Context(), fact))
		w.Must(w.Sweep(t.Context()))
		got := w.Post.Messages("")
		if len(got) != 1 || len(got[0].EnvelopeTo) != 1 || got[0].Header.Get("Bcc") != "" {
			t.Fatalf("%q: %+v", name, got)
		}
		if !strings.HasPrefix(got[0].Text, greeting) || strings.Contains(got[0].HTML, "<script") || strings.Contains(got[0].HTML, "evil") {
			t.Errorf("%q: %s\n%s", name, got[0].Text, got[0].HTML)
		}
	}
}

func TestOrders(t *testing.T) {
	w := notificationtest.NewShop(t)
	in := w.Shop.Input(w.Shop.Cart("mug", 2), func(in *order.CheckoutInput) {
		in.Email, in.Locale = "grace@example.org", "de"
		in.ShippingAddress.FirstName, in.ShippingAddress.Company = "Grace", "Hopper & <b>Söhne</b>"
	})
	got := w.Shop.Buy(in)
	o := w.Shop.WantOrder(got.Order.ID, order.Confirmed, "")
	for range 2 {
		w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
		w.Clock.Pass(notificationtest.Grace)
		w.Must(w.Sweep(t.Context()))
	}
	m := one(t, w, "grace@example.org", o.Number)
	total := strings.Replace(o.Quote.Cost.Total.Decimal(), ".", ",", 1) + " €"
	for _, part := range []string{m.Text, m.HTML} {
		part = plainSpaces(part)
		for _, want := range []string{"Hallo Grace,", "Gesamtbetrag", total, o.Number, "VISA •••• 4242", "2 × "} {
			if !strings.Contains(part, want) {
				t.Errorf("%q is missing in %s", want, part)
			}
		}
	}
	// A guest is led to the order by its token.
	if link := notificationtest.OrderPage + o.ID + "#" + got.AccessToken; !strings.Contains(m.Text, link) || !strings.Contains(m.HTML, link) {
		t.Errorf("%s is missing in %s", link, m.Text)
	}
	if strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "Hopper &amp; &lt;b&gt;") {
		t.Errorf("%s", m.HTML)
	}

	_, err := w.Shop.Orders.Cancel(t.Context(), identity.Caller{}, order.CancelInput{OrderID: o.ID, AccessToken: got.AccessToken})
	w.Must(err)
	w.Shop.Settle(o.ID)
	o = w.Shop.WantOrder(o.ID, order.Refunded, "")
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	if m := one(t, w, "grace@example.org", "storniert"); !strings.Contains(plainSpaces(m.Text), total) {
		t.Error(m.Text)
	}
	if m := one(t, w, "grace@example.org", "Ihr Geld"); !strings.Contains(plainSpaces(m.Text), total) {
		t.Error(m.Text)
	}
	if got := w.Post.Messages("grace@example.org"); len(got) != 3 {
		t.Errorf("%d mails", len(got))
	}
}

// Each refund is told of once, when the money is back.
func TestRefunds(t *testing.T) {
	w := notificationtest.NewShop(t)
	got := w.Shop.Buy(w.Shop.Input(w.Shop.Cart("mug", 2), func(in *order.CheckoutInput) { in.Email, in.Locale = "grace@example.org", "en" }))
	o := w.Shop.WantOrder(got.Order.ID, order.Confirmed, "")
	line := o.Quote.Lines[0].ID
	for i, reason := range []string{"One was <b>chipped</b>.", ""} {
		_, err := w.Shop.Orders.Refund(t.Context(), notificationtest.Ourselves, order.RefundInput{
			OrderID: o.ID, IdempotencyKey: fmt.Sprintf("refund-%d", i), Reason: reason, Amount: new(money.Of(int64(100+i), o.Quote.Cost.Currency)),
			Lines: []order.RefundUnits{{LineID: line, Quantity: 1}},
		})
		w.Must(err)
		w.Shop.Settle(o.ID)
		o = w.Shop.WantOrder(o.ID, order.Confirmed, "")
		for range 2 {
			w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
			w.Clock.Pass(notificationtest.Grace)
			w.Must(w.Sweep(t.Context()))
		}
	}
	var texts []string
	for _, m := range w.Post.Messages("grace@example.org") {
		if strings.HasPrefix(m.Subject, "Your money") {
			texts = append(texts, plainSpaces(m.Text))
			if strings.Contains(m.HTML, "<b>chipped") {
				t.Error(m.HTML)
			}
		}
	}
	if len(texts) != 2 || !strings.Contains(texts[0], "1.01") || !strings.Contains(texts[1], "1.00") || !strings.Contains(texts[1], "One was <b>chipped</b>.") {
		t.Errorf("%d: %s", len(texts), texts)
	}
}

// Money that goes back long after an order does not have its story told again.
func TestRefundOfAnOldOrder(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Settle(w.Keeper, notification.OrderSubject(o.ID))
	w.Clock.Pass(100 * 24 * time.Hour)
	w.Must(w.Sweep(t.Context())) // and forgets
	_, err := w.Shop.Orders.Refund(t.Context(), notificationtest.Ourselves, order.RefundInput{
		OrderID: o.ID, IdempotencyKey: "refund-late", Amount: new(money.Of(100, o.Quote.Cost.Currency)),
	})
	w.Must(err)
	w.Shop.Settle(o.ID)
	o = w.Shop.WantOrder(o.ID, order.Confirmed, "")
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	if all := messages(w, o); len(all) != 1 || all["refunded MAIL"].ID == "" {
		t.Errorf("%+v", all)
	}
}

// Who had some of the money back already gets the rest.
func TestCancelledAfterARefund(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	_, err := w.Shop.Orders.Refund(t.Context(), notificationtest.Ourselves, order.RefundInput{
		OrderID: o.ID, IdempotencyKey: "refund-some", Amount: new(money.Of(101, o.Quote.Cost.Currency)),
	})
	w.Must(err)
	w.Shop.Settle(o.ID)
	_, err = w.Shop.Orders.Cancel(t.Context(), notificationtest.Ourselves, order.CancelInput{OrderID: o.ID})
	w.Must(err)
	w.Shop.Settle(o.ID)
	o = w.Shop.WantOrder(o.ID, order.Refunded, "")
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	rest := o.Quote.Cost.Total.Minus(money.Of(101, o.Quote.Cost.Currency)).Decimal()
	if m := one(t, w, o.Email, "was cancelled"); !strings.Contains(m.Text, rest) {
		t.Errorf("%s is missing in %s", rest, m.Text)
	}
	told := false
	for _, m := range w.Phone.Messages(o.Phone) {
		told = told || strings.Contains(m.Body, "was cancelled. You get") && strings.Contains(m.Body, rest)
	}
	if !told {
		t.Errorf("%s is missing in %+v", rest, w.Phone.Messages(o.Phone))
	}
}

// Who saw the order fail gets no mail about it; who waited for the bank does.
func TestFailedOrders(t *testing.T) {
	w := notificationtest.NewShop(t)
	declined := w.Shop.Buy(w.Shop.Input(w.Shop.Cart("mug"), ordertest.Paying("pm_card_chargeDeclined")))
	o := w.Shop.WantOrder(declined.Order.ID, order.Failed, order.ReasonCardDeclined)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))

	asked := w.Shop.Buy(w.Shop.Input(w.Shop.Cart("mug"), ordertest.Paying("pm_card_authenticationRequired")))
	w.Clock.Pass(time.Hour)
	w.Shop.Settle(asked.Order.ID)
	late := w.Shop.WantOrder(asked.Order.ID, order.Failed, order.ReasonNotConfirmed)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&late)))
	w.Must(w.Sweep(t.Context()))
	got := w.Post.Messages("")
	if len(got) != 1 || !strings.Contains(got[0].Subject, late.Number) || !strings.Contains(got[0].Text, "Ihnen wurde nichts berechnet") {
		t.Errorf("%d mails", len(got))
	}

	// What happened long ago is no news, even where nothing is remembered of it.
	old := notificationtest.NewShop(t)
	bought := old.Shop.Buy(old.Shop.Input(old.Shop.Cart("mug")))
	old.Clock.Pass(31 * 24 * time.Hour)
	old.Must(old.HearOrder(t.Context(), notificationtest.Changed(bought.Order)))
	old.Must(old.Sweep(t.Context()))
	if got := old.Post.Messages(""); len(got) != 0 {
		t.Errorf("%d mails", len(got))
	}
}

// due registers somebody by a name and returns the fact of the mail, whatever
// the account service itself thinks of the name.
func due(w *notificationtest.World, name string) events.Fact {
	w.T.Helper()
	w.Accounts.Customer("ada@example.org")
	w.Name = name
	w.Must(w.Accounts.RequestReset(w.T.Context(), identity.Caller{}, "ada@example.org"))
	return notificationtest.Mailed(w.Accounts.Latest("ada@example.org", account.MailReset))
}
