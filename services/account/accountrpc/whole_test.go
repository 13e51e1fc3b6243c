package accountrpc_test

import (
	"context"
	"testing"

	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/platform/token"
	"ordergraph/platform/wire/wiretest"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
)

// Every part of every argument and answer arrives as it was sent.
func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	client := hosttest.Loopback(t, accountrpc.Contract, account.Service(e))
	wiretest.Whole(t, client, &e.Calls, nil)
}

// An echo notes what arrives and answers what it is told to.
type echo struct{ wiretest.Calls }

func (e *echo) Register(_ context.Context, who identity.Caller, in account.RegisterInput) error {
	e.Took(who, in)
	return nil
}

func (e *echo) RequestVerification(_ context.Context, who identity.Caller, email string) error {
	e.Took(who, email)
	return nil
}

func (e *echo) Verify(_ context.Context, who identity.Caller, oneTime string) error {
	e.Took(who, oneTime)
	return nil
}

func (e *echo) SignIn(_ context.Context, who identity.Caller, in account.SignInInput) (account.Tokens, error) {
	e.Took(who, in)
	return wiretest.Answer[account.Tokens](&e.Calls, 0), nil
}

func (e *echo) Refresh(_ context.Context, who identity.Caller, refresh string) (account.Tokens, error) {
	e.Took(who, refresh)
	return wiretest.Answer[account.Tokens](&e.Calls, 0), nil
}

func (e *echo) SignOut(_ context.Context, who identity.Caller, id string) error {
	e.Took(who, id)
	return nil
}

func (e *echo) SignOutEverywhere(_ context.Context, who identity.Caller, id string) error {
	e.Took(who, id)
	return nil
}

func (e *echo) Sessions(_ context.Context, who identity.Caller, id string) ([]account.Session, error) {
	e.Took(who, id)
	return wiretest.Answer[[]account.Session](&e.Calls, 0), nil
}

func (e *echo) EndedSessions(_ context.Context, who identity.Caller, ids []string) ([]string, error) {
	e.Took(who, ids)
	return wiretest.Answer[[]string](&e.Calls, 0), nil
}

func (e *echo) ChangePassword(_ context.Context, who identity.Caller, in account.ChangePasswordInput) error {
	e.Took(who, in)
	return nil
}

func (e *echo) RequestReset(_ context.Context, who identity.Caller, email string) error {
	e.Took(who, email)
	return nil
}

func (e *echo) Reset(_ context.Context, who identity.Caller, in account.ResetInput) error {
	e.Took(who, in)
	return nil
}

func (e *echo) Get(_ context.Context, who identity.Caller, id string) (account.Customer, error) {
	e.Took(who, id)
	return wiretest.Answer[account.Customer](&e.Calls, 0), nil
}

func (e *echo) Update(_ context.Context, who identity.Caller, in account.UpdateInput) (account.Customer, error) {
	e.Took(who, in)
	return wiretest.Answer[account.Customer](&e.Calls, 0), nil
}

func (e *echo) PutAddress(_ context.Context, who identity.Caller, in account.AddressInput) (account.Customer, error) {
	e.Took(who, in)
	return wiretest.Answer[account.Customer](&e.Calls, 0), nil
}

func (e *echo) RemoveAddress(_ context.Context, who identity.Caller, id, addressID string) (account.Customer, error) {
	e.Took(who, id, addressID)
	return wiretest.Answer[account.Customer](&e.Calls, 0), nil
}

func (e *echo) SetDefaultAddress(_ context.Context, who identity.Caller, id, addressID string) (account.Customer, error) {
	e.Took(who, id, addressID)
	return wiretest.Answer[account.Customer](&e.Calls, 0), nil
}

func (e *echo) List(_ context.Context, who identity.Caller, q account.ListQuery) (account.Page, error) {
	e.Took(who, q)
	return wiretest.Answer[account.Page](&e.Calls, 0), nil
}

func (e *echo) CreateStaff(_ context.Context, who identity.Caller, in account.StaffInput) (account.Customer, error) {
	e.Took(who, in)
	return wiretest.Answer[account.Customer](&e.Calls, 0), nil
}

func (e *echo) SetRoles(_ context.Context, who identity.Caller, id string, roles []identity.Role) (account.Customer, error) {
	e.Took(who, id, roles)
	return wiretest.Answer[account.Customer](&e.Calls, 0), nil
}

func (e *echo) Export(_ context.Context, who identity.Caller, id string) (account.Export, error) {
	e.Took(who, id)
	return wiretest.Answer[account.Export](&e.Calls, 0), nil
}

func (e *echo) Erase(_ context.Context, who identity.Caller, in account.EraseInput) error {
	e.Took(who, in)
	return nil
}

func (e *echo) Mail(_ context.Context, who identity.Caller, id string) (account.Mail, error) {
	e.Took(who, id)
	return wiretest.Answer[account.Mail](&e.Calls, 0), nil
}

func (e *echo) Keys(_ context.Context) ([]token.Key, error) {
	e.Took()
	return wiretest.Answer[[]token.Key](&e.Calls, 0), nil
}
