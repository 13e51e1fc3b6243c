// Package inventoryrpc carries the inventory service between processes.
package inventoryrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire"
	"ordergraph/services/inventory"
)

// Contract is how the inventory service is reached from another process. All
// of its calls may be repeated: they are reads, or idempotent by order or key.
var Contract = host.Contract[inventory.Service]{
	Name:    "inventory",
	Service: Inventory_ServiceDesc.ServiceName,
	Serve: func(to grpc.ServiceRegistrar, impl inventory.Service) {
		RegisterInventoryServer(to, server{service: impl})
	},
	Dial: func(conn grpc.ClientConnInterface) inventory.Service { return client{NewInventoryClient(conn)} },
	Repeatable: []string{"Reserve", "Commit", "Release", "Restock", "GetReservation", "Levels", "GetStock", "List", "Adjust",
		"Movements", "Audit", "Warehouses", "PutWarehouse"},
}

type server struct {
	UnimplementedInventoryServer
	service inventory.Service
}

func (s server) Reserve(ctx context.Context, req *ReserveRequest) (*Reservation, error) {
	lines := make([]inventory.Line, len(req.GetLines()))
	for i, l := range req.GetLines() {
		lines[i] = inventory.Line{SKU: l.GetSku(), Quantity: l.GetQuantity()}
	}
	return reservationTo(s.service.Reserve(ctx, host.CallerOf(ctx), req.GetOrderId(), lines))
}

func (s server) Commit(ctx context.Context, req *OrderRequest) (*Reservation, error) {
	return reservationTo(s.service.Commit(ctx, host.CallerOf(ctx), req.GetOrderId()))
}

func (s server) Release(ctx context.Context, req *OrderRequest) (*Reservation, error) {
	return reservationTo(s.service.Release(ctx, host.CallerOf(ctx), req.GetOrderId()))
}

func (s server) Restock(ctx context.Context, req *OrderRequest) (*Reservation, error) {
	return reservationTo(s.service.Restock(ctx, host.CallerOf(ctx), req.GetOrderId()))
}

func (s server) GetReservation(ctx context.Context, req *OrderRequest) (*Reservation, error) {
	return reservationTo(s.service.Reservation(ctx, host.CallerOf(ctx), req.GetOrderId()))
}

func (s server) Levels(ctx context.Context, req *LevelsRequest) (*LevelsResponse, error) {
	levels, err := s.service.Levels(ctx, req.GetSkus())
	if err != nil {
		return nil, err
	}
	resp := &LevelsResponse{Stocks: make([]*Stock, 0, len(levels))}
	for _, stock := range levels {
		resp.Stocks = append(resp.Stocks, stockTo(stock))
	}
	return resp, nil
}

func (s server) GetStock(ctx context.Context, req *StockRequest) (*Stock, error) {
	stock, err := s.service.Stock(ctx, host.CallerOf(ctx), req.GetSku())
	if err != nil {
		return nil, err
	}
	return stockTo(stock), nil
}

func (s server) List(ctx context.Context, req *ListRequest) (*ListResponse, error) {
	page, err := s.service.List(ctx, host.CallerOf(ctx), inventory.ListQuery{
		Prefix: req.GetPrefix(), AvailableAtMost: req.AvailableAtMost, After: req.GetAfter(), Limit: int(req.GetLimit()),
	})
	if err != nil {
		return nil, err
	}
	return &ListResponse{Stocks: wire.Each(page.Stocks, stockTo), Cursors: page.Cursors, HasMore: page.HasMore}, nil
}

func (s server) Adjust(ctx context.Context, req *AdjustRequest) (*AdjustResponse, error) {
	changes := make([]inventory.Change, len(req.GetChanges()))
	for i, c := range req.GetChanges() {
		changes[i] = inventory.Change{Key: c.GetKey(), SKU: c.GetSku(), Warehouse: c.GetWarehouse(), Delta: c.GetDelta(), Set: c.Set, Reason: c.GetReason()}
	}
	stocks, err := s.service.Adjust(ctx, host.CallerOf(ctx), changes)
	if err != nil {
		return nil, err
	}
	resp := &AdjustResponse{Stocks: make([]*Stock, len(stocks))}
	for i, stock := range stocks {
		resp.Stocks[i] = stockTo(stock)
	}
	return resp, nil
}

func (s server) Movements(ctx context.Context, req *MovementsRequest) (*MovementsResponse, error) {
	page, err := s.service.Movements(ctx, host.CallerOf(ctx), req.GetSku(), req.GetAfter(), int(req.GetLimit()))
	if err != nil {
		return nil, err
	}
	resp := &MovementsResponse{Next: page.Next, Movements: make([]*Movement, len(page.Movements))}
	for i, m := range page.Movements {
		resp.Movements[i] = &Movement{Sku: m.SKU, Warehouse: m.Warehouse, Seq: m.Seq, At: wire.FromTime(m.At), Kind: m.Kind,
			OrderId: m.OrderID, Reason: m.Reason, OnHand: m.OnHand, Reserved: m.Reserved}
	}
	return resp, nil
}

func (s server) Audit(ctx context.Context, req *AuditRequest) (*AuditResponse, error) {
	report, err := s.service.Audit(ctx, host.CallerOf(ctx), req.GetAfter())
	if err != nil {
		return nil, err
	}
	return &AuditResponse{Checked: int64(report.Checked), Findings: report.Findings, Next: report.Next}, nil
}

func (s server) Warehouses(ctx context.Context, _ *WarehousesRequest) (*WarehousesResponse, error) {
	all, err := s.service.Warehouses(ctx)
	if err != nil {
		return nil, err
	}
	resp := &WarehousesResponse{Warehouses: make([]*Warehouse, len(all))}
	for i, w := range all {
		resp.Warehouses[i] = &Warehouse{Id: w.ID, Name: w.Name, Country: w.Country, Priority: int32(w.Priority)}
	}
	return resp, nil
}

func (s server) PutWarehouse(ctx context.Context, w *Warehouse) (*PutWarehouseResponse, error) {
	err := s.service.PutWarehouse(ctx, host.CallerOf(ctx), inventory.Warehouse{ID: w.GetId(), Name: w.GetName(), Country: w.GetCountry(), Priority: int(w.GetPriority())})
	return &PutWarehouseResponse{}, err
}

type client struct{ c InventoryClient }

func (c client) Reserve(ctx context.Context, who identity.Caller, orderID string, lines []inventory.Line) (inventory.Reservation, error) {
	req := &ReserveRequest{OrderId: orderID, Lines: make([]*Line, len(lines))}
	for i, l := range lines {
		req.Lines[i] = &Line{Sku: l.SKU, Quantity: l.Quantity}
	}
	return reservationFrom(c.c.Reserve(host.WithCaller(ctx, who), req))
}

func (c client) Commit(ctx context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	return reservationFrom(c.c.Commit(host.WithCaller(ctx, who), &OrderRequest{OrderId: orderID}))
}

func (c client) Release(ctx context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	return reservationFrom(c.c.Release(host.WithCaller(ctx, who), &OrderRequest{OrderId: orderID}))
}

func (c client) Restock(ctx context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	return reservationFrom(c.c.Restock(host.WithCaller(ctx, who), &OrderRequest{OrderId: orderID}))
}

func (c client) Reservation(ctx context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	return reservationFrom(c.c.GetReservation(host.WithCaller(ctx, who), &OrderRequest{OrderId: orderID}))
}

func (c client) Levels(ctx context.Context, skus []string) (map[string]inventory.Stock, error) {
	resp, err := c.c.Levels(ctx, &LevelsRequest{Skus: skus})
	if err != nil {
		return nil, err
	}
	levels := make(map[string]inventory.Stock, len(resp.GetStocks()))
	for _, s := range resp.GetStocks() {
		levels[s.GetSku()] = stockFrom(s)
	}
	return levels, nil
}

func (c client) Stock(ctx context.Context, who identity.Caller, sku string) (inventory.Stock, error) {
	resp, err := c.c.GetStock(host.WithCaller(ctx, who), &StockRequest{Sku: sku})
	if err != nil {
		return inventory.Stock{}, err
	}
	return stockFrom(resp), nil
}

func (c client) List(ctx context.Context, who identity.Caller, q inventory.ListQuery) (inventory.Page, error) {
	resp, err := c.c.List(host.WithCaller(ctx, who), &ListRequest{Prefix: q.Prefix, AvailableAtMost: q.AvailableAtMost, After: q.After, Limit: int32(q.Limit)})
	if err != nil {
		return inventory.Page{}, err
	}
	return inventory.Page{Stocks: wire.Each(resp.GetStocks(), stockFrom), Cursors: resp.GetCursors(), HasMore: resp.GetHasMore()}, nil
}

func (c client) Adjust(ctx context.Context, who identity.Caller, changes []inventory.Change) ([]inventory.Stock, error) {
	req := &AdjustRequest{Changes: make([]*Change, len(changes))}
	for i, ch := range changes {
		req.Changes[i] = &Change{Key: ch.Key, Sku: ch.SKU, Warehouse: ch.Warehouse, Delta: ch.Delta, Set: ch.Set, Reason: ch.Reason}
	}
	resp, err := c.c.Adjust(host.WithCaller(ctx, who), req)
	if err != nil {
		return nil, err
	}
	stocks := make([]inventory.Stock, len(resp.GetStocks()))
	for i, s := range resp.GetStocks() {
		stocks[i] = stockFrom(s)
	}
	return stocks, nil
}

func (c client) Movements(ctx context.Context, who identity.Caller, sku, after string, limit int) (inventory.MovementPage, error) {
	resp, err := c.c.Movements(host.WithCaller(ctx, who), &MovementsRequest{Sku: sku, After: after, Limit: int32(limit)})
	if err != nil {
		return inventory.MovementPage{}, err
	}
	page := inventory.MovementPage{Next: resp.GetNext(), Movements: make([]inventory.Movement, len(resp.GetMovements()))}
	for i, m := range resp.GetMovements() {
		page.Movements[i] = inventory.Movement{SKU: m.GetSku(), Warehouse: m.GetWarehouse(), Seq: m.GetSeq(), At: m.GetAt().AsTime(), Kind: m.GetKind(),
			OrderID: m.GetOrderId(), Reason: m.GetReason(), OnHand: m.GetOnHand(), Reserved: m.GetReserved()}
	}
	return page, nil
}

func (c client) Audit(ctx context.Context, who identity.Caller, after string) (inventory.AuditReport, error) {
	resp, err := c.c.Audit(host.WithCaller(ctx, who), &AuditRequest{After: after})
	if err != nil {
		return inventory.AuditReport{}, err
	}
	return inventory.AuditReport{Checked: int(resp.GetChecked()), Findings: resp.GetFindings(), Next: resp.GetNext()}, nil
}

func (c client) Warehouses(ctx context.Context) ([]inventory.Warehouse, error) {
	resp, err := c.c.Warehouses(ctx, &WarehousesRequest{})
	if err != nil {
		return nil, err
	}
	all := make([]inventory.Warehouse, len(resp.GetWarehouses()))
	for i, w := range resp.GetWarehouses() {
		all[i] = inventory.Warehouse{ID: w.GetId(), Name: w.GetName(), Country: w.GetCountry(), Priority: int(w.GetPriority())}
	}
	return all, nil
}

func (c client) PutWarehouse(ctx context.Context, who identity.Caller, w inventory.Warehouse) error {
	_, err := c.c.PutWarehouse(host.WithCaller(ctx, who), &Warehouse{Id: w.ID, Name: w.Name, Country: w.Country, Priority: int32(w.Priority)})
	return err
}

func reservationTo(r inventory.Reservation, err error) (*Reservation, error) {
	if err != nil {
		return nil, err
	}
	resp := &Reservation{OrderId: r.OrderID, State: string(r.State), ExpiresAt: wire.FromTime(r.ExpiresAt), Allocations: make([]*Allocation, len(r.Allocations))}
	for i, a := range r.Allocations {
		resp.Allocations[i] = &Allocation{Sku: a.SKU, Warehouse: a.Warehouse, Quantity: a.Quantity}
	}
	return resp, nil
}

func reservationFrom(resp *Reservation, err error) (inventory.Reservation, error) {
	if err != nil {
		return inventory.Reservation{}, err
	}
	r := inventory.Reservation{OrderID: resp.GetOrderId(), State: inventory.State(resp.GetState()), ExpiresAt: wire.ToTime(resp.GetExpiresAt())}
	for _, a := range resp.GetAllocations() {
		r.Allocations = append(r.Allocations, inventory.Allocation{SKU: a.GetSku(), Warehouse: a.GetWarehouse(), Quantity: a.GetQuantity()})
	}
	return r, nil
}

func stockTo(s inventory.Stock) *Stock {
	resp := &Stock{Sku: s.SKU, Version: s.Version, Available: s.Available, Levels: make([]*Level, len(s.Levels))}
	for i, l := range s.Levels {
		resp.Levels[i] = &Level{Warehouse: l.Warehouse, OnHand: l.OnHand, Available: l.Available, Reserved: l.Reserved, Sold: l.Sold, Received: l.Received}
	}
	return resp
}

func stockFrom(resp *Stock) inventory.Stock {
	s := inventory.Stock{SKU: resp.GetSku(), Version: resp.GetVersion(), Available: resp.GetAvailable(), Levels: make([]inventory.Level, len(resp.GetLevels()))}
	for i, l := range resp.GetLevels() {
		s.Levels[i] = inventory.Level{Warehouse: l.GetWarehouse(), OnHand: l.GetOnHand(), Available: l.GetAvailable(), Reserved: l.GetReserved(), Sold: l.GetSold(), Received: l.GetReceived()}
	}
	return s
}
