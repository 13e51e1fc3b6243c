// Command load measures the purchase path of a real shop: it starts the
// program with a full catalogue in a folder of its own, drives it over GraphQL
// from this machine, and prints what came of it beside the limits of the same
// machine in the same minute.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog/catalogrpc"
	"ordergraph/services/catalog/demo"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventoryrpc"
)

func main() {
	server := flag.String("server", "bin/ordergraph", "the program to measure")
	products := flag.Int("products", 2100, "products in the catalogue; 2,100 have about 7,900 variants")
	clients := flag.String("clients", "1,16,64", "how many clients at once, one run each")
	length := flag.Duration("for", 5*time.Second, "how long each run takes, after a second of warming up")
	only := flag.String("only", "", "run only the scenarios whose name contains this")
	dir := flag.String("dir", "", "keep the shop's data here instead of a folder that is removed")
	profile := flag.String("pprof", "", "write CPU profiles of the server to this folder, one per scenario at 16 clients")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *server, *products, *clients, *length, *only, *dir, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server string, products int, clients string, length time.Duration, only, dir, profile string) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "ordergraph-load-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(temp) }()
		dir = temp
	}
	s, err := start(ctx, server, dir, profile, "off")
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.fill(ctx, products); err != nil {
		return err
	}
	// A warm start is what an operator sees: with the catalogue in place.
	s.stop()
	if s, err = start(ctx, server, dir, profile, "off"); err != nil {
		return err
	}
	defer s.stop()
	variants, err := s.look(ctx, products)
	if err != nil {
		return err
	}
	fmt.Printf("first answer %v after the start, with %d variants\n\n", s.firstAnswer.Round(time.Millisecond), variants)

	const row = "%-20s %8v %8v %9v %8v %8v %7v %11v %10v %10v\n"
	fmt.Printf(row, "scenario", "clients", "ops/s", "of limit", "p50 ms", "p99 ms", "errors", "server CPU", "server MB", "CPU ms/op")
	limit := map[int]float64{} // plain HTTP, by clients
	report := func(sc scenario) error {
		if !strings.Contains(sc.name, only) {
			return nil
		}
		for text := range strings.SplitSeq(clients, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return fmt.Errorf("-clients %s: whole numbers with commas between", clients)
			}
			r, err := s.measure(ctx, sc, n, length)
			if err != nil {
				return err
			}
			perSecond := float64(r.ops) / r.took.Seconds()
			if sc.name == plainHTTP {
				limit[n] = perSecond
			}
			share := "-"
			if limit[n] > 0 {
				share = decimals(3, perSecond/limit[n])
			}
			fmt.Printf(row, sc.name, n, decimals(0, perSecond), share, ms(r.times.ValueAtQuantile(50)), ms(r.times.ValueAtQuantile(99)), r.errors,
				decimals(0, 100*r.cpu.Seconds()/r.took.Seconds())+" %", s.megabytes(), decimals(2, 1000*r.cpu.Seconds()/float64(max(r.ops, 1))))
			if r.first != nil {
				fmt.Println("   first error:", r.first)
			}
		}
		return nil
	}
	for _, sc := range scenarios {
		if err := report(sc); err != nil {
			return err
		}
	}

	// The same product page as the clients of a shop get it that limits them.
	s.stop()
	known := s.handles
	if s, err = start(ctx, server, dir, profile, "on"); err != nil {
		return err
	}
	defer s.stop()
	s.handles = known
	if err := s.employ(ctx); err != nil {
		return err
	}
	for _, sc := range guarded {
		if err := report(sc); err != nil {
			return err
		}
	}
	return nil
}

func decimals(n int, f float64) string { return strconv.FormatFloat(f, 'f', n, 64) }

func ms(micros int64) string { return decimals(2, float64(micros)/1000) }

// A shop under load.
type shop struct {
	cmd         *exec.Cmd
	url         string
	grpc        string
	secret      string
	client      *http.Client
	firstAnswer time.Duration
	handles     []string
	ids         []string
	profile     string
	dir         string
	bearer      string // the token of whoever is signed in
	ended       chan struct{}
}

func start(ctx context.Context, server, dir, profile, limits string) (*shop, error) {
	addrs := make([]string, 4)
	for i := range addrs {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		addrs[i] = l.Addr().String()
		_ = l.Close()
	}
	s := &shop{
		url: "http://" + addrs[0], grpc: addrs[1], secret: rand.Text(), profile: profile, dir: dir, ended: make(chan struct{}),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}},
	}
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, server, "serve")
	s.cmd.Env = append(os.Environ(), "HTTP_ADDR="+addrs[0], "GRPC_ADDR="+addrs[1], "SANDBOX_ADDR="+addrs[2], "SANDBOX_SMTP_ADDR="+addrs[3], "RPC_SECRET="+s.secret,
		"DATA_DIR="+filepath.Join(dir, "data"), "DEMO=off", "RATE_LIMIT="+limits, "BUDGET_RATE=1000000000", "BUDGET_BURST=1000000000", "SIGN_IN_LIMIT=1000000000", "MONGODB_URI="+os.Getenv("LOAD_MONGODB_URI"), "REDIS_URL="+os.Getenv("LOAD_REDIS_URL"))
	if profile != "" {
		s.cmd.Env = append(s.cmd.Env, "DEBUG_ADDR=127.0.0.1:6060")
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = s.cmd.Wait(); close(s.ended) }()
	for {
		answer, err := s.ask(ctx, `{ shop { name } products(first: 1) { nodes { id } } }`, nil)
		if err == nil && len(answer.Errors) == 0 {
			s.firstAnswer = time.Since(began)
			return s, nil
		}
		select {
		case <-s.ended:
			text, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("the server ended: %s", text)
		case <-ctx.Done():
			s.stop()
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
		if time.Since(began) > time.Minute {
			s.stop()
			return nil, fmt.Errorf("no answer within a minute: %w %+v", err, answer.Errors)
		}
	}
}

func (s *shop) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.ended
}

// fill puts the catalogue in, with stock that no run can sell out.
func (s *shop) fill(ctx context.Context, n int) error {
	catalogue, conn, err := host.Dial(catalogrpc.Contract, s.grpc, s.secret)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	stock, conn2, err := host.Dial(inventoryrpc.Contract, s.grpc, s.secret)
	if err != nil {
		return err
	}
	defer func() { _ = conn2.Close() }()
	for _, w := range demo.Warehouses() {
		if err := stock.PutWarehouse(ctx, identity.Ourselves(), w); err != nil {
			return err
		}
	}
	products := demo.Products(n, "EUR")
	for _, p := range products {
		for i := range p.Stock {
			p.Stock[i] = []feed.Level{{Warehouse: inventory.DefaultWarehouse, OnHand: inventory.MaxQuantity}}
		}
	}
	began := time.Now()
	report, err := feed.Load(ctx, identity.Ourselves(), products, "load", catalogue, stock, nil)
	if err != nil {
		return err
	}
	if report.Refused > 0 || len(report.Problems) > 0 {
		return fmt.Errorf("fill: %+v", report)
	}
	if err := catalogue.PutCollections(ctx, identity.Ourselves(), demo.Collections()); err != nil {
		return err
	}
	fmt.Printf("imported %d products with %d variants in %v (%.0f variants/s)\n", n, report.Variants,
		time.Since(began).Round(time.Millisecond), float64(report.Variants)/time.Since(began).Seconds())
	return nil
}

// look learns handles and variants from the shop itself.
func (s *shop) look(ctx context.Context, n int) (variants int, err error) {
	after := ""
	for len(s.handles) < n {
		variables := map[string]any{"first": 100}
		if after != "" {
			variables["after"] = after
		}
		answer, err := s.ask(ctx, `query ($first: Int!, $after: String) { products(first: $first, after: $after, sortKey: ID) { pageInfo { hasNextPage endCursor } nodes { handle variants(first: 100) { nodes { id } } } } }`, variables)
		if err != nil {
			return 0, err
		}
		var data struct {
			Products struct {
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
				Nodes []struct {
					Handle   string
					Variants struct{ Nodes []struct{ ID string } }
				}
			}
		}
		if err := answer.into(&data); err != nil {
			return 0, err
		}
		for _, p := range data.Products.Nodes {
			s.handles = append(s.handles, p.Handle)
			for _, v := range p.Variants.Nodes {
				s.ids = append(s.ids, v.ID)
			}
		}
		if after = data.Products.PageInfo.EndCursor; !data.Products.PageInfo.HasNextPage {
			break
		}
	}
	if len(s.handles) < n {
		return 0, fmt.Errorf("%d of %d products found", len(s.handles), n)
	}
	return len(s.ids), nil
}

type answer struct {
	Data   json.RawMessage
	Errors []struct{ Message string }
}

func (a answer) into(data any) error {
	if len(a.Errors) > 0 {
		return errors.New(a.Errors[0].Message)
	}
	return json.Unmarshal(a.Data, data)
}

func (s *shop) ask(ctx context.Context, query string, variables map[string]any) (answer, error) {
	var a answer
	text, err := s.post(ctx, query, variables)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("%w: %.200s", err, text)
	}
	return a, nil
}

// post is the part of a request that a load generator cannot leave out.
func (s *shop) post(ctx context.Context, query string, variables map[string]any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+s.bearer)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %.200s", resp.Status, text)
	}
	return text, nil
}

type result struct {
	ops, errors int64
	first       error
	took, cpu   time.Duration
	times       *hdrhistogram.Histogram // microseconds
}

// measure runs a scenario from n clients, each as fast as it is answered.
func (s *shop) measure(ctx context.Context, sc scenario, n int, length time.Duration) (result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var counting atomic.Bool
	var mu sync.Mutex
	total := result{times: hdrhistogram.New(1, 60_000_000, 3)}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			own := result{times: hdrhistogram.New(1, 60_000_000, 3)}
			do := sc.client(s, i)
			for round := 0; ctx.Err() == nil; round++ {
				counted := counting.Load()
				began := time.Now()
				err := do(ctx, round)
				if ctx.Err() != nil {
					break
				}
				if !counted {
					continue
				}
				_ = own.times.RecordValue(time.Since(began).Microseconds())
				own.ops++
				if err != nil {
					own.errors++
					own.first = err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.ops, total.errors = total.ops+own.ops, total.errors+own.errors
			if total.first == nil {
				total.first = own.first
			}
			total.times.Merge(own.times)
		})
	}
	if err := sleep(ctx, time.Second); err != nil {
		return total, err
	}
	if s.profile != "" && n == 16 {
		all.Go(func() { s.takeProfile(ctx, sc.name, length) })
	}
	began, cpu := time.Now(), s.cpu()
	counting.Store(true)
	err := sleep(ctx, length)
	counting.Store(false)
	total.took, total.cpu = time.Since(began), s.cpu()-cpu
	if s.profile == "" {
		cancel()
	} else {
		_ = sleep(ctx, 2*time.Second) // until the profile is there
		cancel()
	}
	all.Wait()
	return total, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *shop) takeProfile(ctx context.Context, name string, length time.Duration) {
	url := fmt.Sprintf("http://127.0.0.1:6060/debug/pprof/profile?seconds=%d", max(1, int(length.Seconds())-1))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	resp, err := s.client.Do(req)
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	f, err := os.Create(filepath.Join(s.profile, strings.ReplaceAll(name, " ", "-")+".pprof"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return
	}
	defer func() { _ = f.Close() }()
	_, _ = io.Copy(f, resp.Body)
}

// cpu is the processor time that the server has used so far (Linux).
func (s *shop) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// megabytes is the server's resident memory (Linux).
func (s *shop) megabytes() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	return kb >> 10
}

// expect asks and wants the text in the answer. Most answers are only looked
// through, so that the generator takes little of the machine; every 64th is
// decoded as well.
func (s *shop) expect(ctx context.Context, query string, variables map[string]any, round int, text string) error {
	body, err := s.post(ctx, query, variables)
	if err != nil {
		return err
	}
	if !strings.Contains(string(body), text) || strings.Contains(string(body), `"errors":[{`) {
		return fmt.Errorf("unexpected answer: %.300s", body)
	}
	if round%64 == 0 && !json.Valid(body) {
		return fmt.Errorf("this is not JSON: %.300s", body)
	}
	return nil
}
