// Package identitytest is everybody who may come to a service, to see whom it
// turns away.
package identitytest

import (
	"testing"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// Someone is a caller with a name.
type Someone struct {
	Name string
	identity.Caller
}

// Everybody is one of each: a guest, a customer, each member of staff, one who
// has a role that does not exist, and the program itself. All but the guest
// and the program have an account, called as they are.
func Everybody() []Someone {
	all := []Someone{{Name: "guest"}}
	for _, r := range []identity.Role{identity.Customer, identity.Support, identity.Warehouse, identity.Merchant, identity.Admin, "root"} {
		all = append(all, Someone{string(r), identity.Caller{CustomerID: string(r), Roles: []identity.Role{r}}})
	}
	return append(all, Someone{"program", identity.Ourselves()})
}

// Needs makes the call as everybody, and wants it refused to all who do not
// hold the permission, and to nobody else. Refused is an answer of the kind
// PermissionDenied, or Unauthenticated to a guest; the call may fail
// otherwise. It returns how many were let in.
func Needs(t testing.TB, p identity.Permission, call func(identity.Caller) error) (let int) {
	t.Helper()
	for _, who := range Everybody() {
		err := call(who.Caller)
		refused := refuses(err, who.Caller)
		if may := who.May(p); refused == may {
			t.Errorf("%s, who may %s: %v, is answered %v", who.Name, p, may, err)
		}
		if !refused {
			let++
		}
	}
	return let
}

// OnlyTheProgram makes the call as everybody, and wants it refused to all but
// the program itself.
func OnlyTheProgram(t testing.TB, call func(identity.Caller) error) {
	t.Helper()
	for _, who := range Everybody() {
		err := call(who.Caller)
		if refused := refuses(err, who.Caller); refused == who.Is(identity.System) {
			t.Errorf("%s is answered %v", who.Name, err)
		}
	}
}

func refuses(err error, who identity.Caller) bool {
	if err == nil {
		return false
	}
	kind := fault.KindOf(err)
	return kind == fault.PermissionDenied || kind == fault.Unauthenticated && who.CustomerID == ""
}
