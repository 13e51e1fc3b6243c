package inventory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
)

// Options are what a Keeper needs.
type Options struct {
	Store     docstore.Store
	Bus       *events.Bus      // nil: facts wait in their outboxes
	Listeners []string         // the groups that hear Topic
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: silent
}

// A Keeper is the inventory service over a document store. Any number of
// Keepers may share one store, in one process or in several.
type Keeper struct {
	stock        *docstore.Collection[stockDoc]
	shelves      *docstore.Collection[shelfDoc] // stock, to read
	movements    *docstore.Collection[moveDoc]
	reservations *docstore.Collection[reservationDoc]
	warehouses   *docstore.Collection[warehouseDoc]
	relay        *events.Relay[stockDoc] // nil without a bus
	listeners    []string
	now          func() time.Time
	log          *slog.Logger

	crowd   *docstore.Crowd[stockDoc] // who changes stock
	entries entries
	places  placesCache
	filling chan struct{} // held by who fills
	filled  struct {      // how far stock has been looked through, see fill
		upTo docstore.Cursor
		done bool
	}
}

var _ Service = (*Keeper)(nil)

// New opens the stock in the store.
func New(ctx context.Context, o Options) (*Keeper, error) {
	k := &Keeper{listeners: o.Listeners, now: o.Now, log: o.Log, filling: make(chan struct{}, 1)}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if k.stock, err = docstore.Open[stockDoc](ctx, o.Store, stockSpec); err != nil {
		return nil, err
	}
	k.crowd = docstore.NewCrowd(k.stock, k.follow)
	if k.shelves, err = docstore.Open[shelfDoc](ctx, o.Store, stockSpec); err != nil {
		return nil, err
	}
	if k.movements, err = docstore.Open[moveDoc](ctx, o.Store, movementSpec); err != nil {
		return nil, err
	}
	if k.reservations, err = docstore.Open[reservationDoc](ctx, o.Store, reservationSpec); err != nil {
		return nil, err
	}
	if k.warehouses, err = docstore.Open[warehouseDoc](ctx, o.Store, docstore.Spec{Name: "warehouses"}); err != nil {
		return nil, err
	}
	if o.Bus != nil {
		k.relay = events.NewRelay(o.Bus, Topic, k.stock, func(d *stockDoc) *events.Outbox { return &d.Outbox },
			events.RelayOptions{Now: k.now, Log: k.log})
	}
	return k, nil
}

// Levels returns the stock of many SKUs in one call.
func (k *Keeper) Levels(ctx context.Context, skus []string) (map[string]Stock, error) {
	if len(skus) > MaxSKUs {
		return nil, ErrInput.Say("%d SKUs are too many for one call; ask for at most %d.", len(skus), MaxSKUs).Field("skus")
	}
	docs, err := k.shelves.GetMany(ctx, slices.DeleteFunc(slices.Clone(skus), func(sku string) bool { return !IsSKU(sku) }))
	if err != nil {
		return nil, err
	}
	levels := make(map[string]Stock, len(docs))
	for sku, d := range docs {
		levels[sku] = d.show()
	}
	return levels, nil
}

// Stock returns one SKU's, for people.
func (k *Keeper) Stock(ctx context.Context, who identity.Caller, sku string) (Stock, error) {
	if !who.May(identity.StockRead) {
		return Stock{}, ErrForbidden
	}
	levels, err := k.Levels(ctx, []string{sku})
	if err != nil {
		return Stock{}, err
	}
	stock, ok := levels[sku]
	if !ok {
		return Stock{}, ErrUnknownSKU
	}
	return stock, nil
}

type warehouseDoc struct {
	docstore.Meta `bson:",inline"`
	Name          string `bson:"name"`
	Country       string `bson:"country"`
	Priority      int    `bson:"priority"`
}

// placesCache keeps the few warehouses in memory for a moment: every
// reservation asks in which order to draw on them.
type placesCache struct {
	mu    sync.Mutex
	until time.Time
	all   []Warehouse
	order map[string]int
}

const placesFor = 2 * time.Second

// Warehouses lists them in order of priority.
func (k *Keeper) Warehouses(ctx context.Context) ([]Warehouse, error) {
	all, _, err := k.allPlaces(ctx)
	return slices.Clone(all), err
}

func (k *Keeper) allPlaces(ctx context.Context) ([]Warehouse, map[string]int, error) {
	k.places.mu.Lock()
	defer k.places.mu.Unlock()
	if time.Now().Before(k.places.until) {
		return k.places.all, k.places.order, nil
	}
	var all []Warehouse
	for d, err := range k.warehouses.All(ctx, docstore.Query{}) {
		if err != nil {
			return nil, nil, err
		}
		all = append(all, Warehouse{ID: d.ID, Name: d.Name, Country: d.Country, Priority: d.Priority})
	}
	slices.SortStableFunc(all, func(a, b Warehouse) int { return a.Priority - b.Priority })
	k.places.all, k.places.order = all, map[string]int{}
	for i, w := range all {
		k.places.order[w.ID] = i
	}
	k.places.until = time.Now().Add(placesFor)
	return k.places.all, k.places.order, nil
}

// PutWarehouse adds or changes a warehouse.
func (k *Keeper) PutWarehouse(ctx context.Context, who identity.Caller, w Warehouse) error {
	if !who.May(identity.WarehousesWrite) {
		return ErrForbidden
	}
	if !plain(w.ID, 64) {
		return ErrInput.Say("A warehouse's id is 1 to 64 letters, digits, - and _.").Field("id")
	}
	if len(w.Name) > 200 || !utf8.ValidString(w.Name) {
		return ErrInput.Say("A warehouse's name has at most 200 bytes.").Field("name")
	}
	if w.Country != "" && (len(w.Country) != 2 || strings.Trim(w.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return ErrInput.Say("A country is two capital letters, as in ISO 3166-1.").Field("country")
	}
	if w.Priority < -1000 || w.Priority > 1000 {
		return ErrInput.Say("A priority is from -1000 to 1000.").Field("priority")
	}
	_, err := k.warehouses.Upsert(ctx, w.ID, func(d *warehouseDoc) error {
		if d.Version > 0 && d.Name == w.Name && d.Country == w.Country && d.Priority == w.Priority {
			return docstore.Unchanged
		}
		d.Name, d.Country, d.Priority = w.Name, w.Country, w.Priority
		return nil
	})
	k.forgetPlaces()
	return err
}

func (k *Keeper) forgetPlaces() {
	k.places.mu.Lock()
	defer k.places.mu.Unlock()
	k.places.until = time.Time{}
}

// plain says whether s is 1 to most letters, digits, - and _.
func plain(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if !(c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return true
}

// IsSKU says whether s can be a SKU: 1 to MaxSKU bytes of text without control
// characters.
func IsSKU(s string) bool {
	if s == "" || len(s) > MaxSKU || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return true
}

// total adds lines of one SKU up and sorts them, so that all who lock several
// do it in one order.
func total(lines []Line) ([]Line, error) {
	if len(lines) == 0 || len(lines) > MaxLines {
		return nil, ErrInput.Say("A reservation has 1 to %d lines.", MaxLines).Field("lines")
	}
	sum := map[string]int64{}
	for i, l := range lines {
		if !IsSKU(l.SKU) {
			return nil, ErrInput.Say("A SKU is 1 to 255 printable characters.").Field(fmt.Sprintf("lines.%d.sku", i))
		}
		if l.Quantity < 1 || l.Quantity > MaxQuantity {
			return nil, ErrInput.Say("A quantity is from 1 to %d.", MaxQuantity).Field(fmt.Sprintf("lines.%d.quantity", i))
		}
		sum[l.SKU] += l.Quantity
	}
	all := make([]Line, 0, len(sum))
	for _, sku := range slices.Sorted(maps.Keys(sum)) {
		all = append(all, Line{sku, sum[sku]})
	}
	return all, nil
}

// Run expires reservations, finishes what a crash left half done, keeps the
// ledger, rings facts, and makes what older versions wrote ready to be listed,
// until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	parts := []work.Part{{Name: "inventory's sweep", Every: sweepEvery, Run: k.Sweep}, {Name: "inventory's list of what is scarce", Run: k.fill}}
	if k.relay != nil {
		parts = append(parts, work.Part{Name: "inventory's relay", Run: k.relay.Run})
	}
	work.Keep(ctx, k.log, parts...)
	return ctx.Err()
}

// Sweep does once all that is due.
func (k *Keeper) Sweep(ctx context.Context) error {
	return errors.Join(k.finish(ctx), k.expireHolds(ctx), k.flushDue(ctx))
}
