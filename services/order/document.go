package order

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/payment"
)

// A document is an order as it is kept: what the customer sees, what the saga
// needs to go on after a crash, and the facts that others have yet to hear.
type document struct {
	docstore.Meta `bson:",inline"`

	Number      string `bson:"number"`
	Key         string `bson:"key"`         // the customer's idempotency key
	Fingerprint string `bson:"fingerprint"` // of the input that came with it
	Token       string `bson:"token"`       // shows the order to a guest

	// Shown is the version in which what others see changed last. Most writes
	// change only what the saga and the outbox must know, and those who watch
	// the order are not told.
	Shown int64 `bson:"shown,omitempty"`

	Status    Status         `bson:"status"`
	Reason    Reason         `bson:"reason,omitempty"`
	Problems  []cart.Problem `bson:"problems,omitempty"`
	CreatedAt time.Time      `bson:"createdAt"`
	UpdatedAt time.Time      `bson:"updatedAt"`
	Timeline  []Entry        `bson:"timeline"`

	CustomerID string        `bson:"customerId,omitempty"`
	CartID     string        `bson:"cartId"`
	Email      string        `bson:"email"`
	Mail       string        `bson:"mail,omitempty"` // Email as it is compared; forgotten with it
	Phone      string        `bson:"phone,omitempty"`
	Locale     string        `bson:"locale"`
	ShipTo     Address       `bson:"shipTo"`
	BillTo     *Address      `bson:"billTo,omitempty"` // nil: ShipTo
	Rate       string        `bson:"rate,omitempty"`
	Method     string        `bson:"method,omitempty"` // the card's token; gone when the order has ended
	ReturnURL  string        `bson:"returnUrl,omitempty"`
	Expect     *money.Amount `bson:"expect,omitempty"`

	Quote   *cart.Quote `bson:"quote,omitempty"` // once the cart is claimed and the goods are held
	Payment PaymentView `bson:"payment"`

	// What others have done about it, as far as is known here.
	Progress Progress  `bson:"progress"` // with its consignments
	Papers   []Paper   `bson:"papers,omitempty"`
	Messages []Message `bson:"messages,omitempty"`

	Saga   saga          `bson:"saga"`
	Cancel *cancellation `bson:"cancel,omitempty"`

	Refunds []refund `bson:"refunds,omitempty"`

	Outbox events.Outbox `bson:"outbox"`

	Erasure *erasure `bson:"erasure,omitempty"` // the customer asked to be forgotten
}

// An outline is as much of a document as tells what others see as its version.
type outline struct {
	docstore.Meta `bson:",inline"`
	Shown         int64 `bson:"shown,omitempty"`
}

// version is of a document written before there was a Shown its own.
func (o outline) version() int64 {
	if o.Shown == 0 {
		return o.Meta.Version
	}
	return o.Shown
}

// saga is what whoever drives the order next must know.
type saga struct {
	// Due is when somebody must look at the order; nil: nothing is to be done.
	// While a driver is at it, Due is when its lease ends, so that the sweeper
	// finds the orders of a killed process in the same index.
	Due   *time.Time `bson:"due,omitempty"`
	Owner string     `bson:"owner,omitempty"` // the driver that holds the lease; "": nobody
	// Waits counts how often in a row the order was put aside without progress.
	Waits int `bson:"waits,omitempty"`

	// PayingSince is when the payment may first have been begun. Without it
	// there is no payment to give up.
	PayingSince *time.Time `bson:"payingSince,omitempty"`
	// Undo is the decision to give everything back, and why. It is final,
	// except that an order whose goods turn out to be sold is Sold instead.
	Undo Reason `bson:"undo,omitempty"`
	// Sold: paid, and the goods have left the stock. There is only the way forward.
	Sold bool `bson:"sold,omitempty"`
	// CartLeft: the order is confirmed and its cart has yet to be ended.
	CartLeft bool `bson:"cartLeft,omitempty"`
}

// cancellation is the wish to call the order off.
type cancellation struct {
	At     time.Time `bson:"at"`
	Reason string    `bson:"reason,omitempty"` // in the customer's words
	Staff  bool      `bson:"staff,omitempty"`
}

var spec = docstore.Spec{Name: "orders", Indexes: []docstore.Index{
	{Name: indexKey, Fields: []string{"key"}, Unique: true},
	{Name: indexNumber, Fields: []string{"number"}, Unique: true},
	{Name: "due", Fields: []string{"saga.due"}},
	{Name: indexCreated, Fields: []string{"createdAt"}},
	{Name: indexStatus, Fields: []string{"status", "createdAt"}},
	{Name: indexCustomer, Fields: []string{"customerId", "createdAt"}},
	{Name: indexMail, Fields: []string{"mail", "createdAt"}},
	{Name: "cart", Fields: []string{"cartId"}},
	{Name: indexErase, Fields: []string{"erasure.due"}},
	events.Index(), events.DeadIndex(),
}}

const (
	indexKey      = "key"
	indexNumber   = "number"
	indexCreated  = "created"
	indexStatus   = "status"
	indexCustomer = "customer"
	indexMail     = "mail"
)

// identify gives the document a new id, a number made of it, and a secret.
func (d *document) identify() {
	id := uuid.Must(uuid.NewV7())
	d.ID, d.Number, d.Token = id.String(), numberOf(id), newToken()
}

// numberOf writes 40 of the id's random bits in Crockford's base32: eight
// characters that nobody confuses on the telephone. A unique index sees to it
// that no two orders have the same.
func numberOf(id uuid.UUID) string {
	var bits uint64
	for _, b := range id[11:] {
		bits = bits<<8 | uint64(b)
	}
	var out [9]byte
	for i := len(out) - 1; i >= 0; i-- {
		if i == 4 {
			out[i] = '-'
			continue
		}
		out[i] = crockford[bits&31]
		bits >>= 5
	}
	return string(out[:])
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// parseNumber reads a number as people write it: in small letters, without
// the hyphen or with blanks, and with the letters that Crockford's base32
// leaves out for the digits they look like.
func parseNumber(s string) (number string, ok bool) {
	s = strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(s) != 8 || strings.Trim(s, crockford) != "" {
		return "", false
	}
	return s[:4] + "-" + s[4:], true
}

// mailOf is an e-mail address as it is compared: most mail servers take
// capitals for small letters, and people write either.
func mailOf(email string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSpace(email)))
}

// newToken is 256 random bits, in 43 characters that fit into a URL.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open reports whether the order has neither been confirmed nor failed.
func (d *document) open() bool {
	return d.Status == Pending || d.Status == Reserved || d.Status == Paying
}

// steady reports that nothing is to be done.
func (d *document) steady() bool { return d.Saga.Due == nil }

// leased reports whether a driver holds the order.
func (d *document) leased(now time.Time) bool {
	return d.Saga.Owner != "" && d.Saga.Due != nil && d.Saga.Due.After(now)
}

// enter brings the order into a state and notes it in its story.
func (d *document) enter(status Status, now time.Time, cause string) {
	d.Status, d.UpdatedAt = status, now
	d.Timeline = append(d.Timeline, Entry{At: now, Status: status, Cause: cause})
}

// rest says that nothing is left to do.
func (d *document) rest() {
	d.Saga.Due, d.Saga.Owner, d.Saga.Waits = nil, "", 0
	d.Method, d.ReturnURL = "", "" // nobody will need them again
}

// see takes over what the customer may see of the payment.
func (d *document) see(p payment.Payment) {
	d.Payment = viewOf(p)
}

func viewOf(p payment.Payment) PaymentView {
	v := PaymentView{State: string(p.State), Brand: p.Card.Brand, Last4: p.Card.Last4, Captured: p.Captured, Refunded: p.Refunded}
	if p.State == payment.ActionNeeded {
		v.ActionURL = p.ActionURL
	}
	if v.Captured.Currency == "" {
		v.Captured.Currency = p.Amount.Currency
	}
	if v.Refunded.Currency == "" {
		v.Refunded.Currency = p.Amount.Currency
	}
	return v
}

// billing is where the invoice goes.
func (d *document) billing() Address {
	if d.BillTo != nil {
		return *d.BillTo
	}
	return d.ShipTo
}

// order is the document as others see it. It shares nothing with d.
func (d *document) order() Order {
	o := Order{
		ID: d.ID, Number: d.Number, Version: outline{d.Meta, d.Shown}.version(), Status: d.Status, Reason: d.Reason,
		Problems: copyProblems(d.Problems), CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
		CustomerID: d.CustomerID, Email: d.Email, Phone: d.Phone, Locale: d.Locale,
		ShippingAddress: d.ShipTo, BillingAddress: d.billing(),
		Payment: d.Payment, Refunds: d.refunds(), Timeline: slices.Clone(d.Timeline),
		Parcels: d.Progress, Papers: slices.Clone(d.Papers), Messages: slices.Clone(d.Messages),
	}
	if d.Status != Failed {
		o.Problems = nil // the reasons of an order that is being given back are told when it has failed
	}
	if d.Quote != nil {
		o.Quote = *d.Quote // decoded for this answer alone
	}
	if d.Cancel != nil {
		o.CancelReason = d.Cancel.Reason
	}
	return o
}

// belongsTo reports whether the caller is the order's customer.
func (d *document) belongsTo(who identity.Caller) bool {
	return who.CustomerID != "" && d.CustomerID == who.CustomerID
}

// orderFor is the order as its own customer sees it, or staff. What its
// customer was told is for staff who may read messages.
func (d *document) orderFor(who identity.Caller, own bool) Order {
	o := d.order()
	if !own && !who.May(identity.NotificationsRead) {
		o.Messages = nil
	}
	return o
}

func copyProblems(problems []cart.Problem) []cart.Problem {
	problems = slices.Clone(problems)
	for i := range problems {
		problems[i].Field = slices.Clone(problems[i].Field)
	}
	return problems
}
