package graph_test

import (
	"crypto/rand"
	"slices"
	"testing"

	"ordergraph/graph/gid"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
)

// TestParcels brings an order out of the house in two parcels, one of them by
// hand, as the warehouse does, and looks at it as the customer.
func TestParcels(t *testing.T) {
	s := graphtest.New(t, nil)
	sam, will := s.Staff(identity.Support), s.Staff(identity.Warehouse)
	made := s.Do(`mutation ($l: [CartLineInput!]) { cartCreate(input: {lines: $l}) { cart { id } } }`,
		graphtest.Vars{"l": []any{graphtest.Vars{"merchandiseId": s.Variant("Wool Scarf", 0), "quantity": 3}}})
	bought := s.Do(`mutation ($in: CheckoutInput!) { checkout(input: $in) { order { id status } accessToken userErrors { code } } }`, graphtest.Vars{"in": graphtest.Vars{
		"cartId": graphtest.Get(made, "cartCreate.cart.id"), "idempotencyKey": rand.Text(), "email": "ada@example.org", "payment": graphtest.Vars{"method": "pm_card_visa"},
		"shippingAddress": graphtest.Vars{"lastName": "Lovelace", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
	}})
	global, token := graphtest.Get(bought, "checkout.order.id"), graphtest.Get(bought, "checkout.accessToken")
	id, _ := gid.Parse(gid.Order, global.(string))
	tell := func() { // what the facts between the services do
		t.Helper()
		if err := s.Parcels.Open(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		p, err := s.Parcels.Progress(t.Context(), identity.Ourselves(), id)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Order.Advance(t.Context(), id, p); err != nil {
			t.Fatal(err)
		}
	}
	// step makes one step of a consignment, and wants to find it so, or refused so.
	step := func(do string, parcel any, rest, want string) map[string]any {
		t.Helper()
		got := s.DoAs(will.Access, `mutation ($id: ID!) { did: consignment`+do+`(id: $id`+rest+`) { consignment { status short lines { quantity packedQuantity returnedQuantity }
			trackingInfo { company number url status } } userErrors { code message } } }`, graphtest.Vars{"id": parcel})
		if is, code := graphtest.Get(got, "did.consignment.status"), graphtest.Get(got, "did.userErrors.0.code"); is != want && code != want {
			t.Fatalf("%s: %v, want %s", do, got, want)
		}
		tell()
		return got
	}
	seen := func(status string) map[string]any {
		t.Helper()
		got := s.Do(`query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { status timeline { status cause }
			fulfillments { status lines { quantity } trackingInfo { company number url status } } } }`, graphtest.Vars{"id": global, "token": token})
		if graphtest.Get(got, "order.status") != status {
			t.Errorf("the customer sees %v, want %s", got, status)
		}
		return got
	}
	onHand := func() any {
		return graphtest.Get(s.DoAs(will.Access, `query ($sku: String!) { stock(sku: $sku) { levels { onHand } } }`,
			graphtest.Vars{"sku": s.Product("Wool Scarf").Variants[0].SKU}), "stock.levels.0.onHand")
	}

	tell()
	list := s.DoAs(will.Access, `{ consignments(first: 10) { nodes { id orderId status lines { sku quantity } } } }`, nil)
	first := graphtest.Get(list, "consignments.nodes.0.id")
	sku := graphtest.Get(list, "consignments.nodes.0.lines.0.sku")
	if graphtest.Get(list, "consignments.nodes.0.orderId") != global || graphtest.Get(list, "consignments.nodes.0.lines.0.quantity") != 3.0 {
		t.Fatal(list)
	}
	for _, do := range []string{"Pick", "Pack", "Ship", "Deliver", "Fail", "Return"} {
		refused := s.AskAs(sam.Access, `mutation ($id: ID!) { consignment`+do+`(id: $id) { userErrors { code } } }`, graphtest.Vars{"id": first})
		if len(refused.Errors) != 1 || refused.Errors[0].Extensions["code"] != "FORBIDDEN" {
			t.Errorf("support may %s: %s", do, refused.Body)
		}
	}
	seen("CONFIRMED")

	step("Ship", first, "", "STATE")
	step("Pick", first, "", "PICKING")
	seen("FULFILLING")
	packed := step("Pack", first, `, packed: [{sku: "`+sku.(string)+`", quantity: 2}]`, "PACKED")
	if graphtest.Get(packed, "did.consignment.short") != true {
		t.Errorf("%v", packed)
	}
	step("Ship", first, "", "SHORT")
	step("Ship", first, `, short: true, tracking: {company: "", number: "RR1"}`, "INVALID")
	step("Ship", first, `, short: true, tracking: {company: "Post", number: "RR1", url: "https://post.example/RR1"}`, "SHIPPED")
	half := seen("FULFILLING")
	if graphtest.Get(half, "order.fulfillments.0.trackingInfo.0.company") != "Post" || graphtest.Get(half, "order.fulfillments.0.trackingInfo.0.number") != "RR1" ||
		graphtest.Get(half, "order.fulfillments.0.trackingInfo.0.url") != "https://post.example/RR1" || graphtest.Get(half, "order.fulfillments.0.lines.0.quantity") != 2.0 ||
		graphtest.Get(half, "order.fulfillments.1.status") != "OPEN" || graphtest.Get(half, "order.fulfillments.1.lines.0.quantity") != 1.0 {
		t.Errorf("%v", half)
	}
	story, _ := graphtest.Get(half, "order.timeline").([]any)
	if !slices.ContainsFunc(story, func(e any) bool { return e.(map[string]any)["cause"] == "1 of 2 parcels has left the house." }) {
		t.Errorf("%v", story)
	}
	if n := onHand(); n != float64(graphtest.EnoughStock-4) {
		t.Errorf("3 were sold and 1 was not there, %v are on hand", n)
	}

	list = s.DoAs(will.Access, `{ consignments(first: 10) { nodes { id } } }`, nil)
	second := graphtest.Get(list, "consignments.nodes.0.id")
	step("Pick", second, "", "PICKING")
	step("Pack", second, "", "PACKED")
	sent := step("Ship", second, "", "SHIPPED")
	if graphtest.Get(sent, "did.consignment.trackingInfo.0.status") != "BOOKED" || graphtest.Get(sent, "did.consignment.trackingInfo.0.number") == nil {
		t.Errorf("%v", sent)
	}
	seen("SHIPPED")
	step("Deliver", first, "", "DELIVERED")
	step("Fail", second, `, reason: "nobody there"`, "FAILED_DELIVERY")
	seen("SHIPPED")
	back := step("Return", second, "", "RETURNED")
	if graphtest.Get(back, "did.consignment.lines.0.returnedQuantity") != 1.0 || onHand() != float64(graphtest.EnoughStock-3) {
		t.Errorf("%v, %v are on hand", back, onHand())
	}
	seen("DELIVERED")
	step("Pick", first, "", "STATE")
}
