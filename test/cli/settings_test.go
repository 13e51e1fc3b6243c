package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"ordergraph/test/mongoserver"
	"ordergraph/test/redisserver"
	"ordergraph/test/shop"
)

func TestHelpIsEverywhere(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"", "serve", "import", "check", "data", "data copy", "operations", "operations register", "health", "version"} {
		o := run(t, nil, append(strings.Fields(args), "--help")...).want(0, "Usage: ordergraph "+args)
		for line := range strings.Lines(o.out) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 100 {
				t.Errorf("%s --help: %d columns: %s", args, n, line)
			}
		}
	}
	help := run(t, nil, "serve", "--help").want(0).out
	help = strings.Join(strings.Fields(help), " ")
	for name, value := range map[string]string{
		"DATA_DIR": "data", "MONGODB_URI": "", "MONGODB_DATABASE": "ordergraph", "REDIS_URL": "", "GRPC_ADDR": "127.0.0.1:9090", "RPC_SECRET": "",
		"CATALOG_ADDR": "", "INVENTORY_ADDR": "", "CART_ADDR": "", "ORDER_ADDR": "", "PAYMENT_ADDR": "", "CURRENCY": "EUR", "COUNTRY": "DE",
		"LOG_LEVEL": "INFO", "LOG_FORMAT": "auto", "HTTP_ADDR": "127.0.0.1:8080", "PUBLIC_URL": "", "SHOP_NAME": "Harbour Store", "PRODUCTION": "",
		"DEMO": "auto", "DEBUG_ADDR": "", "SANDBOX_ADDR": "127.0.0.1:8090", "SANDBOX_WEBHOOK_URL": "", "STRIPE_SECRET_KEY": "sk_test_sandbox",
		"STRIPE_WEBHOOK_SECRET": "whsec_sandbox", "STRIPE_API_URL": "",
		"FULFILMENT_ADDR": "", "CARRIER_URL": "", "CARRIER_SECRET": "carrier_sandbox", "AUTO_FULFIL": "auto", "SANDBOX_CARRIER_SPEED": "5s", "SANDBOX_CARRIER_WEBHOOK_URL": "",
		"INVOICE_ADDR": "", "SHOP_LEGAL_NAME": "Harbour Store GmbH (demo)", "SHOP_ADDRESS": "Musterkai 1", "SHOP_ZIP": "20457", "SHOP_CITY": "Hamburg",
		"SHOP_VAT_ID": "DE000000000", "SHOP_REGISTRATION": "", "SHOP_EMAIL": "",
		"NOTIFICATION_ADDR": "", "SMTP_URL": "", "MAIL_FROM": "", "SANDBOX_SMTP_ADDR": "127.0.0.1:8025",
		"SMTP_FALLBACK_URL": "", "MAIL_UNKNOWN": "repeat", "INVOICE_GRACE": "3s", "MAIL_LOGO": "",
		"TWILIO_ACCOUNT_SID": "ACsandbox0000000000000000000000000", "TWILIO_AUTH_TOKEN": "sandbox", "TWILIO_FROM": "+15005550006", "TWILIO_API_URL": "",
		"TWILIO_FALLBACK_ACCOUNT_SID": "", "TWILIO_FALLBACK_AUTH_TOKEN": "", "TWILIO_FALLBACK_FROM": "", "TWILIO_FALLBACK_API_URL": "",
		"SMS_CALLBACK_URL": "", "SMS_QUIET_HOURS": "21:00-08:00", "SMS_UNKNOWN": "lookup",
		"RATE_LIMIT": "on", "BUDGET_RATE": "2000", "BUDGET_BURST": "20000", "SIGN_IN_LIMIT": "10", "CHECKOUT_LIMIT": "30", "CODE_LIMIT": "30",
		"TRUSTED_PROXIES": "", "SAFELIST": "off", "OPERATIONS_FILE": "operations.json",
	} {
		want := "($" + name + ")"
		if value != "" {
			want = "($" + name + ", default " + value + ")"
		}
		if !strings.Contains(help, want) {
			t.Errorf("serve --help does not say %q", want)
		}
	}
	run(t, nil, "version").want(0, "ordergraph")
}

// What is asked for wrongly is refused before anything is touched, in words
// that name the setting.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	secretFile := write(t, "secret", password+"\n")
	production := settings{"PRODUCTION": "true"}
	for _, c := range []struct {
		args string
		set  settings
		says []string
	}{
		{"", nil, []string{"serve", "import", "--help"}},
		{"frob", nil, []string{"frob", "--help"}},
		{"serve frob", nil, []string{`"frob"`, "inventory, catalog, cart, payment, order, fulfilment, invoice, notification, graph, sandbox"}},
		{"serve --frob", nil, []string{"--frob", "ordergraph serve --help"}},
		{"data", nil, []string{"copy"}},
		{"import", nil, []string{"<file>"}},
		{"check now", nil, []string{"now"}},
		{"serve", settings{"LOG_LEVEL": "LOUD"}, []string{"LOG_LEVEL", "LOUD"}},
		{"serve", settings{"LOG_FORMAT": "xml"}, []string{"log-format", "xml", `"auto","text","json"`}},
		{"serve", settings{"DEMO": "maybe"}, []string{"demo", "maybe"}},
		{"serve", settings{"PRODUCTION": "perhaps"}, []string{"PRODUCTION", "perhaps"}},
		{"serve graph", settings{"CATALOG_ADDR": "catalog"}, []string{"CATALOG_ADDR=catalog", "host:port"}},
		{"serve graph", settings{"INVENTORY_ADDR": "http://inventory:9090"}, []string{"INVENTORY_ADDR", "host:port"}},
		{"check", settings{"CART_ADDR": "cart:90900"}, []string{"CART_ADDR=cart:90900"}},
		{"check", settings{"ORDER_ADDR": "a:9090,:9090"}, []string{"ORDER_ADDR=a:9090,:9090"}},
		{"check", settings{"PAYMENT_ADDR": "a:9090,"}, []string{"PAYMENT_ADDR=a:9090,"}},
		{"serve", settings{"HTTP_ADDR": "8080"}, []string{"HTTP_ADDR=8080", "127.0.0.1:8080"}},
		{"serve", settings{"GRPC_ADDR": "localhost"}, []string{"GRPC_ADDR=localhost"}},
		{"serve", settings{"SANDBOX_ADDR": "here"}, []string{"SANDBOX_ADDR=here"}},
		{"serve", settings{"SANDBOX_SMTP_ADDR": "here"}, []string{"SANDBOX_SMTP_ADDR=here"}},
		{"serve", settings{"SANDBOX_SMTP_ADDR": ""}, []string{"SMTP_URL", "SANDBOX_SMTP_ADDR"}},
		{"serve", settings{"SMTP_URL": "http://u:" + password + "@host"}, []string{"SMTP_URL", "smtp://"}},
		{"serve", settings{"SMTP_URL": "smtp://u:" + password + "%zz@host"}, []string{"SMTP_URL", "smtp://"}},
		{"serve", settings{"SMTP_URL": "smtp://u:" + password + "@host:70000"}, []string{"SMTP_URL", "smtp://"}},
		{"serve", settings{"SMTP_FALLBACK_URL": "smtp://u:" + password + "@host:70000"}, []string{"SMTP_FALLBACK_URL", "smtp://"}},
		{"serve", settings{"INVOICE_GRACE": "-1s"}, []string{"INVOICE_GRACE=-1s"}},
		{"serve", settings{"INVOICE_GRACE": "1h"}, []string{"INVOICE_GRACE=1h", "1m"}},
		{"serve", settings{"MAIL_UNKNOWN": "lookup"}, []string{"mail-unknown", "lookup"}},
		{"serve", settings{"MAIL_LOGO": secretFile}, []string{"MAIL_LOGO", "not a PNG"}},
		{"serve", settings{"MAIL_LOGO": secretFile + ".not"}, []string{"MAIL_LOGO", "no such file"}},
		{"serve", settings{"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": password}, []string{"TWILIO_ACCOUNT_SID", "AC and 32"}},
		{"serve", settings{"TWILIO_AUTH_TOKEN": password + "!"}, []string{"TWILIO", "auth token"}},
		{"serve", settings{"TWILIO_FROM": "0170 1234567"}, []string{"TWILIO", "+15005550006"}},
		{"serve", settings{"TWILIO_API_URL": "twilio.example"}, []string{"TWILIO", "https://"}},
		{"serve", settings{"TWILIO_FALLBACK_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef"}, []string{"TWILIO_FALLBACK", "auth token"}},
		{"serve", settings{"TWILIO_ACCOUNT_SID": "", "TWILIO_FALLBACK_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef"}, []string{"TWILIO_ACCOUNT_SID"}},
		{"serve", settings{"SMS_CALLBACK_URL": "/webhooks/sms"}, []string{"SMS_CALLBACK_URL=/webhooks/sms", "https://"}},
		{"serve", settings{"SMS_QUIET_HOURS": "night"}, []string{"SMS_QUIET_HOURS", "night", "21:00-08:00"}},
		{"serve", settings{"SMS_UNKNOWN": "perhaps"}, []string{"sms-unknown", "perhaps"}},
		{"serve", settings{"MAIL_FROM": "the shop"}, []string{"MAIL_FROM", "the shop", "shop@"}},
		{"health", settings{"HTTP_ADDR": "8080"}, []string{"HTTP_ADDR=8080"}},
		{"serve", settings{"CURRENCY": "euro"}, []string{"CURRENCY", "euro"}},
		{"serve", settings{"CURRENCY": ""}, []string{"CURRENCY"}},
		{"serve", settings{"COUNTRY": "Germany"}, []string{"COUNTRY", "Germany"}},
		{"serve", settings{"MONGODB_URI": "http://u:" + password + "@host"}, []string{"MONGODB_URI", "mongodb://"}},
		{"serve", settings{"MONGODB_URI": "mongodb://u:" + password + "%zz@127.0.0.1:1"}, []string{"MONGODB_URI", "%40"}},
		{"serve", settings{"MONGODB_URI": "mongodb://127.0.0.1:1", "MONGODB_DATABASE": "a/b"}, []string{"a/b"}},
		{"serve", settings{"REDIS_URL": "http://u:" + password + "@host"}, []string{"REDIS_URL", "redis://"}},
		{"serve", settings{"REDIS_URL": "redis://u:" + password + "%zz@host"}, []string{"REDIS_URL", "redis://"}},
		{"serve", settings{"REDIS_URL": "redis://u:" + password + "@host/first"}, []string{"REDIS_URL"}},
		{"serve", settings{"GRPC_ADDR": "0.0.0.0:9090"}, []string{"GRPC_ADDR=0.0.0.0:9090", "RPC_SECRET"}},
		{"serve", settings{"DEBUG_ADDR": ":6060"}, []string{"DEBUG_ADDR=:6060", "127.0.0.1"}},
		{"serve", settings{"BUDGET_RATE": "0", "CODE_LIMIT": "-1"}, []string{"BUDGET_RATE=0", "CODE_LIMIT=-1"}},
		{"serve", settings{"TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, []string{"TRUSTED_PROXIES", "proxy is not a network like 10.0.0.0/8"}},
		{"serve", settings{"PUBLIC_URL": "shop.example"}, []string{"PUBLIC_URL=shop.example", "https://"}},
		{"serve", settings{"STRIPE_API_URL": "ftp://x"}, []string{"STRIPE_API_URL=ftp://x"}},
		{"serve cart", nil, []string{"CATALOG_ADDR", "INVENTORY_ADDR", "REDIS_URL"}},
		{"serve graph", nil, []string{"ACCOUNT_ADDR", "CATALOG_ADDR", "INVENTORY_ADDR", "CART_ADDR", "ORDER_ADDR", "PAYMENT_ADDR", "FULFILMENT_ADDR", "INVOICE_ADDR", "NOTIFICATION_ADDR"}},
		{"serve inventory payment", nil, []string{"REDIS_URL"}},
		{"serve", production, []string{"PRODUCTION", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "SMTP_URL", "MAIL_FROM", "TWILIO_ACCOUNT_SID", "REDIS_URL", "RPC_SECRET", "PUBLIC_URL", "SHOP_LEGAL_NAME"}},
		{"serve", production.with(settings{"STRIPE_SECRET_KEY": "sk_live_" + password, "REDIS_URL": "redis://127.0.0.1:1", "RPC_SECRET": password, "PUBLIC_URL": "https://shop.example"}), []string{"STRIPE_WEBHOOK_SECRET"}},
		{"serve", production.with(settings{"STRIPE_SECRET_KEY": "sk_live_" + password, "SMTP_URL": "smtp://mail.example", "TWILIO_ACCOUNT_SID": ""}), []string{"parcels go to the sandbox: set CARRIER_URL", "the sandbox is served here"}},
		{"serve", settings{"CURRENCY": "euro", "ORDER_ADDR": "here", "GRPC_ADDR": "x"}, []string{"CURRENCY", "ORDER_ADDR", "GRPC_ADDR"}},
		{"serve", settings{"RPC_SECRET": password, "RPC_SECRET_FILE": secretFile}, []string{"RPC_SECRET and RPC_SECRET_FILE are both set"}},
		{"serve", settings{"REDIS_URL_FILE": secretFile + ".not"}, []string{"REDIS_URL_FILE", "no such file"}},
		{"serve", settings{"MONGODB_URI_FILE": filepath.Dir(secretFile)}, []string{"MONGODB_URI_FILE", "is a directory"}},
		{"serve", settings{"REDIS_URL_FILE": secretFile}, []string{"REDIS_URL", "redis://"}},
	} {
		t.Run(fmt.Sprint(c.args, c.set), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			set := settings{"DATA_DIR": dir, "LOG_FORMAT": "text", "HTTP_ADDR": "127.0.0.1:0", "GRPC_ADDR": "127.0.0.1:0", "SANDBOX_ADDR": "127.0.0.1:0", "SANDBOX_SMTP_ADDR": "127.0.0.1:0"}
			run(t, set.with(c.set), strings.Fields(c.args)...).want(2, c.says...)
			if entries, _ := filepath.Glob(dir + "/*"); len(entries) > 1 || len(entries) == 1 && filepath.Base(entries[0]) != "rpc-secret" {
				t.Errorf("it left %v", entries)
			}
		})
	}
}

func TestServersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	nobody := shop.FreeAddr(t)
	cases := []struct {
		name string
		set  settings
		says []string
	}{
		{"mongo away", settings{"MONGODB_URI": "mongodb://u:" + password + "@" + nobody}, []string{"MONGODB_URI", nobody, "connection refused"}},
		{"mongo silent", settings{"MONGODB_URI": "mongodb://u:" + password + "@" + silent.Addr().String()}, []string{"MONGODB_URI", silent.Addr().String()}},
		{"redis away", settings{"REDIS_URL": "redis://u:" + password + "@" + nobody}, []string{"REDIS_URL", nobody, "connection refused"}},
		{"redis silent", settings{"REDIS_URL": "redis://u:" + password + "@" + silent.Addr().String()}, []string{"REDIS_URL", silent.Addr().String()}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run(t, fresh(t).with(c.set), "serve").want(1, c.says...) // and not an end because run's patience is over
		})
	}
	t.Run("redis refuses", func(t *testing.T) {
		t.Parallel()
		server := redisserver.Start(t)
		admin := redis.NewClient(&redis.Options{Addr: server.Addr})
		defer admin.Close()
		if err := admin.ConfigSet(t.Context(), "requirepass", "another").Err(); err != nil {
			t.Fatal(err)
		}
		run(t, fresh(t).with(settings{"REDIS_URL": "redis://:" + password + "@" + server.Addr}), "serve").want(1, "REDIS_URL", server.Addr, "WRONGPASS")
		run(t, fresh(t).with(settings{"REDIS_URL": "redis://" + server.Addr}), "serve").want(1, "REDIS_URL", server.Addr, "NOAUTH")
	})
}

func TestMongoRefuses(t *testing.T) {
	t.Parallel()
	uri, _ := mongoserver.Start(t)
	_, host, _ := strings.Cut(mongoserver.NewProxy(t, uri).URI, "://")
	host = host[strings.LastIndex(host, "@")+1:]
	set := fresh(t).with(settings{"MONGODB_URI": "mongodb://nobody:" + password + "@" + host})
	run(t, set, "serve").want(1, "MONGODB_URI", "refused the user name or password")
}

func TestPortsInUse(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, name := range []string{"HTTP_ADDR", "GRPC_ADDR", "SANDBOX_ADDR", "SANDBOX_SMTP_ADDR", "DEBUG_ADDR"} {
		run(t, fresh(t).with(settings{name: taken.Addr().String()}), "serve").want(1, name+"="+taken.Addr().String(), "in use")
	}
}

func TestDataDirCannotBeUsed(t *testing.T) {
	t.Parallel()
	set := fresh(t)
	s := serve(t, set)
	elsewhere := fresh(t)
	elsewhere["DATA_DIR"] = set["DATA_DIR"]
	held := fmt.Sprintf("process %d", s.cmd.Process.Pid)
	file := write(t, "one.csv", header+"mug,Mug,5,1\n")
	for _, args := range [][]string{{"serve"}, {"check"}, {"import", file}, {"data", "copy", set["DATA_DIR"], t.TempDir()}} {
		run(t, elsewhere, args...).want(1, held, "stop that process")
	}
	s.stop()

	run(t, set.with(settings{"DATA_DIR": file}), "serve").want(1, "DATA_DIR", "not a directory")

	bare := filepath.Join(t.TempDir(), "bare")
	if err := os.Mkdir(bare, 0o555); err != nil {
		t.Fatal(err)
	}
	cmd := command(t.Context(), t, set.with(settings{"DATA_DIR": filepath.Join(bare, "data")}), "serve")
	if os.Getuid() == 0 { // who may write everywhere
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for dir := filepath.Dir(cmd.Path); len(dir) > 1; dir = filepath.Dir(dir) {
			if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&1 == 0 {
				if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
					t.Fatal(err)
				}
			}
		}
		cmd.Dir = "/"
	}
	finish(t, cmd).want(1, "DATA_DIR", "permission denied")
}

// Any setting can be in a file.
func TestSettingsFromFiles(t *testing.T) {
	t.Parallel()
	set := fresh(t)
	set["RPC_SECRET_FILE"] = write(t, "secret", password+"\n")
	set["SHOP_NAME_FILE"] = write(t, "name", "Corner Shop\n")
	s := serve(t, set)
	var got struct{ Shop struct{ Name string } }
	if s.ask(`{ shop { name } }`, nil, &got); got.Shop.Name != "Corner Shop" {
		t.Errorf("%+v", got)
	}
	run(t, set, "check").want(0)
	delete(set, "RPC_SECRET_FILE")
	run(t, set, "check").want(1, "RPC_SECRET")
	run(t, set.with(settings{"HTTP_ADDR": ":" + strings.Split(set["HTTP_ADDR"], ":")[1]}), "health").want(0, "ready")
	s.stop()
	run(t, set, "health").want(1, "nobody answers")
}
