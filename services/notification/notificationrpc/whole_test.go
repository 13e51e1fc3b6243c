package notificationrpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationrpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, notificationrpc.Contract, notification.Service(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) OfOrder(_ context.Context, who identity.Caller, orderID, accessToken string) (notification.OrderMessages, error) {
	e.Took(who, orderID, accessToken)
	return wiretest.Answer[notification.OrderMessages](&e.Calls, 0), nil
}

func (e *echo) Versions(_ context.Context, who identity.Caller, orderIDs []string) (map[string]int64, error) {
	e.Took(who, orderIDs)
	return wiretest.Answer[map[string]int64](&e.Calls, 0), nil
}

func (e *echo) Get(_ context.Context, who identity.Caller, id string) (notification.Notification, error) {
	e.Took(who, id)
	return wiretest.Answer[notification.Notification](&e.Calls, 0), nil
}

func (e *echo) Drop(_ context.Context, who identity.Caller, id string) (notification.Notification, error) {
	e.Took(who, id)
	return wiretest.Answer[notification.Notification](&e.Calls, 0), nil
}

func (e *echo) Resend(_ context.Context, who identity.Caller, id string) (notification.Notification, error) {
	e.Took(who, id)
	return wiretest.Answer[notification.Notification](&e.Calls, 0), nil
}

func (e *echo) List(_ context.Context, who identity.Caller, subject string) ([]notification.Notification, error) {
	e.Took(who, subject)
	return wiretest.Answer[[]notification.Notification](&e.Calls, 0), nil
}

func (e *echo) Dead(_ context.Context, who identity.Caller, after string) (notification.Page, error) {
	e.Took(who, after)
	return wiretest.Answer[notification.Page](&e.Calls, 0), nil
}

func (e *echo) Replay(_ context.Context, who identity.Caller, id string) (notification.Notification, error) {
	e.Took(who, id)
	return wiretest.Answer[notification.Notification](&e.Calls, 0), nil
}
