package order_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

// Where an index answers a part of a query only, so many orders at most are
// looked at for one page. The page may be empty, and nothing is lost.
func TestListsAreBounded(t *testing.T) {
	s := ordertest.New(t)
	s.Receive("mug", map[string]int64{"berlin": 5})
	buy := func(method string) string {
		t.Helper()
		got, err := s.Orders.Checkout(background, ada, s.Input(s.Cart("mug"), ordertest.Paying(method)))
		if err != nil {
			t.Fatal(err)
		}
		return got.Order.ID
	}
	first := buy("pm_card_chargeDeclined")
	s.Clock.Pass(time.Second)
	pattern := buy("pm_card_visa")
	if err := s.Orders.Copy(background, pattern, 1200); err != nil {
		t.Fatal(err)
	}
	s.Clock.Pass(time.Second)
	last := buy("pm_card_chargeDeclined")

	for _, reverse := range []bool{false, true} {
		want := []string{last, first}
		if reverse {
			slices.Reverse(want)
		}
		var got []string
		pages, empty := 0, 0
		q := order.ListQuery{Statuses: []order.Status{order.Failed, order.Paying}, Limit: 10, Reverse: reverse}
		for more := true; more; pages++ {
			page, err := s.Orders.List(background, ada, q)
			if err != nil || page.HasMore != (page.End != "") {
				t.Fatal(page, err)
			}
			if len(page.Orders) == 0 {
				empty++
			}
			for _, o := range page.Orders {
				got = append(got, o.ID)
			}
			more, q.After = page.HasMore, page.End
		}
		if !slices.Equal(got, want) {
			t.Errorf("listed are %v, want %v", got, want)
		}
		if pages < 3 || empty == 0 {
			t.Errorf("1202 orders were looked at for %d pages, %d of them empty", pages, empty)
		}
	}
}

// earlierOrder is an order as it was stored before there was an index by
// e-mail address.
type earlierOrder struct {
	docstore.Meta `bson:",inline"`
	Number        string    `bson:"number"`
	Key           string    `bson:"key"`
	Token         string    `bson:"token"`
	Status        string    `bson:"status"`
	CreatedAt     time.Time `bson:"createdAt"`
	UpdatedAt     time.Time `bson:"updatedAt"`
	Email         string    `bson:"email"`
}

// Orders that an earlier version left are found by their address, and those
// that have forgotten theirs are not.
func TestEarlierOrdersAreFoundByAddress(t *testing.T) {
	store := docstoretest.Memory(t)
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	docs, err := docstore.Open[earlierOrder](background, store, docstore.Spec{Name: "orders", Indexes: []docstore.Index{
		{Name: "key", Fields: []string{"key"}, Unique: true}, {Name: "number", Fields: []string{"number"}, Unique: true},
		{Name: "created", Fields: []string{"createdAt"}}, {Name: "status", Fields: []string{"status", "createdAt"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i, email := range []string{"Ada@Example.org", "bob@example.org", "", "ada@example.org"} {
		at := now.Add(time.Duration(i) * time.Second)
		if err := docs.Insert(background, &earlierOrder{
			Meta: docstore.Meta{ID: fmt.Sprint("order-", i)}, Number: fmt.Sprintf("0000-000%d", i), Key: fmt.Sprint("key-", i), Token: fmt.Sprint("token-", i),
			Status: "FAILED", CreatedAt: at, UpdatedAt: at, Email: email,
		}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second start finds all of it done
		orders, err := order.New(background, order.Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		page, err := orders.List(background, identity.Ourselves(), order.ListQuery{Email: "ada@example.org"})
		if err != nil || len(page.Orders) != 2 || page.Orders[0].ID != "order-3" || page.Orders[1].Email != "Ada@Example.org" {
			t.Errorf("%+v, %v", page.Orders, err)
		}
		for i, version := range []int64{2, 2, 1, 2} {
			doc, err := docs.Get(background, fmt.Sprint("order-", i))
			if err != nil || doc.Version != version {
				t.Errorf("order %d has version %d, want %d (%v)", i, doc.Version, version, err)
			}
		}
	}
}

// Who asked to be forgotten is found by their address no more.
func TestErasedOrdersAreNotFoundByAddress(t *testing.T) {
	p := newPast(t)
	byMail := func() (ids []string) {
		t.Helper()
		page, err := p.Orders.List(background, ordertest.Ourselves, order.ListQuery{Email: "ada@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Orders {
			ids = append(ids, o.ID)
		}
		return ids
	}
	before := byMail()
	if !slices.Contains(before, p.failed) || !slices.Contains(before, p.confirmed) {
		t.Fatalf("found are %v", before)
	}
	if err := p.Orders.Forget(background, "ada"); err != nil {
		t.Fatal(err)
	}
	p.sweep()
	if after := byMail(); slices.Contains(after, p.failed) || !slices.Contains(after, p.confirmed) {
		t.Errorf("found are %v, among them the order that has forgotten, or not the one that has not yet", after)
	}
	kept, err := p.Orders.Keeps(background, p.failed, "ada@example.org")
	if err != nil || kept {
		t.Errorf("the address is kept: %t, %v", kept, err)
	}
}

// What its customer was told is shown to them, to who shows the token, and to
// staff who may read messages.
func TestWhoSeesWhatWasTold(t *testing.T) {
	s := ordertest.New(t)
	s.Receive("mug", map[string]int64{"berlin": 5})
	got, err := s.Orders.Checkout(background, ada, s.Input(s.Cart("mug")))
	if err != nil {
		t.Fatal(err)
	}
	id := got.Order.ID
	data, err := bson.Marshal(order.Told{ID: "mail", Kind: "confirmed", Channel: "MAIL", Status: "SENT"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Orders.HearMessage(background, events.Fact{ID: "mail:1", Type: order.FactTold, Doc: "mail", Key: id, At: s.Clock.Now(), Data: data}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		who   identity.Caller
		token string
		sees  int
	}{
		"the customer":  {ada, "", 1},
		"with a token":  {identity.Caller{}, got.AccessToken, 1},
		"support":       {support, "", 1},
		"the warehouse": {identity.Caller{CustomerID: "will", Roles: []identity.Role{identity.Warehouse}}, "", 0},
		"ourselves":     {ordertest.Ourselves, "", 1},
	} {
		o, err := s.Orders.Get(background, c.who, id, c.token)
		if err != nil || len(o.Messages) != c.sees {
			t.Errorf("%s sees %+v (%v), want %d", name, o.Messages, err, c.sees)
		}
		if c.token != "" {
			continue
		}
		page, err := s.Orders.List(background, c.who, order.ListQuery{})
		if err != nil || len(page.Orders) != 1 || len(page.Orders[0].Messages) != c.sees {
			t.Errorf("%s lists %+v (%v), want %d messages", name, page.Orders, err, c.sees)
		}
	}
}
