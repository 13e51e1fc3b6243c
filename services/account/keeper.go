package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
)

// LeastCost is the least bcrypt cost that a shop may use.
const LeastCost = 10

const (
	defaultCost = 11
	mostCost    = 16
)

// MinKeySecret is the least length of Options.KeySecret in bytes.
const MinKeySecret = 32

// Bell tells who watches that something has changed.
type Bell interface {
	Ring(topic, key string, version int64)
}

// Options are what a Keeper needs. Store, Issuer and Audience must be given.
type Options struct {
	Store     docstore.Store
	Issuer    string // of access tokens: the shop's public URL
	Audience  string // of access tokens: the gateway's public URL, say
	KeySecret string // at least MinKeySecret bytes, the same in all copies; "": one that lies beside what it protects
	Bus       *events.Bus
	Listeners []string         // the groups that hear Topic
	Bell      Bell             // nil: nobody watches
	Cost      int              // bcrypt's, from LeastCost to 16; 0: 11
	Weak      bool             // allows a cost below LeastCost, for tests
	Hashers   int              // passwords hashed at once; 0: half the processors, at least one
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: silent
}

// Keeper is the account service. Any number of Keepers may share one store,
// in one process or in several.
type Keeper struct {
	o        Options
	accounts *docstore.Collection[accountDoc]
	sessions *docstore.Collection[sessionDoc]
	guards   *docstore.Collection[guardDoc]
	keys     *docstore.Collection[keyDoc]
	relay    *events.Relay[accountDoc] // nil where nobody listens
	secrets  secrets
	hasher   *hasher
	counts   counts

	ringMu sync.Mutex
	ring   keyRing
}

var _ Service = (*Keeper)(nil)

// New opens the account service's documents, and makes the first key that
// signs access tokens if there is none.
func New(ctx context.Context, o Options) (*Keeper, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Cost == 0 {
		o.Cost = defaultCost
	}
	if o.Hashers == 0 {
		o.Hashers = max(1, runtime.GOMAXPROCS(0)/2)
	}
	least := LeastCost
	if o.Weak {
		least = bcrypt.MinCost
	}
	switch {
	case o.Cost < least || o.Cost > mostCost:
		return nil, fmt.Errorf("account service: a bcrypt cost must be from %d to %d, and not %d", least, mostCost, o.Cost)
	case o.Issuer == "" || o.Audience == "":
		return nil, errors.New("account service: access tokens need an issuer and an audience")
	case o.KeySecret != "" && len(o.KeySecret) < MinKeySecret:
		return nil, fmt.Errorf("account service: the key secret needs at least %d bytes", MinKeySecret)
	}
	k := &Keeper{o: o, hasher: newHasher(o.Cost, o.Hashers)}
	var err error
	if k.accounts, err = docstore.Open[accountDoc](ctx, o.Store, accountSpec); err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	if k.sessions, err = docstore.Open[sessionDoc](ctx, o.Store, sessionSpec); err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	if k.guards, err = docstore.Open[guardDoc](ctx, o.Store, guardSpec); err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	if k.keys, err = docstore.Open[keyDoc](ctx, o.Store, keySpec); err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	if k.secrets, err = openSecrets(ctx, o.Store, o.KeySecret); err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	if o.Bus != nil && len(o.Listeners) > 0 {
		k.relay = events.NewRelay(o.Bus, Topic, k.accounts, func(d *accountDoc) *events.Outbox { return &d.Outbox }, events.RelayOptions{Now: o.Now, Log: o.Log})
	}
	if _, err := k.currentKeys(ctx); err != nil {
		return nil, fmt.Errorf("account service: %w", err)
	}
	return k, nil
}

// now is to the millisecond, as documents keep it.
func (k *Keeper) now() time.Time { return k.o.Now().UTC().Truncate(time.Millisecond) }

// Figures are what the service has counted since it began, for its operator.
type Figures struct {
	Comparisons   int64 // of passwords with hashes, those of unknown addresses too
	HashWork      int64 // done by bcrypt: two to the power of its cost, for each hash
	Busy          int64 // passwords not looked at, for too many were
	Slowed        int64 // attempts refused after too many failures
	Failures      int64 // wrong passwords, and unknown or unverified addresses
	SignIns       int64
	Reused        int64 // sessions ended because a refresh token came twice
	SessionsEnded int64
}

type counts struct {
	slowed, failures, signIns, reused, ended atomic.Int64
}

// Figures are the counts so far.
func (k *Keeper) Figures() Figures {
	return Figures{
		Comparisons: k.hasher.comparisons.Load(), HashWork: k.hasher.work.Load(), Busy: k.hasher.busy.Load(),
		Slowed: k.counts.slowed.Load(), Failures: k.counts.failures.Load(), SignIns: k.counts.signIns.Load(),
		Reused: k.counts.reused.Load(), SessionsEnded: k.counts.ended.Load(),
	}
}

// own is the id of the account that is meant, if the caller may see it, or
// change it where change is set.
func own(who identity.Caller, id string, change bool) (string, error) {
	permission := identity.CustomersRead
	if change {
		permission = identity.CustomersWrite
	}
	switch {
	case id == "" && who.CustomerID == "":
		return "", ErrSignIn
	case id == "":
		return who.CustomerID, nil
	case id == who.CustomerID, who.May(permission):
		return id, nil
	case who.CustomerID == "":
		return "", ErrSignIn
	}
	return "", ErrNotFound
}

// mayTouch answers ErrForbidden where the account is a colleague's and the
// caller only looks after customers.
func mayTouch(who identity.Caller, d *accountDoc) error {
	if d.Staff && d.ID != who.CustomerID && !who.May(identity.StaffWrite) {
		return ErrForbidden
	}
	return nil
}

// account is the document of an account that was not erased.
func (k *Keeper) account(ctx context.Context, id string) (accountDoc, error) {
	if len(id) > maxID {
		return accountDoc{}, ErrNotFound
	}
	doc, err := k.accounts.Get(ctx, id)
	if errors.Is(err, docstore.ErrNotFound) || err == nil && doc.ErasedAt != nil {
		return accountDoc{}, ErrNotFound
	}
	return doc, err
}

// change is Update for accounts: erased ones do not exist, what has run out
// goes, and facts are told.
func (k *Keeper) change(ctx context.Context, id string, change func(*accountDoc, time.Time) error) (accountDoc, error) {
	if len(id) > maxID {
		return accountDoc{}, ErrNotFound
	}
	doc, err := k.accounts.Update(ctx, id, func(d *accountDoc) error {
		if d.ErasedAt != nil {
			return ErrNotFound
		}
		now := k.now()
		d.prune(now)
		if err := change(d, now); err != nil {
			return err
		}
		d.UpdatedAt = now
		d.prune(now)
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return doc, ErrNotFound
	}
	if err == nil {
		k.tell(&doc)
	}
	return doc, err
}

// byLogin finds an account by its address.
func (k *Keeper) byLogin(ctx context.Context, login string) (doc accountDoc, found bool, err error) {
	page, err := k.accounts.Find(ctx, docstore.Query{Index: "login", Equal: []any{login}, Limit: 1})
	if err != nil || len(page.Items) == 0 {
		return doc, false, err
	}
	return page.Items[0], true, nil
}

// tell has the facts in the outbox told at once; should that get lost, the
// relay makes up for it.
func (k *Keeper) tell(doc *accountDoc) {
	if k.relay != nil {
		k.relay.Ring(doc)
	}
}
