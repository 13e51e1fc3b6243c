package fulfilment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
)

// Orders is what the fulfilment service asks of the orders.
type Orders interface {
	Get(ctx context.Context, who identity.Caller, id, accessToken string) (order.Order, error)
	List(ctx context.Context, who identity.Caller, q order.ListQuery) (order.Page, error)
}

// Inventory is what it asks of the stock.
type Inventory interface {
	Reservation(ctx context.Context, who identity.Caller, orderID string) (inventory.Reservation, error)
	Adjust(ctx context.Context, who identity.Caller, changes []inventory.Change) ([]inventory.Stock, error)
}

// Options of a Keeper. Store, Orders, Inventory and Carrier must be given.
type Options struct {
	Store     docstore.Store
	Bus       *events.Bus // nil: no facts are heard or rung
	Listeners []string    // the groups that hear Topic
	Orders    Orders
	Inventory Inventory
	Carrier   Carrier
	Call      time.Duration // how long one call to the carrier or a service may take; 4 s
	Track     time.Duration // how often the carrier is asked for a parcel of which it does not tell; 1 min
	// Auto lets the program pick, pack and ship by itself, each so long after
	// the step before: for a demo, where nobody works. 0: people do it.
	Auto time.Duration
	Now  func() time.Time // nil: time.Now
	Log  *slog.Logger     // nil: silent
}

// Keeper is the fulfilment service.
//
// All consignments of an order stand in one document, which decides: whether
// the order may still be called off, who picks, whether the carrier may have
// been asked. The carrier is called only after the write that says so, with a
// key made of the consignment, so that whoever finds a booking in doubt makes
// it again. Corrections of the stock are owed in the same write as their cause
// and made with a key, until the inventory has taken them.
type Keeper struct {
	o     Options
	docs  *docstore.Collection[document]
	relay *events.Relay[document] // nil where nobody listens
}

var (
	_ Service          = (*Keeper)(nil)
	_ order.Fulfilment = Service(nil)
)

// ourselves is on whose behalf other services are called.
var ourselves = identity.Ourselves()

// New opens the fulfilment service's documents.
func New(ctx context.Context, o Options) (*Keeper, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Call <= 0 {
		o.Call = 4 * time.Second
	}
	if o.Track <= 0 {
		o.Track = time.Minute
	}
	docs, err := docstore.Open[document](ctx, o.Store, spec())
	if err != nil {
		return nil, fmt.Errorf("fulfilment service: %w", err)
	}
	k := &Keeper{o: o, docs: docs}
	if o.Bus != nil && len(o.Listeners) > 0 {
		k.relay = events.NewRelay(o.Bus, Topic, docs, func(d *document) *events.Outbox { return &d.Outbox }, events.RelayOptions{Now: o.Now, Log: o.Log})
	}
	return k, nil
}

// now is to the millisecond, as documents keep it.
func (k *Keeper) now() time.Time { return k.o.Now().UTC().Truncate(time.Millisecond) }

// call is the context of one call to the carrier or another service.
func (k *Keeper) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, k.o.Call)
}

// write changes an order's document and rings the change. rule may answer
// docstore.Unchanged.
func (k *Keeper) write(ctx context.Context, orderID string, rule func(*document) error) (document, error) {
	return k.written(k.docs.Update(ctx, orderID, k.ruled(rule)))
}

// ruled is the rule with what every write ends with.
func (k *Keeper) ruled(rule func(*document) error) func(*document) error {
	return func(d *document) error {
		if err := rule(d); err != nil {
			return err
		}
		d.settle()
		k.ring(d)
		return nil
	}
}

func (k *Keeper) written(d document, err error) (document, error) {
	if errors.Is(err, docstore.ErrNotFound) {
		return d, ErrNotFound
	}
	if err == nil && k.relay != nil {
		k.relay.Ring(&d)
	}
	return d, err
}

// change applies a rule to one consignment on behalf of staff.
func (k *Keeper) change(ctx context.Context, who identity.Caller, id string, rule func(d *document, c *consignment) error) (document, Consignment, error) {
	if !who.May(identity.OrdersFulfil) {
		return document{}, Consignment{}, ErrForbidden
	}
	orderID, n, ok := splitID(id)
	if !ok {
		return document{}, Consignment{}, ErrNotFound
	}
	d, err := k.write(ctx, orderID, func(d *document) error {
		c := d.part(n)
		if c == nil {
			return ErrNotFound
		}
		return rule(d, c)
	})
	if err != nil {
		return document{}, Consignment{}, err
	}
	return d, d.show(d.part(n)), nil
}

// unfit is ErrState with what the consignment is.
func unfit(c *consignment) error { return ErrState.Say("The consignment is %s.", c.State) }
