// Package inventorytest is the promise of the inventory service as tests, and
// what other tests need to have some stock.
package inventorytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/services/inventory"
)

var ours = identity.Ourselves()

// New is a Keeper over the store with the warehouses "main" and "rotterdam".
func New(t testing.TB, store docstore.Store, clock *clocktest.Clock) *inventory.Keeper {
	t.Helper()
	keeper, err := inventory.New(context.Background(), inventory.Options{Store: store, Now: clock.Now, Listeners: []string{"catalog"}})
	if err != nil {
		t.Fatal(err)
	}
	Warehouses(t, keeper)
	return keeper
}

// Warehouses adds the warehouses "main" and "rotterdam", in this order.
func Warehouses(t testing.TB, s inventory.Service) {
	t.Helper()
	for i, id := range []string{inventory.DefaultWarehouse, "rotterdam"} {
		if err := s.PutWarehouse(context.Background(), ours, inventory.Warehouse{ID: id, Name: id, Country: "DE", Priority: i + 1}); err != nil {
			t.Fatal(err)
		}
	}
}

var keys atomic.Int64

// Receive adds units of a SKU to a warehouse.
func Receive(t testing.TB, s inventory.Service, sku, warehouse string, units int64) {
	t.Helper()
	_, err := s.Adjust(context.Background(), ours, []inventory.Change{
		{Key: fmt.Sprint("receive-", keys.Add(1)), SKU: sku, Warehouse: warehouse, Delta: units, Reason: "received"}})
	if err != nil {
		t.Fatal(err)
	}
}

// Want checks how many units of a SKU there are altogether.
func Want(t testing.TB, s inventory.Service, sku string, available, reserved, sold int64) {
	t.Helper()
	levels, err := s.Levels(context.Background(), []string{sku})
	if err != nil {
		t.Fatal(err)
	}
	var gotReserved, gotSold int64
	for _, l := range levels[sku].Levels {
		gotReserved, gotSold = gotReserved+l.Reserved, gotSold+l.Sold
	}
	if got := levels[sku].Available; got != available || gotReserved != reserved || gotSold != sold {
		t.Errorf("%s: %d available, %d reserved, %d sold; want %d, %d, %d", sku, got, gotReserved, gotSold, available, reserved, sold)
	}
}

// Audit checks what must always hold.
func Audit(t testing.TB, s inventory.Service) {
	t.Helper()
	for after := ""; ; {
		report, err := s.Audit(context.Background(), ours, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			t.Error("audit: ", f)
		}
		if after = report.Next; after == "" {
			return
		}
	}
}

// Run holds an inventory service to its promise. open gives a new one with
// the warehouses of Warehouses.
func Run(t *testing.T, open func(t *testing.T) inventory.Service) {
	for name, test := range map[string]func(*testing.T, inventory.Service){
		"reserve, commit, restock": testLife,
		"release":                  testRelease,
		"all lines or none":        testAllOrNone,
		"lines of one SKU add up":  testLinesAddUp,
		"warehouses":               testWarehouses,
		"500 buyers for 50 units":  testCrowd,
		"one order many times":     testSameOrder,
		"adjust once per key":      testAdjust,
		"adjust what is promised":  testAdjustReserved,
		"movements":                testMovements,
		"levels of many":           testLevels,
		"bad input":                testBadInput,
		"who may":                  testWhoMay,
		"worse input":              testWorseInput,
		"ledger":                   testLedger,
		"list":                     testList,
		"many adjustments":         testManyAdjustments,
		"a key counts for good":    testKeysForGood,
		"a refused change":         testRefusedChangeIsNamed,
		"reserve against release":  testReserveAgainstRelease,
		"commit against release":   testCommitAgainstRelease,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			test(t, s)
			Audit(t, s)
		})
	}
}

func reserve(t *testing.T, s inventory.Service, order, sku string, n int64) inventory.Reservation {
	t.Helper()
	r, err := s.Reserve(t.Context(), ours, order, []inventory.Line{{SKU: sku, Quantity: n}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testLife(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	r := reserve(t, s, "o1", "mug", 2)
	if r.State != inventory.Held || len(r.Allocations) != 1 || r.Allocations[0] != (inventory.Allocation{SKU: "mug", Warehouse: "main", Quantity: 2}) || r.ExpiresAt.IsZero() {
		t.Errorf("%+v", r)
	}
	Want(t, s, "mug", 3, 2, 0)
	for range 2 {
		if r, err := s.Commit(t.Context(), ours, "o1"); err != nil || r.State != inventory.Committed {
			t.Errorf("%+v, %v", r, err)
		}
		Want(t, s, "mug", 3, 0, 2)
	}
	if r, err := s.Reserve(t.Context(), ours, "o1", []inventory.Line{{SKU: "mug", Quantity: 2}}); err != nil || r.State != inventory.Committed {
		t.Errorf("reserve again: %+v, %v", r, err)
	}
	if _, err := s.Release(t.Context(), ours, "o1"); !errors.Is(err, inventory.ErrCommitted) {
		t.Errorf("release what is sold: %v", err)
	}
	for range 2 {
		if r, err := s.Restock(t.Context(), ours, "o1"); err != nil || r.State != inventory.Restocked {
			t.Errorf("%+v, %v", r, err)
		}
		Want(t, s, "mug", 5, 0, 0)
	}
	if r, err := s.Reservation(t.Context(), ours, "o1"); err != nil || r.State != inventory.Restocked {
		t.Errorf("%+v, %v", r, err)
	}
}

func testRelease(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	reserve(t, s, "o1", "mug", 5)
	for range 2 {
		if r, err := s.Release(t.Context(), ours, "o1"); err != nil || r.State != inventory.Released {
			t.Errorf("%+v, %v", r, err)
		}
		Want(t, s, "mug", 5, 0, 0)
	}
	if _, err := s.Commit(t.Context(), ours, "o1"); !errors.Is(err, inventory.ErrReleased) {
		t.Errorf("commit: %v", err)
	}
	if _, err := s.Restock(t.Context(), ours, "o1"); !errors.Is(err, inventory.ErrReleased) {
		t.Errorf("restock: %v", err)
	}
	// Releasing what was never reserved prevents a Reserve that comes later.
	if _, err := s.Release(t.Context(), ours, "o2"); err != nil {
		t.Error(err)
	}
	if _, err := s.Reserve(t.Context(), ours, "o2", []inventory.Line{{SKU: "mug", Quantity: 1}}); !errors.Is(err, inventory.ErrReleased) {
		t.Errorf("reserve: %v", err)
	}
	Want(t, s, "mug", 5, 0, 0)
	for _, call := range []func(context.Context, identity.Caller, string) (inventory.Reservation, error){s.Commit, s.Restock, s.Reservation} {
		if _, err := call(t.Context(), ours, "never"); !errors.Is(err, inventory.ErrNoReservation) {
			t.Errorf("%v", err)
		}
	}
}

func testAllOrNone(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	Receive(t, s, "lamp", "main", 1)
	lines := []inventory.Line{{SKU: "mug", Quantity: 2}, {SKU: "lamp", Quantity: 2}}
	for range 2 { // and repeating it fails alike
		_, err := s.Reserve(t.Context(), ours, "o1", lines)
		if !errors.Is(err, inventory.ErrOutOfStock) || fault.Of(err).Details["sku"] != "lamp" || fault.Of(err).Details["available"] != "1" {
			t.Errorf("%+v", fault.Of(err))
		}
	}
	_, err := s.Reserve(t.Context(), ours, "o2", []inventory.Line{{SKU: "mug", Quantity: 2}, {SKU: "unheard-of", Quantity: 1}})
	if !errors.Is(err, inventory.ErrUnknownSKU) || fault.Of(err).Details["sku"] != "unheard-of" {
		t.Errorf("%v", err)
	}
	Want(t, s, "mug", 5, 0, 0)
	Want(t, s, "lamp", 1, 0, 0)
}

func testLinesAddUp(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 1)
	_, err := s.Reserve(t.Context(), ours, "o1", []inventory.Line{{SKU: "mug", Quantity: 1}, {SKU: "mug", Quantity: 1}})
	if !errors.Is(err, inventory.ErrOutOfStock) {
		t.Errorf("one mug was promised twice: %v", err)
	}
	Want(t, s, "mug", 1, 0, 0)
}

func testWarehouses(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 3)
	Receive(t, s, "mug", "rotterdam", 5)
	if a := reserve(t, s, "o1", "mug", 2).Allocations; len(a) != 1 || a[0].Warehouse != "main" {
		t.Errorf("the first warehouse that has it: %+v", a)
	}
	if a := reserve(t, s, "o2", "mug", 4).Allocations; len(a) != 1 || a[0].Warehouse != "rotterdam" {
		t.Errorf("one that has all before two that share: %+v", a)
	}
	if a := reserve(t, s, "o3", "mug", 2).Allocations; len(a) != 2 || a[0].Quantity != 1 || a[1].Quantity != 1 {
		t.Errorf("shared: %+v", a)
	}
	Want(t, s, "mug", 0, 8, 0)
	if _, err := s.Commit(t.Context(), ours, "o3"); err != nil {
		t.Error(err)
	}
	if _, err := s.Restock(t.Context(), ours, "o3"); err != nil {
		t.Error(err)
	}
	Want(t, s, "mug", 2, 6, 0)
	all, err := s.Warehouses(t.Context())
	if err != nil || len(all) != 2 || all[0].ID != "main" || all[1].Country != "DE" {
		t.Errorf("%+v, %v", all, err)
	}
}

func testCrowd(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 30)
	Receive(t, s, "mug", "rotterdam", 20)
	var got, none atomic.Int64
	var all sync.WaitGroup
	for i := range 500 {
		all.Go(func() {
			order := fmt.Sprint("o", i)
			_, err := s.Reserve(context.Background(), ours, order, []inventory.Line{{SKU: "mug", Quantity: 1}})
			switch {
			case err == nil:
				got.Add(1)
				if _, err := s.Commit(context.Background(), ours, order); err != nil {
					t.Error(err)
				}
			case errors.Is(err, inventory.ErrOutOfStock):
				none.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got.Load() != 50 || none.Load() != 450 {
		t.Errorf("%d got one and %d none", got.Load(), none.Load())
	}
	Want(t, s, "mug", 0, 0, 50)
}

func testSameOrder(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 10)
	Receive(t, s, "lamp", "main", 10)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			r, err := s.Reserve(context.Background(), ours, "o1", []inventory.Line{{SKU: "mug", Quantity: 2}, {SKU: "lamp", Quantity: 1}})
			if err != nil || len(r.Allocations) != 2 {
				t.Errorf("%+v, %v", r, err)
			}
			if i%2 == 0 {
				if _, err := s.Commit(context.Background(), ours, "o1"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	Want(t, s, "mug", 8, 0, 2)
	Want(t, s, "lamp", 9, 0, 1)
}

func testAdjust(t *testing.T, s inventory.Service) {
	seven := int64(7)
	changes := []inventory.Change{
		{Key: "a", SKU: "mug", Warehouse: "main", Delta: 5, Reason: "received"},
		{Key: "b", SKU: "mug", Warehouse: "rotterdam", Set: &seven},
		{Key: "c", SKU: "lamp", Warehouse: "main", Delta: 2},
		{Key: "a", SKU: "mug", Warehouse: "main", Delta: 5},
	}
	for range 2 {
		stocks, err := s.Adjust(t.Context(), ours, changes)
		if err != nil || len(stocks) != 4 || stocks[0].SKU != "mug" || stocks[0].Available != 12 || stocks[2].SKU != "lamp" || stocks[2].Available != 2 {
			t.Errorf("%+v, %v", stocks, err)
		}
	}
	if _, err := s.Adjust(t.Context(), ours, []inventory.Change{{Key: "d", SKU: "mug", Warehouse: "main", Delta: -5, Reason: "broken"}}); err != nil {
		t.Error(err)
	}
	Want(t, s, "mug", 7, 0, 0)
}

func testAdjustReserved(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	reserve(t, s, "o1", "mug", 3)
	one := int64(1)
	_, err := s.Adjust(t.Context(), ours, []inventory.Change{
		{Key: "a", SKU: "mug", Warehouse: "main", Set: &one},
		{Key: "b", SKU: "mug", Warehouse: "main", Delta: -2},
		{Key: "c", SKU: "lamp", Warehouse: "main", Delta: -1},
		{Key: "d", SKU: "tray", Warehouse: "main", Delta: 1},
	})
	if !errors.Is(err, inventory.ErrNegative) {
		t.Errorf("%v", err)
	}
	Want(t, s, "mug", 0, 3, 0)
	Want(t, s, "tray", 1, 0, 0)
}

func testMovements(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	reserve(t, s, "o1", "mug", 2)
	if _, err := s.Commit(t.Context(), ours, "o1"); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	var onHand, reserved int64
	for after := ""; ; {
		page, err := s.Movements(t.Context(), ours, "mug", after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Movements {
			kinds = append(kinds, m.Kind)
			onHand, reserved = onHand+m.OnHand, reserved+m.Reserved
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if fmt.Sprint(kinds) != "[commit reserve adjust]" || onHand != 3 || reserved != 0 {
		t.Errorf("%v, %d on hand, %d reserved", kinds, onHand, reserved)
	}
	if _, err := s.Movements(t.Context(), ours, "unheard-of", "", 10); !errors.Is(err, inventory.ErrUnknownSKU) {
		t.Errorf("%v", err)
	}
}

func testLevels(t *testing.T, s inventory.Service) {
	skus := []string{"unheard-of"}
	for i := range 50 {
		sku := fmt.Sprint("sku-", i)
		Receive(t, s, sku, "main", int64(i+1))
		skus = append(skus, sku)
	}
	levels, err := s.Levels(t.Context(), skus)
	if err != nil || len(levels) != 50 || levels["sku-7"].Available != 8 || levels["sku-7"].Levels[0].Received != 8 {
		t.Errorf("%d levels, %+v, %v", len(levels), levels["sku-7"], err)
	}
	if levels, err := s.Levels(t.Context(), nil); err != nil || len(levels) != 0 {
		t.Errorf("%v, %v", levels, err)
	}
}

func testBadInput(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	long := make([]inventory.Line, inventory.MaxLines+1)
	for i := range long {
		long[i] = inventory.Line{SKU: "mug", Quantity: 1}
	}
	for field, lines := range map[string][]inventory.Line{
		"lines":            {},
		"lines.0.sku":      {{SKU: "", Quantity: 1}},
		"lines.1.quantity": {{SKU: "mug", Quantity: 1}, {SKU: "mug", Quantity: 0}},
		"lines.0.quantity": {{SKU: "mug", Quantity: inventory.MaxQuantity + 1}},
	} {
		_, err := s.Reserve(t.Context(), ours, "o-"+field, lines)
		if !errors.Is(err, inventory.ErrInput) || fault.Of(err).Details["field"] != field {
			t.Errorf("%s: %v %v", field, err, fault.Of(err))
		}
	}
	if _, err := s.Reserve(t.Context(), ours, "o1", long); !errors.Is(err, inventory.ErrInput) {
		t.Errorf("%v", err)
	}
	if _, err := s.Reserve(t.Context(), ours, "", []inventory.Line{{SKU: "mug", Quantity: 1}}); fault.Of(err).Details["field"] != "orderId" {
		t.Errorf("%v", err)
	}
	if _, err := s.Levels(t.Context(), make([]string, inventory.MaxSKUs+1)); !errors.Is(err, inventory.ErrInput) {
		t.Errorf("%v", err)
	}
	minus := int64(-1)
	for field, c := range map[string]inventory.Change{
		"changes.0.key":       {SKU: "mug", Warehouse: "main", Delta: 1},
		"changes.0.sku":       {Key: "k", Warehouse: "main", Delta: 1},
		"changes.0.set":       {Key: "k", SKU: "mug", Warehouse: "main", Set: &minus},
		"changes.0.delta":     {Key: "k", SKU: "mug", Warehouse: "main", Delta: inventory.MaxQuantity + 1},
		"changes.0.warehouse": {Key: "k", SKU: "mug", Warehouse: "nowhere", Delta: 1},
	} {
		if _, err := s.Adjust(t.Context(), ours, []inventory.Change{c}); fault.Of(err) == nil || fault.Of(err).Details["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := s.Movements(t.Context(), ours, "mug", "garbage", 10); !errors.Is(err, inventory.ErrInput) {
		t.Errorf("%v", err)
	}
	if err := s.PutWarehouse(t.Context(), ours, inventory.Warehouse{ID: "not plain"}); !errors.Is(err, inventory.ErrInput) {
		t.Errorf("%v", err)
	}
	Want(t, s, "mug", 5, 0, 0)
}

func testWhoMay(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 50)
	lines := []inventory.Line{{SKU: "mug", Quantity: 1}}
	for _, call := range []func(identity.Caller) error{
		func(w identity.Caller) error { _, err := s.Reserve(t.Context(), w, "sold", lines); return err },
		func(w identity.Caller) error { _, err := s.Commit(t.Context(), w, "sold"); return err },
		func(w identity.Caller) error { _, err := s.Release(t.Context(), w, "given-back"); return err },
	} {
		identitytest.OnlyTheProgram(t, call)
	}
	for _, c := range []struct {
		needs identity.Permission
		call  func(identity.Caller) error
	}{
		{identity.StockRead, func(w identity.Caller) error { _, err := s.Reservation(t.Context(), w, "sold"); return err }},
		{identity.StockRead, func(w identity.Caller) error { _, err := s.Stock(t.Context(), w, "mug"); return err }},
		{identity.StockRead, func(w identity.Caller) error { _, err := s.Movements(t.Context(), w, "mug", "", 1); return err }},
		{identity.StockRead, func(w identity.Caller) error { _, err := s.List(t.Context(), w, inventory.ListQuery{}); return err }},
		{identity.OperationsRead, func(w identity.Caller) error { _, err := s.Audit(t.Context(), w, ""); return err }},
		{identity.OrdersFulfil, func(w identity.Caller) error { _, err := s.Restock(t.Context(), w, "sold"); return err }},
		{identity.WarehousesWrite, func(w identity.Caller) error {
			return s.PutWarehouse(t.Context(), w, inventory.Warehouse{ID: "west", Priority: 9})
		}},
		{identity.StockWrite, func(w identity.Caller) error {
			_, err := s.Adjust(t.Context(), w, []inventory.Change{{Key: "k", SKU: "mug", Warehouse: "main", Delta: 1}})
			return err
		}},
	} {
		identitytest.Needs(t, c.needs, func(w identity.Caller) error {
			err := c.call(w)
			if err != nil && !errors.Is(err, inventory.ErrForbidden) {
				t.Errorf("%s: %v", c.needs, err)
			}
			return err
		})
	}
}
