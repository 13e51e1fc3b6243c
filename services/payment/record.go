package payment

import (
	"slices"
	"strconv"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/money"
)

// A record is the document of one payment; its id is the order's. What was
// asked, the attempts and their keys are in it before the processor is called.
type record struct {
	docstore.Meta `bson:",inline"`

	Amount    money.Amount `bson:"amount"`
	Method    string       `bson:"method"`
	Email     string       `bson:"email,omitempty"`
	ReturnURL string       `bson:"returnUrl,omitempty"`

	State     State        `bson:"state"`
	Captured  money.Amount `bson:"captured"`
	Reason    Reason       `bson:"reason,omitempty"`
	ActionURL string       `bson:"actionUrl,omitempty"`
	Card      Card         `bson:"card"`
	Refunds   []refunding  `bson:"refunds,omitempty"`
	Attempts  []Attempt    `bson:"attempts,omitempty"`
	CreatedAt time.Time    `bson:"createdAt"`
	UpdatedAt time.Time    `bson:"updatedAt"`

	Intent    string     `bson:"intent,omitempty"`    // the processor's id
	Begun     *time.Time `bson:"begun,omitempty"`     // when an authorisation was first tried
	Keys      keys       `bson:"keys"`                // how many keys were spent, by kind
	Doubt     bool       `bson:"doubt,omitempty"`     // look up before anything else
	GiveUp    Reason     `bson:"giveUp,omitempty"`    // Voiding ends in Declined with this
	ConfirmBy *time.Time `bson:"confirmBy,omitempty"` // while ActionNeeded

	// NextAt is when there is something to do, always set while there is.
	NextAt *time.Time `bson:"nextAt,omitempty"`
	Tries  int        `bson:"tries,omitempty"` // in a row without success
	// Owed: a caller was answered with a pending state, so the outcome must
	// ring. Who gets the outcome as his answer needs no fact.
	Owed bool `bson:"owed,omitempty"`
	// Holder names the attempt that is under way, until LeaseUntil: nobody
	// else calls the processor for this payment meanwhile.
	Holder     string     `bson:"holder,omitempty"`
	LeaseUntil *time.Time `bson:"leaseUntil,omitempty"`

	Outbox events.Outbox `bson:"outbox"`
}

type refunding struct {
	Key     string       `bson:"key"`
	Amount  money.Amount `bson:"amount"`
	Reason  string       `bson:"reason,omitempty"`
	State   RefundState  `bson:"state"`
	At      time.Time    `bson:"at"`
	Since   time.Time    `bson:"since"`           // when its present key was first used, or could have been
	Spent   int          `bson:"spent,omitempty"` // keys spent
	Doubt   bool         `bson:"doubt,omitempty"`
	Foreign string       `bson:"foreign,omitempty"` // the processor's id
}

type keys struct {
	Authorise int `bson:"authorise,omitempty"`
	Capture   int `bson:"capture,omitempty"`
	Void      int `bson:"void,omitempty"`
}

const maxAttempts = 50 // kept with a payment

var spec = docstore.Spec{Name: "payments", Indexes: []docstore.Index{
	{Name: "due", Fields: []string{"nextAt"}},
	events.Index(), events.DeadIndex(),
}}

// view is the payment as its callers see it.
func (r *record) view() Payment {
	p := Payment{
		OrderID: r.ID, Version: r.Version, State: r.State, Amount: r.Amount, Captured: r.Captured,
		Refunded: money.Of(0, r.Captured.Currency), Reason: r.Reason, ActionURL: r.ActionURL, Card: r.Card,
		Attempts: slices.Clone(r.Attempts), UpdatedAt: r.UpdatedAt,
	}
	for _, b := range r.Refunds {
		if b.State == RefundSucceeded {
			p.Refunded = p.Refunded.Plus(b.Amount)
		}
		p.Refunds = append(p.Refunds, Refund{Key: b.Key, Amount: b.Amount, Reason: b.Reason, State: b.State, At: b.At})
	}
	return p
}

// left is what can still be given back.
func (r *record) left() money.Amount {
	left := r.Captured
	for _, b := range r.Refunds {
		if b.State != RefundFailed {
			left = left.Minus(b.Amount)
		}
	}
	return left
}

// key is the idempotency key of the payment's n-th try with a key of its own.
// It comes of the order, so that even a payment service that forgot
// everything would not charge an order twice within the processor's memory.
func (r *record) key(kind string, spent int) string {
	return r.ID + ":" + kind + ":" + strconv.Itoa(spent+1)
}

// A step is one call to the processor that a payment needs.
type step struct {
	kind   string
	key    string
	refund string // key of the refund it is about
	holder string
}

// The kinds of steps, as they stand in Attempt.Kind.
const (
	doAuthorise = "authorise"
	doCapture   = "capture"
	doVoid      = "void"
	doRefund    = "refund"
	doLookUp    = "look up"
)

// keyLife is how long a key is trusted to be remembered; Stripe promises 24 h.
const keyLife = 20 * time.Hour

// next says what the payment needs, or nil.
func (r *record) next(now time.Time) *step {
	switch r.State {
	case Authorising:
		if r.Doubt || r.Intent != "" || r.Begun != nil && now.Sub(*r.Begun) > keyLife {
			return &step{kind: doLookUp}
		}
		return &step{kind: doAuthorise, key: r.key(doAuthorise, r.Keys.Authorise)}
	case ActionNeeded:
		return &step{kind: doLookUp}
	case Capturing:
		if r.Doubt {
			return &step{kind: doLookUp}
		}
		return &step{kind: doCapture, key: r.key(doCapture, r.Keys.Capture)}
	case Voiding:
		switch {
		case r.Doubt || r.Intent == "" && now.Sub(*r.Begun) > keyLife:
			return &step{kind: doLookUp}
		case r.Intent == "":
			return &step{kind: doVoid, key: r.key(doAuthorise, r.Keys.Authorise)}
		}
		return &step{kind: doVoid, key: r.key(doVoid, r.Keys.Void)}
	}
	for _, b := range r.Refunds {
		switch {
		case b.State != RefundPending:
		case b.Foreign != "" || b.Doubt || now.Sub(b.Since) > keyLife:
			return &step{kind: doLookUp, refund: b.Key}
		default:
			return &step{kind: doRefund, key: r.key(doRefund+":"+b.Key, b.Spent), refund: b.Key}
		}
	}
	return nil
}

const (
	pollConfirmation = 15 * time.Second // asks whether the customer has confirmed, should no webhook come
	pollRefund       = 30 * time.Second // asks for refunds that the processor has accepted
)

// plan sets when the payment is to be looked after next.
func (r *record) plan(now time.Time) {
	r.NextAt = nil
	s := r.next(now)
	if s == nil {
		return
	}
	at := now
	if r.State == ActionNeeded {
		at = now.Add(pollConfirmation)
		if at.After(*r.ConfirmBy) {
			at = *r.ConfirmBy
		}
	} else if b := r.refunding(s.refund); b != nil && b.Foreign != "" {
		at = now.Add(pollRefund)
	}
	r.NextAt = &at
}

func (r *record) refunding(key string) *refunding {
	if key == "" {
		return nil
	}
	for i := range r.Refunds {
		if r.Refunds[i].Key == key {
			return &r.Refunds[i]
		}
	}
	return nil
}

func (r *record) leased(now time.Time) bool {
	return r.LeaseUntil != nil && r.LeaseUntil.After(now)
}

// moveTo changes the state and forgets what belonged to the old one.
func (r *record) moveTo(s State) {
	r.State, r.Doubt = s, false
	if s != ActionNeeded {
		r.ActionURL, r.ConfirmBy = "", nil
	}
}

// voided ends an attempt to void.
func (r *record) voided() {
	if r.GiveUp != "" {
		r.moveTo(Declined)
		r.Reason, r.GiveUp = r.GiveUp, ""
		return
	}
	r.moveTo(Voided)
}

// giveBackAll refunds whatever was taken and is not on its way back yet. Where
// an earlier refund failed, that is tried again.
func (r *record) giveBackAll(now time.Time) {
	if left := r.left(); left.Minor > 0 {
		key := voidKey + strconv.Itoa(len(r.Refunds)+1)
		r.Refunds = append(r.Refunds, refunding{Key: key, Amount: left, Reason: "voided", State: RefundPending, At: now, Since: now})
	}
}

const (
	voidKey = "void:"      // begins the keys of refunds that come of voiding
	deskKey = "processor:" // begins the keys of refunds made at the processor's desk
)

// adopt takes over what the processor says of the intent. It only moves
// forward, so news may come twice and in any order. It reports whether the
// intent is this payment's.
func (r *record) adopt(in Intent, now time.Time) bool {
	if in.OrderID != r.ID || r.Intent != "" && r.Intent != in.ID {
		return false
	}
	r.Intent = in.ID
	if in.Card != (Card{}) {
		r.Card = in.Card
	}
	switch in.Status {
	case IntentAction:
		if r.State == Authorising {
			r.moveTo(ActionNeeded)
			by := now.Add(ConfirmWithin)
			r.ActionURL, r.ConfirmBy = in.ActionURL, &by
		} else if r.State == ActionNeeded && !r.ConfirmBy.After(now) {
			r.moveTo(Voiding)
			r.GiveUp = ReasonNotConfirmed
		}
	case IntentRefused:
		switch r.State {
		case Authorising:
			r.moveTo(Declined)
			r.Reason = in.Reason
		case ActionNeeded:
			r.moveTo(Declined)
			r.Reason = ReasonNotConfirmed
		}
	case IntentHeld:
		switch r.State {
		case Authorising, ActionNeeded:
			r.moveTo(Authorised)
		case Declined:
			r.moveTo(Voiding)
			r.GiveUp = r.Reason
		case Voided:
			r.moveTo(Voiding)
		}
	case IntentTaken:
		r.Captured = in.Received
		switch r.State {
		case Authorising, ActionNeeded, Authorised, Capturing:
			r.moveTo(Captured)
		case Voiding, Voided, Declined:
			r.moveTo(Captured)
			r.Reason, r.GiveUp = "", ""
			r.giveBackAll(now)
		}
	case IntentCancelled:
		switch r.State {
		case Authorising, ActionNeeded:
			r.moveTo(Declined)
			r.Reason = ReasonNotConfirmed
		case Authorised:
			r.moveTo(Voided) // it ran out, or somebody did it at the processor's desk
		case Capturing:
			r.moveTo(Declined)
			r.Reason = ReasonDeclined
		case Voiding:
			r.voided()
		}
	}
	return true
}

// adoptRefund takes over what the processor says of one refund.
func (r *record) adoptRefund(g GivenBack) {
	b := r.refunding(g.Key)
	if b == nil {
		for i := range r.Refunds {
			if r.Refunds[i].Foreign == g.ID {
				b = &r.Refunds[i]
			}
		}
	}
	if b == nil {
		// Made at the processor's desk: it counts, or the books would not agree.
		r.Refunds = append(r.Refunds, refunding{Key: deskKey + g.ID, Amount: g.Amount, Reason: "made at the processor", State: g.State, At: g.At, Foreign: g.ID})
		return
	}
	if b.Foreign != "" && b.Foreign != g.ID {
		return
	}
	b.Foreign, b.Doubt = g.ID, false
	b.State = g.State
}

// begin records an attempt and takes the lease for it.
func (r *record) begin(s *step, holder string, now time.Time) {
	until := now.Add(leaseFor)
	s.holder = holder
	r.Holder, r.LeaseUntil, r.NextAt = holder, &until, &until
	if s.kind == doAuthorise && r.Begun == nil {
		r.Begun = &now
	}
	r.Attempts = append(r.Attempts, Attempt{Kind: s.kind, Key: s.key, At: now})
	if len(r.Attempts) > maxAttempts {
		r.Attempts = slices.Delete(r.Attempts, 0, len(r.Attempts)-maxAttempts)
	}
}

// end notes how the attempt came out and gives the lease back.
func (r *record) end(s *step, outcome string) {
	if r.Holder == s.holder {
		r.Holder, r.LeaseUntil = "", nil
	}
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		a := &r.Attempts[i]
		if a.Kind == s.kind && a.Key == s.key && a.Outcome == "" {
			a.Outcome = outcome
			return
		}
	}
}
