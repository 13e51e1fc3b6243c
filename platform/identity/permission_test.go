package identity_test

import (
	"testing"

	"ordergraph/platform/identity"
)

func TestWhoMayDoWhat(t *testing.T) {
	all := identity.Admin.Permissions()
	has := func(r identity.Role, p identity.Permission) bool {
		return identity.Caller{Roles: []identity.Role{r}}.May(p)
	}
	for _, p := range all {
		if !identity.Ourselves().May(p) {
			t.Errorf("the program may not %s", p)
		}
		for name, c := range map[string]identity.Caller{
			"a guest": {}, "a customer": {CustomerID: "ada", Roles: []identity.Role{identity.Customer}}, "an unheard-of role": {Roles: []identity.Role{"root"}},
		} {
			if c.May(p) {
				t.Errorf("%s may %s", name, p)
			}
		}
	}
	// Nobody may do what an admin may not.
	for _, r := range []identity.Role{identity.Customer, identity.Support, identity.Warehouse, identity.Merchant} {
		for _, p := range r.Permissions() {
			if !has(identity.Admin, p) {
				t.Errorf("%s may %s, and an admin may not", r, p)
			}
		}
		if has(r, identity.StaffWrite) {
			t.Errorf("%s may make admins", r)
		}
	}
	for _, c := range []struct {
		r   identity.Role
		p   identity.Permission
		may bool
	}{
		{identity.Support, identity.CustomersRead, true}, {identity.Support, identity.StockWrite, false}, {identity.Support, identity.ProductsWrite, false},
		{identity.Warehouse, identity.StockWrite, true}, {identity.Warehouse, identity.CustomersRead, false}, {identity.Warehouse, identity.PaymentsRefund, false},
		{identity.Merchant, identity.ProductsWrite, true}, {identity.Merchant, identity.CustomersRead, false}, {identity.Merchant, identity.PaymentsRefund, false},
	} {
		if got := has(c.r, c.p); got != c.may {
			t.Errorf("%s may %s: %v", c.r, c.p, got)
		}
	}
	if identity.System.IsAssignable() || identity.Role("").IsAssignable() || !identity.Admin.IsAssignable() {
		t.Error("somebody can be made the program")
	}
	list := identity.Support.Permissions()
	list[0] = identity.StaffWrite
	if has(identity.Support, identity.StaffWrite) {
		t.Error("the table can be changed from outside")
	}
}
