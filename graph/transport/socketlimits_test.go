package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ordergraph/graph/transport"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// badges are Sessions that take a token for a name: "expired" does not hold,
// "brief" holds for a minute, "panic" is a defect.
type badges struct {
	mu     sync.Mutex
	shown  []string
	ends   map[string]func()
	broken atomic.Bool
	follow atomic.Int32 // sessions that are followed
}

func (b *badges) Open(_ context.Context, r *http.Request, token string) (identity.Session, error) {
	if cookie, err := r.Cookie("session"); token == "" && err == nil {
		token = cookie.Value
	}
	b.mu.Lock()
	b.shown = append(b.shown, token)
	b.mu.Unlock()
	session := identity.Session{ID: token, Caller: identity.Caller{CustomerID: token}}
	switch {
	case b.broken.Load():
		return session, errors.New("the accounts are away")
	case token == "panic":
		panic("a defect")
	case token == "expired", strings.HasPrefix(token, "Basic "):
		return session, fault.New(fault.Unauthenticated, "trial.token", "This token does not hold.")
	case token == "brief":
		session.Expires = time.Now().Add(time.Minute)
	}
	return session, nil
}

func (b *badges) Follow(session identity.Session, end func()) (stop func()) {
	b.follow.Add(1)
	stopTimer := func() bool { return true }
	if !session.Expires.IsZero() {
		stopTimer = time.AfterFunc(time.Until(session.Expires), end).Stop
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ends == nil {
		b.ends = map[string]func(){}
	}
	b.ends[session.ID] = end
	return func() {
		b.follow.Add(-1)
		stopTimer()
	}
}

func TestTokensOfASocket(t *testing.T) {
	who := make(chan string, 1)
	b := &badges{}
	h := openSockets(t, func(o *transport.Options) {
		o.Sessions = b
		o.Begin = func(ctx context.Context, _ *http.Request, session identity.Session) context.Context {
			who <- session.Caller.CustomerID
			return ctx
		}
	})
	for name, c := range map[string]struct {
		header  []string
		payload string
		want    string
	}{
		"a guest":                     {payload: `null`, want: ""},
		"lower case":                  {payload: `{"authorization":"Bearer ada"}`, want: "ada"},
		"upper case":                  {payload: `{"Authorization":"bearer ada"}`, want: "ada"},
		"among headers":               {payload: `{"headers":{"Authorization":"Bearer ada"}}`, want: "ada"},
		"without Bearer":              {payload: `{"authorization":"ada"}`, want: "ada"},
		"null":                        {payload: `{"authorization":null}`, want: ""},
		"the request's header":        {header: []string{"Authorization", "Bearer bob"}, payload: `{}`, want: "bob"},
		"the payload before a header": {header: []string{"Authorization", "Bearer bob"}, payload: `{"authorization":"Bearer ada"}`, want: "ada"},
		"the request's cookie":        {header: []string{"Cookie", "session=eve"}, payload: `{}`, want: "eve"},
	} {
		t.Run(name, func(t *testing.T) {
			p := h.dial(t, c.header...)
			p.send(`{"type":"connection_init","payload":` + c.payload + `}`)
			p.want(`{"type":"connection_ack"}`)
			p.subscribe("1", `{ hello }`)
			p.want(`{"id":"1","type":"next","payload":{"data":{"hello":"hello "}}}`)
			if got := <-who; got != c.want {
				t.Errorf("took it for %q, not %q", got, c.want)
			}
		})
	}
	eventually(t, "nobody is followed any more", func() bool { return b.follow.Load() == 0 })
}

func TestTokensThatDoNotHold(t *testing.T) {
	b := &badges{}
	h := openSockets(t, func(o *transport.Options) { o.Sessions = b })
	for _, token := range []string{"Bearer expired", "expired", "Basic YWRhOjE="} {
		p := h.dial(t)
		p.send(`{"type":"connection_init","payload":{"authorization":"` + token + `"}}`)
		p.wantClosed(4403, "Forbidden")
	}
	p := h.dial(t)
	p.send(`{"type":"connection_init","payload":{"authorization":"panic"}}`)
	p.wantClosed(4500, "Internal server error")
	b.broken.Store(true)
	p = h.dial(t)
	p.send(`{"type":"connection_init"}`)
	p.wantClosed(4500, "Internal server error")
	if !strings.Contains(h.log.String(), "the accounts are away") {
		t.Errorf("the log does not say why: %s", h.log)
	}
}

func TestASessionIsEndedWhileConnected(t *testing.T) {
	b := &badges{}
	h := openSockets(t, func(o *transport.Options) { o.Sessions = b })
	ended, other := h.dial(t), h.dial(t)
	for p, token := range map[*peer]string{ended: "ada", other: "bob"} {
		p.send(`{"type":"connection_init","payload":{"authorization":"` + token + `"}}`)
		p.want(`{"type":"connection_ack"}`)
	}
	ended.subscribe("1", `subscription { watch(topic: "a") }`)
	other.subscribe("1", `subscription { watch(topic: "a") }`)
	h.watchers(t, "a", 2)
	b.mu.Lock()
	end := b.ends["ada"]
	b.mu.Unlock()
	end()
	ended.wantClosed(4401, "Unauthorized")
	h.watchers(t, "a", 1)
	h.publish("a", "1")
	other.want(`{"id":"1","type":"next","payload":{"data":{"watch":"1"}}}`)
	eventually(t, "only one is followed", func() bool { return b.follow.Load() == 1 })
}

func TestOriginsOfSockets(t *testing.T) {
	shop := func(o *transport.Options) { o.Origins = []string{"https://shop.example"} }
	any := func(o *transport.Options) { o.Origins = []string{"*"} }
	for name, c := range map[string]struct {
		set    func(*transport.Options)
		origin string
		status int
	}{
		"not a page":           {nil, "", 101},
		"our own page":         {nil, "own", 101},
		"a foreign page":       {nil, "https://evil.example", 403},
		"a page of no origin":  {nil, "null", 403},
		"a listed page":        {shop, "https://shop.example", 101},
		"a listed page, loud":  {shop, "HTTPS://Shop.Example", 101},
		"another scheme":       {shop, "http://shop.example", 403},
		"another port":         {shop, "https://shop.example:8443", 403},
		"a longer name":        {shop, "https://shop.example.evil.example", 403},
		"any page":             {any, "https://evil.example", 101},
		"any page, our own":    {any, "own", 101},
		"listed, but our own":  {shop, "own", 101},
		"nonsense":             {shop, "://", 403},
		"listed and not asked": {shop, "", 101},
	} {
		t.Run(name, func(t *testing.T) {
			h := openSockets(t, c.set)
			header := http.Header{}
			switch c.origin {
			case "":
			case "own":
				header.Set("Origin", "http"+strings.TrimPrefix(h.URL, "ws"))
			default:
				header.Set("Origin", c.origin)
			}
			ws, response, err := websocket.Dial(t.Context(), h.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
			if err == nil {
				defer func() { _ = ws.CloseNow() }()
			}
			if response == nil || response.StatusCode != c.status {
				t.Fatalf("%v, %v", response, err)
			}
			if c.status != 101 {
				wantRefused(t, response, "FORBIDDEN")
			}
		})
	}
}

// wantRefused makes sure that a response is an error in GraphQL's own form.
func wantRefused(t *testing.T, response *http.Response, code string) {
	t.Helper()
	var answer struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Errors) != 1 || answer.Errors[0].Extensions.Code != code || answer.Errors[0].Message == "" {
		t.Errorf("%v %+v", err, answer)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	h := openSockets(t, func(o *transport.Options) {
		o.Limits.Connections, o.Limits.PerAddress = 3, 2
		o.Address = func(r *http.Request) string { return r.Header.Get("From") }
	})
	try := func(from string) *http.Response {
		t.Helper()
		ws, response, err := websocket.Dial(t.Context(), h.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"From": {from}}})
		if err == nil {
			t.Cleanup(func() { _ = ws.CloseNow() })
		}
		return response
	}
	// One network of IPv6 is one client.
	first := h.dial(t, "From", "2001:db8::1")
	h.dial(t, "From", "2001:db8::2")
	full := try("2001:db8::3")
	if full.StatusCode != 429 || full.Header.Get("Retry-After") == "" {
		t.Errorf("%v", full)
	}
	wantRefused(t, full, "THROTTLED")
	h.dial(t, "From", "198.51.100.1")
	full = try("198.51.100.2")
	if full.StatusCode != 503 || full.Header.Get("Retry-After") == "" {
		t.Errorf("%v", full)
	}
	wantRefused(t, full, "UNAVAILABLE")
	_ = first.ws.CloseNow()
	eventually(t, "there is room again", func() bool { return h.Connections() == 2 })
	if again := try("2001:db8::1"); again.StatusCode != 101 {
		t.Errorf("%v", again)
	}
}

// An upgrade that fails gives its place back.
func TestFailedUpgradesTakeNoPlace(t *testing.T) {
	h := openSockets(t, nil)
	for _, header := range []http.Header{
		{"Upgrade": {"websocket"}},
		{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"8"}},
		{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"short"}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(h.URL, "ws"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode < 400 || response.StatusCode >= 500 {
			t.Errorf("%d", response.StatusCode)
		}
	}
	if n := h.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestStreamsAreLimited(t *testing.T) {
	h := openSockets(t, func(o *transport.Options) { o.Limits.Streams = 3 })
	p := h.greet(t)
	for _, id := range []string{"1", "2", "3"} {
		p.subscribe(id, `subscription { watch(topic: "a") }`)
	}
	h.watchers(t, "a", 3)
	for range 3 {
		p.subscribe("4", `{ hello }`)
		p.wantError("4", "3 operations")
	}
	p.send(`{"id":"2","type":"complete"}`)
	p.subscribe("4", `{ hello }`)
	p.want(`{"id":"4","type":"next","payload":{"data":{"hello":"hello "}}}`)
	p.want(`{"id":"4","type":"complete"}`)

	// What nobody listens to any more counts as long as it runs.
	p = h.greet(t)
	for range 3 {
		p.subscribe("m", `mutation { pay }`)
		wantBegan(t, h, "pay")
		p.send(`{"id":"m","type":"complete"}`)
	}
	p.subscribe("m", `mutation { pay }`)
	p.wantError("m", "3 operations")
	close(h.gate)
	eventually(t, "all are paid", func() bool { return h.paid.Load() == 3 })
}

// slowSessions take as long as the test likes.
type slowSessions struct {
	transport.Guests
	gate chan struct{}
}

func (s slowSessions) Open(context.Context, *http.Request, string) (identity.Session, error) {
	<-s.gate
	return identity.Session{}, nil
}

// As long as we find out who a client is, it has not been acknowledged; but it
// is heard.
func TestWhileAClientIsRecognised(t *testing.T) {
	sessions := slowSessions{gate: make(chan struct{})}
	h := openSockets(t, func(o *transport.Options) { o.Sessions = sessions })
	again, early, patient := h.dial(t), h.dial(t), h.dial(t)
	for _, p := range []*peer{again, early, patient} {
		p.send(`{"type":"connection_init"}`)
		p.wantQuiet()
	}
	again.send(`{"type":"connection_init"}`)
	early.subscribe("1", `{ hello }`)
	for p, code := range map[*peer]websocket.StatusCode{again: 4429, early: 4401} {
		p.wantClosed(code, "")
	}
	patient.wantQuiet()
	close(sessions.gate)
	patient.want(`{"type":"connection_ack"}`)
}

// However many operations are sent at once, only so many are executed at a
// time; the others wait for their turn, while events go on.
func TestOperationsTakeTurns(t *testing.T) {
	most := transport.Beginnings()
	h := openSockets(t, func(o *transport.Options) { o.Limits.Streams = most })
	b := h.heartbeat(t)
	p, q := h.greet(t), h.greet(t)
	for i := range most {
		p.subscribe(strconv.Itoa(i), `mutation { pay }`)
	}
	for range most {
		wantBegan(t, h, "pay")
	}
	for i := range 50 {
		q.subscribe(strconv.Itoa(i), `mutation { pay }`)
	}
	q.wantQuiet()
	b.wantAlive()
	select {
	case <-h.began:
		t.Error("one more than may be was begun")
	default:
	}
	close(h.gate)
	eventually(t, "all are paid", func() bool { return h.paid.Load() == int32(most+50) })
}
