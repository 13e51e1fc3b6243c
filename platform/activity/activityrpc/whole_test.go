package activityrpc_test

import (
	"context"
	"testing"
	"time"

	"ordergraph/platform/activity"
	"ordergraph/platform/activity/activityrpc"
	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, activityrpc.Contract("order"), activity.Board(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Read(_ context.Context, who identity.Caller, from time.Time) (activity.Report, error) {
	e.Took(who, from)
	return wiretest.Answer[activity.Report](&e.Calls, 0), nil
}
