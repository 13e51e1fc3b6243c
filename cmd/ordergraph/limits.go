package main

import (
	"expvar"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"ordergraph/graph"
	"ordergraph/platform/budget"
	"ordergraph/platform/host"
)

// limitsConfig says how much clients of the gateway may ask for, and what.
type limitsConfig struct {
	RateLimit      string   `name:"rate-limit" env:"RATE_LIMIT" enum:"on,off" default:"on" placeholder:"WHEN" group:"Limits" help:"Limit how much each customer, and each address of guests, may ask for: on or off."`
	BudgetRate     int      `name:"budget-rate" env:"BUDGET_RATE" default:"2000" placeholder:"N" group:"Limits" help:"Points of query cost that come back to everybody in a second. A page of products costs some tens."`
	BudgetBurst    int      `name:"budget-burst" env:"BUDGET_BURST" default:"20000" placeholder:"N" group:"Limits" help:"Points that can be spent at once, and the most that one operation may cost."`
	SignInLimit    int      `name:"sign-in-limit" env:"SIGN_IN_LIMIT" default:"10" placeholder:"N" group:"Limits" help:"Attempts to sign in, to register or to recover an account, a minute from one address."`
	CheckoutLimit  int      `name:"checkout-limit" env:"CHECKOUT_LIMIT" default:"30" placeholder:"N" group:"Limits" help:"Checkouts a minute."`
	CodeLimit      int      `name:"code-limit" env:"CODE_LIMIT" default:"30" placeholder:"N" group:"Limits" help:"Discount codes that can be tried in a minute."`
	TrustedProxies []string `name:"trusted-proxies" env:"TRUSTED_PROXIES" placeholder:"CIDR,…" group:"Limits" help:"Networks of proxies and storefront servers whose X-Forwarded-For is believed, such as 10.0.0.0/8. Without it: nobody's."`
	Safelist       string   `env:"SAFELIST" enum:"on,off" default:"off" placeholder:"WHEN" group:"Limits" help:"Admit only the operations of OPERATIONS_FILE: on or off."`
	OperationsFile string   `name:"operations-file" env:"OPERATIONS_FILE" default:"operations.json" type:"path" placeholder:"FILE" group:"Limits" help:"The manifest that ordergraph operations register writes; read again when it changes."`
}

func (c *limitsConfig) check(wrong *complaints, playground bool) {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"BUDGET_RATE", c.BudgetRate}, {"BUDGET_BURST", c.BudgetBurst}, {"SIGN_IN_LIMIT", c.SignInLimit},
		{"CHECKOUT_LIMIT", c.CheckoutLimit}, {"CODE_LIMIT", c.CodeLimit},
	} {
		if n.value < 1 || n.value > 1_000_000_000 {
			wrong.add("%s=%d is not from 1 to 1000000000", n.name, n.value)
		}
	}
	if _, err := budget.ParseProxies(c.TrustedProxies); err != nil {
		wrong.add("TRUSTED_PROXIES: %v", err)
	}
	if c.Safelist == "on" && playground {
		wrong.add("SAFELIST is on, and the playground cannot work with registered operations alone: set PLAYGROUND=off as well")
	}
}

// startLimits makes the gateway limit what is asked for. On a Redis of its own
// a process limits by itself, which is the same and costs less.
func (s *serveCmd) startLimits(h *host.Host, log *slog.Logger, client *redis.Client, o *graph.Options) error {
	proxies, err := budget.ParseProxies(s.TrustedProxies)
	if err != nil {
		return fmt.Errorf("TRUSTED_PROXIES: %w", err)
	}
	o.Address = proxies.Address
	if s.RateLimit == "on" {
		counting := budget.Options{Log: log}
		if client != nil && s.RedisURL != "" {
			counting.Redis = client.Options()
		}
		budgets := budget.New(counting)
		h.OnClose("budgets", budgets.Close)
		expvar.Publish("limits", expvar.Func(func() any { return budgets.Figures() }))
		o.Charges = graph.Charges{
			Budgets: budgets, General: budget.PerSecond(s.BudgetRate, s.BudgetBurst),
			SignIn: budget.PerMinute(s.SignInLimit), Checkout: budget.PerMinute(s.CheckoutLimit), Codes: budget.PerMinute(s.CodeLimit),
		}
	}
	if s.Safelist == "on" {
		if o.Safelist, err = graph.OpenSafelist(s.OperationsFile, log); err != nil {
			return fmt.Errorf("OPERATIONS_FILE: %w; write one with ordergraph operations register", err)
		}
		h.Work("registered operations", o.Safelist.Run)
	}
	return nil
}
