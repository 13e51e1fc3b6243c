package graph

import (
	"context"
	"crypto/sha256"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/graph/gengql"
	"ordergraph/graph/transport"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/services/invoice"
	"ordergraph/services/notification"
	"ordergraph/services/order"
)

var errNotLive = fault.New(fault.Unavailable, "graph.not_live", "This server does not offer live updates.")

// watched is what can be watched.
type watched struct {
	orders        *live.Topic[*view.Order]
	invoices      *live.Topic[*view.Invoice]
	notifications *live.Topic[*view.OrderNotifications]
	activity      *live.Topic[*gengql.ShopActivity]
}

// watch opens the topics. What a topic asks for versions is no secret to the
// gateway; what a client gets, it is given on its own behalf.
func (r *Resolver) watch(hub *live.Hub) {
	if hub == nil {
		return
	}
	orders := live.NewTopic[*view.Order](hub, order.LiveTopic, func(ctx context.Context, ids []string) (map[string]int64, error) {
		return r.order.Versions(ctx, identity.Ourselves(), ids)
	})
	r.watched.orders = &orders
	if r.invoice != nil {
		invoices := live.NewTopic[*view.Invoice](hub, invoice.LiveTopic, func(ctx context.Context, ids []string) (map[string]int64, error) {
			return r.invoice.Versions(ctx, identity.Ourselves(), ids)
		})
		r.watched.invoices = &invoices
	}
	if r.notification != nil {
		notifications := live.NewTopic[*view.OrderNotifications](hub, notification.LiveTopic, func(ctx context.Context, ids []string) (map[string]int64, error) {
			return r.notification.Versions(ctx, identity.Ourselves(), ids)
		})
		r.watched.notifications = &notifications
	}
	if r.activity != nil {
		activity := live.NewPolledTopic[*gengql.ShopActivity](hub, activityTopic, r.activityVersion)
		r.watched.activity = &activity
	}
}

// subscribe is the stream of a subscription: what load gets on behalf of who
// watches, at first and at every change.
func subscribe[T any](ctx context.Context, r *Resolver, topic *live.Topic[*T], key, accessToken string, after *int32, load func(context.Context) (*T, int64, error)) (<-chan *T, error) {
	if topic == nil {
		return nil, errNotLive
	}
	who, path := caller(ctx), graphql.GetPath(ctx)
	return transport.Stream(ctx, func(ctx context.Context, signal *transport.Signal) (transport.Source[*T], error) {
		w := live.Watch[*T]{
			Key: key, Audience: audience(who, accessToken), Load: load,
			Fire: signal.Fire,
			Fail: func(err error) { signal.Fail(r.present(ctx, gqlerror.WrapPath(path, err))) },
		}
		if after != nil {
			w.After = int64(*after)
		}
		return topic.Watch(ctx, w)
	})
}

// audience stands for the rights of a caller who shows this token.
func audience(who identity.Caller, accessToken string) string {
	h := sha256.New()
	part := func(s string) { _, _ = h.Write(append([]byte(s), 0)) }
	part(who.CustomerID)
	for _, role := range who.Roles {
		part(string(role))
	}
	part("") // no role is empty
	part(accessToken)
	return string(h.Sum(nil))
}
