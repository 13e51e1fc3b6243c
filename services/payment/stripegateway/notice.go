package stripegateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"ordergraph/services/payment"
)

// event is what we read of an event: ids, and as much as it takes to see
// whether it is news. The rest is asked for, so the version that the event
// was written in does not matter.
type event struct {
	Type string `json:"type"`
	Data struct {
		Object struct {
			ID             string            `json:"id"`
			Object         string            `json:"object"`
			Metadata       map[string]string `json:"metadata"`
			Status         string            `json:"status"`
			PaymentIntent  string            `json:"payment_intent"`
			Currency       string            `json:"currency"`
			Amount         int64             `json:"amount"`
			AmountRefunded int64             `json:"amount_refunded"`
			Created        int64             `json:"created"`
			LastError      *struct{}         `json:"last_payment_error"`
		} `json:"object"`
	} `json:"data"`
}

// Notice checks Stripe's signature and reads the event.
func (g *Gateway) Notice(secret string, header http.Header, body []byte) (payment.Notice, error) {
	if secret == "" {
		return payment.Notice{}, fmt.Errorf("%w: there is no webhook secret", payment.ErrForged)
	}
	if err := webhook.ValidatePayload(body, header.Get("Stripe-Signature"), secret); err != nil {
		return payment.Notice{}, payment.ErrForged
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		// Signed, and yet not an event that we know: nothing to do with us.
		return payment.Notice{}, nil
	}
	o := e.Data.Object
	n := payment.Notice{OrderID: o.Metadata[metaOrder], IntentID: o.PaymentIntent}
	switch {
	case strings.HasPrefix(e.Type, "payment_intent.") && o.Object == "payment_intent":
		n.IntentID = o.ID
		n.Status = statusOf(stripe.PaymentIntentStatus(o.Status), o.LastError != nil)
	case o.Object == "refund":
		n.Refund = &payment.GivenBack{
			ID: o.ID, Key: o.Metadata[metaRefund], Amount: fromStripe(o.Amount, o.Currency), State: refundState(stripe.RefundStatus(o.Status)),
			At: time.Unix(o.Created, 0).UTC(),
		}
	case e.Type == "charge.refunded":
		n.Refunded = fromStripe(o.AmountRefunded, o.Currency).Minor
	default:
		return payment.Notice{}, nil
	}
	return n, nil
}
