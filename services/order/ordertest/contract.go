package ordertest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

var background = context.Background()

// Run holds an order service to its contract. reach says how the shop's
// orders are reached: themselves, or by a client of them.
func Run(t *testing.T, reach func(*testing.T, *Shop) order.Service) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *Shop, order.Service)
	}{
		{"AnOrderIsTheSameForEveryone", anOrderIsTheSameForEveryone},
		{"FailureSaysWhy", failureSaysWhy},
		{"ProblemsNameTheField", problemsNameTheField},
		{"CardNumbersAreRefused", cardNumbersAreRefused},
		{"TheInputIsTidied", theInputIsTidied},
		{"KeysAreUsedOnce", keysAreUsedOnce},
		{"WhoMaySeeAnOrder", whoMaySeeAnOrder},
		{"VersionsAreForStaff", versionsAreForStaff},
		{"ListsAreReadPageByPage", listsAreReadPageByPage},
		{"ListsHaveWhatIsAskedFor", listsHaveWhatIsAskedFor},
		{"ListsRefuseWhatMakesNoSense", listsRefuseWhatMakesNoSense},
		{"CancelGivesBack", cancelGivesBack},
		{"WhoMayCancel", whoMayCancel},
		{"RefundsOfParts", refundsOfParts},
		{"WhoMayRefund", whoMayRefund},
		{"RefundsThatMakeNoSense", refundsThatMakeNoSense},
		{"AuditIsForStaff", auditIsForStaff},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(t)
			s.Receive("mug", map[string]int64{"berlin": 5})
			s.Receive("shirt", map[string]int64{"berlin": 500, "hamburg": 500})
			c.test(t, s, reach(t, s))
		})
	}
}

func anOrderIsTheSameForEveryone(t *testing.T, s *Shop, orders order.Service) {
	cartID := s.Cart("mug", 2, "shirt")
	c, err := s.Carts.Get(background, identity.Caller{}, cartID)
	s.must(err)
	total := c.Cost.Total.Plus(c.Rates[0].Price)
	billing := order.Address{Company: "Analytical Engines Ltd", Address1: "1 St James's Sq", City: "London", Zip: "SW1Y 4JH", Country: "GB"}
	in := s.Input(cartID, func(in *order.CheckoutInput) {
		in.BillingAddress, in.ExpectTotal, in.ShippingRate = &billing, &total, c.Rates[0].Handle
	})
	got, err := orders.Checkout(background, identity.Caller{CustomerID: "ada"}, in)
	s.must(err)
	if got.Order == nil || got.Order.Status != order.Confirmed {
		t.Fatalf("%+v", got)
	}
	want := s.Order(got.Order.ID)
	want.AccessToken = "" // which the program alone is told
	if !reflect.DeepEqual(*got.Order, want) {
		t.Errorf("checkout answered\n%+v\nthe order is\n%+v", *got.Order, want)
	}
	again, err := orders.Get(background, identity.Caller{}, want.ID, got.AccessToken)
	s.must(err)
	if !reflect.DeepEqual(again, want) {
		t.Errorf("get answered\n%+v\nthe order is\n%+v", again, want)
	}
	if want.CustomerID != "ada" || want.BillingAddress != billing || want.ShippingAddress != in.ShippingAddress || want.Quote.Cost.Total != total ||
		len(want.Quote.Lines) != 2 || want.Quote.Rate == nil || want.Email != in.Email || want.Phone != in.Phone || want.Locale != "de-DE" {
		t.Errorf("%+v", want)
	}
}

func failureSaysWhy(t *testing.T, s *Shop, orders order.Service) {
	got, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("mug"), Paying("pm_card_chargeDeclined")))
	s.must(err)
	o := got.Order
	if o.Status != order.Failed || o.Reason != order.ReasonCardDeclined || got.AccessToken == "" || len(got.Problems) != 0 ||
		len(o.Problems) != 1 || !slices.Equal(o.Problems[0].Field, []string{"paymentMethod"}) || o.Problems[0].Message == "" {
		t.Errorf("%+v", o)
	}
}

func problemsNameTheField(t *testing.T, s *Shop, orders order.Service) {
	cartID := s.Cart("mug")
	for _, c := range []struct {
		field  string
		change func(*order.CheckoutInput)
	}{
		{"cartId", func(in *order.CheckoutInput) { in.CartID = "" }},
		{"cartId", func(in *order.CheckoutInput) { in.CartID = "cart\x00" }},
		{"idempotencyKey", func(in *order.CheckoutInput) { in.IdempotencyKey = "short" }},
		{"idempotencyKey", func(in *order.CheckoutInput) { in.IdempotencyKey = strings.Repeat("k", 256) }},
		{"idempotencyKey", func(in *order.CheckoutInput) { in.IdempotencyKey = "schlüssel" }},
		{"idempotencyKey", func(in *order.CheckoutInput) { in.IdempotencyKey = "line\nbreak" }},
		{"email", func(in *order.CheckoutInput) { in.Email = "" }},
		{"email", func(in *order.CheckoutInput) { in.Email = "ada" }},
		{"email", func(in *order.CheckoutInput) { in.Email = "ada@localhost" }},
		{"email", func(in *order.CheckoutInput) { in.Email = "Ada <ada@example.org>" }},
		{"email", func(in *order.CheckoutInput) { in.Email = "ada@example.org\r\nBcc: eve@example.org" }},
		{"email", func(in *order.CheckoutInput) { in.Email = strings.Repeat("a", 65) + "@example.org" }},
		{"phone", func(in *order.CheckoutInput) { in.Phone = "0170 123" }},
		{"phone", func(in *order.CheckoutInput) { in.Phone = "+4917012345678901" }},
		{"shippingAddress.lastName", func(in *order.CheckoutInput) { in.ShippingAddress.LastName = "  " }},
		{"shippingAddress.address1", func(in *order.CheckoutInput) { in.ShippingAddress.Address1 = "" }},
		{"shippingAddress.address2", func(in *order.CheckoutInput) { in.ShippingAddress.Address2 = strings.Repeat("x", 256) }},
		{"shippingAddress.city", func(in *order.CheckoutInput) { in.ShippingAddress.City = "" }},
		{"shippingAddress.city", func(in *order.CheckoutInput) { in.ShippingAddress.City = "Ber\nlin" }},
		{"shippingAddress.zip", func(in *order.CheckoutInput) { in.ShippingAddress.Zip = "" }},
		{"shippingAddress.country", func(in *order.CheckoutInput) { in.ShippingAddress.Country = "" }},
		{"shippingAddress.country", func(in *order.CheckoutInput) { in.ShippingAddress.Country = "UK" }},
		{"shippingAddress.country", func(in *order.CheckoutInput) { in.ShippingAddress.Country = "DEU" }},
		{"shippingAddress.province", func(in *order.CheckoutInput) { in.ShippingAddress.Province = "Bavaria" }},
		{"shippingAddress.phone", func(in *order.CheckoutInput) { in.ShippingAddress.Phone = "1" }},
		{"billingAddress.country", func(in *order.CheckoutInput) { a := in.ShippingAddress; a.Country = "XX"; in.BillingAddress = &a }},
		{"shippingRate", func(in *order.CheckoutInput) { in.ShippingRate = "a b" }},
		{"paymentMethod", func(in *order.CheckoutInput) { in.PaymentMethod = "" }},
		{"paymentMethod", func(in *order.CheckoutInput) { in.PaymentMethod = "pm card" }},
		{"returnUrl", func(in *order.CheckoutInput) { in.ReturnURL = "javascript:alert(1)" }},
		{"returnUrl", func(in *order.CheckoutInput) { in.ReturnURL = "/relative" }},
		{"locale", func(in *order.CheckoutInput) { in.Locale = "not a language" }},
		{"expectTotal.amount", func(in *order.CheckoutInput) { m := money.Of(-1, "EUR"); in.ExpectTotal = &m }},
		{"expectTotal.currencyCode", func(in *order.CheckoutInput) { m := money.Of(1, "EURO"); in.ExpectTotal = &m }},
	} {
		in := s.Input(cartID, c.change)
		got, err := orders.Checkout(background, identity.Caller{}, in)
		if err != nil {
			t.Errorf("%s: %v", c.field, err)
			continue
		}
		if got.Order != nil || got.AccessToken != "" || len(got.Problems) != 1 || strings.Join(got.Problems[0].Field, ".") != c.field || got.Problems[0].Message == "" {
			t.Errorf("%s: %+v", c.field, got)
		}
	}
	got, err := orders.Checkout(background, identity.Caller{}, order.CheckoutInput{})
	s.must(err)
	if len(got.Problems) < 7 {
		t.Errorf("an empty input has %d problems: %+v", len(got.Problems), got.Problems)
	}
	if n := len(s.All()); n != 0 {
		t.Errorf("%d orders were made of inputs that cannot be right", n)
	}
}

func cardNumbersAreRefused(t *testing.T, s *Shop, orders order.Service) {
	for _, number := range []string{"4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005", "pm_4242424242424242", "6304000000000000000", "123456789012"} {
		got, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("shirt"), Paying(number)))
		s.must(err)
		if got.Order != nil || len(got.Problems) != 1 || got.Problems[0].Field[0] != "paymentMethod" || !strings.Contains(got.Problems[0].Message, "card number") {
			t.Errorf("%s: %+v", number, got)
		}
		for _, p := range got.Problems {
			if strings.Contains(p.Message, number) {
				t.Errorf("the answer repeats the number: %s", p.Message)
			}
		}
	}
	got, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("shirt"), Paying("pm_550e8400-e29b-41d4-a716-446655440000")))
	s.must(err)
	if got.Order == nil || got.Order.Reason != order.ReasonInvalidMethod {
		t.Errorf("a token that only looks long: %+v", got)
	}
}

func theInputIsTidied(t *testing.T, s *Shop, orders order.Service) {
	in := s.Input(s.Cart("mug"), func(in *order.CheckoutInput) {
		in.Email, in.Locale, in.Phone = " ada@example.org ", "", " 0170/123 45 67"
		in.ShippingAddress.Country, in.ShippingAddress.City, in.ShippingAddress.Province = "de", " Berlin ", "de-be"
		in.ShippingAddress.Phone = "(030) 123456"
	})
	got, err := orders.Checkout(background, identity.Caller{}, in)
	s.must(err)
	o := got.Order
	if o == nil || o.Email != "ada@example.org" || o.Locale != "en" || o.ShippingAddress.Country != "DE" || o.ShippingAddress.City != "Berlin" ||
		o.ShippingAddress.Province != "BE" || o.Phone != "+491701234567" ||
		o.ShippingAddress.Phone != "+4930123456" || o.BillingAddress != o.ShippingAddress {
		t.Errorf("%+v", got)
	}
}

func keysAreUsedOnce(t *testing.T, s *Shop, orders order.Service) {
	in := s.Input(s.Cart("mug"))
	first, err := orders.Checkout(background, identity.Caller{}, in)
	s.must(err)
	again, err := orders.Checkout(background, identity.Caller{}, in)
	s.must(err)
	if !reflect.DeepEqual(first, again) {
		t.Errorf("the first answer was\n%+v\nthe second\n%+v", first, again)
	}
	other := in
	other.CartID = s.Cart("shirt")
	if _, err := orders.Checkout(background, identity.Caller{}, other); !errors.Is(err, order.ErrKeyReused) {
		t.Errorf("another cart under the key: %v", err)
	}
	fresh := s.Input(in.CartID)
	got, err := orders.Checkout(background, identity.Caller{}, fresh)
	s.must(err)
	if got.Order.Reason != order.ReasonCart || got.Order.Problems[0].Code != cart.CodeCompleted {
		t.Errorf("the cart bought again under another key: %+v", got.Order)
	}
	s.WantInvariants()
}

func whoMaySeeAnOrder(t *testing.T, s *Shop, orders order.Service) {
	got, err := orders.Checkout(background, identity.Caller{CustomerID: "ada"}, s.Input(s.Cart("mug")))
	s.must(err)
	id := got.Order.ID
	for _, c := range []struct {
		name  string
		who   identity.Caller
		id    string
		token string
		sees  bool
	}{
		{"its customer", identity.Caller{CustomerID: "ada"}, id, "", true},
		{"a guest with the token", identity.Caller{}, id, got.AccessToken, true},
		{"another customer with the token", identity.Caller{CustomerID: "eve"}, id, got.AccessToken, true},
		{"support", identity.Caller{Roles: []identity.Role{identity.Support}}, id, "", true},
		{"a guest", identity.Caller{}, id, "", false},
		{"a guest with another token", identity.Caller{}, id, got.AccessToken[1:] + "x", false},
		{"another customer", identity.Caller{CustomerID: "eve"}, id, "", false},
		{"a customer's role alone", identity.Caller{Roles: []identity.Role{identity.Customer}}, id, "", false},
		{"nobody's order", Ourselves, "no-such-order", got.AccessToken, false},
		{"no id", Ourselves, "", "", false},
	} {
		o, err := orders.Get(background, c.who, c.id, c.token)
		if o.AccessToken != "" {
			t.Errorf("%s is told the token", c.name)
		}
		if c.sees && (err != nil || o.ID != id) || !c.sees && !errors.Is(err, order.ErrNotFound) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if o, err := orders.Get(background, Ourselves, id, ""); err != nil || o.AccessToken != got.AccessToken {
		t.Errorf("the program itself: %v, told the token: %v", err, o.AccessToken == got.AccessToken)
	}
}

func listsAreReadPageByPage(t *testing.T, s *Shop, orders order.Service) {
	ada := identity.Caller{CustomerID: "ada"}
	var mine []string
	for i := range 7 {
		in := s.Input(s.Cart("shirt"))
		if i%3 == 2 {
			in.PaymentMethod = "pm_card_chargeDeclined"
		}
		got, err := orders.Checkout(background, ada, in)
		s.must(err)
		mine = append([]string{got.Order.ID}, mine...)
		s.Clock.Pass(time.Second)
		s.Buy(s.Input(s.Cart("shirt")))
		s.Clock.Pass(time.Second)
	}
	read := func(who identity.Caller, q order.ListQuery) (ids []string) {
		for {
			page, err := orders.List(background, who, q)
			s.must(err)
			if len(page.Orders) != len(page.Cursors) || len(page.Orders) > q.Limit {
				t.Fatalf("%d orders, %d cursors, limit %d", len(page.Orders), len(page.Cursors), q.Limit)
			}
			for _, o := range page.Orders {
				if q.Statuses != nil && !slices.Contains(q.Statuses, o.Status) {
					t.Errorf("%s in a list of %s", o.Status, q.Statuses)
				}
				ids = append(ids, o.ID)
			}
			if !page.HasMore {
				return ids
			}
			q.After = page.Cursors[len(page.Cursors)-1]
		}
	}
	if got := read(ada, order.ListQuery{Limit: 3}); !slices.Equal(got, mine) {
		t.Errorf("the customer's orders: %v, want %v", got, mine)
	}
	if got := read(ada, order.ListQuery{Limit: 1, Statuses: []order.Status{order.Failed}}); len(got) != 2 {
		t.Errorf("the customer's failed orders: %v", got)
	}
	if got := read(Ourselves, order.ListQuery{Limit: 4}); len(got) != 14 {
		t.Errorf("all orders: %d", len(got))
	}
	if got := read(Ourselves, order.ListQuery{Limit: 4, Statuses: []order.Status{order.Confirmed}}); len(got) != 12 {
		t.Errorf("all confirmed orders: %d", len(got))
	}
	if got := read(identity.Caller{CustomerID: "eve"}, order.ListQuery{Limit: 4}); len(got) != 0 {
		t.Errorf("another customer's orders: %v", got)
	}
}

func listsHaveWhatIsAskedFor(t *testing.T, s *Shop, orders order.Service) {
	type bought struct {
		order.Order
		at time.Time
	}
	var all []bought // oldest first
	for i, b := range []struct{ customer, email, card string }{
		{"ada", "ada@example.org", "pm_card_visa"},
		{"bob", "Bob.Müller@Example.org", "pm_card_visa"},
		{"ada", "Ada@Example.ORG", "pm_card_chargeDeclined"},
		{"", "ADA@example.org", "pm_card_visa"},
		{"ada", "work@example.org", "pm_card_visa"},
		{"bob", "bob.müller@example.org", "pm_card_chargeDeclined"},
		{"ada", "ada@example.org", "pm_card_visa"},
	} {
		s.Clock.Pass(time.Second)
		got, err := orders.Checkout(background, identity.Caller{CustomerID: b.customer}, s.Input(s.Cart("shirt"), Paying(b.card), func(in *order.CheckoutInput) { in.Email = b.email }))
		s.must(err)
		if got.Order == nil {
			t.Fatalf("%+v", got.Problems)
		}
		if i == 4 {
			_, err := orders.Cancel(background, Ourselves, order.CancelInput{OrderID: got.Order.ID})
			s.must(err)
		}
		all = append(all, bought{s.Order(got.Order.ID), got.Order.CreatedAt})
	}
	ada, bob := identity.Caller{CustomerID: "ada"}, identity.Caller{CustomerID: "bob"}
	of := func(statuses ...order.Status) []order.Status { return statuses }
	squeezed := strings.ToLower(strings.ReplaceAll(all[3].Number, "-", ""))
	for name, c := range map[string]struct {
		who  identity.Caller
		q    order.ListQuery
		want []int
	}{
		"all":                                {Ourselves, order.ListQuery{}, []int{6, 5, 4, 3, 2, 1, 0}},
		"the oldest first":                   {Ourselves, order.ListQuery{Reverse: true}, []int{0, 1, 2, 3, 4, 5, 6}},
		"one state":                          {Ourselves, order.ListQuery{Statuses: of(order.Failed)}, []int{5, 2}},
		"two states":                         {Ourselves, order.ListQuery{Statuses: of(order.Refunded, order.Failed, order.Refunded)}, []int{5, 4, 2}},
		"two states, the oldest first":       {Ourselves, order.ListQuery{Statuses: of(order.Failed, order.Confirmed), Reverse: true}, []int{0, 1, 2, 3, 5, 6}},
		"a state that none is in":            {Ourselves, order.ListQuery{Statuses: of(order.Shipped)}, nil},
		"an address":                         {Ourselves, order.ListQuery{Email: "aDa@Example.org "}, []int{6, 3, 2, 0}},
		"an address beyond ASCII":            {Ourselves, order.ListQuery{Email: "BOB.MÜLLER@example.org"}, []int{5, 1}},
		"an address, the oldest first":       {Ourselves, order.ListQuery{Email: "ada@example.org", Reverse: true}, []int{0, 2, 3, 6}},
		"an address and a state":             {Ourselves, order.ListQuery{Email: "ada@example.org", Statuses: of(order.Confirmed)}, []int{6, 3, 0}},
		"an address that nobody gave":        {Ourselves, order.ListQuery{Email: "eve@example.org"}, nil},
		"the beginning of an address":        {Ourselves, order.ListQuery{Email: "a@example.org"}, nil},
		"a customer":                         {Ourselves, order.ListQuery{CustomerID: "ada"}, []int{6, 4, 2, 0}},
		"a customer's address":               {Ourselves, order.ListQuery{CustomerID: "ada", Email: "ADA@EXAMPLE.ORG"}, []int{6, 2, 0}},
		"a customer's address and states":    {Ourselves, order.ListQuery{CustomerID: "ada", Email: "ada@example.org", Statuses: of(order.Confirmed, order.Refunded)}, []int{6, 0}},
		"a customer whom nobody knows":       {Ourselves, order.ListQuery{CustomerID: "nobody"}, nil},
		"from a time":                        {Ourselves, order.ListQuery{From: all[4].at}, []int{6, 5, 4}},
		"from just behind a time":            {Ourselves, order.ListQuery{From: all[4].at.Add(time.Nanosecond)}, []int{6, 5}},
		"before a time":                      {Ourselves, order.ListQuery{Before: all[2].at}, []int{1, 0}},
		"before just behind a time":          {Ourselves, order.ListQuery{Before: all[2].at.Add(time.Nanosecond)}, []int{2, 1, 0}},
		"within a time, the oldest first":    {Ourselves, order.ListQuery{From: all[1].at, Before: all[4].at, Reverse: true}, []int{1, 2, 3}},
		"states within a time":               {Ourselves, order.ListQuery{From: all[1].at, Before: all[6].at, Statuses: of(order.Confirmed, order.Failed)}, []int{5, 3, 2, 1}},
		"an address within a time":           {Ourselves, order.ListQuery{From: all[1].at, Before: all[6].at, Email: "ada@example.org"}, []int{3, 2}},
		"a customer within a time":           {Ourselves, order.ListQuery{From: all[1].at, CustomerID: "ada", Statuses: of(order.Confirmed)}, []int{6}},
		"a number":                           {Ourselves, order.ListQuery{Number: all[3].Number}, []int{3}},
		"a number as people write it":        {Ourselves, order.ListQuery{Number: " " + squeezed}, []int{3}},
		"a number of another state":          {Ourselves, order.ListQuery{Number: all[3].Number, Statuses: of(order.Failed)}, nil},
		"a number of another address":        {Ourselves, order.ListQuery{Number: all[3].Number, Email: "eve@example.org"}, nil},
		"a number of another time":           {Ourselves, order.ListQuery{Number: all[3].Number, From: all[4].at}, nil},
		"a customer's own":                   {ada, order.ListQuery{}, []int{6, 4, 2, 0}},
		"a customer's own by id":             {ada, order.ListQuery{CustomerID: "ada", Statuses: of(order.Failed)}, []int{2}},
		"a customer's own with an address":   {ada, order.ListQuery{Email: "ada@example.org"}, []int{6, 2, 0}},
		"a customer by another's address":    {bob, order.ListQuery{Email: "ada@example.org"}, nil},
		"a customer by another's number":     {bob, order.ListQuery{Number: all[0].Number}, nil},
		"a customer by the own number":       {bob, order.ListQuery{Number: all[1].Number}, []int{1}},
		"a customer's own, the oldest first": {bob, order.ListQuery{Reverse: true}, []int{1, 5}},
	} {
		var want []string
		for _, i := range c.want {
			want = append(want, all[i].ID)
		}
		for _, limit := range []int{1, 2, 100} {
			var got []string
			q := c.q
			for q.Limit = limit; ; {
				page, err := orders.List(background, c.who, q)
				if err != nil {
					t.Fatalf("%s, by %d: %v", name, limit, err)
				}
				for _, o := range page.Orders {
					got = append(got, o.ID)
				}
				if len(page.Orders) > limit || len(page.Cursors) != len(page.Orders) || page.HasMore != (page.End != "") || len(got) > len(all) {
					t.Fatalf("%s, by %d: %+v", name, limit, page)
				}
				if page.HasMore && len(got) == len(want) {
					t.Errorf("%s, by %d: there is said to be more behind the last", name, limit)
				}
				if q.After = page.End; !page.HasMore {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, by %d: %v, want %v", name, limit, got, want)
			}
		}
	}
}

func versionsAreForStaff(t *testing.T, s *Shop, orders order.Service) {
	var ids []string
	for range 3 {
		got, err := orders.Checkout(background, identity.Caller{CustomerID: "ada"}, s.Input(s.Cart("mug")))
		s.must(err)
		ids = append(ids, got.Order.ID)
	}
	read := func(ids ...string) map[string]int64 {
		t.Helper()
		versions, err := orders.Versions(background, Ourselves, ids)
		s.must(err)
		return versions
	}
	before := read(append(ids, "nothing", "")...)
	if len(before) != len(ids) {
		t.Errorf("versions of %d orders: %v", len(ids), before)
	}
	for _, id := range ids {
		if o := s.Order(id); before[id] != o.Version || o.Version < 1 {
			t.Errorf("version of %s is %d, the order's own is %d", id, before[id], o.Version)
		}
	}
	if none := read(); len(none) != 0 {
		t.Errorf("versions of no orders: %v", none)
	}
	_, err := orders.Cancel(background, Ourselves, order.CancelInput{OrderID: ids[0]})
	s.must(err)
	after := read(ids...)
	if after[ids[0]] <= before[ids[0]] || after[ids[1]] != before[ids[1]] {
		t.Errorf("versions %v after the first order was called off, %v before", after, before)
	}
	identitytest.Needs(t, identity.OrdersRead, func(who identity.Caller) error {
		_, err := orders.Versions(background, who, ids)
		return err
	})
	if most := read(make([]string, order.MaxVersions)...); len(most) != 0 {
		t.Errorf("versions of orders without ids: %v", most)
	}
	if _, err := orders.Versions(background, Ourselves, make([]string, order.MaxVersions+1)); !errors.Is(err, order.ErrInput) {
		t.Errorf("too many at once: %v", err)
	}
}

func listsRefuseWhatMakesNoSense(t *testing.T, s *Shop, orders order.Service) {
	s.Buy(s.Input(s.Cart("mug")))
	s.Buy(s.Input(s.Cart("mug")))
	page, err := orders.List(background, Ourselves, order.ListQuery{Limit: 1})
	s.must(err)
	byMail, err := orders.List(background, Ourselves, order.ListQuery{Email: "ada@example.org"})
	s.must(err)
	ada := identity.Caller{CustomerID: "ada"}
	for name, c := range map[string]struct {
		who  identity.Caller
		q    order.ListQuery
		want error
	}{
		"a guest":                      {identity.Caller{}, order.ListQuery{}, order.ErrSignIn},
		"a guest who names a customer": {identity.Caller{}, order.ListQuery{CustomerID: "ada"}, order.ErrSignIn},
		"garbage for a cursor":         {Ourselves, order.ListQuery{After: "garbage"}, order.ErrCursor},
		"a cursor of another list":     {Ourselves, order.ListQuery{After: page.Cursors[0], Statuses: []order.Status{order.Confirmed}}, order.ErrCursor},
		"a cursor the other way round": {Ourselves, order.ListQuery{After: page.Cursors[0], Reverse: true}, order.ErrCursor},
		"a cursor of another's list":   {ada, order.ListQuery{After: page.Cursors[0]}, order.ErrCursor},
		"a cursor of another address":  {Ourselves, order.ListQuery{After: byMail.Cursors[0], Email: "eve@example.org"}, order.ErrCursor},
		"a cursor of another time":     {Ourselves, order.ListQuery{After: page.Cursors[0], From: s.Clock.Now()}, order.ErrCursor},
		"a cursor of no number":        {Ourselves, order.ListQuery{After: page.Cursors[0], Number: page.Orders[0].Number}, order.ErrCursor},
		"another customer's":           {ada, order.ListQuery{CustomerID: "eve"}, order.ErrForbidden},
		"too many":                     {Ourselves, order.ListQuery{Limit: 101}, order.ErrInput},
		"fewer than none":              {Ourselves, order.ListQuery{Limit: -1}, order.ErrInput},
		"no such status":               {Ourselves, order.ListQuery{Statuses: []order.Status{order.Failed, "LOST"}}, order.ErrInput},
		"a number too short":           {Ourselves, order.ListQuery{Number: "K7M2-4QX"}, order.ErrInput},
		"a number too long":            {Ourselves, order.ListQuery{Number: "K7M2-4QXD0"}, order.ErrInput},
		"no number":                    {Ourselves, order.ListQuery{Number: "K7M2-4QX!"}, order.ErrInput},
		"half an address":              {Ourselves, order.ListQuery{Email: "ada@"}, order.ErrInput},
		"a blank for an address":       {Ourselves, order.ListQuery{Email: " "}, order.ErrInput},
		"from then until then":         {Ourselves, order.ListQuery{From: s.Clock.Now(), Before: s.Clock.Now()}, order.ErrInput},
		"from now until before":        {Ourselves, order.ListQuery{From: s.Clock.Now(), Before: s.Clock.Now().Add(-time.Second)}, order.ErrInput},
	} {
		if _, err := orders.List(background, c.who, c.q); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func cancelGivesBack(t *testing.T, s *Shop, orders order.Service) {
	got, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("mug", 5)))
	s.must(err)
	in := order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken, Reason: "too many mugs"}
	o, err := orders.Cancel(background, identity.Caller{}, in)
	s.must(err)
	if o.Status != order.Refunded || o.CancelReason != in.Reason {
		t.Errorf("%+v", o)
	}
	again, err := orders.Cancel(background, identity.Caller{}, in)
	s.must(err)
	if !reflect.DeepEqual(again, o) {
		t.Errorf("cancelled again: %+v", again)
	}
	if _, err := orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID}); !errors.Is(err, order.ErrNotFound) {
		t.Errorf("cancelled by a stranger: %v", err)
	}
	if _, err := orders.Cancel(background, Ourselves, order.CancelInput{OrderID: got.Order.ID, Reason: strings.Repeat("x", 501)}); !errors.Is(err, order.ErrInput) {
		t.Errorf("a reason of 501 bytes: %v", err)
	}
	s.WantInvariants()
}

func whoMayCancel(t *testing.T, s *Shop, orders order.Service) {
	s.Receive("mug", map[string]int64{"berlin": 50})
	buy := func(who identity.Caller) string {
		t.Helper()
		got, err := orders.Checkout(background, who, s.Input(s.Cart("mug")))
		s.must(err)
		return got.Order.ID
	}
	others := buy(identity.Caller{CustomerID: "ada"})
	for _, who := range identitytest.Everybody() {
		_, err := orders.Cancel(background, who.Caller, order.CancelInput{OrderID: others})
		var want error
		switch {
		case who.May(identity.OrdersCancel):
		case who.May(identity.OrdersRead):
			want = order.ErrForbidden
		default:
			want = order.ErrNotFound
		}
		if !errors.Is(err, want) {
			t.Errorf("%s cancels another's order: %v, want %v", who.Name, err, want)
		}
		if who.CustomerID == "" {
			continue
		}
		// Whoever has a role besides keeps what is their own.
		own := buy(who.Caller)
		if _, err := orders.Get(background, who.Caller, own, ""); err != nil {
			t.Errorf("%s looks at their own order: %v", who.Name, err)
		}
		page, err := orders.List(background, who.Caller, order.ListQuery{CustomerID: who.CustomerID})
		if err != nil || len(page.Orders) != 1 || page.Orders[0].ID != own {
			t.Errorf("%s lists their own orders: %+v, %v", who.Name, page, err)
		}
		o, err := orders.Cancel(background, who.Caller, order.CancelInput{OrderID: own})
		if err != nil || o.Status != order.Refunded {
			t.Errorf("%s cancels their own order: %s, %v", who.Name, o.Status, err)
		}
		for _, e := range o.Timeline {
			if e.Status == order.Cancelled && !strings.Contains(e.Cause, "customer") {
				t.Errorf("%s cancelled their own order, and it says %q", who.Name, e.Cause)
			}
		}
	}
	s.WantInvariants()
}

func auditIsForStaff(t *testing.T, s *Shop, orders order.Service) {
	got, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("mug")))
	s.must(err)
	identitytest.Needs(t, identity.OperationsRead, func(who identity.Caller) error {
		_, err := orders.Audit(background, who, "")
		return err
	})
	report, err := orders.Audit(background, Ourselves, "")
	s.must(err)
	if report.Checked != 1 || len(report.Findings) != 0 || report.Next != "" {
		t.Errorf("%+v", report)
	}
	// Something goes wrong behind the order's back, and is found.
	_, err = s.Stock.Restock(background, Ourselves, got.Order.ID)
	s.must(err)
	report, err = orders.Audit(background, Ourselves, "")
	s.must(err)
	if len(report.Findings) != 1 || report.Findings[0].OrderID != got.Order.ID || report.Findings[0].Rule != order.RuleStock {
		t.Errorf("%+v", report)
	}
	if _, err := orders.Audit(background, Ourselves, "garbage"); !errors.Is(err, order.ErrCursor) {
		t.Errorf("garbage for a cursor: %v", err)
	}
}

var support = identity.Caller{CustomerID: "sam", Roles: []identity.Role{identity.Support}}

func refundsOfParts(t *testing.T, s *Shop, orders order.Service) {
	got, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("mug", 2, "shirt")))
	s.must(err)
	s.Deliver(got.Order.ID)
	mugs := got.Order.Quote.Lines[0]
	in := order.RefundInput{
		OrderID: got.Order.ID, IdempotencyKey: "refund-0001", Lines: []order.RefundUnits{{LineID: mugs.ID, Quantity: 1}}, Shipping: true, Reason: "one was broken",
	}
	first, err := orders.Refund(background, support, in)
	s.must(err)
	want := money.Of(mugs.Total.Minor/2+mugs.Total.Minor%2, "EUR").Plus(got.Order.Quote.Cost.Shipping)
	if first.Refund.State != order.RefundSucceeded || first.Refund.Amount != want || first.Refund.Reason != in.Reason || first.Refund.At.IsZero() ||
		len(first.Refund.Lines) != 1 || first.Refund.Lines[0].LineID != mugs.ID || first.Refund.Lines[0].Quantity != 1 || first.Refund.Shipping != got.Order.Quote.Cost.Shipping {
		t.Errorf("%+v, want %s", first.Refund, want)
	}
	if last := first.Order.Timeline[len(first.Order.Timeline)-1]; first.Order.Status != order.Delivered || last.Status != order.Delivered || !strings.Contains(last.Cause, want.String()) {
		t.Errorf("%s: %+v", first.Order.Status, last)
	}
	if left := first.Order.Refundable(); left != got.Order.Quote.Cost.Total.Minus(want) || first.Order.Payment.Refunded != want {
		t.Errorf("%s is left, %s is back", left, first.Order.Payment.Refunded)
	}
	again, err := orders.Refund(background, support, in)
	s.must(err)
	if !reflect.DeepEqual(again, first) {
		t.Errorf("the first answer was\n%+v\nthe second\n%+v", first, again)
	}
	other := in
	other.Shipping = false
	if _, err := orders.Refund(background, support, other); !errors.Is(err, order.ErrKeyReused) {
		t.Errorf("another refund under the key: %v", err)
	}
	left := first.Order.Refundable()
	rest, err := orders.Refund(background, support, order.RefundInput{OrderID: got.Order.ID, IdempotencyKey: "refund-0002", Amount: &left})
	s.must(err)
	if rest.Order.Status != order.Refunded || len(rest.Order.Refunds) != 2 || rest.Refund.ID == first.Refund.ID {
		t.Errorf("%s: %+v", rest.Order.Status, rest.Order.Refunds)
	}
	s.WantInvariants()
}

func whoMayRefund(t *testing.T, s *Shop, orders order.Service) {
	got, err := orders.Checkout(background, identity.Caller{CustomerID: "ada"}, s.Input(s.Cart("shirt", 5)))
	s.must(err)
	amount, n := money.Of(100, "EUR"), 0
	let := identitytest.Needs(t, identity.PaymentsRefund, func(who identity.Caller) error {
		n++
		_, err := orders.Refund(background, who, order.RefundInput{OrderID: got.Order.ID, IdempotencyKey: "refund-" + strings.Repeat("x", n), Amount: &amount})
		return err
	})
	if o := s.Order(got.Order.ID); let == 0 || int64(let)*amount.Minor != o.Payment.Refunded.Minor || o.Status != order.Confirmed {
		t.Errorf("%d were let in, %s is back, the order is %s", let, o.Payment.Refunded, o.Status)
	}
}

func refundsThatMakeNoSense(t *testing.T, s *Shop, orders order.Service) {
	got, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("mug", 2)))
	s.must(err)
	line, total := got.Order.Quote.Lines[0].ID, got.Order.Quote.Cost.Total
	failed, err := orders.Checkout(background, identity.Caller{}, s.Input(s.Cart("shirt"), Paying("pm_card_chargeDeclined")))
	s.must(err)
	amount := func(minor int64, currency string) *money.Amount { a := money.Of(minor, currency); return &a }
	for name, c := range map[string]struct {
		in   order.RefundInput
		want error
	}{
		"no order":                 {order.RefundInput{OrderID: "nothing", Amount: amount(1, "EUR")}, order.ErrNotFound},
		"a failed order":           {order.RefundInput{OrderID: failed.Order.ID, Amount: amount(1, "EUR")}, order.ErrNotRefundable},
		"nothing":                  {order.RefundInput{}, order.ErrInput},
		"no key":                   {order.RefundInput{IdempotencyKey: "short", Amount: amount(1, "EUR")}, order.ErrInput},
		"nothing at all":           {order.RefundInput{Amount: amount(0, "EUR")}, order.ErrInput},
		"another currency":         {order.RefundInput{Amount: amount(1, "USD")}, order.ErrInput},
		"a line that is not there": {order.RefundInput{Lines: []order.RefundUnits{{LineID: "other", Quantity: 1}}}, order.ErrInput},
		"a line twice":             {order.RefundInput{Lines: []order.RefundUnits{{LineID: line, Quantity: 1}, {LineID: line, Quantity: 1}}}, order.ErrInput},
		"no units":                 {order.RefundInput{Lines: []order.RefundUnits{{LineID: line}}}, order.ErrInput},
		"too many units":           {order.RefundInput{Lines: []order.RefundUnits{{LineID: line, Quantity: 3}}}, order.ErrTooMuch},
		"too much":                 {order.RefundInput{Amount: amount(total.Minor+1, "EUR")}, order.ErrTooMuch},
		"a novel":                  {order.RefundInput{Amount: amount(1, "EUR"), Reason: strings.Repeat("x", 501)}, order.ErrInput},
		"goods without lines":      {order.RefundInput{Amount: amount(1, "EUR"), Restock: true}, order.ErrInput},
		"goods that are here":      {order.RefundInput{Lines: []order.RefundUnits{{LineID: line, Quantity: 1}}, Restock: true}, order.ErrNotSent},
		"all before it was sent":   {order.RefundInput{Amount: &total}, order.ErrNotSent},
	} {
		if c.in.IdempotencyKey == "" {
			c.in.IdempotencyKey = "refund-0001"
		}
		if c.in.OrderID == "" {
			c.in.OrderID = got.Order.ID
		}
		if _, err := orders.Refund(background, support, c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if o := s.Order(got.Order.ID); len(o.Refunds) > 0 || o.Version != got.Order.Version {
		t.Errorf("%+v", o.Refunds)
	}
}
