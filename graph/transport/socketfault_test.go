package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ordergraph/graph/transport"
)

// heartbeat is a client that keeps its subscription and hears every event,
// whatever happens to others meanwhile.
type heartbeat struct {
	*peer
	house *socketHouse
	beats int
}

func (h *socketHouse) heartbeat(t testing.TB) *heartbeat {
	t.Helper()
	b := &heartbeat{peer: h.greet(t), house: h}
	b.subscribe("beat", `subscription { watch(topic: "beat") }`)
	h.watchers(t, "beat", 1)
	return b
}

func (b *heartbeat) wantAlive() {
	b.t.Helper()
	b.beats++
	b.house.publish("beat", fmt.Sprint(b.beats))
	b.want(fmt.Sprintf(`{"id":"beat","type":"next","payload":{"data":{"watch":"%d"}}}`, b.beats))
}

// raw is a connection whose client has said hello and can send any bytes.
func (h *socketHouse) raw(t testing.TB, greet bool) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: patience}).Dial("tcp", strings.TrimPrefix(h.URL, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	hello, until := upgrade, "\r\n\r\n"
	if greet {
		hello, until = upgrade+frame(0x81, `{"type":"connection_init"}`), `{"type":"connection_ack"}`
	}
	if _, err := io.WriteString(conn, hello); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(got), until); {
		if _, err := conn.Read(b); err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got = append(got, b...)
	}
	return conn
}

// subscribed is a masked frame that begins a subscription.
func subscribed(topic string) string {
	return frame(0x81, `{"id":"1","type":"subscribe","payload":{"query":"subscription { watch(topic: \"`+topic+`\") }"}}`)
}

func TestASocketCutInTheMiddleOfAMessage(t *testing.T) {
	h := openSockets(t, nil)
	b := h.heartbeat(t)
	whole := subscribed("cut")
	for cut := 1; cut < len(whole); cut += 7 {
		conn := h.raw(t, true)
		_, _ = io.WriteString(conn, subscribed("other"))
		_, _ = io.WriteString(conn, whole[:cut])
		if cut%2 == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset rather than an end
		}
		_ = conn.Close()
		b.wantAlive()
	}
	eventually(t, "only the healthy one is left", func() bool { return h.Connections() == 1 })
	h.watchers(t, "other", 0)
	h.watchers(t, "cut", 0)
}

// malformed is a run of frames of which some are what they should be.
func malformed(random *rand.Rand) []byte {
	messages := []string{
		`{"type":"connection_init"}`, `{"type":"ping"}`, `{"type":"pong"}`, `{"id":"1","type":"complete"}`,
		`{"id":"1","type":"subscribe","payload":{"query":"{ hello }"}}`,
		`{"id":"2","type":"subscribe","payload":{"query":"subscription { count(to: 3) }"}}`,
		`{"id":"3","type":"subscribe","payload":{"query":"subscription { panics }"}}`, ``,
	}
	var out []byte
	for range 1 + random.IntN(5) {
		f := []byte(frame(0x81, messages[random.IntN(len(messages))]))
		switch random.IntN(8) {
		case 0: // another kind of frame, or bits that must not be set
			f[0] = byte(random.Uint32())
		case 1: // another length, or no mask
			f[1] = byte(random.Uint32())
		case 2: // another mask
			f[2+random.IntN(4)] = byte(random.Uint32())
		case 3: // other bytes
			for range 1 + random.IntN(10) {
				f[random.IntN(len(f))] ^= byte(1 << random.IntN(8))
			}
		case 4: // torn
			f = f[:random.IntN(len(f))]
		case 5: // noise
			f = make([]byte, random.IntN(64))
			for i := range f {
				f[i] = byte(random.Uint32())
			}
		}
		out = append(out, f...)
	}
	return out
}

func TestMalformedFrames(t *testing.T) {
	h := openSockets(t, nil)
	b := h.heartbeat(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	const clients, each = 10, 500 // of three frames on average
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(c)))
			for range each {
				feed(t, h, random.IntN(2) == 0, malformed(random))
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for over := false; !over; {
		b.wantAlive()
		select {
		case <-done:
			over = true
		default:
		}
	}
	eventually(t, "only the healthy one is left", func() bool { return h.Connections() == 1 })
	b.wantAlive()
	if strings.Contains(h.log.String(), "panic in the transport") {
		t.Errorf("%.2000s", h.log)
	}
}

// feed sends bytes on a connection of their own and hangs up.
func feed(t testing.TB, h *socketHouse, greet bool, bytes []byte) {
	conn := h.raw(t, greet)
	_, _ = conn.Write(bytes)
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// FuzzSocketFrames is best run with -fuzzminimizetime 1x: what a network
// covers differs from run to run, and cannot be minimised.
func FuzzSocketFrames(f *testing.F) {
	h := openSockets(f, nil)
	b := h.heartbeat(f)
	f.Add([]byte(frame(0x81, `{"type":"ping"}`)))
	f.Add([]byte(subscribed("fuzz")))
	f.Add([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		b.t = t
		feed(t, h, true, bytes)
		b.wantAlive()
	})
}

func TestAQueryOf1MB(t *testing.T) {
	h := openSockets(t, nil)
	b := h.heartbeat(t)
	for range 5 {
		p := h.greet(t)
		p.subscribe("1", `subscription { watch(topic: "big") }`)
		h.watchers(t, "big", 1)
		p.subscribe("2", `{`+strings.Repeat(" hello", 1<<20/6)+`}`)
		p.wantClosed(websocket.StatusMessageTooBig, "65536 bytes")
		h.watchers(t, "big", 0)
		b.wantAlive()
	}
}

func TestPanicsStayInTheirOperation(t *testing.T) {
	h := openSockets(t, nil)
	b := h.heartbeat(t)
	p := h.greet(t)
	p.subscribe("other", `subscription { watch(topic: "other") }`)

	p.subscribe("1", `subscription { panics }`) // in the resolver
	p.wantError("1", "Something went wrong")
	p.subscribe("1", `subscription { watch(topic: "event") }`)
	h.watchers(t, "event", 1)
	h.publish("event", "panic") // while an event is executed
	p.wantError("1", "Something went wrong")
	p.subscribe("1", `subscription { watch(topic: "producer") }`)
	h.watchers(t, "producer", 1)
	h.each("producer", func(s *source) { s.panics.Store(true) }) // where it tells whether there is something
	h.publish("producer", "1")
	p.wantError("1", "Something went wrong")
	h.watchers(t, "event", 0)
	h.watchers(t, "producer", 0)

	h.publish("other", "1")
	p.want(`{"id":"other","type":"next","payload":{"data":{"watch":"1"}}}`)
	b.wantAlive()
	if n := strings.Count(h.log.String(), "panic in a resolver"); n != 3 {
		t.Errorf("%d panics in the log: %s", n, h.log)
	}
	ids := map[string]bool{}
	for line := range strings.Lines(h.log.String()) {
		_, id, ok := strings.Cut(line, "request=")
		if !ok {
			_, id, ok = strings.Cut(line, `"request":`)
		}
		if ok {
			ids[id] = true
		}
	}
	if len(ids) != 3 {
		t.Errorf("not an id for each: %s", h.log)
	}
}

// A client that stops reading, over a real connection: the kernel's buffers
// fill up, the server waits its time, and is then rid of it.
func TestAStuckReaderIsDropped(t *testing.T) {
	h := openSockets(t, func(o *transport.Options) { o.Limits.SendWithin = 2 * time.Second })
	h.events = 1
	b := h.heartbeat(t)
	stuck := h.raw(t, true).(*net.TCPConn)
	defer func() { _ = stuck.Close() }()
	_ = stuck.SetReadBuffer(4 << 10)
	if _, err := io.WriteString(stuck, subscribed("stuck")); err != nil {
		t.Fatal(err)
	}
	h.watchers(t, "stuck", 1)
	large := strings.Repeat("x", 1<<20)
	for give := time.Now().Add(patience); h.Connections() == 2; {
		h.publish("stuck", large)
		b.wantAlive()
		if time.Now().After(give) {
			t.Fatal("the stuck reader is not dropped")
		}
	}
	h.watchers(t, "stuck", 0)
	b.wantAlive()
}

// When 1,000 clients come back at once, all are served.
func TestAThousandReconnect(t *testing.T) {
	h := openSockets(t, nil)
	b := h.heartbeat(t)
	const clients = 1_000
	for range 2 {
		peers := make([]*peer, clients)
		var all sync.WaitGroup
		for i := range peers {
			all.Go(func() {
				p, err := h.reconnect()
				if err != nil {
					t.Error(err)
					return
				}
				p.t, peers[i] = t, p
			})
		}
		all.Wait()
		if t.Failed() {
			return
		}
		b.wantAlive()
		h.watchers(t, "crowd", clients)
		h.publish("crowd", "all")
		for _, p := range peers {
			p.want(`{"id":"1","type":"next","payload":{"data":{"watch":"all"}}}`)
		}
		for _, p := range peers {
			_ = p.ws.CloseNow()
		}
		b.wantAlive()
		h.watchers(t, "crowd", 0)
	}
}

// reconnect dials, says hello and subscribes, off the test's goroutine.
func (h *socketHouse) reconnect() (*peer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, h.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return nil, err
	}
	err = ws.Write(ctx, websocket.MessageText, []byte(`{"type":"connection_init"}`))
	if _, _, again := ws.Read(ctx); err != nil || again != nil {
		return nil, errors.Join(err, again)
	}
	query := `{"id":"1","type":"subscribe","payload":{"query":"subscription { watch(topic: \"crowd\") }"}}`
	return &peer{ws: ws}, ws.Write(ctx, websocket.MessageText, []byte(query))
}

// Connections that have ended leave nothing behind, however they ended.
func TestEndedConnectionsLeaveNothing(t *testing.T) {
	h := openSockets(t, nil)
	p := h.greet(t)
	p.wantQuiet()
	goroutines := runtime.NumGoroutine()
	before := heap()
	const rounds, clients = 10, 100
	for round := range rounds {
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				conn := h.raw(t, true)
				_, _ = io.WriteString(conn, subscribed("a")+subscribed("b"))
				switch i % 4 {
				case 0:
					_, _ = io.WriteString(conn, frame(0x88, "\x03\xe8"))
				case 1:
					_ = conn.(*net.TCPConn).SetLinger(0)
				case 2:
					_, _ = io.WriteString(conn, frame(0x81, `{"type":"nonsense"}`))
				}
				_ = conn.Close()
			})
		}
		all.Wait()
		eventually(t, fmt.Sprintf("round %d is over", round), func() bool { return h.Connections() == 1 })
	}
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines+3 })
	h.watchers(t, "a", 0)
	after := heap()
	if grown := int64(after) - int64(before); grown > rounds*clients*2<<10 {
		t.Errorf("%d bytes are left of %d connections", grown, rounds*clients)
	}
	p.wantQuiet()
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
