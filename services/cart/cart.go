// Package cart holds what a customer means to buy, and says at every look
// what it would cost now.
package cart

import (
	"context"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
)

// Limits of one cart. Going over is a Problem, not an error.
const (
	MaxLines    = 250
	MaxQuantity = 1_000 // units in one line
	MaxCodes    = 10
	KeepFor     = 30 * 24 * time.Hour // an untouched cart is kept this long
)

// Service is the contract of the cart service.
//
// A cart's id is its key: long, random, and all that a guest has to show. A
// cart that belongs to a customer is still reached by whoever knows its id, as
// in Shopify's Storefront API; but who the buyer is, beside the country, it
// tells the customer alone, and who may identity.CartsWrite. A cart that a
// signed-in caller makes or changes is the caller's if it was nobody's, and
// stays so. Carts that do not exist, are expired or completed answer
// ErrNotFound.
//
// Every answer is priced now: prices, stock, discounts, tax and shipping are
// never older than the call.
type Service interface {
	// Create makes a cart; problems with lines leave them out, the cart is made.
	Create(ctx context.Context, who identity.Caller, in CreateInput) (Result, error)
	// Get returns the cart, or ErrNotFound.
	Get(ctx context.Context, who identity.Caller, id string) (Cart, error)
	// AddLines adds to the cart; the same variant with the same attributes
	// becomes one line. Problems: nothing is changed.
	AddLines(ctx context.Context, who identity.Caller, id string, lines []LineInput) (Result, error)
	// UpdateLines changes lines by their id; quantity 0 removes. Line ids stay.
	// Problems: nothing is changed.
	UpdateLines(ctx context.Context, who identity.Caller, id string, lines []LineUpdate) (Result, error)
	// RemoveLines removes lines by their id. Problems: nothing is changed.
	RemoveLines(ctx context.Context, who identity.Caller, id string, lineIDs []string) (Result, error)
	// SetBuyer replaces the buyer's identity: country (for tax and shipping),
	// e-mail, phone. Naming another customer than oneself, or taking over
	// another's cart, needs identity.CartsWrite: ErrForbidden.
	SetBuyer(ctx context.Context, who identity.Caller, id string, buyer Buyer) (Result, error)
	// SetDiscountCodes replaces the codes. A code that does not apply stays
	// listed as not applicable, as in Shopify's API.
	SetDiscountCodes(ctx context.Context, who identity.Caller, id string, codes []string) (Result, error)
	// SetNote and SetAttributes replace the cart's note and attributes.
	SetNote(ctx context.Context, who identity.Caller, id, note string) (Result, error)
	SetAttributes(ctx context.Context, who identity.Caller, id string, attrs []Attribute) (Result, error)

	// Merge gives the caller, who has signed in, what a guest put into a cart:
	// it goes into the caller's current cart, the one that was changed last.
	// Equal lines become one, as AddLines would have it; what does not fit is
	// told as Warnings. Codes, note, attributes and the buyer's identity are
	// kept, and where both carts say something the caller's stays. From then on
	// both ids lead to the one cart. A caller without a cart is given the
	// guest's as it is. Repeating it changes nothing and answers the same.
	// Without a guest cart ("") it answers the caller's current cart under a
	// new id, ErrNotFound when there is none. A cart that an order is being
	// made of is a Problem, another customer's is ErrForbidden; ErrSignIn for
	// guests.
	Merge(ctx context.Context, who identity.Caller, guestCartID string) (Result, error)

	// Claim prices the cart for an order and marks it as this order's, so
	// that no other order can be made of it; discount codes are redeemed
	// within their limits in the same step. Repeating it for the same order
	// returns the same quote. Problems (empty, sold out, unknown, rate not
	// offered, code used up, another order has it) leave the cart unclaimed.
	// Only the program itself may call it.
	Claim(ctx context.Context, who identity.Caller, in ClaimInput) (Quote, []Problem, error)
	// Unclaim gives the cart and the codes back after the order failed.
	// Repeating it is harmless, and prevents a Claim of this order that is
	// still on its way (it answers ErrUnclaimed). ErrCompleted: the order was
	// confirmed. Only the program itself may call it.
	Unclaim(ctx context.Context, who identity.Caller, cartID, orderID string) error
	// Complete ends the cart after the order was confirmed: it is gone for
	// the customer. Repeating it is harmless. ErrUnclaimed: the order does not
	// have the cart. Only the program itself may call it.
	Complete(ctx context.Context, who identity.Caller, cartID, orderID string) error

	// PutDiscount adds or changes a discount code. It needs
	// identity.DiscountsWrite: ErrForbidden.
	PutDiscount(ctx context.Context, who identity.Caller, d Discount) (Discount, error)
	// Discounts lists all discount codes with their use. It needs
	// identity.DiscountsRead: ErrForbidden.
	Discounts(ctx context.Context, who identity.Caller, after string, limit int) (DiscountPage, error)
}

// CreateInput begins a cart.
type CreateInput struct {
	Lines      []LineInput
	Codes      []string
	Note       string
	Attributes []Attribute
	Buyer      Buyer
}

// LineInput adds units of a variant.
type LineInput struct {
	VariantID  string
	Quantity   int64 // 1 to MaxQuantity
	Attributes []Attribute
}

// LineUpdate changes a line; nil leaves a part as it is.
type LineUpdate struct {
	ID         string
	VariantID  *string
	Quantity   *int64
	Attributes *[]Attribute
}

// Attribute is a key and value of the shop's own, such as an engraving.
type Attribute struct{ Key, Value string }

// Buyer is who will pay, as far as it is known.
type Buyer struct {
	Country    string // ISO 3166-1 alpha-2; "" means the shop's own
	Email      string
	Phone      string
	CustomerID string `bson:"customerid,omitempty"` // guests' carts stay out of the index
}

// A Result is the cart after a change.
type Result struct {
	Cart     Cart
	Problems []Problem // why nothing, or not all, was changed
	Warnings []Problem // what was changed besides, such as a quantity lowered to the stock
}

// Code tells a program what a problem is; they are CartErrorCode and
// CheckoutErrorCode in the schema.
type Code string

// The problems that a buyer can have.
const (
	CodeInvalid             Code = "INVALID"
	CodeUnknownMerchandise  Code = "INVALID_MERCHANDISE_LINE" // no such variant
	CodeUnknownLine         Code = "INVALID_LINE"             // no such line in this cart
	CodeQuantity            Code = "INVALID_QUANTITY"         // less than 1
	CodeTooMany             Code = "MAXIMUM_EXCEEDED"         // more units, lines or codes than allowed
	CodeOutOfStock          Code = "OUT_OF_STOCK"             // nothing left
	CodeNotEnoughStock      Code = "NOT_ENOUGH_STOCK"         // fewer left than asked for
	CodeCountry             Code = "INVALID_COUNTRY"
	CodeEmpty               Code = "CART_EMPTY"
	CodeNotFound            Code = "CART_NOT_FOUND"
	CodeClaimed             Code = "CART_IN_CHECKOUT" // another order is being made of it
	CodeCompleted           Code = "CART_COMPLETED"   // an order was made of it
	CodeShippingUnavailable Code = "SHIPPING_RATE_UNAVAILABLE"
	CodeDiscount            Code = "DISCOUNT_NOT_APPLICABLE"
	CodeDiscountUsedUp      Code = "DISCOUNT_USED_UP"
)

// A Problem is an expected outcome that the buyer should see.
type Problem struct {
	Code    Code
	Field   []string // path into the input, in the public schema's names: "lines", "0", "merchandiseId"
	Message string
}

// A Cart is what it would cost now to buy what is in it.
type Cart struct {
	ID         string
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Lines      []Line
	Codes      []AppliedCode
	Note       string
	Attributes []Attribute
	Buyer      Buyer
	Cost       Cost
	Rates      []ShippingRate // offered to the buyer's country; none when nothing must be shipped
}

// A Line is units of one variant.
type Line struct {
	ID         string
	Quantity   int64
	Attributes []Attribute
	Item       Item
	Available  bool         // can be bought in this quantity now
	Subtotal   money.Amount // unit price × quantity
	Discount   money.Amount // taken off by codes
	Total      money.Amount // Subtotal - Discount
	Tax        money.Amount // contained in or added to Total, see Cost.TaxIncluded
	TaxRate    int64        // basis points: 1900 is 19 %
	Codes      []CodeShare  // which codes took how much
}

// CodeShare is what one code took off.
type CodeShare struct {
	Code   string
	Amount money.Amount
}

// Item is the variant as it was when the cart was priced.
type Item struct {
	VariantID        string
	ProductID        string
	SKU              string
	Title            string // of the product
	VariantTitle     string
	Handle           string
	Vendor           string
	ImageURL         string
	Options          []Option
	Price            money.Amount
	CompareAt        *money.Amount
	WeightGrams      int64
	RequiresShipping bool
	Taxable          bool
}

// Option is a selected option, such as Size: M.
type Option struct{ Name, Value string }

// AppliedCode is a discount code and whether it applies now.
type AppliedCode struct {
	Code       string
	Applicable bool
	Reason     string // why not, for people
}

// Cost is the sum of a cart or a quote.
type Cost struct {
	Currency    string
	Subtotal    money.Amount // lines after discounts, before shipping
	Discount    money.Amount // taken off lines and shipping
	Shipping    money.Amount // after discounts; of the chosen rate, zero while none is chosen
	Tax         money.Amount // of lines and shipping
	Total       money.Amount // to pay
	TaxIncluded bool         // prices contain the tax; otherwise it is added
}

// A ShippingRate is a way to send the goods.
type ShippingRate struct {
	Handle           string // "standard"
	Title            string
	Price            money.Amount // before discounts
	MinDays, MaxDays int
}

// ClaimInput makes an order of a cart.
type ClaimInput struct {
	CartID      string
	OrderID     string
	Country     string        // where it is sent to
	Province    string        // ISO 3166-2 without the country, where tax depends on it
	Rate        string        // handle of the shipping rate; "" takes the cheapest. Not looked at where nothing must be shipped
	Email       string        // a code's limit per customer counts by it, hashed
	ExpectTotal *money.Amount // refuse another total: CodeInvalid with field "expectedTotal"
}

// A Quote is a cart priced for one order: what will be paid.
type Quote struct {
	CartID          string
	Lines           []Line
	Codes           []AppliedCode
	Rate            *ShippingRate
	ShippingTax     money.Amount
	ShippingTaxRate int64 // basis points
	Cost            Cost
	Note            string
	Attributes      []Attribute
	Buyer           Buyer
}

// DiscountKind is what a code does.
type DiscountKind string

// The kinds of discount.
const (
	Percentage   DiscountKind = "PERCENTAGE"
	Fixed        DiscountKind = "FIXED"
	FreeShipping DiscountKind = "FREE_SHIPPING"
)

// A Discount is a code that takes something off.
type Discount struct {
	Code            string // upper case, 1 to 64 letters, digits, - and _; buyers may write it in lower case
	Kind            DiscountKind
	BasisPoints     int64        // of Percentage: 1000 is 10 %
	Amount          money.Amount // of Fixed
	Minimum         money.Amount // of the lines' sum; zero: none
	StartsAt        time.Time    // zero: at once
	EndsAt          time.Time    // zero: never
	UsageLimit      int64        // orders in all; 0: no limit
	OncePerCustomer bool
	Used            int64 // orders that redeemed it and did not fail
}

// DiscountPage is a stretch of the discounts.
type DiscountPage struct {
	Discounts []Discount
	Next      string
}
