package invoice_test

import (
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicerpc"
	"ordergraph/services/invoice/invoicetest"
)

func TestContract(t *testing.T) {
	invoicetest.Run(t, func(_ *testing.T, w *invoicetest.World) invoice.Service { return w.Invoices })
}

func TestContractOverGRPC(t *testing.T) {
	invoicetest.Run(t, func(t *testing.T, w *invoicetest.World) invoice.Service {
		return hosttest.Loopback(t, invoicerpc.Contract, invoice.Service(w.Invoices))
	})
}
