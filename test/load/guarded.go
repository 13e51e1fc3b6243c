package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
)

// guarded are measured with the limits on, though with budgets that nobody
// can spend.
var guarded = []scenario{
	{"product, limits on", func(s *shop, n int) func(context.Context, int) error { return s.productAs("", n) }},
	{"product, signed in", func(s *shop, n int) func(context.Context, int) error { return s.productAs(s.bearer, n) }},
	{"sign-in", func(s *shop, _ int) func(context.Context, int) error {
		return func(ctx context.Context, _ int) error {
			_, err := s.signIn(ctx)
			return err
		}
	}},
}

func (s *shop) productAs(bearer string, n int) func(context.Context, int) error {
	as := *s
	as.bearer = bearer
	dice := rand.New(rand.NewPCG(uint64(n), 5))
	return func(ctx context.Context, round int) error {
		handle := as.handles[dice.IntN(len(as.handles))]
		return as.expect(ctx, productQuery, map[string]any{"handle": handle}, round, `"handle":"`+handle+`"`)
	}
}

const employee, password = "load@shop.example", "a password for measuring"

// employ makes an account that can sign in at once, and signs in.
func (s *shop) employ(ctx context.Context) error {
	accounts, conn, err := host.Dial(accountrpc.Contract, s.grpc, s.secret)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := accounts.CreateStaff(ctx, identity.Ourselves(), account.StaffInput{Email: employee, Password: password, Roles: []identity.Role{identity.Support}}); err != nil {
		return fmt.Errorf("make an account: %w", err)
	}
	s.bearer, err = s.signIn(ctx)
	return err
}

func (s *shop) signIn(ctx context.Context) (token string, err error) {
	guest := *s
	guest.bearer = ""
	answer, err := guest.ask(ctx, `mutation ($email: String!, $password: String!) { customerAccessTokenCreate(input: {email: $email, password: $password}) {
		customerAccessToken { accessToken } customerUserErrors { message } } }`, map[string]any{"email": employee, "password": password})
	if err != nil {
		return "", err
	}
	var data struct {
		CustomerAccessTokenCreate struct {
			CustomerAccessToken *struct{ AccessToken string }
			CustomerUserErrors  []struct{ Message string }
		}
	}
	if err := answer.into(&data); err != nil {
		return "", err
	}
	if data.CustomerAccessTokenCreate.CustomerAccessToken == nil {
		return "", fmt.Errorf("not signed in: %+v", data.CustomerAccessTokenCreate.CustomerUserErrors)
	}
	return data.CustomerAccessTokenCreate.CustomerAccessToken.AccessToken, nil
}
