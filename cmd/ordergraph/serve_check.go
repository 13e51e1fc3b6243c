package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"ordergraph/services"
)

// check completes the settings and says what is wrong with them.
func (s *serveCmd) check() error {
	if len(s.Services) == 0 {
		s.Services = append(services.Names(), gateway)
		if s.toSandbox() || s.mailsToSandbox() || s.textsToSandbox() || s.CarrierURL == "" {
			s.Services = append(s.Services, outside)
		}
	}
	if err := services.Check(s.here()); err != nil {
		return usage("%v, %s, %s", err, gateway, outside)
	}
	if err := s.groundConfig.check(); err != nil {
		return err
	}
	var wrong complaints
	wrong.checkListen("HTTP_ADDR", s.HTTPAddr)
	s.gatewayConfig.check(&wrong)
	s.limitsConfig.check(&wrong, s.runs(gateway) && s.Playground == "on")
	s.accountConfig.check(&wrong)
	if s.runs(outside) {
		wrong.checkListen("SANDBOX_ADDR", s.SandboxAddr)
		wrong.checkListen("SANDBOX_SMTP_ADDR", s.SandboxSMTPAddr)
	}
	if s.runs("invoice") {
		s.checkSeller(&wrong)
	}
	if s.runs("notification") {
		s.mailConfig.check(&wrong)
		s.smsConfig.check(&wrong)
		if s.PublicURL == "" && s.HTTPAddr == "" {
			wrong.add("mails have links, and nothing says where they lead: set PUBLIC_URL")
		}
	}
	if s.CarrierSpeed <= 0 {
		wrong.add("SANDBOX_CARRIER_SPEED=%s is not a time that passes, such as 5s", s.CarrierSpeed)
	}
	wrong.checkListen("METRICS_ADDR", s.MetricsAddr)
	wrong.checkListen("DEBUG_ADDR", s.DebugAddr)
	if s.DebugAddr != "" && !isLoopback(s.DebugAddr) {
		wrong.add("DEBUG_ADDR=%s can be reached from other machines: profiles tell too much; use 127.0.0.1:PORT", s.DebugAddr)
	}
	for _, name := range s.missing() {
		wrong.add("the %s service is needed here and does not run here: set %s to where it runs (host:port), or serve it here too", name, variableOf(name))
	}
	if s.RedisURL == "" && len(s.here()) > 0 && len(s.here()) < len(services.All) {
		wrong.add("services in several processes tell each other facts over Redis: set REDIS_URL, like redis://127.0.0.1:6379/0, the same for all of them")
	}
	for _, setting := range []struct{ name, text string }{{"PUBLIC_URL", s.PublicURL}, {"STRIPE_API_URL", s.StripeURL}, {"SANDBOX_WEBHOOK_URL", s.WebhookURL}, {"CARRIER_URL", s.CarrierURL}, {"SANDBOX_CARRIER_WEBHOOK_URL", s.CarrierWebhook}} {
		u, err := url.Parse(setting.text)
		if setting.text != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			wrong.add("%s=%s is not an address like https://shop.example", setting.name, setting.text)
		}
	}
	if s.Production {
		s.checkProduction(&wrong)
	}
	return wrong.err()
}

// missing names the services that those here call and that are nowhere.
func (s *serveCmd) missing() []string {
	addrs := s.addrs()
	var missing []string
	need := func(name string) {
		if !s.runs(name) && addrs[name] == "" && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	for _, service := range services.All {
		if s.runs(service.Name) {
			for _, name := range service.Calls {
				need(name)
			}
		}
	}
	if s.runs(gateway) {
		for _, name := range services.Names() {
			need(name)
		}
	}
	return missing
}

// checkProduction complains of what is only good for trying the shop out.
func (s *serveCmd) checkProduction(wrong *complaints) {
	var bad []string
	if s.runs("payment") || s.runs(outside) {
		if s.StripeKey == demoStripeKey {
			bad = append(bad, "payments go to the sandbox: set STRIPE_SECRET_KEY")
		}
		if s.StripeWebhook == demoWebhookSecret {
			bad = append(bad, "webhooks are signed with the sandbox's secret: set STRIPE_WEBHOOK_SECRET")
		}
	}
	if s.runs(outside) {
		bad = append(bad, "the sandbox is served here: set what it stands in for, and do not name it")
	}
	if s.runs("fulfilment") {
		if s.CarrierURL == "" {
			bad = append(bad, "parcels go to the sandbox: set CARRIER_URL")
		}
		if s.CarrierSecret == demoCarrierSecret {
			bad = append(bad, "the carrier is shown the sandbox's secret: set CARRIER_SECRET")
		}
		if s.AutoFulfil == "on" {
			bad = append(bad, "the program would say that it packs and ships: set AUTO_FULFIL=off")
		}
	}
	if s.runs("invoice") && s.isDemo() {
		bad = append(bad, "invoices name a seller who does not exist: set SHOP_LEGAL_NAME, SHOP_ADDRESS, SHOP_ZIP, SHOP_CITY and SHOP_VAT_ID")
	}
	if s.runs("notification") {
		if s.SMTPURL == "" {
			bad = append(bad, "mails go to the sandbox: set SMTP_URL")
		}
		if s.MailFrom == "" {
			bad = append(bad, "mails come from an address that nobody can answer: set MAIL_FROM")
		}
		bad = append(bad, s.unfitTexts()...)
	}
	switch {
	case s.RedisURL != "":
	case len(s.here()) > 0:
		bad = append(bad, "Redis is embedded: set REDIS_URL")
	case s.runs(gateway):
		bad = append(bad, "live updates would be polled: set REDIS_URL")
	}
	if s.KeySecret == "" && s.runs("account") {
		bad = append(bad, "the keys that sign access tokens are not protected: set AUTH_KEY_SECRET")
	}
	if s.RPCSecret == "" {
		bad = append(bad, "RPC_SECRET is not set")
	}
	if s.PublicURL == "" && s.runs(gateway) {
		bad = append(bad, "PUBLIC_URL is not set")
	}
	for _, text := range bad {
		*wrong = append(*wrong, fmt.Sprintf("PRODUCTION is set, but %s", strings.TrimSuffix(text, ".")))
	}
}
