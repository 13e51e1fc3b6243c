package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

const (
	maxPage     = 100
	defaultPage = 20
)

// List reads accounts in the order of their addresses.
func (k *Keeper) List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error) {
	switch {
	case !who.May(identity.CustomersRead):
		return Page{}, ErrForbidden
	case q.Limit < 0 || q.Limit > maxPage:
		return Page{}, ErrInput.Field("limit").Say("A page has at most %d accounts.", maxPage)
	case len(q.Email) > maxEmail || !isLine(q.Email):
		return Page{}, ErrInput.Field("email").Say("This is not the beginning of an e-mail address.")
	case q.Limit == 0:
		q.Limit = defaultPage
	}
	// Erased accounts begin with a space, and no address does.
	prefix := strings.ToLower(strings.TrimSpace(q.Email))
	find := docstore.Query{Index: "login", From: "!", After: docstore.Cursor(q.After), Limit: q.Limit}
	if prefix != "" {
		find.From, find.Until = prefix, prefix+"\U0010FFFF"
	}
	if q.Staff {
		find.Index, find.Equal = "staff", []any{true}
	}
	found, err := k.accounts.Find(ctx, find)
	if errors.Is(err, docstore.ErrCursor) || errors.Is(err, docstore.ErrQuery) && q.After != "" {
		return Page{}, ErrCursor.Field("after")
	}
	if err != nil {
		return Page{}, err
	}
	page := Page{Customers: []Customer{}, HasMore: found.Next != ""}
	for i := range found.Items {
		cursor, err := k.accounts.CursorAt(find, &found.Items[i])
		if err != nil {
			return Page{}, err
		}
		page.Customers, page.Cursors = append(page.Customers, found.Items[i].customer()), append(page.Cursors, string(cursor))
	}
	return page, nil
}

// CreateStaff takes somebody on.
func (k *Keeper) CreateStaff(ctx context.Context, who identity.Caller, in StaffInput) (Customer, error) {
	if !who.May(identity.StaffWrite) {
		return Customer{}, ErrForbidden
	}
	email, login, err := parseEmail(in.Email)
	if err != nil {
		return Customer{}, err
	}
	p := profile{FirstName: in.FirstName, LastName: in.LastName, Locale: in.Locale}
	if err := p.tidy(); err != nil {
		return Customer{}, err
	}
	roles, err := tidyRoles(in.Roles)
	if err != nil {
		return Customer{}, err
	}
	now := k.now()
	doc := newAccount(email, login, p, roles, now)
	if in.Password == "" {
		l := doc.addLink(link{Purpose: resetting}, now, InviteFor)
		k.mustMail(&doc, now, MailInvite, &l)
	} else {
		if err := checkPassword(in.Password, email, p.FirstName, p.LastName); err != nil {
			return Customer{}, err
		}
		if doc.Hash, err = k.hasher.hash(ctx, "", tidyPassword(in.Password)); err != nil {
			return Customer{}, err
		}
	}
	doc.Verified = true
	err = k.accounts.Insert(ctx, &doc)
	if errors.Is(err, docstore.ErrDuplicate) {
		return Customer{}, ErrTaken.Field("email")
	}
	if err != nil {
		return Customer{}, err
	}
	k.tell(&doc)
	return doc.customer(), nil
}

// SetRoles says what somebody may do.
func (k *Keeper) SetRoles(ctx context.Context, who identity.Caller, id string, roles []identity.Role) (Customer, error) {
	if !who.May(identity.StaffWrite) || id == who.CustomerID {
		return Customer{}, ErrForbidden
	}
	roles, err := tidyRoles(roles)
	if err != nil {
		return Customer{}, err
	}
	doc, err := k.change(ctx, id, func(d *accountDoc, now time.Time) error {
		if slices.Equal(d.Roles, roles) {
			return docstore.Unchanged
		}
		d.Roles, d.Staff = roles, isStaff(roles)
		d.endSessions(now, "")
		return nil
	})
	if err != nil {
		return Customer{}, err
	}
	if err := k.settle(ctx, &doc); err != nil {
		return Customer{}, err
	}
	return doc.customer(), nil
}

// tidyRoles are the roles, each once and in one order.
func tidyRoles(roles []identity.Role) ([]identity.Role, error) {
	if len(roles) == 0 {
		return nil, ErrInput.Field("roles").Say("At least one role is needed.")
	}
	for _, r := range roles {
		if !r.IsAssignable() {
			return nil, ErrInput.Field("roles").Say("There is no such role. There are customer, support, warehouse, merchant and admin.")
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(roles))), nil
}
