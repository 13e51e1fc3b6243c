// Package invoicerpc carries the invoice service between processes.
package invoicerpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/invoice"
)

// Contract says how the invoice service is reached from another process. All
// of it may be repeated: an order has one invoice, whoever asks for it.
var Contract = host.Contract[invoice.Service]{
	Name:    "invoice",
	Service: Invoice_ServiceDesc.ServiceName,
	Serve: func(to grpc.ServiceRegistrar, impl invoice.Service) {
		RegisterInvoiceServer(to, server{invoice: impl})
	},
	Dial:       func(conn grpc.ClientConnInterface) invoice.Service { return client{rpc: NewInvoiceClient(conn)} },
	Repeatable: []string{"Get", "OfOrder", "File", "Versions", "Audit"},
}

type server struct {
	UnimplementedInvoiceServer
	invoice invoice.Service
}

func (s server) Get(ctx context.Context, r *GetRequest) (*InvoiceView, error) {
	v, err := s.invoice.Get(ctx, host.CallerOf(ctx), r.Id, r.AccessToken)
	if err != nil {
		return nil, err
	}
	return view(v), nil
}

func (s server) OfOrder(ctx context.Context, r *OfOrderRequest) (*OfOrderResponse, error) {
	all, err := s.invoice.OfOrder(ctx, host.CallerOf(ctx), r.OrderId, r.AccessToken)
	if err != nil {
		return nil, err
	}
	return &OfOrderResponse{Invoices: wire.Each(all, view)}, nil
}

func (s server) File(ctx context.Context, r *FileRequest) (*FileView, error) {
	f, err := s.invoice.File(ctx, host.CallerOf(ctx), r.Id, invoice.Format(r.Format), r.AccessToken)
	if err != nil {
		return nil, err
	}
	return &FileView{Name: f.Name, ContentType: f.ContentType, Content: f.Content}, nil
}

func (s server) Versions(ctx context.Context, r *VersionsRequest) (*VersionsResponse, error) {
	versions, err := s.invoice.Versions(ctx, host.CallerOf(ctx), r.Ids)
	if err != nil {
		return nil, err
	}
	return &VersionsResponse{Versions: versions}, nil
}

func (s server) Audit(ctx context.Context, r *AuditRequest) (*AuditReport, error) {
	report, err := s.invoice.Audit(ctx, host.CallerOf(ctx), r.After)
	if err != nil {
		return nil, err
	}
	return &AuditReport{Checked: int64(report.Checked), Next: report.Next, Findings: wire.Each(report.Findings, func(f invoice.Finding) *Finding {
		return &Finding{Id: f.ID, Detail: f.Detail}
	})}, nil
}

type client struct{ rpc InvoiceClient }

func (c client) Get(ctx context.Context, who identity.Caller, id, accessToken string) (invoice.Invoice, error) {
	v, err := c.rpc.Get(host.WithCaller(ctx, who), &GetRequest{Id: id, AccessToken: accessToken})
	if err != nil {
		return invoice.Invoice{}, err
	}
	return toInvoice(v), nil
}

func (c client) OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) ([]invoice.Invoice, error) {
	got, err := c.rpc.OfOrder(host.WithCaller(ctx, who), &OfOrderRequest{OrderId: orderID, AccessToken: accessToken})
	if err != nil {
		return nil, err
	}
	return wire.Each(got.Invoices, toInvoice), nil
}

func (c client) File(ctx context.Context, who identity.Caller, id string, format invoice.Format, accessToken string) (invoice.File, error) {
	f, err := c.rpc.File(host.WithCaller(ctx, who), &FileRequest{Id: id, Format: string(format), AccessToken: accessToken})
	if err != nil {
		return invoice.File{}, err
	}
	return invoice.File{Name: f.Name, ContentType: f.ContentType, Content: f.Content}, nil
}

func (c client) Versions(ctx context.Context, who identity.Caller, ids []string) (map[string]int64, error) {
	got, err := c.rpc.Versions(host.WithCaller(ctx, who), &VersionsRequest{Ids: ids})
	if err != nil {
		return nil, err
	}
	return got.Versions, nil
}

func (c client) Audit(ctx context.Context, who identity.Caller, after string) (invoice.AuditReport, error) {
	report, err := c.rpc.Audit(host.WithCaller(ctx, who), &AuditRequest{After: after})
	if err != nil {
		return invoice.AuditReport{}, err
	}
	return invoice.AuditReport{Checked: int(report.Checked), Next: report.Next, Findings: wire.Each(report.Findings, func(f *Finding) invoice.Finding {
		return invoice.Finding{ID: f.GetId(), Detail: f.GetDetail()}
	})}, nil
}

func view(v invoice.Invoice) *InvoiceView {
	return &InvoiceView{
		Id: v.ID, Version: v.Version, Kind: string(v.Kind), Status: string(v.Status), OrderId: v.OrderID, Number: v.Number, Refers: v.Refers,
		IssuedAt: wire.FromTime(v.IssuedAt), Currency: v.Currency, Net: cartrpc.FromAmount(v.Net), Tax: cartrpc.FromAmount(v.Tax),
		Total: cartrpc.FromAmount(v.Total), Rounding: cartrpc.FromAmount(v.Rounding), Paid: cartrpc.FromAmount(v.Paid), Taxes: wire.Each(v.Taxes, tax),
	}
}

func toInvoice(v *InvoiceView) invoice.Invoice {
	return invoice.Invoice{
		ID: v.GetId(), Version: v.GetVersion(), Kind: invoice.Kind(v.GetKind()), Status: invoice.Status(v.GetStatus()), OrderID: v.GetOrderId(), Number: v.GetNumber(), Refers: v.GetRefers(),
		IssuedAt: wire.ToTime(v.GetIssuedAt()), Currency: v.GetCurrency(), Net: cartrpc.ToAmount(v.GetNet()), Tax: cartrpc.ToAmount(v.GetTax()),
		Total: cartrpc.ToAmount(v.GetTotal()), Rounding: cartrpc.ToAmount(v.GetRounding()), Paid: cartrpc.ToAmount(v.GetPaid()), Taxes: wire.Each(v.GetTaxes(), toTax),
	}
}

func tax(t invoice.Tax) *Tax {
	return &Tax{Rate: t.Rate, Taxable: cartrpc.FromAmount(t.Taxable), Tax: cartrpc.FromAmount(t.Tax)}
}

func toTax(t *Tax) invoice.Tax {
	return invoice.Tax{Rate: t.GetRate(), Taxable: cartrpc.ToAmount(t.GetTaxable()), Tax: cartrpc.ToAmount(t.GetTax())}
}
