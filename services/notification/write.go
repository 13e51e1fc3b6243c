package notification

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/account"
	"ordergraph/services/order"
)

// errObsolete is a message that nobody needs any more.
var errObsolete = errors.New("no longer of use")

// A sheet is what the templates lay out.
type sheet struct {
	Language   string
	Shop       string
	Subject    string
	Greeting   string
	Paragraphs []string
	Button     *button
	Lines      []line
	Sums       []sum
	Details    []detail
	Notes      []string
	Footer     string
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
}

// begin is a sheet with what all mails have.
func (k *Keeper) begin(locale, firstName string, kind Kind) (voice, *sheet) {
	v, missing := k.words.in(locale)
	if missing {
		k.counts.missing.Add(1)
	}
	greeting := v.say("greeting.nobody")
	if name := harmless(firstName); name != "" {
		greeting = v.say("greeting", "name", name)
	}
	return v, &sheet{
		Language: v.tag.String(), Shop: k.o.ShopName, Greeting: greeting,
		Subject:    v.say(string(kind)+".subject", "shop", k.o.ShopName),
		Paragraphs: []string{v.say(string(kind)+".text", "shop", k.o.ShopName)},
		Footer:     v.say("footer", "shop", k.o.ShopName),
	}
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

// lay makes the letter out of the sheet.
func (k *Keeper) lay(to string, s *sheet) (Letter, error) {
	var html, text bytes.Buffer
	if err := k.words.html.Execute(&html, s); err != nil {
		return Letter{}, err
	}
	if err := k.words.text.Execute(&text, s); err != nil {
		return Letter{}, err
	}
	return Letter{To: to, Language: s.Language, Subject: plain(s.Subject), Text: text.String(), HTML: html.String()}, nil
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
	v, s := k.begin(m.Locale, m.FirstName, d.Kind)
	if m.Token != "" {
		s.Button = &button{
			Label: v.say(string(d.Kind) + ".button"), URL: k.o.PublicURL + pages[d.Kind] + "?token=" + url.QueryEscape(m.Token),
			CodeLabel: v.say("code"), Code: m.Token,
		}
		s.Notes = append(s.Notes, v.goodFor(m.Expires.Sub(k.now())))
	}
	if note := v.say(string(d.Kind) + ".note"); note != "" {
		s.Notes = append(s.Notes, note)
	}
	return k.lay(m.Email, s)
}

// goodFor says how long a link is good.
func (v voice) goodFor(d time.Duration) string {
	if hours := int(d.Round(time.Hour) / time.Hour); hours > 1 {
		return v.count("expires.hours", hours)
	}
	return v.count("expires.minutes", max(1, int(d.Round(time.Minute)/time.Minute)))
}

// writeOrder writes what an order's story gave cause for.
func (k *Keeper) writeOrder(ctx context.Context, d *document) (Letter, error) {
	o, err := k.o.Orders.Get(ctx, identity.Ourselves(), d.Ref, "")
	if errors.Is(err, order.ErrNotFound) || err == nil && o.Email == "" {
		return Letter{}, errObsolete
	}
	if err != nil {
		return Letter{}, err
	}
	v, s := k.begin(o.Locale, o.ShippingAddress.FirstName, d.Kind)
	s.Subject = v.say(string(d.Kind)+".subject", "shop", k.o.ShopName, "number", o.Number)
	switch d.Kind {
	case OrderConfirmed:
		v.summary(s, &o)
		s.Notes = append(s.Notes, v.say("confirmed.note"))
	case OrderFailed:
		s.Paragraphs = append(s.Paragraphs, v.say(failedBecause(o.Reason)), v.say("failed.kept"))
	case OrderCancelled:
		if amount := o.Quote.Cost.Total; amount.Minor > 0 {
			s.Paragraphs = append(s.Paragraphs, v.say("cancelled.refund", "amount", v.money(amount)))
		}
	case OrderRefunded:
		amount := o.Payment.Refunded
		if amount.Currency == "" || amount.Minor == 0 {
			return Letter{}, errObsolete // nothing was charged, so nothing came back
		}
		s.Paragraphs = []string{v.say("refunded.text", "amount", v.money(amount))}
	}
	return k.lay(o.Email, s)
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
	s.Details = append(s.Details, detail{v.say("detail.number"), []string{o.Number}})
	if o.Quote.Rate != nil {
		s.Details = append(s.Details, detail{v.say("detail.address"), addressLines(o.ShippingAddress)})
	}
	if o.Payment.Last4 != "" {
		s.Details = append(s.Details, detail{v.say("detail.payment"), []string{strings.TrimSpace(brand(o.Payment.Brand) + " •••• " + o.Payment.Last4)}})
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

func addressLines(a order.Address) []string {
	var lines []string
	for _, text := range []string{a.Company, a.FirstName + " " + a.LastName, a.Address1, a.Address2, a.Zip + " " + a.City, a.Province + " " + a.Country} {
		if text = plain(text); text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}
