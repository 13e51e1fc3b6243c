package cart

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/bojanz/currency"

	"ordergraph/platform/fault"
	"ordergraph/platform/money"
)

// ErrRules is a setting of the shop that cannot be priced by.
var ErrRules = fault.New(fault.Invalid, "cart.rules", "The shop's pricing rules are not valid.")

// Rules are what the shop prices by.
type Rules struct {
	Currency string // ISO 4217; of all prices. A variant priced in another cannot be bought
	Country  string // where the shop is; buyers who name none are taken to be there
	// TaxIncluded: prices contain the tax; otherwise it is added. A price that
	// contains tax is the same wherever it is sent; how much of it is tax, if
	// any, follows the country.
	TaxIncluded bool
	Taxes       TaxTable
	Shipping    []ShippingRule
}

// DefaultRules are complete rules for a shop in a country. Prices contain
// the tax wherever consumers are used to it: everywhere but in the United
// States and Canada.
func DefaultRules(currency, country string) Rules {
	return Rules{
		Currency: currency, Country: country, TaxIncluded: country != "US" && country != "CA",
		Taxes: StandardTaxes(), Shipping: StandardShipping(currency, country),
	}
}

// Check reports the first thing wrong with the rules as ErrRules.
func (r Rules) Check() error {
	if !currency.IsValid(r.Currency) {
		return ErrRules.Field("currency").Say("%q is not an ISO 4217 currency code.", r.Currency)
	}
	if !IsCountry(r.Country) {
		return ErrRules.Field("country").Say("%q is not an ISO 3166-1 alpha-2 country code.", r.Country)
	}
	for country, tax := range r.Taxes {
		field := "taxes." + country
		if !IsCountry(country) {
			return ErrRules.Field(field).Say("%q is not an ISO 3166-1 alpha-2 country code.", country)
		}
		for _, bp := range slices.AppendSeq([]int64{tax.Standard}, maps.Values(tax.Provinces)) {
			if bp < 0 || bp > 10_000 {
				return ErrRules.Field(field).Say("The tax rate of %s must be from 0 to 10000 basis points.", country)
			}
		}
	}
	for i, s := range r.Shipping {
		field := fmt.Sprintf("shipping.%d", i)
		if s.Handle == "" || s.Title == "" || len(s.Bands) == 0 || s.FreeFrom < 0 || s.MinDays < 0 || s.MaxDays < s.MinDays {
			return ErrRules.Field(field).Say("A shipping rule needs a handle, a title, bands and days.")
		}
		if !slices.IsSortedFunc(s.Bands, func(a, b Band) int { return cmp.Compare(a.UpToGrams, b.UpToGrams) }) {
			return ErrRules.Field(field).Say("The bands of a shipping rule ascend by weight.")
		}
		for _, b := range s.Bands {
			if b.Price < 0 || b.Price > maxPrice || b.UpToGrams < 0 {
				return ErrRules.Field(field).Say("A shipping price must be from 0 to %d minor units.", maxPrice)
			}
		}
		for _, c := range s.Countries {
			if !IsCountry(c) {
				return ErrRules.Field(field).Say("%q is not an ISO 3166-1 alpha-2 country code.", c)
			}
		}
	}
	return nil
}

// maxPrice is the most that one unit may cost, in minor units: so much that
// no sum of a cart overflows.
const maxPrice = 1_000_000_000_000

// roundUnit is a tenth of a euro's worth in the currency's minor units,
// roundly. It is for figures to start with, not for conversion.
func roundUnit(code string) int64 {
	worth := map[string]int64{ // of one euro
		"AUD": 2, "BRL": 6, "CAD": 2, "CNY": 8, "CZK": 25, "DKK": 8, "HKD": 8, "HUF": 400, "INR": 100, "ISK": 150,
		"JPY": 160, "KRW": 1_600, "MXN": 20, "NOK": 12, "NZD": 2, "PLN": 4, "RON": 5, "SEK": 12, "SGD": 2, "TRY": 50, "ZAR": 20,
	}[code]
	minor := max(worth, 1)
	for range money.Digits(code) {
		minor *= 10
	}
	return max(minor/10, 1)
}
