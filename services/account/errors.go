package account

import "ordergraph/platform/fault"

// What the account service answers instead of doing what it was asked.
var (
	ErrNotFound  = fault.New(fault.NotFound, "account.not_found", "There is no such account.")
	ErrInput     = fault.New(fault.Invalid, "account.input", "This request is not valid.")
	ErrSignIn    = fault.New(fault.Unauthenticated, "account.sign_in", "Sign in first.")
	ErrForbidden = fault.New(fault.PermissionDenied, "account.forbidden", "You may not do this.")
	ErrCursor    = fault.New(fault.Invalid, "account.cursor", "This cursor does not belong to this list. Start again without it.")

	// ErrPassword is a new password that cannot be taken; its message says why.
	ErrPassword = fault.New(fault.Invalid, "account.password", "This password cannot be used.")
	// ErrCredentials says the same of an unknown address, a wrong password and
	// an address that is not verified.
	ErrCredentials = fault.New(fault.Unauthenticated, "account.credentials", "The e-mail address or the password is wrong, or the address has not been confirmed yet: look for our mail.")
	// ErrSlowed is a password tried after too many wrong ones. The detail
	// "retryAfter" says in how many seconds it may be tried again.
	ErrSlowed = fault.New(fault.Exhausted, "account.slowed", "There were too many failed attempts. Please wait before you try again.")
	// ErrBusy is a password that could not be checked: too many others are.
	ErrBusy = fault.New(fault.Exhausted, "account.busy", "Too many people are signing in right now. Please try again in a moment.")
	// ErrRefresh is a refresh token that is unknown, was used, or whose session has ended.
	ErrRefresh = fault.New(fault.Unauthenticated, "account.refresh", "This session has ended. Please sign in again.")
	// ErrLink is a one-time token that was never issued, has expired or was used.
	ErrLink = fault.New(fault.Invalid, "account.link", "This link is no longer good. Please ask for a new one.")

	ErrTaken     = fault.New(fault.Conflict, "account.taken", "There is an account with this address already; give it roles instead.")
	ErrTooMany   = fault.New(fault.Conflict, "account.too_many_addresses", "The address book is full. Remove an address first.")
	ErrNoAddress = fault.New(fault.NotFound, "account.no_address", "There is no such address in the address book.")
	ErrNoMail    = fault.New(fault.NotFound, "account.no_mail", "There is no such message, or it is no longer of use.")
)
