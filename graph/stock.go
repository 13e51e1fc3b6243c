package graph

import (
	"context"
	"errors"

	"ordergraph/graph/gengql"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/services/inventory"
)

// mostStock is the longest page of stock: each SKU costs one of the catalogue.
const mostStock = 100

// stocks is a page of stock, by SKU or the scarcest first.
func (r *Resolver) stocks(ctx context.Context, first int32, after, sku *string, availableAtMost *int32) (*view.StockConnection, error) {
	switch {
	case first < 0 || first > mostStock:
		return nil, errInput.Field("first").Say("`first` of stocks must be from 0 to %d, not %d.", mostStock, first)
	case text(sku) != "" && availableAtMost != nil:
		return nil, errInput.Field("availableAtMost").Say("Give either `sku` or `availableAtMost` to stocks: not both.")
	}
	q := inventory.ListQuery{Prefix: text(sku), After: text(after), Limit: max(1, int(first))}
	if availableAtMost != nil {
		most := int64(*availableAtMost)
		q.AvailableAtMost = &most
	}
	page, err := r.inventory.List(ctx, caller(ctx), q)
	if err != nil {
		return nil, nameCursor(err, view.Window{})
	}
	if first == 0 {
		page = inventory.Page{HasMore: len(page.Stocks) > 0}
	}
	return view.NewStocks(page, after != nil), nil
}

func (r *Resolver) warehouses(ctx context.Context) ([]view.Warehouse, error) {
	all, err := r.inventory.Warehouses(ctx)
	if err != nil {
		return nil, err
	}
	return view.NewWarehouses(all), nil
}

func (r *Resolver) putWarehouse(ctx context.Context, in gengql.WarehousePutInput) (*gengql.WarehousePutPayload, error) {
	w := inventory.Warehouse{ID: in.ID, Name: in.Name, Country: text(in.CountryCode), Priority: int(in.Priority)}
	err := r.inventory.PutWarehouse(ctx, caller(ctx), w)
	p := &gengql.WarehousePutPayload{UserErrors: []view.StockUserError{}}
	switch e := fault.Of(err); {
	case err == nil:
		p.Warehouse = view.NewWarehouse(&w)
	case e.Kind == fault.Invalid:
		p.UserErrors = append(p.UserErrors, stockError("INVALID", fieldOf(e, checkoutArgument), e.Message))
	default:
		return nil, err
	}
	return p, nil
}

func stockError(code string, field []string, message string) view.StockUserError {
	return view.StockUserError{Code: &code, Field: field, Message: message}
}

func (r *Resolver) stockOf(ctx context.Context, sku string) (*view.Stock, error) {
	stock, err := r.inventory.Stock(ctx, caller(ctx), sku)
	if err != nil {
		return nil, absent(err)
	}
	return view.NewStock(&stock), nil
}

func (r *Resolver) adjust(ctx context.Context, in gengql.StockAdjustInput) (*gengql.StockAdjustPayload, error) {
	p := &gengql.StockAdjustPayload{UserErrors: []view.StockUserError{}}
	refuse := func(code string, field []string, message string) (*gengql.StockAdjustPayload, error) {
		p.UserErrors = append(p.UserErrors, stockError(code, field, message))
		return p, nil
	}
	if (in.Delta == nil) == (in.Set == nil) {
		return refuse("INVALID", []string{"input", "delta"}, "Give either `delta` or `set`.")
	}
	key, wrong := idempotencyKey(ctx, in.IdempotencyKey)
	if wrong != "" {
		return refuse("INVALID", []string{"input", "idempotencyKey"}, wrong)
	}
	if n := len(key); n < 8 || n > 255 {
		return refuse("INVALID", []string{"input", "idempotencyKey"}, "An idempotency key has 8 to 255 characters.")
	}
	change := inventory.Change{Key: "staff:" + key, SKU: in.Sku, Warehouse: inventory.DefaultWarehouse, Reason: text(in.Reason)}
	if in.Warehouse != nil {
		change.Warehouse = *in.Warehouse
	}
	if in.Delta != nil {
		change.Delta = int64(*in.Delta)
	} else {
		set := int64(*in.Set)
		change.Set = &set
	}
	stocks, err := r.inventory.Adjust(ctx, caller(ctx), []inventory.Change{change})
	switch e := fault.Of(err); {
	case err == nil:
	case errors.Is(err, inventory.ErrNegative):
		return refuse("NEGATIVE", []string{"input"}, e.Message)
	case errors.Is(err, inventory.ErrNoWarehouse):
		return refuse("WAREHOUSE_NOT_FOUND", []string{"input", "warehouse"}, e.Message)
	case e.Kind == fault.Invalid:
		return refuse("INVALID", []string{"input"}, e.Message)
	default:
		return nil, err
	}
	p.Stock = view.NewStock(&stocks[0])
	return p, nil
}
