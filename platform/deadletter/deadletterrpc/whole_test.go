package deadletterrpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/deadletter/deadletterrpc"
	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, deadletterrpc.Contract("order"), deadletter.Letters(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) List(_ context.Context, who identity.Caller, q deadletter.Query) (deadletter.Page, error) {
	e.Took(who, q)
	return wiretest.Answer[deadletter.Page](&e.Calls, 0), nil
}

func (e *echo) Get(_ context.Context, who identity.Caller, id string) (deadletter.Letter, error) {
	e.Took(who, id)
	return wiretest.Answer[deadletter.Letter](&e.Calls, 0), nil
}

func (e *echo) Replay(_ context.Context, who identity.Caller, id string) error {
	e.Took(who, id)
	return nil
}

func (e *echo) About(_ context.Context, who identity.Caller, key string) (deadletter.Report, error) {
	e.Took(who, key)
	return wiretest.Answer[deadletter.Report](&e.Calls, 0), nil
}

func (e *echo) Drop(_ context.Context, who identity.Caller, id string) error {
	e.Took(who, id)
	return nil
}
