package card

import (
	"encoding/json"
	"time"

	"ordergraph/platform/docstore"
)

// An intent is everything the processor knows of one payment, in one
// document: what was asked, the money, the refunds, the answers given under
// each idempotency key, and the events still to be sent. So an effect and its
// remembered answer are written together, and a crash cannot part them.
type intent struct {
	docstore.Meta `bson:",inline"`

	Created     *time.Time        `bson:"created,omitempty"` // nil: nothing was made, but answers are remembered
	Order       string            `bson:"order,omitempty"`   // metadata[order_id]
	Amount      int64             `bson:"amount"`
	Currency    string            `bson:"currency"` // lower case, as Stripe writes it
	Method      string            `bson:"method,omitempty"`
	Capture     string            `bson:"captureMethod"`
	Email       string            `bson:"email,omitempty"`
	ReturnURL   string            `bson:"returnUrl,omitempty"`
	Description string            `bson:"description,omitempty"`
	Metadata    map[string]string `bson:"metadata,omitempty"`
	PageURL     string            `bson:"pageUrl,omitempty"` // where the customer confirms
	APIVersion  string            `bson:"apiVersion,omitempty"`

	Status    string   `bson:"status"`
	Charged   bool     `bson:"charged"`  // a charge was approved
	Held      int64    `bson:"held"`     // authorised and neither captured nor released
	Received  int64    `bson:"received"` // captured
	Refunds   []refund `bson:"refunds,omitempty"`
	LastError *trouble `bson:"lastError,omitempty"`
	Canceled  int64    `bson:"canceled,omitempty"` // seconds since 1970
	Why       string   `bson:"why,omitempty"`      // cancellation_reason

	Refunded *time.Time `bson:"refunded,omitempty"` // when the first refund was made
	Answers  []answer   `bson:"answers,omitempty"`
	Events   []event    `bson:"events,omitempty"`
	Due      *time.Time `bson:"due,omitempty"` // when events, or a refund, want attention
}

// A refund is money on its way back.
type refund struct {
	ID       string            `bson:"id"`
	Amount   int64             `bson:"amount"`
	Status   string            `bson:"status"` // pending, succeeded, failed
	Reason   string            `bson:"reason,omitempty"`
	Metadata map[string]string `bson:"metadata,omitempty"`
	At       time.Time         `bson:"at"`
	Settles  *time.Time        `bson:"settles,omitempty"` // when Then takes the place of Status
	Then     string            `bson:"then,omitempty"`
}

// An answer is what was said under an idempotency key, to be said again.
type answer struct {
	Key    string `bson:"key"`
	Print  string `bson:"print"` // of the path and the parameters
	Status int    `bson:"status"`
	Body   string `bson:"body"`
}

// The states of an intent, in Stripe's words.
const (
	needsMethod  = "requires_payment_method"
	needsConfirm = "requires_confirmation"
	needsAction  = "requires_action"
	needsCapture = "requires_capture"
	succeeded    = "succeeded"
	canceled     = "canceled"
	failed       = "failed"
	pending      = "pending"
)

var spec = docstore.Spec{Name: "intents", Indexes: []docstore.Index{
	{Name: "created", Fields: []string{"created"}},
	{Name: "order", Fields: []string{"order", "created"}},
	{Name: "refunded", Fields: []string{"refunded"}},
	{Name: "due", Fields: []string{"due"}},
}}

// givenBack is what was refunded or is about to be.
func (d *intent) givenBack() int64 {
	var sum int64
	for _, r := range d.Refunds {
		if r.Status != failed {
			sum += r.Amount
		}
	}
	return sum
}

func (d *intent) answerTo(key string) *answer {
	for i := range d.Answers {
		if d.Answers[i].Key == key {
			return &d.Answers[i]
		}
	}
	return nil
}

type object = map[string]any

// settled applies refunds whose time has come.
func (d *intent) settle(now time.Time) (changed []int) {
	for i := range d.Refunds {
		r := &d.Refunds[i]
		if r.Settles != nil && !r.Settles.After(now) {
			r.Status, r.Settles, r.Then = r.Then, nil, ""
			changed = append(changed, i)
		}
	}
	return changed
}

// json renders the intent as Stripe does.
func (d *intent) json(expandCharge bool) object {
	o := object{
		"id": d.ID, "object": "payment_intent", "amount": d.Amount, "amount_capturable": d.Held, "amount_received": d.Received,
		"capture_method": d.Capture, "client_secret": d.ID + "_secret_" + d.ID[len(d.ID)-12:], "confirmation_method": "automatic",
		"created": d.Created.Unix(), "currency": d.Currency, "description": orNull(d.Description), "livemode": false,
		"metadata": orEmpty(d.Metadata), "payment_method": orNull(d.Method), "payment_method_types": []string{"card"},
		"receipt_email": orNull(d.Email), "status": d.Status,
		"canceled_at": nil, "cancellation_reason": orNull(d.Why), "last_payment_error": nil, "latest_charge": nil, "next_action": nil,
	}
	if d.Canceled != 0 {
		o["canceled_at"] = d.Canceled
	}
	if d.LastError != nil {
		o["last_payment_error"] = d.LastError
	}
	if d.Charged {
		if expandCharge {
			o["latest_charge"] = d.charge()
		} else {
			o["latest_charge"] = d.chargeID()
		}
	}
	if d.Status == needsAction {
		o["next_action"] = object{"type": "redirect_to_url", "redirect_to_url": object{"url": d.PageURL, "return_url": orNull(d.ReturnURL)}}
	}
	return o
}

func (d *intent) chargeID() string { return "ch_" + d.ID[len("pi_"):] }

func (d *intent) charge() object {
	m := methods[d.Method]
	back := d.givenBack()
	return object{
		"id": d.chargeID(), "object": "charge", "amount": d.Amount, "amount_captured": d.Received, "amount_refunded": back,
		"captured": d.Received > 0, "created": d.Created.Unix(), "currency": d.Currency, "livemode": false, "metadata": orEmpty(d.Metadata),
		"paid": true, "payment_intent": d.ID, "payment_method": d.Method, "refunded": d.Received > 0 && back == d.Received, "status": succeeded,
		"payment_method_details": object{"type": "card", "card": object{"brand": m.brand, "last4": m.last4, "exp_month": 12, "exp_year": 2034, "country": "US", "funding": "credit"}},
	}
}

func (d *intent) refund(i int) object {
	r := d.Refunds[i]
	o := object{
		"id": r.ID, "object": "refund", "amount": r.Amount, "charge": d.chargeID(), "created": r.At.Unix(), "currency": d.Currency,
		"metadata": orEmpty(r.Metadata), "payment_intent": d.ID, "reason": orNull(r.Reason), "status": r.Status,
	}
	if r.Status == failed {
		o["failure_reason"] = "expired_or_canceled_card"
	}
	return o
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic("card: encode: " + err.Error()) // maps of strings and numbers always encode
	}
	return string(data)
}
