package invoice

import (
	"encoding/xml"
	"strings"
	"time"

	"ordergraph/platform/money"
	"ordergraph/services/order"
)

// The structured document as UN/CEFACT has it, in the order of its schema
// (D16B): what Factur-X and ZUGFeRD attach to the PDF. It says the same as the
// UBL document.
type ciiDocument struct {
	XMLName xml.Name `xml:"rsm:CrossIndustryInvoice"`
	RSM     string   `xml:"xmlns:rsm,attr"`
	RAM     string   `xml:"xmlns:ram,attr"`
	UDT     string   `xml:"xmlns:udt,attr"`
	QDT     string   `xml:"xmlns:qdt,attr"`

	Guideline string        `xml:"rsm:ExchangedDocumentContext>ram:GuidelineSpecifiedDocumentContextParameter>ram:ID"` // BT-24
	ID        string        `xml:"rsm:ExchangedDocument>ram:ID"`                                                       // BT-1
	Type      string        `xml:"rsm:ExchangedDocument>ram:TypeCode"`                                                 // BT-3
	Issued    ciiDate       `xml:"rsm:ExchangedDocument>ram:IssueDateTime>udt:DateTimeString"`                         // BT-2
	Note      *ciiNote      `xml:"rsm:ExchangedDocument>ram:IncludedNote"`                                             // BT-22
	Lines     []ciiLine     `xml:"rsm:SupplyChainTradeTransaction>ram:IncludedSupplyChainTradeLineItem"`               // BG-25
	Agreement ciiAgreement  `xml:"rsm:SupplyChainTradeTransaction>ram:ApplicableHeaderTradeAgreement"`
	ShipTo    ciiParty      `xml:"rsm:SupplyChainTradeTransaction>ram:ApplicableHeaderTradeDelivery>ram:ShipToTradeParty"` // BG-13
	Terms     ciiSettlement `xml:"rsm:SupplyChainTradeTransaction>ram:ApplicableHeaderTradeSettlement"`
}

type ciiDate struct {
	Format string `xml:"format,attr"`
	Date   string `xml:",chardata"`
}

type ciiNote struct {
	Content string `xml:"ram:Content"`
}

type ciiLine struct {
	ID          int             `xml:"ram:AssociatedDocumentLineDocument>ram:LineID"`
	SKU         string          `xml:"ram:SpecifiedTradeProduct>ram:SellerAssignedID,omitempty"`
	Name        string          `xml:"ram:SpecifiedTradeProduct>ram:Name"`
	Description string          `xml:"ram:SpecifiedTradeProduct>ram:Description,omitempty"`
	Price       string          `xml:"ram:SpecifiedLineTradeAgreement>ram:NetPriceProductTradePrice>ram:ChargeAmount"`
	Quantity    ublQuantity     `xml:"ram:SpecifiedLineTradeDelivery>ram:BilledQuantity"`
	Tax         ciiTax          `xml:"ram:SpecifiedLineTradeSettlement>ram:ApplicableTradeTax"`
	Allowance   []ciiAdjustment `xml:"ram:SpecifiedLineTradeSettlement>ram:SpecifiedTradeAllowanceCharge"`
	Net         string          `xml:"ram:SpecifiedLineTradeSettlement>ram:SpecifiedTradeSettlementLineMonetarySummation>ram:LineTotalAmount"`
}

type ciiTax struct {
	Amount     string `xml:"ram:CalculatedAmount,omitempty"` // BT-117
	Type       string `xml:"ram:TypeCode"`
	Reason     string `xml:"ram:ExemptionReason,omitempty"`
	Basis      string `xml:"ram:BasisAmount,omitempty"` // BT-116
	Category   string `xml:"ram:CategoryCode"`
	ReasonCode string `xml:"ram:ExemptionReasonCode,omitempty"`
	Percent    string `xml:"ram:RateApplicablePercent"`
}

type ciiAdjustment struct {
	Charge     bool    `xml:"ram:ChargeIndicator>udt:Indicator"`
	Basis      string  `xml:"ram:BasisAmount,omitempty"`
	Amount     string  `xml:"ram:ActualAmount"`
	ReasonCode string  `xml:"ram:ReasonCode"`
	Reason     string  `xml:"ram:Reason"`
	Tax        *ciiTax `xml:"ram:CategoryTradeTax"`
}

type ciiAgreement struct {
	Seller ciiParty `xml:"ram:SellerTradeParty"`                                  // BG-4
	Buyer  ciiParty `xml:"ram:BuyerTradeParty"`                                   // BG-7
	Order  string   `xml:"ram:BuyerOrderReferencedDocument>ram:IssuerAssignedID"` // BT-13
}

type ciiParty struct {
	Name    string      `xml:"ram:Name"`
	Legal   *ciiLegal   `xml:"ram:SpecifiedLegalOrganization"`
	Contact *ciiContact `xml:"ram:DefinedTradeContact"`
	Address ciiAddress  `xml:"ram:PostalTradeAddress"`
	Tax     *ciiTaxID   `xml:"ram:SpecifiedTaxRegistration>ram:ID"`
}

type ciiLegal struct {
	ID   string `xml:"ram:ID,omitempty"`
	Name string `xml:"ram:TradingBusinessName,omitempty"`
}

type ciiContact struct {
	Email string `xml:"ram:EmailURIUniversalCommunication>ram:URIID"`
}

type ciiAddress struct {
	Zip     string `xml:"ram:PostcodeCode,omitempty"`
	Street  string `xml:"ram:LineOne,omitempty"`
	Street2 string `xml:"ram:LineTwo,omitempty"`
	City    string `xml:"ram:CityName,omitempty"`
	Country string `xml:"ram:CountryID"`
	Region  string `xml:"ram:CountrySubDivisionName,omitempty"`
}

type ciiTaxID struct {
	Scheme string `xml:"schemeID,attr"`
	ID     string `xml:",chardata"`
}

type ciiSettlement struct {
	Currency string          `xml:"ram:InvoiceCurrencyCode"`                  // BT-5
	Means    *ciiMeans       `xml:"ram:SpecifiedTradeSettlementPaymentMeans"` // BG-16
	Taxes    []ciiTax        `xml:"ram:ApplicableTradeTax"`                   // BG-23
	Charges  []ciiAdjustment `xml:"ram:SpecifiedTradeAllowanceCharge"`        // BG-21
	Totals   ciiTotals       `xml:"ram:SpecifiedTradeSettlementHeaderMonetarySummation"`
	Refers   *ciiReference   `xml:"ram:InvoiceReferencedDocument"` // BG-3
}

type ciiMeans struct {
	Code string `xml:"ram:TypeCode"`                                      // BT-81
	Card string `xml:"ram:ApplicableTradeSettlementFinancialCard>ram:ID"` // BT-87
}

type ciiTotals struct {
	Lines    string    `xml:"ram:LineTotalAmount"`
	Charges  string    `xml:"ram:ChargeTotalAmount,omitempty"`
	Net      string    `xml:"ram:TaxBasisTotalAmount"`
	Tax      ublAmount `xml:"ram:TaxTotalAmount"`
	Rounding string    `xml:"ram:RoundingAmount,omitempty"`
	Gross    string    `xml:"ram:GrandTotalAmount"`
	Paid     string    `xml:"ram:TotalPrepaidAmount"`
	Due      string    `xml:"ram:DuePayableAmount"`
}

type ciiReference struct {
	ID   string  `xml:"ram:IssuerAssignedID"`                          // BT-25
	Date ciiDate `xml:"ram:FormattedIssueDateTime>qdt:DateTimeString"` // BT-26
}

const ciiNamespace = "urn:un:unece:uncefact:data:standard:"

// renderCII writes the document as an EN 16931 invoice or credit note in CII.
func (d *document) renderCII() ([]byte, error) {
	b := &d.Body
	digits := money.Digits(b.Currency)
	amount := func(minor int64) string { return decimal(minor, digits) }
	c := ciiDocument{
		RSM: ciiNamespace + "CrossIndustryInvoice:100", RAM: ciiNamespace + "ReusableAggregateBusinessInformationEntity:100",
		UDT: ciiNamespace + "UnqualifiedDataType:100", QDT: ciiNamespace + "QualifiedDataType:100",
		Guideline: en16931, ID: d.Number, Type: d.typeCode(), Issued: ciiDay(d.IssuedAt),
		Agreement: ciiAgreement{Seller: ciiSeller(b.Seller), Buyer: ciiBuyer(b), Order: b.OrderNumber},
		ShipTo:    ciiParty{Name: nameOf(b.ShipTo), Address: ciiAddressOf(b.ShipTo)},
		Terms: ciiSettlement{Currency: b.Currency, Totals: ciiTotals{
			Lines: amount(b.Bill.LineSum), Net: amount(b.Bill.Net), Tax: ublAmount{b.Currency, amount(b.Bill.Tax)},
			Gross: amount(b.Bill.Gross), Paid: amount(b.Bill.Paid), Due: amount(0),
		}},
	}
	if note := clean(b.Note); note != "" {
		c.Note = &ciiNote{note}
	}
	for i := range b.Bill.Lines {
		l := &b.Bill.Lines[i]
		out := ciiLine{
			ID: i + 1, SKU: clean(l.SKU), Name: clean(l.Title), Description: clean(l.Variant), Price: l.unitPrice(digits),
			Quantity: ublQuantity{piece, l.Quantity}, Tax: ciiCategory(l.Class), Net: amount(l.Net),
		}
		if l.Discount != 0 {
			out.Allowance = []ciiAdjustment{{Basis: amount(l.Price), Amount: amount(l.Discount), ReasonCode: discount, Reason: l.discountReason()}}
		}
		c.Lines = append(c.Lines, out)
	}
	terms := &c.Terms
	if b.Card.Last4 != "" {
		terms.Means = &ciiMeans{bankCard, b.Card.Last4}
	}
	for _, t := range b.Bill.Taxes {
		tax := ciiCategory(t.Class)
		tax.Amount, tax.Basis = amount(t.Tax), amount(t.Taxable)
		if t.Class.Category == export {
			tax.ReasonCode, tax.Reason = exportCode, exportReason
		}
		terms.Taxes = append(terms.Taxes, tax)
	}
	if s := b.Bill.Shipping; s != nil && s.Net != 0 {
		tax := ciiCategory(s.Class)
		terms.Charges = []ciiAdjustment{{Charge: true, Amount: amount(s.Net), ReasonCode: freight, Reason: s.Title, Tax: &tax}}
		terms.Totals.Charges = amount(b.Bill.Charges)
	}
	if b.Bill.Rounding != 0 {
		terms.Totals.Rounding = amount(b.Bill.Rounding)
	}
	if r := b.Refers; r != nil {
		terms.Refers = &ciiReference{r.Number, ciiDay(r.IssuedAt)}
	}
	return encode(c)
}

func ciiCategory(c class) ciiTax {
	return ciiTax{Type: "VAT", Category: c.Category, Percent: percent(c.Rate)}
}

func ciiDay(t time.Time) ciiDate { return ciiDate{"102", t.UTC().Format("20060102")} }

func ciiSeller(s Seller) ciiParty {
	p := ciiParty{
		Name: s.Name, Address: ciiAddress{Street: s.Address, Zip: s.Zip, City: s.City, Country: s.Country},
		Legal: &ciiLegal{ID: s.Registration, Name: s.Name}, Tax: ciiTaxIDOf(s.TaxID),
	}
	if s.Email != "" {
		p.Contact = &ciiContact{s.Email}
	}
	return p
}

func ciiBuyer(b *body) ciiParty {
	p := ciiParty{Name: nameOf(b.Buyer), Address: ciiAddressOf(b.Buyer)}
	if b.BuyerTaxID != "" {
		p.Tax = ciiTaxIDOf(b.BuyerTaxID)
	}
	return p
}

func ciiTaxIDOf(id string) *ciiTaxID {
	tax := partyTax(id)
	if tax.Scheme == "VAT" {
		return &ciiTaxID{"VA", tax.ID}
	}
	return &ciiTaxID{"FC", tax.ID}
}

func ciiAddressOf(a order.Address) ciiAddress {
	return ciiAddress{Zip: clean(a.Zip), Street: clean(a.Address1), Street2: clean(a.Address2), City: clean(a.City), Country: a.Country, Region: clean(a.Province)}
}

// facturXName is what the standard calls the attached file.
const facturXName = "factur-x.xml"

// facturX is what Factur-X 1.0 wants said of the attached file in the PDF's
// metadata, and, as PDF/A wants it, what these words mean.
var facturX = func() string {
	const namespace = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
	var said, meant strings.Builder
	for _, p := range [][3]string{
		{"DocumentFileName", facturXName, "name of the embedded XML invoice file"},
		{"DocumentType", "INVOICE", "type of the document, INVOICE for credit notes as well"},
		{"Version", "1.0", "version of the standard"},
		{"ConformanceLevel", "EN 16931", "profile of the standard"},
	} {
		said.WriteString("<fx:" + p[0] + ">" + p[1] + "</fx:" + p[0] + ">")
		meant.WriteString(`<rdf:li rdf:parseType="Resource"><pdfaProperty:name>` + p[0] + "</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>" +
			"<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>" + p[2] + "</pdfaProperty:description></rdf:li>\n")
	}
	return `<rdf:Description rdf:about="" xmlns:fx="` + namespace + `">` + said.String() + "</rdf:Description>\n" +
		`<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">` +
		`<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>` +
		"<pdfaSchema:namespaceURI>" + namespace + "</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>\n" +
		meant.String() + "</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>\n"
}()
