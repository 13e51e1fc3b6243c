package notification_test

import (
	"testing"

	"go.uber.org/goleak"

	"ordergraph/platform/host/hosttest"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationrpc"
	"ordergraph/services/notification/notificationtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	notificationtest.Run(t, func(_ *testing.T, w *notificationtest.World) notification.Service { return w.Keeper })
}

func TestContractOverGRPC(t *testing.T) {
	notificationtest.Run(t, func(t *testing.T, w *notificationtest.World) notification.Service {
		return hosttest.Loopback(t, notificationrpc.Contract, notification.Service(w.Keeper))
	})
}
