package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"ordergraph/graph"
	"ordergraph/graph/gid"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/budget"
	"ordergraph/platform/deadletter"
	"ordergraph/platform/deadletter/deadletterrpc"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	facts "ordergraph/platform/events"
	"ordergraph/platform/identity"
)

const listOrders = `query ($first: Int!, $after: String, $filter: OrderFilter, $reverse: Boolean) {
	orders(first: $first, after: $after, filter: $filter, reverse: $reverse) { nodes { id number createdAt } pageInfo { hasNextPage endCursor } } }`

// TestOrdersAreFound looks for orders as staff do, and as their customer does.
func TestOrdersAreFound(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, nil)
	ada, bob, sam := s.Customer("ada@example.com"), s.Customer("bob@example.com"), s.Staff(identity.Support)
	var ids []string
	for _, who := range []graphtest.Somebody{ada, bob, ada} {
		ids = append(ids, s.Buy(who.Access, "Wool Scarf").Order)
	}
	s.DoAs(ada.Access, `mutation ($id: ID!) { orderCancel(input: {orderId: $id}) { userErrors { code } } }`, graphtest.Vars{"id": ids[2]})
	all := s.DoAs(sam.Access, listOrders, graphtest.Vars{"first": 10, "reverse": true})
	number := graphtest.Get(all, "orders.nodes.1.number").(string)
	second := graphtest.Get(all, "orders.nodes.1.createdAt")

	for name, c := range map[string]struct {
		access string
		vars   graphtest.Vars
		want   []int
	}{
		"all":                       {sam.Access, graphtest.Vars{}, []int{2, 1, 0}},
		"the oldest first":          {sam.Access, graphtest.Vars{"reverse": true}, []int{0, 1, 2}},
		"states":                    {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"statuses": []string{"CONFIRMED", "CANCELLED"}}}, []int{1, 0}},
		"no states":                 {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"statuses": []string{}}}, []int{2, 1, 0}},
		"a number":                  {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"number": strings.ToLower(strings.ReplaceAll(number, "-", ""))}}, []int{1}},
		"an address":                {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"email": "ADA@example.org"}}, []int{2, 1, 0}},
		"another address":           {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"email": "eve@example.org"}}, nil},
		"a customer":                {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"customerId": ada.ID}}, []int{2, 0}},
		"a customer nobody knows":   {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"customerId": gid.Of(gid.Customer, "nobody")}}, nil},
		"from":                      {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"createdFrom": second, "customerId": bob.ID}}, []int{1}},
		"before":                    {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"createdBefore": second, "customerId": bob.ID}}, nil},
		"one's own":                 {ada.Access, graphtest.Vars{"filter": graphtest.Vars{"customerId": ada.ID, "statuses": []string{"REFUNDED"}}}, []int{2}},
		"another's number":          {ada.Access, graphtest.Vars{"filter": graphtest.Vars{"number": number}}, nil},
		"one's own by the address":  {ada.Access, graphtest.Vars{"filter": graphtest.Vars{"email": "ada@example.org"}}, []int{2, 0}},
		"one's own, oldest, by one": {ada.Access, graphtest.Vars{"reverse": true, "first": 1}, []int{0, 2}},
	} {
		var want, got []string
		for _, i := range c.want {
			want = append(want, ids[i])
		}
		if c.vars["first"] == nil {
			c.vars["first"] = 2
		}
		for more := true; more; {
			data := s.DoAs(c.access, listOrders, c.vars)
			for _, o := range graphtest.Get(data, "orders.nodes").([]any) {
				got = append(got, graphtest.Get(o, "id").(string))
			}
			more = graphtest.Get(data, "orders.pageInfo.hasNextPage").(bool) && len(got) <= len(ids)
			c.vars["after"] = graphtest.Get(data, "orders.pageInfo.endCursor")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}

	cursor := graphtest.Get(all, "orders.pageInfo.endCursor")
	for name, c := range map[string]struct {
		access      string
		vars        graphtest.Vars
		code, field any
	}{
		"an empty number":           {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"number": ""}}, "BAD_USER_INPUT", "filter.number"},
		"no number":                 {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"number": "none"}}, "BAD_USER_INPUT", "filter.number"},
		"an empty address":          {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"email": " "}}, "BAD_USER_INPUT", "filter.email"},
		"half an address":           {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"email": "ada@"}}, "BAD_USER_INPUT", "filter.email"},
		"no customer":               {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"customerId": ids[0]}}, "BAD_USER_INPUT", "filter.customerId"},
		"a time that ends before":   {sam.Access, graphtest.Vars{"filter": graphtest.Vars{"createdFrom": second, "createdBefore": second}}, "BAD_USER_INPUT", "filter.createdBefore"},
		"another's":                 {ada.Access, graphtest.Vars{"filter": graphtest.Vars{"customerId": bob.ID}}, "FORBIDDEN", nil},
		"a guest":                   {"", graphtest.Vars{"filter": graphtest.Vars{"number": number}}, "UNAUTHENTICATED", nil},
		"a cursor of another list":  {sam.Access, graphtest.Vars{"after": cursor}, "BAD_USER_INPUT", "after"},
		"a cursor of another state": {sam.Access, graphtest.Vars{"after": cursor, "reverse": true, "filter": graphtest.Vars{"statuses": []string{"FAILED"}}}, "BAD_USER_INPUT", "after"},
	} {
		c.vars["first"] = 2
		a := s.AskAs(c.access, listOrders, c.vars)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != c.code || a.Errors[0].Extensions["field"] != c.field {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
}

// TestACustomerIsANodeForStaff looks a customer up by the global id alone.
func TestACustomerIsANodeForStaff(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, nil)
	ada, sam := s.Customer("ada@example.com"), s.Staff(identity.Support)
	const look = `query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Customer { email } } }`
	data := s.DoAs(sam.Access, look, graphtest.Vars{"ids": []string{ada.ID, gid.Of(gid.Customer, "nobody"), sam.ID}})
	if got := graphtest.Get(data, "nodes.0.email"); got != ada.Email {
		t.Errorf("%v", data)
	}
	if graphtest.Get(data, "nodes.1") != nil || graphtest.Get(data, "nodes.2.id") != sam.ID {
		t.Errorf("%v", data)
	}
}

// An aboutOrder is a document of a service that has something to tell.
type aboutOrder struct {
	docstore.Meta `bson:",inline"`
	Outbox        facts.Outbox `bson:"outbox"`
}

// TestFactsOfAnOrder shows what services have yet to tell each other about an
// order; one that is away is named, and takes nothing from the others.
func TestFactsOfAnOrder(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = client.Close() })
	docs, err := docstore.Open[aboutOrder](t.Context(), docstoretest.Memory(t), docstore.Spec{Name: "about", Indexes: []docstore.Index{facts.Index(), facts.DeadIndex()}})
	if err != nil {
		t.Fatal(err)
	}
	relay := facts.NewRelay(facts.NewBus(client, nil), "order", docs, func(d *aboutOrder) *facts.Outbox { return &d.Outbox }, facts.RelayOptions{})
	nobody, err := grpc.NewClient("passthrough:///localhost:1", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nobody.Close() })
	var away bool
	s := graphtest.New(t, func(o *graph.Options) {
		desk := deadletter.Desk{{Service: "order", Letters: relay}}
		if away {
			desk = append(desk, deadletter.Box{Service: "payment", Letters: deadletterrpc.Contract("payment").Dial(nobody)})
		}
		o.DeadLetters = desk
	})
	admin := s.Staff(identity.Admin)
	bought := s.Buy("", "Wool Scarf")
	id, _ := gid.Parse(gid.Order, bought.Order)
	doc := aboutOrder{Meta: docstore.Meta{ID: id}}
	o, err := s.Order.Get(t.Context(), identity.Ourselves(), id, "")
	if err != nil {
		t.Fatal(err)
	}
	doc.Outbox.Add(o.CreatedAt, facts.Fact{ID: id + ":1:order.changed", Type: "order.changed", Doc: id, Key: id, At: o.CreatedAt}, "invoice", "notification")
	if err := docs.Insert(t.Context(), &doc); err != nil {
		t.Fatal(err)
	}
	const look = `query ($id: ID!) {
		order(id: $id) { facts { nodes { id service type at awaiting dead attempts } unavailable } }
		deadLetters(first: 1) { nodes { id } unavailable } }`
	data := s.DoAs(admin.Access, look, graphtest.Vars{"id": bought.Order})
	want := map[string]any{
		"id": id + ":1:order.changed", "service": "order", "type": "order.changed", "at": graphtest.Get(data, "order.facts.nodes.0.at"),
		"awaiting": []any{"invoice", "notification"}, "dead": []any{}, "attempts": 1.0,
	}
	if got := graphtest.Get(data, "order.facts.nodes"); fmt.Sprint(got) != fmt.Sprint([]any{want}) || want["at"] == nil {
		t.Errorf("%v, want %v", got, want)
	}
	for _, list := range []string{"order.facts", "deadLetters"} {
		if got := graphtest.Get(data, list+".unavailable").([]any); len(got) != 0 {
			t.Errorf("%s: %v are away", list, got)
		}
	}
	other := s.Buy("", "Wool Scarf").Order
	if got := graphtest.Get(s.DoAs(admin.Access, look, graphtest.Vars{"id": other}), "order.facts.nodes").([]any); len(got) != 0 {
		t.Errorf("of another order: %v", got)
	}

	away = true
	partly := s.Another().DoAs(admin.Access, look, graphtest.Vars{"id": bought.Order})
	for _, list := range []string{"order.facts", "deadLetters"} {
		if got := graphtest.Get(partly, list+".unavailable"); fmt.Sprint(got) != "[payment]" {
			t.Errorf("%s: %v are away", list, got)
		}
	}
	if got := graphtest.Get(partly, "order.facts.nodes"); fmt.Sprint(got) != fmt.Sprint([]any{want}) {
		t.Errorf("while one is away: %v", got)
	}
}

// TestAConsoleWatchesAPageOfOrders opens what the list of a console does: 25
// orders on one socket, with the limits and the budget that a gateway has
// unless it is told others.
func TestAConsoleWatchesAPageOfOrders(t *testing.T) {
	t.Parallel()
	const page = 25
	s := graphtest.New(t, func(o *graph.Options) {
		o.Charges = graph.Charges{Budgets: budgets(t, ""), General: budget.PerSecond(2_000, 20_000), Checkout: hourly(1_000), Codes: hourly(1_000)}
	})
	ada, sam := s.Customer("ada@example.com"), s.Staff(identity.Support)
	ids := map[string]string{}
	for i := range page {
		ids[fmt.Sprint(i)] = s.Buy(ada.Access, "Wool Scarf").Order
	}
	socket := (&browser{t: t, s: s}).upgrade(nil, 101)
	socket.send(map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": "Bearer " + sam.Access}})
	if got := socket.receive(); !strings.Contains(got, "connection_ack") {
		t.Fatal(got)
	}
	for name, id := range ids {
		socket.send(map[string]any{"id": name, "type": "subscribe", "payload": map[string]any{
			"query": `subscription ($id: ID!) { orderStatus(orderId: $id) { id number version status createdAt updatedAt email totalQuantity
				lines { title quantity } totals { totalAmount { amount currencyCode } } payment { state } progress { parcels { total shipped delivered } } } }`,
			"variables": map[string]any{"id": id},
		}})
	}
	next := func() (name, id string, status any) {
		t.Helper()
		var m struct {
			ID, Type string
			Payload  graphtest.Answer
		}
		text := socket.receive()
		if err := json.Unmarshal([]byte(text), &m); err != nil || m.Type != "next" || len(m.Payload.Errors) > 0 {
			t.Fatalf("%s (%v)", text, err)
		}
		id, _ = graphtest.Get(m.Payload.Data, "orderStatus.id").(string)
		return m.ID, id, graphtest.Get(m.Payload.Data, "orderStatus.status")
	}
	seen := map[string]bool{}
	for len(seen) < page {
		name, id, status := next()
		if seen[name] || ids[name] != id || status != "CONFIRMED" {
			t.Fatalf("%s: %s is %v", name, id, status)
		}
		seen[name] = true
	}
	s.DoAs(ada.Access, `mutation ($id: ID!) { orderCancel(input: {orderId: $id}) { userErrors { code } } }`, graphtest.Vars{"id": ids["7"]})
	for {
		name, _, status := next()
		if name != "7" {
			t.Fatalf("%s changed", name)
		}
		if status == "REFUNDED" {
			return
		}
	}
}
