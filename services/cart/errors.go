package cart

import "ordergraph/platform/fault"

// What the cart service answers instead of doing what it was asked.
var (
	ErrNotFound  = fault.New(fault.NotFound, "cart.not_found", "There is no such cart.")
	ErrInput     = fault.New(fault.Invalid, "cart.input", "This request to the cart is not valid.")
	ErrUnclaimed = fault.New(fault.Conflict, "cart.unclaimed", "The order gave this cart back.")
	ErrSignIn    = fault.New(fault.Unauthenticated, "cart.sign_in", "Sign in first.")
	ErrForbidden = fault.New(fault.PermissionDenied, "cart.forbidden", "You may not do this.")
	ErrCompleted = fault.New(fault.Conflict, "cart.completed", "An order was made of this cart.")
	ErrBusy      = fault.New(fault.Exhausted, "cart.busy", "Too many orders at once use this discount code. Please try again.")
)
