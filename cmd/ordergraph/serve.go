package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/platform/host"
	"ordergraph/platform/telemetry"
	"ordergraph/services"
	"ordergraph/services/account/accountrpc"
)

// Besides the services there are two more things that a process can serve.
const (
	gateway = "graph"   // the GraphQL gateway
	outside = "sandbox" // the outside world on this machine
)

type serveCmd struct {
	Services []string `arg:"" optional:"" name:"service" help:"What to run here: graph (the gateway), account, catalog, inventory, cart, order, payment, fulfilment, invoice, notification, sandbox. Default: everything; the sandbox only while payments, mails, short messages or parcels go to it."`

	groundConfig
	HTTPAddr  string `name:"http-addr" env:"HTTP_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" group:"Processes" help:"Where this process serves HTTP: GraphQL, webhooks, health."`
	PublicURL string `name:"public-url" env:"PUBLIC_URL" placeholder:"URL" group:"Shop" help:"How browsers reach the gateway. Without it: http:// and HTTP_ADDR."`
	ShopName  string `env:"SHOP_NAME" default:"Harbour Store" placeholder:"TEXT" group:"Shop" help:"What the shop is called."`
	Demo      string `env:"DEMO" enum:"auto,on,off" default:"auto" placeholder:"WHEN" group:"Shop" help:"Load the demo catalogue and its discount codes when there are no products, and take on staff to try the console with where only this machine reaches it: auto (only into local stores), on or off. The process of the catalog service does it, and of staff one that serves everything."`

	gatewayConfig
	limitsConfig
	accountConfig
	mailConfig
	smsConfig
	sellerConfig
	cardConfig
	carrierConfig
	AutoFulfil     string        `name:"auto-fulfil" env:"AUTO_FULFIL" enum:"auto,on,off" default:"auto" placeholder:"WHEN" group:"Parcels" help:"Let the program pick, pack and ship by itself, for want of people: auto (only in the demo), on or off."`
	CarrierSpeed   time.Duration `name:"sandbox-carrier-speed" env:"SANDBOX_CARRIER_SPEED" default:"5s" placeholder:"DURATION" group:"Parcels" help:"How long the sandbox's carrier leaves a parcel in each state: booked, in transit, out for delivery."`
	CarrierWebhook string        `name:"sandbox-carrier-webhook-url" env:"SANDBOX_CARRIER_WEBHOOK_URL" placeholder:"URL" group:"Parcels" help:"Where the sandbox reports parcels to: /webhooks/carrier at HTTP_ADDR of the process of the fulfilment service. Without it: this process, if that is the one."`
	StripeWebhook  string        `name:"stripe-webhook-secret" env:"STRIPE_WEBHOOK_SECRET" default:"whsec_sandbox" placeholder:"SECRET" group:"Payment" help:"Secret that signs the card processor's webhooks; the default is the sandbox's."`
	WebhookURL     string        `name:"sandbox-webhook-url" env:"SANDBOX_WEBHOOK_URL" placeholder:"URL" group:"Payment" help:"Where the sandbox reports payments to: /webhooks/card at HTTP_ADDR of the process of the payment service. Without it: this process, if that is the one."`

	Production  bool   `env:"PRODUCTION" group:"Care" help:"Refuse to start with anything that is only good for trying: demo secrets, the sandbox, embedded Redis."`
	MetricsAddr string `name:"metrics-addr" env:"METRICS_ADDR" placeholder:"HOST:PORT" group:"Care" help:"Serve this process's figures for Prometheus here, at /metrics; for the network of the shop's own machines. Without it: at DEBUG_ADDR, if at all."`
	DebugAddr   string `name:"debug-addr" env:"DEBUG_ADDR" placeholder:"HOST:PORT" group:"Care" help:"Serve Go profiles (net/http/pprof) and figures here; loopback only. Without it: nowhere."`
}

func (s *serveCmd) Help() string {
	return "Run it without names for a whole shop in one process; name services to run only those here, and tell where the others are with CATALOG_ADDR, INVENTORY_ADDR and so on. Stop it with Ctrl-C: it finishes what it has begun, within ten seconds; a second Ctrl-C ends it at once, and nothing is lost."
}

func (s *serveCmd) Run(ctx context.Context) error {
	if err := s.check(); err != nil {
		return err
	}
	tuneMemory()
	log := s.logger()
	secret, err := s.secret()
	if err != nil {
		return err
	}
	h, err := host.New(host.Options{Log: log, HTTPAddr: s.HTTPAddr, GRPCAddr: s.GRPCAddr, Secret: secret, Addrs: s.addrs()})
	if err != nil {
		return err
	}
	if err := s.start(ctx, h, log); err != nil {
		return errors.Join(err, h.Close())
	}
	s.greet(h, log)
	return h.Run(ctx)
}

func (s *serveCmd) start(ctx context.Context, h *host.Host, log *slog.Logger) error {
	metrics := telemetry.NewMetrics()
	if s.DebugAddr != "" {
		if err := s.startProfiles(ctx, h, metrics); err != nil {
			return err
		}
	}
	if s.MetricsAddr != "" {
		if err := s.startMetrics(ctx, h, metrics); err != nil {
			return err
		}
	}
	var client *redis.Client // one for everybody in this process
	if here := s.here(); len(here) > 0 {
		var err error
		if client, err = s.redis(ctx, h, log); err != nil {
			return err
		}
		ground := s.ground(h, log, client)
		ground.Metrics = metrics
		metrics.MustRegister(ground.Bus)
		ground.Settings.Account = s.accountSettings()
		ground.Settings.Stripe = services.StripeSettings{
			SecretKey: s.StripeKey, WebhookSecret: s.StripeWebhook, URL: s.processor(), ReturnURL: s.publicURL(h),
		}
		ground.Settings.Carrier = s.carrier(s.SandboxAddr)
		if s.fulfilsAlone() {
			ground.Settings.Carrier.Auto = autoFulfil
		}
		ground.Settings.Seller = s.seller(s.Country)
		if ground.Settings.Mail, err = s.mail(h); err != nil {
			return err
		}
		ground.Settings.SMS = s.sms(h)
		if err := services.Start(ctx, ground, here); err != nil {
			return err
		}
		if s.loadsDemo() {
			if err := startDemo(h, log, s.Currency); err != nil {
				return fmt.Errorf("start the demo: %w", err)
			}
		}
		if s.hasDemoStaff() {
			if err := startDemoStaff(h, log.With("service", "demo")); err != nil {
				return fmt.Errorf("start the demo's staff: %w", err)
			}
		}
		if s.bearsNoDemoStaff() {
			accounts, err := host.Use(h, accountrpc.Contract)
			if err == nil {
				err = refuseDemoStaff(ctx, accounts)
			}
			if err != nil {
				return err
			}
		}
	}
	if s.runs(outside) {
		if err := s.startSandbox(ctx, h, log); err != nil {
			return fmt.Errorf("start %s: %w", outside, err)
		}
	}
	if s.runs(gateway) {
		if client == nil {
			var err error
			if client, err = s.doorbell(h, log); err != nil {
				return err
			}
		}
		if err := s.startGateway(h, log, client, metrics); err != nil {
			return fmt.Errorf("start %s: %w", gateway, err)
		}
	}
	return nil
}

func (s *serveCmd) runs(name string) bool { return slices.Contains(s.Services, name) }

// here is which services run in this process.
func (s *serveCmd) here() []string {
	return slices.DeleteFunc(slices.Clone(s.Services), func(n string) bool { return n == gateway || n == outside })
}

func (s *serveCmd) loadsDemo() bool { return s.runs("catalog") && s.isDemoShop() }

func (s *serveCmd) isDemoShop() bool { return s.Demo == "on" || s.Demo == "auto" && s.MongoURI == "" }
