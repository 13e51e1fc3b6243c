package view

import (
	"net/url"
	"strings"

	"ordergraph/platform/money"
)

// Shop is the shop itself, as its operator described it.
type Shop struct {
	noCustomData
	Name        string
	Currency    string   // ISO 4217: of all prices
	Country     string   // ISO 3166-1 alpha-2: where it is seated
	ShipsTo     []string // countries; none means its own
	PublicURL   string   // of the web shop, without a slash at the end
	About       string   // a sentence; may be empty
	MoneyFormat string   // "{{amount}} €"
}

// IsNode marks it.
func (*Shop) IsNode() {}

// ID is the shop's global id.
func (*Shop) ID() string { return idOf("Shop", "1") }

// Description is what it is about.
func (s *Shop) Description() *string { return orNil(s.About) }

// PrimaryDomain is where customers find it.
func (s *Shop) PrimaryDomain() *Domain {
	u, err := url.Parse(s.PublicURL)
	if err != nil {
		return &Domain{URL: s.PublicURL}
	}
	return &Domain{Host: u.Host, SSLEnabled: u.Scheme == "https", URL: s.PublicURL}
}

// PaymentSettings is what it takes as payment.
func (s *Shop) PaymentSettings() *PaymentSettings { return &PaymentSettings{s} }

// ShipsToCountries is where it ships to.
func (s *Shop) ShipsToCountries() []string {
	if len(s.ShipsTo) == 0 {
		return []string{s.Country}
	}
	return s.ShipsTo
}

// Domain is an address on the web.
type Domain struct {
	Host       string
	SSLEnabled bool
	URL        string
}

// PaymentSettings is what a shop takes as payment.
type PaymentSettings struct{ shop *Shop }

// CurrencyCode is the currency of prices and charges.
func (p *PaymentSettings) CurrencyCode() string { return p.shop.Currency }

// CountryCode is where the shop is seated.
func (p *PaymentSettings) CountryCode() string { return p.shop.Country }

// AcceptedCardBrands are those of the card processor.
func (p *PaymentSettings) AcceptedCardBrands() []string {
	return []string{"VISA", "MASTERCARD", "AMERICAN_EXPRESS"}
}

// EnabledPresentmentCurrencies is the shop's one currency.
func (p *PaymentSettings) EnabledPresentmentCurrencies() []string { return []string{p.shop.Currency} }

// address makes a path on the shop's own origin absolute.
func (s *Shop) address(at string) string {
	if strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "//") {
		return s.PublicURL + at
	}
	return at
}

func (s *Shop) nothing() money.Amount { return money.Of(0, s.Currency) }
