package transport

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

// subprotocol is what is spoken on a socket.
const subprotocol = "graphql-transport-ws"

// isUpgrade reports whether the request wants to become a socket.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// serveSocket makes the request a socket, or says why it does not become one.
// It returns as soon as the socket is open: all that net/http keeps for a
// request is free then.
func (s *Server) serveSocket(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	if !s.mayOpen(r) {
		s.fail(w, legacy, http.StatusForbidden, "FORBIDDEN", "Pages of this origin may not open sockets here.")
		return
	}
	k := newSocket(ctx, s, r)
	visit, refused := s.doors.enter(s.o.Address(r), k.leave)
	if refused != welcome {
		s.noRoom(w, legacy, refused)
		return
	}
	upgrading := &socketUpgrade{ResponseWriter: w, sendWithin: s.o.Limits.SendWithin}
	ws, err := websocket.Accept(upgrading, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // origins were checked above
		OnPingReceived:     k.pong,
	})
	if err != nil { // the client was told
		s.o.Log.DebugContext(ctx, "no socket", "error", err)
		s.doors.exit(visit)
		return
	}
	k.open(visit, ws, upgrading.conn) //nolint:contextcheck // a socket outlives its request
}

// mayOpen reports whether the page that asks may open sockets. What is not a
// page has no origin, and nothing that a browser would lend it.
func (s *Server) mayOpen(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.o.Origins, "*") {
		return true
	}
	if slices.ContainsFunc(s.o.Origins, func(o string) bool { return strings.EqualFold(o, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}
