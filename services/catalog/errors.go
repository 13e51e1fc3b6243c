package catalog

import "ordergraph/platform/fault"

// What the catalogue answers instead of doing what it was asked.
var (
	ErrNotFound  = fault.New(fault.NotFound, "catalog.not_found", "There is no such thing in the catalogue.")
	ErrInput     = fault.New(fault.Invalid, "catalog.input", "This request to the catalogue is not valid.")
	ErrCursor    = fault.New(fault.Invalid, "catalog.cursor", "This cursor does not belong to this list. Start again without it.")
	ErrForbidden = fault.New(fault.PermissionDenied, "catalog.forbidden", "You may not change the catalogue.")
	ErrNotReady  = fault.New(fault.Unavailable, "catalog.not_ready", "The catalogue is still being read. Please try again in a moment.")
)
