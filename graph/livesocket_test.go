package graph_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
)

// On a socket each event is executed anew, and loads what it shows.
func TestAnOrderIsWatchedOverASocket(t *testing.T) { watchOverASocket(t, true) }

// The error says where it belongs.
func TestARightIsWithdrawnOverASocket(t *testing.T) { watchOverASocket(t, false) }

func watchOverASocket(t *testing.T, whileAllowed bool) {
	t.Helper()
	var withdrawn atomic.Bool
	s := graphtest.New(t, func(o *graph.Options) { o.Order = fickle{o.Order, &withdrawn} })
	id, token := buy(t, s)
	ctx, give := context.WithTimeout(t.Context(), time.Minute)
	defer give()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	send := func(message map[string]any) {
		t.Helper()
		text, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(ctx, websocket.MessageText, text); err != nil {
			t.Fatal(err)
		}
	}
	receive := func() (m struct {
		Type    string
		Payload json.RawMessage
	}) {
		t.Helper()
		_, text, err := ws.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return m
	}
	send(map[string]any{"type": "connection_init"})
	if m := receive(); m.Type != "connection_ack" {
		t.Fatalf("got %+v", m)
	}
	send(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{
		"query": watch, "variables": map[string]any{"id": id, "token": token},
	}})

	last := 0.0
	event := func() any {
		t.Helper()
		m := receive()
		var a graphtest.Answer
		if err := json.Unmarshal(m.Payload, &a); m.Type != "next" || err != nil || len(a.Errors) > 0 {
			t.Fatalf("got %s %s", m.Type, m.Payload)
		}
		now, _ := graphtest.Get(a.Data, "orderStatus.version").(float64)
		if now <= last || graphtest.Get(a.Data, "orderStatus.lines.0.variant.title") == nil {
			t.Fatalf("after version %v came %s", last, m.Payload)
		}
		last = now
		return graphtest.Get(a.Data, "orderStatus.status")
	}
	if status := event(); status != "CONFIRMED" {
		t.Fatalf("first it is %v", status)
	}
	if whileAllowed {
		s.Do(cancel, graphtest.Vars{"in": graphtest.Vars{"orderId": id, "accessToken": token}})
		for event() != "REFUNDED" {
		}
		return
	}
	withdrawn.Store(true)
	s.Do(cancel, graphtest.Vars{"in": graphtest.Vars{"orderId": id, "accessToken": token}})
	m := receive()
	if want := `"path":["orderStatus"]`; m.Type != "error" || !strings.Contains(string(m.Payload), want) || !strings.Contains(string(m.Payload), "NOT_FOUND") {
		t.Errorf("got %s %s, want an error with %s", m.Type, m.Payload, want)
	}
}
