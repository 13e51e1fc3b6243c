// Package payment takes the customer's money once, and gives it back once.
package payment

import (
	"context"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
)

// ConfirmWithin is how long a customer has to confirm a payment at the bank
// before it is voided.
const ConfirmWithin = 15 * time.Minute

// Service is the contract of the payment service. There is one payment per
// order; every call is idempotent by it, and only the program itself may call
// anything but Get and Audit, which staff may, too.
//
// A call whose outcome at the processor is unknown returns the payment in a
// pending state, without an error: the service finds out by itself and rings
// a fact. It asks the processor with the key it stored before the first
// attempt, never with a new one.
type Service interface {
	// Authorise holds the amount on the customer's card. The result is
	// Authorised, Declined (see Reason), ActionNeeded (the customer must
	// confirm at ActionURL) or Authorising (not known yet). A repeated call
	// with other parameters is ErrMismatch.
	Authorise(ctx context.Context, who identity.Caller, req Request) (Payment, error)
	// Capture takes the authorised amount: Captured, Capturing (not known
	// yet) or Declined. ErrState where nothing is authorised.
	Capture(ctx context.Context, who identity.Caller, orderID string) (Payment, error)
	// Void gives up an authorisation, or an attempt at one: Voided, or Voiding
	// while that is not known. A captured payment is refunded in full instead.
	// A payment never begun is recorded as Voided, so that an Authorise still
	// on its way does nothing.
	Void(ctx context.Context, who identity.Caller, orderID string) (Payment, error)
	// Refund gives back part or all of a captured payment. The key makes it
	// once; ErrTooMuch for more than is left. The refund is in the payment's
	// Refunds, Pending until the processor has confirmed it.
	Refund(ctx context.Context, who identity.Caller, req RefundRequest) (Payment, error)
	// Get returns the order's payment, or ErrNotFound. It needs
	// identity.PaymentsRead: ErrForbidden.
	Get(ctx context.Context, who identity.Caller, orderID string) (Payment, error)
	// Audit compares all payments with the processor's books, which may take
	// minutes in a large shop. It needs identity.OperationsRead: ErrForbidden.
	Audit(ctx context.Context, who identity.Caller) (Report, error)
}

// Request asks for an amount to be held on a card.
type Request struct {
	OrderID   string
	Amount    money.Amount // more than zero
	Method    string       // the processor's token for the card, such as "pm_card_visa"; never a card number
	Email     string       // for the processor's receipt; may be empty
	ReturnURL string       // where the customer comes back to after confirming; may be empty
}

// RefundRequest asks for money to be given back.
type RefundRequest struct {
	OrderID string
	Key     string // the same key is refunded once
	Amount  money.Amount
	Reason  string
}

// State is how far a payment has come.
type State string

// The states of a payment. Authorising, Capturing and Voiding are pending:
// they end by themselves, or in ActionNeeded when the customer must help.
const (
	Authorising  State = "AUTHORISING"
	ActionNeeded State = "ACTION_NEEDED"
	Authorised   State = "AUTHORISED"
	Capturing    State = "CAPTURING"
	Captured     State = "CAPTURED"
	Declined     State = "DECLINED"
	Voiding      State = "VOIDING"
	Voided       State = "VOIDED"
)

// Reason is why a payment was declined.
type Reason string

// The reasons there are for a customer to know.
const (
	ReasonDeclined          Reason = "CARD_DECLINED"
	ReasonInsufficientFunds Reason = "INSUFFICIENT_FUNDS"
	ReasonExpiredCard       Reason = "EXPIRED_CARD"
	ReasonNotConfirmed      Reason = "NOT_CONFIRMED" // the customer did not confirm, or failed to
	ReasonInvalidMethod     Reason = "INVALID_PAYMENT_METHOD"
	ReasonUnavailable       Reason = "PROCESSOR_UNAVAILABLE" // given up after many attempts
)

// A Payment is what was taken from a customer for one order.
type Payment struct {
	OrderID   string
	Version   int64 // grows with every change
	State     State
	Amount    money.Amount
	Captured  money.Amount
	Refunded  money.Amount // confirmed by the processor
	Reason    Reason       // why it was declined
	ActionURL string       // where the customer confirms, while ActionNeeded
	Card      Card
	Refunds   []Refund
	Attempts  []Attempt // newest last; the latest 50
	UpdatedAt time.Time
}

// Card is what a receipt may say about the card.
type Card struct {
	Brand string // "visa"
	Last4 string
}

// A Refund is money given back, or about to be.
type Refund struct {
	Key    string
	Amount money.Amount
	Reason string
	State  RefundState
	At     time.Time
}

// RefundState is how far a refund has come.
type RefundState string

// A refund is pending until the processor has confirmed or refused it.
const (
	RefundPending   RefundState = "PENDING"
	RefundSucceeded RefundState = "SUCCEEDED"
	RefundFailed    RefundState = "FAILED"
)

// An Attempt is one call to the processor, stored before it is made.
type Attempt struct {
	Kind    string // "authorise", "capture", "void", "refund", "look up"
	Key     string // idempotency key sent with it
	At      time.Time
	Outcome string // "" while unknown, else "ok", "declined", "error: …" without personal data
}
