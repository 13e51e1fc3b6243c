// Package graphtest is a whole shop in one process to try the gateway on: the
// real services on stores in memory, a card processor behind its own address,
// and a client that speaks GraphQL to it over a socket.
package graphtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"ordergraph/graph"
	"ordergraph/graph/session"
	"ordergraph/graph/transport"
	"ordergraph/platform/activity"
	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/platform/telemetry"
	"ordergraph/sandbox/card"
	"ordergraph/sandbox/carrier"
	"ordergraph/sandbox/mail"
	"ordergraph/services/account/accounttest"
	"ordergraph/services/cart"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogtest"
	"ordergraph/services/fulfilment"
	"ordergraph/services/fulfilment/httpcarrier"
	"ordergraph/services/inventory"
	"ordergraph/services/invoice"
	"ordergraph/services/notification"
	"ordergraph/services/order"
	"ordergraph/services/payment"
	"ordergraph/services/payment/stripegateway"
)

// PublicURL is where the shop believes its web pages are.
const PublicURL = "https://shop.example"

// EnoughStock is how many units of each variant there are to begin with.
const EnoughStock = 1_000

// A Shop is a gateway with all it needs.
type Shop struct {
	URL      string // of the gateway
	Handler  http.Handler
	Sessions *session.Keeper // of the gateway, unless the test has set others
	Log      *Lines
	Calls    *Calls // to the catalogue and the inventory

	Accounts  *accounttest.World // at the real time
	Catalog   *catalog.Keeper
	Cart      *cart.Keeper
	Order     *order.Keeper
	Inventory inventory.Service
	Payments  *payment.Cashier
	Parcels   *fulfilment.Keeper
	Invoice   *invoice.Keeper
	Activity  activity.Boards      // of the cart and of the order service
	Messages  *notification.Keeper // hears of orders by Tell
	Post      *mail.Server         // what it has mailed

	t        testing.TB
	doorbell *redis.Client
	work     func(func(context.Context) error) // runs until the test ends
	set      func(*graph.Options)
	products map[string]catalog.Product
}

// patience is what busy machines need for a checkout to be done when it answers.
var patience = order.Deadlines{Step: 20 * time.Second, Lease: time.Minute, Answer: time.Minute}

// New opens a shop that sells these products, or catalogtest.Sample when none
// are given, with EnoughStock of each variant. It closes with the test.
func New(t testing.TB, set func(*graph.Options), products ...catalog.ProductInput) *Shop {
	t.Helper()
	s := &Shop{t: t, Log: &Lines{}, Calls: &Calls{}, set: set, products: map[string]catalog.Product{}}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	t.Cleanup(func() { cancel(); work.Wait() })
	s.work = func(run func(context.Context) error) { work.Go(func() { _ = run(ctx) }) }

	var err error
	s.Inventory = openInventory(ctx, t)
	s.Catalog, err = catalog.New(ctx, catalog.Options{Store: docstoretest.Memory(t), Stock: s.Inventory, Currency: catalogtest.Currency})
	s.must(err)
	s.Cart, err = cart.New(ctx, cart.Options{Store: docstoretest.Memory(t), Catalog: s.Catalog, Stock: s.Inventory, Activity: s.count(ctx)})
	s.must(err)
	bank, err := card.New(ctx, card.Options{Store: docstoretest.Memory(t), SecretKey: "sk_test_graph", SlowBy: 100 * time.Millisecond})
	s.must(err)
	processor := httptest.NewServer(bank)
	t.Cleanup(processor.Close)
	gateway, err := stripegateway.New(stripegateway.Options{SecretKey: "sk_test_graph", URL: processor.URL, ReturnURL: PublicURL + "/back"})
	s.must(err)
	t.Cleanup(gateway.Close)
	s.Payments, err = payment.New(ctx, payment.Options{Store: docstoretest.Memory(t), Gateway: gateway, InlineFor: 30 * time.Second})
	s.must(err)
	t.Cleanup(func() {
		if err := s.Payments.Close(); err != nil {
			t.Errorf("close the cashier: %v", err)
		}
	})
	s.doorbell = redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = s.doorbell.Close() })
	bell := live.NewBell(s.doorbell, nil)
	s.work(bell.Run)
	s.Order, err = order.New(ctx, order.Options{Store: docstoretest.Memory(t), Bell: bell, Activity: s.count(ctx), Cart: s.Cart, Inventory: s.Inventory, Payment: s.Payments, Deadlines: patience})
	s.must(err)
	s.Parcels = s.openParcels(ctx)
	s.must(err)
	s.Invoice, err = invoice.New(ctx, invoice.Options{Store: docstoretest.Memory(t), Bell: bell, Orders: s.Order, Seller: invoice.Seller{
		Name: "Try-out Ltd", Address: "Quay 1", City: "Hamburg", Country: "DE", TaxID: "DE123456788",
	}})
	s.must(err)
	s.work(s.Catalog.Run)
	s.Accounts = openAccounts(t, bell)
	s.openMessages(ctx, bell)
	s.open()

	if len(products) == 0 {
		products = catalogtest.Sample()
	}
	s.Put(products...)
	return s
}

// count opens the counts of a service.
func (s *Shop) count(ctx context.Context) *activity.Recorder {
	counts, err := activity.Open(ctx, activity.Options{Store: docstoretest.Memory(s.t)})
	s.must(err)
	s.work(counts.Run)
	s.Activity = append(s.Activity, counts)
	return counts
}

// openParcels opens the fulfilment service, over the sandbox's carrier.
func (s *Shop) openParcels(ctx context.Context) *fulfilment.Keeper {
	const secret = "carrier_graph"
	vans, err := carrier.New(ctx, carrier.Options{Store: docstoretest.Memory(s.t), Secret: secret})
	s.must(err)
	server := httptest.NewServer(vans)
	s.t.Cleanup(server.Close)
	client, err := httpcarrier.New(httpcarrier.Options{URL: server.URL, Secret: secret})
	s.must(err)
	s.t.Cleanup(client.Close)
	k, err := fulfilment.New(ctx, fulfilment.Options{Store: docstoretest.Memory(s.t), Orders: s.Order, Inventory: s.Inventory, Carrier: client})
	s.must(err)
	return k
}

// open opens a gateway.
func (s *Shop) open() {
	s.t.Helper()
	hub := live.NewHub(live.Options{Client: s.doorbell})
	s.work(hub.Run)
	s.openSessions(hub)
	options := graph.Options{
		Account:    s.Accounts.Keeper,
		Catalog:    countedCatalog{s.Catalog, s.Calls},
		Cart:       s.Cart,
		Order:      s.Order,
		Inventory:  countedStock{s.Inventory, s.Calls},
		Payment:    s.Payments,
		Fulfilment: s.Parcels,
		Live:       hub,
		Sessions:   s.Sessions,
		Cookies:    Cookies,
		Origins:    []string{Listed},
		Limits:     graph.Limits{Limits: transport.Limits{Time: time.Minute}},
		Log:        telemetry.NewLogger(s.Log, slog.LevelInfo, false),
		Shop:       graph.Shop{Name: "Try-out", About: "A shop to try things in.", Currency: catalogtest.Currency, Country: "DE", ShipsTo: []string{"DE", "FR"}, PublicURL: PublicURL},
		Invoice:    s.Invoice,

		Notification: s.Messages,
		Activity:     s.Activity,
		DeadLetters:  deadletter.Desk{{Service: "notification", Kind: deadletter.Message, Letters: s.Messages.Letters()}},
	}
	if s.set != nil {
		s.set(&options)
	}
	s.Handler = graph.New(options)
	mux := http.NewServeMux()
	mux.Handle("/", s.Handler)
	mux.Handle("GET "+graph.InvoicePath, graph.Invoices(options))
	server := httptest.NewServer(mux)
	s.t.Cleanup(server.Close)
	s.URL = server.URL
}

// Another is one more gateway of the same shop.
func (s *Shop) Another() *Shop {
	s.t.Helper()
	another := *s
	another.open()
	return &another
}

func (s *Shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Put adds products, with EnoughStock of each variant, and returns when the
// catalogue knows that they are in stock.
func (s *Shop) Put(products ...catalog.ProductInput) {
	s.t.Helper()
	for i := range products {
		for j := range products[i].Variants {
			v := &products[i].Variants[j]
			if v.SKU == "" {
				v.SKU = fmt.Sprintf("%s-%d", strings.ToUpper(strings.Map(letters, products[i].Title)), j+1)
			}
			s.Stock(v.SKU, EnoughStock)
		}
	}
	for from := 0; from < len(products); from += catalog.MaxImport {
		results, err := s.Catalog.Put(context.Background(), identity.Ourselves(), products[from:min(from+catalog.MaxImport, len(products))])
		s.must(err)
		for _, r := range results {
			if r.Problem != "" {
				s.t.Fatal(r.Problem)
			}
			s.products[r.Product.Title] = r.Product
		}
	}
	s.Until("the catalogue knows the stock", func() bool {
		for _, p := range s.products {
			now, err := s.Catalog.ProductByHandle(context.Background(), p.Handle)
			s.must(err)
			for _, v := range now.Variants {
				if !v.InStock {
					return false
				}
			}
		}
		return true
	})
}

func letters(r rune) rune {
	if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
		return r
	}
	return -1
}

// Until waits for what happens by itself, at most a minute.
func (s *Shop) Until(what string, done func() bool) {
	s.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	give := time.After(time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-give:
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}

var changes atomic.Int64

// Stock makes the units of a SKU on hand this many.
func (s *Shop) Stock(sku string, units int64) {
	s.t.Helper()
	_, err := s.Inventory.Adjust(context.Background(), identity.Ourselves(), []inventory.Change{{
		Key: fmt.Sprintf("graphtest-%d", changes.Add(1)), SKU: sku, Warehouse: inventory.DefaultWarehouse, Set: &units, Reason: "counted",
	}})
	s.must(err)
}

// Product is the one with this title.
func (s *Shop) Product(title string) catalog.Product {
	s.t.Helper()
	p, ok := s.products[title]
	if !ok {
		s.t.Fatalf("there is no product %q", title)
	}
	return p
}

// Variant is the global id of a product's n-th variant.
func (s *Shop) Variant(title string, n int) string {
	return "gid://ordergraph/ProductVariant/" + s.Product(title).Variants[n].ID
}

// Answer is what the gateway says.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Data   map[string]any `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
	Extensions map[string]any `json:"extensions"`
}

// Vars are an operation's variables.
type Vars = map[string]any

// Ask sends an operation and returns the answer, whatever it is.
func (s *Shop) Ask(query string, vars Vars) Answer {
	s.t.Helper()
	return s.AskAs("", query, vars)
}

// AskAs is Ask of who has the access token.
func (s *Shop) AskAs(token, query string, vars Vars) Answer {
	s.t.Helper()
	header := map[string]string{"Content-Type": "application/json"}
	if token != "" {
		header["Authorization"] = "Bearer " + token
	}
	return s.Send(http.MethodPost, "", header, s.Body(query, vars))
}

// Body is an operation as it is sent.
func (s *Shop) Body(query string, vars Vars) []byte {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	s.must(err)
	return body
}

// Do sends an operation that must succeed, and returns its data.
func (s *Shop) Do(query string, vars Vars) map[string]any {
	s.t.Helper()
	return s.DoAs("", query, vars)
}

// DoAs is Do of who has the access token.
func (s *Shop) DoAs(token, query string, vars Vars) map[string]any {
	s.t.Helper()
	a := s.AskAs(token, query, vars)
	if len(a.Errors) > 0 || a.Data == nil {
		s.t.Fatalf("%d %s\nlog: %s", a.Status, a.Body, s.Log)
	}
	return a.Data
}

// Send makes an HTTP request to the gateway; query begins with "?" or is empty.
// Of a stream of events the answer has the first, for the stream may go on for
// ever.
func (s *Shop) Send(method, query string, header map[string]string, body []byte) Answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.URL+"/graphql"+query, bytes.NewReader(body))
	s.must(err)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	s.must(err)
	defer func() { _ = response.Body.Close() }()
	a := Answer{Status: response.StatusCode, Header: response.Header}
	if strings.Contains(response.Header.Get("Content-Type"), "event-stream") {
		a.Body, err = firstEvent(response.Body)
	} else {
		a.Body, err = io.ReadAll(response.Body)
	}
	s.must(err)
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(a.Body, &a); err != nil {
			s.t.Fatalf("not JSON: %s", a.Body)
		}
	}
	return a
}

// firstEvent is what comes before the first empty line that ends an event; a
// comment is none.
func firstEvent(stream io.Reader) ([]byte, error) {
	var event []byte
	for lines := bufio.NewReader(stream); ; {
		line, err := lines.ReadBytes('\n')
		event = append(event, line...)
		if errors.Is(err, io.EOF) || len(bytes.TrimSpace(line)) == 0 && bytes.Contains(event, []byte("event:")) {
			return event, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// Get walks into data by a path such as "cart.lines.nodes.0.quantity".
func Get(data any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch d := data.(type) {
		case map[string]any:
			data = d[step]
		case []any:
			i := 0
			if _, err := fmt.Sscan(step, &i); err != nil || i < 0 || i >= len(d) {
				return nil
			}
			data = d[i]
		default:
			return nil
		}
	}
	return data
}

// Lines gathers what is logged.
type Lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
