package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/fault"
	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/catalogtest"
	"ordergraph/services/inventory"
)

func openKeeper(t testing.TB, store docstore.Store) *catalog.Keeper {
	t.Helper()
	k, err := catalog.New(t.Context(), catalog.Options{Store: store, Currency: catalogtest.Currency, Now: steps()})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// steps is a clock that goes on by a second at every look.
func steps() func() time.Time {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var n atomic.Int64
	return func() time.Time { return start.Add(time.Duration(n.Add(1)) * time.Second) }
}

// availability is inventory's fact about a SKU.
func availability(t testing.TB, sku string, in bool, version int64) events.Fact {
	t.Helper()
	data, err := bson.Marshal(inventory.AvailabilityChanged{SKU: sku, InStock: in, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return events.Fact{
		ID:   fmt.Sprintf("%s:%d:%s", sku, version, inventory.FactAvailability),
		Type: inventory.FactAvailability, Doc: sku, Key: sku, Data: data,
	}
}

func stockSetter(k *catalog.Keeper) func(*testing.T, string, bool) {
	var version atomic.Int64
	return func(t *testing.T, sku string, in bool) {
		t.Helper()
		if err := catalog.Hear(k, t.Context(), availability(t, sku, in, version.Add(1))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKeeper(t *testing.T) {
	catalogtest.Run(t, func(t *testing.T) catalogtest.Shop {
		k := openKeeper(t, docstoretest.Memory(t))
		return catalogtest.Shop{Service: k, SetStock: stockSetter(k)}
	})
}

func TestOverTheWire(t *testing.T) {
	catalogtest.Run(t, func(t *testing.T) catalogtest.Shop {
		k := openKeeper(t, docstoretest.Memory(t))
		return catalogtest.Shop{
			Service:  hosttest.Loopback(t, catalogrpc.Contract, catalog.Service(k)),
			SetStock: stockSetter(k),
		}
	})
}

// Two copies of the service on one store: what one writes, the other sees.
func TestCopiesCatchUp(t *testing.T) {
	store := docstoretest.Memory(t)
	a, b := openKeeper(t, store), openKeeper(t, store)
	putAll(t, a, catalogtest.Many(700))
	setAt := stockSetter(a)
	setAt(t, "SKU-3-1", true)
	if err := a.PutCollections(t.Context(), identity.Ourselves(), []catalog.CollectionInput{{Title: "Mugs", Rules: []catalog.Filter{{Type: "Mug"}}}}); err != nil {
		t.Fatal(err)
	}
	if n, _ := b.Count(t.Context()); n != 0 {
		t.Fatalf("b knew of %d products before it looked", n)
	}
	// What is asked for by its name is there at once, all the same.
	p, err := a.ProductByHandle(t.Context(), catalogtest.Many(4)[3].Handle)
	if err != nil {
		t.Fatal(err)
	}
	variant := p.Variants[0].ID
	if q, err := b.ProductByHandle(t.Context(), p.Handle); err != nil || q.ID != p.ID {
		t.Errorf("by handle: %+v, %v", q, err)
	}
	if found, err := b.Products(t.Context(), []string{p.ID, "unheard-of"}); err != nil || len(found) != 1 || found[p.ID].Title != p.Title {
		t.Errorf("by id: %+v, %v", found, err)
	}
	if found, err := b.Variants(t.Context(), []string{variant, "unheard-of-1"}); err != nil || len(found) != 1 || found[variant].Product.ID != p.ID {
		t.Errorf("variant: %+v, %v", found, err)
	}
	same := func() {
		t.Helper()
		if err := catalog.CatchUp(b, t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, q := range []catalog.Search{
			{Limit: 250, Sort: catalog.ByPrice, Facets: true, Total: true},
			{Text: "cotton shirt", Limit: 250, Facets: true, Total: true},
			{Filters: []catalog.Filter{{Available: ptr(true)}}, Limit: 50, Facets: true, Total: true},
		} {
			x, err := a.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			y, err := b.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(x, y) {
				t.Fatalf("search %+v: a found %d, b %d", q, x.Total, y.Total)
			}
		}
		x, _ := a.Collections(t.Context(), catalog.CollectionQuery{Limit: 10})
		y, _ := b.Collections(t.Context(), catalog.CollectionQuery{Limit: 10})
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("a has the collections %+v, b %+v", x, y)
		}
	}
	same()

	// Both change the same products in turn; neither makes a second one.
	changed := catalogtest.Many(40)
	for i := range changed {
		changed[i].Title += " improved"
	}
	results, err := b.Put(t.Context(), identity.Ourselves(), changed)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Outcome != catalog.Changed || r.Product.Version != 2 {
			t.Fatalf("%+v", r)
		}
	}
	results, err = a.Put(t.Context(), identity.Ourselves(), changed)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Outcome != catalog.Unchanged || r.Product.Version != 2 {
			t.Fatalf("a did not see b's change: %+v", r)
		}
	}
	same()

	// A third copy that starts now knows it all.
	c := openKeeper(t, store)
	if n, _ := c.Count(t.Context()); n != 700 {
		t.Errorf("a new copy knows %d products", n)
	}
	found, err := c.Search(t.Context(), catalog.Search{Filters: []catalog.Filter{{Available: ptr(true)}}, Total: true})
	if err != nil || found.Total != 1 {
		t.Errorf("a new copy finds %d in stock, %v", found.Total, err)
	}
}

// Copies that add the same products at the same time make each once.
func TestCopiesRace(t *testing.T) {
	store := docstoretest.Memory(t)
	products := catalogtest.Many(60)
	var copies []*catalog.Keeper
	for range 4 {
		copies = append(copies, openKeeper(t, store))
	}
	var added, others atomic.Int64
	var all sync.WaitGroup
	for _, k := range copies {
		all.Go(func() {
			results, err := k.Put(t.Context(), identity.Ourselves(), products)
			if err != nil {
				t.Error(err)
				return
			}
			for _, r := range results {
				switch r.Outcome {
				case catalog.Added:
					added.Add(1)
				case catalog.Unchanged:
					others.Add(1)
				default:
					t.Errorf("%+v", r)
				}
			}
		})
	}
	all.Wait()
	if added.Load() != 60 || others.Load() != 180 {
		t.Errorf("%d added, %d found there", added.Load(), others.Load())
	}
	for _, k := range copies {
		if err := catalog.CatchUp(k, t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, _ := k.Count(t.Context()); n != 60 {
			t.Errorf("a copy knows %d products", n)
		}
	}
}

// Of two facts about one SKU the one of the later stock counts, in whatever
// order they come and however often; and it is remembered.
func TestLaterFactCounts(t *testing.T) {
	store := docstoretest.Memory(t)
	k := openKeeper(t, store)
	p := catalogtest.Product("Mug", 100)
	p.Variants[0].SKU = "mug"
	putAll(t, k, []catalog.ProductInput{p})
	for _, step := range []struct {
		in      bool
		version int64
		want    bool
	}{{true, 5, true}, {false, 4, true}, {true, 5, true}, {false, 9, false}, {true, 7, false}, {false, 9, false}} {
		if err := catalog.Hear(k, t.Context(), availability(t, "mug", step.in, step.version)); err != nil {
			t.Fatal(err)
		}
		for _, k := range []*catalog.Keeper{k, openKeeper(t, store)} {
			got, err := k.ProductByHandle(t.Context(), "mug")
			if err != nil || got.Variants[0].InStock != step.want {
				t.Errorf("after %+v: in stock %v, %v", step, got.Variants[0].InStock, err)
			}
		}
	}
	if err := catalog.Hear(k, t.Context(), events.Fact{ID: "x", Type: inventory.FactAvailability, Data: bson.Raw("broken")}); err == nil {
		t.Error("a broken fact was taken")
	}
	if err := catalog.Hear(k, t.Context(), events.Fact{ID: "x", Type: "inventory.other"}); err != nil {
		t.Errorf("a fact that is not ours: %v", err)
	}
}

// shelves is an inventory that has so many of each SKU.
type shelves struct {
	mu    sync.Mutex
	units map[string]int64
	away  bool
}

func (s *shelves) Levels(_ context.Context, skus []string) (map[string]inventory.Stock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, fault.New(fault.Unavailable, "test.away", "Away.")
	}
	levels := map[string]inventory.Stock{}
	for _, sku := range skus {
		if n, ok := s.units[sku]; ok {
			levels[sku] = inventory.Stock{SKU: sku, Version: 1, Available: n}
		}
	}
	return levels, nil
}

func running(t *testing.T, k *catalog.Keeper) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("run: %v", err)
		}
	})
}

// eventually waits for what happens in the background.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func inStock(t *testing.T, k *catalog.Keeper) int64 {
	t.Helper()
	found, err := k.Search(t.Context(), catalog.Search{Filters: []catalog.Filter{{Available: ptr(true)}}, Total: true})
	if err != nil {
		t.Fatal(err)
	}
	return found.Total
}

// Facts that were rung before we listened are made up for by asking.
func TestReconcilesWithInventory(t *testing.T) {
	store := docstoretest.Memory(t)
	putAll(t, openKeeper(t, store), catalogtest.Many(1_200))
	stock := &shelves{units: map[string]int64{}, away: true}
	for i := range 500 {
		stock.units[fmt.Sprintf("SKU-%d-1", i)] = int64(i % 2)
	}
	k, err := catalog.New(t.Context(), catalog.Options{Store: store, Stock: stock, Currency: catalogtest.Currency})
	if err != nil {
		t.Fatal(err)
	}
	running(t, k)
	stock.mu.Lock()
	stock.away = false
	stock.mu.Unlock()
	eventually(t, "250 products in stock", func() bool { return inStock(t, k) == 250 })

	// A product that comes later is asked about at once.
	stock.mu.Lock()
	stock.units["new"] = 3
	stock.mu.Unlock()
	p := catalogtest.Product("New", 100)
	p.Variants[0].SKU = "new"
	putAll(t, k, []catalog.ProductInput{p})
	eventually(t, "the new one in stock", func() bool { return inStock(t, k) == 251 })
}

// The bus brings inventory's facts to one of the copies, and the store to the other.
func TestHearsFacts(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = client.Close() })
	bus := events.NewBus(client, nil)
	store := docstoretest.Memory(t)
	putAll(t, openKeeper(t, store), catalogtest.Many(50))
	var copies []*catalog.Keeper
	for range 2 {
		k, err := catalog.New(t.Context(), catalog.Options{Store: store, Bus: bus, Currency: catalogtest.Currency})
		if err != nil {
			t.Fatal(err)
		}
		running(t, k)
		copies = append(copies, k)
	}
	var facts []events.Fact
	for i := range 50 {
		facts = append(facts, availability(t, fmt.Sprintf("SKU-%d-2", i), true, 1))
	}
	if err := bus.Ring(t.Context(), inventory.Topic, facts...); err != nil {
		t.Fatal(err)
	}
	for _, k := range copies {
		eventually(t, "50 products in stock", func() bool { return inStock(t, k) == 50 })
	}
}

// Nothing of an import that is interrupted stays half seen: the next one
// completes it.
func TestImportGoesOnAfterTrouble(t *testing.T) {
	store := docstoretest.Memory(t)
	k := openKeeper(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Put(ctx, identity.Ourselves(), catalogtest.Many(100)); err == nil {
		t.Fatal("a cancelled call succeeded")
	}
	putAll(t, k, catalogtest.Many(100))
	for _, k := range []*catalog.Keeper{k, openKeeper(t, store)} {
		if n, _ := k.Count(t.Context()); n != 100 {
			t.Errorf("%d products", n)
		}
	}
}

// Readers and writers at once: for the race detector, and for answers that
// are whole.
func TestReadWhileWriting(t *testing.T) {
	k := openKeeper(t, docstoretest.Memory(t))
	putAll(t, k, catalogtest.Many(200))
	setAt := stockSetter(k)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				found, err := k.Search(t.Context(), catalog.Search{Text: []string{"shirt", "cotn", "mu", ""}[i%4], Facets: true, Total: true, Limit: 10})
				if err != nil {
					t.Error(err)
					return
				}
				if len(found.Products) > 0 {
					if _, err := k.Recommendations(t.Context(), found.Products[0].ID, 3); err != nil {
						t.Error(err)
						return
					}
				}
				if p, err := k.ProductByHandle(t.Context(), "product-7"); err != nil || len(p.Variants) != 3 {
					t.Errorf("%d variants, %v", len(p.Variants), err)
					return
				}
			}
		})
	}
	for round := range 20 {
		products := catalogtest.Many(200)
		for i := range products {
			products[i].Title = fmt.Sprintf("%s %d", products[i].Title, round)
		}
		putAll(t, k, products[round*10:round*10+10])
		setAt(t, fmt.Sprintf("SKU-%d-1", round), round%2 == 0)
	}
	stop()
	readers.Wait()
}

func ptr[T any](v T) *T { return &v }
