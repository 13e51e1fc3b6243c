package transport_test

import (
	"testing"
)

func TestSmoke(t *testing.T) {
	h := openSockets(t, nil)
	p := h.greet(t)
	p.subscribe("1", `{ hello(name: "you") }`)
	p.want(`{"id":"1","type":"next","payload":{"data":{"hello":"hello you"}}}`)
	p.want(`{"id":"1","type":"complete"}`)
	p.subscribe("1", `subscription { count(to: 2) }`)
	p.want(`{"id":"1","type":"next","payload":{"data":{"count":"1"}}}`)
	p.want(`{"id":"1","type":"next","payload":{"data":{"count":"2"}}}`)
	p.want(`{"id":"1","type":"complete"}`)
	p.subscribe("1", `subscription { slowCount(to: 2) }`)
	p.want(`{"id":"1","type":"next","payload":{"data":{"slowCount":"1"}}}`)
	p.want(`{"id":"1","type":"next","payload":{"data":{"slowCount":"2"}}}`)
	p.want(`{"id":"1","type":"complete"}`)
	p.subscribe("1", `subscription { refuse }`)
	p.wantError("1", "no such thing")
	p.subscribe("1", `subscription { panics }`)
	p.wantError("1", "Something went wrong")
	p.wantQuiet()
	p.send(`{"type":"connection_init"}`)
	p.wantClosed(4429, "Too many initialisation requests")
}
