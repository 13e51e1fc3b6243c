package money_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"ordergraph/platform/money"
)

func TestParseAndDecimal(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		minor          int64
		back           string
	}{
		{"19.99", "EUR", 1999, "19.99"}, {"5", "EUR", 500, "5.00"}, {"0.5", "EUR", 50, "0.50"}, {"1.500", "EUR", 150, "1.50"},
		{"-0.05", "EUR", -5, "-0.05"}, {"1999", "JPY", 1999, "1999"}, {"1.234", "KWD", 1234, "1.234"}, {" 7.5 ", "USD", 750, "7.50"},
	} {
		a, err := money.Parse(c.text, c.currency)
		if err != nil || a.Minor != c.minor || a.Decimal() != c.back {
			t.Errorf("%q %s: %v %q, %v", c.text, c.currency, a.Minor, a.Decimal(), err)
		}
	}
	for _, text := range []string{"", ".", "-", ".5", "1,5", "1.005", "1e3", "0x10", "--1", "+1", "1.-5", "1_0", "1 0", "99999999999999999999", "NaN"} {
		if a, err := money.Parse(text, "EUR"); !errors.Is(err, money.ErrAmount) {
			t.Errorf("%q: %v, %v", text, a, err)
		}
	}
	if _, err := money.Parse("1", "EURO"); !errors.Is(err, money.ErrCurrency) {
		t.Error(err)
	}
}

func TestDecimalIsParsedBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Of(rapid.Int64Range(-1e15, 1e15).Draw(t, "minor"), rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency"))
		if b, err := money.Parse(a.Decimal(), a.Currency); err != nil || a != b {
			t.Fatalf("%v became %v, %v", a, b, err)
		}
	})
}

func TestSplitLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Of(rapid.Int64Range(-1e15, 1e15).Draw(t, "minor"), "EUR")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e9), 1, 20).Draw(t, "weights")
		given := append([]int64(nil), weights...)
		var sum int64
		for i, p := range a.Split(weights) {
			sum += p.Minor
			if weights[i] != given[i] {
				t.Fatal("the weights were changed")
			}
		}
		if sum != a.Minor {
			t.Fatalf("%d became %d", a.Minor, sum)
		}
	})
}

func TestBasisPointsRoundHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct{ minor, bp, want int64 }{
		{1000, 1900, 190}, {50, 100, 1}, {49, 100, 0}, {-50, 100, -1}, {math.MaxInt64, 10_000, math.MaxInt64}, {math.MinInt64 + 1, 5000, -4611686018427387904},
	} {
		if got := money.Of(c.minor, "EUR").BasisPoints(c.bp).Minor; got != c.want {
			t.Errorf("%d at %d: %d, want %d", c.minor, c.bp, got, c.want)
		}
	}
}
