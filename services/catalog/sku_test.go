package catalog_test

import (
	"strings"
	"testing"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogtest"
	"ordergraph/services/inventory"
)

// What the catalogue sells the inventory can count.
func TestSKUsSuitTheInventory(t *testing.T) {
	store, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	k := openKeeper(t, store)

	made := catalogtest.WithOptions(catalogtest.Product("Long", 100), "Цвет", "Красный", "Синий")
	made.Handle = strings.Repeat("д", 250)
	given := func(sku string) catalog.ProductInput {
		p := catalogtest.Product("Given", 100)
		p.Handle, p.Variants[0].SKU = "given-"+strings.ToLower(strings.Trim(strings.ToValidUTF8(sku[:3], ""), "\t\n-")), sku
		return p
	}
	results, err := k.Put(t.Context(), identity.Ourselves(), []catalog.ProductInput{
		made, given(strings.Repeat("ü", 200)), given("abc\tdef"), given("xyz\ndef"), given("ok-" + strings.Repeat("ü", 126)),
	})
	if err != nil {
		t.Fatal(err)
	}
	skus := map[string]bool{}
	for i, r := range results {
		for _, v := range r.Product.Variants {
			skus[v.SKU] = true
			if !inventory.IsSKU(v.SKU) {
				t.Errorf("products.%d has the SKU %q", i, v.SKU)
			}
		}
		if wanted := i == 0 || i == 4; (r.Outcome == catalog.Added) != wanted || !wanted && !strings.Contains(r.Problem, "variants.0.sku") {
			t.Errorf("products.%d: %s %s", i, r.Outcome, r.Problem)
		}
	}
	if len(skus) != 3 {
		t.Errorf("%d SKUs", len(skus))
	}
}
