package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
)

// Options of a Cashier.
type Options struct {
	Store     docstore.Store
	Bus       *events.Bus // nil: facts stay in the outbox until there is one
	Listeners []string    // the groups that hear of payments: "order"
	Gateway   Gateway
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger
	// InlineFor is how long a call waits for the processor before it answers
	// with what is known; default 8 s, and never beyond the caller's deadline.
	InlineFor time.Duration
	// SweepEvery is how often overdue work is looked for; default 1 s.
	SweepEvery time.Duration
}

// The Cashier is the payment service: it keeps the payments and talks to the
// card processor. Several may share one store.
type Cashier struct {
	o        Options
	log      *slog.Logger
	gateway  Gateway
	payments *docstore.Collection[record]
	patience breaker
	relay    *events.Relay[record] // nil without a bus

	// Calls to the processor outlive the request that made them.
	working context.Context
	stop    context.CancelFunc
	mu      sync.Mutex // guards closed against wg.Add after Wait
	closed  bool
	wg      sync.WaitGroup
}

var _ Service = (*Cashier)(nil)

// New opens the payments in the store.
func New(ctx context.Context, o Options) (*Cashier, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.InlineFor == 0 {
		o.InlineFor = 8 * time.Second
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = time.Second
	}
	payments, err := docstore.Open[record](ctx, o.Store, spec)
	if err != nil {
		return nil, fmt.Errorf("payment: %w", err)
	}
	c := &Cashier{o: o, log: o.Log, gateway: o.Gateway, payments: payments}
	if o.Bus != nil {
		c.relay = events.NewRelay(o.Bus, Topic, payments, func(r *record) *events.Outbox { return &r.Outbox }, events.RelayOptions{Now: o.Now, Log: o.Log})
	}
	c.working, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// Close waits for the calls to the processor that are under way, for up to
// 5 s; then it cuts them off, which leaves them to the next sweep. The store
// must be open until then.
func (c *Cashier) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	cut := time.AfterFunc(5*time.Second, c.stop)
	c.wg.Wait()
	cut.Stop()
	c.stop()
	return nil
}

// survive, deferred, makes a panic in a goroutine of ours a line in the log.
// The payment keeps its lease, which gives pause until it is tried again.
func (c *Cashier) survive(ctx context.Context, id string) {
	if cause := recover(); cause != nil {
		c.patience.skipped()
		c.log.ErrorContext(ctx, "payment: panic", "order", id, "panic", cause, "stack", string(debug.Stack()))
	}
}

// spawn runs work that Close waits for.
func (c *Cashier) spawn(work func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.wg.Go(work)
	return nil
}

func (c *Cashier) now() time.Time { return c.o.Now().UTC().Truncate(time.Millisecond) }

func onlyOurselves(who identity.Caller) error {
	if !who.Is(identity.System) {
		return ErrForbidden
	}
	return nil
}

// Get returns the order's payment.
func (c *Cashier) Get(ctx context.Context, who identity.Caller, orderID string) (Payment, error) {
	if !who.May(identity.PaymentsRead) {
		return Payment{}, ErrForbidden
	}
	r, err := c.payments.Get(ctx, orderID)
	if err != nil {
		return Payment{}, notFound(err)
	}
	return r.view(), nil
}

func notFound(err error) error {
	if errors.Is(err, docstore.ErrNotFound) {
		return ErrNotFound
	}
	return err
}
