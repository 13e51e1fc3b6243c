// Package gid makes and reads the ids that the shop shows to the world:
// gid://ordergraph/Product/… and the like.
package gid

import "strings"

const prefix = "gid://ordergraph/"

// The types that have global ids.
const (
	Product      = "Product"
	Variant      = "ProductVariant"
	Option       = "ProductOption"
	OptionValue  = "ProductOptionValue"
	Image        = "ProductImage"
	Media        = "MediaImage"
	Collection   = "Collection"
	Cart         = "Cart"
	CartLine     = "CartLine"
	Delivery     = "CartDeliveryGroup"
	Order        = "Order"
	OrderLine    = "OrderLine"
	Fulfillment  = "Fulfillment"
	Customer     = "Customer"
	Address      = "MailingAddress"
	Shop         = "Shop"
	Invoice      = "Invoice"
	Notification = "Notification"
)

const maxLength = 512

// Of is the global id of a thing.
func Of(kind, id string) string { return prefix + kind + "/" + id }

// Split takes a global id apart; ok is false when it is malformed.
func Split(global string) (kind, id string, ok bool) {
	rest, ok := strings.CutPrefix(global, prefix)
	if !ok || len(global) > maxLength {
		return "", "", false
	}
	kind, id, ok = strings.Cut(rest, "/")
	if !ok || kind == "" || !plain(id) {
		return "", "", false
	}
	return kind, id, true
}

// Parse is the id within a global id of this kind; ok is false when it is
// malformed or of another kind.
func Parse(kind, global string) (id string, ok bool) {
	k, id, ok := Split(global)
	if !ok || k != kind {
		return "", false
	}
	return id, true
}

// plain admits what the services' ids are made of, so that nothing odd from
// outside reaches a store.
func plain(id string) bool {
	if id == "" {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.:~", c) >= 0) {
			return false
		}
	}
	return true
}
