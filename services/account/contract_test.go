package account_test

import (
	"testing"

	"go.uber.org/goleak"

	"ordergraph/platform/host/hosttest"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
	"ordergraph/services/account/accounttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	accounttest.Run(t, func(_ *testing.T, w *accounttest.World) account.Service { return w.Keeper })
}

func TestContractOverGRPC(t *testing.T) {
	accounttest.Run(t, func(t *testing.T, w *accounttest.World) account.Service {
		return hosttest.Loopback(t, accountrpc.Contract, account.Service(w.Keeper))
	})
}
