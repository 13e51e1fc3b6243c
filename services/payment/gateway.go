package payment

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"ordergraph/platform/money"
)

// A Gateway is the way to a card processor, as the Cashier needs it. Every
// writing call carries an idempotency key: the processor acts once for it and
// gives the same answer again.
//
// An error is, by errors.Is, one of ErrUnknown, ErrNotNow, ErrSpent and
// *Rejection; anything else counts as ErrUnknown. No error carries secrets or
// personal data. Every call has a deadline of its own, shorter than the
// Cashier's lease of 15 s.
type Gateway interface {
	// Authorise holds the amount on the card. A refusal by the bank is an
	// Intent that is IntentRefused, not an error.
	Authorise(ctx context.Context, key string, req Request) (Intent, error)
	// Forestall makes sure that an Authorise with this key and these
	// parameters, even one still on its way, does nothing from now on. It
	// returns what the key has made: the intent of the authorisation if that
	// was faster, else one that holds nothing. ErrSpent says that the key is
	// used up and made nothing.
	Forestall(ctx context.Context, key string, req Request) (Intent, error)
	// Capture takes what is held. A *Rejection if nothing is.
	Capture(ctx context.Context, key, intentID string) (Intent, error)
	// Cancel releases what is held and ends the intent. A *Rejection if it was
	// captured, or cancelled before.
	Cancel(ctx context.Context, key, intentID string) (Intent, error)
	// Refund gives back money of a captured intent.
	Refund(ctx context.Context, key, intentID string, req RefundRequest) (GivenBack, error)

	// Intent looks one up by its id.
	Intent(ctx context.Context, intentID string) (Intent, error)
	// Find looks up the intents of an order that were made in a time. It sees
	// every intent whose making has been answered.
	Find(ctx context.Context, orderID string, since, until time.Time) ([]Intent, error)
	// Refunds lists what was given back of an intent.
	Refunds(ctx context.Context, intentID string) ([]GivenBack, error)
	// All reads every intent there is, for the audit.
	All(ctx context.Context) iter.Seq2[Intent, error]

	// Notice reads what the processor sent to the webhook, after checking that
	// it was signed with secret within the last five minutes: ErrForged if not.
	// A notice that is about nothing of ours has no OrderID.
	Notice(secret string, header http.Header, body []byte) (Notice, error)
}

var (
	// ErrUnknown is that no answer came, or one that says nothing. It may have
	// been done or not; the same key will tell.
	ErrUnknown = errors.New("outcome unknown")
	// ErrNotNow is that the processor did nothing, and would later: it is busy,
	// away, or does not accept our credentials.
	ErrNotNow = errors.New("not now")
	// ErrSpent is that the answer remembered under this key is a failure of the
	// processor, or belongs to other parameters. Look up what was done; if
	// nothing, another attempt needs another key.
	ErrSpent = errors.New("idempotency key spent")
	// ErrForged is a notice that the processor did not sign, or signed too long ago.
	ErrForged = errors.New("the signature does not fit")
)

// A Rejection is the processor's last word on a request: it has done nothing
// for it and will not, whatever the key.
type Rejection struct {
	Code   string // the processor's, for the log
	Reason Reason // for the customer
}

func (r *Rejection) Error() string { return "rejected: " + r.Code }

// An Intent is one payment, as the processor has it.
type Intent struct {
	ID        string
	OrderID   string // as we told it when the intent was made; "" if somebody else made it
	Status    IntentStatus
	Amount    money.Amount
	Received  money.Amount // captured
	Refunded  money.Amount // of that, given back or about to be
	Reason    Reason       // why it was refused
	ActionURL string       // where the customer confirms
	Card      Card
}

// IntentStatus is how far an intent is.
type IntentStatus string

// Where an intent can be.
const (
	IntentOpen       IntentStatus = "open"       // made, never confirmed: nothing held
	IntentProcessing IntentStatus = "processing" // ask again later
	IntentAction     IntentStatus = "action"     // waits for the customer
	IntentRefused    IntentStatus = "refused"    // nothing held
	IntentHeld       IntentStatus = "held"       // authorised
	IntentTaken      IntentStatus = "taken"      // captured
	IntentCancelled  IntentStatus = "cancelled"
)

// GivenBack is a refund, as the processor has it.
type GivenBack struct {
	ID     string
	Key    string // RefundRequest.Key, "" if somebody else made it
	Amount money.Amount
	State  RefundState
	At     time.Time
}
