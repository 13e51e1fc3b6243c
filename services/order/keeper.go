package order

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/platform/activity"
	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/live"
	"ordergraph/services/cart"
	"ordergraph/services/inventory"
	"ordergraph/services/payment"
)

// Options of a Keeper. Store, Cart, Inventory and Payment must be given.
type Options struct {
	Store      docstore.Store
	Bus        *events.Bus // nil: no facts are heard or rung; the sweeper finds out
	Listeners  []string    // the groups that hear Topic
	Bell       *live.Bell  // nil: who watches orders learns of changes by asking for Versions
	Cart       cart.Service
	Inventory  inventory.Service
	Payment    payment.Service
	Fulfilment Fulfilment         // nil: nothing is ever sent
	Activity   *activity.Recorder // nil: what happens is not counted for who watches
	Now        func() time.Time   // nil: time.Now
	Log        *slog.Logger       // nil: silent
	Deadlines  Deadlines
}

// Deadlines say how long things may take; zero means the default.
type Deadlines struct {
	Step      time.Duration // one call to another service; 4 s
	Lease     time.Duration // a driver's hold on an order, renewed while it works; 10 s
	Answer    time.Duration // how long Checkout and Cancel wait for the outcome before they answer with an order on its way; 10 s
	Prepare   time.Duration // from the checkout until the goods are held; 30 s
	Authorise time.Duration // until the processor has said whether the card is good; 2 min
	Confirm   time.Duration // until the customer has confirmed at the bank; payment.ConfirmWithin and a minute, since the payment service is to end it first
	Overall   time.Duration // from the checkout until it is undone; 30 min. Shorter than inventory.HoldFor, so that the goods are there when it is paid
}

func (d Deadlines) orDefaults() Deadlines {
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&d.Step, 4 * time.Second}, {&d.Lease, 10 * time.Second}, {&d.Answer, 10 * time.Second},
		{&d.Prepare, 30 * time.Second}, {&d.Authorise, 2 * time.Minute},
		{&d.Confirm, payment.ConfirmWithin + time.Minute}, {&d.Overall, 30 * time.Minute},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return d
}

// Keeper is the order service.
//
// # What makes a checkout safe
//
// Each order is one document, and each document is the log of its own saga.
// A driver takes the order's lease, reads from the document what may have
// happened, and goes on from there; when it dies, the lease runs out and the
// sweeper drives on. All calls to other services are idempotent by the order,
// so a step whose outcome was lost is simply made again.
//
// A whole checkout costs three writes, and each is there for a reason:
//
//  1. PENDING, inserted before anything is done: the idempotency key can be
//     used once only, and it is on record that the cart may be claimed and
//     goods may be reserved from now on.
//  2. PAYING (RESERVED, where nothing is to be paid), with the quote: it is on
//     record what is charged, and that money may be taken from now on. An
//     order that fails before has no payment to give up.
//  3. CONFIRMED, when the money is taken, the goods are sold and the cart is
//     ended: the customer's answer, and the end of the saga.
//
// Between 2 and 3 lie authorise, capture, commit and complete without a write
// of ours: after a crash they are repeated from the first, each answers what
// it answered before, and so the driver learns how far the last one came.
//
// A checkout that cannot succeed takes two: the decision to give everything
// back with its reason (so that no later driver, seeing the world changed,
// decides otherwise), and FAILED, when everything has been given back. Until
// then the order keeps its state; so FAILED always means that no money is
// taken, no goods are held, and the cart is the customer's again.
//
// # Who decides between going on and giving back
//
// Two drivers at once are prevented by the lease, but a process that was
// paused may wake after its lease has run out, and a customer may cancel at any
// moment. The reservation is the referee: goods are committed only after the
// money was captured, and the first thing undone is the reservation. If
// releasing it succeeds, no other driver can commit it any more, hence none
// can complete the cart or confirm; the payment is then given up in the same
// way for good. If it answers that the goods are sold, the money was taken and
// the order goes forward; a customer who cancelled then has a confirmed order
// called off, with stock taken back and money refunded.
type Keeper struct {
	o        Options
	at       Deadlines
	orders   *docstore.Collection[document]
	outlines *docstore.Collection[outline]                // the same documents
	news     *docstore.Collection[docstore.Partial[news]] // likewise
	relay    *events.Relay[document]                      // nil where nobody listens

	places chan struct{} // taken by steps that are made abreast
	states *prometheus.CounterVec

	mu   sync.Mutex
	runs map[string]*run // the orders driven in this process, by id
}

var _ Service = (*Keeper)(nil)

// New opens the order service's documents.
func New(ctx context.Context, o Options) (*Keeper, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := addMails(ctx, o.Store); err != nil {
		return nil, fmt.Errorf("order service: %w", err)
	}
	orders, err := docstore.Open[document](ctx, o.Store, spec)
	if err != nil {
		return nil, fmt.Errorf("order service: %w", err)
	}
	outlines, err := docstore.Open[outline](ctx, o.Store, spec)
	if err != nil {
		return nil, fmt.Errorf("order service: %w", err)
	}
	k := &Keeper{o: o, at: o.Deadlines.orDefaults(), orders: orders, outlines: outlines, news: docstore.PartOf[news](orders), places: make(chan struct{}, abreast), states: newStates(), runs: map[string]*run{}}
	if o.Bus != nil && len(o.Listeners) > 0 {
		k.relay = events.NewRelay(o.Bus, Topic, orders, func(d *document) *events.Outbox { return &d.Outbox }, events.RelayOptions{Now: o.Now, Log: o.Log})
	}
	return k, nil
}

// abreast is how many orders one process prepares or sells at once.
const abreast = 32

// now is to the millisecond, as documents keep it.
func (k *Keeper) now() time.Time { return k.o.Now().UTC().Truncate(time.Millisecond) }

func newOwner() string { return rand.Text()[:16] }
