package feed_test

import (
	"fmt"
	"testing"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
)

// A hundred products go into the catalogue at a time, and may have more
// variants together than the inventory takes in one call.
func TestProductsOfManyVariants(t *testing.T) {
	const products, variants = 6, 2_000
	if products*variants <= inventory.MaxChanges {
		t.Fatal("there are too few to tell")
	}
	all := make([]feed.Product, products)
	for i := range all {
		p := &all[i]
		p.Handle, p.Title, p.Options, p.Published = fmt.Sprintf("screw-%d", i), fmt.Sprintf("Screw %d", i), []string{"Length"}, true
		for n := range variants {
			p.Variants = append(p.Variants, catalog.VariantInput{Options: []string{fmt.Sprint(n)}, Price: money.Of(5, "EUR")})
			p.Stock = append(p.Stock, []feed.Level{{Warehouse: inventory.DefaultWarehouse, OnHand: int64(n)}})
		}
	}
	store, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	stock, err := inventory.New(t.Context(), inventory.Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := stock.PutWarehouse(t.Context(), identity.Ourselves(), inventory.Warehouse{ID: inventory.DefaultWarehouse}); err != nil {
		t.Fatal(err)
	}
	// The catalogue has a collection called "stock" of its own.
	shelves, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shelves.Close() })
	shop, err := catalog.New(t.Context(), catalog.Options{Store: shelves, Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	report, err := feed.Load(t.Context(), identity.Ourselves(), all, "test", shop, stock, nil)
	if err != nil || report.Added != products || report.Variants != products*variants || report.Problems != nil {
		t.Fatalf("%d added with %d variants; %v, %v", report.Added, report.Variants, report.Problems, err)
	}
	last, err := shop.ProductByHandle(t.Context(), "screw-5")
	if err != nil {
		t.Fatal(err)
	}
	sku := last.Variants[variants-1].SKU
	if levels, err := stock.Levels(t.Context(), []string{sku}); err != nil || levels[sku].Available != variants-1 {
		t.Errorf("%s: %+v, %v", sku, levels, err)
	}
}
