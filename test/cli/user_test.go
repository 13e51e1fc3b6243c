package cli

import (
	"context"
	"strings"
	"testing"
	"time"
)

// teapots is a password that nobody has a reason to refuse.
const teapots = "seven green teapots"

// runWith runs a command with this on its standard input; none of it may show.
func runWith(t *testing.T, set settings, input string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := command(ctx, t, set, args...)
	cmd.Stdin = strings.NewReader(input)
	o := finish(t, cmd)
	if secret := strings.TrimSpace(input); secret != "" && strings.Contains(o.out+o.err, secret) {
		t.Errorf("%s: the password shows:\n%s%s", o.line, o.out, o.err)
	}
	return o
}

// The first administrator is made before the shop runs or while it does, signs
// in, and is made less later.
func TestUsers(t *testing.T) {
	t.Parallel()
	set := fresh(t).with(settings{"PASSWORD_COST": "10"})
	create := func(email string, more ...string) []string {
		return append([]string{"user", "create", "--email", email, "--password-stdin"}, more...)
	}
	runWith(t, set, teapots+"\n", create("root@shop.example", "--role", "admin")...).want(0, "root@shop.example", "admin")
	runWith(t, set, teapots+"\n", create("Root@Shop.example", "--role", "support")...).want(1, "account with this address")

	s := serve(t, set)
	runWith(t, set, teapots, create("eve@shop.example", "--role", "support,warehouse", "--first-name", "Eve")...).want(0, "support, warehouse")
	for what, c := range map[string]struct {
		input string
		args  []string
		says  string
	}{
		"no password":         {"", create("x@shop.example", "--role", "admin"), "no password"},
		"an empty line":       {"\n" + teapots, create("x@shop.example", "--role", "admin"), "no password"},
		"nowhere to ask":      {"", []string{"user", "create", "--email", "x@shop.example", "--role", "admin"}, "--password-stdin"},
		"a short password":    {"short", create("x@shop.example", "--role", "admin"), "8"},
		"no address":          {teapots, create("nobody", "--role", "admin"), "mail"},
		"no such role":        {teapots, create("x@shop.example", "--role", "root"), "no such role"},
		"the program's role":  {teapots, create("x@shop.example", "--role", "system"), "no such role"},
		"a role is missing":   {teapots, create("x@shop.example"), "--role"},
		"roles of a stranger": {"", []string{"user", "roles", "--email", "eve@shop.example", "--role", "boss"}, "no such role"},
		"a password argument": {"", []string{"user", "create", "--email", "x@shop.example", "--role", "admin", "--password", "x"}, "--password"},
	} {
		t.Log(what)
		runWith(t, set, c.input, c.args...).want(2, c.says)
	}
	run(t, set, "user", "roles", "--email", "nobody@shop.example", "--role", "admin").want(1, "no such account")

	signIn := func(email string) string {
		t.Helper()
		var got struct {
			CustomerAccessTokenCreate struct {
				CustomerAccessToken *struct{ AccessToken string }
				Customer            *struct{ Roles []string }
			}
		}
		s.ask(`mutation ($in: CustomerAccessTokenCreateInput!) { customerAccessTokenCreate(input: $in) { customerAccessToken { accessToken } customer { roles } } }`,
			map[string]any{"in": map[string]any{"email": email, "password": teapots}}, &got)
		if got.CustomerAccessTokenCreate.Customer == nil {
			return ""
		}
		return strings.Join(got.CustomerAccessTokenCreate.Customer.Roles, " ")
	}
	for email, want := range map[string]string{"root@shop.example": "ADMIN", "eve@shop.example": "SUPPORT WAREHOUSE", "x@shop.example": ""} {
		if got := signIn(email); got != want {
			t.Errorf("%s signs in as %q, want %q", email, got, want)
		}
	}
	run(t, set, "user", "list").want(0, "root@shop.example", "admin", "eve@shop.example", "support, warehouse", "Eve")
	run(t, set, "user", "roles", "--email", "EVE@shop.example", "--role", "customer").want(0, "eve@shop.example is customer now")
	if o := run(t, set, "user", "list").want(0, "root@shop.example"); strings.Contains(o.out, "eve@") {
		t.Errorf("eve is still listed:\n%s", o.out)
	}
	run(t, set, "user", "list", "--all", "--email", "eve").want(0, "eve@shop.example")
	if got := signIn("eve@shop.example"); got != "CUSTOMER" {
		t.Errorf("eve signs in as %q", got)
	}

	// The keys that verify tokens are published.
	if code, body, err := s.get("/.well-known/jwks.json"); err != nil || code != 200 || !strings.Contains(body, `"crv":"Ed25519"`) || strings.Contains(body, `"d"`) {
		t.Errorf("%d %s %v", code, body, err)
	}
	if log := s.log.String(); strings.Contains(log, teapots) {
		t.Error("the shop's log has the password")
	}
	s.stop()
	run(t, set, "user", "list").want(0, "root@shop.example")
}
