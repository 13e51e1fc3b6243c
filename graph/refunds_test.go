package graph_test

import (
	"testing"

	"ordergraph/graph/gid"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
)

const orderRefund = `mutation ($in: OrderRefundInput!) { orderRefund(input: $in) {
	refund { id status amount { amount currencyCode } lines { line { id title } quantity amount { amount } } shippingAmount { amount } reason createdAt }
	order { id status refundableAmount { amount } refunds { id status } payment { refundedAmount { amount } } timeline { status cause } }
	userErrors { code field message }
} }`

// A member of staff gives one line back, then the rest.
func TestOrderRefund(t *testing.T) {
	s := graphtest.New(t, nil)
	sam := s.Staff(identity.Support)
	bought := s.Buy("", "Wool Scarf")
	key, _ := gid.Parse(gid.Order, bought.Order)
	refund := func(in graphtest.Vars) map[string]any {
		t.Helper()
		in["orderId"] = bought.Order
		return s.DoAs(sam.Access, orderRefund, graphtest.Vars{"in": in})["orderRefund"].(map[string]any)
	}
	code := func(in graphtest.Vars) any { t.Helper(); return graphtest.Get(refund(in), "userErrors.0.code") }

	seen := s.DoAs(sam.Access, `query ($id: ID!) { order(id: $id) { lines { id totalAmount { amount } } totals { totalAmount { amount } shippingAmount { amount } }
		refunds { id } refundableAmount { amount } paymentAttempts { kind key outcome at } reservation { status allocations { sku warehouse quantity } expiresAt } } }`, graphtest.Vars{"id": bought.Order})
	line, total := graphtest.Get(seen, "order.lines.0.id"), graphtest.Get(seen, "order.totals.totalAmount.amount")
	if graphtest.Get(seen, "order.refundableAmount.amount") != total || graphtest.Get(seen, "order.reservation.status") != "COMMITTED" ||
		graphtest.Get(seen, "order.reservation.allocations.0.quantity") != 1.0 || graphtest.Get(seen, "order.paymentAttempts.0.outcome") != "ok" || graphtest.Get(seen, "order.paymentAttempts.1.kind") != "capture" {
		t.Errorf("%v", seen)
	}
	if got := code(graphtest.Vars{"idempotencyKey": "refund-0001", "amount": graphtest.Vars{"amount": total, "currencyCode": "EUR"}}); got != "NOT_SENT" {
		t.Errorf("all of it before it was sent: %v", got)
	}
	if err := s.Order.Advance(t.Context(), key, order.Progress{Version: 1, Consignments: 1, Begun: 1, Delivered: 1}); err != nil {
		t.Fatal(err)
	}
	one := graphtest.Vars{"idempotencyKey": "refund-0001", "lines": []graphtest.Vars{{"lineId": line, "quantity": 1}}, "reason": "moths"}
	got := refund(one)
	if graphtest.Get(got, "refund.status") != "SUCCEEDED" || graphtest.Get(got, "refund.amount.amount") != graphtest.Get(seen, "order.lines.0.totalAmount.amount") ||
		graphtest.Get(got, "refund.lines.0.line.title") != "Wool Scarf" || graphtest.Get(got, "refund.lines.0.quantity") != 1.0 || graphtest.Get(got, "refund.reason") != "moths" ||
		graphtest.Get(got, "order.status") != "DELIVERED" || graphtest.Get(got, "order.refunds.0.id") != graphtest.Get(got, "refund.id") ||
		graphtest.Get(got, "order.refundableAmount.amount") != graphtest.Get(seen, "order.totals.shippingAmount.amount") {
		t.Errorf("%v", got)
	}
	if again := refund(one); graphtest.Get(again, "refund.id") != graphtest.Get(got, "refund.id") || len(graphtest.Get(again, "order.refunds").([]any)) != 1 {
		t.Errorf("%v", again)
	}
	for want, in := range map[string]graphtest.Vars{
		"INVALID":                {"idempotencyKey": "refund-0002"},
		"TOO_MUCH":               {"idempotencyKey": "refund-0002", "lines": []graphtest.Vars{{"lineId": line, "quantity": 1}}},
		"IDEMPOTENCY_KEY_REUSED": {"idempotencyKey": "refund-0001", "shipping": true},
	} {
		if got := code(in); got != want {
			t.Errorf("%v: %v, want %s", in, got, want)
		}
	}
	got = refund(graphtest.Vars{"idempotencyKey": "refund-0002", "shipping": true})
	if graphtest.Get(got, "order.status") != "REFUNDED" || graphtest.Get(got, "order.payment.refundedAmount.amount") != total || graphtest.Get(got, "order.refundableAmount.amount") != "0.00" {
		t.Errorf("%v", got)
	}
	if got := code(graphtest.Vars{"idempotencyKey": "refund-0003", "amount": graphtest.Vars{"amount": "0.01", "currencyCode": "EUR"}}); got != "TOO_MUCH" {
		t.Errorf("more than there was: %v", got)
	}
	// The customer sees it, and not what only staff may.
	theirs := s.Do(`query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { status refunds { amount { amount } reason } } }`, graphtest.Vars{"id": bought.Order, "token": bought.Token})
	if graphtest.Get(theirs, "order.refunds.0.reason") != "moths" || graphtest.Get(theirs, "order.status") != "REFUNDED" {
		t.Errorf("%v", theirs)
	}
}

// The ledger of a SKU is read page by page, newest first.
func TestStockHistory(t *testing.T) {
	s := graphtest.New(t, nil)
	will := s.Staff(identity.Warehouse)
	bought := s.Buy("", "Wool Scarf")
	sku := s.Product("Wool Scarf").Variants[0].SKU
	var kinds []any
	after := any(nil)
	for {
		got := s.DoAs(will.Access, `query ($sku: String!, $after: String) { stock(sku: $sku) { history(first: 1, after: $after) {
			nodes { number kind warehouse reason orderId onHandDelta reservedDelta at } pageInfo { hasNextPage endCursor } } } }`, graphtest.Vars{"sku": sku, "after": after})
		kinds = append(kinds, graphtest.Get(got, "stock.history.nodes.0.kind"))
		if len(kinds) == 1 && (graphtest.Get(got, "stock.history.nodes.0.orderId") != bought.Order || graphtest.Get(got, "stock.history.nodes.0.onHandDelta") != -1.0) {
			t.Errorf("%v", got)
		}
		if graphtest.Get(got, "stock.history.pageInfo.hasNextPage") != true {
			break
		}
		after = graphtest.Get(got, "stock.history.pageInfo.endCursor")
	}
	if len(kinds) != 3 || kinds[0] != "commit" || kinds[1] != "reserve" || kinds[2] != "adjust" {
		t.Errorf("%v", kinds)
	}
}
