package inventory_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventorytest"
)

func TestWorkersOutlivePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trap docstoretest.Trap
		k := inventorytest.New(t, trap.Wrap(docstoretest.Memory(t)), clocktest.Still())
		trap.Outlived(t, k.Run)
	})
}

// The SKUs of one Adjust are changed side by side, each in a goroutine that no
// edge looks after.
func TestAnAdjustThatPanicsIsAnError(t *testing.T) {
	var trap docstoretest.Trap
	k := inventorytest.New(t, trap.Wrap(docstoretest.Memory(t)), clocktest.Still())
	inventorytest.Receive(t, k, "mug", "main", 1)
	change := []inventory.Change{{Key: "more", SKU: "mug", Warehouse: "main", Delta: 1, Reason: "received"}}
	trap.Set(1)
	if _, err := k.Adjust(t.Context(), ours, change); err == nil || errors.Is(err, docstore.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if _, err := k.Adjust(t.Context(), ours, change); err != nil {
		t.Error(err)
	}
	inventorytest.Want(t, k, "mug", 2, 0, 0)
}
