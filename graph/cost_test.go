package graph_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/redis/go-redis/v9"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/budget"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog/catalogtest"
	"ordergraph/test/redisserver"
)

// hourly gives nothing back in the time of a test.
func hourly(burst int) budget.Limit { return budget.Limit{Rate: 1, Per: time.Hour, Burst: burst} }

func budgets(t testing.TB, redisAddr string) *budget.Budgets {
	t.Helper()
	o := budget.Options{Within: 30 * time.Second}
	if redisAddr != "" {
		o.Redis = &redis.Options{Addr: redisAddr}
	}
	b := budget.New(o)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func charging(t testing.TB, general int) func(*graph.Options) {
	return func(o *graph.Options) {
		o.Charges = graph.Charges{Budgets: budgets(t, ""), General: hourly(general), Checkout: hourly(2), Codes: hourly(3)}
	}
}

// cost is extensions.cost of an answer: asked, used and left.
func cost(t *testing.T, a graphtest.Answer) (asked, used, left int) {
	t.Helper()
	read := func(path string) int {
		n, _ := graphtest.Get(a.Extensions, "cost."+path).(float64)
		return int(n)
	}
	return read("requestedQueryCost"), read("actualQueryCost"), read("throttleStatus.currentlyAvailable")
}

func TestCosts(t *testing.T) {
	products := catalogtest.Many(30)
	products[0].Title = `{"a": {{\\`
	shop := graphtest.New(t, charging(t, 100_000), products...)
	left := 100_000
	for name, c := range map[string]struct {
		query       string
		vars        graphtest.Vars
		asked, used int
	}{
		"an object":            {`{shop{name description}}`, nil, 1, 1},
		"nothing":              {`{__typename}`, nil, 1, 1},
		"objects in objects":   {`{shop{name paymentSettings{currencyCode}}}`, nil, 2, 2},
		"a page":               {`{products(first:20){nodes{id title}pageInfo{hasNextPage}}}`, nil, 22, 22},
		"a page by a variable": {`query($n:Int){products(first:$n){edges{cursor node{id}}}}`, graphtest.Vars{"n": 10}, 21, 21},
		"a page not filled":    {`{products(first:200){nodes{id}}}`, nil, 201, 31},
		"a page of pages":      {`{products(first:10){nodes{variants(first:3){nodes{id price{amount}}}}}}`, nil, 1 + 10*(1+1+3*2), 1 + 10*(1+1+3*2)},
		"a fragment":           {`{a:shop{...s}b:shop{...s}} fragment s on Shop{name paymentSettings{currencyCode}}`, nil, 4, 4},
		"a mutation":           {`mutation{cartCreate{cart{id}userErrors{code}}}`, nil, 10 + 1 + 1 + 5, 10 + 1 + 1},
		"braces in a string":   {`{shop{name} products(first:30){nodes{title}}}`, nil, 32, 32},
	} {
		a := shop.Ask(c.query, c.vars)
		asked, used, now := cost(t, a)
		if asked != c.asked || used != c.used || len(a.Errors) > 0 {
			t.Errorf("%s: asked %d and used %d, want %d and %d: %s", name, asked, used, c.asked, c.used, a.Body)
		}
		if left -= used; now != left {
			t.Errorf("%s: %d left, want %d", name, now, left)
		}
	}
	a := shop.Ask(`{__schema{types{name fields{name}}}}`, nil)
	if asked, used, _ := cost(t, a); asked != 1000 || used < 500 {
		t.Errorf("introspection: asked %d and used %d", asked, used)
	}
	if got := string(a.Body); !strings.Contains(got, `"maximumAvailable":100000,"currentlyAvailable":`) || !strings.Contains(got, `"restoreRate":0.000277`) {
		t.Errorf("%.300s", got)
	}
}

// What storefronts ask for fits into the budget that everybody has many times.
func TestStorefrontsAreCheap(t *testing.T) {
	shop := graphtest.New(t, func(o *graph.Options) { o.Charges.Budgets = budgets(t, "") })
	for name, query := range map[string]struct {
		text string
		vars graphtest.Vars
	}{
		"product": {document(t, "hydrogen_product"), graphtest.Vars{"handle": "wool-scarf", "selectedOptions": []any{}}},
		"list":    {`{products(first:20){nodes{id handle title featuredImage{url} priceRange{minVariantPrice{amount}}}pageInfo{hasNextPage}}}`, nil},
	} {
		asked, used, left := cost(t, shop.Ask(query.text, query.vars))
		t.Logf("%s: asked %d, used %d", name, asked, used)
		if asked == 0 || used == 0 || used > 200 || asked > 1000 || left == 0 {
			t.Errorf("%s: asked %d, used %d, left %d", name, asked, used, left)
		}
	}
}

func wantThrottled(t *testing.T, a graphtest.Answer) {
	t.Helper()
	if a.Status != http.StatusTooManyRequests || len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "THROTTLED" || a.Data != nil {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if after, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || after < 1 || float64(after) != a.Errors[0].Extensions["retryAfter"] {
		t.Errorf("Retry-After: %s; %s", a.Header.Get("Retry-After"), a.Body)
	}
}

func TestWhoAsksForTooMuchWaits(t *testing.T) {
	shop := graphtest.New(t, charging(t, 20))
	for i := range 19 {
		shop.Do(fmt.Sprintf(`query Q%d {shop{name}}`, i), nil)
	}
	a := shop.Ask(`{a:shop{name}b:shop{name}}`, nil)
	wantThrottled(t, a)
	if asked, used, left := cost(t, a); asked != 2 || used != 0 || left != 1 || !strings.Contains(string(a.Body), `"actualQueryCost":null`) {
		t.Errorf("%s", a.Body)
	}
	shop.Do(`{shop{name}}`, nil) // there was one left
	for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
		for name, body := range map[string]string{"a query": `{"query":"{shop{name}}"}`, "no query": `{"query":"{"}`, "no JSON": `{`, "nothing": ``} {
			t.Run(accept+" "+name, func(t *testing.T) {
				wantThrottled(t, shop.Send("POST", "", map[string]string{"Content-Type": "application/json", "Accept": accept}, []byte(body)))
			})
		}
	}
	a = shop.Ask(`{products(first:100){nodes{id}}}`, nil)
	wantThrottled(t, a)
}

func TestWhatDoesNotParseCosts(t *testing.T) {
	for name, body := range map[string]string{"no query": `{"query":"{"}`, "an unknown field": `{"query":"{nothing}"}`, "no JSON": `{`, "an unknown hash": `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("a", 64) + `"}}}`} {
		t.Run(name, func(t *testing.T) {
			shop := graphtest.New(t, charging(t, 20))
			post := func() graphtest.Answer {
				return shop.Send("POST", "", map[string]string{"Content-Type": "application/json"}, []byte(body))
			}
			for range 20 {
				if a := post(); a.Status == http.StatusTooManyRequests {
					t.Fatalf("%s", a.Body)
				}
			}
			wantThrottled(t, post())
		})
	}
}

func TestTooDearAtOnce(t *testing.T) {
	shop := graphtest.New(t, charging(t, 20))
	a := shop.Ask(`{products(first:100){nodes{id}}}`, nil)
	if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "MAX_COST_EXCEEDED" || !strings.Contains(a.Errors[0].Message, "may cost 101 points; the limit for one is 20") || a.Header.Get("Retry-After") != "" {
		t.Errorf("%s", a.Body)
	}
	shop.Do(`{products(first:10){nodes{id}}}`, nil)
}

func TestTighterBudgets(t *testing.T) {
	const codes = `mutation($cart: ID!, $codes: [String!]!) {cartDiscountCodesUpdate(cartId: $cart, discountCodes: $codes) {cart {id}}}`
	shop := graphtest.New(t, charging(t, 10_000))
	cart := graphtest.Get(shop.Do(`mutation{cartCreate{cart{id}}}`, nil), "cartCreate.cart.id")
	shop.Do(codes, graphtest.Vars{"cart": cart, "codes": []any{"A", "B"}})
	before := shop.Ask(`{shop{name}}`, nil)
	wantThrottled(t, shop.Ask(codes, graphtest.Vars{"cart": cart, "codes": []any{"C", "D"}}))
	wantThrottled(t, shop.Ask(`mutation{cartCreate(input:{discountCodes:["C","D"]}){cart{id}}}`, nil))
	shop.Do(`mutation{cartCreate(input:{discountCodes:["C"]}){cart{id}}}`, nil)
	shop.Do(`mutation{cartCreate{cart{id}}}`, nil)
	_, _, was := cost(t, before)
	if _, _, left := cost(t, shop.Ask(`{shop{name}}`, nil)); was-left != 12+12+1 {
		t.Errorf("the refused took %d points", was-left-25)
	}

	// Several in one operation, and behind fragments, are as many.
	const buy = `c%d:checkout(input:{cartId:"x",idempotencyKey:"12345678",email:"a@b.example",shippingAddress:{countryCode:DE},payment:{method:"x"}}){userErrors{code}}`
	many := "mutation{...f ...f} fragment f on Mutation{" + fmt.Sprintf(buy, 1) + fmt.Sprintf(buy, 2) + fmt.Sprintf(buy, 3) + "}"
	wantThrottled(t, shop.Ask(many, nil))
	shop.Do("mutation{"+fmt.Sprintf(buy, 1)+fmt.Sprintf(buy, 2)+"}", nil)
	wantThrottled(t, shop.Ask("mutation{"+fmt.Sprintf(buy, 1)+"}", nil))
}

// Everybody pays for themselves: customers wherever they are, guests by their
// address.
func TestWhoPays(t *testing.T) {
	var who identity.Caller
	from := "198.51.100.1"
	shop := graphtest.New(t, func(o *graph.Options) {
		charging(t, 5)(o)
		o.Sessions = graphtest.Sessions(func() identity.Caller { return who })
		o.Address = func(*http.Request) string { return from }
	})
	left := func(customer, address string) int {
		who, from = identity.Caller{CustomerID: customer}, address
		_, _, n := cost(t, shop.Ask(`{shop{name}}`, nil))
		return n
	}
	for _, c := range []struct {
		customer, address string
		want              int
	}{
		{"", "198.51.100.1", 4}, {"", "198.51.100.1", 3}, {"", "198.51.100.2", 4},
		{"ada", "198.51.100.1", 4}, {"ada", "203.0.113.1", 3}, {"bob", "203.0.113.1", 4},
		{"", "2001:db8::1", 4}, {"", "2001:db8::2", 3}, {"", "2001:db8:0:1::1", 4},
	} {
		if got := left(c.customer, c.address); got != c.want {
			t.Errorf("%+v: %d left", c, got)
		}
	}
}

func TestGatewaysShareBudgets(t *testing.T) {
	server := redisserver.Start(t)
	open := func(o *graph.Options) {
		o.Charges = graph.Charges{Budgets: budgets(t, server.Addr), General: hourly(20)}
	}
	one, other := graphtest.New(t, open), graphtest.New(t, open)
	allowed := 0
	ask := func(times int) {
		for range times {
			for _, shop := range []*graphtest.Shop{one, other} {
				if a := shop.Ask(`{shop{name}}`, nil); a.Data != nil {
					allowed++
				} else {
					wantThrottled(t, a)
				}
			}
		}
	}
	ask(5)
	if allowed != 10 {
		t.Fatalf("%d of 10", allowed)
	}
	ask(10)
	if allowed != 20 {
		t.Errorf("%d of 20", allowed)
	}
	server.Stop() // each goes on with what it knows, which is that nothing is left
	ask(3)
	if allowed > 22 {
		t.Errorf("%d without Redis", allowed)
	}
}

func TestSocketsAreCharged(t *testing.T) {
	shop := graphtest.New(t, charging(t, 3))
	socket, _, err := websocket.Dial(t.Context(), shop.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	type message struct {
		Type    string `json:"type"`
		ID      string `json:"id,omitempty"`
		Payload any    `json:"payload,omitempty"`
	}
	send := func(m message) {
		if err := wsjson.Write(t.Context(), socket, m); err != nil {
			t.Fatal(err)
		}
	}
	receive := func() (m message) {
		if err := wsjson.Read(t.Context(), socket, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	send(message{Type: "connection_init"})
	receive()
	for i := range 5 {
		send(message{Type: "subscribe", ID: fmt.Sprint(i), Payload: map[string]any{"query": "{shop{name}}"}})
		m := receive()
		if i < 3 {
			if m.Type != "next" || graphtest.Get(m.Payload, "extensions.cost.actualQueryCost") != 1.0 || receive().Type != "complete" {
				t.Fatalf("%d: %+v", i, m)
			}
			continue
		}
		if m.Type != "error" || graphtest.Get(m.Payload, "0.extensions.code") != "THROTTLED" || graphtest.Get(m.Payload, "0.extensions.retryAfter") == nil {
			t.Fatalf("%d: %+v", i, m)
		}
	}
}
