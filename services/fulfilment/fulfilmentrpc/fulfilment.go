// Package fulfilmentrpc carries the fulfilment service between processes.
package fulfilmentrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
	"ordergraph/services/fulfilment"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// Contract says how the fulfilment service is reached from another process.
// All of it may be repeated.
var Contract = host.Contract[fulfilment.Service]{
	Name:    "fulfilment",
	Service: Fulfilment_ServiceDesc.ServiceName,
	Serve: func(to grpc.ServiceRegistrar, impl fulfilment.Service) {
		RegisterFulfilmentServer(to, server{of: impl})
	},
	Dial:       func(conn grpc.ClientConnInterface) fulfilment.Service { return client{NewFulfilmentClient(conn)} },
	Repeatable: []string{"OfOrder", "List", "Pick", "Pack", "Ship", "Deliver", "Fail", "Return", "CallOff", "TakeBack", "Progress", "Audit"},
}

type server struct {
	UnimplementedFulfilmentServer
	of fulfilment.Service
}

func (s server) OfOrder(ctx context.Context, r *OfOrderRequest) (*Consignments, error) {
	all, err := s.of.OfOrder(ctx, host.CallerOf(ctx), r.OrderId, r.AccessToken)
	if err != nil {
		return nil, err
	}
	return &Consignments{Consignments: wire.Each(all, consignment)}, nil
}

func (s server) List(ctx context.Context, r *ListRequest) (*Page, error) {
	p, err := s.of.List(ctx, host.CallerOf(ctx), fulfilment.ListQuery{State: fulfilment.State(r.State), Warehouse: r.Warehouse, After: r.After, Limit: int(r.Limit)})
	if err != nil {
		return nil, err
	}
	return &Page{Consignments: wire.Each(p.Consignments, consignment), Cursors: p.Cursors, HasMore: p.HasMore}, nil
}

func (s server) Pick(ctx context.Context, r *PickRequest) (*Consignment, error) {
	return one(s.of.Pick(ctx, host.CallerOf(ctx), r.Id))
}

func (s server) Pack(ctx context.Context, r *PackRequest) (*Consignment, error) {
	return one(s.of.Pack(ctx, host.CallerOf(ctx), r.Id, toUnits(r.Packed)))
}

func (s server) Ship(ctx context.Context, r *ShipRequest) (*Consignment, error) {
	return one(s.of.Ship(ctx, host.CallerOf(ctx), r.Id, fulfilment.ShipInput{Short: r.Short, ByHand: toTracking(r.ByHand)}))
}

func (s server) Deliver(ctx context.Context, r *DeliverRequest) (*Consignment, error) {
	return one(s.of.Deliver(ctx, host.CallerOf(ctx), r.Id))
}

func (s server) Fail(ctx context.Context, r *FailRequest) (*Consignment, error) {
	return one(s.of.Fail(ctx, host.CallerOf(ctx), r.Id, r.Reason))
}

func (s server) Return(ctx context.Context, r *ReturnRequest) (*Consignment, error) {
	return one(s.of.Return(ctx, host.CallerOf(ctx), r.Id, toUnits(r.Restock)))
}

func (s server) CallOff(ctx context.Context, r *CallOffRequest) (*CallOffResponse, error) {
	return &CallOffResponse{}, s.of.CallOff(ctx, host.CallerOf(ctx), r.OrderId)
}

func (s server) TakeBack(ctx context.Context, r *TakeBackRequest) (*TakeBackResponse, error) {
	return &TakeBackResponse{}, s.of.TakeBack(ctx, host.CallerOf(ctx), r.OrderId, r.Key, wire.Each(r.Units, func(u *Units) inventory.Line {
		return inventory.Line{SKU: u.GetSku(), Quantity: u.GetQuantity()}
	}))
}

func (s server) Progress(ctx context.Context, r *ProgressRequest) (*ProgressResponse, error) {
	p, err := s.of.Progress(ctx, host.CallerOf(ctx), r.OrderId)
	if err != nil {
		return nil, err
	}
	return &ProgressResponse{
		Version: p.Version, Consignments: p.Consignments, Begun: p.Begun, Shipped: p.Shipped, Delivered: p.Delivered, Failed: p.Failed, Returned: p.Returned,
	}, nil
}

func (s server) Audit(ctx context.Context, r *AuditRequest) (*AuditReport, error) {
	rep, err := s.of.Audit(ctx, host.CallerOf(ctx), r.After)
	if err != nil {
		return nil, err
	}
	return &AuditReport{Checked: int64(rep.Checked), Next: rep.Next, Findings: wire.Each(rep.Findings, func(f fulfilment.Finding) *Finding {
		return &Finding{OrderId: f.OrderID, Detail: f.Detail}
	})}, nil
}

type client struct{ rpc FulfilmentClient }

func (c client) OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) ([]fulfilment.Consignment, error) {
	got, err := c.rpc.OfOrder(host.WithCaller(ctx, who), &OfOrderRequest{OrderId: orderID, AccessToken: accessToken})
	if err != nil {
		return nil, err
	}
	return wire.Each(got.Consignments, toConsignment), nil
}

func (c client) List(ctx context.Context, who identity.Caller, q fulfilment.ListQuery) (fulfilment.Page, error) {
	p, err := c.rpc.List(host.WithCaller(ctx, who), &ListRequest{State: string(q.State), Warehouse: q.Warehouse, After: q.After, Limit: int64(q.Limit)})
	if err != nil {
		return fulfilment.Page{}, err
	}
	return fulfilment.Page{Consignments: wire.Each(p.Consignments, toConsignment), Cursors: p.Cursors, HasMore: p.HasMore}, nil
}

func (c client) Pick(ctx context.Context, who identity.Caller, id string) (fulfilment.Consignment, error) {
	return toOne(c.rpc.Pick(host.WithCaller(ctx, who), &PickRequest{Id: id}))
}

func (c client) Pack(ctx context.Context, who identity.Caller, id string, packed []fulfilment.Units) (fulfilment.Consignment, error) {
	return toOne(c.rpc.Pack(host.WithCaller(ctx, who), &PackRequest{Id: id, Packed: units(packed)}))
}

func (c client) Ship(ctx context.Context, who identity.Caller, id string, in fulfilment.ShipInput) (fulfilment.Consignment, error) {
	return toOne(c.rpc.Ship(host.WithCaller(ctx, who), &ShipRequest{Id: id, Short: in.Short, ByHand: tracking(in.ByHand)}))
}

func (c client) Deliver(ctx context.Context, who identity.Caller, id string) (fulfilment.Consignment, error) {
	return toOne(c.rpc.Deliver(host.WithCaller(ctx, who), &DeliverRequest{Id: id}))
}

func (c client) Fail(ctx context.Context, who identity.Caller, id, reason string) (fulfilment.Consignment, error) {
	return toOne(c.rpc.Fail(host.WithCaller(ctx, who), &FailRequest{Id: id, Reason: reason}))
}

func (c client) Return(ctx context.Context, who identity.Caller, id string, restock []fulfilment.Units) (fulfilment.Consignment, error) {
	return toOne(c.rpc.Return(host.WithCaller(ctx, who), &ReturnRequest{Id: id, Restock: units(restock)}))
}

func (c client) CallOff(ctx context.Context, who identity.Caller, orderID string) error {
	_, err := c.rpc.CallOff(host.WithCaller(ctx, who), &CallOffRequest{OrderId: orderID})
	return err
}

func (c client) TakeBack(ctx context.Context, who identity.Caller, orderID, key string, units []inventory.Line) error {
	_, err := c.rpc.TakeBack(host.WithCaller(ctx, who), &TakeBackRequest{OrderId: orderID, Key: key, Units: wire.Each(units, func(l inventory.Line) *Units {
		return &Units{Sku: l.SKU, Quantity: l.Quantity}
	})})
	return err
}

func (c client) Progress(ctx context.Context, who identity.Caller, orderID string) (order.Progress, error) {
	p, err := c.rpc.Progress(host.WithCaller(ctx, who), &ProgressRequest{OrderId: orderID})
	if err != nil {
		return order.Progress{}, err
	}
	return order.Progress{
		Version: p.Version, Consignments: p.Consignments, Begun: p.Begun, Shipped: p.Shipped, Delivered: p.Delivered, Failed: p.Failed, Returned: p.Returned,
	}, nil
}

func (c client) Audit(ctx context.Context, who identity.Caller, after string) (fulfilment.AuditReport, error) {
	rep, err := c.rpc.Audit(host.WithCaller(ctx, who), &AuditRequest{After: after})
	if err != nil {
		return fulfilment.AuditReport{}, err
	}
	return fulfilment.AuditReport{Checked: int(rep.Checked), Next: rep.Next, Findings: wire.Each(rep.Findings, func(f *Finding) fulfilment.Finding {
		return fulfilment.Finding{OrderID: f.GetOrderId(), Detail: f.GetDetail()}
	})}, nil
}
