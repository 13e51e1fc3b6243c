package orderrpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/order"
	"ordergraph/services/order/orderrpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, orderrpc.Contract, order.Service(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Checkout(_ context.Context, who identity.Caller, in order.CheckoutInput) (order.CheckoutResult, error) {
	e.Took(who, in)
	return wiretest.Answer[order.CheckoutResult](&e.Calls, 0), nil
}

func (e *echo) Get(_ context.Context, who identity.Caller, id, accessToken string) (order.Order, error) {
	e.Took(who, id, accessToken)
	return wiretest.Answer[order.Order](&e.Calls, 0), nil
}

func (e *echo) List(_ context.Context, who identity.Caller, q order.ListQuery) (order.Page, error) {
	e.Took(who, q)
	return wiretest.Answer[order.Page](&e.Calls, 0), nil
}

func (e *echo) Versions(_ context.Context, who identity.Caller, ids []string) (map[string]int64, error) {
	e.Took(who, ids)
	return wiretest.Answer[map[string]int64](&e.Calls, 0), nil
}

func (e *echo) Cancel(_ context.Context, who identity.Caller, in order.CancelInput) (order.Order, error) {
	e.Took(who, in)
	return wiretest.Answer[order.Order](&e.Calls, 0), nil
}

func (e *echo) Refund(_ context.Context, who identity.Caller, in order.RefundInput) (order.RefundResult, error) {
	e.Took(who, in)
	return wiretest.Answer[order.RefundResult](&e.Calls, 0), nil
}

func (e *echo) Audit(_ context.Context, who identity.Caller, after string) (order.AuditReport, error) {
	e.Took(who, after)
	return wiretest.Answer[order.AuditReport](&e.Calls, 0), nil
}
