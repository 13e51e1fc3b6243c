package notification

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/account"
	"ordergraph/services/fulfilment"
	"ordergraph/services/order"
)

// errObsolete is a message that nobody needs any more.
var errObsolete = errors.New("no longer of use")

// A sheet is what the templates lay out.
type sheet struct {
	Language   string
	Shop       string
	Logo       bool
	Subject    string
	Preview    string // what a mailbox shows beside the subject
	Greeting   string
	Paragraphs []string
	Button     *button
	Lines      []line
	Sums       []sum
	Details    []detail
	Notes      []string
	Footer     []string
}

type button struct{ Label, URL, CodeLabel, Code string }

type line struct{ Title, About, Amount string }

type sum struct {
	Label, Amount string
	Strong        bool
}

type detail struct {
	Label string
	Lines []string
	Link  *button
}

// An author writes the shop's messages.
type author struct {
	words     *words
	shop      string // its name
	publicURL string
	orderPage string        // the address of an order's page, up to its id; "": there is none
	logo      []byte        // a PNG; nil: none
	missing   *atomic.Int64 // messages whose language is missing
}

func (k *Keeper) author() *author {
	return &author{
		words: k.words, shop: k.o.ShopName, publicURL: k.o.PublicURL, orderPage: k.o.OrderPage, logo: k.o.Logo, missing: &k.counts.missing,
	}
}

// begin is a sheet with what all mails have.
func (a *author) begin(locale, firstName string, kind Kind) (voice, *sheet) {
	v := a.voice(locale)
	greeting := v.say("greeting.nobody")
	if name := harmless(firstName); name != "" {
		greeting = v.say("greeting", "name", name)
	}
	return v, &sheet{
		Language: v.tag.String(), Shop: a.shop, Logo: len(a.logo) > 0, Greeting: greeting,
		Subject:    v.say(string(kind)+".subject", "shop", a.shop),
		Paragraphs: []string{v.say(string(kind)+".text", "shop", a.shop)},
		Footer:     []string{v.say("footer", "shop", a.shop)},
	}
}

func (a *author) voice(locale string) voice {
	v, missing := a.words.in(locale)
	if missing {
		a.missing.Add(1)
	}
	return v
}

// harmless is a name to greet somebody by, or nothing. Whoever registers a
// stranger's address chooses the name in the mail to it: it must not carry a
// message of its own.
func harmless(name string) string {
	name = plain(name)
	if len([]rune(name)) > 40 || strings.ContainsAny(name, "/:@.<>\\") || strings.ContainsFunc(name, unicode.IsDigit) {
		return ""
	}
	return name
}

// plain is text in one line, without what a terminal or a mail program might obey.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// logoID is the Content-ID under which a letter shows the shop's logo.
const logoID = "logo"

// lay makes the letter out of the sheet.
func (a *author) lay(to string, s *sheet) (Letter, error) {
	s.Preview = strings.Join(s.Paragraphs, " ")
	var html, text bytes.Buffer
	if err := a.words.html.Execute(&html, s); err != nil {
		return Letter{}, err
	}
	if err := a.words.text.Execute(&text, s); err != nil {
		return Letter{}, err
	}
	l := Letter{To: to, Language: s.Language, Subject: plain(s.Subject), Text: text.String(), HTML: html.String()}
	if s.Logo {
		l.Attachments = []Attachment{{Name: "logo.png", ContentType: "image/png", Content: a.logo, Inline: logoID}}
	}
	return l, nil
}

// pages are where the links of accounts lead.
var pages = map[Kind]string{Verify: "/account/verify", Reset: "/account/reset", Invite: "/account/reset"}

// writeAccount writes what the account service asked for.
func (k *Keeper) writeAccount(ctx context.Context, d *document) (Letter, error) {
	m, err := k.o.Accounts.Mail(ctx, identity.Ourselves(), d.Ref)
	if errors.Is(err, account.ErrNoMail) {
		return Letter{}, errObsolete
	}
	if err != nil {
		return Letter{}, err
	}
	return k.author().account(m, d.Kind, k.now())
}

// account is a mail about an account.
func (a *author) account(m account.Mail, kind Kind, now time.Time) (Letter, error) {
	v, s := a.begin(m.Locale, m.FirstName, kind)
	if m.Token != "" {
		s.Button = &button{
			Label: v.say(string(kind) + ".button"), URL: a.publicURL + pages[kind] + "?token=" + url.QueryEscape(m.Token),
			CodeLabel: v.say("code"), Code: m.Token,
		}
		s.Notes = append(s.Notes, v.goodFor(m.Expires.Sub(now)))
	}
	if note := v.say(string(kind) + ".note"); note != "" {
		s.Notes = append(s.Notes, note)
	}
	return a.lay(m.Email, s)
}

// goodFor says how long a link is good.
func (v voice) goodFor(d time.Duration) string {
	if hours := int(d.Round(time.Hour) / time.Hour); hours > 1 {
		return v.count("expires.hours", hours)
	}
	return v.count("expires.minutes", max(1, int(d.Round(time.Minute)/time.Minute)))
}

// Parcels are as much of fulfilment.Service as messages are made of.
type Parcels interface {
	OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) ([]fulfilment.Consignment, error)
}

// An occasion is all that a message about an order is made of.
type occasion struct {
	kind    Kind
	order   order.Order
	parcels []fulfilment.Consignment // those that were handed to the carrier
	invoice enclosure
	refund  order.Refund
}

// occasion asks the services what there is to say.
func (k *Keeper) occasion(ctx context.Context, d *document) (occasion, error) {
	version := d.Cause
	if len(d.Attempts) > 0 { // much may have happened since
		version = 0
	}
	o, err := k.o.Recent.At(ctx, d.Ref, version)
	if errors.Is(err, order.ErrNotFound) {
		return occasion{}, errObsolete
	}
	if err != nil {
		return occasion{}, err
	}
	about := occasion{kind: d.Kind, order: o, invoice: d.Invoice}
	for _, r := range o.Refunds {
		if r.ID == d.Refund && r.State == order.RefundSucceeded {
			about.refund = r
		}
	}
	if d.Kind == OrderRefunded && d.Refund == "" { // stored before refunds were told of one by one
		about.refund = order.Refund{ID: order.RefundOfCancel, Amount: o.Payment.Refunded}
	}
	if d.Kind != OrderShipped || k.o.Parcels == nil {
		return about, nil
	}
	all, err := k.o.Parcels.OfOrder(ctx, identity.Ourselves(), o.ID, "")
	if err != nil && !errors.Is(err, order.ErrNotFound) {
		return occasion{}, err
	}
	for _, c := range all {
		if c.Tracking != nil && c.Tracking.Number != "" {
			about.parcels = append(about.parcels, c)
		}
	}
	return about, nil
}

// writeOrder writes what an order's story gave cause for.
func (k *Keeper) writeOrder(ctx context.Context, d *document) (Letter, error) {
	about, err := k.occasion(ctx, d)
	if err != nil {
		return Letter{}, err
	}
	return k.author().order(about)
}

// order is a mail about an order.
func (a *author) order(about occasion) (Letter, error) {
	o := &about.order
	if o.Email == "" {
		return Letter{}, errObsolete
	}
	v, s := a.begin(o.Locale, o.ShippingAddress.FirstName, about.kind)
	s.Subject = v.say(string(about.kind)+".subject", "shop", a.shop, "number", o.Number)
	page := a.pageOf(o)
	switch about.kind {
	case OrderConfirmed:
		v.summary(s, o)
		switch about.invoice {
		case enclosed:
			s.Footer = append([]string{v.say("confirmed.invoice_attached")}, s.Footer...)
		case promised:
			s.Footer = append([]string{v.say("confirmed.invoice_soon")}, s.Footer...)
		}
	case InvoiceFollows:
		s.Details = []detail{
			{Label: v.say("detail.number"), Lines: []string{o.Number}},
			{Label: v.say("sum.total"), Lines: []string{v.money(o.Quote.Cost.Total)}},
		}
	case OrderFailed:
		s.Paragraphs = append(s.Paragraphs, v.say(failedBecause(o.Reason)), v.say("failed.kept"))
		page = ""
	case OrderShipped:
		v.parcels(s, about.parcels)
		s.Details = append(s.Details, detail{Label: v.say("detail.address"), Lines: v.address(o.ShippingAddress)})
	case OrderDelivered:
		s.Notes = append(s.Notes, v.say("delivered.note"))
	case OrderCancelled:
		if amount := comesBack(o); amount.Minor > 0 {
			s.Paragraphs = append(s.Paragraphs, v.say("cancelled.refund", "amount", v.money(amount)))
		}
	case OrderRefunded:
		if about.refund.Amount.Minor == 0 {
			return Letter{}, errObsolete // nothing was charged, so nothing came back
		}
		s.Paragraphs = []string{v.say("refunded.text", "amount", v.money(about.refund.Amount))}
		if reason := plain(about.refund.Reason); reason != "" && about.refund.ID != order.RefundOfCancel {
			s.Paragraphs = append(s.Paragraphs, reason)
		}
	}
	if page != "" && s.Button == nil {
		s.Button = &button{Label: v.say("order.button"), URL: page}
	}
	return a.lay(o.Email, s)
}

// comesBack is what is given back of an order because it was called off: all
// but what was given back before.
func comesBack(o *order.Order) money.Amount {
	amount := o.Quote.Cost.Total
	for _, r := range o.Refunds {
		if r.ID != order.RefundOfCancel && r.State != order.RefundFailed {
			amount = amount.Minus(r.Amount)
		}
	}
	return amount
}

// pageOf is the address of the order's page, or "". Guests cannot sign in to
// see it: theirs has the order's access token in its fragment, which browsers
// send to nobody.
func (a *author) pageOf(o *order.Order) string {
	switch page := a.orderPage + url.PathEscape(o.ID); {
	case a.orderPage == "":
		return ""
	case o.CustomerID != "":
		return page
	case o.AccessToken != "":
		return page + "#" + url.PathEscape(o.AccessToken)
	}
	return ""
}

// parcels says what is on its way, and where that can be followed.
func (v voice) parcels(s *sheet, parcels []fulfilment.Consignment) {
	if len(parcels) > 1 {
		s.Paragraphs = append(s.Paragraphs, v.count("shipped.parcels", len(parcels)))
	}
	for _, p := range parcels {
		lines := []string{v.say("shipped.tracking", "tracking", plain(p.Tracking.Number))}
		for _, l := range p.Lines {
			n := l.Packed
			if n == 0 {
				n = l.Quantity
			}
			lines = append(lines, strconv.FormatInt(n, 10)+" × "+plain(l.Title))
		}
		d := detail{Label: v.say("shipped.parcel", "carrier", plain(p.Tracking.Company)), Lines: lines}
		if isLink(p.Tracking.URL) {
			d.Link = &button{Label: v.say("shipped.button"), URL: p.Tracking.URL}
		}
		if len(parcels) == 1 {
			s.Button, d.Link = d.Link, nil
		}
		s.Details = append(s.Details, d)
	}
}

// isLink reports whether a carrier's address can be put before a customer.
func isLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil
}

func failedBecause(r order.Reason) string {
	switch r {
	case order.ReasonOutOfStock, order.ReasonCart:
		return "failed.stock"
	case order.ReasonCardDeclined, order.ReasonInsufficientFunds, order.ReasonExpiredCard, order.ReasonInvalidMethod,
		order.ReasonNotConfirmed, order.ReasonPaymentFailed:
		return "failed.payment"
	}
	return "failed.other"
}

// summary is what was bought, what it cost, and where it goes.
func (v voice) summary(s *sheet, o *order.Order) {
	for _, l := range o.Quote.Lines {
		about := strconv.FormatInt(l.Quantity, 10) + " × " + v.money(l.Item.Price)
		if variant := plain(l.Item.VariantTitle); variant != "" && variant != "Default Title" {
			about = variant + " · " + about
		}
		s.Lines = append(s.Lines, line{Title: plain(l.Item.Title), About: about, Amount: v.money(l.Total)})
	}
	c := o.Quote.Cost
	add := func(key string, a money.Amount, strong bool) {
		s.Sums = append(s.Sums, sum{Label: v.say("sum." + key), Amount: v.money(a), Strong: strong})
	}
	add("subtotal", c.Subtotal, false)
	if o.Quote.Rate != nil {
		add("shipping", c.Shipping, false)
	}
	if !c.TaxIncluded && c.Tax.Minor != 0 {
		add("tax", c.Tax, false)
	}
	add("total", c.Total, true)
	if c.TaxIncluded && c.Tax.Minor != 0 {
		add("tax_included", c.Tax, false)
	}
	if c.Discount.Minor != 0 {
		add("saved", c.Discount, false)
	}
	s.Details = append(s.Details,
		detail{Label: v.say("detail.number"), Lines: []string{o.Number}},
		detail{Label: v.say("detail.date"), Lines: []string{v.date(o.CreatedAt.In(zoneOf(o.ShippingAddress.Country)))}},
	)
	if o.Quote.Rate != nil {
		s.Details = append(s.Details, detail{Label: v.say("detail.address"), Lines: v.address(o.ShippingAddress)})
	}
	if o.Payment.Last4 != "" {
		s.Details = append(s.Details, detail{Label: v.say("detail.payment"), Lines: []string{strings.TrimSpace(brand(o.Payment.Brand) + " •••• " + o.Payment.Last4)}})
	}
}

// brand is a card's brand as it is written on cards.
func brand(name string) string {
	switch name {
	case "mastercard":
		return "Mastercard"
	case "amex":
		return "American Express"
	}
	return strings.ToUpper(name)
}

func (v voice) address(a order.Address) []string {
	last := v.country(a.Country)
	if a.Province != "" {
		last = a.Province + ", " + last
	}
	var lines []string
	for _, text := range []string{a.Company, a.FirstName + " " + a.LastName, a.Address1, a.Address2, a.Zip + " " + a.City, last} {
		if text = plain(text); text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}
