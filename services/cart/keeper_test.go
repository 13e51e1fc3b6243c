package cart_test

import (
	"testing"

	"go.uber.org/goleak"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/host/hosttest"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/cart/carttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKeeper(t *testing.T) {
	carttest.Run(t, func(t *testing.T, shelf *carttest.Shelf, clock *clocktest.Clock) cart.Service {
		return open(t, docstoretest.Memory(t), shelf, clock)
	})
}

func TestKeeperOverRPC(t *testing.T) {
	carttest.Run(t, func(t *testing.T, shelf *carttest.Shelf, clock *clocktest.Clock) cart.Service {
		return hosttest.Loopback(t, cartrpc.Contract, cart.Service(open(t, docstoretest.Memory(t), shelf, clock)))
	})
}

func open(t testing.TB, s docstore.Store, shelf *carttest.Shelf, clock *clocktest.Clock) *cart.Keeper {
	t.Helper()
	k, err := cart.New(t.Context(), cart.Options{Store: s, Catalog: shelf, Stock: shelf, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return k
}
