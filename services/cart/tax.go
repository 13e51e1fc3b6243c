package cart

import "math/bits"

// A TaxTable says how a country taxes what is sent there. A country that is
// not in it is sent to without tax.
type TaxTable map[string]Tax

// Tax is how one country taxes, in basis points: 1900 is 19 %.
type Tax struct {
	Standard  int64            // what is taxable; what is not is in the zero class
	Provinces map[string]int64 // instead of Standard, by ISO 3166-2 subdivision without the country
	Shipping  bool             // shipping is taxed like taxable goods
}

// StandardTaxes are the standard rates as of January 2026. They are here so
// that a shop starts with sensible figures; which taxes a shop has to collect
// where is a question for its accountant.
//
// Sources: European Union: European Commission, "VAT rates applied in the
// Member States" (Estonia 24 % since July 2025, Romania 21 % since August
// 2025, Slovakia 23 % since January 2025). GB: gov.uk/vat-rates. CH, LI:
// Federal Tax Administration, 8.1 % since 2024. NO: Skatteetaten. IS:
// Skatturinn. IN: GST Council, standard slab. CA: Canada Revenue Agency, GST
// and HST by province (Nova Scotia 14 % since April 2025); provincial sales
// taxes besides are not in it. AU: ATO. NZ: IRD. JP: National Tax Agency. SG:
// IRAS, 9 % since 2024. US: no federal tax; the states listed are examples,
// their state rate alone without counties and cities.
func StandardTaxes() TaxTable {
	vat := func(bp int64) Tax { return Tax{Standard: bp, Shipping: true} }
	return TaxTable{
		"AT": vat(2000), "BE": vat(2100), "BG": vat(2000), "CY": vat(1900), "CZ": vat(2100), "DE": vat(1900),
		"DK": vat(2500), "EE": vat(2400), "ES": vat(2100), "FI": vat(2550), "FR": vat(2000), "GR": vat(2400),
		"HR": vat(2500), "HU": vat(2700), "IE": vat(2300), "IT": vat(2200), "LT": vat(2100), "LU": vat(1700),
		"LV": vat(2100), "MT": vat(1800), "NL": vat(2100), "PL": vat(2300), "PT": vat(2300), "RO": vat(2100),
		"SE": vat(2500), "SI": vat(2200), "SK": vat(2300),

		"GB": vat(2000), "CH": vat(810), "LI": vat(810), "NO": vat(2500), "IS": vat(2400),
		"IN": vat(1800), "AU": vat(1000), "NZ": vat(1500), "JP": vat(1000), "SG": vat(900),
		"CA": {Standard: 500, Shipping: true, Provinces: map[string]int64{
			"NB": 1500, "NL": 1500, "NS": 1400, "ON": 1300, "PE": 1500,
		}},
		"US": {Provinces: map[string]int64{"CA": 725, "FL": 600, "NY": 400, "TX": 625, "WA": 650}},
	}
}

// rate is the tax on goods in basis points.
func (t TaxTable) rate(country, province string, taxable bool) int64 {
	tax, ok := t[country]
	if !ok || !taxable {
		return 0
	}
	if bp, ok := tax.Provinces[province]; ok && province != "" {
		return bp
	}
	return tax.Standard
}

// shippingRate is the tax on shipping in basis points: that of taxable goods,
// if any are sent along.
func (t TaxTable) shippingRate(country, province string, anyTaxable bool) int64 {
	if !t[country].Shipping {
		return 0
	}
	return t.rate(country, province, anyTaxable)
}

// taxWithin is the tax that a gross sum contains, half a minor unit rounded up.
func taxWithin(gross, bp int64) int64 {
	if gross <= 0 || bp <= 0 {
		return 0
	}
	return share(gross, bp, 10_000+bp)
}

// taxUpon is the tax to be added to a net sum, half a minor unit rounded up.
func taxUpon(net, bp int64) int64 {
	if net <= 0 || bp <= 0 {
		return 0
	}
	return share(net, bp, 10_000)
}

// share is a·b/c, rounded to the nearest, for numbers that are not negative
// and b ≤ c; the product may be larger than 64 bits.
func share(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	lo, carry := bits.Add64(lo, uint64(c)/2, 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(c))
	return int64(q)
}
