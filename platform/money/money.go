// Package money counts it: in minor units, so that no cent is ever lost to a
// floating point.
package money

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"ordergraph/platform/fault"
)

// ErrAmount is an amount that is not a decimal number, or has more digits
// than its currency.
var ErrAmount = fault.New(fault.Invalid, "money.amount", "This is not an amount of money.")

// ErrCurrency is a currency code that ISO 4217 does not know.
var ErrCurrency = fault.New(fault.Invalid, "money.currency", "This is not an ISO 4217 currency code.")

// An Amount is a sum of money in the minor unit of its currency: 1999 "EUR"
// is 19.99 euro, 1999 "JPY" is 1999 yen.
type Amount struct {
	Minor    int64  `bson:"minor"`
	Currency string `bson:"currency"`
}

// Of is the amount of minor units in a currency.
func Of(minor int64, currency string) Amount { return Amount{minor, currency} }

// Parse reads a decimal number, with a point and without thousands marks, as
// an amount: "19.99" "EUR" is 1999 minor units.
func Parse(decimal, code string) (Amount, error) {
	digits, ok := currency.GetDigits(code)
	if !ok {
		return Amount{}, ErrCurrency.Say("%q is not an ISO 4217 currency code.", code)
	}
	whole, frac, _ := strings.Cut(strings.TrimSpace(decimal), ".")
	bad := func() (Amount, error) {
		return Amount{}, ErrAmount.Say("%q is not an amount in %s: write it like 19.99, with at most %d decimals.", decimal, code, digits)
	}
	for len(frac) > int(digits) && strings.HasSuffix(frac, "0") {
		frac = frac[:len(frac)-1]
	}
	if len(frac) > int(digits) || strings.Trim(frac, "0123456789") != "" ||
		strings.TrimLeft(strings.TrimPrefix(whole, "-"), "0123456789") != "" || whole == "" || whole == "-" {
		return bad()
	}
	minor, err := strconv.ParseInt(whole+frac+strings.Repeat("0", int(digits)-len(frac)), 10, 64)
	if err != nil {
		return bad()
	}
	return Amount{minor, code}, nil
}

// Digits is how many decimals the currency has; 2 where it is unknown.
func Digits(code string) int {
	if d, ok := currency.GetDigits(code); ok {
		return int(d)
	}
	return 2
}

// Decimal writes the amount as Shopify's Decimal: "19.99", "1999", "-0.05".
func (a Amount) Decimal() string {
	digits := Digits(a.Currency)
	if digits == 0 {
		return strconv.FormatInt(a.Minor, 10)
	}
	sign, abs := "", uint64(a.Minor)
	if a.Minor < 0 {
		sign, abs = "-", uint64(-a.Minor)
	}
	s := strconv.FormatUint(abs, 10)
	if len(s) <= digits {
		s = strings.Repeat("0", digits-len(s)+1) + s
	}
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

func (a Amount) String() string { return a.Decimal() + " " + a.Currency }

// Plus adds two amounts of one currency. Adding different currencies is a
// defect of the caller and panics.
func (a Amount) Plus(b Amount) Amount {
	if a.Currency != b.Currency {
		panic(fmt.Sprintf("money: %s + %s", a.Currency, b.Currency))
	}
	return Amount{a.Minor + b.Minor, a.Currency}
}

// Minus subtracts an amount of the same currency.
func (a Amount) Minus(b Amount) Amount { return a.Plus(Amount{-b.Minor, b.Currency}) }

// Times multiplies by a whole number.
func (a Amount) Times(n int64) Amount { return Amount{a.Minor * n, a.Currency} }

// BasisPoints is a share of the amount in 1/100 of a percent, half rounded
// away from zero: 1000 at 1900 is 190.
func (a Amount) BasisPoints(bp int64) Amount {
	return Amount{mulDiv(a.Minor, bp, 10_000), a.Currency}
}

// Split divides the amount by weights so that the parts add up to it exactly;
// the minor units that are left over go to the first parts. All-zero weights
// count as equal.
func (a Amount) Split(weights []int64) []Amount {
	parts := make([]Amount, len(weights))
	var total int64
	for _, w := range weights {
		total += w
	}
	if total == 0 {
		weights = slices.Repeat([]int64{1}, len(weights))
		total = int64(len(weights))
	}
	rest := a.Minor
	for i, w := range weights {
		p := new(big.Int).Mul(big.NewInt(a.Minor), big.NewInt(w))
		parts[i] = Amount{p.Quo(p, big.NewInt(total)).Int64(), a.Currency}
		rest -= parts[i].Minor
	}
	step := int64(1)
	if rest < 0 {
		step = -1
	}
	for i := 0; rest != 0; i = (i + 1) % len(parts) {
		if weights[i] != 0 {
			parts[i].Minor += step
			rest -= step
		}
	}
	return parts
}

func mulDiv(a, b, c int64) int64 {
	if b != 0 && (a > math.MaxInt64/2/max(b, 1) || a < math.MinInt64/2/max(b, 1)) {
		p := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		half := big.NewInt(c / 2)
		if p.Sign() < 0 {
			half.Neg(half)
		}
		return p.Quo(p.Add(p, half), big.NewInt(c)).Int64()
	}
	p := a * b
	if p < 0 {
		return (p - c/2) / c
	}
	return (p + c/2) / c
}
