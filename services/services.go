// Package services is the map of the shop: which services there are, who
// calls whom, and who hears of what.
//
// Each service owns its documents and is reached by its interface alone. The
// same map serves one process that runs them all and many that run one each.
package services

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/live"
	"ordergraph/platform/money"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
	"ordergraph/services/cart"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/fulfilmentrpc"
	"ordergraph/services/fulfilment/httpcarrier"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventoryrpc"
	"ordergraph/services/invoice"
	"ordergraph/services/invoice/invoicerpc"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationrpc"
	"ordergraph/services/notification/smtpmail"
	"ordergraph/services/notification/twiliosms"
	"ordergraph/services/order"
	"ordergraph/services/order/orderrpc"
	"ordergraph/services/payment"
	"ordergraph/services/payment/paymentrpc"
	"ordergraph/services/payment/stripegateway"
)

// A Service is one line of the map.
type Service struct {
	Name  string
	Calls []string // services it needs to do its work
	Hears []string // topics whose facts it listens to
}

// All services, each after those it calls; but order and fulfilment call each
// other.
var All = []Service{
	{Name: "account"},
	{Name: "inventory"},
	{Name: "catalog", Calls: []string{"inventory"}, Hears: []string{inventory.Topic}},
	{Name: "cart", Calls: []string{"catalog", "inventory"}, Hears: []string{account.Topic}},
	{Name: "payment"},
	{Name: "order", Calls: []string{"cart", "inventory", "payment", "fulfilment"}, Hears: []string{payment.Topic, account.Topic, fulfilment.Topic, invoice.Topic, notification.Topic}},
	{Name: "fulfilment", Calls: []string{"order", "inventory"}, Hears: []string{order.Topic}},
	{Name: "invoice", Calls: []string{"order"}, Hears: []string{account.Topic, order.Topic}},
	{Name: "notification", Calls: []string{"account", "order", "invoice", "fulfilment"}, Hears: []string{account.Topic, order.Topic, invoice.Topic}},
}

var starts = map[string]func(context.Context, *Ground) error{
	"account":      startAccount,
	"inventory":    startInventory,
	"catalog":      startCatalog,
	"cart":         startCart,
	"payment":      startPayment,
	"order":        startOrder,
	"fulfilment":   startFulfilment,
	"invoice":      startInvoice,
	"notification": startNotification,
}

// Names lists the services.
func Names() []string {
	names := make([]string, len(All))
	for i, s := range All {
		names[i] = s.Name
	}
	return names
}

// listeners are the services that hear the topic.
func listeners(topic string) []string {
	var names []string
	for _, s := range All {
		if slices.Contains(s.Hears, topic) {
			names = append(names, s.Name)
		}
	}
	return names
}

// Ground is what services stand on in one process.
type Ground struct {
	Host     *host.Host
	Log      *slog.Logger
	Bus      *events.Bus
	Bell     *live.Bell            // nil: who watches things learns of changes later
	Metrics  prometheus.Registerer // nil: nobody asks for figures
	Store    func(ctx context.Context, service string) (docstore.Store, error)
	Settings Settings
	Now      func() time.Time // nil: time.Now

	orders *order.Recent    // see recentOrders
	later  []func() error   // what is done when all services of this process are there
	boxes  []deadletter.Box // of those services' dead letters
}

// Settings are the shop's own.
type Settings struct {
	Currency string // ISO 4217
	Country  string // ISO 3166-1 alpha-2
	Account  AccountSettings
	Stripe   StripeSettings
	Mail     MailSettings
	SMS      SMSSettings
	Carrier  CarrierSettings
	Seller   invoice.Seller // who sells, on invoices
}

// CarrierSettings say how parcels are sent.
type CarrierSettings struct {
	URL    string
	Secret string        // shown to the carrier, and signs what it tells
	Auto   time.Duration // how long the program waits before it picks, packs and ships by itself; 0: people do it
}

// AccountSettings say how customers and staff are recognised.
type AccountSettings struct {
	Issuer       string // of access tokens, and their audience
	KeySecret    string // encrypts the keys that sign them
	PasswordCost int    // bcrypt's
}

// StripeSettings say how to reach the card processor.
type StripeSettings struct {
	SecretKey     string
	WebhookSecret string
	URL           string // the sandbox's, or "" for the real one
	ReturnURL     string // where customers come back to from their bank, if they name no page
}

// MailSettings say how customers are written to.
type MailSettings struct {
	URL       string        // the provider's, smtp:// or smtps://
	Fallback  string        // another one's, which stands in; "": nobody's
	From      string        // Name <address>
	ShopName  string        // signs the mails
	PublicURL string        // where their links lead
	OrderPage string        // the address of an order's page, up to its id; "": there is none
	Logo      []byte        // a PNG; nil: none
	Grace     time.Duration // see notification.Options, also for what follows
	Unknown   notification.Policy
}

// SMSSettings say how customers get short messages.
type SMSSettings struct {
	Accounts    []twiliosms.Options // in order of preference; none: no messages
	CallbackURL string              // SMSWebhookPath as the provider reaches it; "": it tells nothing
	QuietHours  notification.QuietHours
	Unknown     notification.Policy
}

// SMSWebhookPath is where the process of the notification service hears from
// the SMS provider what became of messages, and below it at
// twiliosms.InboundPath what customers answer.
const SMSWebhookPath = "/webhooks/sms"

// WebhookPath is where the process of the payment service hears from the card processor.
const WebhookPath = "/webhooks/card"

// CarrierWebhookPath is where the process of the fulfilment service hears from the carrier.
const CarrierWebhookPath = "/webhooks/carrier"

// CheckShop says whether a shop can trade in this currency and country.
func CheckShop(currency, country string) error {
	if _, err := money.Parse("1", currency); err != nil {
		return fmt.Errorf("CURRENCY: %s", fault.Of(err).Message)
	}
	if !cart.IsCountry(country) {
		return fmt.Errorf("COUNTRY: %q is not an ISO 3166-1 country code", country)
	}
	return nil
}

// Check says whether names are services.
func Check(names []string) error {
	for _, n := range names {
		if !slices.Contains(Names(), n) {
			return fmt.Errorf("there is no service %q; there are %s", n, strings.Join(Names(), ", "))
		}
	}
	return nil
}

// Start starts the named services in this process. They work while g.Host
// runs, and end with it.
func Start(ctx context.Context, g *Ground, names []string) error {
	for _, s := range All {
		if !slices.Contains(names, s.Name) {
			continue
		}
		if err := starts[s.Name](ctx, g); err != nil {
			return fmt.Errorf("start %s: %w", s.Name, err)
		}
	}
	for _, do := range g.later {
		if err := do(); err != nil {
			return err
		}
	}
	g.provideLetters(names)
	return nil
}

// store opens the service's own database and closes it with the host.
func (g *Ground) store(ctx context.Context, service string) (docstore.Store, error) {
	store, err := g.Store(ctx, service)
	if err != nil {
		return nil, err
	}
	g.Host.OnClose(service+" store", store.Close)
	g.Host.Check(service, store.Ping)
	return store, nil
}

func (g *Ground) log(service string) *slog.Logger { return g.Log.With("service", service) }

// recentOrders reads the orders for the services of this process that hear of
// them at the same time.
func (g *Ground) recentOrders(orders order.Service) *order.Recent {
	if g.orders == nil {
		g.orders = order.NewRecent(orders)
	}
	return g.orders
}

func startAccount(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "account")
	if err != nil {
		return err
	}
	settings := g.Settings.Account
	keeper, err := account.New(ctx, account.Options{
		Store: store, Bus: g.Bus, Bell: g.Bell, Listeners: listeners(account.Topic),
		Issuer: settings.Issuer, Audience: settings.Issuer, KeySecret: settings.KeySecret, Cost: settings.PasswordCost,
		Now: g.Now, Log: g.log("account"),
	})
	if err != nil {
		return err
	}
	host.Provide(g.Host, accountrpc.Contract, account.Service(keeper))
	g.Host.Work("account", keeper.Run)
	return nil
}

func startInventory(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "inventory")
	if err != nil {
		return err
	}
	keeper, err := inventory.New(ctx, inventory.Options{
		Store: store, Bus: g.Bus, Listeners: listeners(inventory.Topic), Now: g.Now, Log: g.log("inventory"),
	})
	if err != nil {
		return err
	}
	host.Provide(g.Host, inventoryrpc.Contract, inventory.Service(keeper))
	g.Host.Work("inventory", keeper.Run)
	return nil
}

func startCatalog(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "catalog")
	if err != nil {
		return err
	}
	stock, err := host.Use(g.Host, inventoryrpc.Contract)
	if err != nil {
		return err
	}
	keeper, err := catalog.New(ctx, catalog.Options{
		Store: store, Bus: g.Bus, Stock: stock, Currency: g.Settings.Currency, Now: g.Now, Log: g.log("catalog"),
	})
	if err != nil {
		return err
	}
	host.Provide(g.Host, catalogrpc.Contract, catalog.Service(keeper))
	g.Host.Work("catalog", keeper.Run)
	return nil
}

func startCart(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "cart")
	if err != nil {
		return err
	}
	products, err := host.Use(g.Host, catalogrpc.Contract)
	if err != nil {
		return err
	}
	stock, err := host.Use(g.Host, inventoryrpc.Contract)
	if err != nil {
		return err
	}
	counts, err := g.count(ctx, "cart", store)
	if err != nil {
		return err
	}
	keeper, err := cart.New(ctx, cart.Options{
		Store: store, Bus: g.Bus, Catalog: products, Stock: stock, Activity: counts,
		Rules: cart.DefaultRules(g.Settings.Currency, g.Settings.Country), Now: g.Now, Log: g.log("cart"),
	})
	if err != nil {
		return err
	}
	host.Provide(g.Host, cartrpc.Contract, cart.Service(keeper))
	g.Host.Work("cart", keeper.Run)
	return nil
}

func startPayment(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "payment")
	if err != nil {
		return err
	}
	gateway, err := stripegateway.New(stripegateway.Options{
		SecretKey: g.Settings.Stripe.SecretKey, URL: g.Settings.Stripe.URL, ReturnURL: g.Settings.Stripe.ReturnURL,
	})
	if err != nil {
		return err
	}
	cashier, err := payment.New(ctx, payment.Options{
		Store: store, Bus: g.Bus, Listeners: listeners(payment.Topic), Gateway: gateway, Now: g.Now, Log: g.log("payment"),
	})
	if err != nil {
		return err
	}
	g.Host.OnClose("payment", cashier.Close)
	host.Provide(g.Host, paymentrpc.Contract, payment.Service(cashier))
	g.Host.Handle(http.MethodPost+" "+WebhookPath, cashier.Webhook(g.Settings.Stripe.WebhookSecret))
	g.Host.Work("payment", cashier.Run)
	return nil
}

func startOrder(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "order")
	if err != nil {
		return err
	}
	carts, err := host.Use(g.Host, cartrpc.Contract)
	if err != nil {
		return err
	}
	stock, err := host.Use(g.Host, inventoryrpc.Contract)
	if err != nil {
		return err
	}
	payments, err := host.Use(g.Host, paymentrpc.Contract)
	if err != nil {
		return err
	}
	// It starts after the orders, which it calls as well.
	var parcels struct{ order.Fulfilment }
	g.later = append(g.later, func() error {
		var err error
		parcels.Fulfilment, err = host.Use(g.Host, fulfilmentrpc.Contract)
		return err
	})
	counts, err := g.count(ctx, "order", store)
	if err != nil {
		return err
	}
	keeper, err := order.New(ctx, order.Options{
		Store: store, Bus: g.Bus, Listeners: listeners(order.Topic), Bell: g.Bell, Activity: counts,
		Cart: carts, Inventory: stock, Payment: payments, Fulfilment: &parcels, Now: g.Now, Log: g.log("order"),
	})
	if err != nil {
		return err
	}
	g.measure(keeper)
	host.Provide(g.Host, orderrpc.Contract, order.Service(keeper))
	g.Host.Work("order", keeper.Run)
	return nil
}

func startInvoice(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "invoice")
	if err != nil {
		return err
	}
	orders, err := host.Use(g.Host, orderrpc.Contract)
	if err != nil {
		return err
	}
	keeper, err := invoice.New(ctx, invoice.Options{
		Store: store, Bus: g.Bus, Listeners: listeners(invoice.Topic), Bell: g.Bell, Orders: orders, Recent: g.recentOrders(orders),
		Seller: g.Settings.Seller, Now: g.Now, Log: g.log("invoice"),
	})
	if err != nil {
		return err
	}
	g.measure(keeper)
	host.Provide(g.Host, invoicerpc.Contract, invoice.Service(keeper))
	g.Host.Work("invoice", keeper.Run)
	return nil
}

func startNotification(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "notification")
	if err != nil {
		return err
	}
	accounts, err := host.Use(g.Host, accountrpc.Contract)
	if err != nil {
		return err
	}
	orders, err := host.Use(g.Host, orderrpc.Contract)
	if err != nil {
		return err
	}
	invoices, err := host.Use(g.Host, invoicerpc.Contract)
	if err != nil {
		return err
	}
	parcels, err := host.Use(g.Host, fulfilmentrpc.Contract)
	if err != nil {
		return err
	}
	settings, sms := g.Settings.Mail, g.Settings.SMS
	var mailers []notification.Mailer
	for _, url := range []string{settings.URL, settings.Fallback} {
		if url == "" && mailers != nil {
			break
		}
		mailer, err := smtpmail.New(smtpmail.Options{URL: url, From: settings.From})
		if err != nil {
			return err
		}
		g.Host.OnStop("connections to the mail provider", func(context.Context) { mailer.Close() })
		mailers = append(mailers, mailer)
	}
	var texters []notification.Texter
	var tokens []string
	for _, o := range sms.Accounts {
		texter, err := twiliosms.New(o)
		if err != nil {
			return err
		}
		g.Host.OnClose("connections to the SMS provider", func() error { texter.Close(); return nil })
		texters, tokens = append(texters, texter), append(tokens, o.AuthToken)
	}
	log := g.log("notification")
	keeper, err := notification.New(ctx, notification.Options{
		Store: store, Bus: g.Bus, Listeners: listeners(notification.Topic), Bell: g.Bell,
		Mailers: mailers, Texters: texters, Accounts: accounts, Orders: orders, Recent: g.recentOrders(orders), Invoices: invoices, Parcels: parcels,
		MailUnknown: settings.Unknown, SMSUnknown: sms.Unknown, Grace: settings.Grace, QuietHours: sms.QuietHours,
		From: settings.From, ShopName: settings.ShopName, PublicURL: settings.PublicURL, OrderPage: settings.OrderPage, Logo: settings.Logo,
		Now: g.Now, Log: log,
	})
	if err != nil {
		return err
	}
	if sms.CallbackURL != "" {
		status, inbound := twiliosms.Callbacks(tokens, sms.CallbackURL, keeper, log)
		g.Host.Handle(http.MethodPost+" "+SMSWebhookPath, status)
		g.Host.Handle(http.MethodPost+" "+SMSWebhookPath+twiliosms.InboundPath, inbound)
	}
	g.measure(keeper)
	host.Provide(g.Host, notificationrpc.Contract, notification.Service(keeper))
	g.boxes = append(g.boxes, deadletter.Box{Service: "notification", Kind: deadletter.Message, Letters: keeper.Letters()})
	g.Host.Work("notification", keeper.Run)
	return nil
}

func startFulfilment(ctx context.Context, g *Ground) error {
	store, err := g.store(ctx, "fulfilment")
	if err != nil {
		return err
	}
	orders, err := host.Use(g.Host, orderrpc.Contract)
	if err != nil {
		return err
	}
	stock, err := host.Use(g.Host, inventoryrpc.Contract)
	if err != nil {
		return err
	}
	settings := g.Settings.Carrier
	carrier, err := httpcarrier.New(httpcarrier.Options{URL: settings.URL, Secret: settings.Secret})
	if err != nil {
		return err
	}
	g.Host.OnClose("connections to the carrier", func() error { carrier.Close(); return nil })
	keeper, err := fulfilment.New(ctx, fulfilment.Options{
		Store: store, Bus: g.Bus, Listeners: listeners(fulfilment.Topic),
		Orders: orders, Inventory: stock, Carrier: carrier, Auto: settings.Auto, Now: g.Now, Log: g.log("fulfilment"),
	})
	if err != nil {
		return err
	}
	host.Provide(g.Host, fulfilmentrpc.Contract, fulfilment.Service(keeper))
	g.Host.Handle(http.MethodPost+" "+CarrierWebhookPath, keeper.Webhook(settings.Secret))
	g.Host.Work("fulfilment", keeper.Run)
	return nil
}
