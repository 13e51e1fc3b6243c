package payment_test

import (
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymentrpc"
	"ordergraph/services/payment/paymenttest"
)

func TestContract(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T, w *paymenttest.World) payment.Service { return w.Cashier })
}

func TestContractOverGRPC(t *testing.T) {
	paymenttest.Run(t, func(t *testing.T, w *paymenttest.World) payment.Service {
		return hosttest.Loopback[payment.Service](t, paymentrpc.Contract, w.Cashier)
	})
}
