package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
	"ordergraph/sandbox/mail"
	"ordergraph/services/notification"
)

// A mail that its provider refuses is a dead letter, which operators see, try
// again and drop.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, nil)
	if err := s.Post.SetFaults(mail.Faults{Refused: 1}); err != nil {
		t.Fatal(err)
	}
	admin, customer := s.Staff(identity.Admin), s.Customer("ada@example.com")
	var ids []string
	for range 3 { // a cancellation's mail waits for nothing
		order := s.Buy(customer.Access, "Wool Scarf").Order
		s.DoAs(customer.Access, `mutation ($id: ID!) { orderCancel(input: {orderId: $id}) { userErrors { code } } }`, graphtest.Vars{"id": order})
		s.Tell(order)
		ids = append(ids, "notification/message/order:"+order[strings.LastIndexByte(order, '/')+1:]+":cancelled")
	}
	if kept := graphtest.Get(s.DoAs(admin.Access, `{ deadLetterServices }`, nil), "deadLetterServices"); fmt.Sprint(kept) != "[notification]" {
		t.Errorf("kept by %v", kept)
	}
	const list = `query ($first: Int!, $after: String, $service: String) { deadLetters(first: $first, after: $after, service: $service) {
		edges { cursor node { id service kind type key listener deadAt attempts { at outcome } } } nodes { id } pageInfo { hasNextPage endCursor } } }`
	var seen []string // of cancellations; the other mails to her are refused as well
	page := graphtest.Vars{"first": 2}
	for more := true; more; {
		data := s.DoAs(admin.Access, list, page)
		for _, edge := range graphtest.Get(data, "deadLetters.edges").([]any) {
			node := edge.(map[string]any)["node"].(map[string]any)
			if node["type"] != "cancelled" {
				continue
			}
			seen = append(seen, node["id"].(string))
			attempts := node["attempts"].([]any)
			if node["service"] != "notification" || node["kind"] != "MESSAGE" || node["listener"] != "MAIL" || len(attempts) != 1 ||
				!strings.Contains(attempts[0].(map[string]any)["outcome"].(string), "550") {
				t.Errorf("%v", node)
			}
		}
		more = graphtest.Get(data, "deadLetters.pageInfo.hasNextPage").(bool)
		page["after"] = graphtest.Get(data, "deadLetters.pageInfo.endCursor")
	}
	if strings.Join(seen, " ") != strings.Join(ids, " ") {
		t.Fatalf("dead are %v, and listed are %v", ids, seen)
	}

	if err := s.Post.SetFaults(mail.Faults{}); err != nil {
		t.Fatal(err)
	}
	do := func(what, id string) (done, wrong any) {
		t.Helper()
		data := s.DoAs(admin.Access, `mutation ($id: ID!) { `+what+`(id: $id) { deadLetterId userErrors { code field message } } }`, graphtest.Vars{"id": id})
		return graphtest.Get(data, what+".deadLetterId"), graphtest.Get(data, what+".userErrors.0.code")
	}
	for range 2 { // harmless while it waits
		if done, wrong := do("deadLetterReplay", ids[0]); done != ids[0] || wrong != nil {
			t.Errorf("%v %v", done, wrong)
		}
	}
	if done, wrong := do("deadLetterDrop", ids[1]); done != ids[1] || wrong != nil {
		t.Errorf("%v %v", done, wrong)
	}
	s.Deliver()
	for i, want := range []notification.Status{notification.Sent, notification.Dropped, notification.Dead} {
		n, err := s.Messages.Get(t.Context(), identity.Ourselves(), strings.TrimPrefix(ids[i], "notification/message/"))
		if err != nil || n.Status != want {
			t.Errorf("%s is %s (%v), want %s", ids[i], n.Status, err, want)
		}
	}
	left := fmt.Sprint(graphtest.Get(s.DoAs(admin.Access, list, graphtest.Vars{"first": 100, "service": "notification"}), "deadLetters.nodes"))
	if strings.Contains(left, ids[0]) || strings.Contains(left, ids[1]) || !strings.Contains(left, ids[2]) {
		t.Errorf("left are %v", left)
	}
	if done, wrong := do("deadLetterReplay", ids[0]); done != nil || wrong != "NOT_FOUND" {
		t.Errorf("what was sent was replayed: %v %v", done, wrong)
	}
	if a := s.AskAs(admin.Access, list, graphtest.Vars{"first": 1, "service": "bakery"}); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "BAD_USER_INPUT" {
		t.Errorf("%s", a.Body)
	}
	if a := s.AskAs(admin.Access, list, graphtest.Vars{"first": 101}); len(a.Errors) == 0 || a.Errors[0].Extensions["code"] != "BAD_USER_INPUT" {
		t.Errorf("%s", a.Body)
	}
}
