// Package cli tries the program as its operator does: by its commands,
// settings, signals and exit codes.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ordergraph/test/child"
	"ordergraph/test/shop"
)

// program is the built binary. Races are for the journeys to find: here it is
// started a hundred times, and has to be quick.
var program string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) (code int) {
	if err := shop.Look(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "ordergraph-cli-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ordergraph")
	if out, err := exec.Command("go", "build", "-o", program, "ordergraph/cmd/ordergraph").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// password is in settings of many tests and must never be in what is printed.
const password = "hunter2"

// settings are environment variables; the program gets no others.
type settings map[string]string

func (s settings) with(more settings) settings {
	all := settings{}
	for _, part := range []settings{s, more} {
		for name, value := range part {
			all[name] = value
		}
	}
	return all
}

// fresh are the settings of a shop of the test's own, without the demo.
func fresh(t *testing.T) settings {
	return settings{
		"DATA_DIR": filepath.Join(t.TempDir(), "data"), "DEMO": "off",
		"HTTP_ADDR": shop.FreeAddr(t), "GRPC_ADDR": shop.FreeAddr(t), "SANDBOX_ADDR": shop.FreeAddr(t), "SANDBOX_SMTP_ADDR": shop.FreeAddr(t),
	}
}

func command(ctx context.Context, t *testing.T, set settings, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"COLUMNS=100", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for name, value := range set {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// An outcome is what came of a command.
type outcome struct {
	t        *testing.T
	line     string
	code     int
	out, err string
}

// run runs a command to its end.
func run(t *testing.T, set settings, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	return finish(t, command(ctx, t, set, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	return begin(t, cmd)()
}

// begin starts a command; wait waits for its end.
func begin(t *testing.T, cmd *exec.Cmd) (wait func() outcome) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() outcome {
		t.Helper()
		return ended(t, cmd, cmd.Wait(), out.String(), errs.String(), time.Since(began))
	}
}

func ended(t *testing.T, cmd *exec.Cmd, err error, out, errs string, took time.Duration) outcome {
	t.Helper()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	line := strings.Join(cmd.Args[1:], " ")
	t.Logf("%v: %s", took.Round(time.Millisecond), line)
	return outcome{t, line, cmd.ProcessState.ExitCode(), out, errs}.keepsSecrets()
}

func (o outcome) keepsSecrets() outcome {
	o.t.Helper()
	if strings.Contains(o.out+o.err, password) {
		o.t.Errorf("%s: the password shows:\n%s%s", o.line, o.out, o.err)
	}
	if strings.Contains(o.err, "DATA RACE") || strings.Contains(o.err, "goroutine ") {
		o.t.Errorf("%s:\n%s", o.line, o.err)
	}
	return o
}

// want compares the exit code, and looks for words in what was printed.
func (o outcome) want(code int, says ...string) outcome {
	o.t.Helper()
	bad := o.code != code
	for _, words := range says {
		bad = bad || !strings.Contains(o.out+o.err, words)
	}
	if bad {
		o.t.Errorf("%s: exit code %d, want %d and %q:\n%s%s", o.line, o.code, code, says, o.out, o.err)
	}
	return o
}

// A server is a process that serves.
type server struct {
	t     *testing.T
	set   settings
	cmd   *exec.Cmd
	child *child.Process
	log   *lines
	took  time.Duration // from the start to the first good answer
}

// launch starts to serve.
func launch(t *testing.T, set settings, services ...string) *server {
	t.Helper()
	s := &server{t: t, set: set, log: &lines{}}
	s.cmd = command(context.WithoutCancel(t.Context()), t, set, append([]string{"serve"}, services...)...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	var err error
	if s.child, err = child.Start(s.cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.child.Kill()
		outcome{t: t, line: "serve", err: s.log.String()}.keepsSecrets()
		if t.Failed() {
			t.Logf("serve %v wrote:\n%.8000s", services, s.log.String())
		}
	})
	return s
}

// serve starts to serve and waits until all is ready.
func serve(t *testing.T, set settings, services ...string) *server {
	t.Helper()
	began := time.Now()
	s := launch(t, set, services...)
	s.eventually("is ready", func() error {
		if s.ended() {
			t.Fatalf("serve has ended:\n%s", s.log.String())
		}
		code, body, err := s.get("/readyz")
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("%d %s", code, body)
		}
		return err
	})
	s.took = time.Since(began)
	return s
}

func (s *server) ended() bool {
	select {
	case <-s.child.Done():
		return true
	default:
		return false
	}
}

// stop ends the server in order.
func (s *server) stop() {
	s.t.Helper()
	began := time.Now()
	s.signal(syscall.SIGTERM)
	select {
	case <-s.child.Done():
	case <-time.After(time.Minute):
		s.t.Fatalf("it does not stop:\n%s", s.log.String())
	}
	if err := s.child.Err(); err != nil {
		s.t.Errorf("stopped: %v\n%s", err, s.log.String())
	}
	s.t.Logf("stopped in %v", time.Since(began).Round(time.Millisecond))
}

func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) eventually(what string, try func() error) {
	s.t.Helper()
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	s.t.Fatalf("it never comes that it %s: %v\n%s", what, err, s.log.String())
}

// says waits for words in the log.
func (s *server) says(words string) {
	s.t.Helper()
	s.eventually("says "+words, func() error {
		if !strings.Contains(s.log.String(), words) {
			return errors.New("it does not")
		}
		return nil
	})
}

var client = &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

func (s *server) url(path string) string { return "http://" + s.set["HTTP_ADDR"] + path }

func (s *server) get(path string) (code int, body string, err error) { return get(s.url(path)) }

func get(url string) (code int, body string, err error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// ask sends a GraphQL operation that must succeed.
func (s *server) ask(query string, variables map[string]any, result any) (requestID string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := client.Post(s.url("/graphql"), "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Errors != nil {
		s.t.Fatalf("%s: %v %+v", query, err, answer.Errors)
	}
	if err := json.Unmarshal(answer.Data, result); err != nil {
		s.t.Fatal(err)
	}
	return resp.Header.Get("X-Request-Id")
}

// An order is one that was bought here.
type order struct {
	ID, Token string
}

// buy buys one unit of the product's first variant, with a discount code if
// one is given.
func (s *server) buy(handle string, codes ...string) order {
	s.t.Helper()
	variant, _ := s.stock(handle)
	var made struct {
		CartCreate struct {
			Cart struct {
				ID            string
				DiscountCodes []struct{ Applicable bool }
			}
		}
	}
	s.ask(`mutation ($v: ID!, $codes: [String!]) { cartCreate(input: {lines: [{merchandiseId: $v, quantity: 1}], discountCodes: $codes}) { cart { id discountCodes { applicable } } } }`,
		map[string]any{"v": variant, "codes": codes}, &made)
	for _, code := range made.CartCreate.Cart.DiscountCodes {
		if !code.Applicable {
			s.t.Errorf("a code of %v is not applicable", codes)
		}
	}
	var bought struct {
		Checkout struct {
			Order       struct{ ID, Status string }
			AccessToken string
			UserErrors  []struct{ Message string }
		}
	}
	s.ask(`mutation ($in: CheckoutInput!) { checkout(input: $in) { order { id status } accessToken userErrors { message } } }`, map[string]any{"in": map[string]any{
		"cartId": made.CartCreate.Cart.ID, "idempotencyKey": "key-" + made.CartCreate.Cart.ID, "email": "ada@example.com",
		"shippingAddress": map[string]any{"firstName": "Ada", "lastName": "Lovelace", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
		"payment":         map[string]any{"method": "pm_card_visa"},
	}}, &bought)
	if bought.Checkout.Order.Status != "CONFIRMED" {
		s.t.Fatalf("checkout: %+v", bought)
	}
	return order{bought.Checkout.Order.ID, bought.Checkout.AccessToken}
}

// wantOrder looks an order up.
func (s *server) wantOrder(o order) {
	s.t.Helper()
	var got struct{ Order *struct{ Status string } }
	s.ask(`query ($id: ID!, $token: String) { order(id: $id, accessToken: $token) { status } }`, map[string]any{"id": o.ID, "token": o.Token}, &got)
	if got.Order == nil || got.Order.Status != "CONFIRMED" {
		s.t.Errorf("order %s is %+v", o.ID, got.Order)
	}
}

// stock is the product's first variant and how many units of it are for sale.
func (s *server) stock(handle string) (variant string, units int) {
	s.t.Helper()
	var got struct {
		Product *struct {
			Variants struct {
				Nodes []struct {
					ID                string
					QuantityAvailable int
				}
			}
		}
	}
	s.ask(`query ($h: String!) { product(handle: $h) { variants(first: 1) { nodes { id quantityAvailable } } } }`, map[string]any{"h": handle}, &got)
	if got.Product == nil {
		s.t.Fatalf("there is no product %q", handle)
	}
	v := got.Product.Variants.Nodes[0]
	return v.ID, v.QuantityAvailable
}

// lines keeps what a process writes.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// write makes a file of the test's own.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
