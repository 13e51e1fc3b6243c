// Package notification tells customers what has happened.
package notification

import (
	"context"
	"time"

	"ordergraph/platform/identity"
)

// Service is the contract of the notification service. What it sends, it sends
// by itself, when accounts and orders tell that something has happened; here
// customers and staff see what became of it.
//
// Nobody reads an address or a message here: both belong to the services that
// messages are about.
type Service interface {
	// OfOrder returns what was sent about an order, or is about to be, to who
	// may see the order: the customer it belongs to, anyone with its access
	// token, and who may identity.NotificationsRead. For everyone else there is
	// no such order: ErrNotFound.
	OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) (OrderMessages, error)
	// Versions returns the versions of orders' messages by the orders' ids; at
	// most MaxVersions at once. An order about which nothing was said has one,
	// too. It is for the program itself and staff who may
	// identity.NotificationsRead: ErrForbidden, ErrInput.
	Versions(ctx context.Context, who identity.Caller, orderIDs []string) (map[string]int64, error)
	// Get returns one message. identity.NotificationsRead or
	// identity.OperationsRead: ErrForbidden. ErrNotFound.
	Get(ctx context.Context, who identity.Caller, id string) (Notification, error)
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
	// Drop puts a dead one away: nobody is going to send it. Repeating it is
	// harmless. identity.OperationsWrite: ErrForbidden. ErrNotFound, ErrNotDead.
	Drop(ctx context.Context, who identity.Caller, id string) (Notification, error)
	// Resend sends once more what was sent, as a new message about the same.
	// As long as that one is queued, repeating it returns it.
	// identity.NotificationsResend: ErrForbidden. ErrNotFound; ErrNotSent where
	// it was not sent yet, or not for a reason that lasts.
	Resend(ctx context.Context, who identity.Caller, id string) (Notification, error)
}

// MaxVersions is how many orders' versions are told at once.
const MaxVersions = 500

// OrderMessages are the messages about one order.
type OrderMessages struct {
	OrderID       string
	Version       int64          // grows with every change of what is shown here, but for an attempt that has only begun
	Notifications []Notification // oldest first; at most the latest 100
}

// OrderSubject is the subject of messages about an order.
func OrderSubject(id string) string { return "order:" + id }

// AccountSubject is the subject of messages about an account.
func AccountSubject(customerID string) string { return "account:" + customerID }

// Channel is the way a message takes.
type Channel string

// The channels.
const (
	Mail Channel = "MAIL"
	SMS  Channel = "SMS"
)

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
	OrderShipped      Kind = "shipped"
	OrderDelivered    Kind = "delivered"
	OrderCancelled    Kind = "cancelled"
	OrderRefunded     Kind = "refunded"
	InvoiceFollows    Kind = "invoice" // the invoice that was not ready when the order's confirmation went out
)

// Status is how far a message has come.
type Status string

// A message is queued until it ends in one of the others. An SMS that was sent
// moves on to Delivered or Undelivered when its provider tells.
const (
	Queued      Status = "QUEUED"
	Sent        Status = "SENT"        // the provider has taken it
	Delivered   Status = "DELIVERED"   // the provider says that it has arrived
	Undelivered Status = "UNDELIVERED" // the provider took it, and says that it cannot arrive
	Dead        Status = "DEAD"        // given up; see Replay
	Dropped     Status = "DROPPED"     // given up, and put away by an operator
	Obsolete    Status = "OBSOLETE"    // no longer of use before it could be sent, as when its link has expired
	OptedOut    Status = "OPTED_OUT"   // the customer wants no messages of this channel
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
	Route   string // the provider it took: "mail", "sms-2", …
	Outcome string // "" while unknown, else "sent", "deferred 451 4.3.0", …; never an address
}

// Page is a stretch of notifications.
type Page struct {
	Notifications []Notification
	Next          string // where the next page begins; "": there is none
}
