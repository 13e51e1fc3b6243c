package cart

import (
	"slices"
	"time"

	"ordergraph/platform/docstore"
)

// A cartDoc is a cart as it is kept: what the buyer means to buy, not what it
// costs. A claim, once there is one, carries what it cost then.
type cartDoc struct {
	docstore.Meta `bson:",inline"`
	CreatedAt     time.Time   `bson:"created"`
	UpdatedAt     time.Time   `bson:"updated"`
	Expires       *time.Time  `bson:"expires,omitempty"` // nil while an order has the cart
	Lines         []lineDoc   `bson:"lines,omitempty"`
	Filled        bool        `bson:"filled,omitempty"` // there was a line in it once; see fill
	Codes         []string    `bson:"codes,omitempty"`
	Note          string      `bson:"note,omitempty"`
	Attributes    []Attribute `bson:"attributes,omitempty"`
	Buyer         Buyer       `bson:"buyer"`
	Claim         *claimDoc   `bson:"claim,omitempty"`
	Refused       []refusal   `bson:"refused,omitempty"` // orders that gave the cart back, latest last
	Merge         *mergeDoc   `bson:"merge,omitempty"`   // nil unless the cart went into another
	Merged        []mergedDoc `bson:"merged,omitempty"`  // guests' carts that came into it, latest last
}

// A lineDoc is units of one variant. Title and the like are what the buyer
// last saw of it, for when it vanishes from the catalogue.
type lineDoc struct {
	ID           string      `bson:"id"`
	VariantID    string      `bson:"variant"`
	Quantity     int64       `bson:"quantity"`
	Attributes   []Attribute `bson:"attributes,omitempty"`
	ProductID    string      `bson:"product,omitempty"`
	SKU          string      `bson:"sku,omitempty"`
	Title        string      `bson:"title,omitempty"`
	VariantTitle string      `bson:"variantTitle,omitempty"`
	Handle       string      `bson:"handle,omitempty"`
	ImageURL     string      `bson:"image,omitempty"`
}

// A claimDoc says which order has the cart, and on what terms.
type claimDoc struct {
	Order string     `bson:"order"`
	Token string     `bson:"token"` // names this claim among all claims; the holds on codes carry it
	State claimState `bson:"state"`
	At    time.Time  `bson:"at"`
	Uses  []use      `bson:"uses,omitempty"` // of codes, to be redeemed; sorted by code
	Quote Quote      `bson:"quote"`          // without the cart's id
}

// A use of a code by the order that has the cart.
type use struct {
	Code     string `bson:"code"`
	Customer string `bson:"customer,omitempty"` // hash of the e-mail; of codes for once per customer
}

type claimState string

const (
	redeeming claimState = "redeeming" // codes are being redeemed; nobody was promised anything
	held      claimState = "held"      // the quote stands
	completed claimState = "completed" // the order was confirmed
)

// A refusal remembers an order that gave the cart back, so that its Claim
// does not come after all, and what it has to give back besides.
type refusal struct {
	Order string    `bson:"order"`
	At    time.Time `bson:"at"`
	Token string    `bson:"token,omitempty"`
	Uses  []use     `bson:"uses,omitempty"`
}

// At most maxRefusals are remembered, and none longer than refusalKept: a
// call outlives its deadline by seconds, not by hours.
const (
	maxRefusals = 1_000
	refusalKept = 24 * time.Hour
)

// keepCompleted is how long a completed cart is kept for calls that repeat.
const keepCompleted = 7 * 24 * time.Hour

// touchEvery is how often at most the expiry of a cart in use is put off.
const touchEvery = 24 * time.Hour

var cartSpec = docstore.Spec{Name: "carts", Indexes: []docstore.Index{
	{Name: "expires", Fields: []string{"expires"}},
	{Name: indexCustomer, Fields: []string{"buyer.customerid", "updated"}},
	{Name: indexMerging, Fields: []string{"merge.due"}},
}}

const (
	indexCustomer = "customer"
	indexMerging  = "merging"
)

// touch puts the expiry off if that has not been done lately. Kept for
// touchEvery longer, the cart is never deleted before its time.
func (c *cartDoc) touch(now time.Time) (moved bool) {
	if c.Expires != nil && now.Add(KeepFor).Before(*c.Expires) {
		return false
	}
	until := now.Add(KeepFor + touchEvery)
	c.Expires = &until
	return true
}

// gone reports whether the customer no longer has this cart.
func (c *cartDoc) gone(now time.Time) bool {
	return c.isCompleted() || c.isExpired(now)
}

func (c *cartDoc) isCompleted() bool { return c.Claim != nil && c.Claim.State == completed }

func (c *cartDoc) isExpired(now time.Time) bool { return c.Expires != nil && !now.Before(*c.Expires) }

func (c *cartDoc) claimedBy(order string) bool { return c.Claim != nil && c.Claim.Order == order }

func (c *cartDoc) refused(order string) *refusal {
	i := slices.IndexFunc(c.Refused, func(r refusal) bool { return r.Order == order })
	if i < 0 {
		return nil
	}
	return &c.Refused[i]
}

// refuse remembers that the order gave the cart back.
func (c *cartDoc) refuse(r refusal) {
	kept := slices.DeleteFunc(c.Refused, func(old refusal) bool { return r.At.Sub(old.At) > refusalKept })
	c.Refused = append(kept[max(0, len(kept)-maxRefusals+1):], r)
}

// sameAs reports whether a buyer would see no difference.
func (c *cartDoc) sameAs(o *cartDoc) bool {
	return slices.EqualFunc(c.Lines, o.Lines, func(a, b lineDoc) bool {
		return a.ID == b.ID && a.VariantID == b.VariantID && a.Quantity == b.Quantity && slices.Equal(a.Attributes, b.Attributes)
	}) && slices.Equal(c.Codes, o.Codes) && c.Note == o.Note && slices.Equal(c.Attributes, o.Attributes) && c.Buyer == o.Buyer
}

// variants are the ids of what is in the cart, without repetition.
func (c *cartDoc) variants() []string {
	ids := make([]string, 0, len(c.Lines)+1)
	for _, l := range c.Lines {
		ids = append(ids, l.VariantID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// A discountDoc is a discount code and who is about to use it. Its id is the code.
type discountDoc struct {
	docstore.Meta `bson:",inline"`
	Discount      Discount   `bson:"discount"` // Used is not kept in it
	Settled       int64      `bson:"settled"`  // orders confirmed with it; each has a redemptionDoc
	Held          []hold     `bson:"held,omitempty"`
	HeldSince     *time.Time `bson:"heldSince,omitempty"` // of the oldest hold
}

// A hold is one use of a code by an order that is not confirmed yet.
type hold struct {
	Order    string    `bson:"order"`
	Cart     string    `bson:"cart"`  // key of the cart whose claim it belongs to,
	Token    string    `bson:"token"` // and the token of that claim
	Customer string    `bson:"customer,omitempty"`
	At       time.Time `bson:"at"`
}

// maxHeld bounds the orders that are on their way with one code at a time.
const maxHeld = 10_000

var discountSpec = docstore.Spec{Name: "discounts", Indexes: []docstore.Index{{Name: "held", Fields: []string{"heldSince"}}}}

func (d *discountDoc) used() int64 { return d.Settled + int64(len(d.Held)) }

func (d *discountDoc) public() Discount {
	out := d.Discount
	out.Used = d.used()
	return out
}

func (d *discountDoc) holdOf(order, token string) int {
	return slices.IndexFunc(d.Held, func(h hold) bool { return h.Order == order && h.Token == token })
}

// setHeld replaces the holds and keeps HeldSince true.
func (d *discountDoc) setHeld(held []hold) {
	d.Held, d.HeldSince = held, nil
	for _, h := range held {
		if d.HeldSince == nil || h.At.Before(*d.HeldSince) {
			d.HeldSince = &h.At
		}
	}
}

// A redemptionDoc says that an order was confirmed with a code. Its id names
// both, so there is one at most.
type redemptionDoc struct {
	docstore.Meta `bson:",inline"`
	Code          string    `bson:"code"`
	Customer      string    `bson:"customer,omitempty"` // hash; of codes for once per customer
	At            time.Time `bson:"at"`
}

func redemptionID(code, order string) string { return code + "/" + order }

var redemptionSpec = docstore.Spec{Name: "redemptions", Indexes: []docstore.Index{{Name: "customer", Fields: []string{"code", "customer"}}}}
