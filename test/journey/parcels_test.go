package journey

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/fulfilmentrpc"
	"ordergraph/test/shop"
)

var picker = identity.Caller{CustomerID: "ada", Roles: []identity.Role{identity.Warehouse}}

type parcel struct {
	Status       string
	Lines        []struct{ Quantity int }
	TrackingInfo []struct{ Company, Number, URL string }
}

func parcelsOf(s *shop.Shop, t *testing.T, b shop.Bought) (status string, parcels []parcel) {
	t.Helper()
	var got struct {
		Order struct {
			Status       string
			Fulfillments []parcel
		}
	}
	s.Do(`query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { status fulfillments { status lines { quantity } trackingInfo { company number url } } } }`,
		map[string]any{"id": b.Order.ID, "token": b.AccessToken}, &got)
	return got.Order.Status, got.Order.Fulfillments
}

// wait until the order has the status and so many parcels.
func waitFor(s *shop.Shop, t *testing.T, b shop.Bought, status string, parcels int) []parcel {
	t.Helper()
	var all []parcel
	s.Eventually(patience, "the order is "+status, func() error {
		var now string
		if now, all = parcelsOf(s, t, b); now != status || len(all) != parcels {
			return fmt.Errorf("%s, %+v", now, all)
		}
		return nil
	})
	return all
}

func buyMugs(s *shop.Shop, t *testing.T, n int, key string) shop.Bought {
	t.Helper()
	cart, err := s.Cart(t.Context(), shop.CartLine{MerchandiseID: s.Variant("mug"), Quantity: n})
	if err != nil {
		t.Fatal(err)
	}
	bought, err := s.Settle(limited(t, patience), cart, "pm_card_visa", key)
	if err != nil || bought.Order == nil || bought.Order.Status != "CONFIRMED" {
		t.Fatalf("checkout: %+v, %v", bought, err)
	}
	return bought
}

// From the order to the door, in two parcels, while the carrier loses answers.
func TestParcels(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(2), there(2))})
		parcels := shop.Dial(s, fulfilmentrpc.Contract)
		bought := buyMugs(s, t, 3, "parcels-0001")
		waitFor(s, t, bought, "CONFIRMED", 2)
		troubleAtCarrier(s, t, `{"lost": 1}`)
		for n := 1; n <= 2; n++ {
			id := fmt.Sprintf("%s-%d", bought.Order.Key(), n)
			if _, err := parcels.Pick(t.Context(), picker, id); err != nil {
				t.Fatal(err)
			}
			waitFor(s, t, bought, "FULFILLING", 2)
			if _, err := parcels.Pack(t.Context(), picker, id, nil); err != nil {
				t.Fatal(err)
			}
			if c, err := parcels.Ship(t.Context(), picker, id, fulfilment.ShipInput{}); err != nil || c.State != fulfilment.Shipping {
				t.Fatalf("%+v, %v", c, err)
			}
		}
		troubleAtCarrier(s, t, `{}`)
		for _, p := range waitFor(s, t, bought, "DELIVERED", 2) {
			if p.Status != "DELIVERED" || len(p.TrackingInfo) != 1 || p.TrackingInfo[0].Number == "" || p.TrackingInfo[0].URL == "" {
				t.Errorf("%+v", p)
			}
		}
		order, err := s.Order(t.Context(), bought.Order.ID, bought.AccessToken)
		if err != nil {
			t.Fatal(err)
		}
		s.MoneyMatches(map[string]shop.Paid{order.Key(): order.Paid()})
		s.Check()
	})
}

// What is being picked can be called off by the shop, what is shipped by nobody.
func TestCalledOffWhilePicked(t *testing.T) {
	t.Parallel()
	shop.Each(t, func(t *testing.T, s *shop.Shop) {
		s.Fill([]feed.Product{shop.Thing("mug", 1690, here(5))})
		parcels := shop.Dial(s, fulfilmentrpc.Contract)
		cancel := func(b shop.Bought) (code string) {
			var got struct {
				OrderCancel struct{ UserErrors []shop.UserError }
			}
			s.Do(`mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { userErrors { code message } } }`,
				map[string]any{"input": map[string]any{"orderId": b.Order.ID, "accessToken": b.AccessToken}}, &got)
			if len(got.OrderCancel.UserErrors) == 0 {
				return ""
			}
			return got.OrderCancel.UserErrors[0].Code
		}
		one, two := buyMugs(s, t, 1, "called-off-0001"), buyMugs(s, t, 1, "called-off-0002")
		waitFor(s, t, one, "CONFIRMED", 1)
		waitFor(s, t, two, "CONFIRMED", 1)
		if code := cancel(one); code != "" {
			t.Errorf("called off before it was picked: %s", code)
		}
		if all := waitFor(s, t, one, "REFUNDED", 1); all[0].Status != "CANCELLED" {
			t.Errorf("%+v", all)
		}
		if _, err := parcels.Pick(t.Context(), picker, one.Order.Key()+"-1"); !errors.Is(err, fulfilment.ErrState) {
			t.Errorf("picked when it was called off: %v", err)
		}
		if _, err := parcels.Pick(t.Context(), picker, two.Order.Key()+"-1"); err != nil {
			t.Fatal(err)
		}
		waitFor(s, t, two, "FULFILLING", 1)
		if code := cancel(two); code != "TOO_LATE" {
			t.Errorf("called off while it was packed: %q", code)
		}
		if n := s.Available("mug"); n != 4 {
			t.Errorf("%d are left", n)
		}
		s.Check()
	})
}

// troubleAtCarrier sets the carrier's faults, in the words of its own interface.
func troubleAtCarrier(s *shop.Shop, t *testing.T, faults string) {
	t.Helper()
	resp, err := http.Post(s.Processor+"/carrier/faults", "application/json", bytes.NewReader([]byte(faults)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the carrier's faults: %s", resp.Status)
	}
}
