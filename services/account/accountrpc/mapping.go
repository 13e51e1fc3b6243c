package accountrpc

import (
	"ordergraph/platform/identity"
	"ordergraph/platform/token"
	"ordergraph/platform/wire"
	"ordergraph/services/account"
)

func fromTokens(t account.Tokens) *TokensView {
	return &TokensView{
		Access: t.Access, AccessExpires: wire.FromTime(t.AccessExpires), Refresh: t.Refresh, RefreshExpires: wire.FromTime(t.RefreshExpires),
		SessionId: t.SessionID, Customer: fromCustomer(t.Customer),
	}
}

func toTokens(v *TokensView) account.Tokens {
	return account.Tokens{
		Access: v.Access, AccessExpires: wire.ToTime(v.AccessExpires), Refresh: v.Refresh, RefreshExpires: wire.ToTime(v.RefreshExpires),
		SessionID: v.SessionId, Customer: toCustomer(v.Customer),
	}
}

func fromCustomer(c account.Customer) *CustomerView {
	return &CustomerView{
		Id: c.ID, Version: c.Version, Email: c.Email, Verified: c.Verified, FirstName: c.FirstName, LastName: c.LastName,
		Phone: c.Phone, Locale: c.Locale, AcceptsMarketing: c.AcceptsMarketing, MarketingChangedAt: wire.FromTime(c.MarketingChangedAt),
		Roles: fromRoles(c.Roles), Addresses: wire.Each(c.Addresses, fromAddress), DefaultAddressId: c.DefaultAddressID,
		CreatedAt: wire.FromTime(c.CreatedAt), UpdatedAt: wire.FromTime(c.UpdatedAt),
	}
}

func toCustomer(v *CustomerView) account.Customer {
	return account.Customer{
		ID: v.GetId(), Version: v.GetVersion(), Email: v.GetEmail(), Verified: v.GetVerified(), FirstName: v.GetFirstName(), LastName: v.GetLastName(),
		Phone: v.GetPhone(), Locale: v.GetLocale(), AcceptsMarketing: v.GetAcceptsMarketing(), MarketingChangedAt: wire.ToTime(v.GetMarketingChangedAt()),
		Roles: toRoles(v.GetRoles()), Addresses: wire.Each(v.GetAddresses(), toAddress), DefaultAddressID: v.GetDefaultAddressId(),
		CreatedAt: wire.ToTime(v.GetCreatedAt()), UpdatedAt: wire.ToTime(v.GetUpdatedAt()),
	}
}

func fromRoles(roles []identity.Role) []string {
	return wire.Each(roles, func(r identity.Role) string { return string(r) })
}

func toRoles(roles []string) []identity.Role {
	return wire.Each(roles, func(r string) identity.Role { return identity.Role(r) })
}

func fromAddress(a account.Address) *AddressView {
	return &AddressView{
		Id: a.ID, FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Address1: a.Address1, Address2: a.Address2,
		City: a.City, Province: a.Province, Zip: a.Zip, Country: a.Country, Phone: a.Phone,
	}
}

func toAddress(v *AddressView) account.Address {
	return account.Address{
		ID: v.GetId(), FirstName: v.GetFirstName(), LastName: v.GetLastName(), Company: v.GetCompany(), Address1: v.GetAddress1(), Address2: v.GetAddress2(),
		City: v.GetCity(), Province: v.GetProvince(), Zip: v.GetZip(), Country: v.GetCountry(), Phone: v.GetPhone(),
	}
}

func fromSession(s account.Session) *SessionView {
	return &SessionView{Id: s.ID, Device: s.Device, CreatedAt: wire.FromTime(s.CreatedAt), UsedAt: wire.FromTime(s.UsedAt), Expires: wire.FromTime(s.Expires)}
}

func toSession(v *SessionView) account.Session {
	return account.Session{ID: v.Id, Device: v.Device, CreatedAt: wire.ToTime(v.CreatedAt), UsedAt: wire.ToTime(v.UsedAt), Expires: wire.ToTime(v.Expires)}
}

func fromNote(n account.MailNote) *MailNoteView {
	return &MailNoteView{Kind: string(n.Kind), At: wire.FromTime(n.At)}
}

func toNote(v *MailNoteView) account.MailNote {
	return account.MailNote{Kind: account.MailKind(v.Kind), At: wire.ToTime(v.At)}
}

func fromMail(m account.Mail) *MailView {
	return &MailView{
		Id: m.ID, Kind: string(m.Kind), CustomerId: m.CustomerID, Email: m.Email, FirstName: m.FirstName, Locale: m.Locale,
		Token: m.Token, CreatedAt: wire.FromTime(m.CreatedAt), Expires: wire.FromTime(m.Expires),
	}
}

func toMail(v *MailView) account.Mail {
	return account.Mail{
		ID: v.Id, Kind: account.MailKind(v.Kind), CustomerID: v.CustomerId, Email: v.Email, FirstName: v.FirstName, Locale: v.Locale,
		Token: v.Token, CreatedAt: wire.ToTime(v.CreatedAt), Expires: wire.ToTime(v.Expires),
	}
}

func fromKey(k token.Key) *KeyView { return &KeyView{Id: k.ID, X: k.X} }

func toKey(v *KeyView) token.Key { return token.Key{ID: v.Id, X: v.X} }
