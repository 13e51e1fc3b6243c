package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"ordergraph/graph/session"
	"ordergraph/platform/host"
	"ordergraph/platform/live"
	"ordergraph/platform/token"
	"ordergraph/services"
	"ordergraph/services/account"
)

// accountConfig says how customers and staff are recognised.
type accountConfig struct {
	KeySecret    string `name:"auth-key-secret" env:"AUTH_KEY_SECRET" placeholder:"TEXT" group:"Accounts" help:"Encrypts the keys that sign access tokens, 32 bytes or more, the same for all copies of the account service. Without it the account service keeps one beside what it protects."`
	PasswordCost int    `name:"password-cost" env:"PASSWORD_COST" default:"11" placeholder:"N" group:"Accounts" help:"How dear a guess at a password is: bcrypt's cost, 10 to 16. One more doubles the time of a sign-in."`
}

func (c *accountConfig) check(wrong *complaints) {
	if c.KeySecret != "" && len(c.KeySecret) < account.MinKeySecret {
		wrong.add("AUTH_KEY_SECRET needs at least %d bytes", account.MinKeySecret)
	}
	if c.PasswordCost < account.LeastCost || c.PasswordCost > 16 {
		wrong.add("PASSWORD_COST=%d is not from %d to 16", c.PasswordCost, account.LeastCost)
	}
}

// issuer names the shop in access tokens, alike in all of its processes.
func (s *serveCmd) issuer() string { return cmp.Or(strings.TrimSuffix(s.PublicURL, "/"), "ordergraph") }

func (s *serveCmd) accountSettings() services.AccountSettings {
	return services.AccountSettings{Issuer: s.issuer(), KeySecret: s.KeySecret, PasswordCost: s.PasswordCost}
}

func (s *serveCmd) cookies(h *host.Host) session.Cookies {
	return session.Cookies{Secure: strings.HasPrefix(s.publicURL(h), "https://")}
}

// originOf is the scheme and host of an address that was checked.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}

// sessions recognise the gateway's clients.
func (s *serveCmd) sessions(h *host.Host, log *slog.Logger, hub *live.Hub, accounts account.Service) (*session.Keeper, error) {
	verifier := token.NewVerifier(token.VerifierOptions{
		Issuer: s.issuer(), Audience: s.issuer(), Keys: accounts.Keys, Log: log,
	})
	h.Work("keys of access tokens", verifier.Run)
	sessions, err := session.New(session.Options{
		Accounts: accounts, Hub: hub, Verifier: verifier, Log: log, Cookies: s.cookies(h),
		// Behind a proxy that gives us another name, our pages are those of PUBLIC_URL.
		Origins: append([]string{originOf(s.publicURL(h))}, s.Origins...),
	})
	if err != nil {
		return nil, fmt.Errorf("ORIGINS: %w", err)
	}
	h.OnClose("sessions", sessions.Close)
	h.Handle("GET "+session.KeysPath, session.PublishedKeys(accounts.Keys))
	return sessions, nil
}
