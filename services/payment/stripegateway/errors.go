package stripegateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"github.com/stripe/stripe-go/v85"

	"ordergraph/services/payment"
)

// translate says in the cashier's words what an error means. Stripe's own text
// is left out: it may repeat what the customer typed.
func translate(err error) error {
	e, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		switch {
		case errors.Is(err, syscall.ECONNREFUSED), isDial(err):
			return fmt.Errorf("%w: the processor cannot be reached", payment.ErrNotNow)
		case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
			return fmt.Errorf("%w: no answer in time", payment.ErrUnknown)
		}
		return fmt.Errorf("%w: no proper answer", payment.ErrUnknown)
	}
	detail := fmt.Sprintf("HTTP %d %s %s, request %s", e.HTTPStatusCode, e.Type, e.Code, e.RequestID)
	switch {
	case e.HTTPStatusCode == http.StatusConflict || e.Code == stripe.ErrorCodeIdempotencyKeyInUse || e.Code == stripe.ErrorCodeLockTimeout:
		return fmt.Errorf("%w: %s", payment.ErrUnknown, detail)
	case e.HTTPStatusCode == http.StatusTooManyRequests, e.HTTPStatusCode == http.StatusUnauthorized, e.HTTPStatusCode == http.StatusForbidden:
		return fmt.Errorf("%w: %s", payment.ErrNotNow, detail)
	case spent(e):
		return fmt.Errorf("%w: %s", payment.ErrSpent, detail)
	case e.HTTPStatusCode >= 500:
		return fmt.Errorf("%w: %s", payment.ErrUnknown, detail)
	case e.HTTPStatusCode >= 400:
		return fmt.Errorf("%s: %w", detail, &payment.Rejection{Code: string(e.Code), Reason: reasonOf(e)})
	}
	return fmt.Errorf("%w: %s", payment.ErrUnknown, detail)
}

// spent reports that the key was used with other parameters, or that its
// remembered answer is a failure of Stripe's, which it would give for ever.
func spent(e *stripe.Error) bool {
	if e.Type == stripe.ErrorTypeIdempotency && e.HTTPStatusCode != http.StatusConflict {
		return true
	}
	return e.HTTPStatusCode >= 500 && e.LastResponse != nil && e.LastResponse.Header.Get("Idempotent-Replayed") == "true"
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// reasonOf is what the customer may know of a refusal.
func reasonOf(e *stripe.Error) payment.Reason {
	switch {
	case e.DeclineCode == "insufficient_funds" || e.DeclineCode == "withdrawal_count_limit_exceeded" || e.DeclineCode == "card_velocity_exceeded":
		return payment.ReasonInsufficientFunds
	case e.Code == stripe.ErrorCodeExpiredCard || e.DeclineCode == "expired_card":
		return payment.ReasonExpiredCard
	case e.Code == stripe.ErrorCodePaymentIntentAuthenticationFailure || e.Code == stripe.ErrorCodeAuthenticationRequired || e.DeclineCode == "authentication_required":
		return payment.ReasonNotConfirmed
	case e.Param == "payment_method":
		return payment.ReasonInvalidMethod
	}
	return payment.ReasonDeclined
}
