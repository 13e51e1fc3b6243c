package cart

import (
	"cmp"
	"slices"
	"strings"

	"ordergraph/platform/money"
)

// A ShippingRule is one way to send goods to some countries. Of the rules
// with one handle the first that covers a country counts.
type ShippingRule struct {
	Handle           string
	Title            string
	Countries        []string // ISO 3166-1 alpha-2; none: all
	Bands            []Band   // by weight, ascending; heavier goods are not sent this way
	FreeFrom         int64    // minor units of the lines after discounts from which it costs nothing; 0: never
	MinDays, MaxDays int
}

// A Band is the price up to a weight.
type Band struct {
	UpToGrams int64
	Price     int64 // minor units
}

// StandardShipping are rules to start with: standard and express at home,
// in the European Union and its neighbours, and for the rest of the world, up
// to 31.5 kg, the usual limit of parcel services. The figures are round
// numbers in the currency, not a carrier's tariff.
func StandardShipping(currency, home string) []ShippingRule {
	unit := roundUnit(currency)
	bands := func(prices ...int64) []Band {
		weights := []int64{2_000, 5_000, 10_000, 31_500} // grams
		b := make([]Band, len(weights))
		for i, w := range weights {
			b[i] = Band{UpToGrams: w, Price: prices[i] * unit}
		}
		return b
	}
	atHome := []string{home}
	near := slices.Concat(europeanUnion, []string{"CH", "GB", "IS", "LI", "NO"})
	if !slices.Contains(near, home) {
		near = nil // far from Europe there are only home and the world
	}
	rules := []ShippingRule{
		{Handle: "standard", Title: "Standard", Countries: atHome, Bands: bands(49, 69, 99, 169), FreeFrom: 500 * unit, MinDays: 2, MaxDays: 4},
		{Handle: "express", Title: "Express", Countries: atHome, Bands: bands(129, 149, 189, 299), MinDays: 1, MaxDays: 1},
	}
	if near != nil {
		rules = append(rules,
			ShippingRule{Handle: "standard", Title: "Standard", Countries: near, Bands: bands(99, 139, 199, 329), FreeFrom: 1_000 * unit, MinDays: 3, MaxDays: 7},
			ShippingRule{Handle: "express", Title: "Express", Countries: near, Bands: bands(249, 299, 389, 599), MinDays: 1, MaxDays: 3})
	}
	return append(rules,
		ShippingRule{Handle: "standard", Title: "International", Bands: bands(199, 329, 499, 999), FreeFrom: 2_500 * unit, MinDays: 6, MaxDays: 15},
		ShippingRule{Handle: "express", Title: "International express", Bands: bands(449, 599, 899, 1_799), MinDays: 2, MaxDays: 5})
}

// ShipsTo lists the countries that goods can be sent to, by code.
func (r Rules) ShipsTo() []string {
	var all []string
	for country := range strings.FieldsSeq(countryCodes) {
		if slices.ContainsFunc(r.Shipping, func(s ShippingRule) bool {
			return len(s.Countries) == 0 || slices.Contains(s.Countries, country)
		}) {
			all = append(all, country)
		}
	}
	return all
}

// rates are the ways to send these goods, the cheapest first. They depend on
// the lines' sum after discounts.
func (r Rules) rates(country string, grams, subtotal int64) []ShippingRate {
	var offered []ShippingRate
	decided := map[string]bool{} // handles
	for _, rule := range r.Shipping {
		if decided[rule.Handle] || len(rule.Countries) > 0 && !slices.Contains(rule.Countries, country) {
			continue
		}
		decided[rule.Handle] = true
		band := slices.IndexFunc(rule.Bands, func(b Band) bool { return grams <= b.UpToGrams })
		if band < 0 {
			continue
		}
		price := rule.Bands[band].Price
		if rule.FreeFrom > 0 && subtotal >= rule.FreeFrom {
			price = 0
		}
		offered = append(offered, ShippingRate{
			Handle: rule.Handle, Title: rule.Title, Price: money.Of(price, r.Currency),
			MinDays: rule.MinDays, MaxDays: rule.MaxDays,
		})
	}
	slices.SortStableFunc(offered, func(a, b ShippingRate) int { return cmp.Compare(a.Price.Minor, b.Price.Minor) })
	return offered
}
