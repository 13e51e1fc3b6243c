package notification_test

import (
	"strings"
	"testing"
	"time"

	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/fulfilmenttest"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// shipped is a shop whose parcels are on their way, and the notification
// service of it.
type shipped struct {
	*fulfilmenttest.World
	notices *notification.Keeper
	w       *notificationtest.World
	phone   *twilio.Server
	order   order.Order
	parcels []fulfilment.Consignment
}

func ship(t *testing.T, what []any, change ...func(*notification.Options)) *shipped {
	t.Helper()
	s := &shipped{World: fulfilmenttest.New(t), w: notificationtest.New(t)}
	phone, texter := notificationtest.Phone(t, s.Clock.Now)
	s.phone = phone
	s.notices = s.w.Copy(s.w.Store, nil, append([]func(*notification.Options){func(o *notification.Options) {
		o.Orders, o.Parcels, o.Texters, o.Now = s.Orders, s.Parcels, []notification.Texter{texter}, s.Clock.Now
	}}, change...)...)
	s.Receive("shirt", map[string]int64{"berlin": 10})
	in := s.Input(s.Cart(what...), func(in *order.CheckoutInput) {
		in.Locale, in.Email, in.Phone = "en", "ada@example.org", "+491701234567"
	})
	got := s.Buy(in)
	s.Tell(got.Order.ID)
	for _, c := range s.Consignments(got.Order.ID) {
		_, err := s.Parcels.Pick(t.Context(), fulfilmenttest.Ada, c.ID)
		s.Must(err)
		_, err = s.Parcels.Pack(t.Context(), fulfilmenttest.Ada, c.ID, nil)
		s.Must(err)
		_, err = s.Parcels.Ship(t.Context(), fulfilmenttest.Ada, c.ID, fulfilment.ShipInput{})
		s.Must(err)
	}
	s.Drive(1)
	s.Tell(got.Order.ID)
	o, err := s.Orders.Get(t.Context(), ordertest.Ourselves, got.Order.ID, "")
	s.Must(err)
	s.order, s.parcels = o, s.Consignments(o.ID)
	return s
}

// tell sends what there is to say by now.
func (s *shipped) tell() {
	s.w.T.Helper()
	s.Must(s.notices.HearOrder(s.w.T.Context(), notificationtest.Changed(&s.order)))
	s.Must(s.notices.Sweep(s.w.T.Context()))
}

func (s *shipped) mail(t *testing.T) mail.Message {
	t.Helper()
	return one(t, s.w, "ada@example.org", "on its way")
}

func (s *shipped) text(words string) []string {
	var found []string
	for _, m := range s.phone.Messages("+491701234567") {
		if strings.Contains(m.Body, words) {
			found = append(found, m.Body)
		}
	}
	return found
}

func TestOneParcel(t *testing.T) {
	s := ship(t, []any{"mug", 2})
	s.tell()
	tracking := s.parcels[0].Tracking
	if len(s.parcels) != 1 || tracking == nil || tracking.URL == "" {
		t.Fatalf("%+v", s.parcels)
	}
	m := s.mail(t)
	for _, want := range []string{tracking.Company, tracking.Number, tracking.URL, "2 × "} {
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
			t.Errorf("%q is missing in %s", want, m.Text)
		}
	}
	texts := s.text("on its way with " + tracking.Company + ": " + tracking.Number + " " + tracking.URL)
	if len(texts) != 1 || !strings.HasPrefix(texts[0], "Harbour Store: Your order "+s.order.Number) {
		t.Errorf("%v", s.phone.Messages(""))
	}
}

func TestSeveralParcels(t *testing.T) {
	s := ship(t, []any{"mug", 5, "shirt"}) // five mugs lie in Hamburg alone, and shirts in Berlin
	s.tell()
	m := s.mail(t)
	for _, p := range s.parcels {
		if !strings.Contains(m.Text, p.Tracking.Number) || !strings.Contains(m.HTML, `href="`+p.Tracking.URL+`"`) {
			t.Errorf("%s is missing in %s", p.Tracking.Number, m.Text)
		}
	}
	if texts := s.text("in 2 parcels."); len(s.parcels) != 2 || len(texts) != 1 || !strings.Contains(m.Text, "It comes in 2 parcels.") {
		t.Errorf("%d parcels: %v", len(s.parcels), s.phone.Messages(""))
	}
}

// What can wait waits for the morning, by the customer's clock; a mail wakes
// nobody.
func TestQuietHours(t *testing.T) {
	quiet, err := notification.ParseQuietHours("21:00-08:00")
	if err != nil {
		t.Fatal(err)
	}
	s := ship(t, []any{"mug"}, func(o *notification.Options) { o.QuietHours = quiet })
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for s.Clock.Now().In(berlin).Hour() != 23 {
		s.Clock.Pass(time.Hour)
	}
	s.tell()
	if len(s.text("is confirmed")) != 1 || len(s.text("on its way")) != 0 {
		t.Fatalf("at night: %v", s.phone.Messages(""))
	}
	s.mail(t)
	for s.Clock.Now().In(berlin).Hour() != 8 {
		if len(s.text("on its way")) != 0 {
			t.Fatalf("at %s: %v", s.Clock.Now().In(berlin), s.phone.Messages(""))
		}
		s.Clock.Pass(time.Hour)
		s.Must(s.notices.Sweep(t.Context()))
	}
	if len(s.text("on its way")) != 1 {
		t.Errorf("in the morning: %v", s.phone.Messages(""))
	}
}

// A landline gets no short message, and a landline's owner all mails.
func TestLandline(t *testing.T) {
	w := notificationtest.NewShop(t)
	in := w.Shop.Input(w.Shop.Cart("mug"), func(in *order.CheckoutInput) { in.Email, in.Phone = "ada@example.org", "030 123456" })
	o := w.Shop.WantOrder(w.Shop.Buy(in).Order.ID, order.Confirmed, "")
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	if got := messages(w, o); o.Phone != "+4930123456" || got["confirmed SMS"].Status != notification.Obsolete || len(w.Phone.Messages("")) != 0 {
		t.Errorf("%s: %+v", o.Phone, got)
	}
}

// Another language stands in for one that is missing in short messages, too,
// and it is counted.
func TestTextInAMissingLanguage(t *testing.T) {
	w := notificationtest.NewShop(t)
	in := w.Shop.Input(w.Shop.Cart("mug"), func(in *order.CheckoutInput) { in.Locale = "fi" })
	o := w.Shop.WantOrder(w.Shop.Buy(in).Order.ID, order.Confirmed, "")
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(w.Sweep(t.Context()))
	texts := w.Phone.Messages(o.Phone)
	if f := w.Figures(); len(texts) != 1 || !strings.Contains(texts[0].Body, "is confirmed") || f.MissingLanguage != 1 || f.SMS.Segments != 1 {
		t.Errorf("%+v, %+v", texts, f)
	}
}
