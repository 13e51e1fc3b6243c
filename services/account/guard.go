package account

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"ordergraph/platform/docstore"
)

// Passwords are guarded per address, whether an account has it or not.
//
// An attempt counts as failed until it has succeeded: it is noted before the
// password is looked at, so that a thousand attempts at once are not all the
// first. The first few from one network are free; then each failure doubles
// the wait. Failures from networks that nobody has signed in from are counted
// together as well, for who has many networks; a network that the owner has
// signed in from lately is measured by its own failures alone. So who guesses
// is slowed, and the owner at home is not. An owner elsewhere, while somebody
// guesses, comes in by the link that sets a new password.
const (
	freeFailures    = 5                   // from one network
	freeElsewhere   = 20                  // from all unknown networks together
	firstDelay      = time.Second         // doubled by each failure
	lastDelay       = 15 * time.Minute    //
	failuresKept    = 24 * time.Hour      // after the last one
	knownFor        = 90 * 24 * time.Hour // since the last sign-in from there
	maxSources      = 50                  // remembered with failures
	maxKnown        = 20                  // remembered as known
	bitsV4, bitsV6  = 24, 48              // of an address that make its network
	sourceUnknown   = "-"                 // all that give no address together
	decoys          = 16
	decoyPrefix     = "decoy-"
	guardSweepIndex = "forget"
)

// A guardDoc is what is remembered of attempts at one address.
type guardDoc struct {
	docstore.Meta `bson:",inline"`
	Sources       []sourceDoc `bson:"sources,omitempty"`
	Elsewhere     failures    `bson:"elsewhere"` // from unknown networks
	Forget        time.Time   `bson:"forget"`
}

type failures struct {
	Count int       `bson:"count,omitempty"`
	Last  time.Time `bson:"last"`
}

type sourceDoc struct {
	Trace    string     `bson:"trace"`
	Failures failures   `bson:"failures"`
	SignedIn *time.Time `bson:"signedIn,omitempty"` // last
}

var guardSpec = docstore.Spec{Name: "guards", Indexes: []docstore.Index{{Name: guardSweepIndex, Fields: []string{"forget"}}}}

// wait is how long it is until another attempt may be made.
func (f failures) wait(free int, now time.Time) time.Duration {
	if f.Count < free || now.Sub(f.Last) >= failuresKept {
		return 0
	}
	delay := lastDelay
	if n := f.Count - free; n < 10 {
		delay = min(firstDelay<<n, lastDelay)
	}
	return max(0, f.Last.Add(delay).Sub(now))
}

func (f *failures) add(now time.Time) {
	if now.Sub(f.Last) >= failuresKept {
		f.Count = 0
	}
	f.Count, f.Last = f.Count+1, now
}

// takeBack undoes one add; what the others were stays.
func (f *failures) takeBack() { f.Count = max(0, f.Count-1) }

func (s *sourceDoc) isKnown(now time.Time) bool {
	return s != nil && s.SignedIn != nil && now.Sub(*s.SignedIn) < knownFor
}

func (g *guardDoc) source(trace string) *sourceDoc {
	i := slices.IndexFunc(g.Sources, func(s sourceDoc) bool { return s.Trace == trace })
	if i < 0 {
		return nil
	}
	return &g.Sources[i]
}

// mustWait is how long the source has to wait.
func (g *guardDoc) mustWait(trace string, now time.Time) time.Duration {
	s := g.source(trace)
	var wait time.Duration
	if s != nil {
		wait = s.Failures.wait(freeFailures, now)
	}
	if !s.isKnown(now) {
		wait = max(wait, g.Elsewhere.wait(freeElsewhere, now))
	}
	return wait
}

// note adds the source as the latest, and forgets what is too much or too old.
func (g *guardDoc) note(trace string, now time.Time, change func(*sourceDoc)) {
	s := sourceDoc{Trace: trace}
	if old := g.source(trace); old != nil {
		s = *old
	}
	change(&s)
	known, failing := 0, 0
	kept := []sourceDoc{s}
	for _, other := range g.Sources { // the latest first
		switch {
		case other.Trace == trace:
		case other.isKnown(now):
			if known++; known < maxKnown {
				kept = append(kept, other)
			}
		case now.Sub(other.Failures.Last) < failuresKept:
			if failing++; failing < maxSources {
				kept = append(kept, other)
			}
		}
	}
	g.Sources = kept
	g.Forget = now.Add(failuresKept)
	for _, s := range kept {
		if s.isKnown(now) && s.SignedIn.Add(knownFor).After(g.Forget) {
			g.Forget = s.SignedIn.Add(knownFor)
		}
	}
}

// sourceOf is what is kept of a network address: a hash of its network.
func (k *Keeper) sourceOf(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return sourceUnknown
	}
	a = a.Unmap().WithZone("")
	bits := bitsV6
	if a.Is4() {
		bits = bitsV4
	}
	network, err := a.Prefix(bits)
	if err != nil {
		return sourceUnknown
	}
	return k.secrets.traceOf("source", network.String())
}

// guardOf is the id of an address's guard.
func (k *Keeper) guardOf(login string) string { return k.secrets.traceOf("login", login) }

// An attempt at a password, until it is known how it went.
type attempt struct {
	guard  string
	source string
}

// attempt notes an attempt from the source, or answers ErrSlowed.
func (k *Keeper) attempt(ctx context.Context, login, source string) (attempt, error) {
	a := attempt{guard: k.guardOf(login), source: source}
	slowed := func(wait time.Duration) error {
		k.counts.slowed.Add(1)
		seconds := int64((wait + time.Second - 1) / time.Second)
		return ErrSlowed.With("retryAfter", strconv.FormatInt(seconds, 10))
	}
	// Those that have to wait cost one read.
	doc, err := k.guards.Get(ctx, a.guard)
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return a, err
	}
	if wait := doc.mustWait(source, k.now()); wait > 0 {
		return a, slowed(wait)
	}
	_, err = k.guards.Upsert(ctx, a.guard, func(g *guardDoc) error {
		now := k.now()
		if wait := g.mustWait(source, now); wait > 0 {
			return slowed(wait)
		}
		known := g.source(source).isKnown(now)
		g.note(source, now, func(s *sourceDoc) { s.Failures.add(now) })
		if !known {
			g.Elsewhere.add(now)
		}
		return nil
	})
	return a, err
}

// succeeded notes that the attempt was right: its network is the owner's.
func (k *Keeper) succeeded(ctx context.Context, a attempt) error {
	_, err := k.guards.Upsert(ctx, a.guard, func(g *guardDoc) error {
		now := k.now()
		if !g.source(a.source).isKnown(now) {
			g.Elsewhere.takeBack()
		}
		g.note(a.source, now, func(s *sourceDoc) {
			s.Failures = failures{}
			if a.source != sourceUnknown {
				s.SignedIn = &now
			}
		})
		return nil
	})
	return err
}

// giveBack undoes an attempt that was not made after all.
func (k *Keeper) giveBack(ctx context.Context, a attempt) error {
	_, err := k.guards.Upsert(ctx, a.guard, func(g *guardDoc) error {
		now := k.now()
		if !g.source(a.source).isKnown(now) {
			g.Elsewhere.takeBack()
		}
		g.note(a.source, now, func(s *sourceDoc) { s.Failures.takeBack() })
		return nil
	})
	return err
}

// welcome notes that the owner was at the source, shown by a mailed link.
func (k *Keeper) welcome(ctx context.Context, login, source string) error {
	if source == sourceUnknown {
		return nil
	}
	return k.succeeded(ctx, attempt{guard: k.guardOf(login), source: source})
}

// decoy is a write for an address that has no account, where one that has
// costs a write, so that the time taken tells nothing.
func (k *Keeper) decoy(ctx context.Context, login string) error {
	id := decoyPrefix + strconv.Itoa(int(k.guardOf(login)[0])%decoys)
	_, err := k.guards.Upsert(ctx, id, func(g *guardDoc) error {
		g.Forget = k.now().Add(failuresKept)
		return nil
	})
	return err
}

// prove checks a password of the account's, or of nobody's where the address
// has no account: ErrCredentials, ErrSlowed, ErrBusy.
func (k *Keeper) prove(ctx context.Context, login, address, hash, password string) error {
	source := k.sourceOf(address)
	try, err := k.attempt(ctx, login, source)
	if err != nil {
		return err
	}
	inQueue := source
	if source == sourceUnknown {
		inQueue = ""
	}
	right, err := k.hasher.compare(ctx, inQueue, hash, password)
	if err != nil {
		// The password was not looked at. The caller may have gone; this is
		// still to be noted.
		if giveBack := k.giveBack(context.WithoutCancel(ctx), try); giveBack != nil {
			k.o.Log.WarnContext(ctx, "an attempt that was not made counts as failed", "error", giveBack)
		}
		return err
	}
	if !right {
		k.counts.failures.Add(1)
		return ErrCredentials
	}
	return k.succeeded(ctx, try)
}
