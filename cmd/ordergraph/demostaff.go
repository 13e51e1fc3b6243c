package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
)

// The demo's staff: one for each role, with a password that everybody knows.
// The domain is reserved (RFC 2606), so that no shop's own staff is ever meant.
const (
	demoStaffDomain   = "@shop.example"
	demoStaffPassword = "try-before-you-buy"
)

var demoRoles = []identity.Role{identity.Admin, identity.Support, identity.Warehouse, identity.Merchant}

// hasDemoStaff reports whether this process takes on the demo's staff: it lets
// people in by itself, and only from this machine.
func (s *serveCmd) hasDemoStaff() bool {
	return s.isDemoShop() && s.runs("account") && s.runs(gateway) && s.staysHere()
}

// bearsNoDemoStaff reports whether the demo's staff, which an earlier start may
// have taken on, must not be able to do anything in this process.
func (s *serveCmd) bearsNoDemoStaff() bool {
	return s.runs("account") && (s.Production || s.runs(gateway) && !s.staysHere())
}

// staysHere reports whether, as far as the settings tell, only this machine
// reaches the gateway: a proxy may let others in.
func (s *serveCmd) staysHere() bool {
	if s.Production || !isLoopback(s.HTTPAddr) || len(s.TrustedProxies) > 0 {
		return false
	}
	u, err := url.Parse(s.PublicURL)
	return s.PublicURL == "" || err == nil && isLoopback(net.JoinHostPort(u.Hostname(), ""))
}

// startDemoStaff has the demo's staff taken on in the background.
func startDemoStaff(h *host.Host, log *slog.Logger) error {
	accounts, err := host.Use(h, accountrpc.Contract)
	if err != nil {
		return err
	}
	h.Work("demo staff", func(ctx context.Context) error {
		err := takeOnDemoStaff(ctx, accounts)
		if err == nil {
			log.InfoContext(ctx, "the demo's staff is there")
		}
		return err
	})
	return nil
}

// takeOnDemoStaff takes on who is not there yet. Those that are stay as they
// are. Several processes may do so at once.
func takeOnDemoStaff(ctx context.Context, accounts account.Service) error {
	for _, role := range demoRoles {
		email := string(role) + demoStaffDomain
		_, err := withEmail(ctx, accounts, email)
		if errors.Is(err, account.ErrNotFound) {
			_, err = accounts.CreateStaff(ctx, identity.Ourselves(), account.StaffInput{
				Email: email, Password: demoStaffPassword, FirstName: "Demo", LastName: string(role), Roles: []identity.Role{role},
			})
		}
		if err != nil && !errors.Is(err, account.ErrTaken) { // by another process, just now
			return err
		}
	}
	return nil
}

// refuseDemoStaff is an error while somebody of the demo's staff may do
// anything.
func refuseDemoStaff(ctx context.Context, accounts account.Service) error {
	var there []string
	for _, role := range demoRoles {
		who, err := withEmail(ctx, accounts, string(role)+demoStaffDomain)
		switch {
		case errors.Is(err, account.ErrNotFound):
		case err != nil:
			return err
		case rolesText(who.Roles) != string(identity.Customer):
			there = append(there, who.Email)
		}
	}
	if len(there) > 0 {
		return usage("Others than this machine may reach this shop (PRODUCTION, HTTP_ADDR, PUBLIC_URL or TRUSTED_PROXIES says so), but the demo's staff, whose password everybody knows, works here: %s. Take their roles away, for each of them: ordergraph user roles --email=%s --role=customer", strings.Join(there, ", "), there[0])
	}
	return nil
}
