package catalog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ordergraph/platform/docstore"
)

// The journal lets several copies of the service share one store: each keeps
// the whole catalogue in memory and must learn what the others have written.
//
// Every change takes a number before it writes, marks its documents with it,
// and says when it is through. A copy that catches up reads the documents
// with numbers it has not seen, up to the first change that is still being
// made. Nobody's clock decides.
type journalDoc struct {
	docstore.Meta `bson:",inline"`

	Last int64            `bson:"last"`           // greatest number given out
	Open map[string]int64 `bson:"open,omitempty"` // numbers being written, with the Unix time in ms when they began
}

const journalID = "catalog"

// abandonedAfter is when a change that was never ended counts as ended: its
// process died.
const abandonedAfter = 5 * time.Minute

// begin gives out the number of a change. end must be called when its
// documents are written, or were not.
func (k *Keeper) begin(ctx context.Context) (seq int64, end func(context.Context) error, err error) {
	now := k.time().UnixMilli()
	doc, err := k.journal.Upsert(ctx, journalID, func(d *journalDoc) error {
		d.Last++
		if d.Open == nil {
			d.Open = map[string]int64{}
		}
		for n, began := range d.Open {
			if began < now-abandonedAfter.Milliseconds() {
				delete(d.Open, n)
			}
		}
		d.Open[strconv.FormatInt(d.Last, 10)] = now
		return nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("begin a change: %w", err)
	}
	seq = doc.Last
	k.seen.mu.Lock()
	k.seen.own[seq] = true
	k.seen.mu.Unlock()
	return seq, func(ctx context.Context) error {
		// Even if the caller is gone, the others should not have to wait.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_, err := k.journal.Update(ctx, journalID, func(d *journalDoc) error {
			delete(d.Open, strconv.FormatInt(seq, 10))
			return nil
		})
		if err != nil {
			return fmt.Errorf("end a change: %w", err)
		}
		return nil
	}, nil
}

// catchUp reads what other copies have written since the last time.
func (k *Keeper) catchUp(ctx context.Context) error {
	k.catching.Lock()
	defer k.catching.Unlock()

	journal, err := k.journal.Get(ctx, journalID)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("catch up: %w", err)
	}
	k.seen.mu.Lock()
	from := k.seen.upTo + 1
	through := journal.through(k.time()) // all changes up to here are complete
	foreign := false
	for n := from; n <= journal.Last && !foreign; n++ {
		foreign = !k.seen.own[n]
	}
	k.seen.mu.Unlock()
	if foreign {
		if err := k.read(ctx, from); err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
	}
	k.seen.mu.Lock()
	defer k.seen.mu.Unlock()
	for n := range k.seen.own {
		if n <= through {
			delete(k.seen.own, n)
		}
	}
	k.seen.upTo = max(k.seen.upTo, through)
	return nil
}

// through is the greatest number up to which every change is complete.
func (d *journalDoc) through(now time.Time) int64 {
	through := d.Last
	for n, began := range d.Open {
		if began < now.Add(-abandonedAfter).UnixMilli() {
			continue
		}
		if seq, err := strconv.ParseInt(n, 10, 64); err == nil {
			through = min(through, seq-1)
		}
	}
	return through
}

// read takes everything that was written with the number from or later.
func (k *Keeper) read(ctx context.Context, from int64) error {
	const page = 500
	q := docstore.Query{Index: "seq", From: from, Limit: page}
	var collections []collectionDoc
	for d, err := range k.collections.All(ctx, q) {
		if err != nil {
			return err
		}
		collections = append(collections, d)
	}
	k.showCollections(collections)

	var stock []stockDoc
	for d, err := range k.stock.All(ctx, q) {
		if err != nil {
			return err
		}
		stock = append(stock, d)
	}
	k.shelf.setStock(stock)

	var products []productDoc
	for d, err := range k.products.All(ctx, q) {
		if err != nil {
			return err
		}
		if products = append(products, d); len(products) == page {
			if err := k.show(ctx, products); err != nil {
				return err
			}
			products = nil
		}
	}
	return k.show(ctx, products)
}

// disown makes the next catchUp read a change of our own whose writes did not
// all succeed: some may be in place nevertheless.
func (k *Keeper) disown(seq int64) {
	k.seen.mu.Lock()
	defer k.seen.mu.Unlock()
	delete(k.seen.own, seq)
}
