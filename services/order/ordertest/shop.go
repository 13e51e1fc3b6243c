// Package ordertest is what every order service must do, whichever way it is
// reached, and a whole shop to try it in: the real cart, inventory and payment
// services, and the sandbox's card processor over HTTP.
//
// The shop talks to the processor in memory, so that a test may run in a bubble
// of testing/synctest, where nothing depends on the machine's speed.
package ordertest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ordergraph/platform/activity"
	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/sandbox/card"
	"ordergraph/services/cart"
	"ordergraph/services/cart/carttest"
	"ordergraph/services/inventory"
	"ordergraph/services/order"
	"ordergraph/services/payment"
	"ordergraph/services/payment/stripegateway"
	"ordergraph/test/memnet"
)

// Ourselves is the caller that the program is.
var Ourselves = identity.Ourselves()

// SecretKey is the shop's at the processor.
const SecretKey = "sk_test_ordertest"

const webhookSecret = "whsec_ordertest"

// Setting changes how a Shop is built.
type Setting func(*Shop)

// Patience lets a checkout wait so long for its outcome; 20 s otherwise.
func Patience(d time.Duration) Setting { return func(s *Shop) { s.deadlines.Answer = d } }

// Lease lets drivers hold an order so long; 10 s otherwise.
func Lease(d time.Duration) Setting { return func(s *Shop) { s.deadlines.Lease = d } }

// Step lets one call to another service take so long; 4 s otherwise.
func Step(d time.Duration) Setting { return func(s *Shop) { s.deadlines.Step = d } }

// Connected lets the services tell each other facts over the bus, and orders
// tell the listeners; the processor sends its notices.
func Connected(bus *events.Bus, listeners ...string) Setting {
	return func(s *Shop) { s.bus, s.listeners = bus, listeners }
}

// Rung lets orders ring the bell at every change that can be seen.
func Rung(bell *live.Bell) Setting { return func(s *Shop) { s.bell = bell } }

// Sending lets the orders' goods be sent by it.
func Sending(f order.Fulfilment) Setting { return func(s *Shop) { s.sending = f } }

// OnDisk keeps the stores on disk, durably, and not in memory.
func OnDisk() Setting { return func(s *Shop) { s.disk = true } }

// Wrapped lets another inventory or cart stand between the orders and the real one.
func Wrapped(stock func(inventory.Service) inventory.Service, carts func(cart.Service) cart.Service) Setting {
	return func(s *Shop) { s.wrapStock, s.wrapCarts = stock, carts }
}

// A Shop is everything a checkout needs. Its stores and its processor outlive
// a crash; the services are built anew by Start.
type Shop struct {
	t         testing.TB
	Clock     *clocktest.Clock
	Shelf     *carttest.Shelf // the catalogue
	Processor *card.Processor
	deadlines order.Deadlines
	disk      bool
	bus       *events.Bus
	bell      *live.Bell
	listeners []string
	sending   order.Fulfilment
	wrapStock func(inventory.Service) inventory.Service
	wrapCarts func(cart.Service) cart.Service

	dial                          memnet.Dial // to the processor
	orders, carts, stock, payment docstore.Store

	counting docstore.Store // what follows shares it
	counts   []*activity.Recorder

	Orders   *order.Keeper
	Carts    *cart.Keeper
	Stock    inventory.Service
	Payments *payment.Cashier
	keys     atomic.Int64
}

// New opens a shop that sells what is on carttest's shelf.
func New(t testing.TB, settings ...Setting) *Shop {
	t.Helper()
	s := &Shop{t: t, Clock: &clocktest.Clock{}, Shelf: carttest.NewShelf(), deadlines: order.Deadlines{Answer: 20 * time.Second}}
	for _, set := range settings {
		set(s)
	}
	s.orders, s.carts, s.stock, s.payment = s.open("order"), s.open("cart"), s.open("inventory"), s.open("payment")
	memory := s.open("card")
	s.counting = s.open("activity")
	options := card.Options{Store: memory, SecretKey: SecretKey, Now: s.Clock.Now, SlowBy: 150 * time.Millisecond, DownFor: 2}
	if s.bus != nil {
		notices := memnet.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.Payments.Webhook(webhookSecret).ServeHTTP(w, r)
		}))
		options.Webhook = card.Webhook{URL: "http://localhost", Dial: notices, Secret: webhookSecret, Delay: 20 * time.Millisecond}
	}
	var err error
	s.Processor, err = card.New(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	s.dial = memnet.Serve(t, s.Processor)
	s.Start(nil)
	return s
}

func (s *Shop) open(name string) docstore.Store {
	var store docstore.Store
	var err error
	if s.disk {
		store, err = docstorelocal.Open(s.t.TempDir() + "/" + name)
	} else {
		store, err = docstorelocal.OpenMemory()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			s.t.Errorf("close the %s store: %v", name, err)
		}
	})
	return store
}

// Start builds the services on the shop's stores, as a process that starts
// does. With a reaper they are mortal.
func (s *Shop) Start(reaper *docstoretest.Reaper) {
	s.t.Helper()
	s.Stop()
	wrap := func(store docstore.Store) docstore.Store {
		if reaper == nil {
			return store
		}
		return reaper.Wrap(store)
	}
	ctx := context.Background()
	var err error
	s.Stock, err = inventory.New(ctx, inventory.Options{Store: wrap(s.stock), Now: s.Clock.Now})
	s.must(err)
	s.Carts, err = cart.New(ctx, cart.Options{Store: wrap(s.carts), Catalog: s.Shelf, Stock: s.Stock, Now: s.Clock.Now})
	s.must(err)
	gateway, err := stripegateway.New(stripegateway.Options{SecretKey: SecretKey, URL: "http://localhost", Dial: s.dial, ReturnURL: "https://shop.example/back"})
	s.must(err)
	s.Payments, err = payment.New(ctx, payment.Options{Store: wrap(s.payment), Bus: s.bus, Listeners: []string{"order"}, Gateway: gateway, Now: s.Clock.Now})
	s.must(err)
	var carts cart.Service = s.Carts
	if s.wrapCarts != nil {
		carts = s.wrapCarts(carts)
	}
	var stock inventory.Service = s.Stock
	if s.wrapStock != nil {
		stock = s.wrapStock(stock)
	}
	s.Orders = s.Open(wrap(s.orders), carts, stock)
	payments := s.Payments
	s.t.Cleanup(func() {
		_ = payments.Close()
		gateway.Close()
	})
}

// Open is another order service on these parts, like another copy.
func (s *Shop) Open(store docstore.Store, carts cart.Service, stock inventory.Service) *order.Keeper {
	s.t.Helper()
	counts, err := activity.Open(context.Background(), activity.Options{Store: s.counting, Now: s.Clock.Now})
	s.must(err)
	s.counts = append(s.counts, counts)
	k, err := order.New(context.Background(), order.Options{
		Activity: counts, Store: store, Bus: s.bus, Listeners: s.listeners, Bell: s.bell, Cart: carts, Inventory: stock, Payment: s.Payments, Fulfilment: s.sending, Now: s.Clock.Now,
		Deadlines: s.deadlines, Log: slog.New(slog.DiscardHandler),
	})
	s.must(err)
	return k
}

// Work runs the services' own workers until the test ends: sweepers,
// listeners, and the processor's notices.
func (s *Shop) Work() {
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	workers.Go(func() { s.Processor.SendEvents(ctx) })
	workers.Go(func() { _ = s.Payments.Run(ctx) })
	workers.Go(func() {
		if err := s.Orders.Run(ctx); err != nil {
			s.t.Errorf("orders: %v", err)
		}
	})
	s.t.Cleanup(func() { cancel(); workers.Wait() })
}

// Another is another copy of the order service on the same store.
func (s *Shop) Another() *order.Keeper { return s.Open(s.orders, s.Carts, s.Stock) }

// Stop waits for calls to the processor that are under way.
func (s *Shop) Stop() {
	if s.Payments != nil {
		_ = s.Payments.Close()
	}
}

func (s *Shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Receive makes units of a variant on the shelf available, by warehouse.
func (s *Shop) Receive(name string, byWarehouse map[string]int64) {
	s.t.Helper()
	priority := 0
	for _, w := range []string{"berlin", "hamburg"} {
		priority++
		s.must(s.Stock.PutWarehouse(context.Background(), Ourselves, inventory.Warehouse{ID: w, Name: w, Country: "DE", Priority: priority}))
		n, ok := byWarehouse[w]
		if !ok {
			continue
		}
		_, err := s.Stock.Adjust(context.Background(), Ourselves, []inventory.Change{{Key: "receive-" + strconv.FormatInt(s.keys.Add(1), 10), SKU: "sku-" + name, Warehouse: w, Delta: n, Reason: "received"}})
		s.must(err)
	}
}

// Cart makes a cart of the variants, one unit of each unless a number follows
// the name.
func (s *Shop) Cart(what ...any) string {
	s.t.Helper()
	var lines []cart.LineInput
	for _, w := range what {
		switch w := w.(type) {
		case string:
			lines = append(lines, cart.LineInput{VariantID: w, Quantity: 1, Attributes: []cart.Attribute{{Key: "line", Value: strconv.Itoa(len(lines))}}})
		case int:
			lines[len(lines)-1].Quantity = int64(w)
		}
	}
	got, err := s.Carts.Create(context.Background(), identity.Caller{}, cart.CreateInput{Lines: lines})
	s.must(err)
	if len(got.Problems) > 0 {
		s.t.Fatalf("cart: %+v", got.Problems)
	}
	return got.Cart.ID
}

// Input is a valid checkout of a cart, with a key of its own.
func (s *Shop) Input(cartID string, change ...func(*order.CheckoutInput)) order.CheckoutInput {
	in := order.CheckoutInput{
		CartID: cartID, IdempotencyKey: fmt.Sprintf("key-%08d", s.keys.Add(1)), Email: "ada@example.org", Phone: "+491701234567",
		ShippingAddress: order.Address{FirstName: "Ada", LastName: "Lovelace", Address1: "Unter den Linden 1", City: "Berlin", Zip: "10117", Country: "DE"},
		PaymentMethod:   "pm_card_visa", ReturnURL: "https://shop.example/back", Locale: "de-DE",
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

// Paying with another card.
func Paying(method string) func(*order.CheckoutInput) {
	return func(in *order.CheckoutInput) { in.PaymentMethod = method }
}

// Buy checks a cart out as a guest.
func (s *Shop) Buy(in order.CheckoutInput) order.CheckoutResult {
	s.t.Helper()
	got, err := s.Orders.Checkout(context.Background(), identity.Caller{}, in)
	s.must(err)
	if got.Order == nil {
		s.t.Fatalf("no order: %+v", got.Problems)
	}
	return got
}

// Settle lets payments and orders sweep, and time pass, until the orders rest;
// it returns how much time that took.
func (s *Shop) Settle(ids ...string) (took time.Duration) {
	s.t.Helper()
	ctx := context.Background()
	for round := 0; ; round++ {
		if err := s.Payments.Sweep(ctx); err != nil {
			s.t.Logf("payments' sweep: %v", err)
		}
		if _, err := s.Orders.Sweep(ctx); err != nil {
			s.t.Logf("orders' sweep: %v", err)
		}
		if s.rest(ids) {
			return took
		}
		if round == 100 {
			for _, o := range s.All() {
				s.t.Logf("order %s is %s, payment %s: %+v", o.ID, o.Status, o.Payment.State, o.Timeline)
			}
			s.t.Fatalf("the orders %v do not come to rest", ids)
		}
		s.Clock.Pass(3 * time.Second)
		took += 3 * time.Second
	}
}

// rest reports whether all orders, or the named ones, have ended.
func (s *Shop) rest(ids []string) bool {
	for _, o := range s.All() {
		if len(ids) > 0 && !slices.Contains(ids, o.ID) {
			continue
		}
		if slices.ContainsFunc(o.Refunds, func(r order.Refund) bool { return r.State == order.RefundPending }) {
			return false
		}
		switch o.Status {
		case order.Pending, order.Reserved, order.Paying, order.Cancelled:
			return false
		case order.Confirmed, order.Fulfilling:
			if o.CancelReason != "" {
				return false // the wish is noted, and no more
			}
		}
	}
	return true
}

// Deliver brings a confirmed order to where its one parcel has arrived, as if
// it had been sent.
func (s *Shop) Deliver(id string) {
	s.t.Helper()
	s.must(s.Orders.Advance(context.Background(), id, order.Progress{Version: 1, Consignments: 1, Begun: 1, Delivered: 1}))
}

// Counted is what all copies of the order service have counted in the last
// day: "placed", "failed CARD_DECLINED". Of what took some time it is counted
// how often that was noted as well: "confirmed within".
func (s *Shop) Counted() map[string]int64 {
	s.t.Helper()
	ctx, all := context.Background(), map[string]int64{}
	for _, counts := range s.counts {
		s.must(counts.Write(ctx))
	}
	fresh, err := activity.Open(ctx, activity.Options{Store: s.counting, Now: s.Clock.Now})
	s.must(err)
	report, err := fresh.Read(ctx, Ourselves, s.Clock.Now().Add(-activity.Kept))
	s.must(err)
	for _, m := range report.Minutes {
		for _, c := range m.Counts {
			all[strings.TrimSpace(c.Name+" "+c.Label)] += c.N
			for _, b := range c.Took {
				all[c.Name+" within"] += b.N
			}
		}
	}
	return all
}

// All orders there are.
func (s *Shop) All() []order.Order {
	s.t.Helper()
	var all []order.Order
	for after := ""; ; {
		page, err := s.Orders.List(context.Background(), Ourselves, order.ListQuery{After: after, Limit: 100})
		s.must(err)
		all = append(all, page.Orders...)
		if !page.HasMore {
			return all
		}
		after = page.Cursors[len(page.Cursors)-1]
	}
}

// Order as it is now.
func (s *Shop) Order(id string) order.Order {
	s.t.Helper()
	o, err := s.Orders.Get(context.Background(), Ourselves, id, "")
	s.must(err)
	return o
}

// WantOrder fails the test unless the order has come to the status.
func (s *Shop) WantOrder(id string, status order.Status, reason order.Reason) order.Order {
	s.t.Helper()
	o := s.Order(id)
	if o.Status != status || o.Reason != reason {
		s.t.Fatalf("order is %s %s, want %s %s; story: %+v", o.Status, o.Reason, status, reason, o.Timeline)
	}
	return o
}

// WantInvariants fails the test unless stock, money and orders agree: with
// each other, and with the processor's own books.
func (s *Shop) WantInvariants() {
	s.t.Helper()
	ctx := context.Background()
	for after := ""; ; {
		report, err := s.Orders.Audit(ctx, Ourselves, after)
		s.must(err)
		for _, f := range report.Findings {
			s.t.Errorf("audit: %+v", f)
		}
		if after = report.Next; after == "" {
			break
		}
	}

	// Who dies counts no more, and nobody counts what another has done.
	happened := map[string]int64{}
	var paid int64
	sold := map[string]int64{}
	for _, o := range s.All() {
		for what, n := range worthCounting(o) {
			happened[what] += n
		}
		calledOff := slices.ContainsFunc(o.Timeline, func(e order.Entry) bool { return e.Status == order.Cancelled })
		switch {
		case o.Status == order.Failed, o.Status == order.Refunded && calledOff:
		case o.Status == order.Confirmed, o.Status == order.Fulfilling, o.Status == order.Shipped, o.Status == order.Delivered, o.Status == order.Refunded:
			paid += o.Quote.Cost.Total.Minor
			for _, r := range o.Refunds {
				if r.State == order.RefundSucceeded {
					paid -= r.Amount.Minor
				}
			}
			for _, l := range o.Quote.Lines {
				sold[l.Item.SKU] += l.Quantity
			}
		default:
			s.t.Errorf("order %s is still %s", o.ID, o.Status)
		}
		if o.Status != order.Failed && o.Reason != "" || o.Status == order.Failed && o.Reason == "" {
			s.t.Errorf("order %s is %s with reason %q", o.ID, o.Status, o.Reason)
		}
	}
	for what, n := range s.Counted() {
		if n > happened[what] {
			s.t.Errorf("%q was counted %d times and happened %d times", what, n, happened[what])
		}
	}
	books, err := s.Processor.Ledger(ctx, "")
	s.must(err)
	if kept := books.Captured["EUR"] - books.Refunded["EUR"]; kept != paid {
		s.t.Errorf("the processor kept %d, the paid orders are worth %d", kept, paid)
	}
	if held := books.Held["EUR"]; held != 0 {
		s.t.Errorf("the processor still holds %d", held)
	}
	for _, o := range books.Orders {
		if o.Captures > 1 {
			s.t.Errorf("order %s was charged %d times", o.Order, o.Captures)
		}
	}

	var skus []string
	for _, name := range []string{"mug", "shirt", "poster", "ebook", "giftcard", "anvil", "lamp"} {
		skus = append(skus, "sku-"+name)
	}
	levels, err := s.Stock.Levels(ctx, skus)
	s.must(err)
	for sku, stock := range levels {
		var out int64
		for _, l := range stock.Levels {
			if l.OnHand != l.Available+l.Reserved || l.OnHand < 0 || l.Available < 0 || l.Reserved < 0 || l.Sold+l.OnHand != l.Received {
				s.t.Errorf("stock of %s in %s: %+v", sku, l.Warehouse, l)
			}
			if l.Reserved != 0 {
				s.t.Errorf("%d of %s are left reserved in %s", l.Reserved, sku, l.Warehouse)
			}
			out += l.Sold
		}
		if out != sold[sku] {
			s.t.Errorf("%d of %s have left the stock, orders sold %d", out, sku, sold[sku])
		}
	}
}

// worthCounting is what is to be counted of an order, by its story.
func worthCounting(o order.Order) map[string]int64 {
	was := func(status order.Status) bool {
		return slices.ContainsFunc(o.Timeline, func(e order.Entry) bool { return e.Status == status })
	}
	all := map[string]int64{order.CountPlaced: 1}
	if was(order.Confirmed) {
		all[order.CountConfirmed], all[order.CountConfirmed+" within"] = 1, 1
	}
	if was(order.Failed) {
		all[order.CountFailed+" "+string(o.Reason)] = 1
	}
	if was(order.Cancelled) || was(order.Refunded) {
		all[order.CountCancelled] = 1
	}
	return all
}
