package invoice

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"ordergraph/platform/money"
	"ordergraph/services/cart"
)

// A quote as the cart service makes them, with whatever prices there may be.
func quotes(t *rapid.T) cart.Quote {
	currency := rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")
	of := func(n int64) money.Amount { return money.Of(n, currency) }
	included := rapid.Bool().Draw(t, "included")
	rates := []int64{0, 700, 810, 1900, 2550}
	tax := func(sum, rate int64) int64 {
		if included {
			return (sum*rate + (10_000+rate)/2) / (10_000 + rate)
		}
		return (sum*rate + 5_000) / 10_000
	}
	q := cart.Quote{}
	var sum, taxes int64
	for i := range rapid.IntRange(1, 30).Draw(t, "lines") {
		quantity := rapid.Int64Range(1, cart.MaxQuantity).Draw(t, "quantity")
		subtotal := quantity * rapid.Int64Range(0, 100_000).Draw(t, "price")
		off := rapid.Int64Range(0, subtotal).Draw(t, "off")
		if rapid.Bool().Draw(t, "whole") {
			off = 0
		}
		rate := rapid.SampledFrom(rates).Draw(t, "rate")
		l := cart.Line{
			Quantity: quantity, Subtotal: of(subtotal), Discount: of(off), Total: of(subtotal - off), TaxRate: rate, Tax: of(tax(subtotal-off, rate)),
			Item: cart.Item{SKU: fmt.Sprint("sku-", i), Title: "Thing"},
		}
		q.Lines = append(q.Lines, l)
		sum, taxes = sum+l.Total.Minor, taxes+l.Tax.Minor
	}
	if rapid.Bool().Draw(t, "shipped") {
		fee := rapid.Int64Range(0, 5_000).Draw(t, "fee")
		q.Rate, q.ShippingTaxRate = &cart.ShippingRate{Title: "Standard"}, rapid.SampledFrom(rates).Draw(t, "shipping rate")
		q.Cost.Shipping = of(fee)
		sum, taxes = sum+fee, taxes+tax(fee, q.ShippingTaxRate)
	}
	q.Cost.Currency, q.Cost.TaxIncluded, q.Cost.Total = currency, included, of(sum)
	if !included {
		q.Cost.Total = of(sum + taxes)
	}
	return q
}

// The rules of EN 16931, by their names there, on whatever was charged.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := quotes(t)
		b := calculate(q, "DE", rapid.SampledFrom([]string{"DE", "FR", "US"}).Draw(t, "to"))
		want := func(rule string, got, want int64) {
			if got != want {
				t.Errorf("%s: %d, want %d: %+v", rule, got, want, b)
			}
		}
		taxable := map[class]int64{}
		var lines, tax int64
		for _, l := range b.Lines {
			want("line net", l.Net, l.Price-l.Discount)
			if l.Net < 0 || l.Discount < 0 {
				t.Errorf("a negative line: %+v", l)
			}
			lines += l.Net
			taxable[l.Class] += l.Net
		}
		want("BR-CO-10", b.LineSum, lines)
		if b.Shipping != nil {
			want("BR-CO-12", b.Charges, b.Shipping.Net)
			if b.Shipping.Net != 0 {
				taxable[b.Shipping.Class] += b.Shipping.Net
			}
		}
		want("BR-CO-13", b.Net, b.LineSum+b.Charges)
		for _, x := range b.Taxes {
			want("BR-S-08", x.Taxable, taxable[x.Class])
			want("BR-CO-17", x.Tax, (x.Taxable*x.Class.Rate+5_000)/10_000)
			tax += x.Tax
			delete(taxable, x.Class)
		}
		if len(taxable) > 0 {
			t.Errorf("BR-CO-18: nothing is said of %v", taxable)
		}
		want("BR-CO-14", b.Tax, tax)
		want("BR-CO-15", b.Gross, b.Net+b.Tax)
		want("BR-CO-16", b.Gross-b.Paid+b.Rounding, 0)
		want("what was charged", b.Paid, q.Cost.Total.Minor)
		off, most := max(b.Rounding, -b.Rounding), int64(len(b.Taxes))
		if !q.Cost.TaxIncluded {
			most = int64(len(b.Lines)+1)/2 + most // the cart rounds each line
		}
		if off > most {
			t.Errorf("the rounding is %d, of %d rates and %d lines", b.Rounding, len(b.Taxes), len(b.Lines))
		}
	})
}

// A line's unit price times its quantity, rounded, is its price: rule R120 of
// Peppol BIS.
func TestUnitPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := line{Quantity: rapid.Int64Range(1, cart.MaxQuantity).Draw(t, "quantity"), Price: rapid.Int64Range(0, 1_000_000_000).Draw(t, "price")}
		digits := rapid.IntRange(0, 3).Draw(t, "digits")
		text := l.unitPrice(digits)
		var whole, frac, scale int64 = 0, 0, 1
		after := false
		for _, c := range text {
			switch {
			case c == '.':
				after = true
			case after:
				frac, scale = frac*10+int64(c-'0'), scale*10
			default:
				whole = whole*10 + int64(c-'0')
			}
		}
		minor := int64(1)
		for range digits {
			minor *= 10
		}
		// round(quantity × unit × minor units)
		all := l.Quantity * (whole*scale + frac) * minor
		if got := (2*all + scale) / (2 * scale); got != l.Price {
			t.Errorf("%d × %s is %d minor units, want %d", l.Quantity, text, got, l.Price)
		}
	})
}

func TestClasses(t *testing.T) {
	for _, c := range []struct {
		rate     int64
		from, to string
		want     string
	}{
		{1900, "DE", "DE", "S"}, {0, "DE", "DE", "Z"}, {0, "DE", "GR", "Z"}, {0, "DE", "US", "G"}, {2000, "DE", "GB", "S"}, {0, "IN", "US", "Z"},
	} {
		if got := classOf(c.rate, c.from, c.to); got.Category != c.want || got.Rate != c.rate {
			t.Errorf("%d from %s to %s: %+v, want %s", c.rate, c.from, c.to, got, c.want)
		}
	}
}
