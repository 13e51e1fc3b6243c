package invoice

import "ordergraph/platform/fault"

// What the invoice service answers instead of doing what it was asked.
var (
	ErrNotFound  = fault.New(fault.NotFound, "invoice.not_found", "There is no such invoice.")
	ErrPending   = fault.New(fault.Unavailable, "invoice.pending", "This invoice is still being written. Try again in a moment.")
	ErrInput     = fault.New(fault.Invalid, "invoice.input", "This request is not valid.")
	ErrForbidden = fault.New(fault.PermissionDenied, "invoice.forbidden", "You may not do this.")
	ErrCursor    = fault.New(fault.Invalid, "invoice.cursor", "This cursor does not belong to this list.")
	// ErrSeller is a setting without which no invoice may be written.
	ErrSeller = fault.New(fault.Invalid, "invoice.seller", "The seller's data are not complete.")
	// ErrAltered is a file that is not what was written: the store is damaged,
	// or somebody has changed it.
	ErrAltered = fault.New(fault.Internal, "invoice.altered", "This invoice is damaged. It has been noted.")
)
