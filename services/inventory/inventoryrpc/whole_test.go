package inventoryrpc_test

import (
	"context"
	"reflect"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventoryrpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, inventoryrpc.Contract, inventory.Service(e))
	wiretest.Whole(t, client, &e.Calls, func(_ []reflect.Value, answer []any) {
		if levels, ok := answer[0].(map[string]inventory.Stock); ok {
			for sku, stock := range levels {
				stock.SKU = sku
				levels[sku] = stock
			}
		}
	})
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Reserve(_ context.Context, who identity.Caller, orderID string, lines []inventory.Line) (inventory.Reservation, error) {
	e.Took(who, orderID, lines)
	return wiretest.Answer[inventory.Reservation](&e.Calls, 0), nil
}

func (e *echo) Commit(_ context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	e.Took(who, orderID)
	return wiretest.Answer[inventory.Reservation](&e.Calls, 0), nil
}

func (e *echo) Release(_ context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	e.Took(who, orderID)
	return wiretest.Answer[inventory.Reservation](&e.Calls, 0), nil
}

func (e *echo) Restock(_ context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	e.Took(who, orderID)
	return wiretest.Answer[inventory.Reservation](&e.Calls, 0), nil
}

func (e *echo) Reservation(_ context.Context, who identity.Caller, orderID string) (inventory.Reservation, error) {
	e.Took(who, orderID)
	return wiretest.Answer[inventory.Reservation](&e.Calls, 0), nil
}

func (e *echo) Levels(_ context.Context, skus []string) (map[string]inventory.Stock, error) {
	e.Took(skus)
	return wiretest.Answer[map[string]inventory.Stock](&e.Calls, 0), nil
}

func (e *echo) Stock(_ context.Context, who identity.Caller, sku string) (inventory.Stock, error) {
	e.Took(who, sku)
	return wiretest.Answer[inventory.Stock](&e.Calls, 0), nil
}

func (e *echo) List(_ context.Context, who identity.Caller, q inventory.ListQuery) (inventory.Page, error) {
	e.Took(who, q)
	return wiretest.Answer[inventory.Page](&e.Calls, 0), nil
}

func (e *echo) Adjust(_ context.Context, who identity.Caller, changes []inventory.Change) ([]inventory.Stock, error) {
	e.Took(who, changes)
	return wiretest.Answer[[]inventory.Stock](&e.Calls, 0), nil
}

func (e *echo) Movements(_ context.Context, who identity.Caller, sku string, after string, limit int) (inventory.MovementPage, error) {
	e.Took(who, sku, after, limit)
	return wiretest.Answer[inventory.MovementPage](&e.Calls, 0), nil
}

func (e *echo) Audit(_ context.Context, who identity.Caller, after string) (inventory.AuditReport, error) {
	e.Took(who, after)
	return wiretest.Answer[inventory.AuditReport](&e.Calls, 0), nil
}

func (e *echo) Warehouses(_ context.Context) ([]inventory.Warehouse, error) {
	e.Took()
	return wiretest.Answer[[]inventory.Warehouse](&e.Calls, 0), nil
}

func (e *echo) PutWarehouse(_ context.Context, who identity.Caller, w inventory.Warehouse) error {
	e.Took(who, w)
	return nil
}
