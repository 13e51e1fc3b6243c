package catalog

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/work"
	"ordergraph/services/inventory"
)

// Stock is what the catalogue asks inventory: how many of these there are.
type Stock interface {
	Levels(ctx context.Context, skus []string) (map[string]inventory.Stock, error)
}

// askAtOnce is how many SKUs inventory is asked about in one call.
const askAtOnce = 1_000

// reconcileEvery is how often all SKUs are compared with inventory, in case a
// fact went missing in a way that nobody thought of.
const reconcileEvery = 15 * time.Minute

// listenGroup is the catalogue's name among those who hear inventory's facts.
const listenGroup = "catalog"

func (k *Keeper) listen(ctx context.Context) error {
	return k.bus.Listen(ctx, inventory.Topic, listenGroup, k.hear)
}

// hear takes the effect of one of inventory's facts.
func (k *Keeper) hear(ctx context.Context, fact events.Fact) error {
	if fact.Type != inventory.FactAvailability {
		return nil
	}
	var news inventory.AvailabilityChanged
	if err := bson.Unmarshal(fact.Data, &news); err != nil {
		return fmt.Errorf("fact %s: %w", fact.ID, err)
	}
	return k.hearing.do(news, func(all []inventory.AvailabilityChanged) error { return k.setAvailable(ctx, all) })
}

// A gathering lets news that come while others are being written wait for the
// next writing together: each writing costs two more for the journal.
type gathering struct {
	mu      sync.Mutex
	waiting []gathered
	busy    bool
}

type gathered struct {
	news inventory.AvailabilityChanged
	done chan error
}

// do returns when the news have been written. One of the callers that wait
// writes for all.
func (g *gathering) do(news inventory.AvailabilityChanged, write func([]inventory.AvailabilityChanged) error) error {
	own := gathered{news, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, own)
	if g.busy {
		g.mu.Unlock()
		return <-own.done
	}
	g.busy = true
	for len(g.waiting) > 0 {
		batch := g.waiting
		g.waiting = nil
		g.mu.Unlock()
		err := work.Safely(func() error { return write(latest(batch)) })
		for _, w := range batch {
			w.done <- err
		}
		g.mu.Lock()
	}
	g.busy = false
	g.mu.Unlock()
	return <-own.done
}

// latest are the news without those that a later one of the same SKU overrules.
func latest(batch []gathered) []inventory.AvailabilityChanged {
	at := make(map[string]int, len(batch))
	news := make([]inventory.AvailabilityChanged, 0, len(batch))
	for _, w := range batch {
		i, again := at[w.news.SKU]
		switch {
		case !again:
			at[w.news.SKU] = len(news)
			news = append(news, w.news)
		case w.news.Version > news[i].Version:
			news[i] = w.news
		}
	}
	return news
}

// setAvailable keeps what inventory says of SKUs; of two sayings about one SKU
// the one with the greater version counts, in whatever order they come.
func (k *Keeper) setAvailable(ctx context.Context, news []inventory.AvailabilityChanged) error {
	seq, end, err := k.begin(ctx)
	if err != nil {
		return fmt.Errorf("availability: %w", err)
	}
	docs := make([]stockDoc, 0, len(news))
	for _, n := range news {
		var doc stockDoc
		doc, err = k.stock.Upsert(ctx, n.SKU, func(d *stockDoc) error {
			if d.Version > 0 && d.Of >= n.Version {
				return docstore.Unchanged
			}
			d.InStock, d.Of, d.Seq = n.InStock, n.Version, seq
			return nil
		})
		if err != nil {
			k.disown(seq)
			break
		}
		docs = append(docs, doc)
	}
	if endErr := end(ctx); err == nil {
		err = endErr
	}
	k.shelf.setStock(docs)
	if err != nil {
		return fmt.Errorf("availability: %w", err)
	}
	return nil
}

// ask has inventory asked about the products' SKUs that nothing is known of:
// its facts about them may have been rung before we listened. If too much is
// waiting, the next reconciliation finds them.
func (k *Keeper) ask(items []*item) {
	if k.levels == nil {
		return
	}
	var skus []string
	k.shelf.mu.RLock()
	for _, it := range items {
		for _, v := range it.doc.Variants {
			if _, known := k.shelf.stock[v.SKU]; !known {
				skus = append(skus, v.SKU)
			}
		}
	}
	k.shelf.mu.RUnlock()
	if len(skus) == 0 {
		return
	}
	select {
	case k.asked <- skus:
	default:
	}
}

// reconcile compares what is known of all SKUs with inventory: at the start,
// now and then, and for new SKUs at once. Inventory being away is no harm.
func (k *Keeper) reconcile(ctx context.Context) error {
	if k.levels == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	const patience = 500 * time.Millisecond
	wait := patience
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case skus := <-k.asked:
			if err := k.compare(ctx, skus); err != nil && ctx.Err() == nil {
				k.log.DebugContext(ctx, "Inventory could not be asked about new SKUs.", "error", err)
				next.Reset(wait)
			}
		case <-next.C:
			if err := k.compare(ctx, k.shelf.skus()); err != nil {
				if ctx.Err() == nil {
					k.log.DebugContext(ctx, "Inventory could not be asked what is in stock.", "error", err)
				}
				next.Reset(wait)
				wait = min(2*wait, time.Minute)
				continue
			}
			wait = patience
			next.Reset(reconcileEvery)
		}
	}
}

func (k *Keeper) compare(ctx context.Context, skus []string) error {
	for len(skus) > 0 {
		batch := skus[:min(len(skus), askAtOnce)]
		skus = skus[len(batch):]
		asking, cancel := context.WithTimeout(ctx, 10*time.Second)
		levels, err := k.levels.Levels(asking, batch)
		cancel()
		if err != nil {
			return fmt.Errorf("ask inventory about %d SKUs: %w", len(batch), err)
		}
		var news []inventory.AvailabilityChanged
		k.shelf.mu.RLock()
		for _, sku := range batch {
			level, received := levels[sku]
			in := received && level.Available > 0
			if known := k.shelf.stock[sku]; known.InStock != in && level.Version > known.Of {
				news = append(news, inventory.AvailabilityChanged{SKU: sku, InStock: in, Version: level.Version})
			}
		}
		k.shelf.mu.RUnlock()
		if len(news) > 0 {
			if err := k.setAvailable(ctx, news); err != nil {
				return err
			}
		}
	}
	return nil
}

// skus are all there are, each once.
func (s *shelf) skus() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	skus := make([]string, 0, len(s.bySKU))
	for sku, in := range s.bySKU {
		if len(in) > 0 {
			skus = append(skus, sku)
		}
	}
	return skus
}
