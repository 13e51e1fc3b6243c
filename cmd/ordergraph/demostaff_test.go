package main

import (
	"strings"
	"sync"
	"testing"

	"ordergraph/platform/identity"
	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
)

// Several processes take on the demo's staff at once, each of them once; who
// was changed stays so, and PRODUCTION waits until nobody of them may do
// anything.
func TestDemoStaff(t *testing.T) {
	w := accounttest.New(t)
	ctx, ourselves := t.Context(), identity.Ourselves()
	if err := refuseDemoStaff(ctx, w.Copy()); err != nil {
		t.Errorf("nobody is there: %v", err)
	}
	var all sync.WaitGroup
	for range 3 {
		accounts := w.Copy()
		all.Go(func() {
			if err := takeOnDemoStaff(ctx, accounts); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	accounts := w.Copy()
	page, err := accounts.List(ctx, ourselves, account.ListQuery{Staff: true})
	if err != nil || len(page.Customers) != len(demoRoles) {
		t.Fatalf("%v, %+v", err, page.Customers)
	}
	for _, who := range page.Customers {
		if rolesText(who.Roles)+demoStaffDomain != who.Email {
			t.Errorf("%s is %s", who.Email, rolesText(who.Roles))
		}
		signed, err := accounts.SignIn(ctx, identity.Caller{}, account.SignInInput{Email: who.Email, Password: demoStaffPassword, Source: "192.0.2.1"})
		if err != nil || signed.Customer.ID != who.ID {
			t.Errorf("%s cannot sign in: %v", who.Email, err)
		}
	}
	for i, who := range page.Customers {
		if err := refuseDemoStaff(ctx, accounts); err == nil || !strings.Contains(err.Error(), "ordergraph user roles --email="+who.Email) && i == 0 || !strings.Contains(err.Error(), who.Email) {
			t.Errorf("PRODUCTION would start with %s: %v", who.Email, err)
		}
		if _, err := accounts.SetRoles(ctx, ourselves, who.ID, []identity.Role{identity.Customer}); err != nil {
			t.Fatal(err)
		}
		if err := takeOnDemoStaff(ctx, accounts); err != nil {
			t.Error(err)
		}
	}
	if err := refuseDemoStaff(ctx, accounts); err != nil {
		t.Errorf("nobody of them may do anything: %v", err)
	}
}

// Staff with a password that everybody knows is for one's own machine.
func TestWhereThereIsDemoStaff(t *testing.T) {
	everything := []string{"account", "catalog", gateway}
	for name, c := range map[string]struct {
		set     func(s *serveCmd)
		want    bool
		refused bool // where it was taken on before
	}{
		"a first try":               {func(*serveCmd) {}, true, false},
		"on a server of documents":  {func(s *serveCmd) { s.MongoURI = "mongodb://127.0.0.1" }, false, false},
		"there, asked for":          {func(s *serveCmd) { s.MongoURI, s.Demo = "mongodb://127.0.0.1", "on" }, true, false},
		"not asked for":             {func(s *serveCmd) { s.Demo = "off" }, false, false},
		"in production":             {func(s *serveCmd) { s.Production = true }, false, true},
		"for the network":           {func(s *serveCmd) { s.HTTPAddr = "0.0.0.0:8080" }, false, true},
		"for the network, shortly":  {func(s *serveCmd) { s.HTTPAddr = ":8080" }, false, true},
		"nowhere":                   {func(s *serveCmd) { s.HTTPAddr = "" }, false, true},
		"behind a proxy":            {func(s *serveCmd) { s.PublicURL = "https://shop.example" }, false, true},
		"behind a proxy on this":    {func(s *serveCmd) { s.PublicURL = "http://localhost:3000/" }, true, false},
		"behind a proxy, with IPv6": {func(s *serveCmd) { s.PublicURL = "http://[::1]:3000" }, true, false},
		"behind a proxy believed":   {func(s *serveCmd) { s.TrustedProxies = []string{"127.0.0.0/8"} }, false, true},
		"accounts in production":    {func(s *serveCmd) { s.Services, s.Production = []string{"account"}, true }, false, true},
		"accounts alone":            {func(s *serveCmd) { s.Services = []string{"account"} }, false, false},
		"accounts elsewhere":        {func(s *serveCmd) { s.Services = []string{"catalog", gateway} }, false, false},
	} {
		s := serveCmd{Services: everything, HTTPAddr: "127.0.0.1:8080", Demo: "auto"}
		if c.set(&s); s.hasDemoStaff() != c.want || s.bearsNoDemoStaff() != c.refused {
			t.Errorf("%s: it is taken on: %v, it is refused: %v", name, s.hasDemoStaff(), s.bearsNoDemoStaff())
		}
	}
}
