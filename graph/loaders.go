package graph

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vikstrous/dataloadgen"

	"ordergraph/graph/view"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// gatherFor is how long a loader waits for more of the same, so that the
// elements of a list share one call, where Options say nothing else.
const gatherFor = 200 * time.Microsecond

// loaders fetch things by id for one request: many in one call, each once.
type loaders struct {
	resolver *Resolver

	onceProducts    sync.Once
	products        *dataloadgen.Loader[string, *view.Product]
	onceVariants    sync.Once
	variants        *dataloadgen.Loader[string, *view.ProductVariant]
	onceSold        sync.Once
	bySKU           *dataloadgen.Loader[string, *view.ProductVariant]
	onceCollections sync.Once
	collections     *dataloadgen.Loader[string, *view.Collection]
	mu              sync.Mutex
	carts           map[*view.Cart]contents

	onceStock sync.Once
	stock     *dataloadgen.Loader[string, *inventory.Stock]
}

// loader batches fetch; what is not found is nil, not an error.
func loader[K comparable, T, V any](wait time.Duration, most int, fetch func(context.Context, []K) (map[K]T, error), show func(*T) V) *dataloadgen.Loader[K, V] {
	return dataloadgen.NewLoader(func(ctx context.Context, keys []K) ([]V, []error) {
		found, err := fetch(ctx, keys)
		if err != nil {
			return nil, []error{err}
		}
		values := make([]V, len(keys))
		for i, k := range keys {
			if t, ok := found[k]; ok {
				values[i] = show(&t)
			}
		}
		return values, nil
	}, dataloadgen.WithWait(wait), dataloadgen.WithBatchCapacity(most))
}

func (l *loaders) product(ctx context.Context, id string) (*view.Product, error) {
	r := l.resolver
	l.onceProducts.Do(func() {
		l.products = loader(r.gather, catalog.MaxIDs, r.catalog.Products, func(p *catalog.Product) *view.Product {
			v := view.NewProduct(r.shop, p)
			return &v
		})
	})
	return l.products.Load(ctx, id)
}

func (l *loaders) variant(ctx context.Context, id string) (*view.ProductVariant, error) {
	r := l.resolver
	l.onceVariants.Do(func() {
		l.variants = loader(r.gather, catalog.MaxIDs, r.catalog.Variants, func(v *catalog.VariantOf) *view.ProductVariant {
			return view.NewVariant(r.shop, v)
		})
	})
	return l.variants.Load(ctx, id)
}

// sold is what is sold under the SKU, or nil.
func (l *loaders) sold(ctx context.Context, sku string) (*view.ProductVariant, error) {
	r := l.resolver
	l.onceSold.Do(func() {
		l.bySKU = loader(r.gather, catalog.MaxIDs, r.catalog.VariantsBySKU, func(v *catalog.VariantOf) *view.ProductVariant {
			return view.NewVariant(r.shop, v)
		})
	})
	return l.bySKU.Load(ctx, sku)
}

// contents are the variants of a cart, looked up at the first call.
type contents func() (map[string]catalog.VariantOf, error)

// merchandise is what stands in a line. A cart knows all of its lines, so
// they are looked up together without waiting for one another; what the
// catalogue does not sell any more is shown as the cart remembers it.
func (l *loaders) merchandise(ctx context.Context, line *view.CartLine) (*view.ProductVariant, error) {
	r := l.resolver
	l.mu.Lock()
	look, ok := l.carts[line.Cart()]
	if !ok {
		if l.carts == nil {
			l.carts = map[*view.Cart]contents{}
		}
		look = sync.OnceValues(func() (map[string]catalog.VariantOf, error) {
			return r.catalog.Variants(ctx, line.Cart().VariantKeys())
		})
		l.carts[line.Cart()] = look
	}
	l.mu.Unlock()
	found, err := look()
	if err != nil {
		return nil, err
	}
	if v, ok := found[line.Item().VariantID]; ok {
		return view.NewVariant(r.shop, &v), nil
	}
	return view.VariantOfItem(r.shop, line.Item()), nil
}

// collectionsOf returns those of the collections that exist, in order.
func (l *loaders) collectionsOf(ctx context.Context, ids []string) ([]*view.Collection, error) {
	r := l.resolver
	l.onceCollections.Do(func() {
		l.collections = loader(r.gather, catalog.MaxPage, r.collectionsByID, func(c *catalog.Collection) *view.Collection {
			v := view.NewCollection(r.shop, c)
			return &v
		})
	})
	all, err := l.collections.LoadAll(ctx, ids)
	return all, first(err)
}

// stockOf returns the stock of each SKU, nil where it is not counted.
func (l *loaders) stockOf(ctx context.Context, skus ...string) ([]*inventory.Stock, error) {
	r := l.resolver
	l.onceStock.Do(func() {
		l.stock = loader(r.gather, inventory.MaxSKUs, r.inventory.Levels, func(s *inventory.Stock) *inventory.Stock { return s })
	})
	all, err := l.stock.LoadAll(ctx, skus)
	return all, first(err)
}

// first is the first error of a loader's many: they come from one call.
func first(err error) error {
	var many dataloadgen.ErrorSlice
	if errors.As(err, &many) {
		for _, e := range many {
			if e != nil {
				return e
			}
		}
	}
	return err
}

func (r *Resolver) collectionsByID(ctx context.Context, ids []string) (map[string]catalog.Collection, error) {
	page, err := r.catalog.Collections(ctx, catalog.CollectionQuery{IDs: ids})
	if err != nil {
		return nil, err
	}
	found := make(map[string]catalog.Collection, len(page.Collections))
	for _, c := range page.Collections {
		found[c.ID] = c
	}
	return found, nil
}
