package page

import (
	"encoding/json"
	"net/http"
)

// Head sets what every answer to people has: its type, and that browsers
// neither keep it nor guess at it.
func Head(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// JSON answers with a value.
func JSON(w http.ResponseWriter, status int, body any) {
	Head(w, "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// Problem answers with what is wrong, as {"error": …}.
func Problem(w http.ResponseWriter, status int, text string) {
	JSON(w, status, map[string]string{"error": text})
}
