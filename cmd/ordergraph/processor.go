package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/host"
	"ordergraph/sandbox"
	"ordergraph/sandbox/card"
	"ordergraph/sandbox/carrier"
	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
	"ordergraph/services"
	"ordergraph/services/notification/twiliosms"
)

// Secrets that everybody knows: good for the sandbox, refused in production.
const (
	demoStripeKey     = "sk_test_sandbox"
	demoWebhookSecret = "whsec_sandbox"
)

// cardConfig says which card processor takes the money.
type cardConfig struct {
	StripeKey   string `name:"stripe-secret-key" env:"STRIPE_SECRET_KEY" default:"sk_test_sandbox" placeholder:"KEY" group:"Payment" help:"Secret key at the card processor; the default is the sandbox's."`
	StripeURL   string `name:"stripe-api-url" env:"STRIPE_API_URL" placeholder:"URL" group:"Payment" help:"The card processor. Without it: the sandbox at SANDBOX_ADDR, or Stripe itself with a key of your own."`
	SandboxAddr string `name:"sandbox-addr" env:"SANDBOX_ADDR" default:"127.0.0.1:8090" placeholder:"HOST:PORT" group:"Payment" help:"Where the sandbox listens: its card processor, carrier and SMS provider, and the page with the customers' phone and mailbox, at /sandbox."`
}

// toSandbox reports whether payments go to the sandbox of SANDBOX_ADDR.
func (c *cardConfig) toSandbox() bool { return c.StripeKey == demoStripeKey && c.StripeURL == "" }

// toStripe reports whether payments go to Stripe itself, which nobody plays.
func (c *cardConfig) toStripe() bool { return c.StripeKey != demoStripeKey && c.StripeURL == "" }

// inTest reports whether no real money moves: the key is the sandbox's or one
// of the processor's own for testing, which take the same cards.
func (c *cardConfig) inTest() bool { return strings.HasPrefix(c.StripeKey, "sk_test_") }

// processor is the card processor's address; "" is Stripe's own.
func (c *cardConfig) processor() string {
	if c.toSandbox() {
		return "http://" + fromHere(c.SandboxAddr)
	}
	return c.StripeURL
}

// startSandbox plays the outside world in this process.
func (s *serveCmd) startSandbox(ctx context.Context, h *host.Host, log *slog.Logger) error {
	listener, err := listen(ctx, "SANDBOX_ADDR", s.SandboxAddr)
	if err != nil {
		return err
	}
	h.OnClose("sandbox port", func() error { _ = listener.Close(); return nil }) // Serve may have closed it
	var post net.Listener
	if s.SandboxSMTPAddr != "" {
		if post, err = listen(ctx, "SANDBOX_SMTP_ADDR", s.SandboxSMTPAddr); err != nil {
			return err
		}
		h.OnClose("sandbox mail port", func() error { _ = post.Close(); return nil })
	}
	log = log.With("service", outside)
	store, err := docstorelocal.Open(filepath.Join(s.DataDir, outside), docstorelocal.WithLog(log))
	if err != nil {
		return fmt.Errorf("DATA_DIR: %w", err)
	}
	h.OnClose("sandbox store", store.Close)

	// As browsers on this machine reach it: services may know it by another name.
	public := "http://" + fromHere(listener.Addr().String())
	options := sandbox.Options{Log: log, Carrier: &carrier.Options{
		Store: store, Secret: s.CarrierSecret, Public: public + sandbox.CarrierPath,
		Webhook: s.reports(h, s.CarrierWebhook, "fulfilment", services.CarrierWebhookPath), Step: s.CarrierSpeed,
	}}
	if !s.toStripe() {
		webhook := s.reports(h, s.WebhookURL, "payment", services.WebhookPath)
		if webhook == "" {
			log.Warn("payments are reported to nobody: set SANDBOX_WEBHOOK_URL to " + services.WebhookPath + " at HTTP_ADDR of the payment service; until then it finds out by asking")
		}
		options.Card = &card.Options{
			Store: store, SecretKey: s.StripeKey, Webhook: card.Webhook{URL: webhook, Secret: s.StripeWebhook}, PublicURL: public,
		}
	}
	if post != nil {
		options.Mail = &mail.Options{}
	}
	if s.sendsTexts() && !s.toTwilio() {
		options.Twilio = &twilio.Options{Account: s.TwilioAccount, Token: s.TwilioToken}
		if at := s.smsCallback(h); at != "" {
			options.Twilio.Inbound = at + twiliosms.InboundPath
		}
	}
	world, err := sandbox.New(ctx, options)
	if err != nil {
		return err
	}
	h.Work(outside, func(ctx context.Context) error { return world.Serve(ctx, listener, post) })
	return nil
}

// reports is where the sandbox tells a service of what has happened: at the
// address that was set, else in this process if the service runs here, else
// nowhere.
func (s *serveCmd) reports(h *host.Host, set, service, path string) string {
	if set == "" && s.runs(service) && s.HTTPAddr != "" {
		return "http://" + fromHere(h.HTTPAddr()) + path
	}
	return set
}

// listen takes a port now, so that one in use is told before anything starts.
func listen(ctx context.Context, variable, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: cannot listen, perhaps because another process does: %w", variable, addr, err)
	}
	return listener, nil
}
