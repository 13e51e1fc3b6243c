package graph

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/gengql"
	"ordergraph/graph/gid"
	"ordergraph/graph/transport"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/cart"
	"ordergraph/services/order"
)

var errCookie = fault.New(fault.Invalid, "graph.cookie", "Cookies can be set over plain HTTP only: send this mutation by POST.")

// mishaps shows what a customer may meet as userErrors, and leaves the rest an
// error. argument is where the service's input stands in the mutation's.
func mishaps(argument []string, err error) ([]view.CustomerUserError, error) {
	shown, ok := view.CustomerErrors(argument, err)
	if !ok {
		return nil, err
	}
	return shown, nil
}

// keyOf is the id of an account within a global id; "", the caller's own, when
// none is given.
func keyOf(global *string) string {
	if global == nil {
		return ""
	}
	return keyOr(gid.Customer, *global)
}

// customerWith is who shows the access token, or who makes the request when
// there is none; nil for guests.
func (r *Resolver) customerWith(ctx context.Context, accessToken string) (*view.Customer, error) {
	who := caller(ctx)
	if accessToken != "" {
		session, err := r.sessions.Open(ctx, requestOf(ctx).http, accessToken)
		if err != nil {
			if fault.KindOf(err) == fault.Unauthenticated {
				return nil, nil
			}
			return nil, err
		}
		who = session.Caller
	}
	if who.CustomerID == "" {
		return nil, nil
	}
	c, err := r.account.Get(ctx, who, "")
	if err != nil {
		return nil, absent(err)
	}
	return view.NewCustomer(&c), nil
}

// buyerOf is the customer a cart belongs to, for that customer alone: others
// may know the cart's id.
func (r *Resolver) buyerOf(ctx context.Context, key string) (*view.Customer, error) {
	if key == "" || caller(ctx).CustomerID != key {
		return nil, nil
	}
	return r.customerWith(ctx, "")
}

// signIn begins a session, and gives the customer the guest's cart.
func (r *Resolver) signIn(ctx context.Context, in gengql.CustomerAccessTokenCreateInput) (*gengql.CustomerAccessTokenCreatePayload, error) {
	byCookie := in.Cookie != nil && *in.Cookie
	if byCookie && !transport.CanSetCookies(ctx) {
		return nil, errCookie.Field("cookie")
	}
	from := requestOf(ctx)
	device := text(in.Device)
	if device == "" && from.http != nil {
		device = from.http.UserAgent()
	}
	tokens, err := r.account.SignIn(ctx, caller(ctx), account.SignInInput{Email: in.Email, Password: in.Password, Source: from.source, Device: device})
	errs, err := mishaps(checkoutArgument, err)
	if err != nil {
		return nil, err
	}
	p := &gengql.CustomerAccessTokenCreatePayload{CustomerUserErrors: errs}
	if len(errs) > 0 {
		return p, nil
	}
	p.Customer = view.NewCustomer(&tokens.Customer)
	p.CustomerAccessToken = r.hand(ctx, tokens, byCookie)
	p.Cart = r.bring(ctx, identity.Caller{CustomerID: tokens.Customer.ID, Roles: tokens.Customer.Roles}, in.CartID)
	return p, nil
}

// bring gives a customer who has just signed in the guest's cart, and returns
// the customer's. Who has signed in stays so whatever becomes of the cart: if
// it cannot be had now, that is an error beside the answer.
func (r *Resolver) bring(ctx context.Context, who identity.Caller, guests *string) *view.Cart {
	merged, err := cart.Result{}, error(cart.ErrNotFound)
	if guests != nil {
		merged, err = r.cart.Merge(ctx, who, keyOr(gid.Cart, *guests))
	}
	if isGone(err) && slices.Contains(graphql.CollectAllFields(ctx), "cart") {
		merged, err = r.cart.Merge(ctx, who, "")
	}
	if err != nil && !isGone(err) {
		graphql.AddError(ctx, err)
	}
	if err != nil || merged.Cart.ID == "" {
		return nil
	}
	return view.NewCart(r.shop, &merged.Cart)
}

// isGone reports whether there is no such cart, or not for this caller.
func isGone(err error) bool {
	if err == nil {
		return false
	}
	kind := fault.KindOf(err)
	return kind == fault.NotFound || kind == fault.PermissionDenied || kind == fault.Invalid
}

// hand gives a session's tokens to the client, in cookies if it wants that.
func (r *Resolver) hand(ctx context.Context, t account.Tokens, byCookie bool) *gengql.CustomerAccessToken {
	shown := &gengql.CustomerAccessToken{ExpiresAt: t.AccessExpires, RefreshExpiresAt: t.RefreshExpires}
	if byCookie {
		transport.SetCookies(ctx, r.cookies.For(t)...)
		return shown
	}
	shown.AccessToken, shown.RefreshToken = &t.Access, &t.Refresh
	return shown
}

// renew exchanges the refresh token that is given, or the cookie's.
func (r *Resolver) renew(ctx context.Context, given *string) (*gengql.CustomerAccessTokenRenewPayload, error) {
	refresh, byCookie := text(given), false
	if refresh == "" && requestOf(ctx).http != nil {
		if refresh = r.cookies.Refresh(requestOf(ctx).http); refresh != "" {
			if byCookie = transport.CanSetCookies(ctx); !byCookie {
				return nil, errCookie.Field("refreshToken")
			}
		}
	}
	tokens, err := r.account.Refresh(ctx, caller(ctx), refresh)
	errs, err := mishaps(nil, err)
	if err != nil {
		return nil, err
	}
	p := &gengql.CustomerAccessTokenRenewPayload{UserErrors: errs}
	if len(errs) == 0 {
		p.CustomerAccessToken = r.hand(ctx, tokens, byCookie)
	}
	return p, nil
}

// signOut ends the session of the token, or the request's own.
func (r *Resolver) signOut(ctx context.Context, accessToken string) (*gengql.CustomerAccessTokenDeletePayload, error) {
	session := requestOf(ctx).session
	p := &gengql.CustomerAccessTokenDeletePayload{UserErrors: []view.CustomerUserError{}}
	if accessToken != "" {
		var err error
		session, err = r.sessions.Open(ctx, requestOf(ctx).http, accessToken)
		if err != nil && fault.KindOf(err) != fault.Unauthenticated {
			return nil, err
		}
		p.DeletedAccessToken = &accessToken // good no more, whatever it was
	} else if refresh := r.forgetCookies(ctx); session.ID == "" && refresh != "" {
		// The access token has expired: the session shows itself once more.
		tokens, err := r.account.Refresh(ctx, caller(ctx), refresh)
		switch {
		case err == nil:
			session.ID, session.Caller.CustomerID = tokens.SessionID, tokens.Customer.ID
		case fault.KindOf(err) != fault.Unauthenticated:
			return nil, err
		}
	}
	if session.ID == "" {
		return p, nil
	}
	if err := r.account.SignOut(ctx, session.Caller, session.ID); err != nil {
		return nil, err
	}
	p.DeletedCustomerAccessTokenID = &session.ID
	return p, nil
}

// forgetCookies removes the cookies that came with the request, and returns
// the refresh token among them. Where they cannot be removed, nothing is.
func (r *Resolver) forgetCookies(ctx context.Context) (refresh string) {
	from := requestOf(ctx).http
	if from == nil || !r.cookies.Sent(from) || !transport.SetCookies(ctx, r.cookies.None()...) {
		return ""
	}
	return r.cookies.Refresh(from)
}

// signOutEverywhere ends all sessions of an account.
func (r *Resolver) signOutEverywhere(ctx context.Context, key string) (*gengql.CustomerSessionsDeletePayload, error) {
	errs, err := mishaps(nil, r.account.SignOutEverywhere(ctx, caller(ctx), key))
	if err != nil {
		return nil, err
	}
	return &gengql.CustomerSessionsDeletePayload{Deleted: len(errs) == 0, UserErrors: errs}, nil
}

func updated(argument []string, c account.Customer, err error) (*gengql.CustomerUpdatePayload, error) {
	errs, err := mishaps(argument, err)
	if err != nil {
		return nil, err
	}
	p := &gengql.CustomerUpdatePayload{CustomerUserErrors: errs}
	if len(errs) == 0 {
		p.Customer = view.NewCustomer(&c)
	}
	return p, nil
}

func addressed(c account.Customer, err error, which func(*view.Customer) *view.MailingAddress) (*gengql.CustomerAddressPayload, error) {
	errs, err := mishaps(nil, err)
	if err != nil {
		return nil, err
	}
	p := &gengql.CustomerAddressPayload{CustomerUserErrors: errs}
	if len(errs) == 0 {
		p.CustomerAddress = which(view.NewCustomer(&c))
	}
	return p, nil
}

func bookAddress(id string, in *gengql.MailingAddressInput) account.Address {
	a := addressOf(in)
	return account.Address{
		ID: id, FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Address1: a.Address1, Address2: a.Address2,
		City: a.City, Province: a.Province, Zip: a.Zip, Country: a.Country, Phone: a.Phone,
	}
}

// mostExported is how many of a customer's orders an export has at most.
const mostExported = 10_000

// export is everything that is kept about a customer, as JSON.
func (r *Resolver) export(ctx context.Context, customer *string) (*gengql.CustomerDataExportPayload, error) {
	kept, err := r.account.Export(ctx, caller(ctx), keyOf(customer))
	errs, err := mishaps(nil, err)
	if err != nil {
		return nil, err
	}
	p := &gengql.CustomerDataExportPayload{UserErrors: errs}
	if len(errs) > 0 {
		return p, nil
	}
	all := struct {
		Account account.Export
		Orders  []order.Order
	}{kept, []order.Order{}}
	for after := ""; len(all.Orders) < mostExported; {
		page, err := r.order.List(ctx, caller(ctx), order.ListQuery{CustomerID: kept.Customer.ID, After: after, Limit: mostOrders})
		if err != nil {
			return nil, err
		}
		all.Orders = append(all.Orders, page.Orders...)
		if !page.HasMore || len(page.Cursors) == 0 {
			break
		}
		after = page.Cursors[len(page.Cursors)-1]
	}
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	document := string(data)
	p.Data = &document
	return p, nil
}

// erase forgets a customer.
func (r *Resolver) erase(ctx context.Context, in gengql.CustomerEraseInput) (*gengql.CustomerErasePayload, error) {
	errs, err := mishaps(checkoutArgument, r.account.Erase(ctx, caller(ctx), account.EraseInput{
		CustomerID: keyOf(in.CustomerID), Password: text(in.Password), Source: requestOf(ctx).source,
	}))
	if err != nil {
		return nil, err
	}
	if len(errs) == 0 && in.CustomerID == nil {
		r.forgetCookies(ctx)
	}
	return &gengql.CustomerErasePayload{Erased: len(errs) == 0, UserErrors: errs}, nil
}
