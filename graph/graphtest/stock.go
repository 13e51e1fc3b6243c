package graphtest

import (
	"context"
	"testing"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
)

func openInventory(ctx context.Context, t testing.TB) inventory.Service {
	t.Helper()
	keeper, err := inventory.New(ctx, inventory.Options{Store: docstoretest.Memory(t)})
	if err != nil {
		t.Fatal(err)
	}
	main := inventory.Warehouse{ID: inventory.DefaultWarehouse, Name: "Main", Country: "DE", Priority: 1}
	if err := keeper.PutWarehouse(ctx, identity.Ourselves(), main); err != nil {
		t.Fatal(err)
	}
	return keeper
}
