package order_test

import (
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/services/order"
	"ordergraph/services/order/orderrpc"
	"ordergraph/services/order/ordertest"
)

func TestContract(t *testing.T) {
	ordertest.Run(t, func(_ *testing.T, s *ordertest.Shop) order.Service { return s.Orders })
}

func TestContractOverGRPC(t *testing.T) {
	ordertest.Run(t, func(t *testing.T, s *ordertest.Shop) order.Service {
		return hosttest.Loopback(t, orderrpc.Contract, order.Service(s.Orders))
	})
}
