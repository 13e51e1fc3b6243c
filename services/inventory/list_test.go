package inventory_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventorytest"
)

// aged writes the store's stock as it was before what is available was kept
// in it.
func aged(t *testing.T, store docstore.Store) {
	t.Helper()
	documents, err := store.Documents(t.Context(), docstore.Spec{Name: "stock"})
	if err != nil {
		t.Fatal(err)
	}
	found, more, err := documents.Find(t.Context(), docstore.Query{Limit: 10_000})
	if err != nil || more {
		t.Fatal(more, err)
	}
	for i, raw := range found {
		var doc bson.D
		if err := bson.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		var old bson.D
		for _, e := range doc {
			if e.Key != "available" {
				old = append(old, e)
			}
		}
		if len(old) != len(doc)-1 {
			t.Fatalf("what is available is not kept: %v", doc)
		}
		if found[i], err = bson.Marshal(old); err != nil {
			t.Fatal(err)
		}
	}
	if err := documents.Load(t.Context(), found); err != nil {
		t.Fatal(err)
	}
}

// Stock that an older version wrote is found among what is scarce, by whoever
// asks first.
func TestStockOfAnOlderVersionIsListed(t *testing.T) {
	const skus = 1203 // more than are looked at in one go
	store := docstoretest.Memory(t)
	before := inventorytest.New(t, store, clocktest.Still())
	changes := make([]inventory.Change, skus)
	for i := range changes {
		changes[i] = inventory.Change{Key: "k", SKU: fmt.Sprintf("sku-%04d", i), Warehouse: "main", Delta: int64(i % 3)}
	}
	if _, err := before.Adjust(t.Context(), ours, changes); err != nil {
		t.Fatal(err)
	}
	aged(t, store)

	none := int64(0)
	count := func(ctx context.Context, k *inventory.Keeper) (n int) {
		q := inventory.ListQuery{AvailableAtMost: &none, Limit: inventory.MaxPage}
		for {
			page, err := k.List(ctx, ours, q)
			if err != nil {
				t.Error(err)
				return n
			}
			if n += len(page.Stocks); !page.HasMore {
				return n
			}
			q.After = page.Cursors[len(page.Cursors)-1]
		}
	}
	now := inventorytest.New(t, store, clocktest.Still())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := now.List(gone, ours, inventory.ListQuery{AvailableAtMost: &none}); err == nil {
		t.Error("a list was read for somebody who has gone")
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if n := count(t.Context(), now); n != skus/3 {
				t.Errorf("%d of %d are found", n, skus/3)
			}
		})
	}
	all.Wait()
	mustReserve(t, now, "o1", "sku-0001", 1)
	if n := count(t.Context(), now); n != skus/3+1 {
		t.Errorf("%d are found when one more is promised", n)
	}
	inventorytest.Audit(t, now)
}
