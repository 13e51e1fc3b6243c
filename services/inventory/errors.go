package inventory

import "ordergraph/platform/fault"

// What the inventory answers instead of doing what it was asked.
var (
	ErrInput         = fault.New(fault.Invalid, "inventory.input", "This request for stock is not valid.")
	ErrCursor        = fault.New(fault.Invalid, "inventory.cursor", "This cursor does not belong to this list. Start again without it.")
	ErrOutOfStock    = fault.New(fault.Conflict, "inventory.out_of_stock", "This item is sold out.")
	ErrUnknownSKU    = fault.New(fault.NotFound, "inventory.unknown_sku", "There is no such SKU.")
	ErrNoReservation = fault.New(fault.NotFound, "inventory.no_reservation", "Nothing is reserved for this order.")
	ErrReleased      = fault.New(fault.Conflict, "inventory.released", "The stock reserved for this order was given back.")
	ErrCommitted     = fault.New(fault.Conflict, "inventory.committed", "The stock reserved for this order is sold.")
	ErrNegative      = fault.New(fault.Conflict, "inventory.negative", "There would be less stock than is promised to buyers.")
	ErrNoWarehouse   = fault.New(fault.NotFound, "inventory.no_warehouse", "There is no such warehouse.")
	ErrForbidden     = fault.New(fault.PermissionDenied, "inventory.forbidden", "You may not do this to the stock.")
)
