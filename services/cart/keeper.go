package cart

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ordergraph/platform/activity"
	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/services/catalog"
	"ordergraph/services/inventory"
)

// Catalog is what the cart asks the catalogue for: variants by id, each with
// its product. What does not exist is absent.
type Catalog interface {
	Variants(ctx context.Context, ids []string) (map[string]catalog.VariantOf, error)
}

// Stock is what the cart asks the inventory for: the stock of SKUs. What was
// never received is absent.
type Stock interface {
	Levels(ctx context.Context, skus []string) (map[string]inventory.Stock, error)
}

// Options are what a Keeper needs.
type Options struct {
	Store    docstore.Store
	Bus      *events.Bus // nil: nobody tells of customers who ask to be forgotten
	Catalog  Catalog
	Stock    Stock
	Rules    Rules              // without a currency: DefaultRules for EUR and DE
	Activity *activity.Recorder // nil: what happens is not counted for who watches
	Now      func() time.Time   // nil: time.Now
	Log      *slog.Logger       // nil: none
}

// A Keeper is the cart service: carts and discount codes in a document store.
// Any number of Keepers may share one store, in one process or in several.
type Keeper struct {
	carts       *docstore.Collection[cartDoc]
	discounts   *docstore.Collection[discountDoc]
	redemptions *docstore.Collection[redemptionDoc]
	catalog     Catalog
	stock       Stock
	bus         *events.Bus
	codes       *docstore.Crowd[discountDoc] // who uses discounts
	rules       Rules
	activity    *activity.Recorder
	clock       func() time.Time
	log         *slog.Logger
}

var _ Service = (*Keeper)(nil)

// New opens the carts in the store. ErrRules for rules that cannot be priced by.
func New(ctx context.Context, o Options) (*Keeper, error) {
	k := &Keeper{bus: o.Bus, catalog: o.Catalog, stock: o.Stock, rules: o.Rules, activity: o.Activity, clock: o.Now, log: o.Log}
	if k.rules.Currency == "" {
		k.rules = DefaultRules("EUR", "DE")
	}
	if err := k.rules.Check(); err != nil {
		return nil, fmt.Errorf("cart: %w", err)
	}
	if k.clock == nil {
		k.clock = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if k.carts, err = docstore.Open[cartDoc](ctx, o.Store, cartSpec); err != nil {
		return nil, err
	}
	if k.discounts, err = docstore.Open[discountDoc](ctx, o.Store, discountSpec); err != nil {
		return nil, err
	}
	k.codes = docstore.NewCrowd(k.discounts, nil)
	if k.redemptions, err = docstore.Open[redemptionDoc](ctx, o.Store, redemptionSpec); err != nil {
		return nil, err
	}
	return k, nil
}

// now is the time to the millisecond, as documents keep it.
func (k *Keeper) now() time.Time { return k.clock().UTC().Truncate(time.Millisecond) }

// newToken makes up the id of a cart: 130 random bits.
func newToken() string { return rand.Text() }

// keyOf is the id of the document that holds a cart. Whoever has a cart's id
// has the cart, so the store and the logs know only its hash.
func keyOf(token string) (key string, err error) {
	if token == "" || len(token) > 128 {
		return "", ErrNotFound
	}
	sum := sha256.Sum256([]byte(token))
	return base32.StdEncoding.EncodeToString(sum[:20]), nil
}

// orNotFound says of a missing document what the service says.
func orNotFound(err error) error {
	if errors.Is(err, docstore.ErrNotFound) {
		return ErrNotFound
	}
	return err
}
