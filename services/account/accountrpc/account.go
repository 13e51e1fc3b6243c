// Package accountrpc carries the account service between processes.
package accountrpc

import (
	"context"

	"google.golang.org/grpc"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/platform/token"
	"ordergraph/platform/wire"
	"ordergraph/services/account"
)

// Contract says how the account service is reached from another process. What
// cannot be repeated without a second mail, session, address or counted
// attempt is not.
var Contract = host.Contract[account.Service]{
	Name:    "account",
	Service: Account_ServiceDesc.ServiceName,
	Serve: func(to grpc.ServiceRegistrar, impl account.Service) {
		RegisterAccountServer(to, server{account: impl})
	},
	Dial: func(conn grpc.ClientConnInterface) account.Service { return client{rpc: NewAccountClient(conn)} },
	Repeatable: []string{
		"Verify", "Refresh", "SignOut", "SignOutEverywhere", "Sessions", "EndedSessions", "Get", "Update", "RemoveAddress",
		"SetDefaultAddress", "List", "SetRoles", "Export", "Mail", "Keys",
	},
}

type server struct {
	UnimplementedAccountServer
	account account.Service
}

// done answers a call that has nothing to say.
func done(err error) (*Done, error) {
	if err != nil {
		return nil, err
	}
	return &Done{}, nil
}

// answer writes what a call returned, if it succeeded.
func answer[A, B any](a A, err error, write func(A) B) (b B, _ error) {
	if err != nil {
		return b, err
	}
	return write(a), nil
}

func (s server) Register(ctx context.Context, r *RegisterRequest) (*Done, error) {
	return done(s.account.Register(ctx, host.CallerOf(ctx), account.RegisterInput{
		Email: r.Email, Password: r.Password, FirstName: r.FirstName, LastName: r.LastName, Phone: r.Phone,
		Locale: r.Locale, AcceptsMarketing: r.AcceptsMarketing, Source: r.Source,
	}))
}

func (s server) RequestVerification(ctx context.Context, r *EmailRequest) (*Done, error) {
	return done(s.account.RequestVerification(ctx, host.CallerOf(ctx), r.Email))
}

func (s server) Verify(ctx context.Context, r *VerifyRequest) (*Done, error) {
	return done(s.account.Verify(ctx, host.CallerOf(ctx), r.Token))
}

func (s server) SignIn(ctx context.Context, r *SignInRequest) (*TokensView, error) {
	got, err := s.account.SignIn(ctx, host.CallerOf(ctx), account.SignInInput{Email: r.Email, Password: r.Password, Source: r.Source, Device: r.Device})
	return answer(got, err, fromTokens)
}

func (s server) Refresh(ctx context.Context, r *RefreshRequest) (*TokensView, error) {
	got, err := s.account.Refresh(ctx, host.CallerOf(ctx), r.Refresh)
	return answer(got, err, fromTokens)
}

func (s server) SignOut(ctx context.Context, r *SignOutRequest) (*Done, error) {
	return done(s.account.SignOut(ctx, host.CallerOf(ctx), r.SessionId))
}

func (s server) SignOutEverywhere(ctx context.Context, r *AccountRequest) (*Done, error) {
	return done(s.account.SignOutEverywhere(ctx, host.CallerOf(ctx), r.Id))
}

func (s server) Sessions(ctx context.Context, r *AccountRequest) (*SessionsResponse, error) {
	got, err := s.account.Sessions(ctx, host.CallerOf(ctx), r.Id)
	return answer(got, err, func(all []account.Session) *SessionsResponse {
		return &SessionsResponse{Sessions: wire.Each(all, fromSession)}
	})
}

func (s server) EndedSessions(ctx context.Context, r *SessionIDs) (*SessionIDs, error) {
	got, err := s.account.EndedSessions(ctx, host.CallerOf(ctx), r.Ids)
	return answer(got, err, func(ids []string) *SessionIDs { return &SessionIDs{Ids: ids} })
}

func (s server) ChangePassword(ctx context.Context, r *ChangePasswordRequest) (*Done, error) {
	return done(s.account.ChangePassword(ctx, host.CallerOf(ctx), account.ChangePasswordInput{Current: r.Current, Password: r.Password, SessionID: r.SessionId, Source: r.Source}))
}

func (s server) RequestReset(ctx context.Context, r *EmailRequest) (*Done, error) {
	return done(s.account.RequestReset(ctx, host.CallerOf(ctx), r.Email))
}

func (s server) Reset(ctx context.Context, r *ResetRequest) (*Done, error) {
	return done(s.account.Reset(ctx, host.CallerOf(ctx), account.ResetInput{Token: r.Token, Password: r.Password, Source: r.Source}))
}

func (s server) Get(ctx context.Context, r *AccountRequest) (*CustomerView, error) {
	got, err := s.account.Get(ctx, host.CallerOf(ctx), r.Id)
	return answer(got, err, fromCustomer)
}

func (s server) Update(ctx context.Context, r *UpdateRequest) (*CustomerView, error) {
	got, err := s.account.Update(ctx, host.CallerOf(ctx), account.UpdateInput{
		CustomerID: r.CustomerId, FirstName: r.FirstName, LastName: r.LastName, Phone: r.Phone, Locale: r.Locale, AcceptsMarketing: r.AcceptsMarketing,
	})
	return answer(got, err, fromCustomer)
}

func (s server) PutAddress(ctx context.Context, r *PutAddressRequest) (*CustomerView, error) {
	got, err := s.account.PutAddress(ctx, host.CallerOf(ctx), account.AddressInput{CustomerID: r.CustomerId, Address: toAddress(r.Address), Default: r.Default})
	return answer(got, err, fromCustomer)
}

func (s server) RemoveAddress(ctx context.Context, r *AddressRequest) (*CustomerView, error) {
	got, err := s.account.RemoveAddress(ctx, host.CallerOf(ctx), r.CustomerId, r.AddressId)
	return answer(got, err, fromCustomer)
}

func (s server) SetDefaultAddress(ctx context.Context, r *AddressRequest) (*CustomerView, error) {
	got, err := s.account.SetDefaultAddress(ctx, host.CallerOf(ctx), r.CustomerId, r.AddressId)
	return answer(got, err, fromCustomer)
}

func (s server) List(ctx context.Context, r *ListRequest) (*PageView, error) {
	got, err := s.account.List(ctx, host.CallerOf(ctx), account.ListQuery{Email: r.Email, Staff: r.Staff, After: r.After, Limit: int(r.Limit)})
	return answer(got, err, func(p account.Page) *PageView {
		return &PageView{Customers: wire.Each(p.Customers, fromCustomer), Cursors: p.Cursors, HasMore: p.HasMore}
	})
}

func (s server) CreateStaff(ctx context.Context, r *StaffRequest) (*CustomerView, error) {
	got, err := s.account.CreateStaff(ctx, host.CallerOf(ctx), account.StaffInput{
		Email: r.Email, Password: r.Password, FirstName: r.FirstName, LastName: r.LastName, Locale: r.Locale, Roles: toRoles(r.Roles),
	})
	return answer(got, err, fromCustomer)
}

func (s server) SetRoles(ctx context.Context, r *RolesRequest) (*CustomerView, error) {
	got, err := s.account.SetRoles(ctx, host.CallerOf(ctx), r.Id, toRoles(r.Roles))
	return answer(got, err, fromCustomer)
}

func (s server) Export(ctx context.Context, r *AccountRequest) (*ExportView, error) {
	got, err := s.account.Export(ctx, host.CallerOf(ctx), r.Id)
	return answer(got, err, func(e account.Export) *ExportView {
		return &ExportView{Customer: fromCustomer(e.Customer), Sessions: wire.Each(e.Sessions, fromSession), Mails: wire.Each(e.Mails, fromNote)}
	})
}

func (s server) Erase(ctx context.Context, r *EraseRequest) (*Done, error) {
	return done(s.account.Erase(ctx, host.CallerOf(ctx), account.EraseInput{CustomerID: r.CustomerId, Password: r.Password, Source: r.Source}))
}

func (s server) Mail(ctx context.Context, r *MailRequest) (*MailView, error) {
	got, err := s.account.Mail(ctx, host.CallerOf(ctx), r.Id)
	return answer(got, err, fromMail)
}

func (s server) Keys(ctx context.Context, _ *KeysRequest) (*KeysResponse, error) {
	got, err := s.account.Keys(ctx)
	return answer(got, err, func(keys []token.Key) *KeysResponse { return &KeysResponse{Keys: wire.Each(keys, fromKey)} })
}

type client struct{ rpc AccountClient }

func (c client) Register(ctx context.Context, who identity.Caller, in account.RegisterInput) error {
	_, err := c.rpc.Register(host.WithCaller(ctx, who), &RegisterRequest{
		Email: in.Email, Password: in.Password, FirstName: in.FirstName, LastName: in.LastName, Phone: in.Phone,
		Locale: in.Locale, AcceptsMarketing: in.AcceptsMarketing, Source: in.Source,
	})
	return err
}

func (c client) RequestVerification(ctx context.Context, who identity.Caller, email string) error {
	_, err := c.rpc.RequestVerification(host.WithCaller(ctx, who), &EmailRequest{Email: email})
	return err
}

func (c client) Verify(ctx context.Context, who identity.Caller, oneTime string) error {
	_, err := c.rpc.Verify(host.WithCaller(ctx, who), &VerifyRequest{Token: oneTime})
	return err
}

func (c client) SignIn(ctx context.Context, who identity.Caller, in account.SignInInput) (account.Tokens, error) {
	got, err := c.rpc.SignIn(host.WithCaller(ctx, who), &SignInRequest{Email: in.Email, Password: in.Password, Source: in.Source, Device: in.Device})
	return answer(got, err, toTokens)
}

func (c client) Refresh(ctx context.Context, who identity.Caller, refresh string) (account.Tokens, error) {
	got, err := c.rpc.Refresh(host.WithCaller(ctx, who), &RefreshRequest{Refresh: refresh})
	return answer(got, err, toTokens)
}

func (c client) SignOut(ctx context.Context, who identity.Caller, sessionID string) error {
	_, err := c.rpc.SignOut(host.WithCaller(ctx, who), &SignOutRequest{SessionId: sessionID})
	return err
}

func (c client) SignOutEverywhere(ctx context.Context, who identity.Caller, id string) error {
	_, err := c.rpc.SignOutEverywhere(host.WithCaller(ctx, who), &AccountRequest{Id: id})
	return err
}

func (c client) Sessions(ctx context.Context, who identity.Caller, id string) ([]account.Session, error) {
	got, err := c.rpc.Sessions(host.WithCaller(ctx, who), &AccountRequest{Id: id})
	return answer(got, err, func(v *SessionsResponse) []account.Session { return wire.Each(v.Sessions, toSession) })
}

func (c client) EndedSessions(ctx context.Context, who identity.Caller, ids []string) ([]string, error) {
	got, err := c.rpc.EndedSessions(host.WithCaller(ctx, who), &SessionIDs{Ids: ids})
	return answer(got, err, (*SessionIDs).GetIds)
}

func (c client) ChangePassword(ctx context.Context, who identity.Caller, in account.ChangePasswordInput) error {
	_, err := c.rpc.ChangePassword(host.WithCaller(ctx, who), &ChangePasswordRequest{Current: in.Current, Password: in.Password, SessionId: in.SessionID, Source: in.Source})
	return err
}

func (c client) RequestReset(ctx context.Context, who identity.Caller, email string) error {
	_, err := c.rpc.RequestReset(host.WithCaller(ctx, who), &EmailRequest{Email: email})
	return err
}

func (c client) Reset(ctx context.Context, who identity.Caller, in account.ResetInput) error {
	_, err := c.rpc.Reset(host.WithCaller(ctx, who), &ResetRequest{Token: in.Token, Password: in.Password, Source: in.Source})
	return err
}

func (c client) Get(ctx context.Context, who identity.Caller, id string) (account.Customer, error) {
	got, err := c.rpc.Get(host.WithCaller(ctx, who), &AccountRequest{Id: id})
	return answer(got, err, toCustomer)
}

func (c client) Update(ctx context.Context, who identity.Caller, in account.UpdateInput) (account.Customer, error) {
	got, err := c.rpc.Update(host.WithCaller(ctx, who), &UpdateRequest{
		CustomerId: in.CustomerID, FirstName: in.FirstName, LastName: in.LastName, Phone: in.Phone, Locale: in.Locale, AcceptsMarketing: in.AcceptsMarketing,
	})
	return answer(got, err, toCustomer)
}

func (c client) PutAddress(ctx context.Context, who identity.Caller, in account.AddressInput) (account.Customer, error) {
	got, err := c.rpc.PutAddress(host.WithCaller(ctx, who), &PutAddressRequest{CustomerId: in.CustomerID, Address: fromAddress(in.Address), Default: in.Default})
	return answer(got, err, toCustomer)
}

func (c client) RemoveAddress(ctx context.Context, who identity.Caller, id, addressID string) (account.Customer, error) {
	got, err := c.rpc.RemoveAddress(host.WithCaller(ctx, who), &AddressRequest{CustomerId: id, AddressId: addressID})
	return answer(got, err, toCustomer)
}

func (c client) SetDefaultAddress(ctx context.Context, who identity.Caller, id, addressID string) (account.Customer, error) {
	got, err := c.rpc.SetDefaultAddress(host.WithCaller(ctx, who), &AddressRequest{CustomerId: id, AddressId: addressID})
	return answer(got, err, toCustomer)
}

func (c client) List(ctx context.Context, who identity.Caller, q account.ListQuery) (account.Page, error) {
	got, err := c.rpc.List(host.WithCaller(ctx, who), &ListRequest{Email: q.Email, Staff: q.Staff, After: q.After, Limit: int64(q.Limit)})
	return answer(got, err, func(v *PageView) account.Page {
		return account.Page{Customers: wire.Each(v.Customers, toCustomer), Cursors: v.Cursors, HasMore: v.HasMore}
	})
}

func (c client) CreateStaff(ctx context.Context, who identity.Caller, in account.StaffInput) (account.Customer, error) {
	got, err := c.rpc.CreateStaff(host.WithCaller(ctx, who), &StaffRequest{
		Email: in.Email, Password: in.Password, FirstName: in.FirstName, LastName: in.LastName, Locale: in.Locale, Roles: fromRoles(in.Roles),
	})
	return answer(got, err, toCustomer)
}

func (c client) SetRoles(ctx context.Context, who identity.Caller, id string, roles []identity.Role) (account.Customer, error) {
	got, err := c.rpc.SetRoles(host.WithCaller(ctx, who), &RolesRequest{Id: id, Roles: fromRoles(roles)})
	return answer(got, err, toCustomer)
}

func (c client) Export(ctx context.Context, who identity.Caller, id string) (account.Export, error) {
	got, err := c.rpc.Export(host.WithCaller(ctx, who), &AccountRequest{Id: id})
	return answer(got, err, func(v *ExportView) account.Export {
		return account.Export{Customer: toCustomer(v.Customer), Sessions: wire.Each(v.Sessions, toSession), Mails: wire.Each(v.Mails, toNote)}
	})
}

func (c client) Erase(ctx context.Context, who identity.Caller, in account.EraseInput) error {
	_, err := c.rpc.Erase(host.WithCaller(ctx, who), &EraseRequest{CustomerId: in.CustomerID, Password: in.Password, Source: in.Source})
	return err
}

func (c client) Mail(ctx context.Context, who identity.Caller, id string) (account.Mail, error) {
	got, err := c.rpc.Mail(host.WithCaller(ctx, who), &MailRequest{Id: id})
	return answer(got, err, toMail)
}

func (c client) Keys(ctx context.Context) ([]token.Key, error) {
	got, err := c.rpc.Keys(ctx, &KeysRequest{})
	return answer(got, err, func(v *KeysResponse) []token.Key { return wire.Each(v.Keys, toKey) })
}
