package invoice

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"ordergraph/platform/money"
	"ordergraph/services/cart"
)

// A bill is the arithmetic of a document, in minor units, as EN 16931 wants it:
// the lines' net amounts add up, with the shipping, to what is taxed at each
// rate; the tax at each rate is worked out once, of that sum; and the totals
// are the sums of these. What the standard calls each is noted beside it.
type bill struct {
	Lines    []line    `bson:"lines"`
	Shipping *shipping `bson:"shipping,omitempty"` // nil: nothing is sent
	Taxes    []taxed   `bson:"taxes"`
	LineSum  int64     `bson:"lineSum"`  // BT-106
	Charges  int64     `bson:"charges"`  // BT-108
	Net      int64     `bson:"net"`      // BT-109
	Tax      int64     `bson:"tax"`      // BT-110
	Gross    int64     `bson:"gross"`    // BT-112
	Paid     int64     `bson:"paid"`     // BT-113: what was charged
	Rounding int64     `bson:"rounding"` // BT-114: Paid - Gross; BT-115, what is due, is nothing
}

type line struct {
	SKU      string   `bson:"sku"`
	Title    string   `bson:"title"`
	Variant  string   `bson:"variant,omitempty"`
	Quantity int64    `bson:"quantity"`
	Price    int64    `bson:"price"`           // of all units, net, before discounts
	Discount int64    `bson:"discount"`        // BT-136, net
	Net      int64    `bson:"net"`             // BT-131: Price - Discount
	Codes    []string `bson:"codes,omitempty"` // which discounts it had
	Class    class    `bson:"class"`
}

type shipping struct {
	Title string `bson:"title"`
	Net   int64  `bson:"net"` // BT-99
	Class class  `bson:"class"`
}

// A class is what is taxed alike.
type class struct {
	Category string `bson:"category"` // UNCL 5305
	Rate     int64  `bson:"rate"`     // basis points
}

// The categories of tax that there are.
const (
	standardRate = "S"
	zeroRate     = "Z"
	export       = "G" // from the European Union to elsewhere
)

type taxed struct {
	Class   class `bson:",inline"`
	Taxable int64 `bson:"taxable"` // BT-116
	Tax     int64 `bson:"tax"`     // BT-117
}

// classOf is how something at this rate is taxed that goes from one country to
// another.
func classOf(rate int64, from, to string) class {
	switch {
	case rate > 0:
		return class{standardRate, rate}
	case inUnion(from) && !inUnion(to):
		return class{export, 0}
	}
	return class{zeroRate, 0}
}

var union = language.MustParseRegion("EU")

// inUnion reports whether the country is in the European Union.
func inUnion(country string) bool {
	region, err := language.ParseRegion(country)
	return err == nil && union.Contains(region)
}

// calculate makes the bill of what was charged.
//
// Where prices contain the tax, what is taxed at a rate is the sum of which
// sum and tax come nearest to the prices charged at that rate. That is them
// exactly, or a minor unit off: at 19 %, no net amount in cents gives 0.04.
// The net amounts of the lines are its shares by their prices. What remains
// between the standard's total and what was charged is the rounding amount.
func calculate(q cart.Quote, from, to string) bill {
	b := bill{Paid: q.Cost.Total.Minor}
	parts := map[class][]*int64{} // where the shares of what is taxed go
	charged := map[class][]int64{}
	var classes []class
	take := func(c class, net *int64, charge int64) {
		if !slices.Contains(classes, c) {
			classes = append(classes, c)
		}
		parts[c], charged[c] = append(parts[c], net), append(charged[c], charge)
	}
	b.Lines = make([]line, len(q.Lines))
	for i := range q.Lines {
		l := &q.Lines[i]
		b.Lines[i] = line{
			SKU: l.Item.SKU, Title: l.Item.Title, Quantity: l.Quantity, Class: classOf(l.TaxRate, from, to),
		}
		if v := l.Item.VariantTitle; v != "" && v != "Default Title" {
			b.Lines[i].Variant = v
		}
		for _, c := range l.Codes {
			b.Lines[i].Codes = append(b.Lines[i].Codes, c.Code)
		}
		take(b.Lines[i].Class, &b.Lines[i].Net, l.Total.Minor)
	}
	if q.Rate != nil {
		b.Shipping = &shipping{Title: q.Rate.Title, Class: classOf(q.ShippingTaxRate, from, to)}
		if fee := q.Cost.Shipping.Minor; fee != 0 {
			take(b.Shipping.Class, &b.Shipping.Net, fee)
		}
	}
	slices.SortFunc(classes, func(x, y class) int {
		return cmp.Or(cmp.Compare(y.Rate, x.Rate), cmp.Compare(y.Category, x.Category))
	})
	for _, c := range classes {
		var sum int64
		for _, n := range charged[c] {
			sum += n
		}
		if q.Cost.TaxIncluded {
			sum = netOf(sum, c.Rate)
		}
		for i, share := range money.Of(sum, "").Split(charged[c]) {
			*parts[c][i] = share.Minor
		}
		t := taxed{Class: c, Taxable: sum, Tax: taxOn(sum, c.Rate)}
		b.Taxes = append(b.Taxes, t)
		b.Tax += t.Tax
	}
	for i := range b.Lines {
		l := &b.Lines[i]
		l.Price = l.Net
		if q.Lines[i].Discount.Minor > 0 {
			before := q.Lines[i].Subtotal.Minor
			if q.Cost.TaxIncluded {
				before = netOf(before, l.Class.Rate)
			}
			l.Price = max(before, l.Net)
			l.Discount = l.Price - l.Net
		}
		b.LineSum += l.Net
	}
	if b.Shipping != nil {
		b.Charges = b.Shipping.Net
	}
	b.Net = b.LineSum + b.Charges
	b.Gross = b.Net + b.Tax
	b.Rounding = b.Paid - b.Gross
	return b
}

// taxOn is the tax on a net sum, half a minor unit rounded up.
func taxOn(net, rate int64) int64 { return money.Of(net, "").BasisPoints(rate).Minor }

// netOf is the net sum that comes nearest, with its tax, to what was charged.
func netOf(charged, rate int64) int64 {
	n := new(big.Int).Mul(big.NewInt(charged), big.NewInt(10_000))
	near := n.Quo(n, big.NewInt(10_000+rate)).Int64()
	off := func(net int64) int64 {
		d := net + taxOn(net, rate) - charged
		return max(d, -d)
	}
	if off(near+1) < off(near) {
		near++
	}
	return near
}

// unitPrice is BT-146, a decimal number with as few digits as give the price
// of all units exactly when it is multiplied and rounded.
func (l *line) unitPrice(digits int) string {
	const most = 6 // 1,000 units of half of 10^-6 are less than half a minor unit of any currency
	q := max(l.Quantity, 1)
	for d := digits; ; d++ {
		scale := int64(1)
		for range d - digits {
			scale *= 10
		}
		// round(price × scale / quantity)
		n := new(big.Int).Mul(big.NewInt(l.Price), big.NewInt(2*scale))
		n.Add(n, big.NewInt(q)).Quo(n, big.NewInt(2*q))
		unit := n.Int64()
		if d >= most || unit*q == l.Price*scale {
			return decimal(unit, d)
		}
	}
}

// decimal writes minor units with a point before so many digits.
func decimal(minor int64, digits int) string {
	sign, text := "", strconv.FormatInt(minor, 10)
	if minor < 0 {
		sign, text = "-", text[1:]
	}
	if digits == 0 {
		return sign + text
	}
	if len(text) <= digits {
		text = strings.Repeat("0", digits-len(text)+1) + text
	}
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// percent writes basis points: "19", "25.5".
func percent(rate int64) string {
	text := decimal(rate, 2)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
