package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
)

// A market is two processes: one sells, the other writes invoices and tells
// customers.
type market struct {
	server, dir, redis, smtp string
	texts                    bool   // orders have a phone number
	profile                  string // the folder of CPU profiles; "": none are taken

	secret   string
	sandbox  string
	client   *http.Client
	sells    address
	tells    address
	selling  *process
	telling  *process
	variants []string
	orders   atomic.Int64
}

type address struct{ http, grpc, debug string }

var told = []string{"invoice", "notification"}

// open starts the process that sells, and fills it.
func (s *market) open(ctx context.Context) error {
	s.secret = rand.Text()
	s.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	for _, a := range []*string{&s.sells.http, &s.sells.grpc, &s.sells.debug, &s.tells.http, &s.tells.grpc, &s.tells.debug, &s.sandbox} {
		var err error
		if *a, err = freeAddr(); err != nil {
			return err
		}
	}
	names := []string{"graph", "sandbox"}
	for _, name := range services.Names() {
		if name != told[0] && name != told[1] {
			names = append(names, name)
		}
	}
	var err error
	if s.selling, err = s.start(ctx, "selling", s.sells, names); err != nil {
		return err
	}
	return s.fill(ctx)
}

func (s *market) startTelling(ctx context.Context) (err error) {
	s.telling, err = s.start(ctx, "telling", s.tells, told)
	return err
}

func (s *market) stop() {
	for _, p := range []*process{s.telling, s.selling} {
		if p != nil {
			p.Stop(20 * time.Second)
		}
	}
}

// rest waits until neither process has anything to do: what they note after the
// last mail is part of what orders cost.
func (s *market) rest(ctx context.Context) error {
	const (
		look = time.Second
		idle = look / 20
		most = time.Minute
	)
	for began := time.Now(); time.Since(began) < most; {
		before := s.telling.cpu() + s.selling.cpu()
		if err := sleep(ctx, look); err != nil {
			return err
		}
		if s.telling.cpu()+s.selling.cpu()-before < idle {
			return nil
		}
	}
	return fmt.Errorf("the processes are still busy after %v", most)
}

// A process is one of the program's.
type process struct {
	*child.Process
	pid int
}

func (s *market) start(ctx context.Context, name string, at address, names []string) (*process, error) {
	log, err := os.Create(filepath.Join(s.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, s.server, append([]string{"serve"}, names...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "HTTP_ADDR="+at.http, "GRPC_ADDR="+at.grpc, "RPC_SECRET="+s.secret, "REDIS_URL=redis://"+s.redis,
		"DATA_DIR="+filepath.Join(s.dir, name), "DEMO=off", "RATE_LIMIT=off", "AUTO_FULFIL=off", "INVOICE_GRACE=1m",
		"SANDBOX_SMTP_ADDR=", "SMTP_URL=smtp://"+s.smtp, "SANDBOX_ADDR="+s.sandbox, "PUBLIC_URL=http://"+s.sells.http,
		"SMS_CALLBACK_URL=http://"+s.tells.http+services.SMSWebhookPath)
	for _, service := range services.Names() {
		addr := s.sells.grpc
		if service == told[0] || service == told[1] {
			addr = s.tells.grpc
		}
		cmd.Env = append(cmd.Env, strings.ToUpper(service)+"_ADDR="+addr)
	}
	if s.profile != "" {
		cmd.Env = append(cmd.Env, "DEBUG_ADDR="+at.debug)
	}
	started, err := child.Start(cmd)
	if err != nil {
		return nil, err
	}
	p := &process{started, cmd.Process.Pid}
	for began := time.Now(); ; {
		resp, err := s.client.Get("http://" + at.http + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		select {
		case <-p.Done():
			text, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("%s has ended: %.2000s", name, text)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(began) > time.Minute {
			return nil, fmt.Errorf("%s is not ready within a minute: %w", name, err)
		}
	}
}

// profileFor is how long a CPU profile takes.
const profileFor = 6 * time.Second

// profiles begins CPU profiles of both processes, if they are asked for, and
// returns what waits for them.
func (s *market) profiles(ctx context.Context) (wait func()) {
	if s.profile == "" {
		return func() {}
	}
	var both sync.WaitGroup
	for name, at := range map[string]address{"selling": s.sells, "telling": s.tells} {
		both.Go(func() {
			if err := s.takeProfile(ctx, name, at.debug); err != nil {
				fmt.Fprintf(os.Stderr, "after: no profile of the process that is %s: %v\n", name, err)
			}
		})
	}
	return both.Wait
}

func (s *market) takeProfile(ctx context.Context, name, addr string) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", addr, int(profileFor.Seconds()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := os.MkdirAll(s.profile, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(s.profile, name+".pprof"))
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}

// fill puts products in, with stock that no run can sell out.
func (s *market) fill(ctx context.Context) error {
	catalogue, conn, err := host.Dial(catalogrpc.Contract, s.sells.grpc, s.secret)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stock, conn2, err := host.Dial(inventoryrpc.Contract, s.sells.grpc, s.secret)
	if err != nil {
		return err
	}
	defer func() { _ = conn2.Close() }()
	for _, w := range demo.Warehouses() {
		if err := stock.PutWarehouse(ctx, identity.Ourselves(), w); err != nil {
			return err
		}
	}
	products := demo.Products(60, "EUR")
	for _, p := range products {
		for i := range p.Stock {
			p.Stock[i] = []feed.Level{{Warehouse: inventory.DefaultWarehouse, OnHand: inventory.MaxQuantity}}
		}
	}
	if report, err := feed.Load(ctx, identity.Ourselves(), products, "after", catalogue, stock, nil); err != nil || report.Refused > 0 {
		return fmt.Errorf("fill: %+v, %w", report, err)
	}
	var found struct {
		Products struct {
			Nodes []struct {
				Variants struct{ Nodes []struct{ ID string } }
			}
		}
	}
	if err := s.ask(ctx, `{ products(first: 60) { nodes { variants(first: 1) { nodes { id } } } } }`, nil, &found); err != nil {
		return err
	}
	for _, p := range found.Products.Nodes {
		s.variants = append(s.variants, p.Variants.Nodes[0].ID)
	}
	return nil
}

// buyMany places orders, sixteen at once.
func (s *market) buyMany(ctx context.Context, n int) error {
	var left atomic.Int64
	left.Store(int64(n))
	var mu sync.Mutex
	var failed error
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				if _, _, err := s.buy(ctx); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed, ctx.Err())
}

// buy places one order of three lines, and says whose it is and when it was
// confirmed.
func (s *market) buy(ctx context.Context) (email string, confirmed time.Time, err error) {
	n := int(s.orders.Add(1))
	var lines []map[string]any
	for i := range 3 {
		lines = append(lines, map[string]any{"merchandiseId": s.variants[(n+i*7)%len(s.variants)], "quantity": 1 + i})
	}
	var made struct {
		CartCreate struct{ Cart struct{ ID string } }
	}
	if err := s.ask(ctx, `mutation ($lines: [CartLineInput!]) { cartCreate(input: {lines: $lines}) { cart { id } } }`, map[string]any{"lines": lines}, &made); err != nil {
		return "", confirmed, err
	}
	email = fmt.Sprintf("after%d@example.com", n)
	phone := ""
	if s.texts {
		phone = fmt.Sprintf("+49151%08d", 12_000_000+n)
	}
	var bought struct {
		Checkout struct {
			Order *struct {
				Status   string
				Timeline []struct {
					Status string
					At     time.Time
				}
			}
			UserErrors []struct{ Message string }
		}
	}
	err = s.ask(ctx, `mutation ($input: CheckoutInput!) { checkout(input: $input) { order { status timeline { status at } } userErrors { message } } }`,
		map[string]any{"input": map[string]any{
			"cartId": made.CartCreate.Cart.ID, "idempotencyKey": fmt.Sprint("after-order-", n), "email": email,
			"phone": phone, "locale": []string{"en", "de", "hi"}[n%3],
			"shippingAddress": map[string]any{"firstName": "Ada", "lastName": "Lovelace", "address1": "Hafenstrasse 1", "city": "Hamburg", "zip": "20359", "countryCode": "DE"},
			"payment":         map[string]any{"method": "pm_card_visa"},
		}}, &bought)
	if err != nil {
		return "", confirmed, err
	}
	o := bought.Checkout.Order
	if o == nil || len(o.Timeline) == 0 || o.Status != "CONFIRMED" {
		return "", confirmed, fmt.Errorf("the order is not confirmed: %+v %+v", o, bought.Checkout.UserErrors)
	}
	return email, o.Timeline[len(o.Timeline)-1].At, nil
}

func (s *market) ask(ctx context.Context, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.sells.http+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	if len(answer.Errors) > 0 {
		return errors.New(answer.Errors[0].Message)
	}
	return json.Unmarshal(answer.Data, into)
}

// cpu is the processor time that the process has used so far (Linux).
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// megabytes is the process's resident memory (Linux).
func (p *process) megabytes() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(fields[0], 10, 64)
	return kb >> 10
}

func freeAddr() (string, error) {
	port, err := child.FreePort()
	return fmt.Sprint("127.0.0.1:", port), err
}

func decimals(n int, f float64) string { return strconv.FormatFloat(f, 'f', n, 64) }
