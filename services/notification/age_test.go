package notification_test

import (
	"errors"
	"testing"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
)

// What waits for its provider longer than it is of use goes to nobody, and is
// counted.
func TestTooOld(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.Post.SetFaults(mail.Faults{Down: true}))
	w.Must(w.Phone.SetFaults(twilio.Faults{Down: true}))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	passes := func(d time.Duration) {
		for range d / time.Hour {
			w.Must(w.Sweep(t.Context()))
			w.Clock.Pass(time.Hour)
		}
	}
	want := func(texts, mails notification.Status) {
		t.Helper()
		all := messages(w, o)
		if s, m := all["confirmed SMS"], all["confirmed MAIL"]; s.Status != texts || m.Status != mails {
			t.Fatalf("%+v\n%+v", s, m)
		}
	}
	passes(47 * time.Hour)
	want(notification.Queued, notification.Queued)
	passes(3 * time.Hour)
	want(notification.Queued, notification.Queued) // the SMS may have been taken: its provider is asked first
	passes(48 * time.Hour)
	want(notification.Obsolete, notification.Queued)
	passes(3 * 24 * time.Hour)
	want(notification.Obsolete, notification.Obsolete)
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Must(w.Phone.SetFaults(twilio.Faults{}))
	passes(2 * time.Hour)
	if texts, mails := w.Phone.Messages(o.Phone), w.Post.Messages(o.Email); len(texts)+len(mails) > 0 {
		t.Errorf("%d SMS and %d mails", len(texts), len(mails))
	}
	if f := w.Figures(); f.SMS.Expired != 1 || f.Mail.Expired != 1 {
		t.Errorf("%+v", f)
	}
}

// Of what may have been taken the provider is asked first, however old it is.
func TestTooOldAndInDoubt(t *testing.T) {
	w := notificationtest.NewShop(t)
	taken, refused := buy(w), buy(w)
	w.Must(w.Phone.SetFaults(twilio.Faults{Lost: 1}))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&taken)))
	w.Must(w.Sweep(t.Context()))
	w.Must(w.Phone.SetFaults(twilio.Faults{Down: true}))
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&refused)))
	for range 60 {
		w.Must(w.Sweep(t.Context()))
		w.Clock.Pass(time.Hour)
	}
	if n := messages(w, taken)["confirmed SMS"]; n.Status != notification.Queued {
		t.Fatalf("nobody could be asked: %+v", n)
	}
	w.Must(w.Phone.SetFaults(twilio.Faults{}))
	for range 3 {
		w.Must(w.Sweep(t.Context()))
		w.Clock.Pass(time.Hour)
	}
	if n := messages(w, taken)["confirmed SMS"]; n.Status != notification.Sent {
		t.Errorf("%+v", n)
	}
	if n := messages(w, refused)["confirmed SMS"]; n.Status != notification.Obsolete {
		t.Errorf("%+v", n)
	}
	if f := w.Figures(); f.SMS.Found != 1 || f.SMS.Expired != 1 || len(w.Phone.Messages("")) != 1 {
		t.Errorf("%+v", f)
	}
}

// Messages are forgotten, and what is told of their order's version stays true.
func TestVersionsOutliveMessages(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	subject := notification.OrderSubject(o.ID)
	told := w.Settle(w.Keeper, subject)
	version := func() int64 {
		t.Helper()
		versions, err := w.Versions(t.Context(), identity.Ourselves(), []string{o.ID})
		w.Must(err)
		all, err := w.OfOrder(t.Context(), identity.Ourselves(), o.ID, "")
		w.Must(err)
		if all.Version != versions[o.ID] {
			t.Errorf("%d and %d", all.Version, versions[o.ID])
		}
		return all.Version
	}
	before := version()
	if len(told) < 2 || before < 4 {
		t.Fatalf("%d: %+v", before, told)
	}
	w.Clock.Pass(91 * 24 * time.Hour)
	for range 2 {
		w.Must(w.Sweep(t.Context()))
		if after := version(); after != before {
			t.Errorf("the version was %d and is %d", before, after)
		}
	}
	left, err := w.List(t.Context(), notificationtest.Ourselves, subject)
	if err != nil || len(left) > 0 {
		t.Errorf("%+v, %v", left, err)
	}
	all, err := w.OfOrder(t.Context(), identity.Ourselves(), o.ID, "")
	if err != nil || len(all.Notifications) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if n, err := w.Get(t.Context(), notificationtest.Ourselves, subject+":forgotten"); !errors.Is(err, notification.ErrNotFound) {
		t.Errorf("%+v, %v", n, err)
	}
}
