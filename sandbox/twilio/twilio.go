// Package twilio is a phone company without a single wire: Twilio's Messages
// API on a laptop, which takes every text message, shows it on a phone that
// can answer, reports what became of it, and breaks down when told to.
//
// The shop's client cannot tell it from Twilio: the address alone decides. It
// follows https://www.twilio.com/docs/messaging/api/message-resource.
package twilio

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/sandbox/faults"
	"ordergraph/sandbox/page"
)

// Options of a server.
type Options struct {
	Account string            // its SID, which begins with AC
	Token   string            // admits clients and signs callbacks; "" admits nobody
	Keys    map[string]string // secrets of API keys (SK…), which admit as well
	Inbound string            // where what phones send is posted to; nowhere without
	Step    time.Duration     // how long a message is queued, and then how long it is sent; 0: 400 ms
	Retry   time.Duration     // after a callback's first failure, then doubled; 0: 500 ms
	Keep    int               // messages; the oldest go first; 0: 20,000
	Faults  Faults            // trouble from the start; see POST /sandbox/phone/faults
	// Dial makes the connections for callbacks; nil: over the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Log  *slog.Logger // nil: silent
}

// A Server takes messages over HTTP and moves them along while Run works. Its
// memory ends with it.
type Server struct {
	o       Options
	log     *slog.Logger
	client  *http.Client
	trouble faults.Trouble[Faults]
	bell    page.Bell
	moves   *agenda[string]        // SIDs of messages that go one step further
	calls   [callers]*agenda[call] // those about one message are in one, and so in order
	closed  chan struct{}          // by Close
	close   func()

	mu       sync.Mutex
	messages []*Message // oldest first
	bySID    map[string]*Message
	changes  int64
	stopped  map[conversation]int64 // who wants no messages, with the change it was
	second   int64                  // since 1970, with how many messages were asked for in it
	inSecond int
	ledger   Ledger
}

// New makes a server without messages.
func New(o Options) (*Server, error) {
	o.Step, o.Retry = cmp.Or(o.Step, 400*time.Millisecond), cmp.Or(o.Retry, 500*time.Millisecond)
	o.Keep = cmp.Or(o.Keep, 20_000)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	closed := make(chan struct{})
	s := &Server{
		o: o, log: o.Log, moves: newAgenda[string](o.Keep),
		closed: closed, close: sync.OnceFunc(func() { close(closed) }),
		bySID: map[string]*Message{}, stopped: map[conversation]int64{}, ledger: Ledger{Refused: map[int]int{}},
		client: &http.Client{
			Timeout:       callbackWithin,
			Transport:     &http.Transport{DialContext: o.Dial, MaxIdleConnsPerHost: callers, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for i := range s.calls {
		s.calls[i] = newAgenda[call](o.Keep)
	}
	return s, s.SetFaults(o.Faults)
}

// Close ends what waits: pages that watch, and delays made on purpose.
func (s *Server) Close() {
	s.close()
	s.bell.Close()
}

// Run moves messages along and makes callbacks until ctx ends. What has not
// been told by then never is.
func (s *Server) Run(ctx context.Context) error {
	defer s.client.CloseIdleConnections()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		for {
			sid, ok := s.moves.next(ctx)
			if !ok {
				return nil
			}
			s.advance(sid)
		}
	})
	for _, calls := range s.calls {
		g.Go(func() error {
			for {
				c, ok := calls.next(ctx)
				if !ok {
					return nil
				}
				s.make(ctx, c)
			}
		})
	}
	return g.Wait()
}

// Routes adds Twilio's API, under /2010-04-01, and what stands behind the page
// with the phone:
//
//	GET /sandbox/phone/messages?phone=&limit=   {"messages": […]}, newest first; see Message
//	GET /sandbox/phone/events                   an event stream: a number that grows with every change
//	GET /sandbox/phone/ledger                   see Ledger
//	GET, POST /sandbox/phone/faults             see Faults
//	POST /sandbox/phone/reply                   {"from": "+49…", "to": "+1…", "body": "STOP"}; see Reply
func (s *Server) Routes(mux *http.ServeMux) {
	const messages = "/2010-04-01/Accounts/{account}/Messages"
	mux.HandleFunc("POST "+messages+".json", s.api(s.create))
	mux.HandleFunc("GET "+messages+".json", s.api(s.list))
	mux.HandleFunc("GET "+messages+"/{file}", s.api(s.fetch))
	mux.HandleFunc("/2010-04-01/", s.api(func(r *http.Request) (int, any, *trouble) { return 0, nil, notFound(r.URL.Path) }))

	mux.HandleFunc("GET /sandbox/phone/messages", s.shown)
	mux.HandleFunc("GET /sandbox/phone/events", s.bell.Serve)
	mux.HandleFunc("GET /sandbox/phone/ledger", func(w http.ResponseWriter, _ *http.Request) { page.JSON(w, http.StatusOK, s.Ledger()) })
	faultsPage := func(w http.ResponseWriter, r *http.Request) { faults.Serve(w, r, s.Faults, s.SetFaults) }
	mux.HandleFunc("GET /sandbox/phone/faults", faultsPage)
	mux.HandleFunc("POST /sandbox/phone/faults", faultsPage)
	mux.HandleFunc("POST /sandbox/phone/reply", s.reply)
}

// isAddress reports whether text is where callbacks can go.
func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
