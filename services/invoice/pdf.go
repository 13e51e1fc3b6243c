package invoice

import (
	"fmt"
	"strconv"
	"strings"

	"ordergraph/platform/pdf"
	"ordergraph/services/order"
)

// Measures of the page, in millimetres: A4, with the address where windows of
// envelopes show it.
const (
	left, right = 20.0, 190.0
	width       = right - left
	floor       = 270.0 // content ends here
	footer      = 277.0
)

// Columns of the table: where they end.
const (
	itemEnd     = 104.0
	quantityEnd = 118.0
	unitEnd     = 144.0
	taxEnd      = 159.0
)

// A page is a document while it is drawn: the page that is written on, and how.
type page struct {
	tongue
	file *pdf.Document
	on   *pdf.Page
	d    *document
	font *pdf.Font
	size float64
	ink  int
}

// renderPDF draws the document, with what programs read attached. It depends
// on the document alone, down to the dates in the file.
func (d *document) renderPDF(attached []byte) []byte {
	p := page{tongue: tongueFor(d.Body.Locale, d.Body.Currency, d.Body.Seller.Country), d: d}
	title := p.title() + " " + d.Number
	p.file = &pdf.Document{
		Title: title, Author: d.Body.Seller.Name, Creator: "Ordergraph", Language: p.language, Created: d.IssuedAt, Metadata: facturX,
		Attached: []pdf.Attachment{{Name: facturXName, Type: "text/xml", Description: title, Relation: "Alternative", Content: attached}},
	}
	p.on = p.file.Page()
	p.head()
	y := p.table(98)
	y = p.totals(y)
	p.closing(y)
	p.feet()
	return p.file.Bytes()
}

func (p *page) title() string {
	if p.d.Kind == KindCreditNote {
		return p.CreditNote
	}
	return p.Invoice
}

// Shades of ink.
const (
	black = 30
	grey  = 110
	pale  = 205
)

// pen chooses how to write from now on.
func (p *page) pen(bold bool, size float64, ink int) {
	p.font, p.size, p.ink = fonts().regular, size, ink
	if bold {
		p.font = fonts().bold
	}
}

// at writes one line whose base is at y: from x to the right, or, with a
// negative width, ending at x. Text that does not fit is cut short.
func (p *page) at(x, y, w float64, text string) {
	text = p.font.Fit(printable(text), p.size, max(w, -w))
	if w < 0 {
		x -= p.font.Width(text, p.size)
	}
	p.on.Text(p.font, p.size, p.ink, x, y, text)
}

func (p *page) rule(y float64, ink int, weight float64, from, to float64) {
	p.on.Line(ink, weight, from, y, to, y)
}

// head is the top of the first page.
func (p *page) head() {
	b := &p.d.Body
	p.pen(true, 13, black)
	p.at(left, 24, 100, b.Seller.Name)
	p.pen(false, 8.5, grey)
	p.at(left, 29, 110, strings.Join(sellerLines(&b.Seller, p.country(b.Seller.Country)), " · "))
	p.pen(false, 22, black)
	p.at(right, 25.5, -75, p.title())
	p.rule(34, pale, .2, left, right)

	p.block(left, 50, 62, p.BilledTo, p.address(b.Buyer))
	if to := p.address(b.ShipTo); b.Bill.Shipping != nil && strings.Join(to, "\n") != strings.Join(p.address(b.Buyer), "\n") {
		p.block(86, 50, 40, p.DeliveredTo, to)
	}

	facts := [][2]string{
		{p.Number, p.d.Number}, {p.Date, p.day(p.d.IssuedAt)}, {p.Order, b.OrderNumber}, {p.Placed, p.day(b.OrderedAt)},
	}
	if b.Refers != nil {
		facts = append(facts, [2]string{p.Refers, b.Refers.Number})
	}
	if b.BuyerTaxID != "" {
		facts = append(facts, [2]string{p.YourTaxID, b.BuyerTaxID})
	}
	y := 50.0
	for i, f := range facts {
		p.pen(false, 8.5, grey)
		p.at(131, y, 25, f[0])
		p.pen(i == 0, 9.5, black)
		p.at(right, y, -36, f[1])
		y += 5.6
	}
}

func sellerLines(s *Seller, country string) []string {
	return []string{s.Address, strings.TrimSpace(s.Zip + " " + s.City), country}
}

func (p *page) block(x, y, w float64, label string, lines []string) {
	p.pen(false, 8.5, grey)
	p.at(x, y, w, label)
	p.pen(false, 10, black)
	for i, text := range lines {
		p.at(x, y+6+5*float64(i), w, text)
	}
}

func (p *page) address(a order.Address) []string {
	var lines []string
	for _, text := range []string{
		a.Company, strings.TrimSpace(a.FirstName + " " + a.LastName), a.Address1, a.Address2,
		strings.TrimSpace(a.Zip + " " + a.City + " " + a.Province), p.country(a.Country),
	} {
		if text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

// columns is the head of the table.
func (p *page) columns(y float64) float64 {
	p.on.Area(244, left, y-5, width, 7.4)
	p.pen(true, 8.5, black)
	p.at(left+2, y, 70, p.Item)
	p.at(quantityEnd, y, -20, p.Quantity)
	p.at(unitEnd, y, -24, p.Unit)
	p.at(taxEnd, y, -14, p.tax)
	p.at(right-2, y, -28, p.Net)
	return y + 8.4
}

// next begins another page.
func (p *page) next() float64 {
	p.on = p.file.Page()
	p.pen(true, 10, black)
	p.at(left, 20, 80, p.d.Body.Seller.Name)
	p.pen(false, 9, grey)
	p.at(right, 20, -90, p.title()+" "+p.d.Number+" · "+p.Continued)
	p.rule(24, pale, .2, left, right)
	return 34
}

// table draws the lines, over as many pages as they take.
func (p *page) table(y float64) float64 {
	y = p.columns(y)
	for i := range p.d.Body.Bill.Lines {
		l := &p.d.Body.Bill.Lines[i]
		p.pen(false, 9.5, black)
		titles := p.font.Wrap(printable(l.Title), p.size, itemEnd-left-4)
		var notes []string
		p.pen(false, 8, grey)
		if about := strings.TrimPrefix(l.Variant+" · "+l.SKU, " · "); about != " · " {
			notes = p.font.Wrap(printable(strings.TrimSuffix(about, " · ")), p.size, itemEnd-left-4)
		}
		high := 4.6*float64(len(titles)) + 4*float64(len(notes)) + 2.6
		if l.Discount != 0 {
			high += 4
		}
		if y+high-4 > floor {
			y = p.columns(p.next())
		}
		p.pen(false, 9.5, black)
		p.at(quantityEnd, y, -12, strconv.FormatInt(l.Quantity, 10))
		p.at(unitEnd, y, -25, p.money(l.shownPrice(p.digits)))
		p.at(taxEnd, y, -14, p.percent(l.Class.Rate))
		p.at(right-2, y, -29, p.amount(l.Net))
		for _, text := range titles {
			p.at(left+2, y, itemEnd-left, text)
			y += 4.6
		}
		p.pen(false, 8, grey)
		for _, text := range notes {
			p.at(left+2, y-.4, itemEnd-left, text)
			y += 4
		}
		if l.Discount != 0 {
			p.at(left+2, y-.4, taxEnd-left, strings.TrimSpace(p.Discount+" "+strings.Join(l.Codes, ", "))+": "+p.amount(-l.Discount)+" "+p.On+" "+p.amount(l.Price))
			y += 4
		}
		p.rule(y-1.8, 225, .15, left, right)
		y += 2.6
	}
	return y
}

// totals draws the sums, together on one page.
func (p *page) totals(y float64) float64 {
	b := &p.d.Body.Bill
	type row struct {
		label, amount string
		strong        bool
	}
	var rows []row
	if s := b.Shipping; s != nil {
		text := p.amount(s.Net)
		if s.Net == 0 {
			text = p.Free
		}
		label := fmt.Sprintf("%s (%s)", p.Shipping, s.Title)
		if s.Net != 0 {
			label += ", " + p.percent(s.Class.Rate) + " " + p.tax
		}
		rows = append(rows, row{label, text, false})
	}
	rows = append(rows, row{p.NetTotal, p.amount(b.Net), false})
	for _, t := range b.Taxes {
		rows = append(rows, row{fmt.Sprintf("%s %s %s %s", p.tax, p.percent(t.Class.Rate), p.On, p.amount(t.Taxable)), p.amount(t.Tax), false})
	}
	if b.Rounding != 0 {
		rows = append(rows, row{p.Rounding, p.amount(b.Rounding), false})
	}
	rows = append(rows, row{p.Total, p.amount(b.Paid), true})
	if y+6*float64(len(rows))+26 > floor {
		y = p.next()
	}
	y += 5
	const from = 105.0
	for _, r := range rows {
		size, ink := 9.5, 60
		if r.strong {
			p.rule(y-3.4, black, .35, from, right)
			y += 2.6
			size, ink = 12, black
		}
		p.pen(r.strong, size, ink)
		p.at(from, y, 55, r.label)
		p.at(right-2, y, -32, r.amount)
		y += 6
	}
	return y
}

// closing says what was paid.
func (p *page) closing(y float64) {
	b := &p.d.Body
	paid := p.Paid
	switch {
	case p.d.Kind == KindCreditNote:
		paid = p.Refunded
	case b.Card.Last4 != "":
		paid = fmt.Sprintf("%s (%s •••• %s)", p.PaidBy, brandName(b.Card.Brand), b.Card.Last4)
	}
	p.pen(false, 9.5, 60)
	p.at(105, y, 58, paid)
	p.at(right-2, y, -30, p.amount(b.Bill.Paid))
	y += 6
	if p.d.Kind == KindInvoice {
		p.at(105, y, 58, p.Due)
		p.at(right-2, y, -30, p.amount(0))
		y += 6
	}
	y += 6
	p.pen(false, 8.5, grey)
	for _, t := range b.Bill.Taxes {
		if t.Class.Category == export {
			p.at(left, y, width, p.Export)
			y += 4.6
			break
		}
	}
	p.at(left, y, width, p.Attached)
	for _, text := range p.font.Wrap(printable(b.Note), p.size, width) {
		y += 4.6
		p.at(left, y, width, text)
	}
}

func brandName(brand string) string {
	switch brand {
	case "amex":
		return "American Express"
	case "":
		return ""
	}
	return strings.ToUpper(brand[:1]) + brand[1:]
}

// feet stand below every page, when it is known how many there are.
func (p *page) feet() {
	s := &p.d.Body.Seller
	parts := append([]string{s.Name}, sellerLines(s, p.country(s.Country))...)
	more := []string{p.taxID + " " + s.TaxID}
	for _, text := range []string{s.Registration, s.Email} {
		if text != "" {
			more = append(more, text)
		}
	}
	all := p.file.Pages()
	for i, one := range all {
		p.on = one
		p.rule(footer, pale, .2, left, right)
		p.pen(false, 8, grey)
		p.at(left, footer+4.6, 140, strings.Join(parts, " · "))
		p.at(left, footer+8.6, 140, strings.Join(more, " · "))
		p.at(right, footer+4.6, -28, fmt.Sprintf("%s %d %s %d", p.Page, i+1, p.Of, len(all)))
	}
}

// shownPrice is the price of one unit to four decimals at most; the XML has it
// in full.
func (l *line) shownPrice(digits int) string {
	text := l.unitPrice(digits)
	whole, frac, _ := strings.Cut(text, ".")
	if most := max(digits, 4); len(frac) > most {
		frac = frac[:most]
	}
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}
