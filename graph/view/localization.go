package view

import (
	"slices"

	"github.com/bojanz/currency"
)

// Localization is the country, currency and language of an operation.
type Localization struct {
	Shop *Shop
	Here string // the buyer's country
}

// Country of the operation.
func (l *Localization) Country() *Country { return &Country{l.Shop, l.Here} }

// AvailableCountries are where the shop sells to.
func (l *Localization) AvailableCountries() []Country {
	codes := l.Shop.ShipsToCountries()
	all := make([]Country, len(codes))
	for i, code := range codes {
		all[i] = Country{l.Shop, code}
	}
	return all
}

// AvailableLanguages is English.
func (l *Localization) AvailableLanguages() []Language { return []Language{english} }

// Language is English.
func (l *Localization) Language() *Language { return &english }

// Country is one that the shop sells to.
type Country struct {
	shop *Shop
	code string
}

// IsoCode of the country.
func (c *Country) IsoCode() string { return c.code }

// Name in English.
func (c *Country) Name() string { return countryName(c.code) }

// Currency is the shop's.
func (c *Country) Currency() *Currency { return &Currency{c.shop.Currency} }

// AvailableLanguages is English.
func (c *Country) AvailableLanguages() []Language { return []Language{english} }

// UnitSystem of everyday life.
func (c *Country) UnitSystem() string {
	if slices.Contains([]string{"US", "LR", "MM"}, c.code) {
		return "IMPERIAL_SYSTEM"
	}
	return "METRIC_SYSTEM"
}

// Currency is one, by its code.
type Currency struct{ code string }

// IsoCode of the currency.
func (c *Currency) IsoCode() string { return c.code }

// Name is the code: the shop knows no other.
func (c *Currency) Name() string { return c.code }

// Symbol is its sign in English.
func (c *Currency) Symbol() string {
	if s, ok := currency.GetSymbol(c.code, currency.NewLocale("en")); ok {
		return s
	}
	return c.code
}

// Language is one that the shop answers in.
type Language struct{ IsoCode, Name, EndonymName string }

var english = Language{"EN", "English", "English"}
