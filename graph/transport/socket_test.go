package transport_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/graph/transport"
)

// What the protocol says about single messages: the code that closes the
// socket, or what is answered.
func TestSocketMessages(t *testing.T) {
	h := openSockets(t, nil)
	const init, ack = `{"type":"connection_init"}`, `{"type":"connection_ack"}`
	for name, c := range map[string]struct {
		before bool // connection_init
		send   []string
		want   []string
		code   websocket.StatusCode // 0: the socket stays open
		reason string
	}{
		"init":                          {send: []string{init}, want: []string{ack}},
		"init with a payload":           {send: []string{`{"type":"connection_init","payload":{"shop":1}}`}, want: []string{ack}},
		"init with null":                {send: []string{`{"type":"connection_init","payload":null}`}, want: []string{ack}},
		"init with an unknown member":   {send: []string{`{"type":"connection_init","more":true}`}, want: []string{ack}},
		"init twice":                    {before: true, send: []string{init}, code: 4429, reason: "Too many initialisation requests"},
		"init with a text":              {send: []string{`{"type":"connection_init","payload":"x"}`}, code: 4400, reason: "payload"},
		"init with a list":              {send: []string{`{"type":"connection_init","payload":[]}`}, code: 4400, reason: "payload"},
		"init with a token of no text":  {send: []string{`{"type":"connection_init","payload":{"authorization":7}}`}, code: 4400, reason: "authorization"},
		"ping before init":              {send: []string{`{"type":"ping"}`}, want: []string{`{"type":"pong"}`}},
		"ping after init":               {before: true, send: []string{`{"type":"ping"}`}, want: []string{`{"type":"pong"}`}},
		"ping with a payload":           {send: []string{`{"type":"ping","payload":{"at":[1,2]}}`}, want: []string{`{"type":"pong","payload":{"at":[1,2]}}`}},
		"ping with null":                {send: []string{`{"type":"ping","payload":null}`}, want: []string{`{"type":"pong","payload":null}`}},
		"ping with a number":            {send: []string{`{"type":"ping","payload":1}`}, code: 4400, reason: "payload"},
		"pong before init":              {send: []string{`{"type":"pong"}`, init}, want: []string{ack}},
		"pong with a payload":           {before: true, send: []string{`{"type":"pong","payload":{"a":1}}`}},
		"pong with a text":              {send: []string{`{"type":"pong","payload":"a"}`}, code: 4400, reason: "payload"},
		"complete of nothing":           {before: true, send: []string{`{"type":"complete","id":"none"}`}},
		"complete without id":           {before: true, send: []string{`{"type":"complete"}`}, code: 4400, reason: "id"},
		"subscribe before init":         {send: []string{`{"type":"subscribe","id":"1","payload":{"query":"{ hello }"}}`}, code: 4401, reason: "Unauthorized"},
		"subscribe without id":          {before: true, send: []string{`{"type":"subscribe","payload":{"query":"{ hello }"}}`}, code: 4400, reason: "id"},
		"subscribe with an empty id":    {before: true, send: []string{`{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}`}, code: 4400, reason: "id"},
		"subscribe with a number as id": {before: true, send: []string{`{"type":"subscribe","id":1,"payload":{"query":"{ hello }"}}`}, code: 4400, reason: "id"},
		"subscribe without payload":     {before: true, send: []string{`{"type":"subscribe","id":"1"}`}, code: 4400, reason: "payload"},
		"subscribe with null":           {before: true, send: []string{`{"type":"subscribe","id":"1","payload":null}`}, code: 4400, reason: "payload"},
		"subscribe with a list":         {before: true, send: []string{`{"type":"subscribe","id":"1","payload":[]}`}, code: 4400, reason: "payload"},
		"subscribe without query":       {before: true, send: []string{`{"type":"subscribe","id":"1","payload":{}}`}, code: 4400, reason: "query"},
		"a query that is no text":       {before: true, send: []string{`{"type":"subscribe","id":"1","payload":{"query":7}}`}, code: 4400, reason: "query"},
		"variables that are a list":     {before: true, send: []string{`{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":[]}}`}, code: 4400, reason: "variables"},
		"an operation name of no text":  {before: true, send: []string{`{"type":"subscribe","id":"1","payload":{"query":"{ hello }","operationName":7}}`}, code: 4400, reason: "operationName"},
		"extensions that are a text":    {before: true, send: []string{`{"type":"subscribe","id":"1","payload":{"query":"{ hello }","extensions":"x"}}`}, code: 4400, reason: "extensions"},
		"null where it may stand":       {before: true, send: []string{`{"type":"subscribe","id":"1","payload":{"query":"{ hello }","variables":null,"operationName":null,"extensions":null}}`}, want: []string{`{"type":"next","id":"1","payload":{"data":{"hello":"hello "}}}`, `{"type":"complete","id":"1"}`}},
		"no type":                       {send: []string{`{}`}, code: 4400, reason: "type"},
		"a type of null":                {send: []string{`{"type":null}`}, code: 4400, reason: "type"},
		"a number as type":              {send: []string{`{"type":1}`}, code: 4400, reason: "type"},
		"an unknown type":               {send: []string{`{"type":"start"}`}, code: 4400, reason: `"start"`},
		"an unknown type, and long":     {send: []string{`{"type":"` + strings.Repeat("ä", 200) + `"}`}, code: 4400, reason: "no message of type"},
		"a message of the server: next": {before: true, send: []string{`{"type":"next","id":"1","payload":{}}`}, code: 4400, reason: "next"},
		"a message of the server: ack":  {send: []string{ack}, code: 4400, reason: "connection_ack"},
		"not JSON":                      {send: []string{`hello`}, code: 4400, reason: "JSON"},
		"half of JSON":                  {send: []string{`{"type":"ping"`}, code: 4400, reason: "JSON"},
		"two values":                    {send: []string{`{"type":"ping"}{"type":"ping"}`}, code: 4400, reason: "JSON"},
		"a list":                        {send: []string{`[{"type":"ping"}]`}, code: 4400, reason: "object"},
		"null":                          {send: []string{`null`}, code: 4400, reason: "type"},
		"nothing":                       {send: []string{``}, code: 4400, reason: "JSON"},
		"deep":                          {send: []string{strings.Repeat("[", 20_000)}, code: 4400, reason: "JSON"},
		"not UTF-8":                     {send: []string{"{\"type\":\"ping\",\"payload\":{\"a\":\"\xff\"}}"}, code: 1007, reason: "UTF-8"},
		"as long as it may be":          {send: []string{`{"type":"ping"}` + strings.Repeat(" ", 64<<10-15)}, want: []string{`{"type":"pong"}`}},
		"too long":                      {send: []string{`{"type":"ping"}` + strings.Repeat(" ", 64<<10-14)}, code: 1009, reason: "65536 bytes"},
		"1 MB":                          {before: true, send: []string{`{"id":"1","type":"subscribe","payload":{"query":"{` + strings.Repeat(" hello", 1<<20/6) + `}"}}`}, code: 1009, reason: "65536 bytes"},
		"twice the same id":             {before: true, send: []string{`{"id":"s","type":"subscribe","payload":{"query":"subscription { watch(topic: \"none\") }"}}`, `{"id":"s","type":"subscribe","payload":{"query":"{ hello }"}}`}, code: 4409, reason: "Subscriber for s already exists"},
	} {
		t.Run(name, func(t *testing.T) {
			p := h.dial(t)
			if c.before {
				p.send(init)
				p.want(ack)
			}
			for _, m := range c.send {
				p.send(m)
			}
			for _, m := range c.want {
				p.want(m)
			}
			if c.code != 0 {
				p.wantClosed(c.code, c.reason)
			} else {
				p.wantQuiet()
			}
		})
	}
}

func TestBinaryMessagesAreMalformed(t *testing.T) {
	p := openSockets(t, nil).dial(t)
	if err := p.ws.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"connection_init"}`)); err != nil {
		t.Fatal(err)
	}
	p.wantClosed(4400, "binary")
}

func TestOtherSubprotocolsAreNotAcceptable(t *testing.T) {
	h := openSockets(t, nil)
	for _, protocols := range [][]string{nil, {"graphql-ws"}, {"graphql-ws", "soap"}} {
		ws, _, err := websocket.Dial(t.Context(), h.URL, &websocket.DialOptions{Subprotocols: protocols})
		if err != nil {
			t.Fatal(err)
		}
		(&peer{t, ws}).wantClosed(4406, "Subprotocol not acceptable")
	}
	ws, _, err := websocket.Dial(t.Context(), h.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-ws", "graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	if ws.Subprotocol() != "graphql-transport-ws" {
		t.Errorf("chose %q", ws.Subprotocol())
	}
}

// Every kind of operation, and every way in which it can end; always with the
// same id, which is free again each time.
func TestOperationsOfASocket(t *testing.T) {
	h := openSockets(t, nil)
	p := h.greet(t)
	close(h.gate)
	for query, want := range map[string][]string{
		`{ hello(name: "you") }`:                     {`{"data":{"hello":"hello you"}}`, ""},
		`{ fail }`:                                   {`{"data":{"fail":null},"errors":[{"message":"it failed"}]}`, ""},
		`{ nothing }`:                                {`{"data":null,"errors":[{"message":"it failed"}]}`, ""},
		`{ panics }`:                                 {`{"data":{"panics":null},"errors":[{"message":"Something went wrong."}]}`, ""},
		`mutation { pay }`:                           {`{"data":{"pay":"paid"}}`, ""},
		`subscription { count(to: 0) }`:              {""},
		`subscription { count(to: 2) }`:              {`{"data":{"count":"1"}}`, `{"data":{"count":"2"}}`, ""},
		`subscription { n: count(to: 1) }`:           {`{"data":{"n":"1"}}`, ""},
		`subscription { slowCount(to: 3) }`:          {`{"data":{"slowCount":"1"}}`, `{"data":{"slowCount":"2"}}`, `{"data":{"slowCount":"3"}}`, ""},
		`subscription { wait }`:                      {""},
		`subscription { refuse }`:                    {"error: no such thing"},
		`subscription { panics }`:                    {"error: Something went wrong"},
		`subscription { unknown }`:                   {"error: Cannot query field"},
		`subscription { count }`:                     {"error: count"},
		`{ hello `:                                   {"error: Expected Name"},
		`query A { hello } query B { hello }`:        {"error: not found"},
		`query ($v: Int!) { hello(name: "x") fail }`: {"error: "},
	} {
		p.subscribe("x", query)
		for _, m := range want {
			switch text, failed := strings.CutPrefix(m, "error: "); {
			case failed:
				p.wantError("x", text)
			case m == "":
				p.want(`{"id":"x","type":"complete"}`)
			default:
				p.want(`{"id":"x","type":"next","payload":` + m + `}`)
			}
		}
		p.wantQuiet()
	}
	if h.paid.Load() != 1 {
		t.Errorf("paid %d times", h.paid.Load())
	}
}

func TestVariablesAndOperationNames(t *testing.T) {
	p := openSockets(t, nil).greet(t)
	p.send(`{"id":"ä\"\\","type":"subscribe","payload":{"query":"query A($n: String) { hello(name: $n) } query B { fail }","operationName":"A","variables":{"n":"<ö>"}}}`)
	p.want(`{"id":"ä\"\\","type":"next","payload":{"data":{"hello":"hello <ö>"}}}`)
	p.want(`{"id":"ä\"\\","type":"complete"}`)
}

func TestManySubscriptionsOnOneSocket(t *testing.T) {
	h := openSockets(t, nil)
	p, other := h.greet(t), h.greet(t)
	p.subscribe("a", `subscription { watch(topic: "a") }`)
	p.subscribe("b", `subscription { watch(topic: "b") }`)
	other.subscribe("a", `subscription { watch(topic: "b") }`)
	h.watchers(t, "a", 1)
	h.watchers(t, "b", 2)
	h.publish("a", "1")
	p.want(`{"id":"a","type":"next","payload":{"data":{"watch":"1"}}}`)
	h.publish("b", "2")
	p.want(`{"id":"b","type":"next","payload":{"data":{"watch":"2"}}}`)
	other.want(`{"id":"a","type":"next","payload":{"data":{"watch":"2"}}}`)
	p.subscribe("c", `{ hello(name: "c") }`)
	p.want(`{"id":"c","type":"next","payload":{"data":{"hello":"hello c"}}}`)
	p.want(`{"id":"c","type":"complete"}`)
	h.shut("a", nil)
	p.want(`{"id":"a","type":"complete"}`)
	h.shut("b", &gqlerror.Error{Message: "The order is gone."})
	p.wantError("b", "The order is gone.")
	other.wantError("a", "The order is gone.")
	p.wantQuiet()
	other.wantQuiet()
	h.watchers(t, "b", 0)
}

// Whatever waits is sent in its order, also what came while something was sent.
func TestEventsKeepTheirOrder(t *testing.T) {
	h := openSockets(t, nil)
	h.events = 10_000
	p := h.greet(t)
	p.subscribe("1", `subscription { watch(topic: "a") }`)
	p.subscribe("2", `subscription { watch(topic: "a") }`)
	h.watchers(t, "a", 2)
	const many = 2_000
	go func() {
		for i := range many {
			h.publish("a", strings.Repeat("x", i%50)+":"+string(rune('0'+i%10)))
		}
	}()
	var seen [2]int
	for range 2 * many {
		got, err := p.receive()
		if err != nil {
			t.Fatal(err)
		}
		of := &seen[0]
		if strings.Contains(got, `"id":"2"`) {
			of = &seen[1]
		}
		want := strings.Repeat("x", *of%50) + ":" + string(rune('0'+*of%10))
		if !strings.Contains(got, `"`+want+`"`) {
			t.Fatalf("got %s, want %s", got, want)
		}
		*of++
	}
}

// After the client's `complete` nothing comes any more, and what was done for
// it ends.
func TestCompleteOfTheClient(t *testing.T) {
	h := openSockets(t, nil)
	p := h.greet(t)
	done := func(id string) { p.send(`{"id":"` + id + `","type":"complete"}`) }
	for range 20 {
		p.subscribe("s", `subscription { watch(topic: "a") }`)
		h.watchers(t, "a", 1)
		h.publish("a", "1")
		p.want(`{"id":"s","type":"next","payload":{"data":{"watch":"1"}}}`)
		done("s")
		p.wantQuiet()
		h.publish("a", "2")
		p.wantQuiet()
		h.watchers(t, "a", 0)
	}

	p.subscribe("q", `{ wait }`)
	wantBegan(t, h, "wait")
	done("q")
	wantBegan(t, h, "cancelled")

	p.subscribe("s", `subscription { wait }`)
	wantBegan(t, h, "wait")
	done("s")
	wantBegan(t, h, "cancelled")

	p.subscribe("u", `subscription { slowCount(to: 1000000) }`)
	p.want(`{"id":"u","type":"next","payload":{"data":{"slowCount":"1"}}}`)
	done("u")
	wantBegan(t, h, "stopped")
	p.send(`{"type":"ping"}`)
	for { // what was under way when the client completed
		got, err := p.receive()
		if err != nil {
			t.Fatal(err)
		}
		if sameJSON(got, `{"type":"pong"}`) {
			break
		}
	}
	p.wantQuiet()

	// A mutation goes on, so that nothing is left half done; its answer is dropped.
	p.subscribe("m", `mutation { pay }`)
	wantBegan(t, h, "pay")
	done("m")
	p.subscribe("m", `{ hello }`)
	p.want(`{"id":"m","type":"next","payload":{"data":{"hello":"hello "}}}`)
	p.want(`{"id":"m","type":"complete"}`)
	close(h.gate)
	eventually(t, "it is paid", func() bool { return h.paid.Load() == 1 })
	p.wantQuiet()
}

func wantBegan(t *testing.T, h *socketHouse, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case got := <-h.began:
		if got != want {
			t.Fatalf("%s began, not %s", got, want)
		}
	case <-ctx.Done():
		t.Fatalf("%s did not begin", want)
	}
}

// A mutation whose client vanishes goes on as well.
func TestMutationsOutliveTheirSocket(t *testing.T) {
	h := openSockets(t, nil)
	p := h.greet(t)
	p.subscribe("m", `mutation { pay }`)
	wantBegan(t, h, "pay")
	_ = p.ws.CloseNow()
	close(h.gate)
	eventually(t, "it is paid", func() bool { return h.paid.Load() == 1 })
	eventually(t, "the socket ends", func() bool { return h.Connections() == 0 })
}

// A slow operation holds up neither pings nor other operations.
func TestOperationsDoNotWaitForOneAnother(t *testing.T) {
	h := openSockets(t, nil)
	p := h.greet(t)
	p.subscribe("q", `{ wait }`)
	p.subscribe("m", `mutation { pay }`)
	p.subscribe("s", `subscription { wait }`)
	for range 3 {
		<-h.began
	}
	p.wantQuiet()
	p.subscribe("1", `{ hello }`)
	p.want(`{"id":"1","type":"next","payload":{"data":{"hello":"hello "}}}`)
	p.want(`{"id":"1","type":"complete"}`)
	p.send(`{"id":"q","type":"subscribe","payload":{"query":"{ hello }"}}`)
	p.wantClosed(4409, "Subscriber for q already exists")
	close(h.gate)
}

func TestPingsOfWebSocketItself(t *testing.T) {
	h := openSockets(t, nil)
	p := h.dial(t)
	read := make(chan error, 1)
	go func() { _, err := p.receive(); read <- err }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 3 {
		if err := p.ws.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	p.send(`{"type":"ping"}`)
	if err := <-read; err != nil {
		t.Error(err)
	}
	if err := p.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func TestALongIDInAReasonIsCut(t *testing.T) {
	p := openSockets(t, nil).greet(t)
	id := strings.Repeat("ä", 100)
	p.subscribe(id, `subscription { watch(topic: "a") }`)
	p.subscribe(id, `{ hello }`)
	_, err := p.receive()
	closed, _ := errors.AsType[websocket.CloseError](err)
	if closed.Code != 4409 || !strings.HasPrefix(closed.Reason, "Subscriber for ää") || len(closed.Reason) > 123 || strings.ContainsRune(closed.Reason, '\uFFFD') {
		t.Errorf("%v", err)
	}
}

// Each event is executed in a context of its own.
func TestEventsAreRefreshed(t *testing.T) {
	var refreshed atomic.Int32
	h := openSockets(t, func(o *transport.Options) {
		o.Refresh = func(ctx context.Context) context.Context { refreshed.Add(1); return ctx }
	})
	p := h.greet(t)
	p.subscribe("1", `subscription { count(to: 3) }`)
	for range 3 {
		if _, err := p.receive(); err != nil {
			t.Fatal(err)
		}
	}
	p.want(`{"id":"1","type":"complete"}`)
	if n := refreshed.Load(); n < 3 {
		t.Errorf("refreshed %d times", n)
	}
}
