package transport

import (
	"context"
	"net/http"
	"strings"
)

// isUpgrade reports whether the request wants to become a socket.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

func (s *Server) serveSocket(_ context.Context, w http.ResponseWriter, _ *http.Request) {
	s.fail(w, legacy, http.StatusNotImplemented, "NOT_IMPLEMENTED", "Sockets are not offered.")
}
