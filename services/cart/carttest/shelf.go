// Package carttest is what every cart service must do, whichever way it is
// reached, and a small shop to try it in.
package carttest

import (
	"context"
	"fmt"
	"sync"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// A Shelf is a catalogue and a stock, as far as the cart asks them.
type Shelf struct {
	mu       sync.Mutex
	variants map[string]catalog.VariantOf
	stock    map[string]int64
	looks    int
	counts   int
	down     error
}

// NewShelf holds a mug (10.00, 400 g, 5 in stock), a shirt (25.00, 200 g,
// reduced from 30.00, 1,000 in stock), a poster (7.99, 100 g, 3 in stock), an
// e-book (not shipped), a gift card (not shipped, not taxed), an anvil (25 kg)
// and a lamp that is sold out. Prices are in euro.
func NewShelf() *Shelf {
	s := &Shelf{variants: map[string]catalog.VariantOf{}, stock: map[string]int64{}}
	s.Put("mug", 10_00, 400, 5)
	s.Put("shirt", 25_00, 200, 1_000)
	s.Put("poster", 7_99, 100, 3)
	s.Put("ebook", 12_00, 0, 1_000_000)
	s.Put("giftcard", 50_00, 0, 1_000_000)
	s.Put("anvil", 199_00, 25_000, 1_000)
	s.Put("lamp", 40_00, 900, 0)
	s.Change("shirt", func(v *catalog.VariantOf) {
		was := money.Of(30_00, "EUR")
		v.Variant.CompareAt = &was
	})
	for _, id := range []string{"ebook", "giftcard"} {
		s.Change(id, func(v *catalog.VariantOf) { v.Variant.RequiresShipping = false })
	}
	s.Change("giftcard", func(v *catalog.VariantOf) { v.Variant.Taxable = false })
	return s
}

// Put puts a taxable product with one variant on the shelf; the variant's id
// and SKU are the name, the price is in cents.
func (s *Shelf) Put(name string, price, grams, stock int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.variants[name] = catalog.VariantOf{
		Variant: catalog.Variant{
			ID: name, SKU: "sku-" + name, Title: "Blue", Selected: []catalog.SelectedOption{{Name: "Colour", Value: "Blue"}},
			Price: money.Of(price, "EUR"), WeightGrams: grams, RequiresShipping: true, Taxable: true,
		},
		Product: catalog.Product{
			ID: "product-" + name, Handle: name + "-handle", Title: "The " + name, Vendor: "Acme", Published: true,
			Images: []catalog.Image{{URL: "/images/" + name + ".png"}},
		},
	}
	s.stock["sku-"+name] = stock
}

// Change changes a variant.
func (s *Shelf) Change(name string, change func(*catalog.VariantOf)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.variants[name]
	if !ok {
		panic(fmt.Sprintf("there is no %q on the shelf", name))
	}
	change(&v)
	s.variants[name] = v
}

// Remove takes a variant out of the catalogue.
func (s *Shelf) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.variants, name)
}

// SetStock makes so many of a variant available.
func (s *Shelf) SetStock(name string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stock["sku-"+name] = n
}

// Break lets every question to catalogue and stock fail; nil mends it.
func (s *Shelf) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

// Asked is how often the catalogue and the stock have been asked.
func (s *Shelf) Asked() (catalogue, stock int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks, s.counts
}

// Variants makes a Shelf a cart.Catalog.
func (s *Shelf) Variants(_ context.Context, ids []string) (map[string]catalog.VariantOf, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	found := map[string]catalog.VariantOf{}
	for _, id := range ids {
		if v, ok := s.variants[id]; ok {
			found[id] = v
		}
	}
	return found, s.down
}

// Levels makes a Shelf a cart.Stock.
func (s *Shelf) Levels(_ context.Context, skus []string) (map[string]inventory.Stock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts++
	found := map[string]inventory.Stock{}
	for _, sku := range skus {
		if n, ok := s.stock[sku]; ok {
			found[sku] = inventory.Stock{SKU: sku, Available: n}
		}
	}
	return found, s.down
}
