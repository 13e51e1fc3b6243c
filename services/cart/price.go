package cart

import (
	"cmp"
	"slices"
	"time"

	"ordergraph/platform/money"
)

// A basket is all that a price depends on, as plain data.
type basket struct {
	Lines    []ware
	Codes    []entered // as the buyer entered them, without repetition
	Country  string
	Province string
	Rate     string // handle of the chosen shipping rate
	Choose   bool   // a rate is to be chosen: Rate, or the cheapest where Rate is ""
	Now      time.Time
}

// A ware is one line to be priced.
type ware struct {
	Price    int64 // of one unit, in minor units
	Quantity int64
	Grams    int64 // of one unit
	Ships    bool
	Taxable  bool
}

// entered is a code that the buyer has, with the discount behind it, if any.
type entered struct {
	Code     string
	Discount *Discount
	UsedByMe bool // the limit of once per customer is reached
}

// A priced basket. Lines and Codes stand in the basket's order.
type priced struct {
	Lines           []pricedLine
	Codes           []AppliedCode
	Spent           []bool // per code: it does not apply because it is used up
	Rates           []ShippingRate
	Rate            *ShippingRate // the chosen one, if it is offered
	Ships           bool          // there is something to be shipped
	ShippingTax     money.Amount
	ShippingTaxRate int64
	Cost            Cost
}

type pricedLine struct {
	Price, Subtotal, Discount, Total, Tax money.Amount
	TaxRate                               int64
	Codes                                 []CodeShare
}

// price works out what a basket costs. It is a function of its arguments
// alone.
//
// Codes combine in one order, whatever order they were entered in:
// percentages first, the greatest first, each of what the former left; then
// fixed amounts, the greatest first, up to what is left; free shipping last.
// What a code takes off is divided over the lines by their worth, to the last
// minor unit. The minimum of a code counts the lines before any discount.
// Tax is rounded per line and for the shipping.
func (r Rules) price(b basket) priced {
	amount := func(minor int64) money.Amount { return money.Of(minor, r.Currency) }
	p := priced{Lines: make([]pricedLine, len(b.Lines)), Spent: make([]bool, len(b.Codes))}

	left := make([]int64, len(b.Lines)) // of each line, after the discounts so far
	var gross, grams int64
	var anyTaxable bool
	for i, w := range b.Lines {
		left[i] = w.Price * w.Quantity
		gross += left[i]
		if w.Ships {
			p.Ships = true
			grams += w.Grams * w.Quantity
			anyTaxable = anyTaxable || w.Taxable
		}
		p.Lines[i].Price, p.Lines[i].Subtotal = amount(w.Price), amount(left[i])
	}

	sum := gross // after the discounts so far
	reasons := make([]string, len(b.Codes))
	var freeShipping bool
	for _, i := range r.turns(b.Codes) {
		c := b.Codes[i]
		reasons[i], p.Spent[i] = c.refusal(b.Now, gross, r.Currency)
		if reasons[i] != "" {
			continue
		}
		var off int64
		switch c.Discount.Kind {
		case Percentage:
			off = share(sum, c.Discount.BasisPoints, 10_000)
		case Fixed:
			off = min(c.Discount.Amount.Minor, sum)
		case FreeShipping:
			switch {
			case !p.Ships:
				reasons[i] = "Nothing in the cart needs shipping."
			case freeShipping:
				reasons[i] = "Shipping is free already."
			}
			freeShipping = freeShipping || p.Ships
			continue
		}
		if off == 0 {
			reasons[i] = "There is nothing it could take off."
			continue
		}
		sum -= off
		for l, part := range amount(off).Split(left) {
			if part.Minor == 0 {
				continue
			}
			left[l] -= part.Minor
			p.Lines[l].Codes = append(p.Lines[l].Codes, CodeShare{Code: c.Code, Amount: part})
		}
	}
	for i, c := range b.Codes {
		p.Codes = append(p.Codes, AppliedCode{Code: c.Code, Applicable: reasons[i] == "", Reason: reasons[i]})
	}

	tax := taxUpon
	if r.TaxIncluded {
		tax = taxWithin
	}
	var taxes int64
	for i := range p.Lines {
		l := &p.Lines[i]
		l.Total = amount(left[i])
		l.Discount = l.Subtotal.Minus(l.Total)
		l.TaxRate = r.Taxes.rate(b.Country, b.Province, b.Lines[i].Taxable)
		l.Tax = amount(tax(l.Total.Minor, l.TaxRate))
		taxes += l.Tax.Minor
	}

	var fee, feeOff int64
	if p.Ships {
		p.Rates = r.rates(b.Country, grams, sum)
		if b.Choose {
			p.Rate = chosen(p.Rates, b.Rate)
		}
		if p.Rate != nil {
			fee = p.Rate.Price.Minor
			if freeShipping {
				fee, feeOff = 0, fee
			}
			p.ShippingTaxRate = r.Taxes.shippingRate(b.Country, b.Province, anyTaxable)
		}
	}
	p.ShippingTax = amount(tax(fee, p.ShippingTaxRate))
	taxes += p.ShippingTax.Minor

	total := sum + fee
	if !r.TaxIncluded {
		total += taxes
	}
	p.Cost = Cost{
		Currency: r.Currency, Subtotal: amount(sum), Discount: amount(gross - sum + feeOff), Shipping: amount(fee),
		Tax: amount(taxes), Total: amount(total), TaxIncluded: r.TaxIncluded,
	}
	return p
}

func chosen(rates []ShippingRate, handle string) *ShippingRate {
	for _, rate := range rates {
		if handle == "" || rate.Handle == handle {
			return &rate
		}
	}
	return nil
}

// turns is the order in which codes are applied, as places in codes.
func (r Rules) turns(codes []entered) []int {
	turn := make([]int, len(codes))
	for i := range turn {
		turn[i] = i
	}
	rank := func(e entered) (kind int, size int64) {
		switch {
		case e.Discount == nil:
			return 3, 0
		case e.Discount.Kind == Percentage:
			return 0, e.Discount.BasisPoints
		case e.Discount.Kind == Fixed:
			return 1, e.Discount.Amount.Minor
		}
		return 2, 0
	}
	slices.SortFunc(turn, func(i, j int) int {
		kindI, sizeI := rank(codes[i])
		kindJ, sizeJ := rank(codes[j])
		return cmp.Or(cmp.Compare(kindI, kindJ), cmp.Compare(sizeJ, sizeI), cmp.Compare(codes[i].Code, codes[j].Code))
	})
	return turn
}

// refusal is why a code does not apply to lines of this sum now, or "". spent
// tells that it would, had it not been used as often as it may be.
func (e entered) refusal(now time.Time, gross int64, currency string) (reason string, spent bool) {
	d := e.Discount
	switch {
	case d == nil:
		return "There is no such code.", false
	case !d.StartsAt.IsZero() && now.Before(d.StartsAt):
		return "This code is not valid yet.", false
	case !d.EndsAt.IsZero() && !now.Before(d.EndsAt):
		return "This code is no longer valid.", false
	case d.Kind == Fixed && d.Amount.Currency != currency, d.Minimum.Minor > 0 && d.Minimum.Currency != currency:
		return "This code is for another currency.", false
	case gross < d.Minimum.Minor:
		return "This code needs a purchase of at least " + d.Minimum.String() + ".", false
	case d.UsageLimit > 0 && d.Used >= d.UsageLimit:
		return "This code has been used up.", true
	case e.UsedByMe:
		return "You have used this code before.", true
	}
	return "", false
}
