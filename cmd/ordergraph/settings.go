package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"golang.org/x/term"

	"ordergraph/platform/telemetry"
	"ordergraph/services"
)

// groundConfig is what every command that touches documents or services needs.
type groundConfig struct {
	DataDir       string `env:"DATA_DIR" default:"data" type:"path" placeholder:"DIR" group:"Documents" help:"Where local stores are kept, one folder per service."`
	MongoURI      string `name:"mongodb-uri" env:"MONGODB_URI" placeholder:"URI" group:"Documents" help:"Keep documents on this MongoDB server instead, such as mongodb://host:27017/?replicaSet=rs0."`
	MongoDatabase string `name:"mongodb-database" env:"MONGODB_DATABASE" default:"ordergraph" placeholder:"NAME" group:"Documents" help:"Databases on the server are called NAME_service."`

	GRPCAddr       string `name:"grpc-addr" env:"GRPC_ADDR" default:"127.0.0.1:9090" placeholder:"HOST:PORT" group:"Processes" help:"Where a process serves gRPC to the shop's other processes and to commands; set to nothing, it does not."`
	RPCSecret      string `name:"rpc-secret" env:"RPC_SECRET" placeholder:"TEXT" group:"Processes" help:"What the shop's processes show each other. Without it, and on loopback only, one is made and kept in DATA_DIR."`
	RedisURL       string `env:"REDIS_URL" placeholder:"URL" group:"Processes" help:"Redis for facts between services and for live updates, such as redis://host:6379/0: one server, since a cluster cannot be named yet. Without it one is embedded, which serves a single process; a gateway on its own then polls."`
	AccountAddr    string `env:"ACCOUNT_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the account service runs, if elsewhere; several copies with commas between."`
	CatalogAddr    string `env:"CATALOG_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the catalog service runs, likewise."`
	InventoryAddr  string `env:"INVENTORY_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the inventory service runs, likewise."`
	CartAddr       string `env:"CART_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the cart service runs, likewise."`
	OrderAddr      string `env:"ORDER_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the order service runs, likewise."`
	PaymentAddr    string `env:"PAYMENT_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the payment service runs, likewise."`
	FulfilmentAddr string `env:"FULFILMENT_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the fulfilment service runs, likewise."`
	NotifyAddr     string `name:"notification-addr" env:"NOTIFICATION_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the notification service runs, likewise."`
	InvoiceAddr    string `env:"INVOICE_ADDR" placeholder:"HOST:PORT" group:"Processes" help:"Where the invoice service runs, likewise."`

	Currency string `env:"CURRENCY" default:"EUR" placeholder:"CODE" group:"Shop" help:"The shop's currency, ISO 4217."`
	Country  string `env:"COUNTRY" default:"DE" placeholder:"CODE" group:"Shop" help:"The shop's country, ISO 3166-1."`

	logConfig
}

// logConfig says how a command tells what it does.
type logConfig struct {
	LogLevel  slog.Level `env:"LOG_LEVEL" default:"INFO" placeholder:"LEVEL" group:"Log" help:"DEBUG, INFO, WARN or ERROR; DEBUG has a line for every request."`
	LogFormat string     `env:"LOG_FORMAT" enum:"auto,text,json" default:"auto" placeholder:"FORMAT" group:"Log" help:"auto, text or json; auto is text on a terminal and JSON elsewhere."`
}

// forPeople reports whether people read the log, and not machines.
func (c *logConfig) forPeople() bool {
	return c.LogFormat == "text" || c.LogFormat == "auto" && term.IsTerminal(int(os.Stderr.Fd()))
}

func (c *logConfig) logger() *slog.Logger {
	return telemetry.NewLogger(os.Stderr, c.LogLevel, c.forPeople())
}

// commandLogger is for commands, which speak for themselves: their log tells
// of trouble, and of more only if that was asked for.
func (c *logConfig) commandLogger() *slog.Logger {
	level := c.LogLevel
	if level == slog.LevelInfo {
		level = slog.LevelWarn
	}
	return telemetry.NewLogger(os.Stderr, level, c.forPeople())
}

// addrs says where services run, by name; empty where nothing was said.
func (c *groundConfig) addrs() map[string]string {
	return map[string]string{
		"account": c.AccountAddr, "catalog": c.CatalogAddr, "inventory": c.InventoryAddr, "cart": c.CartAddr,
		"order": c.OrderAddr, "payment": c.PaymentAddr, "fulfilment": c.FulfilmentAddr, "invoice": c.InvoiceAddr, "notification": c.NotifyAddr,
	}
}

// variableOf is the environment variable that says where a service runs.
func variableOf(service string) string { return strings.ToUpper(service) + "_ADDR" }

// check says what is wrong with the settings, all of it at once.
func (c *groundConfig) check() error {
	var wrong complaints
	addrs := c.addrs()
	for _, name := range services.Names() {
		if addrs[name] == "" {
			continue
		}
		for addr := range strings.SplitSeq(addrs[name], ",") {
			if !isReachable(strings.TrimSpace(addr)) {
				wrong.add("%s=%s is not host:port, or several with commas between", variableOf(name), addrs[name])
				break
			}
		}
	}
	if c.MongoURI != "" && !isServer(c.MongoURI) {
		wrong.add("MONGODB_URI must begin with mongodb:// or mongodb+srv://")
	}
	if _, err := redis.ParseURL(c.RedisURL); c.RedisURL != "" && err != nil { // the error may hold the password
		wrong.add("REDIS_URL cannot be read: it must be like redis://host:6379/0 or redis://user:password@host:6379/0 (or rediss://, unix://)")
	}
	if wrong.checkListen("GRPC_ADDR", c.GRPCAddr) && c.GRPCAddr != "" && c.RPCSecret == "" && !isLoopback(c.GRPCAddr) {
		wrong.add("GRPC_ADDR=%s can be reached from other machines: set RPC_SECRET to a long random text, the same for every process of this shop", c.GRPCAddr)
	}
	if err := services.CheckShop(c.Currency, c.Country); err != nil {
		wrong.add("%v", err)
	}
	return wrong.err()
}

// complaints are what is wrong with the settings.
type complaints []string

func (c *complaints) add(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

// err is nil without complaints.
func (c complaints) err() error {
	if len(c) == 0 {
		return nil
	}
	return usage("%s", strings.Join(c, "\n            "))
}

// checkListen complains of an address that cannot be listened on. Nothing is
// fine: then nobody listens.
func (c *complaints) checkListen(variable, addr string) (ok bool) {
	_, port, err := net.SplitHostPort(addr)
	if ok = addr == "" || err == nil && isPort(port, 0); !ok {
		c.add("%s=%s is not host:port, such as 127.0.0.1:8080", variable, addr)
	}
	return ok
}

// isReachable reports whether addr is host:port, or one of gRPC's own targets.
func isReachable(addr string) bool {
	if scheme, _, ok := strings.Cut(addr, "://"); ok {
		return slices.Contains([]string{"dns", "unix", "passthrough"}, scheme)
	}
	host, port, err := net.SplitHostPort(addr)
	return err == nil && host != "" && isPort(port, 1)
}

func isPort(text string, least int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= least && n <= 65535
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fromHere is the address as a program on this machine calls it: one that
// listens everywhere listens on localhost, too.
func fromHere(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
