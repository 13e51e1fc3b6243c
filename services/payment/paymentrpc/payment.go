// Package paymentrpc carries the payment service between processes.
package paymentrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/platform/wire"
	"ordergraph/services/payment"
)

// Contract says how the payment service is reached from another process. All
// of it is repeatable: the order, or the refund's key, makes a call once.
var Contract = host.Contract[payment.Service]{
	Name:    "payment",
	Service: Payments_ServiceDesc.ServiceName,
	Serve: func(to grpc.ServiceRegistrar, impl payment.Service) {
		RegisterPaymentsServer(to, server{payments: impl})
	},
	Dial:       func(conn grpc.ClientConnInterface) payment.Service { return client{rpc: NewPaymentsClient(conn)} },
	Repeatable: []string{"Authorise", "Capture", "Void", "Refund", "Get", "Audit"},
}

type server struct {
	UnimplementedPaymentsServer
	payments payment.Service
}

func (s server) Authorise(ctx context.Context, r *AuthoriseRequest) (*Payment, error) {
	return fromPayment(s.payments.Authorise(ctx, host.CallerOf(ctx), payment.Request{
		OrderID: r.OrderId, Amount: toAmount(r.Amount), Method: r.Method, Email: r.Email, ReturnURL: r.ReturnUrl,
	}))
}

func (s server) Capture(ctx context.Context, r *OrderRequest) (*Payment, error) {
	return fromPayment(s.payments.Capture(ctx, host.CallerOf(ctx), r.OrderId))
}

func (s server) Void(ctx context.Context, r *OrderRequest) (*Payment, error) {
	return fromPayment(s.payments.Void(ctx, host.CallerOf(ctx), r.OrderId))
}

func (s server) Refund(ctx context.Context, r *RefundRequest) (*Payment, error) {
	return fromPayment(s.payments.Refund(ctx, host.CallerOf(ctx), payment.RefundRequest{
		OrderID: r.OrderId, Key: r.Key, Amount: toAmount(r.Amount), Reason: r.Reason,
	}))
}

func (s server) Get(ctx context.Context, r *OrderRequest) (*Payment, error) {
	return fromPayment(s.payments.Get(ctx, host.CallerOf(ctx), r.OrderId))
}

func (s server) Audit(ctx context.Context, _ *AuditRequest) (*Report, error) {
	rep, err := s.payments.Audit(ctx, host.CallerOf(ctx))
	if err != nil {
		return nil, err
	}
	m := &Report{
		Payments: int64(rep.Payments), Intents: int64(rep.Intents), Unsettled: int64(rep.Unsettled),
		Captured: rep.Captured, Refunded: rep.Refunded,
		TheirCaptured: rep.Theirs.Captured, TheirRefunded: rep.Theirs.Refunded,
	}
	for _, d := range rep.Differences {
		m.Differences = append(m.Differences, &Difference{OrderId: d.OrderID, What: d.What})
	}
	return m, nil
}

type client struct{ rpc PaymentsClient }

func (c client) Authorise(ctx context.Context, who identity.Caller, r payment.Request) (payment.Payment, error) {
	return toPayment(c.rpc.Authorise(host.WithCaller(ctx, who), &AuthoriseRequest{
		OrderId: r.OrderID, Amount: fromAmount(r.Amount), Method: r.Method, Email: r.Email, ReturnUrl: r.ReturnURL,
	}))
}

func (c client) Capture(ctx context.Context, who identity.Caller, orderID string) (payment.Payment, error) {
	return toPayment(c.rpc.Capture(host.WithCaller(ctx, who), &OrderRequest{OrderId: orderID}))
}

func (c client) Void(ctx context.Context, who identity.Caller, orderID string) (payment.Payment, error) {
	return toPayment(c.rpc.Void(host.WithCaller(ctx, who), &OrderRequest{OrderId: orderID}))
}

func (c client) Refund(ctx context.Context, who identity.Caller, r payment.RefundRequest) (payment.Payment, error) {
	return toPayment(c.rpc.Refund(host.WithCaller(ctx, who), &RefundRequest{
		OrderId: r.OrderID, Key: r.Key, Amount: fromAmount(r.Amount), Reason: r.Reason,
	}))
}

func (c client) Get(ctx context.Context, who identity.Caller, orderID string) (payment.Payment, error) {
	return toPayment(c.rpc.Get(host.WithCaller(ctx, who), &OrderRequest{OrderId: orderID}))
}

func (c client) Audit(ctx context.Context, who identity.Caller) (payment.Report, error) {
	m, err := c.rpc.Audit(host.WithCaller(ctx, who), &AuditRequest{})
	if err != nil {
		return payment.Report{}, err
	}
	rep := payment.Report{
		Payments: int(m.Payments), Intents: int(m.Intents), Unsettled: int(m.Unsettled),
		Captured: m.Captured, Refunded: m.Refunded,
		Theirs: payment.Sums{Captured: m.TheirCaptured, Refunded: m.TheirRefunded},
	}
	for _, d := range m.Differences {
		rep.Differences = append(rep.Differences, payment.Difference{OrderID: d.OrderId, What: d.What})
	}
	return rep, nil
}

func fromAmount(a money.Amount) *Amount { return &Amount{Minor: a.Minor, Currency: a.Currency} }

func toAmount(a *Amount) money.Amount { return money.Of(a.GetMinor(), a.GetCurrency()) }

func fromPayment(p payment.Payment, err error) (*Payment, error) {
	if err != nil {
		return nil, err
	}
	m := &Payment{
		OrderId: p.OrderID, Version: p.Version, State: string(p.State),
		Amount: fromAmount(p.Amount), Captured: fromAmount(p.Captured), Refunded: fromAmount(p.Refunded),
		Reason: string(p.Reason), ActionUrl: p.ActionURL, Card: &Card{Brand: p.Card.Brand, Last4: p.Card.Last4},
		UpdatedAt: wire.FromTime(p.UpdatedAt),
	}
	for _, r := range p.Refunds {
		m.Refunds = append(m.Refunds, &Refund{Key: r.Key, Amount: fromAmount(r.Amount), Reason: r.Reason, State: string(r.State), At: wire.FromTime(r.At)})
	}
	for _, a := range p.Attempts {
		m.Attempts = append(m.Attempts, &Attempt{Kind: a.Kind, Key: a.Key, At: wire.FromTime(a.At), Outcome: a.Outcome})
	}
	return m, nil
}

func toPayment(m *Payment, err error) (payment.Payment, error) {
	if err != nil {
		return payment.Payment{}, err
	}
	p := payment.Payment{
		OrderID: m.OrderId, Version: m.Version, State: payment.State(m.State),
		Amount: toAmount(m.Amount), Captured: toAmount(m.Captured), Refunded: toAmount(m.Refunded),
		Reason: payment.Reason(m.Reason), ActionURL: m.ActionUrl, Card: payment.Card{Brand: m.Card.GetBrand(), Last4: m.Card.GetLast4()},
		UpdatedAt: wire.ToTime(m.UpdatedAt),
	}
	for _, r := range m.Refunds {
		p.Refunds = append(p.Refunds, payment.Refund{Key: r.Key, Amount: toAmount(r.Amount), Reason: r.Reason, State: payment.RefundState(r.State), At: wire.ToTime(r.At)})
	}
	for _, a := range m.Attempts {
		p.Attempts = append(p.Attempts, payment.Attempt{Kind: a.Kind, Key: a.Key, At: wire.ToTime(a.At), Outcome: a.Outcome})
	}
	return p, nil
}
