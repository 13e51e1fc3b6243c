package paymentrpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymentrpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, paymentrpc.Contract, payment.Service(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Authorise(_ context.Context, who identity.Caller, req payment.Request) (payment.Payment, error) {
	e.Took(who, req)
	return wiretest.Answer[payment.Payment](&e.Calls, 0), nil
}

func (e *echo) Capture(_ context.Context, who identity.Caller, orderID string) (payment.Payment, error) {
	e.Took(who, orderID)
	return wiretest.Answer[payment.Payment](&e.Calls, 0), nil
}

func (e *echo) Void(_ context.Context, who identity.Caller, orderID string) (payment.Payment, error) {
	e.Took(who, orderID)
	return wiretest.Answer[payment.Payment](&e.Calls, 0), nil
}

func (e *echo) Refund(_ context.Context, who identity.Caller, req payment.RefundRequest) (payment.Payment, error) {
	e.Took(who, req)
	return wiretest.Answer[payment.Payment](&e.Calls, 0), nil
}

func (e *echo) Get(_ context.Context, who identity.Caller, orderID string) (payment.Payment, error) {
	e.Took(who, orderID)
	return wiretest.Answer[payment.Payment](&e.Calls, 0), nil
}

func (e *echo) Audit(_ context.Context, who identity.Caller) (payment.Report, error) {
	e.Took(who)
	return wiretest.Answer[payment.Report](&e.Calls, 0), nil
}
