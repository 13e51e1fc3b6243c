// Package order turns a cart into a paid order exactly once, whatever happens
// on the way.
package order

import (
	"context"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
)

// Service is the contract of the order service.
type Service interface {
	// Checkout makes an order of a cart. Everything is worked out again: the
	// price, the stock, the payment. The same idempotency key always gives
	// the same order and the same answer; with another input it is
	// ErrKeyReused. The order that comes back is CONFIRMED, FAILED with its
	// reason, or still on its way (PAYING: see Payment for what the customer
	// has to do, or watch its status). Input that no order can be made of is
	// answered with Problems and no order. Anyone may call it who knows the
	// cart's id.
	Checkout(ctx context.Context, who identity.Caller, in CheckoutInput) (CheckoutResult, error)
	// Get returns an order to who may see it: the customer it belongs to,
	// anyone with its access token, and who may identity.OrdersRead.
	// ErrNotFound for anyone else.
	Get(ctx context.Context, who identity.Caller, id, accessToken string) (Order, error)
	// List returns the caller's own orders, newest first; anybody's to who may
	// identity.OrdersRead. ErrSignIn for guests, ErrForbidden for another's
	// CustomerID, ErrInput, and ErrCursor for a cursor of another list.
	List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error)
	// Versions returns the present versions of orders, by id, and leaves out
	// those that do not exist; at most MaxVersions at once. It needs
	// identity.OrdersRead: ErrForbidden, ErrInput.
	Versions(ctx context.Context, who identity.Caller, ids []string) (map[string]int64, error)
	// Cancel ends an order that has not been shipped: stock goes back, money
	// is refunded. Whose order it is, or who has its access token, may cancel
	// it while it is CONFIRMED or earlier; who may identity.OrdersCancel can
	// cancel anybody's, also while FULFILLING. Repeating it is harmless.
	// ErrNotFound, ErrTooLate, ErrForbidden.
	Cancel(ctx context.Context, who identity.Caller, in CancelInput) (Order, error)
	// Refund gives part or all of the money back of an order that is confirmed
	// or later, and was not called off: never more than is left of what was
	// taken, and once for an idempotency key. The refund that comes back is
	// SUCCEEDED, FAILED where the processor refuses it, or PENDING: it then
	// ends by itself. An order that was sent is REFUNDED when all of its money
	// is back; a part changes its story only. It needs identity.PaymentsRefund.
	// ErrForbidden, ErrNotFound, ErrInput, ErrKeyReused, ErrNotRefundable,
	// ErrTooMuch, ErrNotSent.
	Refund(ctx context.Context, who identity.Caller, in RefundInput) (RefundResult, error)
	// Audit checks what must always hold on a stretch of all orders, against
	// what payment and inventory know of them. It needs
	// identity.OperationsRead: ErrForbidden, ErrCursor.
	Audit(ctx context.Context, who identity.Caller, after string) (AuditReport, error)
}

// Status is how far an order has come.
type Status string

// The states of an order:
//
//	PENDING → RESERVED → PAYING → CONFIRMED → FULFILLING → SHIPPED → DELIVERED
//	   └────────┴─────────┴──► FAILED   └───────────┴─► CANCELLED     └────────┴─► REFUNDED
//	                                                        └──────────────────────────┘
const (
	Pending    Status = "PENDING"    // stored; nothing promised yet
	Reserved   Status = "RESERVED"   // the goods are held
	Paying     Status = "PAYING"     // money is being taken
	Confirmed  Status = "CONFIRMED"  // paid, and the goods are the customer's
	Fulfilling Status = "FULFILLING" // being picked and packed
	Shipped    Status = "SHIPPED"
	Delivered  Status = "DELIVERED"
	Failed     Status = "FAILED"    // nothing sold, nothing charged; see Reason
	Cancelled  Status = "CANCELLED" // called off after it was confirmed; the refund is on its way
	Refunded   Status = "REFUNDED"  // all of the money is back: it was called off, or refunded after it was sent
)

// Reason is why an order failed.
type Reason string

// The reasons to fail.
const (
	ReasonOutOfStock        Reason = "OUT_OF_STOCK"
	ReasonCart              Reason = "CART_INVALID" // see Problem for the cart's own code
	ReasonCardDeclined      Reason = "CARD_DECLINED"
	ReasonInsufficientFunds Reason = "INSUFFICIENT_FUNDS"
	ReasonExpiredCard       Reason = "EXPIRED_CARD"
	ReasonInvalidMethod     Reason = "INVALID_PAYMENT_METHOD"
	ReasonNotConfirmed      Reason = "PAYMENT_NOT_CONFIRMED"
	ReasonPaymentFailed     Reason = "PAYMENT_UNAVAILABLE"
	ReasonCancelled         Reason = "CANCELLED" // called off before it was confirmed
	ReasonTimeout           Reason = "TIMEOUT"   // a step did not end within its deadline
)

// CheckoutInput is what an order is made of.
type CheckoutInput struct {
	CartID          string
	IdempotencyKey  string // 8 to 255 printable ASCII characters, best a UUID
	Email           string
	Phone           string // as people write it where the goods go, or international; kept in E.164; or empty
	ShippingAddress Address
	BillingAddress  *Address      // nil: the shipping address
	ShippingRate    string        // handle; "" where nothing must be shipped, or to take the cheapest
	PaymentMethod   string        // the processor's token for the card
	ReturnURL       string        // where the bank sends the customer back to
	Locale          string        // BCP 47, for messages and documents; "" means "en"
	ExpectTotal     *money.Amount // refuse to charge another total
}

// Address is where somebody lives.
type Address struct {
	FirstName string
	LastName  string
	Company   string
	Address1  string
	Address2  string
	City      string
	Province  string // ISO 3166-2 subdivision without the country, or empty
	Zip       string
	Country   string // ISO 3166-1 alpha-2
	Phone     string
}

// CheckoutResult is the answer to a checkout.
type CheckoutResult struct {
	Order       *Order // nil when Problems prevented it
	AccessToken string // shows the order to a guest; long, random, secret
	Problems    []cart.Problem
}

// An Order is a purchase and its whole story.
type Order struct {
	ID              string
	Number          string // short, for people: "K7M2-4QXD"
	Version         int64  // grows with every change of what is shown here
	Status          Status
	Reason          Reason         // of a failed one
	Problems        []cart.Problem // of a failed one: what the customer should know
	CreatedAt       time.Time
	UpdatedAt       time.Time
	CustomerID      string
	Email           string
	Phone           string
	Locale          string
	ShippingAddress Address
	BillingAddress  Address
	Quote           cart.Quote // lines, prices, discounts, tax, shipping as paid
	Payment         PaymentView
	Refunds         []Refund // oldest first; one for all of it where the order was called off
	Timeline        []Entry
	CancelReason    string
	// AccessToken shows the order to a guest. Only the program itself is given
	// it, for the links in what it writes to its customers.
	AccessToken string

	// How far the others have come, who work for it once it is confirmed: what
	// has been heard of them. They know more, and sooner.
	Parcels  Progress
	Papers   []Paper   // that can be had, in the order in which they were heard of
	Messages []Message // the latest of each kind and channel; for its customer, and who may identity.NotificationsRead
}

// PaymentView is what the customer may see of the payment.
type PaymentView struct {
	State     string // payment.State; "" while none was begun
	ActionURL string // where to confirm, while that is needed
	Brand     string
	Last4     string
	Captured  money.Amount
	Refunded  money.Amount
}

// A Refund is money given back, or about to be. What of the amount is neither
// for lines nor for the shipping was given for nothing in particular.
type Refund struct {
	ID       string       // within the order: "1", "2", …; RefundOfCancel where it was called off
	Amount   money.Amount // taxes included
	Lines    []RefundLine
	Shipping money.Amount // of the amount, for the shipping
	Reason   string       // for the customer; may be empty
	At       time.Time    // when it was asked for
	State    RefundState
}

// RefundOfCancel is the id of the refund of an order that was called off.
const RefundOfCancel = "cancel"

// RefundLine is units of one line that are given back.
type RefundLine struct {
	LineID   string // of the quote
	Quantity int64
	Amount   money.Amount // of the refund, for these units
}

// RefundState is how far a refund has come.
type RefundState string

// A refund is pending until the processor has done or refused it. One that
// succeeded is pending again if the bank sends it back.
const (
	RefundPending   RefundState = "PENDING"
	RefundSucceeded RefundState = "SUCCEEDED"
	RefundFailed    RefundState = "FAILED"
)

// Refundable is what can still be given back: nothing of an order whose money
// all goes back, or is back, by itself.
func (o Order) Refundable() money.Amount {
	left := o.Payment.Captured
	if o.Status == Cancelled || o.Status == Refunded {
		return money.Of(0, left.Currency)
	}
	for _, r := range o.Refunds {
		if r.State != RefundFailed {
			left = left.Minus(r.Amount)
		}
	}
	return left
}

// Entry is one step of an order's story.
type Entry struct {
	At     time.Time
	Status Status // the state it came into
	Cause  string // what brought it there, for people
}

// ListQuery asks for orders. What is given must all be true of an order; a
// zero field asks for nothing.
type ListQuery struct {
	CustomerID string    // only this customer's; for who may not see others', their own in any case
	Statuses   []Status  // only in one of these
	Number     string    // the only one with this number, as people write it: "k7m24qxd"
	Email      string    // only placed with this e-mail address, in capitals or not
	From       time.Time // only placed at this time or later
	Before     time.Time // only placed before this time
	Reverse    bool      // oldest first
	After      string    // cursor
	Limit      int       // at most 100
}

// MaxVersions is how many orders' versions are told at once.
const MaxVersions = 500

// Page is a stretch of orders. It may have fewer than were asked for, even
// none, and yet not be the last: where no index answers all of a query, so
// many orders at most are looked at for one page.
type Page struct {
	Orders  []Order
	Cursors []string // one per order
	HasMore bool
	End     string // the cursor behind which the next page begins; "" for the last one
}

// RefundInput gives money back: what was paid for units of lines, taxes
// included, what was paid for the shipping, or any amount.
type RefundInput struct {
	OrderID        string
	IdempotencyKey string // 8 to 255 printable ASCII characters, best a UUID
	Lines          []RefundUnits
	Shipping       bool          // what is left of what was paid for it
	Amount         *money.Amount // so much, whatever lines and shipping come to
	Reason         string        // for the customer, at most 500 bytes
	Restock        bool          // the units came back and can be sold again
}

// RefundUnits are units of one line.
type RefundUnits struct {
	LineID   string
	Quantity int64
}

// RefundResult is the answer to a refund.
type RefundResult struct {
	Order  Order
	Refund Refund
}

// CancelInput calls an order off.
type CancelInput struct {
	OrderID     string
	AccessToken string
	Reason      string // the customer's words, at most 500 bytes
}
