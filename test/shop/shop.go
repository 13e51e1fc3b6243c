// Package shop runs the real program for journeys: built once, started in one
// process or in six, with the outside world beside it, killed and restarted as
// a journey wishes. What a journey does, it does over GraphQL.
package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/demo"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventoryrpc"
	"ordergraph/test/child"
	"ordergraph/test/mongoserver"
	"ordergraph/test/redisserver"
)

// A Topology is how the shop is spread over processes.
type Topology string

// The topologies there are.
const (
	One   Topology = "one"   // everything in one process, on local stores and embedded Redis
	Six   Topology = "six"   // the gateway and five services, each with its own local store, and a real Redis
	Mongo Topology = "Mongo" // the gateway and two copies of each service, on a MongoDB server and a real Redis
)

const secret = "journey-secret"

// A Shop is a running shop.
type Shop struct {
	t         *testing.T
	Topology  Topology
	URL       string              // the gateway's
	Processor string              // the card processor's
	Redis     *redisserver.Server // nil where it is embedded
	client    *http.Client
	processes map[string]*process
	addrs     map[string]string // gRPC, by service
}

// Each runs the journey in one process and in six.
func Each(t *testing.T, journey func(t *testing.T, s *Shop)) {
	for _, topology := range []Topology{One, Six} {
		t.Run(string(topology), func(t *testing.T) { journey(t, Start(t, topology)) })
	}
}

// Start starts a shop without products, with more settings, as NAME=value. It
// ends with the test.
func Start(t *testing.T, topology Topology, more ...string) *Shop {
	t.Helper()
	s := &Shop{
		t: t, Topology: topology, processes: map[string]*process{}, addrs: map[string]string{},
		client: &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 600, MaxConnsPerHost: 600}},
	}
	dir := t.TempDir()
	gateway, cards, post := FreeAddr(t), FreeAddr(t), FreeAddr(t)
	s.URL, s.Processor = "http://"+gateway, "http://"+cards
	env := []string{
		"RPC_SECRET=" + secret, "DATA_DIR=" + filepath.Join(dir, "data"), "DEMO=off", "LOG_FORMAT=text", "RATE_LIMIT=off", // hundreds buy from one address
		"PUBLIC_URL=" + s.URL, "SANDBOX_ADDR=" + cards, "STRIPE_API_URL=" + s.Processor,
		"CARRIER_URL=" + s.Processor + "/carrier", "AUTO_FULFIL=off", "SANDBOX_CARRIER_SPEED=200ms",
		"SANDBOX_SMTP_ADDR=" + post, "SMTP_URL=smtp://" + post, "TWILIO_API_URL=" + s.Processor, "SMS_QUIET_HOURS=", // a journey is taken at any hour
	}
	env = append(env, more...)
	webhooks, notices, receipts := gateway, gateway, gateway

	switch topology {
	case One:
		grpc := FreeAddr(t)
		for _, name := range services.Names() {
			s.addrs[name] = grpc
		}
		s.add("shop", append(env, "HTTP_ADDR="+gateway, "GRPC_ADDR="+grpc))
	case Six, Mongo:
		s.Redis = redisserver.Start(t)
		env = append(env, "REDIS_URL=redis://"+s.Redis.Addr)
		copies := 1
		if topology == Mongo {
			uri, about := mongoserver.Start(t)
			t.Log("MongoDB server:", about)
			env = append(env, "MONGODB_URI="+uri, "MONGODB_DATABASE="+"journey"+fmt.Sprint(time.Now().UnixNano()%1e9))
			copies = 2
		}
		type copyOf struct{ name, service, http, grpc string }
		var all []copyOf
		for _, name := range services.Names() {
			var addrs []string
			for n := range copies {
				c := copyOf{name, name, FreeAddr(t), FreeAddr(t)}
				if n > 0 {
					c.name = fmt.Sprintf("%s-%d", name, n+1)
				}
				all, addrs = append(all, c), append(addrs, c.grpc)
				if name == "payment" && n == 0 {
					webhooks = c.http
				}
				if name == "fulfilment" && n == 0 {
					notices = c.http
				}
				if name == "notification" && n == 0 {
					receipts = c.http
				}
			}
			s.addrs[name] = strings.Join(addrs, ",")
			env = append(env, strings.ToUpper(name)+"_ADDR="+s.addrs[name])
		}
		env = append(env, "SMS_CALLBACK_URL=http://"+receipts+services.SMSWebhookPath)
		for _, c := range all {
			s.add(c.name, append(env, "HTTP_ADDR="+c.http, "GRPC_ADDR="+c.grpc), c.service)
		}
		s.add("graph", append(env, "HTTP_ADDR="+gateway, "GRPC_ADDR="), "graph")
	}
	// The outside world has a process and a memory of its own.
	s.add("sandbox", append(env, "HTTP_ADDR="+FreeAddr(t), "GRPC_ADDR=", "DATA_DIR="+filepath.Join(dir, "outside"),
		"SANDBOX_WEBHOOK_URL=http://"+webhooks+services.WebhookPath, "SANDBOX_CARRIER_WEBHOOK_URL=http://"+notices+services.CarrierWebhookPath,
		"SMS_CALLBACK_URL=http://"+receipts+services.SMSWebhookPath), "sandbox")
	t.Cleanup(s.endAll)
	for name := range s.processes {
		s.Start(name)
	}
	s.WaitReady()
	return s
}

func (s *Shop) add(name string, env []string, serve ...string) {
	p := &process{t: s.t, name: name, env: append(os.Environ(), env...), args: append([]string{"serve"}, serve...)}
	for _, pair := range env {
		if addr, ok := strings.CutPrefix(pair, "HTTP_ADDR="); ok {
			p.http = addr
		}
	}
	s.processes[name] = p
}

// endAll stops all processes, together.
func (s *Shop) endAll() {
	var all sync.WaitGroup
	for _, p := range s.processes {
		all.Go(p.end)
	}
	all.Wait()
}

// Names lists the shop's own processes; the outside world is not among them.
func (s *Shop) Names() []string {
	var names []string
	for name := range s.processes {
		if name != "sandbox" {
			names = append(names, name)
		}
	}
	return names
}

// Start starts a process that was killed.
func (s *Shop) Start(name string) { s.processes[name].start() }

// Kill ends a process as kill -9 does: at once, in the middle of whatever it does.
func (s *Shop) Kill(name string) { s.processes[name].kill() }

// Log is what the shop's processes have written so far.
func (s *Shop) Log() string {
	var b strings.Builder
	for _, p := range s.processes {
		b.WriteString(p.log.String())
	}
	return b.String()
}

// WaitReady waits until every process says that it is ready.
func (s *Shop) WaitReady() {
	s.t.Helper()
	for name, p := range s.processes {
		s.Eventually(3*time.Minute, name+" is ready", func() error {
			if p.exited() {
				s.t.Fatalf("%s has ended:\n%s", name, p.log.String())
			}
			resp, err := s.client.Get("http://" + p.http + "/readyz")
			if err != nil {
				return err
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return errors.New(resp.Status)
			}
			return nil
		})
	}
}

// Eventually tries until what is asked for is so, at most for the time given.
func (s *Shop) Eventually(most time.Duration, what string, try func() error) {
	s.t.Helper()
	var err error
	for end := time.Now().Add(most); ; {
		if err = try(); err == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("not within %v: %s: %v", most, what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Fill puts products and their stock into the shop, as an import does.
func (s *Shop) Fill(products []feed.Product) {
	s.t.Helper()
	catalogue := Dial(s, catalogrpc.Contract)
	stock := Dial(s, inventoryrpc.Contract)
	for _, w := range demo.Warehouses() {
		if err := stock.PutWarehouse(s.t.Context(), identity.Ourselves(), w); err != nil {
			s.t.Fatal(err)
		}
	}
	report, err := feed.Load(s.t.Context(), identity.Ourselves(), products, "journey", catalogue, stock, nil)
	if err != nil || report.Refused > 0 || report.Problems != nil {
		s.t.Fatalf("fill: %+v, %v", report, err)
	}
}

// Adjust makes the stock of a SKU in a warehouse this many units.
func (s *Shop) Adjust(sku, warehouse string, units int64) {
	s.t.Helper()
	_, err := Dial(s, inventoryrpc.Contract).Adjust(s.t.Context(), identity.Ourselves(), []inventory.Change{
		{Key: fmt.Sprint("journey-", time.Now().UnixNano()), SKU: sku, Warehouse: warehouse, Set: &units, Reason: "counted"}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Dial is a client of one of the shop's services, for what operators see.
func Dial[S any](s *Shop, contract host.Contract[S]) S {
	s.t.Helper()
	client, conn, err := host.Dial(contract, s.addrs[contract.Name], secret)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return client
}

// Check runs `ordergraph check` against the shop: the invariants of stock,
// money and orders.
func (s *Shop) Check() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Program(s.t), "check")
	cmd.Env = append(os.Environ(), "RPC_SECRET="+secret, "GRPC_ADDR=", "DATA_DIR="+s.t.TempDir())
	for name, addr := range s.addrs {
		cmd.Env = append(cmd.Env, strings.ToUpper(name)+"_ADDR="+addr)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Errorf("check: %v\n%s", err, out)
	}
}

// Answer is a GraphQL response.
type Answer struct {
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

// Ask sends a GraphQL operation and returns the answer, whatever it is.
func (s *Shop) Ask(ctx context.Context, query string, variables map[string]any) (Answer, error) {
	var answer Answer
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return answer, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	resp, err := s.client.Do(req)
	if err != nil {
		return answer, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, fmt.Errorf("%s: %w: %.300s", resp.Status, err, text)
	}
	return answer, nil
}

// Do sends an operation that must succeed and decodes its data into result.
func (s *Shop) Do(query string, variables map[string]any, result any) {
	s.t.Helper()
	if err := s.Try(s.t.Context(), query, variables, result); err != nil {
		s.t.Fatal(err)
	}
}

// Try is Do that returns what went wrong.
func (s *Shop) Try(ctx context.Context, query string, variables map[string]any, result any) error {
	answer, err := s.Ask(ctx, query, variables)
	if err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return fmt.Errorf("graphql: %+v", answer.Errors)
	}
	return json.Unmarshal(answer.Data, result)
}

// Given is the environment variable that names the program where it is built
// already, of these sources and as the tests are: make does so, to link it once
// for all of them.
const Given = "ORDERGRAPH_PROGRAM"

var build struct {
	sync.Once
	path, dir string // dir is to be removed
	err       error
}

// Program is the path of the built binary, with the race detector if the test has it.
func Program(t *testing.T) string {
	t.Helper()
	build.Do(func() {
		if build.err = Look(); build.err != nil {
			return
		}
		if build.path = os.Getenv(Given); build.path != "" {
			return
		}
		if build.dir, build.err = os.MkdirTemp("", "ordergraph-journey-*"); build.err != nil {
			return
		}
		build.path = filepath.Join(build.dir, "ordergraph")
		args := append(append([]string{"build"}, raceFlags...), "-o", build.path, "ordergraph/cmd/ordergraph")
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			build.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	return build.path
}

// Look looks at the program that is Given, or else at what it is made of. `go
// test` gives a result once more unless something has changed that the test
// looked at, and a program that is only run is nothing to it.
func Look() error {
	if path := os.Getenv(Given); path != "" {
		_, err := os.Stat(path)
		return err
	}
	const files = `{{with .Module}}{{if .Main}}{{.GoMod}}
{{$.Dir}}{{range $.GoFiles}}
{{$.Dir}}/{{.}}{{end}}{{range $.EmbedFiles}}
{{$.Dir}}/{{.}}{{end}}{{end}}{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", files, "ordergraph/cmd/ordergraph").Output()
	if err != nil {
		return fmt.Errorf("what the program is made of: %w", err)
	}
	for path := range strings.Lines(string(out)) {
		if _, err := os.Stat(strings.TrimSpace(path)); err != nil {
			return err
		}
	}
	return nil
}

// Clean removes the built binary; call it at the end of TestMain.
func Clean() {
	if build.dir != "" {
		_ = os.RemoveAll(build.dir)
	}
}

// FreeAddr is an address of this machine for a process to listen on.
func FreeAddr(t *testing.T) string {
	t.Helper()
	port, err := child.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

type process struct {
	t     *testing.T
	name  string
	env   []string
	args  []string
	http  string
	log   buffer
	child *child.Process // nil while it does not run
}

func (p *process) start() {
	p.t.Helper()
	cmd := exec.Command(Program(p.t), p.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, &p.log, &p.log
	var err error
	if p.child, err = child.Start(cmd); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) exited() bool {
	select {
	case <-p.child.Done():
		return true
	default:
		return false
	}
}

func (p *process) kill() {
	p.child.Kill()
	p.child = nil
}

// end stops the process in order and expects it to stop well.
func (p *process) end() {
	if p.child != nil {
		early := p.exited()
		p.child.Stop(2 * host.StopWithin)
		if err := p.child.Err(); err != nil || early {
			p.t.Errorf("%s: ended by itself: %v; how: %v", p.name, early, err)
		}
	}
	if strings.Contains(p.log.String(), "WARNING: DATA RACE") {
		p.t.Errorf("%s has a data race", p.name)
	}
	if p.t.Failed() {
		p.t.Logf("%s wrote:\n%s", p.name, p.log.tail(6000))
	}
}

// buffer keeps what a process writes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *buffer) tail(n int) string {
	text := b.String()
	return text[max(0, len(text)-n):]
}

// KeepsSecrets checks that the shop's processes have written none of these.
func (s *Shop) KeepsSecrets(secrets ...string) {
	s.t.Helper()
	log := s.Log()
	for _, secret := range secrets {
		if secret != "" && strings.Contains(log, secret) {
			s.t.Errorf("the log holds %q", secret)
		}
	}
}

// PressAtBank presses a button ("confirm" or "refuse") on the page where the
// customer confirms a payment.
func (s *Shop) PressAtBank(page, button string) {
	s.t.Helper()
	resp, err := s.client.PostForm(page, url.Values{"decision": {button}})
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 400 {
		s.t.Fatalf("%s at %s: %s", button, page, resp.Status)
	}
}
