// Package card is a bank that lends no money: a card processor on a laptop
// that speaks Stripe's own protocol, takes test cards, remembers every cent,
// and breaks down when told to.
//
// The shop's client cannot tell it from Stripe: the address alone decides. It
// is a server with a memory of its own, so that the shop may be killed and
// restarted while the processor keeps what it has done.
package card

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/sandbox/faults"
)

// Options of a processor.
type Options struct {
	Store     docstore.Store   // its memory
	SecretKey string           // what clients must show; "" admits nobody
	Addr      string           // where Run listens, "127.0.0.1:0" for any port; default 127.0.0.1:8090
	PublicURL string           // where customers reach the confirmation page; "": the address they called
	Faults    Faults           // trouble from the start; see POST /sandbox/card/faults
	Webhook   Webhook          // where events go; none without a URL
	SlowBy    time.Duration    // how long pm_card_slow takes; default 3 s
	DownFor   int              // how many attempts pm_card_processorDown refuses; default 3
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger
}

// A Processor is the card processor: an http.Handler, or a server with Run.
type Processor struct {
	o       Options
	log     *slog.Logger
	intents *docstore.Collection[intent]
	mux     *http.ServeMux
	kick    chan struct{} // wakes the sender of events
	client  *http.Client  // sends them
	trouble faults.Trouble[Faults]

	mu    sync.Mutex
	inUse map[string]bool // idempotency keys being worked on
	tried map[string]int  // attempts on pm_card_processorDown, by idempotency key
	addr  net.Addr
	up    chan struct{} // closed when Run listens
	once  sync.Once
}

// New opens the processor over its memory.
func New(ctx context.Context, o Options) (*Processor, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.SlowBy == 0 {
		o.SlowBy = 3 * time.Second
	}
	if o.DownFor == 0 {
		o.DownFor = 3
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:8090"
	}
	o.Webhook = o.Webhook.withDefaults()
	if err := o.Faults.check(); err != nil {
		return nil, err
	}
	intents, err := docstore.Open[intent](ctx, o.Store, spec)
	if err != nil {
		return nil, fmt.Errorf("card processor: %w", err)
	}
	p := &Processor{
		o: o, log: o.Log, intents: intents,
		kick:  make(chan struct{}, 1),
		inUse: map[string]bool{}, tried: map[string]int{},
		up: make(chan struct{}),
		client: &http.Client{
			Timeout:       o.Webhook.Timeout,
			Transport:     &http.Transport{DialContext: o.Webhook.Dial, MaxIdleConnsPerHost: senders, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	p.trouble.Set(o.Faults, o.Faults.Seed)
	p.routes()
	return p, nil
}

// Run listens on Options.Addr, answers, and sends events until ctx ends. It
// then lets calls in flight finish for up to 5 s.
func (p *Processor) Run(ctx context.Context) error {
	listener, err := net.Listen("tcp", p.o.Addr)
	if err != nil {
		return fmt.Errorf("card processor: %w", err)
	}
	return p.Serve(ctx, listener)
}

// Serve is Run on a listener that is open already.
func (p *Processor) Serve(ctx context.Context, listener net.Listener) error {
	p.mu.Lock()
	p.addr = listener.Addr()
	p.mu.Unlock()
	p.once.Do(func() { close(p.up) })
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { p.SendEvents(ctx) })
	wg.Go(func() {
		<-ctx.Done()
		last, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		if server.Shutdown(last) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(listener)
	cancel()
	wg.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("card processor: %w", err)
}

// URL is where the running processor answers: what the shop is given as its
// processor's address. It waits until Run listens.
func (p *Processor) URL(ctx context.Context) (string, error) {
	select {
	case <-p.up:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return "http://" + p.addr.String(), nil
}

func (p *Processor) now() time.Time { return p.o.Now().UTC().Truncate(time.Millisecond) }
