package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/gengql"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
)

var (
	errSignIn    = fault.New(fault.Unauthenticated, "graph.sign_in", "Sign in first.")
	errForbidden = fault.New(fault.PermissionDenied, "graph.forbidden", "You may not do this.")
)

// hasPermission stands before fields that not everybody may ask for. The
// service behind it asks again.
func hasPermission(ctx context.Context, _ any, next graphql.Resolver, permission string) (any, error) {
	if err := may(caller(ctx), permission); err != nil {
		return nil, err
	}
	return next(ctx)
}

// may is nil for who has the permission, and tells others why not.
func may(who identity.Caller, permission string) error {
	switch {
	case who.May(view.PermissionOf(permission)):
		return nil
	case who.CustomerID == "" && len(who.Roles) == 0:
		return errSignIn
	}
	return errForbidden.Say("You may not do this: it needs the permission %s.", permission)
}

func (r *Resolver) customers(ctx context.Context, first int32, after, email *string, staff *bool) (*view.CustomerConnection, error) {
	if first < 0 || first > mostOrders {
		return nil, errInput.Field("first").Say("`first` of customers must be from 0 to %d, not %d.", mostOrders, first)
	}
	page, err := r.account.List(ctx, caller(ctx), account.ListQuery{
		Email: text(email), Staff: staff != nil && *staff, After: text(after), Limit: max(1, int(first)),
	})
	if err != nil {
		return nil, nameCursor(err, view.Window{})
	}
	if first == 0 {
		page = account.Page{HasMore: len(page.Customers) > 0}
	}
	return view.NewCustomers(page, after != nil), nil
}

// employed shows what became of a change of the staff.
func employed(argument []string, c account.Customer, err error) (*gengql.StaffPayload, error) {
	errs, err := mishaps(argument, err)
	if err != nil {
		return nil, err
	}
	p := &gengql.StaffPayload{UserErrors: errs}
	if len(errs) == 0 {
		p.Customer = view.NewCustomer(&c)
	}
	return p, nil
}

// rolesOf reads somebody's new roles; who is left with none is a customer.
func rolesOf(names []string) []identity.Role {
	if len(names) == 0 {
		return []identity.Role{identity.Customer}
	}
	return view.RolesOf(names)
}
