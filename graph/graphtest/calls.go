package graphtest

import (
	"context"
	"maps"
	"sync"

	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// Calls counts the gateway's calls to services, so that a test can say that a
// list does not cost one for each element.
type Calls struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *Calls) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[name]++
}

// Take returns the counts since the last Take.
func (c *Calls) Take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := maps.Clone(c.n)
	clear(c.n)
	return n
}

type countedCatalog struct {
	catalog.Service
	calls *Calls
}

func (c countedCatalog) Search(ctx context.Context, q catalog.Search) (catalog.Found, error) {
	c.calls.add("Search")
	return c.Service.Search(ctx, q)
}

func (c countedCatalog) Products(ctx context.Context, ids []string) (map[string]catalog.Product, error) {
	c.calls.add("Products")
	return c.Service.Products(ctx, ids)
}

func (c countedCatalog) ProductByHandle(ctx context.Context, handle string) (catalog.Product, error) {
	c.calls.add("ProductByHandle")
	return c.Service.ProductByHandle(ctx, handle)
}

func (c countedCatalog) Variants(ctx context.Context, ids []string) (map[string]catalog.VariantOf, error) {
	c.calls.add("Variants")
	return c.Service.Variants(ctx, ids)
}

func (c countedCatalog) VariantsBySKU(ctx context.Context, skus []string) (map[string]catalog.VariantOf, error) {
	c.calls.add("VariantsBySKU")
	return c.Service.VariantsBySKU(ctx, skus)
}

func (c countedCatalog) Collections(ctx context.Context, q catalog.CollectionQuery) (catalog.CollectionPage, error) {
	c.calls.add("Collections")
	return c.Service.Collections(ctx, q)
}

type countedStock struct {
	inventory.Service
	calls *Calls
}

func (c countedStock) Levels(ctx context.Context, skus []string) (map[string]inventory.Stock, error) {
	c.calls.add("Levels")
	return c.Service.Levels(ctx, skus)
}
