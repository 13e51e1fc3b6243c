package cart_test

import (
	"testing"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventoryrpc"
)

// The cart with the catalogue and the inventory that it has in the shop, each
// reached as from another process.
func TestAmongItsNeighbours(t *testing.T) {
	ctx := t.Context()
	products, err := catalog.New(ctx, catalog.Options{Store: docstoretest.Memory(t), Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	stock, err := inventory.New(ctx, inventory.Options{Store: docstoretest.Memory(t)})
	if err != nil {
		t.Fatal(err)
	}
	put, err := products.Put(ctx, program, []catalog.ProductInput{
		{Handle: "mug", Title: "Mug", Options: []string{"Size"}, Published: true, Variants: []catalog.VariantInput{
			{SKU: "MUG-S", Options: []string{"S"}, Price: money.Of(10_00, "EUR"), WeightGrams: 300, RequiresShipping: true, Taxable: true},
			{SKU: "MUG-L", Options: []string{"L"}, Price: money.Of(12_00, "EUR"), WeightGrams: 400, RequiresShipping: true, Taxable: true},
		}},
		{Handle: "secret", Title: "Secret", Variants: []catalog.VariantInput{{SKU: "SECRET", Price: money.Of(1_00, "EUR")}}},
	})
	if err != nil || put[0].Problem != "" || put[1].Problem != "" {
		t.Fatal(put, err)
	}
	small, large, secret := put[0].Product.Variants[0].ID, put[0].Product.Variants[1].ID, put[1].Product.Variants[0].ID
	if err := stock.PutWarehouse(ctx, program, inventory.Warehouse{ID: inventory.DefaultWarehouse, Name: "Main", Country: "DE"}); err != nil {
		t.Fatal(err)
	}
	for _, sku := range []string{"MUG-S", "MUG-L", "SECRET"} {
		if _, err := stock.Adjust(ctx, program, []inventory.Change{{Key: sku, SKU: sku, Warehouse: inventory.DefaultWarehouse, Delta: 3, Reason: "received"}}); err != nil {
			t.Fatal(err)
		}
	}
	k, err := cart.New(ctx, cart.Options{
		Store:   docstoretest.Memory(t),
		Catalog: hosttest.Loopback(t, catalogrpc.Contract, catalog.Service(products)),
		Stock:   hosttest.Loopback(t, inventoryrpc.Contract, inventory.Service(stock)),
	})
	if err != nil {
		t.Fatal(err)
	}
	carts := hosttest.Loopback(t, cartrpc.Contract, cart.Service(k))

	r, err := carts.Create(ctx, identity.Caller{}, cart.CreateInput{Lines: []cart.LineInput{
		{VariantID: small, Quantity: 2}, {VariantID: large, Quantity: 9}, {VariantID: secret, Quantity: 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != 1 || r.Problems[0].Code != cart.CodeUnknownMerchandise || len(r.Warnings) != 1 || r.Warnings[0].Code != cart.CodeNotEnoughStock {
		t.Fatalf("problems %+v, warnings %+v", r.Problems, r.Warnings)
	}
	c := r.Cart
	if c.Cost.Total != money.Of(56_00, "EUR") || c.Lines[1].Quantity != 3 || c.Lines[0].Item.Title != "Mug" || c.Lines[0].Item.SKU != "MUG-S" {
		t.Fatalf("the cart is %+v", c)
	}
	if _, err := stock.Reserve(ctx, program, "another-order", []inventory.Line{{SKU: "MUG-L", Quantity: 1}}); err != nil {
		t.Fatal(err)
	}
	if c, err = carts.Get(ctx, identity.Caller{}, c.ID); err != nil || c.Lines[1].Available {
		t.Fatalf("one of three is promised to another: %+v, %v", c.Lines[1], err)
	}
	_, problems, err := carts.Claim(ctx, program, cart.ClaimInput{CartID: c.ID, OrderID: "order-1", Country: "DE"})
	if err != nil || len(problems) != 1 || problems[0].Code != cart.CodeNotEnoughStock {
		t.Fatalf("problems %+v, %v", problems, err)
	}
	if _, err := stock.Release(ctx, program, "another-order"); err != nil {
		t.Fatal(err)
	}
	q, problems, err := carts.Claim(ctx, program, cart.ClaimInput{CartID: c.ID, OrderID: "order-1", Country: "DE"})
	if err != nil || len(problems) > 0 || q.Cost.Total != money.Of(56_00, "EUR") {
		t.Fatalf("the quote is %+v, %+v, %v", q, problems, err)
	}
}
