package fulfilmentrpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/fulfilmentrpc"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, fulfilmentrpc.Contract, fulfilment.Service(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) consignment(args ...any) (fulfilment.Consignment, error) {
	e.Took(args...)
	return wiretest.Answer[fulfilment.Consignment](&e.Calls, 0), nil
}

func (e *echo) OfOrder(_ context.Context, who identity.Caller, orderID, accessToken string) ([]fulfilment.Consignment, error) {
	e.Took(who, orderID, accessToken)
	return wiretest.Answer[[]fulfilment.Consignment](&e.Calls, 0), nil
}

func (e *echo) List(_ context.Context, who identity.Caller, q fulfilment.ListQuery) (fulfilment.Page, error) {
	e.Took(who, q)
	return wiretest.Answer[fulfilment.Page](&e.Calls, 0), nil
}

func (e *echo) Pick(_ context.Context, who identity.Caller, id string) (fulfilment.Consignment, error) {
	return e.consignment(who, id)
}

func (e *echo) Pack(_ context.Context, who identity.Caller, id string, packed []fulfilment.Units) (fulfilment.Consignment, error) {
	return e.consignment(who, id, packed)
}

func (e *echo) Ship(_ context.Context, who identity.Caller, id string, in fulfilment.ShipInput) (fulfilment.Consignment, error) {
	return e.consignment(who, id, in)
}

func (e *echo) Deliver(_ context.Context, who identity.Caller, id string) (fulfilment.Consignment, error) {
	return e.consignment(who, id)
}

func (e *echo) Fail(_ context.Context, who identity.Caller, id, reason string) (fulfilment.Consignment, error) {
	return e.consignment(who, id, reason)
}

func (e *echo) Return(_ context.Context, who identity.Caller, id string, restock []fulfilment.Units) (fulfilment.Consignment, error) {
	return e.consignment(who, id, restock)
}

func (e *echo) CallOff(_ context.Context, who identity.Caller, orderID string) error {
	e.Took(who, orderID)
	return nil
}

func (e *echo) TakeBack(_ context.Context, who identity.Caller, orderID, key string, units []inventory.Line) error {
	e.Took(who, orderID, key, units)
	return nil
}

func (e *echo) Progress(_ context.Context, who identity.Caller, orderID string) (order.Progress, error) {
	e.Took(who, orderID)
	return wiretest.Answer[order.Progress](&e.Calls, 0), nil
}

func (e *echo) Audit(_ context.Context, who identity.Caller, after string) (fulfilment.AuditReport, error) {
	e.Took(who, after)
	return wiretest.Answer[fulfilment.AuditReport](&e.Calls, 0), nil
}
