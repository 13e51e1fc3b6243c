package graph_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
)

const watchMessages = `subscription ($id: ID!, $token: String, $after: Int) {
	notificationStatus(orderId: $id, accessToken: $token, afterVersion: $after) { orderId version notifications { id kind channel status createdAt updatedAt } }
}`

// A message is as much of a Notification as tests look at.
type message struct {
	ID, Kind, Channel, Status string
	Attempts                  []struct{ Outcome string }
}

// messages reads those of an event or an answer, and the version.
func messages(t *testing.T, a graphtest.Answer, path string) (all []message, version float64) {
	t.Helper()
	text, err := json.Marshal(graphtest.Get(a.Data, path+".notifications"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil || all == nil {
		t.Fatalf("%v: %+v", err, a)
	}
	version, _ = graphtest.Get(a.Data, path+".version").(float64)
	return all, version
}

// until reads events until so many messages have come as far as this, by
// channel and status, and returns the version that showed it. Versions only
// grow.
func until(t *testing.T, from <-chan event, last float64, want map[string]int) float64 {
	t.Helper()
	for {
		all, now := messages(t, next(t, from).Answer, "notificationStatus")
		if now <= last {
			t.Fatalf("after version %v came %v: %v", last, now, all)
		}
		last = now
		got := map[string]int{}
		for _, m := range all {
			got[m.Channel+" "+m.Status]++
		}
		if maps.Equal(got, want) {
			return last
		}
	}
}

// TestMessagesAreWatched follows what a customer is told about an order, from
// nothing to an SMS that has arrived and a mail that staff send once more, and
// comes back in between.
func TestMessagesAreWatched(t *testing.T) {
	s := graphtest.New(t, nil)
	ada, support := s.Customer("ada@example.org"), s.Staff(identity.Support)
	bought := s.Buy(ada.Access, "Café Mug")
	all := events(t, s, watchMessages, graphtest.Vars{"id": bought.Order, "token": bought.Token})
	first := next(t, all)
	none, version := messages(t, first.Answer, "notificationStatus")
	if len(none) > 0 || version < 1 || graphtest.Get(first.Data, "notificationStatus.orderId") != bought.Order {
		t.Fatalf("first came %+v", first)
	}

	s.Tell(bought.Order)
	// The confirmation waits a moment for its invoice, of which nobody tells here.
	s.Until("the mail is out", func() bool {
		s.Deliver()
		return len(s.Post.Messages("ada@example.org")) > 0
	})
	version = until(t, all, version, map[string]int{"MAIL SENT": 1, "SMS DELIVERED": 1})

	read := func(access string) graphtest.Answer {
		return s.AskAs(access, `query ($id: ID!) { order(id: $id) { notifications { id kind channel status attempts { at route outcome } nextAttemptAt } } }`, graphtest.Vars{"id": bought.Order})
	}
	told := read(support.Access)
	seen, _ := messages(t, told, "order")
	i := slices.IndexFunc(seen, func(m message) bool { return m.Channel == "MAIL" })
	if len(seen) != 2 || i < 0 || seen[i].Kind != "CONFIRMED" || len(seen[i].Attempts) != 1 || seen[i].Attempts[0].Outcome != "sent" || len(told.Errors) > 0 {
		t.Fatalf("support reads %s", told.Body)
	}
	mail := seen[i]
	own := read(ada.Access)
	if seen, _ := messages(t, own, "order"); len(own.Errors) != 4 || own.Errors[0].Extensions["code"] != "FORBIDDEN" || len(seen) != 2 || len(seen[i].Attempts) > 0 {
		t.Errorf("the customer asks for attempts, and gets %s", own.Body)
	}
	for _, a := range []graphtest.Answer{told, own} {
		if text := string(a.Body); strings.Contains(text, "example.org") || strings.Contains(text, "1701234567") {
			t.Errorf("an address is in %s", text)
		}
	}

	later := events(t, s, watchMessages, graphtest.Vars{"id": bought.Order, "token": bought.Token, "after": version})
	const again = `mutation ($id: ID!) { notificationResend(id: $id) { notification { id status } userErrors { code field } } }`
	got := s.DoAs(support.Access, again, graphtest.Vars{"id": mail.ID})
	if graphtest.Get(got, "notificationResend.notification.id") == mail.ID || graphtest.Get(got, "notificationResend.notification.status") != "QUEUED" {
		t.Fatalf("sent again: %v", got)
	}
	if twice := s.DoAs(support.Access, again, graphtest.Vars{"id": mail.ID}); !reflect.DeepEqual(twice, got) {
		t.Errorf("sent again twice: %v", twice)
	}
	if refused := s.DoAs(support.Access, again, graphtest.Vars{"id": "gid://ordergraph/Notification/none"}); graphtest.Get(refused, "notificationResend.userErrors.0.code") != "NOT_FOUND" {
		t.Errorf("something that is not there, sent again: %v", refused)
	}
	s.Deliver()
	want := map[string]int{"MAIL SENT": 2, "SMS DELIVERED": 1}
	until(t, all, version, want)
	until(t, later, version, want)
	if n := len(s.Post.Messages("ada@example.org")); n != 2 {
		t.Errorf("%d mails have arrived", n)
	}
}

// TestWhoMayNotWatchMessages asks as strangers, and as staff who may see the
// order but not what was said about it.
func TestWhoMayNotWatchMessages(t *testing.T) {
	s := graphtest.New(t, nil)
	ada, eve, warehouse := s.Customer("ada@example.org"), s.Customer("eve@example.org"), s.Staff(identity.Warehouse)
	bought := s.Buy(ada.Access, "Café Mug")
	s.Tell(bought.Order)
	refused(t, events(t, s, watchMessages, graphtest.Vars{"id": bought.Order}), "NOT_FOUND")
	refused(t, events(t, s, watchMessages, graphtest.Vars{"id": bought.Order, "token": "wrong"}), "NOT_FOUND")
	refused(t, events(t, s, watchMessages, graphtest.Vars{"id": "nonsense"}), "NOT_FOUND")
	for _, who := range []graphtest.Somebody{eve, warehouse} {
		refused(t, eventsAs(t, s, who.Access, watchMessages, graphtest.Vars{"id": bought.Order}), "NOT_FOUND")
	}
	if got := s.AskAs(s.Staff(identity.Admin).Access, `{ notifications(subjectId: "gid://ordergraph/Product/1") { id } }`, nil); len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "BAD_USER_INPUT" {
		t.Errorf("messages about a product: %s", got.Body)
	}
}

// TestWhoWatchesAnInvoice: strangers do not, and who comes back sees what is
// newer than what they have.
func TestWhoWatchesAnInvoice(t *testing.T) {
	s := graphtest.New(t, nil)
	ada, eve, warehouse := s.Customer("ada@example.org"), s.Customer("eve@example.org"), s.Staff(identity.Warehouse)
	bought := s.Buy(ada.Access, "Café Mug")
	const watch = `subscription ($id: ID!, $token: String, $after: Int) { invoiceStatus(orderId: $id, accessToken: $token, afterVersion: $after) { version status } }`
	for _, who := range []graphtest.Somebody{eve, warehouse, {}} {
		refused(t, eventsAs(t, s, who.Access, watch, graphtest.Vars{"id": bought.Order, "token": "wrong"}), "NOT_FOUND")
	}
	first := next(t, eventsAs(t, s, ada.Access, watch, graphtest.Vars{"id": bought.Order}))
	version, _ := graphtest.Get(first.Data, "invoiceStatus.version").(float64)
	if graphtest.Get(first.Data, "invoiceStatus.status") != "READY" || version < 1 {
		t.Fatalf("first came %+v", first)
	}
	before := next(t, eventsAs(t, s, ada.Access, watch, graphtest.Vars{"id": bought.Order, "after": version - 1}))
	if graphtest.Get(before.Data, "invoiceStatus.version") != version {
		t.Errorf("after %v came %+v", version-1, before)
	}
}

// Without the service nothing is told, and what hangs on orders is empty.
func TestWithoutMessages(t *testing.T) {
	s := graphtest.New(t, func(o *graph.Options) { o.Notification = nil })
	bought := s.Buy("", "Café Mug")
	refused(t, events(t, s, watchMessages, graphtest.Vars{"id": bought.Order, "token": bought.Token}), "UNAVAILABLE")
	got := s.Do(`query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { notifications { id } progress { parcels { total } documents { kind } messages { status } } } }`, graphtest.Vars{"id": bought.Order, "token": bought.Token})
	if none, ok := graphtest.Get(got, "order.notifications").([]any); !ok || len(none) > 0 {
		t.Errorf("%v", got)
	}
}
