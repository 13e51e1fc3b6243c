package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/fault"
	"ordergraph/platform/work"
)

// Options are what a Keeper works with.
type Options struct {
	Store    docstore.Store
	Bus      *events.Bus // brings inventory's facts; nil: only Stock is asked
	Stock    Stock       // inventory, for what was in stock before we listened; nil: only facts are heard
	Currency string      // ISO 4217: what the shop sells in
	Now      func() time.Time
	Log      *slog.Logger
}

// Keeper is the catalogue service. It keeps the whole catalogue in memory
// besides the store, so that every read is answered from there.
//
// What Put returns from is seen by the next read of this Keeper; other copies
// on the same store see it within about a second.
type Keeper struct {
	products    *docstore.Collection[productDoc]
	collections *docstore.Collection[collectionDoc]
	stock       *docstore.Collection[stockDoc]
	journal     *docstore.Collection[journalDoc]

	bus      *events.Bus
	levels   Stock
	currency string
	now      func() time.Time
	log      *slog.Logger

	shelf *shelf
	text  *textIndex
	ready chan struct{} // closed when the search index is built

	putting  sync.Mutex // one Put after the other
	catching sync.Mutex
	seen     struct {
		mu   sync.Mutex
		upTo int64          // every change up to here is on the shelf
		own  map[int64]bool // later ones that this copy made itself
	}
	asked   chan []string // SKUs to ask inventory about
	hearing gathering
}

var _ Service = (*Keeper)(nil)

// New reads the catalogue from the store. When it returns, products can be
// read; the search index is built meanwhile, and a search that comes before
// it is done waits for it, at most waitForIndex.
func New(ctx context.Context, o Options) (*Keeper, error) {
	k := &Keeper{
		bus: o.Bus, levels: o.Stock, currency: o.Currency, now: o.Now, log: o.Log,
		shelf: newShelf(), text: newTextIndex(), ready: make(chan struct{}), asked: make(chan []string, 64),
	}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	k.seen.own = map[int64]bool{}
	var err error
	if k.products, err = docstore.Open[productDoc](ctx, o.Store, productSpec); err != nil {
		return nil, err
	}
	if k.collections, err = docstore.Open[collectionDoc](ctx, o.Store, collectionSpec); err != nil {
		return nil, err
	}
	if k.stock, err = docstore.Open[stockDoc](ctx, o.Store, stockSpec); err != nil {
		return nil, err
	}
	if k.journal, err = docstore.Open[journalDoc](ctx, o.Store, journalSpec); err != nil {
		return nil, err
	}
	if err := k.load(ctx); err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return k, nil
}

// time is now as the store keeps it.
func (k *Keeper) time() time.Time { return k.now().UTC().Truncate(time.Millisecond) }

// load fills the shelf and starts to build the search index. The building
// needs nobody and ends by itself.
func (k *Keeper) load(ctx context.Context) error {
	journal, err := k.journal.Get(ctx, journalID)
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return err
	}
	k.seen.upTo = journal.through(k.time())
	began := time.Now()
	all := docstore.Query{Limit: 500}
	var stock []stockDoc
	for d, err := range k.stock.All(ctx, all) {
		if err != nil {
			return err
		}
		stock = append(stock, d)
	}
	k.shelf.setStock(stock)
	var collections []collectionDoc
	for d, err := range k.collections.All(ctx, all) {
		if err != nil {
			return err
		}
		collections = append(collections, d)
	}
	k.shelf.setCollections(collections)
	var items []*item
	var page []productDoc
	for d, err := range k.products.All(ctx, all) {
		if err != nil {
			return err
		}
		if page = append(page, d); len(page) == all.Limit {
			items = append(items, k.shelf.put(page)...)
			page = page[:0]
		}
	}
	items = append(items, k.shelf.put(page)...)
	read := time.Since(began)
	go func() {
		began := time.Now()
		if err := work.Safely(func() error { return k.text.add(items) }); err != nil {
			k.log.Error("The search index could not be built.", "error", err)
			return
		}
		close(k.ready)
		k.log.Debug("The catalogue is ready.", "products", len(items), "read", read, "index", time.Since(began))
	}()
	return nil
}

// waitForIndex is how long a search waits for the index after the start.
const waitForIndex = 20 * time.Second

func (k *Keeper) indexed(ctx context.Context) error {
	select {
	case <-k.ready:
		return nil
	default:
	}
	timeout := time.NewTimer(waitForIndex)
	defer timeout.Stop()
	select {
	case <-k.ready:
		return nil
	case <-timeout.C:
		return ErrNotReady
	case <-ctx.Done():
		return ErrNotReady
	}
}

// show makes written products visible to every read.
func (k *Keeper) show(ctx context.Context, docs []productDoc) error {
	if len(docs) == 0 {
		return nil
	}
	if err := k.indexed(ctx); err != nil {
		return err
	}
	changed := k.shelf.put(docs)
	if err := k.text.add(changed); err != nil {
		return fmt.Errorf("index %d products: %w", len(changed), err)
	}
	k.ask(changed)
	return nil
}

func (k *Keeper) showCollections(docs []collectionDoc) {
	if len(docs) > 0 {
		k.shelf.setCollections(docs)
	}
}

// Run listens to inventory and follows the other copies until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{{Name: "catalog's view of other copies", Run: k.follow}, {Name: "catalog's view of the stock", Run: k.reconcile}}
	if k.bus != nil {
		parts = append(parts, work.Part{Name: "catalog's ears", Run: k.listen})
	}
	work.Keep(ctx, k.log, parts...)
	return ctx.Err()
}

// followEvery is how often a copy looks for what others have written.
const followEvery = time.Second

func (k *Keeper) follow(ctx context.Context) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	trouble := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		err := k.catchUp(ctx)
		if err != nil && ctx.Err() == nil && !trouble {
			k.log.WarnContext(ctx, "The catalogue cannot see what other copies write; it keeps trying.", "error", err)
		}
		trouble = err != nil
	}
}

// Products returns published products by id.
func (k *Keeper) Products(ctx context.Context, ids []string) (map[string]Product, error) {
	if len(ids) > MaxIDs {
		return nil, tooMany("ids", len(ids), MaxIDs)
	}
	return k.published(ctx, ids)
}

// published are the published products among ids. Those that are not on the
// shelf are looked for in the store: another copy may have written them a
// moment ago, and what can be bought there must not be unknown here.
func (k *Keeper) published(ctx context.Context, ids []string) (map[string]Product, error) {
	items, strangers := k.shelf.many(ids)
	found := make(map[string]Product, len(ids))
	for _, it := range items {
		found[it.doc.ID] = it.copy()
	}
	if len(strangers) == 0 {
		return found, nil
	}
	docs, err := k.products.GetMany(ctx, strangers)
	if err != nil {
		return nil, err
	}
	for id, d := range docs {
		if d.Published {
			found[id] = k.shelf.inStock(d.product())
		}
	}
	return found, nil
}

// ProductByHandle returns the published product, or ErrNotFound.
func (k *Keeper) ProductByHandle(ctx context.Context, handle string) (Product, error) {
	it := k.shelf.named(handle)
	switch {
	case it != nil && it.doc.Published:
		return it.copy(), nil
	case it != nil || !couldBeKey(handle):
		return Product{}, ErrNotFound
	}
	page, err := k.products.Find(ctx, docstore.Query{Index: "handle", Equal: []any{handle}, Limit: 1})
	if err != nil {
		return Product{}, err
	}
	if len(page.Items) == 0 || !page.Items[0].Published {
		return Product{}, ErrNotFound
	}
	return k.shelf.inStock(page.Items[0].product()), nil
}

// couldBeKey says whether a product may have this as its id or handle. Others
// are not looked for in the store.
func couldBeKey(s string) bool { return s != "" && len(s) <= 255 && utf8.ValidString(s) }

// Variants returns variants of published products by id.
func (k *Keeper) Variants(ctx context.Context, ids []string) (map[string]VariantOf, error) {
	if len(ids) > MaxIDs {
		return nil, tooMany("ids", len(ids), MaxIDs)
	}
	products := make([]string, 0, len(ids))
	for _, id := range ids {
		if p, ok := productOf(id); ok && !slices.Contains(products, p) {
			products = append(products, p)
		}
	}
	byID, err := k.published(ctx, products)
	if err != nil {
		return nil, err
	}
	found := make(map[string]VariantOf, len(ids))
	for _, id := range ids {
		pid, _ := productOf(id)
		p, ok := byID[pid]
		if !ok {
			continue
		}
		for _, v := range p.Variants {
			if v.ID == id {
				found[id] = VariantOf{v, p}
				break
			}
		}
	}
	return found, nil
}

// VariantsBySKU returns what is sold under SKUs.
func (k *Keeper) VariantsBySKU(_ context.Context, skus []string) (map[string]VariantOf, error) {
	if len(skus) > MaxIDs {
		return nil, tooMany("skus", len(skus), MaxIDs)
	}
	found := make(map[string]VariantOf, len(skus))
	for sku, it := range k.shelf.sellers(skus) {
		p := it.copy()
		for _, v := range p.Variants {
			if v.SKU == sku {
				found[sku] = VariantOf{v, p}
				break
			}
		}
	}
	return found, nil
}

// sellers are the published items that are sold under SKUs, the one of the
// least id under each.
func (s *shelf) sellers(skus []string) map[string]*item {
	found := make(map[string]*item, len(skus))
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, sku := range skus {
		for _, n := range s.bySKU[sku] {
			if it := s.items[n]; it.doc.Published && (found[sku] == nil || it.doc.ID < found[sku].doc.ID) {
				found[sku] = it
			}
		}
	}
	return found
}

// many are the published items among ids, and the ids that are not known here.
func (s *shelf) many(ids []string) (items []*item, strangers []string) {
	items = make([]*item, 0, len(ids))
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range ids {
		if it := s.published(id); it != nil {
			items = append(items, it)
		} else if _, known := s.byID[id]; !known && couldBeKey(id) {
			strangers = append(strangers, id)
		}
	}
	return items, strangers
}

// inStock notes on a product's variants what inventory has told of them.
func (s *shelf) inStock(p Product) Product {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range p.Variants {
		p.Variants[i].InStock = s.stock[p.Variants[i].SKU].InStock
	}
	return p
}

// Count is how many products there are, published or not.
func (k *Keeper) Count(context.Context) (int64, error) {
	k.shelf.mu.RLock()
	defer k.shelf.mu.RUnlock()
	return int64(len(k.shelf.items)), nil
}

func tooMany(field string, n, most int) *fault.Error {
	return ErrInput.Field(field).Say("There are %d %s in one call, more than %d.", n, field, most)
}
