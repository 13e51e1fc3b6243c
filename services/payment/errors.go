package payment

import "ordergraph/platform/fault"

// What the payment service answers instead of doing what it was asked.
var (
	ErrInput     = fault.New(fault.Invalid, "payment.input", "This payment is not valid.")
	ErrMismatch  = fault.New(fault.Conflict, "payment.mismatch", "This order was to be paid differently before.")
	ErrNotFound  = fault.New(fault.NotFound, "payment.not_found", "There is no payment for this order.")
	ErrState     = fault.New(fault.Conflict, "payment.state", "The payment is not in a state that allows this.")
	ErrTooMuch   = fault.New(fault.Conflict, "payment.too_much", "This is more than is left to give back.")
	ErrForbidden = fault.New(fault.PermissionDenied, "payment.forbidden", "You may not do this to a payment.")

	errClosed = fault.New(fault.Unavailable, "payment.closed", "The shop is closing down. Please try again in a moment.")
)
