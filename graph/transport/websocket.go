package transport

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"

	"ordergraph/platform/fault"
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
	if !s.mayOpen(ctx, r) {
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
// page has no origin, and nothing that a browser would lend it. Whose session
// is in the request's cookie is said by Sessions, and to which pages.
func (s *Server) mayOpen(ctx context.Context, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if !s.origins.any && !s.origins.names(origin) {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	if r.Header["Cookie"] == nil {
		return true
	}
	_, err := s.o.Sessions.Open(ctx, r, "")
	return err == nil || fault.KindOf(err) != fault.PermissionDenied
}
