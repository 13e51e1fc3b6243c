package notification_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/sandbox/mail"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/order"
)

const invoiceSoon = "We will send invoice soon"

// buy is a confirmed order whose customer reads English.
func buy(w *notificationtest.World, change ...func(*order.CheckoutInput)) order.Order {
	w.T.Helper()
	in := w.Shop.Input(w.Shop.Cart("mug"), append(change, func(in *order.CheckoutInput) { in.Locale = "en" })...)
	return w.Shop.WantOrder(w.Shop.Buy(in).Order.ID, order.Confirmed, "")
}

// messages are those about an order, by kind and channel.
func messages(w *notificationtest.World, o order.Order) map[string]notification.Notification {
	w.T.Helper()
	all, err := w.List(w.T.Context(), notificationtest.Ourselves, notification.OrderSubject(o.ID))
	w.Must(err)
	by := map[string]notification.Notification{}
	for _, n := range all {
		by[string(n.Kind)+" "+string(n.Channel)] = n
	}
	if len(by) != len(all) {
		w.T.Errorf("some are there twice: %+v", all)
	}
	return by
}

// wantInvoice checks that a mail brings the order's invoice, or none.
func wantInvoice(w *notificationtest.World, m mail.Message, o order.Order, want bool) {
	w.T.Helper()
	if got := len(m.Attachments) > 0; got != want || strings.Contains(m.Text, invoiceSoon) == want && m.Subject != "The invoice for your order "+o.Number {
		w.T.Fatalf("invoice attached: %v, want %v, in %s", got, want, m.Text)
	}
	if !want {
		return
	}
	f, err := w.Invoices.Keeper.File(w.T.Context(), notificationtest.Ourselves, o.ID, "pdf", "")
	w.Must(err)
	if a := m.Attachments[0]; a.Name != f.Name || a.Type != "application/pdf" || !bytes.Equal(a.Data, f.Content) {
		w.T.Errorf("%s of type %s, %d bytes", a.Name, a.Type, len(a.Data))
	}
}

// The SMS goes at once, the mail when the invoice is there, with it.
func TestInvoiceComesWithTheMail(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	if mails, texts := w.Post.Messages(""), w.Phone.Messages(o.Phone); len(mails) != 0 || len(texts) != 1 || !strings.Contains(texts[0].Body, o.Number) {
		t.Fatalf("at once: %d mails, %+v", len(mails), texts)
	}
	w.Must(w.Invoices.Issue(t.Context(), o))
	for range 2 {
		w.Must(w.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
		w.Must(w.Sweep(t.Context()))
	}
	mails := w.Post.Messages(o.Email)
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	wantInvoice(w, mails[0], o, true)
	if n := w.Invoices.Asked.Load(); n != 1 {
		t.Errorf("the invoice was asked for %d times", n)
	}
	w.Clock.Pass(time.Hour)
	w.Must(w.Sweep(t.Context()))
	all := messages(w, o)
	if len(all) != 2 || all["confirmed MAIL"].Status != notification.Sent || all["confirmed SMS"].Status != notification.Sent || len(w.Post.Messages("")) != 1 {
		t.Errorf("%+v", all)
	}
}

// The invoice service may be faster than the news of the order.
func TestInvoiceComesFirst(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.Invoices.Issue(t.Context(), o))
	w.Must(w.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
	w.Must(w.Sweep(t.Context()))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	mails := w.Post.Messages("")
	if len(mails) != 1 || len(w.Phone.Messages("")) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	wantInvoice(w, mails[0], o, true)
}

// Of two copies one may send what the other has heard of: it tells what is, and
// not what the order was when it heard of it last.
func TestACopySendsWhatAnotherHeardOf(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	other := w.Copy(w.Store, nil)
	w.Must(other.HearOrder(t.Context(), notificationtest.Changed(&o)))
	_, err := w.Shop.Orders.Cancel(t.Context(), notificationtest.Ourselves, order.CancelInput{OrderID: o.ID})
	w.Must(err)
	w.Shop.Settle(o.ID)
	o = w.Shop.WantOrder(o.ID, order.Refunded, "")
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(other.Sweep(t.Context()))
	if n := messages(w, o)["refunded MAIL"]; n.Status != notification.Sent {
		t.Errorf("%+v", n)
	}
}

// A mail that cannot wait longer promises the invoice, and it follows; whether
// its fact comes or gets lost.
func TestInvoiceFollows(t *testing.T) {
	for _, told := range []bool{true, false} {
		w := notificationtest.NewShop(t)
		o := buy(w)
		w.Invoices.Away.Store(true)
		w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
		w.Must(w.Sweep(t.Context()))
		if mails := w.Post.Messages(""); len(mails) != 0 {
			t.Fatalf("%d mails within the grace", len(mails))
		}
		w.Clock.Pass(notificationtest.Grace)
		w.Must(w.Sweep(t.Context()))
		mails := w.Post.Messages("")
		if len(mails) != 1 {
			t.Fatalf("%d mails after the grace", len(mails))
		}
		wantInvoice(w, mails[0], o, false)
		for range 10 { // it is still away
			w.Clock.Pass(time.Minute)
			w.Must(w.Sweep(t.Context()))
		}
		if n := messages(w, o)["invoice MAIL"]; n.Status != notification.Queued || len(n.Attempts) != 0 {
			t.Fatalf("%+v", n)
		}
		w.Invoices.Away.Store(false)
		w.Must(w.Invoices.Issue(t.Context(), o))
		if told {
			for range 2 {
				w.Must(w.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
				w.Must(w.Sweep(t.Context()))
			}
		} else {
			w.Settle(w.Keeper, notification.OrderSubject(o.ID))
		}
		mails = w.Post.Messages("")
		if len(mails) != 2 || messages(w, o)["invoice MAIL"].Status != notification.Sent {
			t.Fatalf("told %v: %d mails, %+v", told, len(mails), messages(w, o))
		}
		follows := mails[0]
		if follows.Subject == mails[1].Subject || strings.Contains(follows.Text, invoiceSoon) {
			follows = mails[1]
		}
		wantInvoice(w, follows, o, true)
	}
}

// A mail that may have arrived is repeated as it was, although its invoice is
// there by now; the invoice follows all the same.
func TestARepeatedMailIsTheSame(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Invoices.Away.Store(true)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Clock.Pass(notificationtest.Grace)
	w.Must(w.Post.SetFaults(mail.Faults{Lost: 1}))
	w.Must(w.Sweep(t.Context()))
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Invoices.Away.Store(false)
	w.Must(w.Invoices.Issue(t.Context(), o))
	w.Must(w.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
	w.Settle(w.Keeper, notification.OrderSubject(o.ID))
	var first, follows []mail.Message
	for _, m := range w.Post.Messages("") {
		if strings.Contains(m.Text, invoiceSoon) {
			first = append(first, m)
		} else {
			follows = append(follows, m)
		}
	}
	if len(first) != 2 || len(follows) != 1 || first[0].MessageID != first[1].MessageID || first[0].Text != first[1].Text || follows[0].MessageID == first[0].MessageID {
		t.Fatalf("%d promise the invoice, %d bring it", len(first), len(follows))
	}
	wantInvoice(w, follows[0], o, true)

	// The other way round: the mail with the invoice waits for it.
	o = buy(w)
	w.Must(w.Invoices.Issue(t.Context(), o))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
	w.Must(w.Post.SetFaults(mail.Faults{Lost: 1}))
	w.Must(w.Sweep(t.Context()))
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Invoices.Away.Store(true)
	w.Clock.Pass(time.Hour)
	w.Must(w.Sweep(t.Context()))
	before := len(w.Post.Messages(""))
	w.Invoices.Away.Store(false)
	all := w.Settle(w.Keeper, notification.OrderSubject(o.ID))
	mails := w.Post.Messages("")
	if before != 4 || len(mails) != 5 || len(all) != 2 {
		t.Fatalf("%d mails, then %d; %+v", before, len(mails), all)
	}
	for _, m := range mails {
		if strings.Contains(m.Subject, o.Number) {
			wantInvoice(w, m, o, true)
		}
	}
}

// A mail that was put off has another chance to bring the invoice, and then
// nothing follows.
func TestAPromiseThatWasNotMade(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Invoices.Away.Store(true)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Clock.Pass(notificationtest.Grace)
	w.Must(w.Post.SetFaults(mail.Faults{Deferred: 1}))
	w.Must(w.Sweep(t.Context()))
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Invoices.Away.Store(false)
	w.Settle(w.Keeper, notification.OrderSubject(o.ID))
	mails, all := w.Post.Messages(""), messages(w, o)
	if len(mails) != 1 || all["invoice MAIL"].Status != notification.Obsolete || all["confirmed MAIL"].Status != notification.Sent {
		t.Fatalf("%d mails, %+v", len(mails), all)
	}
	wantInvoice(w, mails[0], o, true)
}

// TestPromiseAtEveryDeath lets the service die before and after each of its
// writes, while it tells of an order whose invoice is late. No promise is made
// without its invoice, and no invoice comes twice, but for repeats that are
// counted and bear one Message-ID.
func TestPromiseAtEveryDeath(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			w := notificationtest.NewShop(t)
			o := buy(w, func(in *order.CheckoutInput) { in.Phone = "" })
			w.Invoices.Away.Store(true)
			var reaper docstoretest.Reaper
			mortal := w.Copy(reaper.Wrap(w.Store), nil)
			if after {
				reaper.DieAfter(n)
			} else {
				reaper.DieBefore(n)
			}
			heard := mortal.HearOrder(t.Context(), notificationtest.Changed(&o)) == nil
			w.Clock.Pass(notificationtest.Grace)
			_ = mortal.Sweep(t.Context())
			w.Clock.Pass(notificationtest.Grace)
			w.Invoices.Away.Store(false)
			w.Must(w.Invoices.Issue(t.Context(), o))
			known := mortal.HearInvoice(t.Context(), notificationtest.Ready(o.ID)) == nil
			_ = mortal.Sweep(t.Context())
			died := reaper.Dead()

			k := w.Copy(w.Store, nil)
			if !heard { // an unconfirmed fact is rung again
				w.Must(k.HearOrder(t.Context(), notificationtest.Changed(&o)))
			}
			if !known {
				w.Must(k.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
			}
			repeats := 0
			for _, n := range w.Settle(k, notification.OrderSubject(o.ID)) {
				repeats += n.Repeats
			}
			promises, files := map[string]int{}, map[string]int{}
			for _, m := range w.Post.Messages("") {
				if strings.Contains(m.Text, invoiceSoon) {
					promises[m.MessageID]++
				}
				if len(m.Attachments) > 0 {
					files[m.MessageID]++
				}
			}
			sum := -1
			for _, n := range promises {
				sum += n
			}
			for _, n := range files {
				sum += n - 1
			}
			if len(promises) == 0 {
				sum++
			}
			if len(files) != 1 || len(promises) > 1 || sum > repeats {
				t.Errorf("write %d, taken %v: promises %v, invoices %v, %d repeats", n, after, promises, files, repeats)
			}
			if !died {
				if n < 9 {
					t.Errorf("only %d writes: this does not try what it should", n)
				}
				break
			}
		}
	}
}

// Every step of an order's story is told, by mail and, where it has a number,
// by SMS; in quiet hours what can wait waits.
func TestAnOrdersWholeStory(t *testing.T) {
	w := notificationtest.NewShop(t)
	berlin, err := time.LoadLocation("Europe/Berlin")
	w.Must(err)
	now := w.Clock.Now().In(berlin)
	hours, err := notification.ParseQuietHours(now.Add(-time.Hour).Format("15:04") + "-" + now.Add(2*time.Hour).Format("15:04"))
	w.Must(err)
	night := w.Copy(w.Store, nil, func(o *notification.Options) { o.QuietHours = hours })
	o := buy(w)
	began := w.Clock.Now()
	story := &storied{Reader: w.Shop.Orders, entries: []order.Entry{
		{At: w.Clock.Now(), Status: order.Confirmed}, {At: w.Clock.Now(), Status: order.Fulfilling},
		{At: w.Clock.Now(), Status: order.Shipped}, {At: w.Clock.Now(), Status: order.Delivered},
		{At: w.Clock.Now().Add(-31 * 24 * time.Hour), Status: order.Cancelled},
	}}
	k := w.Copy(w.Store, nil, func(o *notification.Options) { o.Orders = story; o.QuietHours = hours })
	w.Must(k.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(night.HearInvoice(t.Context(), notificationtest.Ready(o.ID)))
	w.Must(night.Sweep(t.Context()))
	all := messages(w, o)
	for _, c := range []struct {
		what   string
		status notification.Status
	}{
		{"confirmed MAIL", notification.Sent}, {"confirmed SMS", notification.Sent},
		{"shipped MAIL", notification.Sent}, {"shipped SMS", notification.Queued},
		{"delivered MAIL", notification.Sent}, {"delivered SMS", notification.Queued},
	} {
		if all[c.what].Status != c.status {
			t.Errorf("%s: %+v", c.what, all[c.what])
		}
	}
	if len(all) != 6 {
		t.Errorf("%+v", all)
	}
	w.Must(w.Sweep(t.Context())) // what waits for the morning waits by its own date
	if n := messages(w, o)["shipped SMS"]; n.Status != notification.Queued || n.NextAt.Before(began.Add(time.Hour)) {
		t.Errorf("%+v", n)
	}
	w.Clock.Pass(25 * time.Hour)
	w.Must(w.Sweep(t.Context()))
	if n := messages(w, o)["shipped SMS"]; n.Status != notification.Sent {
		t.Errorf("%+v", n)
	}
}

// A storied order has a timeline that is longer than its life.
type storied struct {
	order.Reader
	entries []order.Entry
}

func (s *storied) Get(ctx context.Context, who identity.Caller, id, token string) (order.Order, error) {
	o, err := s.Reader.Get(ctx, who, id, token)
	o.Timeline = s.entries
	return o, err
}

// Who has no number gets no SMS, and who wants none neither.
func TestOptOut(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w, func(in *order.CheckoutInput) { in.Phone = "" })
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	if all := messages(w, o); len(all) != 1 {
		t.Errorf("without a number: %+v", all)
	}
	o = buy(w)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	for range 2 {
		w.Must(w.OptOut(t.Context(), o.Phone, true))
	}
	w.Must(w.Sweep(t.Context()))
	if n := messages(w, o)["confirmed SMS"]; n.Status != notification.OptedOut || len(n.Attempts) != 0 || len(w.Phone.Messages("")) != 0 {
		t.Errorf("%+v", n)
	}
	if f := w.Figures().SMS; f.OptedOut != 1 || f.Sent != 0 {
		t.Errorf("%+v", f)
	}
	for range 2 {
		w.Must(w.OptOut(t.Context(), o.Phone, false))
	}
	o = buy(w)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	if n := messages(w, o)["confirmed SMS"]; n.Status != notification.Sent {
		t.Errorf("after START: %+v", n)
	}
	for _, phone := range []string{"", "0170 1234567", "+49 170 1234567", "+0170123456", "+491701234567890123"} {
		if err := w.OptOut(t.Context(), phone, true); !errors.Is(err, notification.ErrInput) {
			t.Errorf("%q: %v", phone, err)
		}
	}
}
