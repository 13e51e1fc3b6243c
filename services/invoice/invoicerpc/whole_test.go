package invoicerpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicerpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, invoicerpc.Contract, invoice.Service(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Get(_ context.Context, who identity.Caller, id, accessToken string) (invoice.Invoice, error) {
	e.Took(who, id, accessToken)
	return wiretest.Answer[invoice.Invoice](&e.Calls, 0), nil
}

func (e *echo) OfOrder(_ context.Context, who identity.Caller, orderID, accessToken string) ([]invoice.Invoice, error) {
	e.Took(who, orderID, accessToken)
	return wiretest.Answer[[]invoice.Invoice](&e.Calls, 0), nil
}

func (e *echo) File(_ context.Context, who identity.Caller, id string, format invoice.Format, accessToken string) (invoice.File, error) {
	e.Took(who, id, format, accessToken)
	return wiretest.Answer[invoice.File](&e.Calls, 0), nil
}

func (e *echo) Versions(_ context.Context, who identity.Caller, ids []string) (map[string]int64, error) {
	e.Took(who, ids)
	return wiretest.Answer[map[string]int64](&e.Calls, 0), nil
}

func (e *echo) Audit(_ context.Context, who identity.Caller, after string) (invoice.AuditReport, error) {
	e.Took(who, after)
	return wiretest.Answer[invoice.AuditReport](&e.Calls, 0), nil
}
