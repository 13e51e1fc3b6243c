package cartrpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, cartrpc.Contract, cart.Service(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Create(_ context.Context, who identity.Caller, in cart.CreateInput) (cart.Result, error) {
	e.Took(who, in)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) Get(_ context.Context, who identity.Caller, id string) (cart.Cart, error) {
	e.Took(who, id)
	return wiretest.Answer[cart.Cart](&e.Calls, 0), nil
}

func (e *echo) AddLines(_ context.Context, who identity.Caller, id string, lines []cart.LineInput) (cart.Result, error) {
	e.Took(who, id, lines)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) UpdateLines(_ context.Context, who identity.Caller, id string, lines []cart.LineUpdate) (cart.Result, error) {
	e.Took(who, id, lines)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) RemoveLines(_ context.Context, who identity.Caller, id string, lineIDs []string) (cart.Result, error) {
	e.Took(who, id, lineIDs)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) SetBuyer(_ context.Context, who identity.Caller, id string, buyer cart.Buyer) (cart.Result, error) {
	e.Took(who, id, buyer)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) SetDiscountCodes(_ context.Context, who identity.Caller, id string, codes []string) (cart.Result, error) {
	e.Took(who, id, codes)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) SetNote(_ context.Context, who identity.Caller, id, note string) (cart.Result, error) {
	e.Took(who, id, note)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) SetAttributes(_ context.Context, who identity.Caller, id string, attrs []cart.Attribute) (cart.Result, error) {
	e.Took(who, id, attrs)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) Merge(_ context.Context, who identity.Caller, guestCartID string) (cart.Result, error) {
	e.Took(who, guestCartID)
	return wiretest.Answer[cart.Result](&e.Calls, 0), nil
}

func (e *echo) Claim(_ context.Context, who identity.Caller, in cart.ClaimInput) (cart.Quote, []cart.Problem, error) {
	e.Took(who, in)
	return wiretest.Answer[cart.Quote](&e.Calls, 0), wiretest.Answer[[]cart.Problem](&e.Calls, 1), nil
}

func (e *echo) Unclaim(_ context.Context, who identity.Caller, cartID, orderID string) error {
	e.Took(who, cartID, orderID)
	return nil
}

func (e *echo) Complete(_ context.Context, who identity.Caller, cartID, orderID string) error {
	e.Took(who, cartID, orderID)
	return nil
}

func (e *echo) PutDiscount(_ context.Context, who identity.Caller, d cart.Discount) (cart.Discount, error) {
	e.Took(who, d)
	return wiretest.Answer[cart.Discount](&e.Calls, 0), nil
}

func (e *echo) Discounts(_ context.Context, who identity.Caller, after string, limit int) (cart.DiscountPage, error) {
	e.Took(who, after, limit)
	return wiretest.Answer[cart.DiscountPage](&e.Calls, 0), nil
}
