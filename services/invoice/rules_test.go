package invoice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ordergraph/platform/money"
	"ordergraph/services/order"
)

// An element of an XML document.
type element struct {
	name  string // with the prefix that we write
	attrs map[string]string
	text  string
	kids  []*element
}

func read(t testingT, content []byte) *element {
	root := &element{}
	open := []*element{root}
	for decoder := xml.NewDecoder(bytes.NewReader(content)); ; {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, content)
		}
		last := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			if token.Name.Space != "" {
				e.name = token.Name.Space + ":" + e.name
			}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			last.kids = append(last.kids, e)
			open = append(open, e)
		case xml.CharData:
			last.text += string(token)
		case xml.EndElement:
			last.text = strings.TrimSpace(last.text)
			open = open[:len(open)-1]
		}
	}
	return root.kids[0]
}

// all are the elements at the end of a path like "cac:Party>cbc:Name", and in
// CII "*>ram:Name", where each part may name several.
func (e *element) all(path string) []*element {
	at := []*element{e}
	for name := range strings.SplitSeq(path, ">") {
		var next []*element
		for _, e := range at {
			for _, kid := range e.kids {
				if kid.name == name {
					next = append(next, kid)
				}
			}
		}
		at = next
	}
	return at
}

func (e *element) at(path string) string {
	if found := e.all(path); len(found) > 0 {
		return found[0].text
	}
	return ""
}

type testingT interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// said is what a structured document says, in whichever syntax.
type said struct {
	Standard, Number, Type, Issued, Currency, Note, Order, Refers string
	Seller, SellerCountry, SellerTaxID, SellerRegistration        string
	Buyer, BuyerCountry, BuyerTaxID, ShipTo, ShipToCountry, Card  string
	Lines                                                         []saidLine
	Charges                                                       []saidCharge
	Taxes                                                         []saidTax
	LineSum, ChargeSum, Net, Tax, Gross, Rounding, Paid, Due      string
}

type saidLine struct {
	ID, Name, SKU, Quantity, Unit, Price, Net string
	Category, Rate                            string
	Allowance, Base, Reason                   string
}

type saidCharge struct{ Amount, Reason, Category, Rate string }

type saidTax struct{ Basis, Amount, Category, Rate, Reason string }

func readUBL(t testingT, content []byte) said {
	e := read(t, content)
	kind := e.name
	party := func(path string) (name, country, tax string) {
		p := e.all(path + ">cac:Party")[0]
		return p.at("cac:PartyLegalEntity>cbc:RegistrationName"), p.at("cac:PostalAddress>cac:Country>cbc:IdentificationCode"), p.at("cac:PartyTaxScheme>cbc:CompanyID")
	}
	s := said{
		Standard: e.at("cbc:CustomizationID"), Number: e.at("cbc:ID"), Type: e.at("cbc:" + kind + "TypeCode"), Issued: strings.ReplaceAll(e.at("cbc:IssueDate"), "-", ""),
		Currency: e.at("cbc:DocumentCurrencyCode"), Note: e.at("cbc:Note"), Order: e.at("cac:OrderReference>cbc:ID"),
		Refers:             e.at("cac:BillingReference>cac:InvoiceDocumentReference>cbc:ID"),
		SellerRegistration: e.at("cac:AccountingSupplierParty>cac:Party>cac:PartyLegalEntity>cbc:CompanyID"),
		ShipTo:             e.at("cac:Delivery>cac:DeliveryParty>cac:PartyName>cbc:Name"), ShipToCountry: e.at("cac:Delivery>cac:DeliveryLocation>cac:Address>cac:Country>cbc:IdentificationCode"),
		Card: e.at("cac:PaymentMeans>cac:CardAccount>cbc:PrimaryAccountNumberID"),
	}
	s.Seller, s.SellerCountry, s.SellerTaxID = party("cac:AccountingSupplierParty")
	s.Buyer, s.BuyerCountry, s.BuyerTaxID = party("cac:AccountingCustomerParty")
	quantity := map[string]string{"Invoice": "cbc:InvoicedQuantity", "CreditNote": "cbc:CreditedQuantity"}[kind]
	for _, l := range e.all("cac:" + kind + "Line") {
		line := saidLine{
			ID: l.at("cbc:ID"), Name: l.at("cac:Item>cbc:Name"), SKU: l.at("cac:Item>cac:SellersItemIdentification>cbc:ID"), Quantity: l.at(quantity),
			Unit: l.all(quantity)[0].attrs["unitCode"], Price: l.at("cac:Price>cbc:PriceAmount"), Net: l.at("cbc:LineExtensionAmount"),
			Category: l.at("cac:Item>cac:ClassifiedTaxCategory>cbc:ID"), Rate: l.at("cac:Item>cac:ClassifiedTaxCategory>cbc:Percent"),
		}
		for _, a := range l.all("cac:AllowanceCharge") {
			if a.at("cbc:ChargeIndicator") != "false" {
				t.Errorf("a line is charged for")
			}
			line.Allowance, line.Base, line.Reason = a.at("cbc:Amount"), a.at("cbc:BaseAmount"), a.at("cbc:AllowanceChargeReason")
		}
		s.Lines = append(s.Lines, line)
	}
	for _, a := range e.all("cac:AllowanceCharge") {
		if a.at("cbc:ChargeIndicator") != "true" {
			t.Errorf("the document has an allowance")
		}
		s.Charges = append(s.Charges, saidCharge{a.at("cbc:Amount"), a.at("cbc:AllowanceChargeReason"), a.at("cac:TaxCategory>cbc:ID"), a.at("cac:TaxCategory>cbc:Percent")})
	}
	for _, x := range e.all("cac:TaxTotal>cac:TaxSubtotal") {
		s.Taxes = append(s.Taxes, saidTax{x.at("cbc:TaxableAmount"), x.at("cbc:TaxAmount"), x.at("cac:TaxCategory>cbc:ID"), x.at("cac:TaxCategory>cbc:Percent"), x.at("cac:TaxCategory>cbc:TaxExemptionReason")})
	}
	total := func(name string) string { return e.at("cac:LegalMonetaryTotal>cbc:" + name) }
	s.LineSum, s.ChargeSum, s.Net, s.Gross = total("LineExtensionAmount"), total("ChargeTotalAmount"), total("TaxExclusiveAmount"), total("TaxInclusiveAmount")
	s.Rounding, s.Paid, s.Due, s.Tax = total("PayableRoundingAmount"), total("PrepaidAmount"), total("PayableAmount"), e.at("cac:TaxTotal>cbc:TaxAmount")
	return s
}

func readCII(t testingT, content []byte) said {
	e := read(t, content)
	deal := e.all("rsm:SupplyChainTradeTransaction")[0]
	agreed, terms := deal.all("ram:ApplicableHeaderTradeAgreement")[0], deal.all("ram:ApplicableHeaderTradeSettlement")[0]
	const ship = "ram:ApplicableHeaderTradeDelivery>ram:ShipToTradeParty>"
	s := said{
		Standard: e.at("rsm:ExchangedDocumentContext>ram:GuidelineSpecifiedDocumentContextParameter>ram:ID"),
		Number:   e.at("rsm:ExchangedDocument>ram:ID"), Type: e.at("rsm:ExchangedDocument>ram:TypeCode"), Issued: e.at("rsm:ExchangedDocument>ram:IssueDateTime>udt:DateTimeString"),
		Note: e.at("rsm:ExchangedDocument>ram:IncludedNote>ram:Content"), Currency: terms.at("ram:InvoiceCurrencyCode"),
		Order: agreed.at("ram:BuyerOrderReferencedDocument>ram:IssuerAssignedID"), Refers: terms.at("ram:InvoiceReferencedDocument>ram:IssuerAssignedID"),
		Seller: agreed.at("ram:SellerTradeParty>ram:Name"), SellerCountry: agreed.at("ram:SellerTradeParty>ram:PostalTradeAddress>ram:CountryID"),
		SellerTaxID: agreed.at("ram:SellerTradeParty>ram:SpecifiedTaxRegistration>ram:ID"), SellerRegistration: agreed.at("ram:SellerTradeParty>ram:SpecifiedLegalOrganization>ram:ID"),
		Buyer: agreed.at("ram:BuyerTradeParty>ram:Name"), BuyerCountry: agreed.at("ram:BuyerTradeParty>ram:PostalTradeAddress>ram:CountryID"),
		BuyerTaxID: agreed.at("ram:BuyerTradeParty>ram:SpecifiedTaxRegistration>ram:ID"),
		ShipTo:     deal.at(ship + "ram:Name"), ShipToCountry: deal.at(ship + "ram:PostalTradeAddress>ram:CountryID"),
		Card: terms.at("ram:SpecifiedTradeSettlementPaymentMeans>ram:ApplicableTradeSettlementFinancialCard>ram:ID"),
	}
	for _, l := range deal.all("ram:IncludedSupplyChainTradeLineItem") {
		const settled, quantity = "ram:SpecifiedLineTradeSettlement>", "ram:SpecifiedLineTradeDelivery>ram:BilledQuantity"
		line := saidLine{
			ID: l.at("ram:AssociatedDocumentLineDocument>ram:LineID"), Name: l.at("ram:SpecifiedTradeProduct>ram:Name"), SKU: l.at("ram:SpecifiedTradeProduct>ram:SellerAssignedID"),
			Quantity: l.at(quantity), Unit: l.all(quantity)[0].attrs["unitCode"], Price: l.at("ram:SpecifiedLineTradeAgreement>ram:NetPriceProductTradePrice>ram:ChargeAmount"),
			Net:      l.at(settled + "ram:SpecifiedTradeSettlementLineMonetarySummation>ram:LineTotalAmount"),
			Category: l.at(settled + "ram:ApplicableTradeTax>ram:CategoryCode"), Rate: l.at(settled + "ram:ApplicableTradeTax>ram:RateApplicablePercent"),
		}
		for _, a := range l.all(settled + "ram:SpecifiedTradeAllowanceCharge") {
			if a.at("ram:ChargeIndicator>udt:Indicator") != "false" {
				t.Errorf("a line is charged for")
			}
			line.Allowance, line.Base, line.Reason = a.at("ram:ActualAmount"), a.at("ram:BasisAmount"), a.at("ram:Reason")
		}
		s.Lines = append(s.Lines, line)
	}
	for _, a := range terms.all("ram:SpecifiedTradeAllowanceCharge") {
		if a.at("ram:ChargeIndicator>udt:Indicator") != "true" {
			t.Errorf("the document has an allowance")
		}
		s.Charges = append(s.Charges, saidCharge{a.at("ram:ActualAmount"), a.at("ram:Reason"), a.at("ram:CategoryTradeTax>ram:CategoryCode"), a.at("ram:CategoryTradeTax>ram:RateApplicablePercent")})
	}
	for _, x := range terms.all("ram:ApplicableTradeTax") {
		s.Taxes = append(s.Taxes, saidTax{x.at("ram:BasisAmount"), x.at("ram:CalculatedAmount"), x.at("ram:CategoryCode"), x.at("ram:RateApplicablePercent"), x.at("ram:ExemptionReason")})
	}
	total := func(name string) string {
		return terms.at("ram:SpecifiedTradeSettlementHeaderMonetarySummation>ram:" + name)
	}
	s.LineSum, s.ChargeSum, s.Net, s.Gross = total("LineTotalAmount"), total("ChargeTotalAmount"), total("TaxBasisTotalAmount"), total("GrandTotalAmount")
	s.Rounding, s.Paid, s.Due, s.Tax = total("RoundingAmount"), total("TotalPrepaidAmount"), total("DuePayableAmount"), total("TaxTotalAmount")
	return s
}

// micros reads a decimal number as millionths; "" is nothing.
func micros(t testingT, text string) int64 {
	if text == "" {
		return 0
	}
	whole, frac, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if len(frac) > 6 {
		t.Fatalf("%s has too many digits", text)
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", 6-len(frac)), 10, 64)
	if err != nil {
		t.Fatalf("%s is no number: %v", text, err)
	}
	if strings.HasPrefix(text, "-") {
		return -n
	}
	return n
}

// keepsTo holds what was said to the rules of EN 16931, by their names there.
func (s *said) keepsTo(t testingT, digits int) {
	t.Helper()
	rule := func(name string, holds bool) {
		t.Helper()
		if !holds {
			t.Errorf("%s does not hold: %+v", name, *s)
		}
	}
	unit := int64(1_000_000) // the smallest coin
	for range digits {
		unit /= 10
	}
	number := func(text string) int64 { return micros(t, text) }
	round := func(n int64) int64 { return (n + unit/2) / unit * unit }
	present := map[string][]string{
		"BR-01": {s.Standard}, "BR-02": {s.Number}, "BR-03": {s.Issued}, "BR-04": {s.Type}, "BR-05": {s.Currency}, "BR-06": {s.Seller}, "BR-07": {s.Buyer},
		"BR-09": {s.SellerCountry}, "BR-11": {s.BuyerCountry}, "BR-12": {s.LineSum}, "BR-13": {s.Net}, "BR-14": {s.Gross}, "BR-15": {s.Due},
		"BR-57": {s.ShipToCountry}, "BR-CO-26": {s.SellerTaxID + s.SellerRegistration}, "BR-S-02": {s.SellerTaxID},
	}
	for _, l := range s.Lines {
		present["BR-21"] = append(present["BR-21"], l.ID)
		present["BR-22"] = append(present["BR-22"], l.Quantity)
		present["BR-23"] = append(present["BR-23"], l.Unit)
		present["BR-24"] = append(present["BR-24"], l.Net)
		present["BR-25"] = append(present["BR-25"], l.Name)
		present["BR-26"] = append(present["BR-26"], l.Price)
		present["BR-CO-04"] = append(present["BR-CO-04"], l.Category)
		rule("BR-27", !strings.HasPrefix(l.Price, "-"))
		if l.Allowance != "" {
			present["BR-41"] = append(present["BR-41"], l.Allowance)
			present["BR-42"] = append(present["BR-42"], l.Reason)
			rule("PEPPOL-EN16931-R040", number(l.Base) >= number(l.Allowance))
		}
		amount := round(number(l.Quantity) / 1_000_000 * number(l.Price))
		rule("PEPPOL-EN16931-R120", number(l.Net) == amount-number(l.Allowance))
	}
	for name, texts := range present {
		for _, text := range texts {
			rule(name, text != "")
		}
	}
	rule("BR-16", len(s.Lines) > 0)
	rule("BR-55", s.Type != "381" || s.Refers != "")

	// What is taxed, by category and rate.
	taxable := map[[2]string]int64{}
	var lines, charges, tax int64
	for _, l := range s.Lines {
		lines += number(l.Net)
		taxable[[2]string{l.Category, l.Rate}] += number(l.Net)
	}
	for _, c := range s.Charges {
		rule("BR-36", c.Amount != "")
		rule("BR-37", c.Category != "")
		rule("BR-38", c.Reason != "")
		charges += number(c.Amount)
		taxable[[2]string{c.Category, c.Rate}] += number(c.Amount)
	}
	rule("BR-CO-10", number(s.LineSum) == lines)
	rule("BR-CO-12", number(s.ChargeSum) == charges)
	rule("BR-CO-13", number(s.Net) == lines+charges)
	rule("BR-CO-18", len(s.Taxes) > 0)
	seen := map[string]int{}
	for _, x := range s.Taxes {
		seen[x.Category]++
		rate := number(x.Rate)
		basis, known := taxable[[2]string{x.Category, x.Rate}]
		delete(taxable, [2]string{x.Category, x.Rate})
		rule("BR-"+x.Category+"-08", known && number(x.Basis) == basis)
		points := rate / 10_000 // basis points
		rule("BR-CO-17", number(x.Amount) == (number(x.Basis)/unit*points+5_000)/10_000*unit)
		tax += number(x.Amount)
		switch x.Category {
		case standardRate:
			rule("BR-S-05", rate > 0)
			rule("BR-S-10", x.Reason == "")
		case zeroRate:
			rule("BR-Z-05", rate == 0)
			rule("BR-Z-09", number(x.Amount) == 0)
			rule("BR-Z-10", x.Reason == "")
		case export:
			rule("BR-G-05", rate == 0)
			rule("BR-G-09", number(x.Amount) == 0)
			rule("BR-G-10", x.Reason != "")
		default:
			t.Errorf("category %s", x.Category)
		}
	}
	rule("BR-Z-01", seen[zeroRate] <= 1)
	rule("BR-G-01", seen[export] <= 1)
	rule("BR-S-01", len(taxable) == 0)
	rule("BR-CO-14", number(s.Tax) == tax)
	rule("BR-CO-15", number(s.Gross) == number(s.Net)+tax)
	rule("BR-CO-16", number(s.Due) == number(s.Gross)-number(s.Paid)+number(s.Rounding))
	if digits <= 2 {
		for _, text := range []string{s.LineSum, s.ChargeSum, s.Net, s.Tax, s.Gross, s.Rounding, s.Paid, s.Due} {
			_, frac, _ := strings.Cut(text, ".")
			rule("BR-DEC-09 and following", len(frac) <= 2)
		}
	}
}

// schemaOrder are the elements of the types that we write, in the order of the
// schemas: those that may stand between are left out.
var schemaOrder = map[string]string{
	"Invoice":                      "CustomizationID ID IssueDate InvoiceTypeCode Note DocumentCurrencyCode OrderReference BillingReference AccountingSupplierParty AccountingCustomerParty Delivery PaymentMeans AllowanceCharge TaxTotal LegalMonetaryTotal InvoiceLine",
	"CreditNote":                   "CustomizationID ID IssueDate CreditNoteTypeCode Note DocumentCurrencyCode OrderReference BillingReference AccountingSupplierParty AccountingCustomerParty Delivery PaymentMeans AllowanceCharge TaxTotal LegalMonetaryTotal CreditNoteLine",
	"cac:InvoiceDocumentReference": "ID IssueDate",
	"cac:Party":                    "PartyName PostalAddress PartyTaxScheme PartyLegalEntity Contact",
	"cac:PartyTaxScheme":           "CompanyID TaxScheme",
	"cac:PartyLegalEntity":         "RegistrationName CompanyID",
	"cac:PostalAddress":            "StreetName AdditionalStreetName CityName PostalZone CountrySubentity Country",
	"cac:Address":                  "StreetName AdditionalStreetName CityName PostalZone CountrySubentity Country",
	"cac:Delivery":                 "DeliveryLocation DeliveryParty",
	"cac:PaymentMeans":             "PaymentMeansCode CardAccount",
	"cac:CardAccount":              "PrimaryAccountNumberID NetworkID",
	"cac:AllowanceCharge":          "ChargeIndicator AllowanceChargeReasonCode AllowanceChargeReason Amount BaseAmount TaxCategory",
	"cac:TaxTotal":                 "TaxAmount TaxSubtotal",
	"cac:TaxSubtotal":              "TaxableAmount TaxAmount TaxCategory",
	"cac:TaxCategory":              "ID Percent TaxExemptionReasonCode TaxExemptionReason TaxScheme",
	"cac:ClassifiedTaxCategory":    "ID Percent TaxScheme",
	"cac:LegalMonetaryTotal":       "LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount ChargeTotalAmount PrepaidAmount PayableRoundingAmount PayableAmount",
	"cac:InvoiceLine":              "ID InvoicedQuantity LineExtensionAmount AllowanceCharge Item Price",
	"cac:CreditNoteLine":           "ID CreditedQuantity LineExtensionAmount AllowanceCharge Item Price",
	"cac:Item":                     "Description Name SellersItemIdentification ClassifiedTaxCategory",

	"rsm:CrossIndustryInvoice":                            "ExchangedDocumentContext ExchangedDocument SupplyChainTradeTransaction",
	"rsm:ExchangedDocument":                               "ID TypeCode IssueDateTime IncludedNote",
	"rsm:SupplyChainTradeTransaction":                     "IncludedSupplyChainTradeLineItem ApplicableHeaderTradeAgreement ApplicableHeaderTradeDelivery ApplicableHeaderTradeSettlement",
	"ram:IncludedSupplyChainTradeLineItem":                "AssociatedDocumentLineDocument SpecifiedTradeProduct SpecifiedLineTradeAgreement SpecifiedLineTradeDelivery SpecifiedLineTradeSettlement",
	"ram:SpecifiedTradeProduct":                           "SellerAssignedID Name Description",
	"ram:SpecifiedLineTradeSettlement":                    "ApplicableTradeTax SpecifiedTradeAllowanceCharge SpecifiedTradeSettlementLineMonetarySummation",
	"ram:ApplicableTradeTax":                              "CalculatedAmount TypeCode ExemptionReason BasisAmount CategoryCode ExemptionReasonCode RateApplicablePercent",
	"ram:CategoryTradeTax":                                "TypeCode CategoryCode RateApplicablePercent",
	"ram:SpecifiedTradeAllowanceCharge":                   "ChargeIndicator BasisAmount ActualAmount ReasonCode Reason CategoryTradeTax",
	"ram:ApplicableHeaderTradeAgreement":                  "SellerTradeParty BuyerTradeParty BuyerOrderReferencedDocument",
	"ram:SellerTradeParty":                                "Name SpecifiedLegalOrganization DefinedTradeContact PostalTradeAddress SpecifiedTaxRegistration",
	"ram:BuyerTradeParty":                                 "Name SpecifiedLegalOrganization DefinedTradeContact PostalTradeAddress SpecifiedTaxRegistration",
	"ram:ShipToTradeParty":                                "Name PostalTradeAddress",
	"ram:SpecifiedLegalOrganization":                      "ID TradingBusinessName",
	"ram:PostalTradeAddress":                              "PostcodeCode LineOne LineTwo CityName CountryID CountrySubDivisionName",
	"ram:ApplicableHeaderTradeSettlement":                 "InvoiceCurrencyCode SpecifiedTradeSettlementPaymentMeans ApplicableTradeTax SpecifiedTradeAllowanceCharge SpecifiedTradeSettlementHeaderMonetarySummation InvoiceReferencedDocument",
	"ram:SpecifiedTradeSettlementPaymentMeans":            "TypeCode ApplicableTradeSettlementFinancialCard",
	"ram:SpecifiedTradeSettlementHeaderMonetarySummation": "LineTotalAmount ChargeTotalAmount TaxBasisTotalAmount TaxTotalAmount RoundingAmount GrandTotalAmount TotalPrepaidAmount DuePayableAmount",
	"ram:InvoiceReferencedDocument":                       "IssuerAssignedID FormattedIssueDateTime",
}

// inOrder fails the test unless every element has its children in the order of
// its schema, and something in it.
func (e *element) inOrder(t testingT) {
	t.Helper()
	if len(e.kids) == 0 && e.text == "" {
		t.Errorf("%s is empty", e.name)
	}
	want, ok := schemaOrder[e.name]
	if !ok && len(e.kids) > 1 {
		t.Errorf("nothing is known of %s", e.name)
	}
	names, last := strings.Fields(want), 0
	for _, kid := range e.kids {
		kid.inOrder(t)
		if !ok {
			continue
		}
		_, local, _ := strings.Cut(kid.name, ":")
		at := slices.Index(names, local)
		if at < last {
			t.Errorf("in %s, %s stands in the wrong place", e.name, kid.name)
		}
		last = max(at, last)
	}
}

// Whatever was sold, to wherever, and whatever of it was given back: both
// syntaxes keep to the rules and to their schemas, and say the same.
func TestRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := quotes(t)
		o, seller := sold(1, "de-DE", q.Cost.Currency)
		for i := range q.Lines {
			q.Lines[i].ID = fmt.Sprint("line-", i)
			if q.Lines[i].Discount.Minor > 0 {
				q.Lines[i].Codes = append(q.Lines[i].Codes, o.Quote.Lines[0].Codes...)
			}
		}
		if rapid.Bool().Draw(t, "company") {
			q.Attributes = o.Quote.Attributes
			seller.Registration, seller.Email = "HRB 1", "shop@example.org"
		}
		o.Quote = q
		o.ShippingAddress.Country = rapid.SampledFrom([]string{"DE", "FR", "US"}).Draw(t, "to")
		if rapid.Bool().Draw(t, "no card") {
			o.Payment = order.PaymentView{}
		}
		k := &Keeper{o: Options{Now: issued.Local, Seller: seller}}
		d := k.draft(o)
		d.Number, d.IssuedAt = "2026-000042", issued
		documents := []document{d}
		if total := q.Cost.Total.Minor; total > 0 {
			amount := rapid.Int64Range(1, total).Draw(t, "back")
			of := func(n int64) money.Amount { return money.Of(n, q.Cost.Currency) }
			r := order.Refund{ID: "1", Amount: of(amount), Reason: "So & so", State: order.RefundSucceeded}
			i := rapid.IntRange(0, len(q.Lines)-1).Draw(t, "line")
			share := rapid.Int64Range(0, min(amount, q.Lines[i].Total.Minor)).Draw(t, "share")
			r.Lines = []order.RefundLine{{LineID: q.Lines[i].ID, Quantity: rapid.Int64Range(1, q.Lines[i].Quantity).Draw(t, "units"), Amount: of(share)}}
			if q.Rate != nil {
				r.Shipping = of(rapid.Int64Range(0, min(amount-share, q.Cost.Shipping.Minor)).Draw(t, "shipping"))
			}
			o.Refunds = []order.Refund{r}
			c := k.credit(credits(o, d)[0], d)
			c.Number, c.IssuedAt = "CN-2026-000007", issued
			if c.Body.Bill.Paid != amount {
				t.Errorf("%d is given back, the note says %d", amount, c.Body.Bill.Paid)
			}
			documents = append(documents, c)
		}
		for _, d := range documents {
			ubl, err := d.renderUBL()
			if err != nil {
				t.Fatal(err)
			}
			cii, err := d.renderCII()
			if err != nil {
				t.Fatal(err)
			}
			read(t, ubl).inOrder(t)
			read(t, cii).inOrder(t)
			s := readUBL(t, ubl)
			s.keepsTo(t, money.Digits(q.Cost.Currency))
			if other := readCII(t, cii); !reflect.DeepEqual(s, other) {
				t.Errorf("UBL says\n%+v\nand CII\n%+v", s, other)
			}
		}
	})
}

// The rules can be broken.
func TestRulesFind(t *testing.T) {
	d := numbered(3, "de-DE", "EUR")
	content, err := d.renderCII()
	if err != nil {
		t.Fatal(err)
	}
	for rule, change := range map[string][2]string{
		"BR-CO-10":            {"<ram:LineTotalAmount>" + decimal(d.Body.Bill.LineSum, 2), "<ram:LineTotalAmount>1.00"},
		"BR-CO-14":            {"<ram:TaxTotalAmount currencyID=\"EUR\">", "<ram:TaxTotalAmount currencyID=\"EUR\">1"},
		"BR-CO-15":            {"<ram:GrandTotalAmount>", "<ram:GrandTotalAmount>1"},
		"BR-CO-16":            {"<ram:DuePayableAmount>", "<ram:DuePayableAmount>1"},
		"BR-CO-17":            {"<ram:CalculatedAmount>", "<ram:CalculatedAmount>1"},
		"BR-S-08":             {"<ram:BasisAmount>" + decimal(d.Body.Bill.Net, 2), "<ram:BasisAmount>1.00"},
		"BR-02":               {"<ram:ID>2026-000042<", "<ram:ID><"},
		"PEPPOL-EN16931-R120": {"<ram:ChargeAmount>", "<ram:ChargeAmount>1"},
	} {
		changed := bytes.Replace(content, []byte(change[0]), []byte(change[1]), 1)
		var heard complaints
		s := readCII(t, changed)
		s.keepsTo(&heard, 2)
		if bytes.Equal(changed, content) || !slices.ContainsFunc(heard, func(text string) bool { return strings.HasPrefix(text, rule+" ") }) {
			t.Errorf("%s: %q", rule, heard)
		}
	}
	var heard complaints
	read(t, bytes.Replace(content, []byte("<ram:TypeCode>380</ram:TypeCode>"), nil, 1)).inOrder(&heard)
	read(t, bytes.Replace(content, []byte("<ram:ID>2026-000042</ram:ID>"), []byte("<ram:TypeCode>1</ram:TypeCode><ram:ID>1</ram:ID>"), 1)).inOrder(&heard)
	if len(heard) != 1 {
		t.Errorf("%q", heard)
	}
}

type complaints []string

func (c *complaints) Helper() {}

func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

func (c *complaints) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
