package order_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
	"ordergraph/services/order/ordertest"
)

var errAway = fault.New(fault.Unavailable, "test.away", "Nobody is there.")

// carts and stock that can be cut off, before or after they have done it.
type cutCarts struct {
	cart.Service
	completeAway *atomic.Bool
}

func (c cutCarts) Complete(ctx context.Context, who identity.Caller, cartID, orderID string) error {
	if c.completeAway.Load() {
		return errAway
	}
	return c.Service.Complete(ctx, who, cartID, orderID)
}

type cutStock struct {
	inventory.Service
	reserveAway, commitLost *atomic.Bool
}

func (c cutStock) Reserve(ctx context.Context, who identity.Caller, id string, lines []inventory.Line) (inventory.Reservation, error) {
	if c.reserveAway.Load() {
		return inventory.Reservation{}, errAway
	}
	return c.Service.Reserve(ctx, who, id, lines)
}

func (c cutStock) Commit(ctx context.Context, who identity.Caller, id string) (inventory.Reservation, error) {
	res, err := c.Service.Commit(ctx, who, id)
	if c.commitLost.Load() {
		return inventory.Reservation{}, errAway
	}
	return res, err
}

func TestOtherServicesAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var reserveAway, commitLost, completeAway atomic.Bool
		s := ordertest.New(t, ordertest.Patience(150*time.Millisecond), ordertest.Wrapped(
			func(stock inventory.Service) inventory.Service { return cutStock{stock, &reserveAway, &commitLost} },
			func(carts cart.Service) cart.Service { return cutCarts{carts, &completeAway} }))
		s.Receive("mug", map[string]int64{"berlin": 5})

		phase := func(name string, do func()) {
			t.Log(name)
			do()
		}
		phase("the stock for a moment", func() {
			reserveAway.Store(true)
			o := s.Buy(s.Input(s.Cart("mug"))).Order
			if o.Status != order.Pending {
				t.Fatalf("%s without a stock", o.Status)
			}
			reserveAway.Store(false)
			s.Settle()
			s.WantOrder(o.ID, order.Confirmed, "")
		})
		phase("the stock for long", func() {
			reserveAway.Store(true)
			cartID := s.Cart("mug")
			o := s.Buy(s.Input(cartID)).Order
			s.Settle()
			s.WantOrder(o.ID, order.Failed, order.ReasonTimeout)
			reserveAway.Store(false)
			if o := s.Buy(s.Input(cartID)).Order; o.Status != order.Confirmed {
				t.Errorf("the cart afterwards: %s", o.Status)
			}
		})
		phase("the answer to the commit, for longer than an order may take", func() {
			commitLost.Store(true)
			o := s.Buy(s.Input(s.Cart("mug"))).Order
			for range 25 {
				s.Clock.Pass(2 * time.Minute)
				if _, err := s.Orders.Sweep(background); err != nil {
					t.Fatal(err)
				}
			}
			if o := s.Order(o.ID); o.Status != order.Paying {
				t.Fatalf("%s while nobody knows", o.Status)
			}
			commitLost.Store(false)
			s.Settle()
			s.WantOrder(o.ID, order.Confirmed, "")
		})
		phase("called off while the answer to the commit is lost", func() {
			commitLost.Store(true)
			got := s.Buy(s.Input(s.Cart("mug")))
			o, err := s.Orders.Cancel(background, identity.Caller{}, order.CancelInput{OrderID: got.Order.ID, AccessToken: got.AccessToken})
			if err != nil || o.Status != order.Paying {
				t.Fatalf("%s %v", o.Status, err)
			}
			commitLost.Store(false)
			s.Settle()
			o = s.WantOrder(o.ID, order.Refunded, "")
			var confirmed bool
			for _, e := range o.Timeline {
				confirmed = confirmed || e.Status == order.Confirmed
			}
			if !confirmed {
				t.Errorf("goods that were sold went back without a sale: %+v", o.Timeline)
			}
		})
		phase("the cart when all is paid", func() {
			completeAway.Store(true)
			in := s.Input(s.Cart("mug"))
			o := s.Buy(in).Order
			if o.Status != order.Confirmed {
				t.Fatalf("%s: a paid order waits for its cart", o.Status)
			}
			completeAway.Store(false)
			s.Clock.Pass(time.Minute)
			if _, err := s.Orders.Sweep(background); err != nil {
				t.Fatal(err)
			}
			if c, err := s.Carts.Get(background, identity.Caller{}, in.CartID); err == nil {
				t.Errorf("the cart is still there: %+v", c)
			}
			if n, err := s.Orders.Sweep(background); n != 0 || err != nil {
				t.Errorf("there is still something to do: %d %v", n, err)
			}
		})
		s.WantInvariants()
	})
}
