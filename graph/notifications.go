package graph

import (
	"context"
	"errors"

	"ordergraph/graph/gengql"
	"ordergraph/graph/gid"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/services/notification"
)

var errNoNotifications = fault.New(fault.Unavailable, "graph.no_notifications", "This server does not tell of messages.")

// notificationsAbout lists the messages about an order or an account, for staff.
func (r *Resolver) notificationsAbout(ctx context.Context, globalID string) ([]view.Notification, error) {
	if r.notification == nil {
		return nil, errNoNotifications
	}
	var subject string
	switch kind, id, _ := gid.Split(globalID); kind {
	case gid.Order:
		subject = notification.OrderSubject(id)
	case gid.Customer:
		subject = notification.AccountSubject(id)
	default:
		return nil, errInput.Field("subjectId").Say("Notifications are about an order or a customer; `subjectId` must be the global id of one.")
	}
	all, err := r.notification.List(ctx, caller(ctx), subject)
	if err != nil {
		return nil, err
	}
	return view.NewNotifications(all), nil
}

// notificationsOf are those of an order that the caller sees.
func (r *Resolver) notificationsOf(ctx context.Context, o *view.Order) ([]view.Notification, error) {
	if r.notification == nil {
		return []view.Notification{}, nil
	}
	id, token := o.Key()
	all, err := r.notification.OfOrder(ctx, caller(ctx), id, token)
	if err != nil && !errors.Is(err, notification.ErrNotFound) {
		return nil, err
	}
	return view.NewNotifications(all.Notifications), nil
}

// resend shows what became of sending something once more.
func (r *Resolver) resend(ctx context.Context, id string) (*gengql.NotificationResendPayload, error) {
	if r.notification == nil {
		return nil, errNoNotifications
	}
	n, err := r.notification.Resend(ctx, caller(ctx), id)
	p := &gengql.NotificationResendPayload{UserErrors: []view.NotificationUserError{}}
	code := ""
	switch {
	case err == nil:
		p.Notification = view.NewNotification(&n)
		return p, nil
	case errors.Is(err, notification.ErrNotFound):
		code = "NOT_FOUND"
	case errors.Is(err, notification.ErrNotSent):
		code = "NOT_SENT"
	default:
		return nil, err
	}
	p.UserErrors = append(p.UserErrors, view.NotificationUserError{Code: &code, Field: []string{"id"}, Message: fault.Of(err).Message})
	return p, nil
}
