package notificationtest

import (
	"errors"
	"strings"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/sandbox/mail"
	"ordergraph/services/notification"
)

// Run holds a notification service to its contract. reach gives the service of
// the world as it is reached.
func Run(t *testing.T, reach func(t *testing.T, w *World) notification.Service) {
	for name, test := range map[string]func(t *testing.T, w *World, s notification.Service){
		"tells what was sent":        tellsWhatWasSent,
		"replays what was given up":  replays,
		"tells only who may know it": keepsToItself,
		"reads the dead in pages":    readsTheDead,
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			test(t, w, reach(t, w))
		})
	}
}

func tellsWhatWasSent(t *testing.T, w *World, s notification.Service) {
	fact, m := w.Register("ada@example.org", "Ada", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	subject := notification.AccountSubject(m.CustomerID)
	n := w.Only(s, subject)
	if n.Status != notification.Queued || n.Kind != notification.Verify || n.Channel != notification.Mail || n.NextAt.IsZero() || len(n.Attempts) != 0 {
		t.Errorf("before: %+v", n)
	}
	w.Must(w.Sweep(t.Context()))
	n = w.Only(s, subject)
	if n.Status != notification.Sent || len(n.Attempts) != 1 || n.Attempts[0].Outcome != "sent" || n.Repeats != 0 || !n.NextAt.IsZero() {
		t.Errorf("after: %+v", n)
	}
	if all, err := s.List(t.Context(), Ourselves, notification.OrderSubject("none")); err != nil || len(all) != 0 {
		t.Errorf("about nothing: %+v, %v", all, err)
	}
	for _, subject := range []string{"", "order", "order:", "customer:1", "account:" + strings.Repeat("x", 200)} {
		if _, err := s.List(t.Context(), Ourselves, subject); !errors.Is(err, notification.ErrInput) {
			t.Errorf("subject %q: %v", subject, err)
		}
	}
}

// kill registers somebody whose mail is refused for good.
func kill(w *World, email string) notification.Notification {
	w.T.Helper()
	w.Must(w.Post.SetFaults(mail.Faults{Refused: 1}))
	fact, m := w.Register(email, "Ada", "en")
	w.Must(w.HearAccount(w.T.Context(), fact))
	w.Must(w.Sweep(w.T.Context()))
	w.Must(w.Post.SetFaults(mail.Faults{}))
	return w.Only(w.Keeper, notification.AccountSubject(m.CustomerID))
}

func replays(t *testing.T, w *World, s notification.Service) {
	n := kill(w, "ada@example.org")
	if n.Status != notification.Dead || len(n.Attempts) != 1 || n.Attempts[0].Outcome != "refused 550 5.1.1" {
		t.Fatalf("%+v", n)
	}
	for range 2 { // twice is once
		again, err := s.Replay(t.Context(), Ourselves, n.ID)
		if err != nil || again.Status != notification.Queued || again.MessageID != n.MessageID || again.NextAt.IsZero() {
			t.Fatalf("%+v, %v", again, err)
		}
	}
	if page, err := s.Dead(t.Context(), Ourselves, ""); err != nil || len(page.Notifications) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	w.Must(w.Sweep(t.Context()))
	if n = w.Only(s, n.Subject); n.Status != notification.Sent || len(n.Attempts) != 2 || n.Repeats != 0 {
		t.Errorf("%+v", n)
	}
	if _, err := s.Replay(t.Context(), Ourselves, n.ID); !errors.Is(err, notification.ErrNotDead) {
		t.Errorf("what was sent: %v", err)
	}
	for _, id := range []string{"", "none", strings.Repeat("x", 500)} {
		if _, err := s.Replay(t.Context(), Ourselves, id); !errors.Is(err, notification.ErrNotFound) {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func keepsToItself(t *testing.T, w *World, s notification.Service) {
	n := kill(w, "ada@example.org")
	customerID := strings.TrimPrefix(n.Subject, "account:")
	for _, c := range []struct {
		who                identity.Caller
		list, dead, replay bool
	}{
		{who: identity.Caller{}},
		{who: identity.Caller{CustomerID: customerID, Roles: []identity.Role{identity.Customer}}},
		{who: identity.Caller{CustomerID: "w", Roles: []identity.Role{identity.Warehouse}}},
		{who: identity.Caller{CustomerID: "m", Roles: []identity.Role{identity.Merchant}}, dead: true},
		{who: identity.Caller{CustomerID: "s", Roles: []identity.Role{identity.Support}}, list: true, replay: true},
		{who: identity.Caller{CustomerID: "a", Roles: []identity.Role{identity.Admin}}, list: true, dead: true, replay: true},
	} {
		_, err := s.List(t.Context(), c.who, n.Subject)
		wantAllowed(t, c.who, "list", c.list, err)
		_, err = s.Dead(t.Context(), c.who, "")
		wantAllowed(t, c.who, "dead", c.dead, err)
		_, err = s.Replay(t.Context(), c.who, n.ID)
		wantAllowed(t, c.who, "replay", c.replay, err)
	}
}

func wantAllowed(t *testing.T, who identity.Caller, what string, want bool, err error) {
	t.Helper()
	if want && err != nil || !want && !errors.Is(err, notification.ErrForbidden) {
		t.Errorf("%s by %v: %v", what, who.Roles, err)
	}
}

func readsTheDead(t *testing.T, w *World, s notification.Service) {
	first, second := kill(w, "ada@example.org"), kill(w, "bob@example.org")
	page, err := s.Dead(t.Context(), Ourselves, "")
	if err != nil || len(page.Notifications) != 2 || page.Next != "" {
		t.Fatalf("%+v, %v", page, err)
	}
	if ids := []string{page.Notifications[0].ID, page.Notifications[1].ID}; ids[0] != first.ID && ids[0] != second.ID || ids[0] == ids[1] {
		t.Errorf("%v", ids)
	}
	if _, err := s.Dead(t.Context(), Ourselves, "nonsense"); !errors.Is(err, notification.ErrCursor) {
		t.Errorf("a made-up cursor: %v", err)
	}
}
