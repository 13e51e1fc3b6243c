package inventorytest

import (
	"errors"
	"math"
	"strings"
	"testing"

	"ordergraph/platform/fault"
	"ordergraph/services/inventory"
)

func testWorseInput(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 5)
	long := strings.Repeat("x", 600)
	reserve := func(order, sku string, n int64) error {
		_, err := s.Reserve(t.Context(), ours, order, []inventory.Line{{SKU: sku, Quantity: n}})
		return err
	}
	adjust := func(c inventory.Change) error {
		_, err := s.Adjust(t.Context(), ours, []inventory.Change{c})
		return err
	}
	put := func(w inventory.Warehouse) error { return s.PutWarehouse(t.Context(), ours, w) }
	for name, c := range map[string]struct {
		err, want error
		field     string
	}{
		"long order":         {reserve(long, "mug", 1), inventory.ErrInput, "orderId"},
		"SKU with newline":   {reserve("o", "m\nug", 1), inventory.ErrInput, "lines.0.sku"},
		"long SKU":           {reserve("o", long, 1), inventory.ErrInput, "lines.0.sku"},
		"less than nothing":  {reserve("o", "mug", -1), inventory.ErrInput, "lines.0.quantity"},
		"beyond counting":    {reserve("o", "mug", math.MaxInt64), inventory.ErrInput, "lines.0.quantity"},
		"huge change":        {adjust(inventory.Change{Key: "k", SKU: "mug", Warehouse: "main", Delta: math.MinInt64}), inventory.ErrInput, "changes.0.delta"},
		"more than there is": {adjust(inventory.Change{Key: "k", SKU: "mug", Warehouse: "main", Delta: -6}), inventory.ErrNegative, "changes.0"},
		"long key":           {adjust(inventory.Change{Key: long, SKU: "mug", Warehouse: "main", Delta: 1}), inventory.ErrInput, "changes.0.key"},
		"long reason":        {adjust(inventory.Change{Key: "k", SKU: "mug", Warehouse: "main", Delta: 1, Reason: long}), inventory.ErrInput, "changes.0.reason"},
		"nowhere":            {adjust(inventory.Change{Key: "k", SKU: "mug", Delta: 1}), inventory.ErrNoWarehouse, "changes.0.warehouse"},
		"country":            {put(inventory.Warehouse{ID: "a", Country: "de"}), inventory.ErrInput, "country"},
		"name":               {put(inventory.Warehouse{ID: "a", Name: long}), inventory.ErrInput, "name"},
		"priority":           {put(inventory.Warehouse{ID: "a", Priority: 1 << 30}), inventory.ErrInput, "priority"},
	} {
		if !errors.Is(c.err, c.want) || fault.Of(c.err).Details["field"] != c.field {
			t.Errorf("%s: %v (field %q), want %v (field %q)", name, c.err, fault.Of(c.err).Details["field"], c.want, c.field)
		}
	}
	if levels, err := s.Levels(t.Context(), []string{"", "mug", "mug", "unheard-of", long}); err != nil || len(levels) != 1 {
		t.Errorf("%v, %v", levels, err)
	}
	if _, err := s.Movements(t.Context(), ours, "mug", "", -1); !errors.Is(err, inventory.ErrInput) {
		t.Errorf("%v", err)
	}
	if _, err := s.Audit(t.Context(), ours, "garbage"); !errors.Is(err, inventory.ErrInput) {
		t.Errorf("%v", err)
	}
	Want(t, s, "mug", 5, 0, 0)
}
