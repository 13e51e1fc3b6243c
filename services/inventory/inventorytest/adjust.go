package inventorytest

import (
	"errors"
	"fmt"
	"testing"

	"ordergraph/platform/fault"
	"ordergraph/services/inventory"
)

func testManyAdjustments(t *testing.T, s inventory.Service) {
	changes := make([]inventory.Change, 2_000)
	skus := make([]string, 1_000)
	for i := range changes {
		sku := fmt.Sprint("sku-", i%1_000)
		skus[i%1_000] = sku
		changes[i] = inventory.Change{Key: fmt.Sprint("import-", i), SKU: sku, Warehouse: []string{"main", "rotterdam"}[i/1_000], Delta: int64(1 + i%7)}
	}
	for range 2 {
		if _, err := s.Adjust(t.Context(), ours, changes); err != nil {
			t.Fatal(err)
		}
		all, err := s.Levels(t.Context(), skus)
		if err != nil {
			t.Fatal(err)
		}
		for i, sku := range skus {
			if want := int64(1+i%7) + int64(1+(i+1_000)%7); all[sku].Available != want {
				t.Fatalf("%s: %d, want %d", sku, all[sku].Available, want)
			}
		}
	}
}

// A key counts once, however many came after it.
func testKeysForGood(t *testing.T, s inventory.Service) {
	changes := make([]inventory.Change, 700)
	for i := range changes {
		changes[i] = inventory.Change{Key: fmt.Sprint("k-", i), SKU: "mug", Warehouse: "main", Delta: int64(i % 3)}
	}
	zero := int64(0)
	count := []inventory.Change{{Key: "count", SKU: "mug", Warehouse: "main", Set: &zero}}
	for _, c := range [][]inventory.Change{count, changes, changes, count, changes[:1], changes[100:101]} {
		if _, err := s.Adjust(t.Context(), ours, c); err != nil {
			t.Fatal(err)
		}
	}
	Want(t, s, "mug", 699, 0, 0)
}

func testRefusedChangeIsNamed(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	reserve(t, s, "o1", "mug", 3)
	changes := []inventory.Change{
		{Key: "a", SKU: "lamp", Warehouse: "main", Delta: 7},
		{Key: "b", SKU: "mug", Warehouse: "main", Delta: -3},
		{Key: "c", SKU: "mug", Warehouse: "rotterdam", Delta: -1},
	}
	_, err := s.Adjust(t.Context(), ours, changes)
	if d := fault.Of(err).Details; !errors.Is(err, inventory.ErrNegative) || d["sku"] != "mug" || d["warehouse"] != "main" || d["field"] != "changes.1" {
		t.Errorf("%v, details %v", err, d)
	}
	Want(t, s, "mug", 2, 3, 0)
	Want(t, s, "lamp", 7, 0, 0)
	levels, err := s.Levels(t.Context(), []string{"mug"})
	if err != nil || len(levels["mug"].Levels) != 1 {
		t.Errorf("a refused change has left something: %+v, %v", levels, err)
	}
	// What was refused can be tried again when it is possible.
	if _, err := s.Release(t.Context(), ours, "o1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Adjust(t.Context(), ours, changes[:2]); err != nil {
		t.Error(err)
	}
	Want(t, s, "mug", 2, 0, 0)
	Want(t, s, "lamp", 7, 0, 0)
}
