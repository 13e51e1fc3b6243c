// Package identity says on whose behalf a call is made.
//
// A Caller is passed as an argument, never hidden in a context: the service
// that owns a thing decides who may touch it, whether it is called from the
// next package or from another machine.
package identity

import "slices"

// Role names what a member of staff may do.
type Role string

// The roles there are.
const (
	Customer  Role = "customer"
	Support   Role = "support"
	Warehouse Role = "warehouse"
	Merchant  Role = "merchant"
	Admin     Role = "admin"
	// System is the program itself: another service, a sweeper, a command
	// run by the operator. It never comes from outside.
	System Role = "system"
)

// A Caller is on whose behalf a call is made. The zero Caller is a guest.
type Caller struct {
	CustomerID string // the account that is signed in, staff's too; empty for guests and the program itself
	Roles      []Role
}

// Ourselves is the caller when the program acts by itself.
func Ourselves() Caller { return Caller{Roles: []Role{System}} }

// Is reports whether the caller holds one of the roles.
func (c Caller) Is(roles ...Role) bool {
	for _, r := range roles {
		if slices.Contains(c.Roles, r) {
			return true
		}
	}
	return false
}
