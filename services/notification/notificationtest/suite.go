package notificationtest

import (
	"errors"
	"strings"
	"testing"
	"time"

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
		"puts the dead away":         putsAway,
		"sends once more":            sendsOnceMore,
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			test(t, w, reach(t, w))
		})
	}
	for name, test := range map[string]func(t *testing.T, w *World, s notification.Service){
		"tells customers of their order": tellsOfOrders,
		"tells versions":                 tellsVersions,
	} {
		t.Run(name, func(t *testing.T) {
			w := NewShop(t)
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
		who                              identity.Caller
		list, dead, replay, drop, resend bool
	}{
		{who: identity.Caller{}},
		{who: identity.Caller{CustomerID: customerID, Roles: []identity.Role{identity.Customer}}},
		{who: identity.Caller{CustomerID: "w", Roles: []identity.Role{identity.Warehouse}}},
		{who: identity.Caller{CustomerID: "m", Roles: []identity.Role{identity.Merchant}}, dead: true},
		{who: identity.Caller{CustomerID: "s", Roles: []identity.Role{identity.Support}}, list: true, replay: true, resend: true},
		{who: identity.Caller{CustomerID: "a", Roles: []identity.Role{identity.Admin}}, list: true, dead: true, replay: true, drop: true, resend: true},
	} {
		_, err := s.List(t.Context(), c.who, n.Subject)
		wantAllowed(t, c.who, "list", c.list, err)
		_, err = s.Dead(t.Context(), c.who, "")
		wantAllowed(t, c.who, "dead", c.dead, err)
		_, err = s.Replay(t.Context(), c.who, n.ID)
		wantAllowed(t, c.who, "replay", c.replay, err)
		_, err = s.Get(t.Context(), c.who, n.ID)
		wantAllowed(t, c.who, "get", c.list || c.dead, err)
		_, err = s.Versions(t.Context(), c.who, []string{"none"})
		wantAllowed(t, c.who, "versions", c.list, err)
		if _, err = s.Drop(t.Context(), c.who, n.ID); c.drop && errors.Is(err, notification.ErrNotDead) {
			err = nil // replayed above
		}
		wantAllowed(t, c.who, "drop", c.drop, err)
		if _, err = s.Resend(t.Context(), c.who, n.ID); c.resend && errors.Is(err, notification.ErrNotSent) {
			err = nil
		}
		wantAllowed(t, c.who, "resend", c.resend, err)
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

func putsAway(t *testing.T, w *World, s notification.Service) {
	n := kill(w, "ada@example.org")
	for range 2 { // twice is once
		if gone, err := s.Drop(t.Context(), Ourselves, n.ID); err != nil || gone.Status != notification.Dropped {
			t.Fatalf("%+v, %v", gone, err)
		}
	}
	if page, err := s.Dead(t.Context(), Ourselves, ""); err != nil || len(page.Notifications) != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	if got, err := s.Get(t.Context(), Ourselves, n.ID); err != nil || got.Status != notification.Dropped || got.ID != n.ID || len(got.Attempts) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	w.Clock.Pass(time.Hour)
	w.Must(w.Sweep(t.Context()))
	if got := w.Post.Messages(""); len(got) != 0 {
		t.Errorf("it was sent all the same: %+v", got)
	}
	if _, err := s.Replay(t.Context(), Ourselves, n.ID); !errors.Is(err, notification.ErrNotDead) {
		t.Errorf("replay of what was put away: %v", err)
	}
	for _, id := range []string{"", "none", strings.Repeat("x", 500)} {
		if _, err := s.Drop(t.Context(), Ourselves, id); !errors.Is(err, notification.ErrNotFound) {
			t.Errorf("drop %q: %v", id, err)
		}
		if _, err := s.Get(t.Context(), Ourselves, id); !errors.Is(err, notification.ErrNotFound) {
			t.Errorf("get %q: %v", id, err)
		}
	}
}

func sendsOnceMore(t *testing.T, w *World, s notification.Service) {
	fact, m := w.Register("ada@example.org", "Ada", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	subject := notification.AccountSubject(m.CustomerID)
	first := w.Only(s, subject)
	if _, err := s.Resend(t.Context(), Ourselves, first.ID); !errors.Is(err, notification.ErrNotSent) {
		t.Errorf("before it was sent: %v", err)
	}
	if _, err := s.Drop(t.Context(), Ourselves, first.ID); !errors.Is(err, notification.ErrNotDead) {
		t.Errorf("drop of what is queued: %v", err)
	}
	w.Must(w.Sweep(t.Context()))
	again, err := s.Resend(t.Context(), Ourselves, first.ID)
	w.Must(err)
	if again.ID == first.ID || again.Kind != first.Kind || again.Subject != subject || again.Status != notification.Queued || again.MessageID == first.MessageID {
		t.Errorf("%+v", again)
	}
	if same, err := s.Resend(t.Context(), Ourselves, first.ID); err != nil || same.ID != again.ID {
		t.Errorf("while it is queued: %+v, %v", same, err)
	}
	w.Must(w.Sweep(t.Context()))
	if third, err := s.Resend(t.Context(), Ourselves, again.ID); err != nil || third.ID == again.ID || third.ID == first.ID {
		t.Errorf("after it was sent: %+v, %v", third, err)
	}
	w.Must(w.Sweep(t.Context()))
	if got := w.Post.Messages("ada@example.org"); len(got) != 3 {
		t.Errorf("%d mails", len(got))
	}
	if _, err := s.Resend(t.Context(), Ourselves, "none"); !errors.Is(err, notification.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
}

func tellsOfOrders(t *testing.T, w *World, s notification.Service) {
	got, err := w.Shop.Orders.Checkout(t.Context(), identity.Caller{CustomerID: "ada"}, w.Shop.Input(w.Shop.Cart("mug")))
	w.Must(err)
	id, token := got.Order.ID, got.AccessToken
	nothing, err := s.OfOrder(t.Context(), identity.Caller{}, id, token)
	if err != nil || nothing.OrderID != id || nothing.Version < 1 || len(nothing.Notifications) != 0 {
		t.Fatalf("before anything was said: %+v, %v", nothing, err)
	}
	w.Must(w.HearOrder(t.Context(), Changed(got.Order)))
	for _, c := range []struct {
		name  string
		who   identity.Caller
		token string
		sees  bool
	}{
		{"its customer", identity.Caller{CustomerID: "ada"}, "", true},
		{"a guest with the token", identity.Caller{}, token, true},
		{"support", identity.Caller{Roles: []identity.Role{identity.Support}}, "", true},
		{"ourselves", Ourselves, "", true},
		{"a warehouse, which may see orders", identity.Caller{Roles: []identity.Role{identity.Warehouse}}, "", false},
		{"a guest", identity.Caller{}, "", false},
		{"a guest with another token", identity.Caller{}, token[1:] + "x", false},
		{"another customer", identity.Caller{CustomerID: "eve"}, "", false},
	} {
		all, err := s.OfOrder(t.Context(), c.who, id, c.token)
		if c.sees && (err != nil || len(all.Notifications) == 0 || all.Version <= nothing.Version) || !c.sees && !errors.Is(err, notification.ErrNotFound) {
			t.Errorf("%s: %+v, %v", c.name, all, err)
		}
	}
	for _, id := range []string{"", "none", strings.Repeat("x", 500)} {
		if _, err := s.OfOrder(t.Context(), Ourselves, id, token); !errors.Is(err, notification.ErrNotFound) {
			t.Errorf("order %q: %v", id, err)
		}
	}
}

func tellsVersions(t *testing.T, w *World, s notification.Service) {
	got, err := w.Shop.Orders.Checkout(t.Context(), identity.Caller{}, w.Shop.Input(w.Shop.Cart("mug")))
	w.Must(err)
	id := got.Order.ID
	last := int64(0)
	grown := func(when string) {
		t.Helper()
		versions, err := s.Versions(t.Context(), Ourselves, []string{id, "none"})
		w.Must(err)
		all, err := s.OfOrder(t.Context(), Ourselves, id, "")
		w.Must(err)
		if versions[id] <= last || versions[id] != all.Version || versions["none"] != 1 || len(versions) != 2 {
			t.Errorf("%s: %v after %d; the messages are at %d", when, versions, last, all.Version)
		}
		last = versions[id]
	}
	grown("before anything was said")
	w.Must(w.HearOrder(t.Context(), Changed(got.Order)))
	grown("queued")
	w.Must(w.Post.SetFaults(mail.Faults{Deferred: 1}))
	w.Clock.Pass(Grace)
	w.Must(w.Sweep(t.Context()))
	grown("put off")
	w.Must(w.Post.SetFaults(mail.Faults{}))
	w.Settle(w.Keeper, notification.OrderSubject(id))
	grown("sent")
	if _, err := s.Versions(t.Context(), Ourselves, make([]string, notification.MaxVersions+1)); !errors.Is(err, notification.ErrInput) {
		t.Errorf("too many: %v", err)
	}
}
