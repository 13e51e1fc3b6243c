package graph_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
)

const checkout = `mutation($in:CheckoutInput!){checkout(input:$in){accessToken userErrors{code field message}
	order{id number version status reason problems{code} email phone locale totalQuantity note cancelReason
		shippingAddress{name city countryCodeV2 country formatted(withName:true)} billingAddress{city}
		lines{id quantity title variantTitle sku price{amount} totalAmount{amount currencyCode} taxRate selectedOptions{name value} image{url} variant{id product{handle}}}
		shippingRate{handle title price{amount} minDays maxDays}
		totals{subtotalAmount{amount} shippingAmount{amount} taxAmount{amount} totalAmount{amount currencyCode} taxIncluded}
		payment{state actionUrl card{brand last4} capturedAmount{amount} refundedAmount{amount}}
		timeline{at status cause} discountCodes{code} attributes{key value}}}}`

func fill(t *testing.T, shop *graphtest.Shop, title string, n int) any {
	t.Helper()
	data := shop.Do(`mutation($l:[CartLineInput!]){cartCreate(input:{lines:$l}){cart{id} userErrors{code}}}`,
		graphtest.Vars{"l": []any{map[string]any{"merchandiseId": shop.Variant(title, 0), "quantity": n}}})
	return graphtest.Get(data, "cartCreate.cart.id")
}

func input(cart any, key, card string) map[string]any {
	return map[string]any{
		"cartId": cart, "idempotencyKey": key, "email": "ada@example.com",
		"shippingAddress": map[string]any{"firstName": "Ada", "lastName": "Lovelace", "address1": "Hauptstr. 1", "city": "Berlin", "zip": "10115", "countryCode": "DE"},
		"payment":         map[string]any{"method": card},
	}
}

func TestCheckout(t *testing.T) {
	shop := newStorefront(t)
	cart := fill(t, shop, "Ocean Blue T-Shirt", 2)
	in := input(cart, "first-checkout-1", "pm_card_visa")
	data := shop.Do(checkout, graphtest.Vars{"in": in})
	want(t, data, "checkout.order.status", "CONFIRMED")
	if errs := graphtest.Get(data, "checkout.userErrors").([]any); len(errs) != 0 {
		t.Fatal(errs)
	}
	want(t, data, "checkout.order.totals.subtotalAmount.amount", "39.98")
	want(t, data, "checkout.order.payment.state", "CAPTURED")
	want(t, data, "checkout.order.payment.card.last4", "4242")
	want(t, data, "checkout.order.payment.capturedAmount.amount", graphtest.Get(data, "checkout.order.totals.totalAmount.amount"))
	want(t, data, "checkout.order.lines.0.quantity", 2.0)
	want(t, data, "checkout.order.lines.0.variant.id", shop.Variant("Ocean Blue T-Shirt", 0))
	want(t, data, "checkout.order.lines.0.taxRate", 19.0)
	want(t, data, "checkout.order.shippingAddress.country", "Germany")
	want(t, data, "checkout.order.shippingAddress.formatted.0", "Ada Lovelace")
	want(t, data, "checkout.order.timeline.0.status", "PENDING")
	id, token := graphtest.Get(data, "checkout.order.id"), graphtest.Get(data, "checkout.accessToken")

	// The same key gives the same order and the same answer.
	again := shop.Do(checkout, graphtest.Vars{"in": in})
	want(t, again, "checkout.order.id", id)
	want(t, again, "checkout.accessToken", token)
	in["email"] = "bob@example.com"
	reused := shop.Do(checkout, graphtest.Vars{"in": in})
	want(t, reused, "checkout.order", nil)
	want(t, reused, "checkout.userErrors.0.code", "IDEMPOTENCY_KEY_REUSED")
	want(t, reused, "checkout.userErrors.0.field.1", "idempotencyKey")

	// The cart is gone, the order is shown with its token only.
	want(t, shop.Do(`query($id:ID!){cart(id:$id){id}}`, graphtest.Vars{"id": cart}), "cart", nil)
	const order = `query($id:ID!,$t:String){order(id:$id,accessToken:$t){status version}}`
	want(t, shop.Do(order, graphtest.Vars{"id": id, "t": token}), "order.status", "CONFIRMED")
	for _, vars := range []graphtest.Vars{{"id": id}, {"id": id, "t": "guess"}, {"id": "gid://ordergraph/Order/none", "t": token}, {"id": "nonsense", "t": token}} {
		want(t, shop.Do(order, vars), "order", nil)
	}
	want(t, shop.Do(`query($id:ID!){node(id:$id){id}}`, graphtest.Vars{"id": id}), "node", nil)

	// Calling it off gives the money back; repeating that is harmless.
	const cancel = `mutation($in:OrderCancelInput!){orderCancel(input:$in){order{status cancelReason} userErrors{code field message}}}`
	for _, c := range []map[string]any{{"orderId": id}, {"orderId": id, "accessToken": "guess"}, {"orderId": "nonsense", "accessToken": token}} {
		refused := shop.Do(cancel, graphtest.Vars{"in": c})
		want(t, refused, "orderCancel.order", nil)
		want(t, refused, "orderCancel.userErrors.0.code", "ORDER_NOT_FOUND")
		want(t, refused, "orderCancel.userErrors.0.field.1", "orderId")
	}
	for range 2 {
		data = shop.Do(cancel, graphtest.Vars{"in": map[string]any{"orderId": id, "accessToken": token, "reason": "Too small"}})
		if status := graphtest.Get(data, "orderCancel.order.status"); status != "CANCELLED" && status != "REFUNDED" {
			t.Error(data)
		}
		want(t, data, "orderCancel.order.cancelReason", "Too small")
	}
	long := shop.Do(cancel, graphtest.Vars{"in": map[string]any{"orderId": id, "accessToken": token, "reason": strings.Repeat("x", 501)}})
	want(t, long, "orderCancel.userErrors.0.code", "INVALID")
	want(t, long, "orderCancel.userErrors.0.field.1", "reason")
}

func TestCheckoutThatFails(t *testing.T) {
	shop := newStorefront(t)
	n := 0
	buy := func(cart any, card string, change func(map[string]any)) map[string]any {
		n++
		in := input(cart, fmt.Sprintf("failing-key-%d", n), card)
		if change != nil {
			change(in)
		}
		return shop.Do(checkout, graphtest.Vars{"in": in})
	}
	for card, code := range map[string]string{
		"pm_card_chargeDeclined":                  "CARD_DECLINED",
		"pm_card_chargeDeclinedInsufficientFunds": "INSUFFICIENT_FUNDS",
		"pm_card_chargeDeclinedExpiredCard":       "EXPIRED_CARD",
		"pm_card_unheard_of":                      "INVALID_PAYMENT_METHOD",
	} {
		data := buy(fill(t, shop, "Café Mug", 1), card, nil)
		want(t, data, "checkout.order.status", "FAILED")
		want(t, data, "checkout.order.reason", code)
		want(t, data, "checkout.userErrors.0.code", code)
	}

	data := buy(fill(t, shop, "Café Mug", 1), "pm_card_threeDSecure2Required", nil)
	want(t, data, "checkout.order.status", "PAYING")
	if url, _ := graphtest.Get(data, "checkout.order.payment.actionUrl").(string); !strings.HasPrefix(url, "http") {
		t.Error("the customer is not told where to confirm", data)
	}

	cart := fill(t, shop, "Wool Scarf", 2)
	shop.Stock(shop.Product("Wool Scarf").Variants[0].SKU, 1)
	data = buy(cart, "pm_card_visa", nil)
	if code := graphtest.Get(data, "checkout.userErrors.0.code"); code != "OUT_OF_STOCK" && code != "NOT_ENOUGH_STOCK" {
		t.Error(data)
	}
	want(t, data, "checkout.order.status", "FAILED")

	for name, c := range map[string]struct {
		change func(map[string]any)
		code   string
		field  string
	}{
		"a malformed cart id": {func(in map[string]any) { in["cartId"] = "x" }, "CART_NOT_FOUND", "input.cartId"},
		"a short key":         {func(in map[string]any) { in["idempotencyKey"] = "short" }, "INVALID", "input.idempotencyKey"},
		"no e-mail address":   {func(in map[string]any) { in["email"] = "ada" }, "INVALID", "input.email"},
		"a total that is none": {func(in map[string]any) {
			in["expectedTotal"] = map[string]any{"amount": "1.234", "currencyCode": "EUR"}
		}, "INVALID", "input.expectedTotal.amount"},
		"a broken locale":   {func(in map[string]any) { in["locale"] = "!!" }, "INVALID", "input.locale"},
		"no payment method": {func(in map[string]any) { in["payment"] = map[string]any{"method": ""} }, "INVALID", "input.payment.method"},
		"a broken phone":    {func(in map[string]any) { in["phone"] = "12" }, "INVALID", "input.phone"},
	} {
		t.Run(name, func(t *testing.T) {
			data := buy(fill(t, shop, "Enamel Mug", 1), "pm_card_visa", c.change)
			want(t, data, "checkout.order", nil)
			want(t, data, "checkout.accessToken", nil)
			want(t, data, "checkout.userErrors.0.code", c.code)
			var path []string
			for _, p := range anyList(graphtest.Get(data, "checkout.userErrors.0.field")) {
				path = append(path, p.(string))
			}
			if got := strings.Join(path, "."); got != c.field {
				t.Errorf("field is %s, want %s", got, c.field)
			}
		})
	}
	t.Run("another total", func(t *testing.T) {
		data := buy(fill(t, shop, "Enamel Mug", 1), "pm_card_visa", func(in map[string]any) {
			in["expectedTotal"] = map[string]any{"amount": "0.01", "currencyCode": "EUR"}
		})
		want(t, data, "checkout.order.status", "FAILED")
		want(t, data, "checkout.userErrors.0.field.1", "expectedTotal")
	})
	t.Run("an unknown cart", func(t *testing.T) {
		data := buy("gid://ordergraph/Cart/nobody-knows-it", "pm_card_visa", nil)
		want(t, data, "checkout.userErrors.0.code", "CART_NOT_FOUND")
	})
}

func anyList(v any) []any {
	list, _ := v.([]any)
	return list
}

func TestOrdersBelongToTheirCustomer(t *testing.T) {
	var who atomic.Pointer[identity.Caller]
	who.Store(&identity.Caller{})
	shop := graphtest.New(t, func(o *graph.Options) {
		o.Sessions = graphtest.Sessions(func() identity.Caller { return *who.Load() })
	})
	const orders = `query($n:Int!,$a:String){orders(first:$n,after:$a){nodes{id number} edges{cursor} pageInfo{hasNextPage endCursor}}}`
	a := shop.Ask(orders, graphtest.Vars{"n": 10})
	want(t, a.Errors[0].Extensions, "code", "UNAUTHENTICATED")
	want(t, a.Errors[0].Extensions, "reason", "order.sign_in")

	who.Store(&identity.Caller{CustomerID: "ada"})
	for i := range 3 {
		shop.Do(checkout, graphtest.Vars{"in": input(fill(t, shop, "Café Mug", 1), fmt.Sprintf("ada-buys-%d", i), "pm_card_visa")})
	}
	one := shop.Do(orders, graphtest.Vars{"n": 2})
	want(t, one, "orders.pageInfo.hasNextPage", true)
	two := shop.Do(orders, graphtest.Vars{"n": 2, "a": graphtest.Get(one, "orders.pageInfo.endCursor")})
	if len(graphtest.Get(two, "orders.nodes").([]any)) != 1 {
		t.Error(two)
	}
	none := shop.Do(orders, graphtest.Vars{"n": 0})
	if n := len(graphtest.Get(none, "orders.nodes").([]any)); n != 0 {
		t.Errorf("a page of none has %d orders", n)
	}
	want(t, none, "orders.pageInfo.hasNextPage", true)
	who.Store(&identity.Caller{CustomerID: "bob"})
	if n := len(graphtest.Get(shop.Do(orders, graphtest.Vars{"n": 2}), "orders.nodes").([]any)); n != 0 {
		t.Errorf("bob sees %d orders", n)
	}
	a = shop.Ask(orders, graphtest.Vars{"n": 2, "a": "foreign"})
	want(t, a.Errors[0].Extensions, "field", "after")
	a = shop.Ask(orders, graphtest.Vars{"n": 101})
	want(t, a.Errors[0].Extensions, "code", "BAD_USER_INPUT")
}
