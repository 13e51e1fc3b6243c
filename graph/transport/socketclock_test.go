package transport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"ordergraph/graph/transport"
)

func TestConnectionInitIsDueInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openInBubble(t, func(o *transport.Options) { o.Limits.InitWithin, o.Limits.KeepAlive = 5*time.Second, time.Hour })
		began := time.Now()
		silent, talking, greeted := h.dial(t), h.dial(t), h.greet(t)
		talking.send(`{"type":"ping"}`)
		talking.want(`{"type":"pong"}`)
		silent.wantClosed(4408, "Connection initialisation timeout")
		talking.wantClosed(4408, "Connection initialisation timeout")
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("after %v", took)
		}
		greeted.wantQuiet()
	})
}

func TestASessionExpiresWhileConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &badges{}
		h := openInBubble(t, func(o *transport.Options) { o.Sessions, o.Limits.KeepAlive = b, time.Hour })
		p := h.dial(t)
		began := time.Now()
		p.send(`{"type":"connection_init","payload":{"authorization":"brief"}}`)
		p.want(`{"type":"connection_ack"}`)
		p.subscribe("1", `subscription { watch(topic: "a") }`)
		synctest.Wait()
		time.Sleep(time.Minute - time.Second)
		p.wantQuiet()
		p.wantClosed(4403, "Forbidden") // after which clients come back
		if took := time.Since(began); took != time.Minute {
			t.Errorf("after %v", took)
		}
		synctest.Wait()
		if n := b.follow.Load(); n != 0 {
			t.Errorf("%d sessions are followed", n)
		}
		h.watchers(t, "a", 0)
	})
}

// A connection over which nothing comes any more is closed; one whose client
// only answers our pings is kept.
func TestClientsThatVanishAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openInBubble(t, func(o *transport.Options) { o.Limits.KeepAlive = 20 * time.Second })
		alive := h.greet(t)
		vanished, err := h.client.Transport.(*http.Transport).DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = vanished.Close() }()
		go func() { _, _ = io.Copy(io.Discard, vanished) }() // as the network does, for a while
		if _, err := io.WriteString(vanished, upgrade+frame(0x81, `{"type":"connection_init"}`)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		began := time.Now()
		ended := make(chan error, 1)
		go func() {
			_, _, err := alive.ws.Read(context.Background()) // which answers pings
			ended <- err
		}()
		for h.Connections() == 2 {
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took < 60*time.Second || took > 100*time.Second {
			t.Errorf("closed after %v", took)
		}
		time.Sleep(time.Hour)
		select {
		case err := <-ended:
			t.Fatalf("the client that answers was closed: %v", err)
		default:
		}
		_ = alive.ws.CloseNow()
		<-ended
	})
}

// A message that comes drop by drop holds its place only for so long.
func TestAMessageIsDueInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openInBubble(t, func(o *transport.Options) {
			o.Limits.InitWithin, o.Limits.KeepAlive, o.Limits.Time = 5*time.Second, 5*time.Second, 20*time.Second
		})
		p := h.greet(t)
		go func() { _, _, _ = p.ws.Read(context.Background()) }()
		w, err := p.ws.Writer(context.Background(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for err == nil {
			_, err = w.Write([]byte(" "))
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took < 20*time.Second || took > 40*time.Second { // the goodbye takes up to 10 s
			t.Errorf("after %v", took)
		}
	})
}

func TestOperationsOfASocketHaveATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openInBubble(t, func(o *transport.Options) { o.Limits.Time, o.Limits.KeepAlive = 5*time.Second, time.Hour })
		p := h.greet(t)
		for _, query := range []string{`{ wait }`, `subscription { wait }`} {
			began := time.Now()
			p.subscribe("1", query)
			got, err := p.receive()
			if err != nil || !strings.Contains(got, "TIMEOUT") && !strings.Contains(got, "deadline exceeded") {
				t.Errorf("%s: %s, %v", query, got, err)
			}
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("%s: after %v", query, took)
			}
			if strings.Contains(got, `"next"`) {
				p.want(`{"id":"1","type":"complete"}`)
			}
			p.wantQuiet()
		}
		// The limit is not for a stream as a whole.
		p.subscribe("1", `subscription { watch(topic: "a") }`)
		time.Sleep(time.Minute)
		h.publish("a", "1")
		p.want(`{"id":"1","type":"next","payload":{"data":{"watch":"1"}}}`)
	})
}

// A client that does not read is given some time, then the reason, and if it
// reads even that not, it is cut off. Others notice nothing of it.
func TestSlowReadersOfSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openInBubble(t, func(o *transport.Options) { o.Limits.SendWithin, o.Limits.KeepAlive = 10*time.Second, time.Hour })
		fast, tardy, slow, stuck := h.greet(t), h.greet(t), h.greet(t), h.greet(t)
		for _, p := range []*peer{fast, tardy, slow, stuck} {
			p.subscribe("1", `subscription { watch(topic: "a") }`)
		}
		synctest.Wait()
		h.watchers(t, "a", 4)
		began := time.Now()
		event := func(v string) {
			h.publish("a", v)
			fast.want(`{"id":"1","type":"next","payload":{"data":{"watch":"` + v + `"}}}`)
			if time.Since(began) > 0 && v == "1" {
				t.Error("the first event was late")
			}
		}
		event("1")
		time.Sleep(9 * time.Second)
		event("2")
		tardy.want(`{"id":"1","type":"next","payload":{"data":{"watch":"1"}}}`) // just in time
		tardy.want(`{"id":"1","type":"next","payload":{"data":{"watch":"2"}}}`)
		time.Sleep(2 * time.Second) // 11 s since the first event
		event("3")
		tardy.want(`{"id":"1","type":"next","payload":{"data":{"watch":"3"}}}`)
		slow.want(`{"id":"1","type":"next","payload":{"data":{"watch":"1"}}}`) // too late
		slow.wantClosed(websocket.StatusTryAgainLater, "not read within 10s")
		time.Sleep(3 * time.Second) // 14 s
		synctest.Wait()
		if n := h.Connections(); n != 3 {
			t.Errorf("%d connections, with the one that is stuck", n)
		}
		time.Sleep(2 * time.Second) // 16 s
		synctest.Wait()
		if n := h.Connections(); n != 2 {
			t.Errorf("%d connections, without the one that is stuck", n)
		}
		if _, err := stuck.receive(); err == nil {
			t.Error("the one that is stuck got something")
		}
		event("4")
		tardy.want(`{"id":"1","type":"next","payload":{"data":{"watch":"4"}}}`)
		h.watchers(t, "a", 2)
	})
}

// What a client sends together with its request is not lost.
func TestMessagesSentWithTheUpgrade(t *testing.T) {
	h := openSockets(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = io.WriteString(conn, upgrade+frame(0x81, `{"type":"connection_init"}`))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	buffer := make([]byte, 512)
	for !strings.Contains(got.String(), `{"type":"connection_ack"}`) {
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatalf("%v after %s", err, got.String())
		}
		got.Write(buffer[:n])
	}
}

const upgrade = "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"

// frame is a masked frame of at most 125 bytes; the mask is zero.
func frame(opcode byte, payload string) string {
	return string([]byte{opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
}
