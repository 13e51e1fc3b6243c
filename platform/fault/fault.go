// Package fault says what kind of trouble an error is, so that every edge can
// answer it properly and no edge has to read its text.
//
// A rule declares its error once, beside itself:
//
//	var ErrOutOfStock = fault.New(fault.Conflict, "inventory.out_of_stock", "This item is sold out.")
//
// Callers wrap it for operators with fmt.Errorf and %w, compare it with
// errors.Is (which goes by code, and so works across processes too), and the
// outermost layer translates kind and code into its protocol. The message is
// written for the person who caused the error; what is wrapped around it is
// for the log only.
package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// Kind classifies an error by what its receiver should do about it.
type Kind uint8

// The kinds, each with what its receiver should do.
const (
	Internal         Kind = iota // a defect of ours: log it, tell nothing
	Invalid                      // the input can never be right: change it
	NotFound                     // there is no such thing, or not for this caller
	Conflict                     // the world has moved on: look again, then decide
	Unauthenticated              // the caller is not known: sign in
	PermissionDenied             // the caller is known and may not
	Exhausted                    // too much at once: wait, then retry
	Unavailable                  // somebody is away: retry later
	DeadlineExceeded             // it took too long; the outcome may be unknown
	Canceled                     // the caller went away
)

var kindNames = [...]string{"internal", "invalid", "not_found", "conflict", "unauthenticated",
	"permission_denied", "exhausted", "unavailable", "deadline_exceeded", "canceled"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// An Error is one declared kind of trouble.
type Error struct {
	Kind    Kind
	Code    string            // "inventory.out_of_stock": stable, for programs
	Message string            // one neutral sentence, for people
	Details map[string]string // "field", "sku", …: never secrets or personal data
}

// New declares an error. Codes are "service.what_happened".
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is makes errors.Is compare by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// With returns a copy of e that carries one more detail.
func (e *Error) With(key, value string) *Error {
	c := *e
	c.Details = maps.Clone(e.Details)
	if c.Details == nil {
		c.Details = map[string]string{}
	}
	c.Details[key] = value
	return &c
}

// Field returns a copy of e that names the input field at fault, as a path
// like "lines.0.quantity".
func (e *Error) Field(path string) *Error { return e.With("field", path) }

// Say returns a copy of e with another sentence for people.
func (e *Error) Say(format string, args ...any) *Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...)
	return &c
}

// Of returns the declared error within err. Deadlines and cancellations of a
// context count as declared; anything else is an Internal error whose message
// gives nothing away. Of(nil) is nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errDeadline
	case errors.Is(err, context.Canceled):
		return errCanceled
	}
	return errInternal
}

// KindOf is the kind of Of(err).
func KindOf(err error) Kind { return Of(err).Kind }

var (
	errInternal = New(Internal, "internal", "Something went wrong on our side. It has been noted; please try again.")
	errDeadline = New(DeadlineExceeded, "deadline_exceeded", "This took too long. Please try again.")
	errCanceled = New(Canceled, "canceled", "The request was cancelled.")
)
