package payment

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	maxNotice = 1 << 20         // bytes
	hearFor   = 8 * time.Second // processors wait 10 s or more
)

// Webhook is where the processor tells what happened, signed with secret. It
// answers 200 once the effect is stored, 400 to what the processor did not
// sign within the last five minutes, and 503 when it could not find out, so
// that the notice is sent again.
func (c *Cashier) Webhook(secret string) http.Handler {
	answer := func(w http.ResponseWriter, status int, text string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"`+text+`"}`)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			answer(w, http.StatusMethodNotAllowed, "notices are posted")
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotice))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			answer(w, http.StatusRequestEntityTooLarge, "too large")
			return
		}
		if err != nil {
			answer(w, http.StatusBadRequest, "not read to its end")
			return
		}
		notice, err := c.gateway.Notice(secret, r.Header, body)
		if err != nil {
			c.log.WarnContext(r.Context(), "payment: a notice was refused", "error", err)
			answer(w, http.StatusBadRequest, "the signature does not fit")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), hearFor)
		defer cancel()
		if err := c.Hear(ctx, notice); err != nil {
			c.log.WarnContext(ctx, "payment: a notice is put off", "order", notice.OrderID, "error", err)
			answer(w, http.StatusServiceUnavailable, "please send it again")
			return
		}
		answer(w, http.StatusOK, "noted")
	})
}
