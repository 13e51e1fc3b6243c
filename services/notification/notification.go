// Package notification tells customers what has happened.
package notification

import (
	"context"
	"time"

	"ordergraph/platform/identity"
)

// Service is the contract of the notification service. What it sends, it sends
// by itself, when accounts and orders tell that something has happened; here
// staff see what became of it.
//
// Nobody reads an address or a message here: both belong to the services that
// messages are about.
type Service interface {
	// List returns what was sent about a subject, or is about to be, oldest
	// first; at most the latest 100. Subjects are OrderSubject and
	// AccountSubject. identity.NotificationsRead: ErrForbidden. ErrInput.
	List(ctx context.Context, who identity.Caller, subject string) ([]Notification, error)
	// Dead returns those given up, the longest dead first.
	// identity.OperationsRead: ErrForbidden. ErrCursor.
	Dead(ctx context.Context, who identity.Caller, after string) (Page, error)
	// Replay tries a dead one again, with as many attempts as a new one.
	// Repeating it is harmless while it waits. identity.OperationsWrite or
	// identity.NotificationsResend: ErrForbidden. ErrNotFound; ErrNotDead
	// where it was sent, or is no longer of use.
	Replay(ctx context.Context, who identity.Caller, id string) (Notification, error)
}

// OrderSubject is the subject of messages about an order.
func OrderSubject(id string) string { return "order:" + id }

// AccountSubject is the subject of messages about an account.
func AccountSubject(customerID string) string { return "account:" + customerID }

// Channel is the way a message takes.
type Channel string

// Mail is the one channel so far.
const Mail Channel = "MAIL"

// Kind is what a message says.
type Kind string

// The kinds of message. Those of accounts are as the account service calls them.
const (
	Verify            Kind = "verify"
	AlreadyRegistered Kind = "already_registered"
	Reset             Kind = "reset"
	Invite            Kind = "invite"
	PasswordChanged   Kind = "password_changed"
	OrderConfirmed    Kind = "confirmed"
	OrderFailed       Kind = "failed" // after the customer had been told that it was under way
	OrderCancelled    Kind = "cancelled"
	OrderRefunded     Kind = "refunded"
)

// Status is how far a message has come.
type Status string

// A message is queued until it ends in one of the others.
const (
	Queued   Status = "QUEUED"
	Sent     Status = "SENT"     // the provider has taken it
	Dead     Status = "DEAD"     // given up; see Replay
	Obsolete Status = "OBSOLETE" // no longer of use before it could be sent, as when its link has expired
)

// A Notification is one message to one customer.
type Notification struct {
	ID        string // of its cause: the same happening never makes two
	Subject   string // OrderSubject or AccountSubject
	Kind      Kind
	Channel   Channel
	Status    Status
	MessageID string // the mail's, the same at every attempt
	Attempts  []Attempt
	Repeats   int // attempts made although an earlier one may have succeeded
	CreatedAt time.Time
	UpdatedAt time.Time
	NextAt    time.Time // of the next attempt, while queued
}

// An Attempt is one try to send, noted before it is made; the latest 20 are kept.
type Attempt struct {
	At      time.Time
	Outcome string // "" while unknown, else "sent", "deferred 451 4.3.0", …; never an address
}

// Page is a stretch of notifications.
type Page struct {
	Notifications []Notification
	Next          string // where the next page begins; "": there is none
}
