package transport_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/coder/websocket"
)

// When the process stops, idle sockets are closed, a mutation in flight is
// finished and answered first, and nothing is begun any more.
func TestDrainOfSockets(t *testing.T) {
	h := openSockets(t, nil)
	idle, fresh, watching, paying, dropped := h.greet(t), h.dial(t), h.greet(t), h.greet(t), h.greet(t)
	watching.subscribe("1", `subscription { watch(topic: "a") }`)
	watching.subscribe("2", `subscription { slowCount(to: 1) }`)
	watching.want(`{"id":"2","type":"next","payload":{"data":{"slowCount":"1"}}}`)
	watching.want(`{"id":"2","type":"complete"}`)
	h.watchers(t, "a", 1)
	paying.subscribe("m", `mutation { pay }`)
	dropped.subscribe("m", `mutation { pay }`)
	wantBegan(t, h, "pay")
	wantBegan(t, h, "pay")
	dropped.send(`{"id":"m","type":"complete"}`)
	dropped.wantQuiet()

	drained := make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		h.Drain(ctx)
		close(drained)
	}()
	for _, p := range []*peer{idle, fresh, watching} {
		p.wantClosed(websocket.StatusGoingAway, "about to stop")
	}
	ws, response, err := websocket.Dial(t.Context(), h.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err == nil {
		_ = ws.CloseNow()
	}
	if response == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%v, %v", response, err)
	}
	paying.subscribe("late", `mutation { pay }`)
	paying.wantQuiet()
	eventually(t, "only those who pay are left", func() bool { return h.Connections() == 2 })
	select {
	case <-drained:
		t.Error("drained while somebody pays")
	default:
	}
	close(h.gate)
	paying.want(`{"id":"m","type":"next","payload":{"data":{"pay":"paid"}}}`)
	paying.want(`{"id":"m","type":"complete"}`)
	paying.wantClosed(websocket.StatusGoingAway, "about to stop")
	dropped.wantClosed(websocket.StatusGoingAway, "about to stop")
	<-drained
	if h.Connections() != 0 || h.paid.Load() != 2 {
		t.Errorf("%d connections, %d payments", h.Connections(), h.paid.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.Drain(ctx) // once more does no harm
}
