package notification

import "ordergraph/platform/fault"

// What the notification service answers instead of doing what it was asked.
var (
	ErrForbidden = fault.New(fault.PermissionDenied, "notification.forbidden", "You may not do this.")
	ErrInput     = fault.New(fault.Invalid, "notification.input", "This request is not valid.")
	ErrCursor    = fault.New(fault.Invalid, "notification.cursor", "This cursor does not belong to this list. Start again without it.")
	ErrNotFound  = fault.New(fault.NotFound, "notification.not_found", "There is no such notification.")
	// ErrNotDead is a Replay or Drop of what was not given up.
	ErrNotDead = fault.New(fault.Conflict, "notification.not_dead", "Only notifications that were given up can be tried again or put away.")
	// ErrNotSent is a Resend of what was never sent.
	ErrNotSent = fault.New(fault.Conflict, "notification.not_sent", "Only notifications that were sent can be sent once more.")
)
