package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"ordergraph/platform/host"
	"ordergraph/web"
)

// greet tells the operator what runs, what is embedded, and where to go.
func (s *serveCmd) greet(h *host.Host, log *slog.Logger) {
	type fact struct{ name, text string }
	var facts []fact
	say := func(name, text string) { facts = append(facts, fact{name, text}) }

	if len(s.here()) > 0 {
		if s.MongoURI != "" {
			say("documents", "MongoDB, databases "+s.MongoDatabase+"_…")
		} else {
			say("documents", "local files in "+shorten(s.DataDir))
		}
		if s.RedisURL != "" {
			say("redis", "your server")
		} else {
			say("redis", "embedded")
		}
	}
	if s.runs("payment") {
		switch {
		case s.StripeKey == demoStripeKey:
			say("cards", "sandbox: no real money moves; pay with pm_card_visa")
		case s.StripeURL != "":
			say("cards", "Stripe's API at "+s.StripeURL)
		default:
			say("cards", "Stripe")
		}
	}
	if s.runs("fulfilment") {
		parcels := s.CarrierURL
		if parcels == "" {
			parcels = "sandbox: nothing is really sent"
		}
		if s.fulfilsAlone() {
			parcels += "; the program packs by itself (AUTO_FULFIL)"
		}
		say("parcels", parcels)
	}
	if s.runs("notification") {
		if s.mailsToSandbox() {
			say("mail", "sandbox: nothing leaves this machine")
		} else {
			say("mail", "SMTP at "+s.providerHost())
		}
		say("sms", s.carrierOfTexts())
	}
	if s.runs(gateway) {
		say("storefront", s.publicURL(h)+"/")
		console := s.publicURL(h) + "/console"
		switch {
		case s.hasDemoStaff():
			console += " (sign in as admin" + demoStaffDomain + ", password " + demoStaffPassword + ")"
		case !s.Production:
			console += " (take on staff with: ordergraph user create)"
		}
		say("console", console)
		say("graphql", s.publicURL(h)+"/graphql")
		if s.Playground == "on" {
			say("playground", s.publicURL(h)+web.PlaygroundPath)
		}
	}
	if s.runs(outside) {
		say("sandbox", "http://"+fromHere(s.SandboxAddr)+"/sandbox (the customers' phone and mailbox)")
	}
	if h.HTTPAddr() != "" {
		say("health", "http://"+fromHere(h.HTTPAddr())+"/readyz")
	}
	if h.GRPCAddr() != "" {
		say("grpc", h.GRPCAddr())
	}
	if s.DebugAddr != "" {
		say("profiles", "http://"+s.DebugAddr+"/debug/pprof/")
	}
	if !s.Production && h.HTTPAddr() != "" && !isLoopback(h.HTTPAddr()) {
		say("warning", "other machines can reach this, and it is set up for trying: see PRODUCTION in serve --help")
	}

	running := strings.Join(s.Services, ", ")
	if !s.forPeople() {
		args := []any{"version", version(), "running", running}
		for _, f := range facts {
			args = append(args, f.name, f.text)
		}
		log.Info("started", args...)
		return
	}
	_, _ = fmt.Fprintf(os.Stderr, "ordergraph %s runs %s\n", version(), running)
	for _, f := range facts {
		_, _ = fmt.Fprintf(os.Stderr, "  %-10s %s\n", f.name, f.text)
	}
}

func (s *serveCmd) publicURL(h *host.Host) string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	return "http://" + fromHere(h.HTTPAddr())
}

// shorten is the folder as seen from where the program was started, if it is below.
func shorten(dir string) string {
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, dir); err == nil && !strings.HasPrefix(rel, "..") {
			return rel
		}
	}
	return dir
}
