package main

import (
	"slices"

	"ordergraph/platform/fault"
	"ordergraph/services/invoice"
)

// sellerConfig says who sells, as the law wants it on invoices.
type sellerConfig struct {
	LegalName    string `name:"shop-legal-name" env:"SHOP_LEGAL_NAME" default:"Harbour Store GmbH (demo)" placeholder:"TEXT" group:"Invoices" help:"Who sells: the company's full name, as on its invoices. Its country is COUNTRY."`
	Address      string `name:"shop-address" env:"SHOP_ADDRESS" default:"Musterkai 1" placeholder:"TEXT" group:"Invoices" help:"Its street and number."`
	Zip          string `name:"shop-zip" env:"SHOP_ZIP" default:"20457" placeholder:"TEXT" group:"Invoices" help:"Its postal code."`
	City         string `name:"shop-city" env:"SHOP_CITY" default:"Hamburg" placeholder:"TEXT" group:"Invoices" help:"Its town."`
	VATID        string `name:"shop-vat-id" env:"SHOP_VAT_ID" default:"DE000000000" placeholder:"TEXT" group:"Invoices" help:"Its VAT identification number with the country's prefix, or its GST number and the like."`
	Registration string `name:"shop-registration" env:"SHOP_REGISTRATION" placeholder:"TEXT" group:"Invoices" help:"Its number in the register of companies, if it has one."`
	Email        string `name:"shop-email" env:"SHOP_EMAIL" placeholder:"ADDRESS" group:"Invoices" help:"Where customers can ask about an invoice."`
}

// The seller of a shop for trying, whom no invoice in earnest may name.
var demoSeller = []string{"Harbour Store GmbH (demo)", "Musterkai 1", "DE000000000"}

func (c *sellerConfig) seller(country string) invoice.Seller {
	return invoice.Seller{
		Name: c.LegalName, Address: c.Address, Zip: c.Zip, City: c.City, Country: country,
		TaxID: c.VATID, Registration: c.Registration, Email: c.Email,
	}
}

func (s *serveCmd) checkSeller(wrong *complaints) {
	if err := s.seller(s.Country).Check(); err != nil {
		wrong.add("SHOP_LEGAL_NAME, SHOP_ADDRESS, SHOP_CITY and SHOP_VAT_ID must be set: %s", fault.Of(err).Message)
	}
}

// isDemo reports whether the seller is the one of a shop for trying.
func (c *sellerConfig) isDemo() bool {
	return slices.ContainsFunc([]string{c.LegalName, c.Address, c.VATID}, func(text string) bool { return slices.Contains(demoSeller, text) })
}
