// Package notificationrpc carries the notification service between processes.
package notificationrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
	"ordergraph/services/notification"
)

// Contract is how the notification service is reached from another process.
// All of its calls may be repeated.
var Contract = host.Contract[notification.Service]{
	Name:    "notification",
	Service: Notification_ServiceDesc.ServiceName,
	Serve: func(to grpc.ServiceRegistrar, impl notification.Service) {
		RegisterNotificationServer(to, server{service: impl})
	},
	Dial:       func(conn grpc.ClientConnInterface) notification.Service { return client{NewNotificationClient(conn)} },
	Repeatable: []string{"OfOrder", "Versions", "Get", "List", "Dead", "Replay", "Drop", "Resend"},
}

type server struct {
	UnimplementedNotificationServer
	service notification.Service
}

func (s server) OfOrder(ctx context.Context, req *OfOrderRequest) (*OrderMessages, error) {
	m, err := s.service.OfOrder(ctx, host.CallerOf(ctx), req.GetOrderId(), req.GetAccessToken())
	if err != nil {
		return nil, err
	}
	return &OrderMessages{OrderId: m.OrderID, Version: m.Version, Notifications: wire.Each(m.Notifications, to)}, nil
}

func (s server) Versions(ctx context.Context, req *VersionsRequest) (*VersionsResponse, error) {
	versions, err := s.service.Versions(ctx, host.CallerOf(ctx), req.GetOrderIds())
	if err != nil {
		return nil, err
	}
	return &VersionsResponse{Versions: versions}, nil
}

func (s server) Get(ctx context.Context, req *GetRequest) (*NotificationView, error) {
	n, err := s.service.Get(ctx, host.CallerOf(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return to(n), nil
}

func (s server) List(ctx context.Context, req *ListRequest) (*ListResponse, error) {
	all, err := s.service.List(ctx, host.CallerOf(ctx), req.GetSubject())
	if err != nil {
		return nil, err
	}
	return &ListResponse{Notifications: wire.Each(all, to)}, nil
}

func (s server) Dead(ctx context.Context, req *DeadRequest) (*DeadResponse, error) {
	page, err := s.service.Dead(ctx, host.CallerOf(ctx), req.GetAfter())
	if err != nil {
		return nil, err
	}
	return &DeadResponse{Notifications: wire.Each(page.Notifications, to), Next: page.Next}, nil
}

func (s server) Replay(ctx context.Context, req *ReplayRequest) (*NotificationView, error) {
	n, err := s.service.Replay(ctx, host.CallerOf(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return to(n), nil
}

func (s server) Drop(ctx context.Context, req *DropRequest) (*NotificationView, error) {
	n, err := s.service.Drop(ctx, host.CallerOf(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return to(n), nil
}

func (s server) Resend(ctx context.Context, req *ResendRequest) (*NotificationView, error) {
	n, err := s.service.Resend(ctx, host.CallerOf(ctx), req.GetId())
	if err != nil {
		return nil, err
	}
	return to(n), nil
}

type client struct{ rpc NotificationClient }

func (c client) OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) (notification.OrderMessages, error) {
	resp, err := c.rpc.OfOrder(host.WithCaller(ctx, who), &OfOrderRequest{OrderId: orderID, AccessToken: accessToken})
	if err != nil {
		return notification.OrderMessages{}, err
	}
	return notification.OrderMessages{OrderID: resp.GetOrderId(), Version: resp.GetVersion(), Notifications: wire.Each(resp.GetNotifications(), from)}, nil
}

func (c client) Versions(ctx context.Context, who identity.Caller, orderIDs []string) (map[string]int64, error) {
	resp, err := c.rpc.Versions(host.WithCaller(ctx, who), &VersionsRequest{OrderIds: orderIDs})
	if err != nil {
		return nil, err
	}
	return resp.GetVersions(), nil
}

func (c client) Get(ctx context.Context, who identity.Caller, id string) (notification.Notification, error) {
	return answered(c.rpc.Get(host.WithCaller(ctx, who), &GetRequest{Id: id}))
}

func (c client) List(ctx context.Context, who identity.Caller, subject string) ([]notification.Notification, error) {
	resp, err := c.rpc.List(host.WithCaller(ctx, who), &ListRequest{Subject: subject})
	if err != nil {
		return nil, err
	}
	return wire.Each(resp.GetNotifications(), from), nil
}

func (c client) Dead(ctx context.Context, who identity.Caller, after string) (notification.Page, error) {
	resp, err := c.rpc.Dead(host.WithCaller(ctx, who), &DeadRequest{After: after})
	if err != nil {
		return notification.Page{}, err
	}
	return notification.Page{Notifications: wire.Each(resp.GetNotifications(), from), Next: resp.GetNext()}, nil
}

func (c client) Replay(ctx context.Context, who identity.Caller, id string) (notification.Notification, error) {
	return answered(c.rpc.Replay(host.WithCaller(ctx, who), &ReplayRequest{Id: id}))
}

func (c client) Drop(ctx context.Context, who identity.Caller, id string) (notification.Notification, error) {
	return answered(c.rpc.Drop(host.WithCaller(ctx, who), &DropRequest{Id: id}))
}

func (c client) Resend(ctx context.Context, who identity.Caller, id string) (notification.Notification, error) {
	return answered(c.rpc.Resend(host.WithCaller(ctx, who), &ResendRequest{Id: id}))
}

func answered(resp *NotificationView, err error) (notification.Notification, error) {
	if err != nil {
		return notification.Notification{}, err
	}
	return from(resp), nil
}

func to(n notification.Notification) *NotificationView {
	return &NotificationView{
		Id: n.ID, Subject: n.Subject, Kind: string(n.Kind), Channel: string(n.Channel), Status: string(n.Status), MessageId: n.MessageID,
		Attempts: wire.Each(n.Attempts, func(a notification.Attempt) *Attempt {
			return &Attempt{At: wire.FromTime(a.At), Route: a.Route, Outcome: a.Outcome}
		}),
		Repeats: int64(n.Repeats), CreatedAt: wire.FromTime(n.CreatedAt), UpdatedAt: wire.FromTime(n.UpdatedAt), NextAt: wire.FromTime(n.NextAt),
	}
}

func from(v *NotificationView) notification.Notification {
	return notification.Notification{
		ID: v.GetId(), Subject: v.GetSubject(), Kind: notification.Kind(v.GetKind()), Channel: notification.Channel(v.GetChannel()),
		Status: notification.Status(v.GetStatus()), MessageID: v.GetMessageId(),
		Attempts: wire.Each(v.GetAttempts(), func(a *Attempt) notification.Attempt {
			return notification.Attempt{At: wire.ToTime(a.GetAt()), Route: a.GetRoute(), Outcome: a.GetOutcome()}
		}),
		Repeats: int(v.GetRepeats()), CreatedAt: wire.ToTime(v.GetCreatedAt()), UpdatedAt: wire.ToTime(v.GetUpdatedAt()), NextAt: wire.ToTime(v.GetNextAt()),
	}
}
