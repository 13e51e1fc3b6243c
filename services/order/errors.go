package order

import "ordergraph/platform/fault"

// What the order service answers instead of doing what it was asked.
var (
	ErrNotFound  = fault.New(fault.NotFound, "order.not_found", "There is no such order.")
	ErrInput     = fault.New(fault.Invalid, "order.input", "This request is not valid.")
	ErrKeyReused = fault.New(fault.Conflict, "order.key_reused", "This idempotency key was used for another checkout. Use a new one.")
	ErrTooLate   = fault.New(fault.Conflict, "order.too_late", "This order can no longer be cancelled.")
	ErrTooMuch   = fault.New(fault.Conflict, "order.too_much", "This is more than is left to be given back.")
	ErrSignIn    = fault.New(fault.Unauthenticated, "order.sign_in", "Sign in to see your orders.")
	ErrCursor    = fault.New(fault.Invalid, "order.cursor", "This cursor does not belong to this list. Start again without it.")
)

// What else a refund may be refused for.
var (
	ErrNotRefundable = fault.New(fault.Conflict, "order.not_refundable", "This order has no money to be given back.")
	ErrNotSent       = fault.New(fault.Conflict, "order.not_sent", "The goods have not left the house. Call the order off instead: all of the money goes back, and the goods stay.")
)

// ErrForbidden is a call that only staff and the program itself may make, by
// somebody else.
var ErrForbidden = fault.New(fault.PermissionDenied, "order.forbidden", "You may not do this.")
