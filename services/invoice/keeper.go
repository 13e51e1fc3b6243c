package invoice

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/live"
	"ordergraph/platform/work"
	"ordergraph/services/order"
)

// Options of a Keeper. Store, Orders and Seller must be given.
type Options struct {
	Store     docstore.Store
	Bus       *events.Bus // nil: no facts are heard or rung
	Listeners []string    // the groups that hear Topic
	Bell      *live.Bell  // nil: who watches invoices learns of changes by asking for Versions
	Orders    order.Service
	Recent    *order.Recent // of Orders, where services of this process share it; nil: one of its own
	Seller    Seller
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: silent
}

// Keeper is the invoice service.
//
// # How a document comes about
//
// Five writes, each of which may be the last before the process dies, and each
// of which is made once whoever goes on afterwards:
//
//  1. The document is inserted, PENDING and under an id made of the order's,
//     with everything that will stand in it. From now on nothing is asked of
//     the order, the settings or the clock's year again.
//  2. The series gives it the next number; see number.go.
//  3. The document takes the number.
//  4. Its files are rendered from the document alone, and inserted.
//  5. The document is READY, with the files' digests.
//
// The fact that brought the order here is confirmed after the fifth; until then
// it is rung again.
type Keeper struct {
	o        Options
	invoices *docstore.Collection[document]
	heads    *docstore.Collection[head]                    // of the same documents; only read
	stages   *docstore.Collection[docstore.Partial[stage]] // likewise, to be changed
	series   *docstore.Collection[series]
	files    *docstore.Collection[files]
	drawing  chan struct{}           // taken while files are drawn
	relay    *events.Relay[document] // nil where nobody listens
	issued   *prometheus.CounterVec
}

var _ Service = (*Keeper)(nil)

// New opens the invoice service's documents.
func New(ctx context.Context, o Options) (*Keeper, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Recent == nil {
		o.Recent = order.NewRecent(o.Orders)
	}
	if err := o.Seller.Check(); err != nil {
		return nil, err
	}
	// Half the processors draw at most, so that a rush of orders leaves room
	// for those who are buying.
	k := &Keeper{o: o, issued: newIssued(), drawing: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
	var err error
	if k.invoices, err = docstore.Open[document](ctx, o.Store, invoicesSpec); err != nil {
		return nil, fmt.Errorf("invoice service: %w", err)
	}
	k.stages = docstore.PartOf[stage](k.invoices)
	if k.heads, err = docstore.Open[head](ctx, o.Store, invoicesSpec); err != nil {
		return nil, fmt.Errorf("invoice service: %w", err)
	}
	if k.series, err = docstore.Open[series](ctx, o.Store, docstore.Spec{Name: "series"}); err != nil {
		return nil, fmt.Errorf("invoice service: %w", err)
	}
	if k.files, err = docstore.Open[files](ctx, o.Store, docstore.Spec{Name: "files"}); err != nil {
		return nil, fmt.Errorf("invoice service: %w", err)
	}
	if o.Bus != nil && len(o.Listeners) > 0 {
		k.relay = events.NewRelay(o.Bus, Topic, k.invoices, func(d *document) *events.Outbox { return &d.Outbox }, events.RelayOptions{
			Now: o.Now, Log: o.Log, About: func(orderID string) docstore.Query { return docstore.Query{Index: indexOrder, Equal: []any{orderID}} },
		})
	}
	return k, nil
}

// now is to the millisecond, as documents keep it.
func (k *Keeper) now() time.Time { return k.o.Now().UTC().Truncate(time.Millisecond) }

// Run hears of orders and accounts and rings the invoices' own facts, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	var parts []work.Part
	if k.o.Bus != nil {
		parts = append(parts, work.Part{Name: "invoice's ears", Run: k.listen}, work.Part{Name: "invoice's ears for accounts", Run: k.listenOf})
	}
	if k.relay != nil {
		parts = append(parts, work.Part{Name: "invoice's relay", Run: k.relay.Run})
	}
	if len(parts) == 0 {
		<-ctx.Done()
		return nil
	}
	work.Keep(ctx, k.o.Log, parts...)
	return nil
}
