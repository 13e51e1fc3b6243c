// Package orderrpc carries the order service between processes.
package orderrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/order"
)

// Contract says how the order service is reached from another process. All of
// it may be repeated: checkouts and refunds are idempotent by their keys,
// cancelling by the order.
var Contract = host.Contract[order.Service]{
	Name:       "order",
	Service:    Order_ServiceDesc.ServiceName,
	Serve:      func(to grpc.ServiceRegistrar, impl order.Service) { RegisterOrderServer(to, server{order: impl}) },
	Dial:       func(conn grpc.ClientConnInterface) order.Service { return client{rpc: NewOrderClient(conn)} },
	Repeatable: []string{"Checkout", "Get", "List", "Versions", "Cancel", "Refund", "Audit"},
}

type server struct {
	UnimplementedOrderServer
	order order.Service
}

func (s server) Checkout(ctx context.Context, r *CheckoutRequest) (*CheckoutResponse, error) {
	in := order.CheckoutInput{
		CartID: r.CartId, IdempotencyKey: r.IdempotencyKey, Email: r.Email, Phone: r.Phone,
		ShippingAddress: toAddress(r.ShippingAddress), ShippingRate: r.ShippingRate, PaymentMethod: r.PaymentMethod,
		ReturnURL: r.ReturnUrl, Locale: r.Locale, ExpectTotal: cartrpc.ToAmountOrNil(r.ExpectTotal),
	}
	if r.BillingAddress != nil {
		a := toAddress(r.BillingAddress)
		in.BillingAddress = &a
	}
	got, err := s.order.Checkout(ctx, host.CallerOf(ctx), in)
	if err != nil {
		return nil, err
	}
	out := &CheckoutResponse{AccessToken: got.AccessToken, Problems: wire.Each(got.Problems, cartrpc.FromProblem)}
	if got.Order != nil {
		out.Order = view(*got.Order)
	}
	return out, nil
}

func (s server) Get(ctx context.Context, r *GetRequest) (*OrderView, error) {
	o, err := s.order.Get(ctx, host.CallerOf(ctx), r.Id, r.AccessToken)
	if err != nil {
		return nil, err
	}
	return view(o), nil
}

func (s server) List(ctx context.Context, r *ListRequest) (*Page, error) {
	p, err := s.order.List(ctx, host.CallerOf(ctx), order.ListQuery{
		CustomerID: r.CustomerId, Statuses: wire.Each(r.Statuses, func(s string) order.Status { return order.Status(s) }), Number: r.Number, Email: r.Email,
		From: wire.ToTime(r.From), Before: wire.ToTime(r.Before), Reverse: r.Reverse, After: r.After, Limit: int(r.Limit),
	})
	if err != nil {
		return nil, err
	}
	return &Page{Orders: wire.Each(p.Orders, view), Cursors: p.Cursors, HasMore: p.HasMore, End: p.End}, nil
}

func (s server) Versions(ctx context.Context, r *VersionsRequest) (*VersionsResponse, error) {
	versions, err := s.order.Versions(ctx, host.CallerOf(ctx), r.Ids)
	if err != nil {
		return nil, err
	}
	return &VersionsResponse{Versions: versions}, nil
}

func (s server) Cancel(ctx context.Context, r *CancelRequest) (*OrderView, error) {
	o, err := s.order.Cancel(ctx, host.CallerOf(ctx), order.CancelInput{OrderID: r.OrderId, AccessToken: r.AccessToken, Reason: r.Reason})
	if err != nil {
		return nil, err
	}
	return view(o), nil
}

func (s server) Refund(ctx context.Context, r *RefundRequest) (*RefundResponse, error) {
	got, err := s.order.Refund(ctx, host.CallerOf(ctx), order.RefundInput{
		OrderID: r.OrderId, IdempotencyKey: r.IdempotencyKey, Lines: wire.Each(r.Lines, toRefundUnits), Shipping: r.Shipping,
		Amount: cartrpc.ToAmountOrNil(r.Amount), Reason: r.Reason, Restock: r.Restock,
	})
	if err != nil {
		return nil, err
	}
	return &RefundResponse{Order: view(got.Order), Refund: refund(got.Refund)}, nil
}

func (s server) Audit(ctx context.Context, r *AuditRequest) (*AuditReport, error) {
	rep, err := s.order.Audit(ctx, host.CallerOf(ctx), r.After)
	if err != nil {
		return nil, err
	}
	return &AuditReport{Checked: int64(rep.Checked), Findings: wire.Each(rep.Findings, finding), Next: rep.Next}, nil
}

type client struct{ rpc OrderClient }

func (c client) Checkout(ctx context.Context, who identity.Caller, in order.CheckoutInput) (order.CheckoutResult, error) {
	r := &CheckoutRequest{
		CartId: in.CartID, IdempotencyKey: in.IdempotencyKey, Email: in.Email, Phone: in.Phone,
		ShippingAddress: address(in.ShippingAddress), ShippingRate: in.ShippingRate, PaymentMethod: in.PaymentMethod,
		ReturnUrl: in.ReturnURL, Locale: in.Locale, ExpectTotal: cartrpc.FromAmountOrNil(in.ExpectTotal),
	}
	if in.BillingAddress != nil {
		r.BillingAddress = address(*in.BillingAddress)
	}
	got, err := c.rpc.Checkout(host.WithCaller(ctx, who), r)
	if err != nil {
		return order.CheckoutResult{}, err
	}
	out := order.CheckoutResult{AccessToken: got.AccessToken, Problems: wire.Each(got.Problems, cartrpc.ToProblem)}
	if got.Order != nil {
		o := toOrder(got.Order)
		out.Order = &o
	}
	return out, nil
}

func (c client) Get(ctx context.Context, who identity.Caller, id, accessToken string) (order.Order, error) {
	return orderOr(c.rpc.Get(host.WithCaller(ctx, who), &GetRequest{Id: id, AccessToken: accessToken}))
}

func (c client) List(ctx context.Context, who identity.Caller, q order.ListQuery) (order.Page, error) {
	p, err := c.rpc.List(host.WithCaller(ctx, who), &ListRequest{
		CustomerId: q.CustomerID, Statuses: wire.Each(q.Statuses, func(s order.Status) string { return string(s) }), Number: q.Number, Email: q.Email,
		From: wire.FromTime(q.From), Before: wire.FromTime(q.Before), Reverse: q.Reverse, After: q.After, Limit: int64(q.Limit),
	})
	if err != nil {
		return order.Page{}, err
	}
	return order.Page{Orders: wire.Each(p.Orders, toOrder), Cursors: p.Cursors, HasMore: p.HasMore, End: p.End}, nil
}

func (c client) Versions(ctx context.Context, who identity.Caller, ids []string) (map[string]int64, error) {
	got, err := c.rpc.Versions(host.WithCaller(ctx, who), &VersionsRequest{Ids: ids})
	if err != nil {
		return nil, err
	}
	return got.Versions, nil
}

func (c client) Cancel(ctx context.Context, who identity.Caller, in order.CancelInput) (order.Order, error) {
	return orderOr(c.rpc.Cancel(host.WithCaller(ctx, who), &CancelRequest{OrderId: in.OrderID, AccessToken: in.AccessToken, Reason: in.Reason}))
}

func (c client) Refund(ctx context.Context, who identity.Caller, in order.RefundInput) (order.RefundResult, error) {
	got, err := c.rpc.Refund(host.WithCaller(ctx, who), &RefundRequest{
		OrderId: in.OrderID, IdempotencyKey: in.IdempotencyKey, Lines: wire.Each(in.Lines, refundUnits), Shipping: in.Shipping,
		Amount: cartrpc.FromAmountOrNil(in.Amount), Reason: in.Reason, Restock: in.Restock,
	})
	if err != nil {
		return order.RefundResult{}, err
	}
	return order.RefundResult{Order: toOrder(got.Order), Refund: toRefund(got.Refund)}, nil
}

func (c client) Audit(ctx context.Context, who identity.Caller, after string) (order.AuditReport, error) {
	rep, err := c.rpc.Audit(host.WithCaller(ctx, who), &AuditRequest{After: after})
	if err != nil {
		return order.AuditReport{}, err
	}
	return order.AuditReport{Checked: int(rep.Checked), Findings: wire.Each(rep.Findings, toFinding), Next: rep.Next}, nil
}

func orderOr(v *OrderView, err error) (order.Order, error) {
	if err != nil {
		return order.Order{}, err
	}
	return toOrder(v), nil
}
