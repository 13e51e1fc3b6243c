package view

import (
	"slices"
	"strings"
	"time"

	"ordergraph/graph/gid"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/order"
)

// Customer is somebody who has an account.
type Customer struct{ of *account.Customer }

// NewCustomer shows an account.
func NewCustomer(c *account.Customer) *Customer { return &Customer{c} }

// IsNode marks it.
func (*Customer) IsNode() {}

// Key is the account's own id.
func (c *Customer) Key() string { return c.of.ID }

// ID is the global id.
func (c *Customer) ID() string { return gid.Of(gid.Customer, c.of.ID) }

// Email address.
func (c *Customer) Email() string { return c.of.Email }

// EmailVerified tells whether the address was confirmed.
func (c *Customer) EmailVerified() bool { return c.of.Verified }

// FirstName may be missing.
func (c *Customer) FirstName() *string { return orNil(c.of.FirstName) }

// LastName may be missing.
func (c *Customer) LastName() *string { return orNil(c.of.LastName) }

// DisplayName is both names, or the address.
func (c *Customer) DisplayName() string {
	if name := strings.TrimSpace(c.of.FirstName + " " + c.of.LastName); name != "" {
		return name
	}
	return c.of.Email
}

// Phone number.
func (c *Customer) Phone() *string { return orNil(c.of.Phone) }

// Locale of messages.
func (c *Customer) Locale() string { return c.of.Locale }

// AcceptsMarketing tells whether advertisements are welcome.
func (c *Customer) AcceptsMarketing() bool { return c.of.AcceptsMarketing }

// CreatedAt is when the account was opened.
func (c *Customer) CreatedAt() time.Time { return c.of.CreatedAt }

// UpdatedAt is when it last changed.
func (c *Customer) UpdatedAt() time.Time { return c.of.UpdatedAt }

// Addresses are the address book, page by page; all of it when nothing says
// how many.
func (c *Customer) Addresses(first *int32, after *string, last *int32, before *string, reverse *bool) (*MailingAddressConnection, error) {
	all := make([]MailingAddress, len(c.of.Addresses))
	for i := range all {
		at := i
		if reverse != nil && *reverse {
			at = len(all) - 1 - i
		}
		all[i] = c.address(at)
	}
	from, to, info, err := Window{First: first, Last: last, After: after, Before: before}.cut(len(all), func(i int) string { return all[i].id })
	if err != nil {
		return nil, err
	}
	return &MailingAddressConnection{Nodes: all[from:to], PageInfo: info}, nil
}

// DefaultAddress is where deliveries usually go.
func (c *Customer) DefaultAddress() *MailingAddress { return c.AddressWith(c.of.DefaultAddressID) }

// AddressWith is the address with this id in the address book, or nil.
func (c *Customer) AddressWith(id string) *MailingAddress {
	for i := range c.of.Addresses {
		if c.of.Addresses[i].ID == id {
			a := c.address(i)
			return &a
		}
	}
	return nil
}

// LastAddress is the one that was added last, or nil.
func (c *Customer) LastAddress() *MailingAddress {
	n := len(c.of.Addresses)
	if n == 0 {
		return nil
	}
	a := c.address(n - 1)
	return &a
}

func (c *Customer) address(i int) MailingAddress {
	a := &c.of.Addresses[i]
	return MailingAddress{id: a.ID, of: &order.Address{
		FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Address1: a.Address1, Address2: a.Address2,
		City: a.City, Province: a.Province, Zip: a.Zip, Country: a.Country, Phone: a.Phone,
	}}
}

// Roles say what the person may do here, in the schema's spelling.
func (c *Customer) Roles() []string {
	roles := make([]string, len(c.of.Roles))
	for i, r := range c.of.Roles {
		roles[i] = strings.ToUpper(string(r))
	}
	return roles
}

// Permissions are what those roles allow, in the schema's spelling, each once.
func (c *Customer) Permissions() []string {
	names := []string{}
	for _, r := range c.of.Roles {
		for _, p := range r.Permissions() {
			if name := strings.ToUpper(strings.ReplaceAll(string(p), ":", "_")); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// RolesOf reads roles in the schema's spelling.
func RolesOf(names []string) []identity.Role {
	roles := make([]identity.Role, len(names))
	for i, name := range names {
		roles[i] = identity.Role(strings.ToLower(name))
	}
	return roles
}

// PermissionOf reads a permission in the schema's spelling.
func PermissionOf(name string) identity.Permission {
	return identity.Permission(strings.ToLower(strings.ReplaceAll(name, "_", ":")))
}

// MailingAddressConnection is a page of an address book.
type MailingAddressConnection struct {
	Nodes    []MailingAddress
	PageInfo PageInfo
}

// Edges are the addresses with their cursors.
func (c *MailingAddressConnection) Edges() []MailingAddressEdge {
	edges := make([]MailingAddressEdge, len(c.Nodes))
	for i, node := range c.Nodes {
		edges[i] = MailingAddressEdge{Cursor: node.id, Node: node}
	}
	return edges
}

// MailingAddressEdge is an address in its list.
type MailingAddressEdge struct {
	Cursor string
	Node   MailingAddress
}

// CustomerConnection is a page of customers.
type CustomerConnection struct {
	Nodes    []Customer
	PageInfo PageInfo
	cursors  []string
}

// NewCustomers shows a page; before tells whether it follows another.
func NewCustomers(page account.Page, before bool) *CustomerConnection {
	c := &CustomerConnection{
		Nodes:    make([]Customer, len(page.Customers)),
		PageInfo: PageInfo{HasNextPage: page.HasMore, HasPreviousPage: before},
		cursors:  page.Cursors,
	}
	for i := range page.Customers {
		c.Nodes[i] = Customer{&page.Customers[i]}
	}
	if n := len(c.cursors); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.cursors[0], &c.cursors[n-1]
	}
	return c
}

// Edges are the customers with their cursors.
func (c *CustomerConnection) Edges() []CustomerEdge {
	edges := make([]CustomerEdge, len(c.Nodes))
	for i, node := range c.Nodes {
		edges[i] = CustomerEdge{Cursor: c.cursors[i], Node: node}
	}
	return edges
}

// CustomerEdge is a customer in a list.
type CustomerEdge struct {
	Cursor string
	Node   Customer
}

// CustomerSession is one sign-in on one device.
type CustomerSession struct {
	ID        string
	Device    *string
	CreatedAt time.Time
	UsedAt    time.Time
	ExpiresAt time.Time
	Current   bool
}

// NewSessions shows sessions, one of which is the request's own.
func NewSessions(sessions []account.Session, current string) []CustomerSession {
	shown := make([]CustomerSession, len(sessions))
	for i, s := range sessions {
		shown[i] = CustomerSession{s.ID, orNil(s.Device), s.CreatedAt, s.UsedAt, s.Expires, s.ID == current}
	}
	return shown
}

// CustomerUserError is why something was not done for a customer.
type CustomerUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (CustomerUserError) IsDisplayableError() {}

// customerCodes are the codes of what may go wrong for a customer, by the
// account service's own.
var customerCodes = map[string]string{
	account.ErrInput.Code:       "INVALID",
	account.ErrPassword.Code:    "PASSWORD_INVALID",
	account.ErrCredentials.Code: "UNIDENTIFIED_CUSTOMER",
	account.ErrSlowed.Code:      "THROTTLED",
	account.ErrBusy.Code:        "THROTTLED",
	account.ErrLink.Code:        "TOKEN_INVALID",
	account.ErrRefresh.Code:     "SESSION_ENDED",
	account.ErrNotFound.Code:    "NOT_FOUND",
	account.ErrNoAddress.Code:   "NOT_FOUND",
	account.ErrTooMany.Code:     "TOO_MANY_ADDRESSES",
	account.ErrTaken.Code:       "TAKEN",
}

// CustomerErrors shows what a customer may meet; their paths begin at the
// argument. Of any other error ok is false.
func CustomerErrors(argument []string, err error) (shown []CustomerUserError, ok bool) {
	if err == nil {
		return []CustomerUserError{}, true
	}
	e := fault.Of(err)
	code, ok := customerCodes[e.Code]
	if !ok {
		return nil, false
	}
	message := e.Message
	if wait := e.Details["retryAfter"]; wait != "" {
		message += " In " + wait + " seconds it may be tried again."
	}
	var field []string
	if path := e.Details["field"]; path != "" {
		field = FieldPath(argument, strings.Split(path, "."))
	}
	return []CustomerUserError{{&code, field, message}}, true
}
