// Package deadletter is what the shop has given up doing, kept until somebody
// tries it again or puts it away.
//
// A message that no provider takes dies, and so does a fact that a listener
// fails to take. Dead letters hold nothing else up. Whoever owns them keeps
// them with their history; Letters is how operators get at them, the same for
// all services, in this process or in others.
package deadletter

import (
	"context"
	"net/url"
	"strings"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// Kind is what died.
type Kind string

// The kinds.
const (
	Message Kind = "message" // to a customer
	Fact    Kind = "fact"    // from one service to another
)

// A Letter is a dead letter. Nothing in it is personal.
type Letter struct {
	ID       string // see ID
	Service  string // that keeps it
	Kind     Kind
	Key      string    // what it is about: a fact's key, a message's subject
	Type     string    // what it says: "order.changed", "confirmed"
	Listener string    // who did not take it: a service, or a message's channel
	Attempts []Attempt // oldest first; the latest MostAttempts
	DeadAt   time.Time
}

// An Attempt is one try that failed.
type Attempt struct {
	At      time.Time
	Outcome string // codes alone: "internal (reference)", "refused 550 5.1.1"
}

// MostAttempts is how many attempts are kept.
const MostAttempts = 20

// What Letters answer instead of doing what they were asked.
var (
	ErrForbidden = fault.New(fault.PermissionDenied, "deadletter.forbidden", "You may not do this.")
	// ErrNotFound is also answered for a letter that is not dead any more.
	ErrNotFound = fault.New(fault.NotFound, "deadletter.not_found", "There is no such dead letter.")
	ErrCursor   = fault.New(fault.Invalid, "deadletter.cursor", "This cursor does not belong to this list. Start again without it.")
	ErrService  = fault.New(fault.Invalid, "deadletter.service", "There is no such service.")
)

// Letters are the dead letters of one service, or of several.
type Letters interface {
	// List returns them service by service, the longest dead first. Where one of
	// several cannot be asked, the page says so.
	// identity.OperationsRead: ErrForbidden. ErrCursor, ErrService.
	List(ctx context.Context, who identity.Caller, q Query) (Page, error)
	// Get returns one. identity.OperationsRead: ErrForbidden. ErrNotFound.
	Get(ctx context.Context, who identity.Caller, id string) (Letter, error)
	// Replay tries it again, with as many attempts as a new one. Repeating it
	// is harmless while that is under way. identity.OperationsWrite:
	// ErrForbidden. ErrNotFound.
	Replay(ctx context.Context, who identity.Caller, id string) error
	// Drop puts it away for good, as if it had been taken.
	// identity.OperationsWrite: ErrForbidden. ErrNotFound.
	Drop(ctx context.Context, who identity.Caller, id string) error
	// About returns the facts that are undelivered, dead or not, about the
	// thing that the services know by this key: an order, by its id.
	// identity.OperationsRead: ErrForbidden.
	About(ctx context.Context, who identity.Caller, key string) (Report, error)
}

// A Query says which letters are listed.
type Query struct {
	Service string // "": of all
	Kind    Kind   // "": of both
	After   string // a cursor; "": from the start
	Limit   int    // at most MostListed, which is also meant by 0
}

// MostListed is how many letters one call lists at most.
const MostListed = 100

// LimitOr is the number of letters that the query asks for.
func (q Query) LimitOr() int {
	if q.Limit <= 0 || q.Limit > MostListed {
		return MostListed
	}
	return q.Limit
}

// A Page is a stretch of a list.
type Page struct {
	Letters []Letter
	Cursors []string // behind each of them
	HasMore bool
	Missing []string // the services that could not be asked: theirs are not among Letters
}

// ID names a letter: its service, its kind, and what tells it from others
// there, with slashes between.
func ID(service string, kind Kind, parts ...string) string {
	id := service + "/" + string(kind)
	for _, p := range parts {
		id += "/" + url.PathEscape(p)
	}
	return id
}

// mostID is how long an id may be that comes from outside.
const mostID = 2000

// Parts is what ID put together, behind service and kind; nil for an id that
// is not of them.
func Parts(id, service string, kind Kind) []string {
	rest, ok := strings.CutPrefix(id, service+"/"+string(kind)+"/")
	if !ok || len(id) > mostID {
		return nil
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		var err error
		if parts[i], err = url.PathUnescape(p); err != nil || parts[i] == "" {
			return nil
		}
	}
	return parts
}

// MayRead is nil for those who may look at dead letters.
func MayRead(who identity.Caller) error {
	if !who.May(identity.OperationsRead) {
		return ErrForbidden
	}
	return nil
}

// MayWrite is nil for those who may replay and drop them.
func MayWrite(who identity.Caller) error {
	if !who.May(identity.OperationsWrite) {
		return ErrForbidden
	}
	return nil
}
