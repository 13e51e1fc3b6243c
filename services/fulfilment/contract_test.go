package fulfilment_test

import (
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/fulfilmentrpc"
	"ordergraph/services/fulfilment/fulfilmenttest"
)

func TestContract(t *testing.T) {
	fulfilmenttest.Run(t, func(_ *testing.T, w *fulfilmenttest.World) fulfilment.Service { return w.Parcels })
}

func TestContractOverGRPC(t *testing.T) {
	fulfilmenttest.Run(t, func(t *testing.T, w *fulfilmenttest.World) fulfilment.Service {
		return hosttest.Loopback(t, fulfilmentrpc.Contract, fulfilment.Service(w.Parcels))
	})
}
