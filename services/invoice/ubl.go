package invoice

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"ordergraph/platform/money"
	"ordergraph/services/order"
)

// The structured document, in the order of elements of UBL 2.1. Numbers beside
// the fields are EN 16931's.
type ublDocument struct {
	XMLName   xml.Name
	Namespace string `xml:"xmlns,attr"`
	CAC       string `xml:"xmlns:cac,attr"`
	CBC       string `xml:"xmlns:cbc,attr"`

	Customization  string           `xml:"cbc:CustomizationID"` // BT-24
	ID             string           `xml:"cbc:ID"`              // BT-1
	IssueDate      string           `xml:"cbc:IssueDate"`       // BT-2
	InvoiceType    string           `xml:"cbc:InvoiceTypeCode,omitempty"`
	CreditNoteType string           `xml:"cbc:CreditNoteTypeCode,omitempty"` // BT-3
	Note           string           `xml:"cbc:Note,omitempty"`               // BT-22
	Currency       string           `xml:"cbc:DocumentCurrencyCode"`         // BT-5
	Order          ublID            `xml:"cac:OrderReference"`               // BT-13
	Billing        *ublBilling      `xml:"cac:BillingReference"`             // BG-3
	Seller         ublSupplier      `xml:"cac:AccountingSupplierParty"`      // BG-4
	Buyer          ublCustomer      `xml:"cac:AccountingCustomerParty"`      // BG-7
	Delivery       ublDelivery      `xml:"cac:Delivery"`                     // BG-13
	Means          *ublPaymentMeans `xml:"cac:PaymentMeans"`                 // BG-16
	Charge         *ublAllowance    `xml:"cac:AllowanceCharge"`              // BG-21
	TaxTotal       ublTaxTotal      `xml:"cac:TaxTotal"`
	Totals         ublTotals        `xml:"cac:LegalMonetaryTotal"` // BG-22
	InvoiceLines   []ublLine        `xml:"cac:InvoiceLine"`        // BG-25
	CreditLines    []ublLine        `xml:"cac:CreditNoteLine"`
}

type ublID struct {
	ID string `xml:"cbc:ID"`
}

type ublBilling struct {
	Reference struct {
		ID        string `xml:"cbc:ID"`        // BT-25
		IssueDate string `xml:"cbc:IssueDate"` // BT-26
	} `xml:"cac:InvoiceDocumentReference"`
}

type ublSupplier struct {
	Party ublParty `xml:"cac:Party"`
}

type ublCustomer struct {
	Party ublParty `xml:"cac:Party"`
}

type ublParty struct {
	Name    *ublName     `xml:"cac:PartyName"`
	Address ublAddress   `xml:"cac:PostalAddress"`
	Tax     *ublPartyTax `xml:"cac:PartyTaxScheme"`
	Legal   ublLegal     `xml:"cac:PartyLegalEntity"`
	Contact *ublContact  `xml:"cac:Contact"`
}

type ublAddress struct {
	Street  string `xml:"cbc:StreetName,omitempty"`
	Street2 string `xml:"cbc:AdditionalStreetName,omitempty"`
	City    string `xml:"cbc:CityName,omitempty"`
	Zip     string `xml:"cbc:PostalZone,omitempty"`
	Region  string `xml:"cbc:CountrySubentity,omitempty"`
	Country string `xml:"cac:Country>cbc:IdentificationCode"`
}

type ublName struct {
	Name string `xml:"cbc:Name"`
}

type ublPartyTax struct {
	ID     string `xml:"cbc:CompanyID"` // BT-31, BT-32, BT-48
	Scheme string `xml:"cac:TaxScheme>cbc:ID"`
}

type ublLegal struct {
	Name string `xml:"cbc:RegistrationName"` // BT-27, BT-44
	ID   string `xml:"cbc:CompanyID,omitempty"`
}

type ublContact struct {
	Email string `xml:"cbc:ElectronicMail"`
}

type ublDelivery struct {
	Address ublAddress `xml:"cac:DeliveryLocation>cac:Address"`
	Name    ublName    `xml:"cac:DeliveryParty>cac:PartyName"`
}

type ublPaymentMeans struct {
	Code string         `xml:"cbc:PaymentMeansCode"` // BT-81
	Card ublCardAccount `xml:"cac:CardAccount"`
}

type ublCardAccount struct {
	Number  string `xml:"cbc:PrimaryAccountNumberID"` // BT-87
	Network string `xml:"cbc:NetworkID"`
}

type ublAllowance struct {
	Charge     bool         `xml:"cbc:ChargeIndicator"`
	ReasonCode string       `xml:"cbc:AllowanceChargeReasonCode,omitempty"`
	Reason     string       `xml:"cbc:AllowanceChargeReason"`
	Amount     ublAmount    `xml:"cbc:Amount"`
	Base       *ublAmount   `xml:"cbc:BaseAmount"`
	Tax        *ublCategory `xml:"cac:TaxCategory"`
}

type ublCategory struct {
	ID         string `xml:"cbc:ID"`
	Percent    string `xml:"cbc:Percent"`
	ReasonCode string `xml:"cbc:TaxExemptionReasonCode,omitempty"`
	Reason     string `xml:"cbc:TaxExemptionReason,omitempty"`
	Scheme     string `xml:"cac:TaxScheme>cbc:ID"`
}

type ublTaxTotal struct {
	Amount    ublAmount        `xml:"cbc:TaxAmount"` // BT-110
	Subtotals []ublTaxSubtotal `xml:"cac:TaxSubtotal"`
}

type ublTaxSubtotal struct {
	Taxable  ublAmount   `xml:"cbc:TaxableAmount"`
	Tax      ublAmount   `xml:"cbc:TaxAmount"`
	Category ublCategory `xml:"cac:TaxCategory"`
}

type ublTotals struct {
	Lines    ublAmount  `xml:"cbc:LineExtensionAmount"`
	Net      ublAmount  `xml:"cbc:TaxExclusiveAmount"`
	Gross    ublAmount  `xml:"cbc:TaxInclusiveAmount"`
	Charges  *ublAmount `xml:"cbc:ChargeTotalAmount"`
	Paid     ublAmount  `xml:"cbc:PrepaidAmount"`
	Rounding *ublAmount `xml:"cbc:PayableRoundingAmount"`
	Due      ublAmount  `xml:"cbc:PayableAmount"`
}

type ublLine struct {
	ID        int           `xml:"cbc:ID"`
	Invoiced  *ublQuantity  `xml:"cbc:InvoicedQuantity"`
	Credited  *ublQuantity  `xml:"cbc:CreditedQuantity"`
	Net       ublAmount     `xml:"cbc:LineExtensionAmount"`
	Allowance *ublAllowance `xml:"cac:AllowanceCharge"`
	Item      ublItem       `xml:"cac:Item"`
	Price     ublAmount     `xml:"cac:Price>cbc:PriceAmount"`
}

type ublItem struct {
	Description string      `xml:"cbc:Description,omitempty"`
	Name        string      `xml:"cbc:Name"`
	Seller      *ublID      `xml:"cac:SellersItemIdentification"`
	Tax         ublCategory `xml:"cac:ClassifiedTaxCategory"`
}

type ublAmount struct {
	Currency string `xml:"currencyID,attr"`
	Value    string `xml:",chardata"`
}

type ublQuantity struct {
	Unit  string `xml:"unitCode,attr"`
	Value int64  `xml:",chardata"`
}

const (
	ublNamespace = "urn:oasis:names:specification:ubl:schema:xsd:"
	piece        = "C62" // UN/ECE recommendation 20: one
	freight      = "FC"  // UNTDID 7161
	discount     = "95"  // UNTDID 5189
	bankCard     = "48"  // UNTDID 4461

	en16931      = "urn:cen.eu:en16931:2017"
	exportCode   = "VATEX-EU-G"
	exportReason = "Export outside the EU"
)

// renderUBL writes the document as an EN 16931 invoice or credit note in UBL 2.1.
func (d *document) renderUBL() ([]byte, error) {
	b := &d.Body
	digits := money.Digits(b.Currency)
	amount := func(minor int64) ublAmount { return ublAmount{b.Currency, decimal(minor, digits)} }
	u := ublDocument{
		CAC: ublNamespace + "CommonAggregateComponents-2", CBC: ublNamespace + "CommonBasicComponents-2",
		Customization: en16931, ID: d.Number, IssueDate: day(d.IssuedAt), Note: clean(b.Note), Currency: b.Currency, Order: ublID{b.OrderNumber},
		Seller: ublSupplier{sellerParty(b.Seller)}, Buyer: ublCustomer{buyerParty(b)},
		Delivery: ublDelivery{Address: ublAddressOf(b.ShipTo), Name: ublName{nameOf(b.ShipTo)}},
		TaxTotal: ublTaxTotal{Amount: amount(b.Bill.Tax)},
		Totals: ublTotals{
			Lines: amount(b.Bill.LineSum), Net: amount(b.Bill.Net), Gross: amount(b.Bill.Gross), Paid: amount(b.Bill.Paid), Due: amount(0),
		},
	}
	root := "Invoice"
	if d.Kind == KindCreditNote {
		root, u.CreditNoteType = "CreditNote", d.typeCode()
	} else {
		u.InvoiceType = d.typeCode()
	}
	u.XMLName, u.Namespace = xml.Name{Local: root}, ublNamespace+root+"-2"
	if r := b.Refers; r != nil {
		u.Billing = &ublBilling{}
		u.Billing.Reference.ID, u.Billing.Reference.IssueDate = r.Number, day(r.IssuedAt)
	}
	if b.Card.Last4 != "" {
		u.Means = &ublPaymentMeans{bankCard, ublCardAccount{b.Card.Last4, b.Card.Brand}}
	}
	if s := b.Bill.Shipping; s != nil && s.Net != 0 {
		category := categoryOf(s.Class, false)
		u.Charge = &ublAllowance{Charge: true, ReasonCode: freight, Reason: s.Title, Amount: amount(s.Net), Tax: &category}
		charges := amount(b.Bill.Charges)
		u.Totals.Charges = &charges
	}
	if b.Bill.Rounding != 0 {
		rounding := amount(b.Bill.Rounding)
		u.Totals.Rounding = &rounding
	}
	for _, t := range b.Bill.Taxes {
		u.TaxTotal.Subtotals = append(u.TaxTotal.Subtotals, ublTaxSubtotal{amount(t.Taxable), amount(t.Tax), categoryOf(t.Class, true)})
	}
	for i := range b.Bill.Lines {
		l := &b.Bill.Lines[i]
		quantity := &ublQuantity{piece, l.Quantity}
		out := ublLine{
			ID: i + 1, Net: amount(l.Net), Price: ublAmount{b.Currency, l.unitPrice(digits)},
			Item: ublItem{Description: clean(l.Variant), Name: clean(l.Title), Tax: categoryOf(l.Class, false)},
		}
		if l.SKU != "" {
			out.Item.Seller = &ublID{clean(l.SKU)}
		}
		if l.Discount != 0 {
			base := amount(l.Price)
			out.Allowance = &ublAllowance{ReasonCode: discount, Reason: l.discountReason(), Amount: amount(l.Discount), Base: &base}
		}
		if d.Kind == KindCreditNote {
			out.Credited = quantity
			u.CreditLines = append(u.CreditLines, out)
		} else {
			out.Invoiced = quantity
			u.InvoiceLines = append(u.InvoiceLines, out)
		}
	}
	return encode(u)
}

func encode(document any) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString(xml.Header)
	encoder := xml.NewEncoder(&text)
	encoder.Indent("", " ")
	if err := encoder.Encode(document); err != nil {
		return nil, fmt.Errorf("write XML: %w", err)
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

// typeCode is BT-3.
func (d *document) typeCode() string {
	if d.Kind == KindCreditNote {
		return "381"
	}
	return "380"
}

func (l *line) discountReason() string {
	return strings.TrimSpace("Discount " + strings.Join(l.Codes, ", "))
}

// categoryOf is a class of tax; with says that the reason for an exemption
// stands there, as it does once for each rate.
func categoryOf(c class, with bool) ublCategory {
	category := ublCategory{ID: c.Category, Percent: percent(c.Rate), Scheme: "VAT"}
	if with && c.Category == export {
		category.ReasonCode, category.Reason = exportCode, exportReason
	}
	return category
}

func sellerParty(s Seller) ublParty {
	p := ublParty{
		Name:    &ublName{s.Name},
		Address: ublAddress{Street: s.Address, City: s.City, Zip: s.Zip, Country: s.Country},
		Tax:     partyTax(s.TaxID),
		Legal:   ublLegal{Name: s.Name, ID: s.Registration},
	}
	if s.Email != "" {
		p.Contact = &ublContact{s.Email}
	}
	return p
}

func buyerParty(b *body) ublParty {
	p := ublParty{Address: ublAddressOf(b.Buyer), Legal: ublLegal{Name: nameOf(b.Buyer)}}
	if b.BuyerTaxID != "" {
		p.Tax = partyTax(b.BuyerTaxID)
	}
	return p
}

// partyTax is a VAT number if it begins with its country, as the standard
// wants it (BR-CO-09), and otherwise a registration with the local tax
// authority. Greece is EL to them.
func partyTax(id string) *ublPartyTax {
	id = strings.ReplaceAll(clean(id), " ", "")
	if len(id) > 2 {
		country, err := language.ParseRegion(id[:2])
		if id[:2] == "EL" || err == nil && country.IsCountry() && country.String() == id[:2] {
			return &ublPartyTax{id, "VAT"}
		}
	}
	return &ublPartyTax{id, "TAX"}
}

func ublAddressOf(a order.Address) ublAddress {
	return ublAddress{Street: clean(a.Address1), Street2: clean(a.Address2), City: clean(a.City), Zip: clean(a.Zip), Region: clean(a.Province), Country: a.Country}
}

// nameOf is the company, or else the person.
func nameOf(a order.Address) string {
	if a.Company != "" {
		return clean(a.Company)
	}
	return clean(strings.TrimSpace(a.FirstName + " " + a.LastName))
}

// clean leaves out what XML cannot hold and nobody can see.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsGraphic(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
