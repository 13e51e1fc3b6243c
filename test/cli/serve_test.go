package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"ordergraph/services"
	"ordergraph/test/redisserver"
	"ordergraph/test/shop"
)

func TestServeAnswersStopsAndStartsAgain(t *testing.T) {
	t.Parallel()
	set := fresh(t)
	run(t, set, "import", write(t, "goods.csv", header+"mug,Mug,5.00,9\n")).want(0)
	s := serve(t, set)
	t.Logf("first good answer of /readyz after %v", s.took.Round(time.Millisecond))
	if code, body, err := s.get("/healthz"); code != http.StatusOK || body != "ok\n" || err != nil {
		t.Errorf("/healthz: %d %q %v", code, body, err)
	}
	if code, body, err := s.get("/readyz"); code != http.StatusOK || !strings.Contains(body, `{"name":"order","ok":true}`) || err != nil {
		t.Errorf("/readyz: %d %q %v", code, body, err)
	}
	if code, body, err := s.get("/"); code != http.StatusOK || !strings.Contains(body, "Harbour Store") || err != nil {
		t.Errorf("/: %d %q %v", code, body, err) // the storefront, or what stands in for it
	}
	run(t, set, "health").want(0, "ready")

	first := s.buy("mug")
	s.child.Kill() // as kill -9 does
	s = serve(t, set)
	s.wantOrder(first)
	second := s.buy("mug")
	s.stop()
	if !strings.Contains(s.log.String(), "stopping: finishing what was begun") {
		t.Error("it does not say that it stops")
	}
	s = serve(t, set)
	s.wantOrder(second)
	if _, units := s.stock("mug"); units != 7 {
		t.Errorf("%d mugs, want 7", units)
	}
	s.signal(syscall.SIGINT)
	if err := s.child.Err(); err != nil {
		t.Errorf("stopped by Ctrl-C: %v", err)
	}
	run(t, set, "check").want(0, "2 orders", "2 payments")
}

// begin sends a request whose second half the server has to wait for, once it
// has begun to answer it.
func (s *server) begin(query string) (rest func() (answer string, err error)) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		s.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", s.set["HTTP_ADDR"])
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	_, err = fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", len(body))
	if err != nil {
		s.t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		s.t.Fatalf("%q %v", line, err)
	}
	if _, err := in.ReadString('\n'); err != nil {
		s.t.Fatal(err)
	}
	if _, err := conn.Write(body[:len(body)/2]); err != nil {
		s.t.Fatal(err)
	}
	return func() (string, error) {
		if _, err := conn.Write(body[len(body)/2:]); err != nil {
			return "", err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
}

func TestServeFinishesWhatWasBegun(t *testing.T) {
	t.Parallel()
	s := serve(t, fresh(t))
	rest := s.begin("{ shop { name } }")
	s.signal(syscall.SIGTERM)
	s.says("stopping: finishing what was begun")
	s.eventually("takes no new requests", func() error {
		if _, _, err := s.get("/healthz"); err == nil {
			return errors.New("it does")
		}
		return nil
	})
	if answer, err := rest(); err != nil || !strings.Contains(answer, "Harbour Store") {
		t.Errorf("the request that was begun got %q, %v", answer, err)
	}
	if err := s.child.Err(); err != nil {
		t.Errorf("stopped: %v", err)
	}
}

func TestServeEndsAtOnceAtTheSecondSignal(t *testing.T) {
	t.Parallel()
	s := serve(t, fresh(t))
	s.begin("{ shop { name } }")
	s.signal(syscall.SIGTERM)
	s.says("stopping: finishing what was begun")
	s.signal(syscall.SIGTERM)
	// The signal itself has ended it: it did not come to its own end first.
	if err := s.child.Err(); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("ended: %v", err)
	}
	// The next one finds all as it was.
	again := serve(t, s.set)
	again.stop()
}

// wantJSON reads the log as a machine does.
func (s *server) wantJSON() (entries []map[string]any) {
	s.t.Helper()
	s.says("}\n") // it can be ready before its log arrives here
	for line := range strings.Lines(s.log.String()) {
		if !strings.HasSuffix(line, "\n") {
			continue // the rest is on its way
		}
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			s.t.Errorf("a line that is no JSON: %s", line)
		}
		entries = append(entries, entry)
	}
	return entries
}

func TestLogIsJSONWhereNobodyReads(t *testing.T) {
	t.Parallel()
	s := serve(t, fresh(t))
	if first := s.wantJSON()[0]; first["msg"] != "started" || first["redis"] != "embedded" || first["graphql"] != s.url("/graphql") {
		t.Errorf("%v", first)
	}
	other := launch(t, s.set) // has no port left
	if err := other.child.Err(); err == nil {
		t.Error("two servers on one port")
	}
	entries := other.wantJSON()
	if last := entries[len(entries)-1]; last["level"] != "ERROR" || !strings.Contains(fmt.Sprint(last["msg"]), "HTTP_ADDR") {
		t.Errorf("%v", last)
	}
	s.stop()
	s.wantJSON()
}

func TestLogIsTextOnATerminal(t *testing.T) {
	t.Parallel()
	set := fresh(t)
	cmd := command(t.Context(), t, set, "import", write(t, "goods.csv", many(2000)))
	if text := onTerminal(t, cmd)(); !strings.Contains(text, "/2000") || !strings.Contains(text, "2000 added") || cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("import on a terminal: %d %.2000q", cmd.ProcessState.ExitCode(), text)
	}
	cmd = command(t.Context(), t, set.with(settings{"HTTP_ADDR": "nowhere:1"}), "serve")
	if text := onTerminal(t, cmd)(); strings.Contains(text, `{"`) || !strings.Contains(text, "ordergraph: HTTP_ADDR=nowhere:1") {
		t.Errorf("serve on a terminal: %q", text)
	}
	set["LOG_FORMAT"] = "text"
	s := serve(t, set)
	s.says("graphql    " + s.url("/graphql"))
	s.stop()
	if log := s.log.String(); strings.Contains(log, `{"`) || !strings.Contains(log, "stopping") {
		t.Errorf("LOG_FORMAT=text: %s", log)
	}
}

// A request keeps its id from process to process.
func TestRequestIDTravels(t *testing.T) {
	t.Parallel()
	set := fresh(t).with(settings{"LOG_LEVEL": "DEBUG"})
	behind := serve(t, set, services.Names()...)
	front := fresh(t).with(settings{"LOG_LEVEL": "DEBUG", "RPC_SECRET_FILE": set["DATA_DIR"] + "/rpc-secret"})
	for _, name := range services.Names() {
		front[strings.ToUpper(name)+"_ADDR"] = set["GRPC_ADDR"]
	}
	s := serve(t, front, "graph")
	var got any
	id := s.ask(`{ products(first: 1) { nodes { title } } }`, nil, &got)
	if len(id) < 8 {
		t.Fatalf("the answer's request id is %q", id)
	}
	s.says(id)
	behind.says(id)
	for _, process := range []*server{s, behind} {
		for _, entry := range process.wantJSON() {
			byItself := entry["method"] == "/ordergraph.account.v1.Account/Keys" // nobody's request
			if entry["msg"] == "answered" && (entry["took"] == nil || entry["request"] == nil && !byItself) {
				t.Errorf("%v", entry)
			}
		}
	}

	// What goes wrong stands under the same id in the answer and in the log.
	behind.child.Kill()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url("/graphql"), strings.NewReader(`{"query":"{ products(first: 1) { nodes { title } } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Request-Id", "my-own-request-1")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(text), "my-own-request-1") || resp.Header.Get("X-Request-Id") != "my-own-request-1" {
		t.Errorf("%s %v %v", text, resp.Header, err)
	}
	s.says(`"request":"my-own-request-1"`)
	// The gateway itself is well, and says so.
	if code, _, err := s.get("/readyz"); code != http.StatusOK || err != nil {
		t.Errorf("/readyz: %d %v", code, err)
	}
	s.stop()
}

// The demo loads at the first start, once, with its discount codes; where the
// services are apart, the catalog's process waits for the others.
func TestDemo(t *testing.T) {
	t.Parallel()
	t.Run("one process", func(t *testing.T) {
		t.Parallel()
		set := fresh(t).with(settings{"DEMO": "auto"})
		s := serve(t, set)
		s.says(`"discountCodes":5`)
		s.buy(s.anyProduct(), "WELCOME10")
		s.stop()
		s = serve(t, set)
		s.buy(s.anyProduct(), "FREESHIP")
		s.stop()
		if log := s.log.String(); strings.Contains(log, "demo catalogue") {
			t.Errorf("it loads again: %s", log)
		}
		run(t, set, "check").want(0, "2 orders")
	})
	t.Run("apart", func(t *testing.T) {
		t.Parallel()
		bell := redisserver.Start(t)
		shared := settings{"REDIS_URL": "redis://" + bell.Addr, "RPC_SECRET": password, "DEMO": "auto"}
		apart := map[string]settings{}
		for _, name := range []string{"inventory", "catalog", "cart"} {
			apart[name] = fresh(t)
			shared[strings.ToUpper(name)+"_ADDR"] = apart[name]["GRPC_ADDR"]
		}
		start := func(name string) *server {
			return serve(t, apart[name].with(shared), name)
		}
		s := start("catalog")
		s.says("loading the demo catalogue")
		s.says("it starts again")
		start("inventory")
		start("cart")
		s.says(`"discountCodes":5`)
	})
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		s := serve(t, fresh(t))
		var got struct{ Products struct{ Nodes []any } }
		if s.ask(`{ products(first: 1) { nodes { title } } }`, nil, &got); len(got.Products.Nodes) != 0 {
			t.Errorf("%v", got)
		}
		s.stop()
	})
}

// The demo has staff for the console, of whom the greeting tells; it does not
// come back when the shop starts again, and neither PRODUCTION nor a shop that
// others may reach starts with it.
func TestDemoStaff(t *testing.T) {
	t.Parallel()
	bell := redisserver.Start(t)
	set := fresh(t).with(settings{"DEMO": "auto", "PASSWORD_COST": "10", "RPC_SECRET": password, "REDIS_URL": "redis://" + bell.Addr})
	s := serve(t, set)
	s.says("/console (sign in as admin@shop.example, password try-before-you-buy)")
	s.says("the demo's staff is there")
	for email, roles := range map[string]string{
		"admin@shop.example": "ADMIN", "support@shop.example": "SUPPORT", "warehouse@shop.example": "WAREHOUSE", "merchant@shop.example": "MERCHANT",
	} {
		var got struct {
			CustomerAccessTokenCreate struct{ Customer *struct{ Roles []string } }
		}
		s.ask(`mutation ($in: CustomerAccessTokenCreateInput!) { customerAccessTokenCreate(input: $in) { customer { roles } } }`,
			map[string]any{"in": map[string]any{"email": email, "password": "try-before-you-buy"}}, &got)
		if c := got.CustomerAccessTokenCreate.Customer; c == nil || strings.Join(c.Roles, " ") != roles {
			t.Errorf("%s signs in as %+v", email, c)
		}
	}
	s.stop()

	production := set.with(settings{"PRODUCTION": "true", "AUTH_KEY_SECRET": strings.Repeat("x", 32)})
	run(t, production, "serve", "account").want(2, "PRODUCTION", "admin@shop.example, support@shop.example, warehouse@shop.example, merchant@shop.example",
		"ordergraph user roles --email=admin@shop.example --role=customer")
	run(t, set.with(settings{"PUBLIC_URL": "https://shop.example"}), "serve").want(2, "PUBLIC_URL", "admin@shop.example")
	for _, role := range []string{"admin", "support", "warehouse", "merchant"} {
		run(t, set, "user", "roles", "--email="+role+"@shop.example", "--role=customer").want(0)
	}
	serve(t, production, "account").stop()
	s = serve(t, set.with(settings{"PUBLIC_URL": "https://shop.example"}))
	s.says("https://shop.example/console (take on staff with: ordergraph user create)")
	s.stop()
	s = serve(t, set)
	s.says("the demo's staff is there")
	if o := run(t, set, "user", "list").want(0); strings.Contains(o.out, "@shop.example") {
		t.Errorf("they are back: %s", o.out)
	}
	s.stop()
}

// anyProduct is the handle of a product whose first variant is for sale.
func (s *server) anyProduct() (handle string) {
	s.t.Helper()
	s.eventually("has something for sale", func() error {
		var got struct {
			Products struct {
				Nodes []struct {
					Handle   string
					Variants struct {
						Nodes []struct{ QuantityAvailable int }
					}
				}
			}
		}
		s.ask(`{ products(first: 20, sortKey: PRICE, reverse: true, query: "available_for_sale:true") { nodes { handle variants(first: 1) { nodes { quantityAvailable } } } } }`, nil, &got)
		for _, p := range got.Products.Nodes {
			if p.Variants.Nodes[0].QuantityAvailable > 0 {
				handle = p.Handle
				return nil
			}
		}
		return errors.New("nothing")
	})
	return handle
}

// A process that serves the sandbox alone says where its reports go, or that
// they go nowhere.
func TestSandboxAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, fresh(t), "sandbox")
	s.says("SANDBOX_WEBHOOK_URL")
	s.stop()
	s = serve(t, fresh(t).with(settings{"SANDBOX_WEBHOOK_URL": "http://" + shop.FreeAddr(t) + "/webhooks/card"}), "sandbox")
	s.stop()
	if strings.Contains(s.log.String(), "SANDBOX_WEBHOOK_URL") {
		t.Error("it complains all the same")
	}
}
