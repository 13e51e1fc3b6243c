package notification_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/sandbox/mail"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
)

// A fact heard often, by several copies at once, makes one mail.
func TestOneMailForManyFacts(t *testing.T) {
	w := notificationtest.New(t)
	fact, m := w.Register("ada@example.org", "Ada", "en")
	var all sync.WaitGroup
	for range 4 {
		k := w.Copy(w.Store, nil)
		all.Go(func() {
			for range 3 {
				if err := k.HearAccount(context.Background(), fact); err != nil {
					t.Error(err)
				}
				if err := k.Sweep(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := w.Post.Messages("ada@example.org")
	n := w.Only(w.Keeper, notification.AccountSubject(m.CustomerID))
	if len(got) != 1 || n.Status != notification.Sent || got[0].MessageID != "<"+n.MessageID+">" {
		t.Fatalf("%d mails, %+v", len(got), n)
	}
	h := got[0].Header
	if h.Get("Auto-Submitted") != "auto-generated" || h.Get("Content-Language") != "en" || h.Get("Date") == "" || got[0].From != `"Harbour Store" <shop@ordergraph.localhost>` {
		t.Errorf("%v from %s", h, got[0].From)
	}
	for _, part := range []string{got[0].Text, got[0].HTML} {
		if !strings.Contains(part, notificationtest.PublicURL+"/account/verify?token=") || !strings.Contains(part, m.Token) || !strings.Contains(part, "Ada") || !strings.Contains(part, "24 hours") {
			t.Errorf("the mail says %s", part)
		}
	}
	log := w.Log.String()
	for _, secret := range []string{m.Token, "ada@example.org", "Ada"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// A mail that is put off comes later, and one that is put off for good dies.
func TestPutOff(t *testing.T) {
	w := notificationtest.New(t)
	fact, m := w.Register("ada@example.org", "Ada", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	w.Must(w.Post.SetFaults(mail.Faults{Deferred: 1}))
	w.Must(w.Sweep(t.Context()))
	subject := notification.AccountSubject(m.CustomerID)
	if n := w.Only(w.Keeper, subject); n.Status != notification.Queued || n.Attempts[0].Outcome != "deferred 451 4.3.0" || !n.NextAt.After(w.Clock.Now().Add(-time.Minute)) {
		t.Fatalf("%+v", n)
	}
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Clock.Pass(time.Minute)
	w.Must(w.Sweep(t.Context()))
	if n := w.Only(w.Keeper, subject); n.Status != notification.Sent || len(n.Attempts) != 2 || n.Repeats != 0 || len(w.Post.Messages("")) != 1 {
		t.Errorf("%+v", n)
	}

	w.Must(w.Post.SetFaults(mail.Faults{Deferred: 1}))
	fact, m = w.Register("bob@example.org", "Bob", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	if n := w.Settle(w.Keeper, notification.AccountSubject(m.CustomerID))[0]; n.Status != notification.Dead || len(n.Attempts) != 20 {
		t.Errorf("%s after %d attempts", n.Status, len(n.Attempts))
	}
	if f := w.Figures().Mail; f.Sent != 1 || f.Dead != 1 || f.Routes[0].Deferred != 21 || f.Repeated != 0 {
		t.Errorf("%+v", f)
	}
}

// An answer that is lost makes a mail come again, under its one Message-ID.
func TestAnswerLost(t *testing.T) {
	w := notificationtest.New(t)
	fact, m := w.Register("ada@example.org", "Ada", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	w.Must(w.Post.SetFaults(mail.Faults{Lost: 1}))
	w.Must(w.Sweep(t.Context()))
	subject := notification.AccountSubject(m.CustomerID)
	if n := w.Only(w.Keeper, subject); n.Status != notification.Queued || n.Attempts[0].Outcome != "unknown" {
		t.Fatalf("%+v", n)
	}
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Clock.Pass(time.Minute)
	w.Must(w.Sweep(t.Context()))
	got := w.Post.Messages("")
	if n := w.Only(w.Keeper, subject); n.Status != notification.Sent || n.Repeats != 1 || len(got) != 2 || got[0].MessageID != got[1].MessageID {
		t.Errorf("%d mails, %+v", len(got), n)
	}
	if f := w.Figures().Mail; f.Repeated != 1 || f.Sent != 1 || f.Routes[0].Unknown != 1 {
		t.Errorf("%+v", f)
	}

	// Nobody gets it for ever.
	w.Must(w.Post.SetFaults(mail.Faults{Lost: 1}))
	fact, m = w.Register("bob@example.org", "Bob", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	if n := w.Settle(w.Keeper, notification.AccountSubject(m.CustomerID))[0]; n.Status != notification.Dead || len(w.Post.Messages("bob@example.org")) != 5 || n.Repeats != 4 {
		t.Errorf("%d mails, %+v", len(w.Post.Messages("bob@example.org")), n)
	}
}

// A provider that is away for long loses no mail and costs none its attempts.
func TestProviderAway(t *testing.T) {
	w := notificationtest.New(t)
	w.Must(w.Post.SetFaults(mail.Faults{Down: true}))
	var subjects []string
	for i := range 12 {
		fact, m := w.Register(fmt.Sprintf("ada%d@example.org", i), "Ada", "en")
		w.Must(w.HearAccount(t.Context(), fact))
		subjects = append(subjects, notification.AccountSubject(m.CustomerID))
	}
	began := w.Clock.Now()
	for w.Clock.Now().Sub(began) < 20*time.Hour {
		w.Must(w.Sweep(t.Context()))
		w.Clock.Pass(7 * time.Minute)
	}
	if f := w.Figures().Mail; f.Routes[0].Unreachable > 400 || f.Dead != 0 {
		t.Errorf("the provider is not spared: %+v", f)
	}
	w.Must(w.Post.SetFaults(mail.Faults{}))
	for range 30 { // one is let through; when it is answered, so are the others
		w.Clock.Pass(2 * time.Minute)
		w.Must(w.Sweep(t.Context()))
	}
	for i, subject := range subjects {
		n := w.Only(w.Keeper, subject)
		if got := w.Post.Messages(fmt.Sprintf("ada%d@example.org", i)); n.Status != notification.Sent || len(got) != 1 || n.Repeats != 0 {
			t.Errorf("%d mails, %+v", len(got), n)
		}
	}
}

// TestDeathAtEveryWrite lets the service die before and after each of its
// writes, while it hears of a mail and sends it. The mail arrives; it arrives
// twice only where the note that it was sent was lost, and that is counted.
func TestDeathAtEveryWrite(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			w := notificationtest.New(t)
			fact, m := w.Register("ada@example.org", "Ada", "en")
			var reaper docstoretest.Reaper
			mortal := w.Copy(reaper.Wrap(w.Store), nil)
			if after {
				reaper.DieAfter(n)
			} else {
				reaper.DieBefore(n)
			}
			heard := mortal.HearAccount(t.Context(), fact) == nil
			_ = mortal.Sweep(t.Context())
			before := len(w.Post.Messages(""))
			died := reaper.Dead()

			if !heard { // an unconfirmed fact is rung again
				w.Must(w.HearAccount(t.Context(), fact))
			}
			note := w.Settle(w.Copy(w.Store, nil), notification.AccountSubject(m.CustomerID))
			got := w.Post.Messages("")
			if len(note) != 1 || note[0].Status != notification.Sent {
				t.Fatalf("write %d, taken %v: %+v", n, after, note)
			}
			if len(got) < 1 || len(got) > 2 || len(got) == 2 && (before != 1 || note[0].Repeats != 1 || got[0].MessageID != got[1].MessageID) {
				t.Errorf("write %d, taken %v: %d mails, %d of them from the dead, %+v", n, after, len(got), before, note[0])
			}
			if !died {
				if n < 4 {
					t.Errorf("only %d writes: this does not try what it should", n)
				}
				break
			}
		}
	}
}

// A mail whose link has been used, or has expired, is not sent any more.
func TestObsolete(t *testing.T) {
	w := notificationtest.New(t)
	fact, m := w.Register("ada@example.org", "Ada", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	w.Clock.Pass(25 * time.Hour)
	w.Must(w.Sweep(t.Context()))
	if n := w.Only(w.Keeper, notification.AccountSubject(m.CustomerID)); n.Status != notification.Obsolete || len(w.Post.Messages("")) != 0 {
		t.Errorf("%+v", n)
	}
	w.Clock.Pass(91 * 24 * time.Hour)
	w.Must(w.Sweep(t.Context()))
	if all, err := w.List(t.Context(), notificationtest.Ourselves, notification.AccountSubject(m.CustomerID)); err != nil || len(all) != 0 {
		t.Errorf("it is remembered for ever: %+v, %v", all, err)
	}
}

// A panicking provider costs its mail an attempt, and nobody else anything.
func TestPanic(t *testing.T) {
	w := notificationtest.New(t)
	fact, m := w.Register("ada@example.org", "Ada", "en")
	k := w.Copy(w.Store, panicking{})
	w.Must(k.HearAccount(t.Context(), fact))
	w.Must(k.Sweep(t.Context()))
	if n := w.Only(k, notification.AccountSubject(m.CustomerID)); n.Status != notification.Queued || n.Attempts[0].Outcome != "unknown panic" {
		t.Errorf("%+v", n)
	}
}

type panicking struct{}

func (panicking) Send(context.Context, notification.Letter) error { panic("a defect") }

// Of a message that each of its senders dies of nobody tries more copies than
// of one whose answers are lost.
func TestDeadlyMessage(t *testing.T) {
	w := notificationtest.New(t)
	subject := register(w, w.Keeper, "ada@example.org")
	for range 10 {
		var reaper docstoretest.Reaper
		mortal := w.Copy(reaper.Wrap(w.Store), nil)
		reaper.DieBefore(3) // it is taken, the attempt is noted and made, and nobody says what came of it
		_ = mortal.Sweep(t.Context())
		w.Clock.Pass(time.Minute)
	}
	n := w.Only(w.Keeper, subject)
	if got := w.Post.Messages(""); n.Status != notification.Dead || len(got) != 5 || n.Repeats != 4 {
		t.Errorf("%d mails, %+v", len(got), n)
	}
}

// However many ask for it at once, a message is sent once more.
func TestSentOnceMoreAtOnce(t *testing.T) {
	w := notificationtest.New(t)
	subject := register(w, w.Keeper, "ada@example.org")
	w.Must(w.Sweep(t.Context()))
	first := w.Only(w.Keeper, subject)
	asked := false
	slow := w.Copy(w.Store, nil, func(o *notification.Options) {
		o.Now = func() time.Time { // it is asked for when the next message is about to be stored
			if !asked {
				asked = true
				_, err := w.Resend(t.Context(), notificationtest.Ourselves, first.ID)
				w.Must(err)
			}
			return w.Clock.Now()
		}
	})
	again, err := slow.Resend(t.Context(), notificationtest.Ourselves, first.ID)
	w.Must(err)
	got, err := w.List(t.Context(), notificationtest.Ourselves, subject)
	if err != nil || !asked || len(got) != 2 || got[1].ID != again.ID || got[1].MessageID != again.MessageID {
		t.Errorf("%+v and then %+v, %v", again, got, err)
	}
}
