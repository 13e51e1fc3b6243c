package fulfilment

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// maxReason is how long a reason may be, in bytes.
const maxReason = 500

// Deliver notes that it has arrived.
func (k *Keeper) Deliver(ctx context.Context, who identity.Caller, id string) (Consignment, error) {
	_, c, err := k.change(ctx, who, id, func(_ *document, c *consignment) error {
		switch c.State {
		case Delivered:
			return docstore.Unchanged
		case Shipped, FailedDelivery: // it may arrive at the second attempt
			c.enter(Delivered, k.now())
			return nil
		}
		return unfit(c)
	})
	return c, err
}

// Fail notes that it could not be delivered.
func (k *Keeper) Fail(ctx context.Context, who identity.Caller, id, reason string) (Consignment, error) {
	if len(reason) > maxReason || !utf8.ValidString(reason) {
		return Consignment{}, ErrInput.Field("reason").Say("The reason must be text of at most %d bytes.", maxReason)
	}
	_, c, err := k.change(ctx, who, id, func(_ *document, c *consignment) error {
		switch c.State {
		case FailedDelivery:
			return docstore.Unchanged
		case Shipped:
			c.enter(FailedDelivery, k.now())
			c.Problem = reason
			return nil
		}
		return unfit(c)
	})
	return c, err
}

// track asks the carrier how far a shipped consignment is, and notes it.
func (k *Keeper) track(ctx context.Context, orderID string, n int) error {
	d, err := k.docs.Get(ctx, orderID)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	c := d.part(n)
	if err != nil || c == nil || c.State != Shipped || c.Tracking == nil || c.ByHand {
		return err
	}
	call, cancel := k.call(ctx)
	defer cancel()
	status, err := k.o.Carrier.Track(call, c.Tracking.Number)
	_, wrote := k.write(ctx, orderID, func(d *document) error {
		c := d.part(n)
		if c.State != Shipped {
			return docstore.Unchanged
		}
		now := k.now()
		switch {
		case err != nil:
			c.Due, c.Tries = k.later(now, c.Tries+5), c.Tries+1
		case status == Arrived:
			c.enter(Delivered, now)
			c.Tracking.Status = status
		case status == Undeliverable:
			c.enter(FailedDelivery, now)
			c.Tracking.Status, c.Problem = status, "The carrier could not deliver it."
		default:
			due := now.Add(k.o.Track)
			if c.Tracking.Status != status {
				c.UpdatedAt = now
			}
			c.Tracking.Status, c.Due, c.Tries = status, &due, 0
		}
		return nil
	})
	return errors.Join(err, wrote)
}

const (
	maxNotice = 64 << 10 // bytes
	hearFor   = 8 * time.Second
)

// Webhook is where the carrier tells that a parcel moved, signed with secret.
// It answers 200 once the effect is stored, 400 to what the carrier did not
// sign, and 503 when it could not find out, so that the notice is sent again.
func (k *Keeper) Webhook(secret string) http.Handler {
	answer := func(w http.ResponseWriter, status int, text string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"`+text+`"}`)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotice))
		if err != nil {
			answer(w, http.StatusBadRequest, "too large, or not read to its end")
			return
		}
		notice, err := k.o.Carrier.Notice(secret, r.Header, body)
		if err != nil {
			k.o.Log.WarnContext(r.Context(), "fulfilment: a notice was refused", "error", err)
			answer(w, http.StatusBadRequest, "the signature does not fit")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), hearFor)
		defer cancel()
		if orderID, n, ok := splitID(notice.Reference); ok {
			if err := k.track(ctx, orderID, n); err != nil {
				k.o.Log.WarnContext(ctx, "fulfilment: a notice is put off", "consignment", notice.Reference, "error", err)
				answer(w, http.StatusServiceUnavailable, "please send it again")
				return
			}
		}
		answer(w, http.StatusOK, "noted")
	})
}
