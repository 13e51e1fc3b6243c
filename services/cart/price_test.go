package cart

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"ordergraph/platform/money"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func percent(code string, bp int64) entered {
	return entered{Code: code, Discount: &Discount{Code: code, Kind: Percentage, BasisPoints: bp}}
}

func fixed(code string, minor int64) entered {
	return entered{Code: code, Discount: &Discount{Code: code, Kind: Fixed, Amount: money.Of(minor, "EUR")}}
}

func freeShipping(code string) entered {
	return entered{Code: code, Discount: &Discount{Code: code, Kind: FreeShipping}}
}

func goodsAt(price, quantity int64) ware {
	return ware{Price: price, Quantity: quantity, Grams: 500, Ships: true, Taxable: true}
}

// Worked by hand.
func TestPrices(t *testing.T) {
	de, us := DefaultRules("EUR", "DE"), DefaultRules("EUR", "US")
	for _, c := range []struct {
		name  string
		rules Rules
		basket
		subtotal, discount, shipping, tax, total int64
	}{
		{"nothing", de, basket{Country: "DE"}, 0, 0, 0, 0, 0},
		{"one line, tax within", de, basket{Country: "DE", Lines: []ware{goodsAt(1999, 2)}}, 3998, 0, 0, 638, 3998},
		{"tax is rounded per line", de, basket{Country: "DE", Lines: []ware{goodsAt(3, 1), goodsAt(3, 1), goodsAt(3, 1)}}, 9, 0, 0, 0, 9},
		{"tax upon", us, basket{Country: "US", Province: "CA", Lines: []ware{goodsAt(1999, 1)}}, 1999, 0, 0, 145, 2144},
		{"no tax there", us, basket{Country: "US", Province: "OR", Lines: []ware{goodsAt(1999, 1)}}, 1999, 0, 0, 0, 1999},
		{"half a per cent", de, basket{Country: "FI", Lines: []ware{goodsAt(12550, 1)}}, 12550, 0, 0, 2550, 12550},
		{"not taxable", de, basket{Country: "DE", Lines: []ware{{Price: 5000, Quantity: 1}}}, 5000, 0, 0, 0, 5000},
		{"standard shipping", de, basket{Country: "DE", Lines: []ware{goodsAt(1999, 1)}, Choose: true, Rate: "standard"}, 1999, 0, 490, 319 + 78, 2489},
		{"the cheapest", de, basket{Country: "DE", Lines: []ware{goodsAt(1999, 1)}, Choose: true}, 1999, 0, 490, 319 + 78, 2489},
		{"free above the threshold", de, basket{Country: "DE", Lines: []ware{goodsAt(2500, 2)}, Choose: true, Rate: "standard"}, 5000, 0, 0, 798, 5000},
		{"not free after a discount", de, basket{Country: "DE", Lines: []ware{goodsAt(2500, 2)}, Choose: true, Codes: []entered{fixed("A", 1)}}, 4999, 1, 490, 798 + 78, 5489},
		{"ten per cent", de, basket{Country: "DE", Lines: []ware{goodsAt(1995, 1)}, Codes: []entered{percent("A", 1000)}}, 1795, 200, 0, 287, 1795},
		{"more off than there is", de, basket{Country: "DE", Lines: []ware{goodsAt(300, 1)}, Codes: []entered{fixed("A", 1000)}}, 0, 300, 0, 0, 0},
		{"all off", de, basket{Country: "DE", Lines: []ware{goodsAt(300, 1)}, Codes: []entered{percent("A", 10000), percent("B", 10000)}}, 0, 300, 0, 0, 0},
		{"percentages, then fixed", de, basket{Country: "DE", Lines: []ware{goodsAt(10000, 1)}, Codes: []entered{fixed("A", 500), percent("B", 1000), percent("C", 5000)}}, 4000, 6000, 0, 639, 4000},
		{"shipped free", de, basket{Country: "DE", Lines: []ware{goodsAt(1999, 1)}, Choose: true, Rate: "express", Codes: []entered{freeShipping("A"), freeShipping("B")}}, 1999, 1290, 0, 319, 1999},
		{"yen have no cents", DefaultRules("JPY", "JP"), basket{Country: "JP", Lines: []ware{goodsAt(1980, 1)}, Choose: true}, 1980, 0, 784, 180 + 71, 2764},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.Now = noon
			got := c.rules.price(c.basket).Cost
			eur := func(n int64) money.Amount { return money.Of(n, c.rules.Currency) }
			want := Cost{c.rules.Currency, eur(c.subtotal), eur(c.discount), eur(c.shipping), eur(c.tax), eur(c.total), c.rules.TaxIncluded}
			if got != want {
				t.Errorf("it costs\n%+v, want\n%+v", got, want)
			}
		})
	}
}

func TestDiscountIsDividedByWorth(t *testing.T) {
	p := DefaultRules("EUR", "DE").price(basket{
		Country: "DE", Now: noon, Lines: []ware{goodsAt(1000, 1), goodsAt(1000, 1), goodsAt(1000, 1), goodsAt(0, 1)}, Codes: []entered{fixed("A", 100)},
	})
	var off []int64
	for _, l := range p.Lines {
		off = append(off, l.Discount.Minor)
	}
	if !slices.Equal(off, []int64{34, 33, 33, 0}) {
		t.Errorf("100 are divided into %v", off)
	}
	if p.Lines[3].Codes != nil {
		t.Error("a line from which nothing was taken names a code")
	}
}

func TestWhyACodeDoesNotApply(t *testing.T) {
	d := func(change func(*entered)) entered {
		e := percent("A", 1000)
		change(&e)
		return e
	}
	for _, c := range []struct {
		reason string
		spent  bool
		e      entered
	}{
		{"There is no such code.", false, entered{Code: "A"}},
		{"This code is not valid yet.", false, d(func(e *entered) { e.Discount.StartsAt = noon.Add(time.Millisecond) })},
		{"", false, d(func(e *entered) { e.Discount.StartsAt = noon })},
		{"This code is no longer valid.", false, d(func(e *entered) { e.Discount.EndsAt = noon })},
		{"", false, d(func(e *entered) { e.Discount.EndsAt = noon.Add(time.Millisecond) })},
		{"This code needs a purchase of at least 10.01 EUR.", false, d(func(e *entered) { e.Discount.Minimum = money.Of(1001, "EUR") })},
		{"", false, d(func(e *entered) { e.Discount.Minimum = money.Of(1000, "EUR") })},
		{"This code has been used up.", true, d(func(e *entered) { e.Discount.UsageLimit, e.Discount.Used = 3, 3 })},
		{"", false, d(func(e *entered) { e.Discount.UsageLimit, e.Discount.Used = 3, 2 })},
		{"You have used this code before.", true, d(func(e *entered) { e.UsedByMe = true })},
		{"This code is for another currency.", false, entered{Code: "A", Discount: &Discount{Kind: Fixed, Amount: money.Of(1, "USD")}}},
	} {
		p := DefaultRules("EUR", "DE").price(basket{Country: "DE", Now: noon, Lines: []ware{goodsAt(1000, 1)}, Codes: []entered{c.e}})
		if got := p.Codes[0]; got.Reason != c.reason || got.Applicable != (c.reason == "") || p.Spent[0] != c.spent {
			t.Errorf("%+v, spent %v; want %q, %v", got, p.Spent[0], c.reason, c.spent)
		}
	}
}

func drawBasket(t *rapid.T) basket {
	b := basket{
		Country: rapid.SampledFrom([]string{"DE", "FI", "CH", "US", "IN", "CA", "BR", "JP"}).Draw(t, "country"),
		Rate:    rapid.SampledFrom([]string{"", "standard", "express", "pigeon"}).Draw(t, "rate"),
		Choose:  rapid.Bool().Draw(t, "choose"),
		Now:     noon,
	}
	b.Province = rapid.SampledFrom([]string{"", "CA", "NY", "ON", "??"}).Draw(t, "province")
	price := rapid.OneOf(rapid.Int64Range(0, 20), rapid.Int64Range(0, 100_000), rapid.Int64Range(0, maxPrice))
	for range rapid.IntRange(0, 8).Draw(t, "lines") {
		b.Lines = append(b.Lines, ware{
			Price: price.Draw(t, "price"), Quantity: rapid.Int64Range(1, MaxQuantity).Draw(t, "quantity"), Grams: rapid.Int64Range(0, 3_000).Draw(t, "grams"),
			Ships: rapid.Bool().Draw(t, "ships"), Taxable: rapid.Bool().Draw(t, "taxable"),
		})
	}
	for i := range rapid.IntRange(0, MaxCodes).Draw(t, "codes") {
		code := fmt.Sprint("C", i)
		e := entered{Code: code}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			e = percent(code, rapid.Int64Range(1, 10_000).Draw(t, "bp"))
		case 1:
			e = fixed(code, rapid.OneOf(rapid.Int64Range(1, 2_000), rapid.Int64Range(1, maxPrice)).Draw(t, "amount"))
		case 2:
			e = freeShipping(code)
		}
		if e.Discount != nil {
			e.Discount.Minimum = money.Of(rapid.SampledFrom([]int64{0, 0, 5_000}).Draw(t, "minimum"), "EUR")
		}
		b.Codes = append(b.Codes, e)
	}
	return b
}

// Whatever is bought: every sum adds up to the last minor unit, nothing is
// negative, and nobody pays more for having a code.
func TestSumsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := DefaultRules("EUR", "DE")
		rules.TaxIncluded = rapid.Bool().Draw(t, "included")
		b := drawBasket(t)
		p := rules.price(b)
		var sum, off, tax int64
		byCode := map[string]int64{}
		for i, l := range p.Lines {
			w := b.Lines[i]
			if l.Subtotal.Minor != w.Price*w.Quantity || l.Total.Minor+l.Discount.Minor != l.Subtotal.Minor {
				t.Fatalf("line %d: %+v of %+v", i, l, w)
			}
			if l.Total.Minor < 0 || l.Discount.Minor < 0 || l.Tax.Minor < 0 {
				t.Fatalf("line %d is negative: %+v", i, l)
			}
			var shares int64
			for _, s := range l.Codes {
				if s.Amount.Minor <= 0 {
					t.Fatalf("line %d: a share of %v", i, s.Amount)
				}
				shares += s.Amount.Minor
				byCode[s.Code] += s.Amount.Minor
			}
			if shares != l.Discount.Minor {
				t.Fatalf("line %d: the shares make %d, the discount is %v", i, shares, l.Discount)
			}
			if !w.Taxable && l.Tax.Minor != 0 {
				t.Fatalf("line %d is taxed", i)
			}
			wantTax(t, l.Tax.Minor, l.Total.Minor, l.TaxRate, rules.TaxIncluded)
			sum, off, tax = sum+l.Total.Minor, off+l.Discount.Minor, tax+l.Tax.Minor
		}
		wantTax(t, p.ShippingTax.Minor, p.Cost.Shipping.Minor, p.ShippingTaxRate, rules.TaxIncluded)
		tax += p.ShippingTax.Minor
		shippingOff := int64(0)
		if p.Rate != nil {
			shippingOff = p.Rate.Price.Minor - p.Cost.Shipping.Minor
		}
		total := sum + p.Cost.Shipping.Minor
		if !rules.TaxIncluded {
			total += tax
		}
		want := Cost{"EUR", money.Of(sum, "EUR"), money.Of(off+shippingOff, "EUR"), p.Cost.Shipping, money.Of(tax, "EUR"), money.Of(total, "EUR"), rules.TaxIncluded}
		if p.Cost != want || shippingOff < 0 || p.Cost.Shipping.Minor < 0 {
			t.Fatalf("it costs\n%+v, want\n%+v", p.Cost, want)
		}
		for i, c := range p.Codes {
			d := b.Codes[i].Discount
			if c.Code != b.Codes[i].Code || c.Applicable != (c.Reason == "") || c.Applicable && d == nil || !c.Applicable && byCode[c.Code] > 0 {
				t.Fatalf("code %d is %+v, took %d", i, c, byCode[c.Code])
			}
			if c.Applicable && d.Kind == Fixed && byCode[c.Code] > d.Amount.Minor {
				t.Fatalf("%s took %d of %v", c.Code, byCode[c.Code], d.Amount)
			}
		}
		b.Codes = nil
		if without := rules.price(b); without.Cost.Subtotal.Minor < p.Cost.Subtotal.Minor {
			t.Fatalf("with codes %v, without %v", p.Cost.Subtotal, without.Cost.Subtotal)
		}
	})
}

// wantTax checks a tax against exact arithmetic: off by half a unit at most.
func wantTax(t *rapid.T, tax, of, bp int64, included bool) {
	base := int64(10_000)
	if included {
		base += bp
	}
	exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(of), big.NewInt(bp)), big.NewInt(base))
	off := exact.Sub(exact, new(big.Rat).SetInt64(tax))
	if off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
		t.Fatalf("the tax of %d at %d is %d", of, bp, tax)
	}
}

// The order in which codes were entered makes no difference.
func TestCodesCombineInOneWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := DefaultRules("EUR", "DE")
		b := drawBasket(t)
		p := rules.price(b)
		seed := rapid.Uint64().Draw(t, "seed")
		shuffled := slices.Clone(b.Codes)
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		b.Codes = shuffled
		q := rules.price(b)
		if !reflect.DeepEqual(p.Lines, q.Lines) || p.Cost != q.Cost {
			t.Fatalf("entered otherwise it costs\n%+v, not\n%+v", q.Cost, p.Cost)
		}
	})
}

func TestRates(t *testing.T) {
	r := DefaultRules("EUR", "DE")
	handles := func(country string, grams, subtotal int64) (all []string) {
		for _, rate := range r.rates(country, grams, subtotal) {
			all = append(all, fmt.Sprint(rate.Handle, " ", rate.Price.Minor))
		}
		return all
	}
	for _, c := range []struct {
		country         string
		grams, subtotal int64
		want            []string
	}{
		{"DE", 0, 0, []string{"standard 490", "express 1290"}},
		{"DE", 2_000, 0, []string{"standard 490", "express 1290"}},
		{"DE", 2_001, 0, []string{"standard 690", "express 1490"}},
		{"DE", 31_500, 4_999, []string{"standard 1690", "express 2990"}},
		{"DE", 31_500, 5_000, []string{"standard 0", "express 2990"}},
		{"DE", 31_501, 5_000, nil},
		{"FR", 100, 5_000, []string{"standard 990", "express 2490"}},
		{"CH", 100, 10_000, []string{"standard 0", "express 2490"}},
		{"BR", 100, 0, []string{"standard 1990", "express 4490"}},
	} {
		if got := handles(c.country, c.grams, c.subtotal); !slices.Equal(got, c.want) {
			t.Errorf("%s, %d g, %d: %q, want %q", c.country, c.grams, c.subtotal, got, c.want)
		}
	}
}

func TestRulesAreChecked(t *testing.T) {
	for _, currency := range []string{"EUR", "USD", "GBP", "CHF", "INR", "JPY", "KWD", "PLN"} {
		for _, country := range []string{"DE", "US", "IN", "CH", "BR"} {
			if err := DefaultRules(currency, country).Check(); err != nil {
				t.Errorf("%s in %s: %v", currency, country, err)
			}
		}
	}
	for name, spoil := range map[string]func(*Rules){
		"currency":        func(r *Rules) { r.Currency = "EURO" },
		"country":         func(r *Rules) { r.Country = "" },
		"tax country":     func(r *Rules) { r.Taxes["XX"] = Tax{} },
		"tax rate":        func(r *Rules) { r.Taxes["DE"] = Tax{Standard: -1} },
		"province's rate": func(r *Rules) { r.Taxes["US"] = Tax{Provinces: map[string]int64{"CA": 10_001}} },
		"no bands":        func(r *Rules) { r.Shipping[0].Bands = nil },
		"bands":           func(r *Rules) { slices.Reverse(r.Shipping[0].Bands) },
		"price":           func(r *Rules) { r.Shipping[0].Bands[0].Price = -1 },
		"days":            func(r *Rules) { r.Shipping[0].MaxDays = 0 },
		"handle":          func(r *Rules) { r.Shipping[0].Handle = "" },
		"rule's country":  func(r *Rules) { r.Shipping[0].Countries = []string{"Germany"} },
	} {
		r := DefaultRules("EUR", "DE")
		spoil(&r)
		if err := r.Check(); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// The list of countries is that of the Unicode consortium, less the codes
// that are reserved or withdrawn.
func TestCountries(t *testing.T) {
	reserved := []string{"AC", "AN", "BU", "CP", "CQ", "CS", "DD", "DG", "DY", "EA", "FX", "HV", "IC", "NH", "RH", "SU", "TA", "TP", "UK", "VD", "XK", "YD", "YU", "ZR", "EU", "EZ", "UN", "QO", "ZZ",
		"CT", "FQ", "JT", "MI", "NQ", "NT", "PC", "PU", "PZ", "WK"}
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			region, err := language.ParseRegion(code)
			known := err == nil && region.IsCountry() && !slices.Contains(reserved, code) && region.String() == code
			if known != IsCountry(code) {
				t.Errorf("%s: %v here, %v there", code, IsCountry(code), known)
			}
			if IsCountry(code) {
				n++
			}
		}
	}
	if n != 249 {
		t.Errorf("there are %d countries, ISO 3166-1 has 249", n)
	}
	for _, code := range append([]string{"CH", "GB"}, europeanUnion...) {
		if !IsCountry(code) || StandardTaxes()[code].Standard == 0 {
			t.Errorf("%s has no tax", code)
		}
	}
}

func TestShipsToFollowsTheRules(t *testing.T) {
	if all := DefaultRules("EUR", "DE").ShipsTo(); len(all) < 240 || !slices.IsSorted(all) {
		t.Errorf("%d countries", len(all))
	}
	some := Rules{Shipping: []ShippingRule{{Countries: []string{"FR", "DE"}}, {Countries: []string{"DE"}}}}
	if got := some.ShipsTo(); !slices.Equal(got, []string{"DE", "FR"}) {
		t.Errorf("%v", got)
	}
}
