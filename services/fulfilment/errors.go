package fulfilment

import "ordergraph/platform/fault"

// What the fulfilment service answers instead of doing what it was asked.
var (
	ErrNotFound  = fault.New(fault.NotFound, "fulfilment.not_found", "There is no such consignment.")
	ErrInput     = fault.New(fault.Invalid, "fulfilment.input", "This request is not valid.")
	ErrCursor    = fault.New(fault.Invalid, "fulfilment.cursor", "This cursor does not belong to this list. Start again without it.")
	ErrState     = fault.New(fault.Conflict, "fulfilment.state", "The consignment is not in a state for that.")
	ErrTaken     = fault.New(fault.Conflict, "fulfilment.taken", "Somebody else has this consignment in hand.")
	ErrShort     = fault.New(fault.Conflict, "fulfilment.short", "Not all of it was found. Pack the rest, ship it short, or call the order off.")
	ErrCarrier   = fault.New(fault.Conflict, "fulfilment.carrier", "The carrier does not take this parcel.")
	ErrForbidden = fault.New(fault.PermissionDenied, "fulfilment.forbidden", "You may not do this.")
)
