// Package account knows the shop's customers and staff: who they are, how they
// show it, and what they want to be remembered.
package account

import (
	"context"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/token"
)

// Service is the contract of the account service.
//
// Customers see and change their own account only; somebody else's does not
// exist for them (ErrNotFound). Staff need identity.CustomersRead or
// identity.CustomersWrite. Where an id of an account is asked for, "" is the
// caller's own; ErrSignIn for guests.
//
// Nobody learns here whether an address has an account: Register,
// RequestVerification and RequestReset answer all addresses alike, and the
// difference is in the mail. SignIn says one thing, in one time, for an
// unknown address, a wrong password and an address not yet verified.
//
// Sources are the network addresses that requests come from; what is kept of
// them is a keyed hash of their network.
type Service interface {
	// Register opens an account and has a link mailed that verifies the
	// address; before that nobody can sign in. To an address that has an
	// account already another mail goes instead. ErrInput, ErrPassword.
	Register(ctx context.Context, who identity.Caller, in RegisterInput) error
	// RequestVerification has the link mailed once more. Where an address was
	// registered more than once before anybody verified it, a link that sets
	// a new password goes out instead, so that nobody verifies a stranger's.
	RequestVerification(ctx context.Context, who identity.Caller, email string) error
	// Verify takes the link's token: the address is the customer's, and the
	// password is the one given when this very link was asked for. Repeating
	// it is harmless while the link is good. ErrLink.
	Verify(ctx context.Context, who identity.Caller, oneTime string) error

	// SignIn begins a session. ErrCredentials; ErrSlowed after too many
	// failures, with the detail "retryAfter" in seconds; ErrBusy.
	SignIn(ctx context.Context, who identity.Caller, in SignInInput) (Tokens, error)
	// Refresh exchanges the refresh token for the next tokens of its session.
	// A token is good once. Within RefreshGrace it is answered once more with
	// the same successor, since an answer may get lost; later its second use
	// means that two parties hold it, and ends the session. ErrRefresh.
	Refresh(ctx context.Context, who identity.Caller, refresh string) (Tokens, error)
	// SignOut ends one session of the caller's; an unknown one has ended
	// already.
	SignOut(ctx context.Context, who identity.Caller, sessionID string) error
	// SignOutEverywhere ends all sessions of the account.
	SignOutEverywhere(ctx context.Context, who identity.Caller, id string) error
	// Sessions lists the account's sessions that have not ended, newest first.
	Sessions(ctx context.Context, who identity.Caller, id string) ([]Session, error)
	// EndedSessions answers which of the sessions, at most MaxSessionIDs,
	// have ended. For the program itself: ErrForbidden.
	EndedSessions(ctx context.Context, who identity.Caller, ids []string) ([]string, error)

	// ChangePassword ends all other sessions. ErrCredentials for a wrong
	// current password, ErrSlowed, ErrBusy, ErrPassword.
	ChangePassword(ctx context.Context, who identity.Caller, in ChangePasswordInput) error
	// RequestReset has a link mailed that sets a new password.
	RequestReset(ctx context.Context, who identity.Caller, email string) error
	// Reset takes that link's token, once, and ends all sessions. It verifies
	// the address too. ErrLink, ErrPassword, ErrBusy.
	Reset(ctx context.Context, who identity.Caller, in ResetInput) error

	// Get returns an account.
	Get(ctx context.Context, who identity.Caller, id string) (Customer, error)
	// Update changes the profile. ErrInput.
	Update(ctx context.Context, who identity.Caller, in UpdateInput) (Customer, error)
	// PutAddress adds an address, or replaces the one with its ID. The first
	// one becomes the default. ErrInput, ErrTooMany, ErrNoAddress.
	PutAddress(ctx context.Context, who identity.Caller, in AddressInput) (Customer, error)
	// RemoveAddress removes one; it may be gone already.
	RemoveAddress(ctx context.Context, who identity.Caller, id, addressID string) (Customer, error)
	// SetDefaultAddress says where deliveries usually go. ErrNoAddress.
	SetDefaultAddress(ctx context.Context, who identity.Caller, id, addressID string) (Customer, error)

	// List reads accounts in the order of their addresses. ErrForbidden,
	// ErrInput, ErrCursor.
	List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error)
	// CreateStaff opens a verified account with roles. Without a password a
	// link that sets one is mailed. identity.StaffWrite: ErrForbidden.
	// ErrInput, ErrPassword, ErrTaken.
	CreateStaff(ctx context.Context, who identity.Caller, in StaffInput) (Customer, error)
	// SetRoles says what somebody may do, and ends their sessions. Nobody
	// changes their own roles. identity.StaffWrite: ErrForbidden. ErrInput.
	SetRoles(ctx context.Context, who identity.Caller, id string, roles []identity.Role) (Customer, error)

	// Export returns all that is kept about somebody here.
	Export(ctx context.Context, who identity.Caller, id string) (Export, error)
	// Erase overwrites what is personal, ends all sessions and frees the
	// address; the id stays, for orders keep what the law wants. Customers
	// show their password. Repeating it is harmless. ErrCredentials,
	// ErrSlowed, ErrBusy.
	Erase(ctx context.Context, who identity.Caller, in EraseInput) error

	// Mail returns a message that FactMail told of, the same each time. For
	// the program itself: ErrForbidden. ErrNoMail when it is no longer of
	// use.
	Mail(ctx context.Context, who identity.Caller, id string) (Mail, error)
	// Keys are the keys that access tokens can be verified with, for anyone.
	Keys(ctx context.Context) ([]token.Key, error)
}

// Limits, all of them promises to callers.
const (
	AccessFor     = 10 * time.Minute    // an access token is good
	RefreshGrace  = 10 * time.Second    // a refresh token is answered once more
	IdleFor       = 30 * 24 * time.Hour // a session lives without being refreshed
	SessionFor    = 90 * 24 * time.Hour // a session lives at most
	VerifyFor     = 24 * time.Hour      // a link that verifies an address is good
	ResetFor      = time.Hour           // a link that sets a password is good
	InviteFor     = 72 * time.Hour      // a link for a new member of staff is good
	MaxAddresses  = 20                  // an account has
	MaxSessions   = 50                  // an account has; one more ends the oldest
	MaxSessionIDs = 500                 // EndedSessions is asked about at once
	MinPassword   = 8                   // characters
	MaxPassword   = 72                  // bytes: bcrypt reads no more
)

// RegisterInput opens an account.
type RegisterInput struct {
	Email            string
	Password         string
	FirstName        string
	LastName         string
	Phone            string // E.164, or empty
	Locale           string // BCP 47, for messages; "" means "en"
	AcceptsMarketing bool
	Source           string // the network address the request comes from
}

// SignInInput begins a session.
type SignInInput struct {
	Email    string
	Password string
	Source   string // the network address the request comes from
	Device   string // what the customer calls it, or a browser's name; at most 100 bytes, longer is cut
}

// Tokens are a session's.
type Tokens struct {
	Access         string // a JWT, for each request
	AccessExpires  time.Time
	Refresh        string // opaque, secret, for Refresh alone
	RefreshExpires time.Time
	SessionID      string
	Customer       Customer
}

// A Session is one sign-in on one device, until it ends.
type Session struct {
	ID        string
	Device    string
	CreatedAt time.Time
	UsedAt    time.Time // when it was last refreshed
	Expires   time.Time // unless it is refreshed before
}

// ChangePasswordInput changes the caller's own password.
type ChangePasswordInput struct {
	Current   string
	Password  string
	SessionID string // stays; "" ends this session too
	Source    string
}

// ResetInput sets a password by a mailed link.
type ResetInput struct {
	Token    string
	Password string
	Source   string // may sign in without delay from now on
}

// A Customer is an account as its owner sees it. Members of staff have one
// too, with their roles.
type Customer struct {
	ID                 string
	Version            int64 // grows with every change
	Email              string
	Verified           bool
	FirstName          string
	LastName           string
	Phone              string
	Locale             string
	AcceptsMarketing   bool
	MarketingChangedAt time.Time // when that was last said; zero: never
	Roles              []identity.Role
	Addresses          []Address
	DefaultAddressID   string
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// Address is a place to deliver to.
type Address struct {
	ID        string
	FirstName string
	LastName  string
	Company   string
	Address1  string
	Address2  string
	City      string
	Province  string // ISO 3166-2 subdivision without the country, or empty
	Zip       string
	Country   string // ISO 3166-1 alpha-2
	Phone     string // E.164, or empty
}

// UpdateInput changes what it names; nil stays as it is.
type UpdateInput struct {
	CustomerID       string
	FirstName        *string
	LastName         *string
	Phone            *string
	Locale           *string
	AcceptsMarketing *bool
}

// AddressInput adds or replaces an address.
type AddressInput struct {
	CustomerID string
	Address    Address // without an ID it is a new one
	Default    bool
}

// ListQuery asks for accounts.
type ListQuery struct {
	Email string // whose address begins like this; "" means all
	Staff bool   // only who works here
	After string // cursor
	Limit int    // at most 100; 0 means 20
}

// Page is a stretch of accounts.
type Page struct {
	Customers []Customer
	Cursors   []string // one per account
	HasMore   bool
}

// StaffInput takes somebody on.
type StaffInput struct {
	Email     string
	Password  string // "": a link is mailed
	FirstName string
	LastName  string
	Locale    string
	Roles     []identity.Role
}

// EraseInput forgets somebody.
type EraseInput struct {
	CustomerID string
	Password   string // not needed by who may do it for others
	Source     string
}

// Export is all that is kept about somebody, but for what only hashes know.
type Export struct {
	Customer Customer
	Sessions []Session
	Mails    []MailNote
}

// MailNote says that a message was due.
type MailNote struct {
	Kind MailKind
	At   time.Time
}

// MailKind is what a message is about.
type MailKind string

// The messages there are.
const (
	MailVerify            MailKind = "verify"             // Token verifies the address
	MailAlreadyRegistered MailKind = "already_registered" // somebody, perhaps the owner, tried to register the address; no token
	MailReset             MailKind = "reset"              // Token sets a new password
	MailInvite            MailKind = "invite"             // Token sets a first password, for new staff
	MailPasswordChanged   MailKind = "password_changed"   // no token
)

// Mail is a message to be sent. Token is a secret: it belongs in the mail's
// link and nowhere else.
type Mail struct {
	ID         string
	Kind       MailKind
	CustomerID string
	Email      string
	FirstName  string
	Locale     string
	Token      string // "" where the kind has none
	CreatedAt  time.Time
	Expires    time.Time // of the token; of the message where there is none
}
