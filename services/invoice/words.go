package invoice

import (
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bojanz/currency"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusansbold"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/unicode/norm"

	"ordergraph/platform/money"
	"ordergraph/platform/pdf"
)

// words are what a document says in one language.
type words struct {
	Invoice, CreditNote         string
	Number, Date, Order, Placed string
	Refers, YourTaxID           string
	BilledTo, DeliveredTo       string
	Item, Quantity, Unit, Net   string
	Discount, Shipping, Free    string
	NetTotal, Rounding          string
	Total, PaidBy, Paid, Due    string
	Refunded, Page, Of, On      string
	Export, Attached, Continued string
	Reduction                   string
	Tax                         map[string]string // its name, by the seller's country; "" elsewhere
	TaxID                       map[string]string // the name of its number, likewise
}

// A taxing country's own names; the rest of the world has VAT.
var (
	taxNames = map[string]string{"": "VAT", "IN": "GST", "AU": "GST", "NZ": "GST", "SG": "GST", "CA": "GST/HST", "US": "Sales tax", "JP": "Consumption tax"}
	taxIDs   = map[string]string{"": "VAT no.", "IN": "GSTIN", "AU": "ABN", "NZ": "GST no.", "SG": "GST reg. no.", "CA": "GST/HST no.", "US": "Tax ID", "JP": "Registration no."}
)

// Those languages of the customers in which the shop writes; the others are
// written to in English.
var languages = map[string]*words{
	"en": {
		Invoice: "Invoice", CreditNote: "Credit note", Number: "Number", Date: "Date", Order: "Order", Placed: "Ordered on",
		Refers: "For invoice", YourTaxID: "Your tax no.", BilledTo: "Billed to", DeliveredTo: "Delivered to",
		Item: "Item", Quantity: "Qty", Unit: "Unit net", Net: "Net amount", Discount: "Discount", Shipping: "Shipping", Free: "free",
		NetTotal: "Net total", Rounding: "Rounding", Total: "Total", PaidBy: "Paid by card", Paid: "Paid", Due: "Amount due",
		Refunded: "Refunded", Reduction: "Price reduction", Page: "Page", Of: "of", On: "on", Export: "Tax-free export to a country outside the European Union.",
		Attached: "The electronic invoice (EN 16931, Factur-X) is attached to this file.", Continued: "continued",
		Tax: taxNames, TaxID: taxIDs,
	},
	"de": {
		Invoice: "Rechnung", CreditNote: "Rechnungskorrektur", Number: "Nummer", Date: "Datum", Order: "Bestellung", Placed: "Bestellt am",
		Refers: "Zu Rechnung", YourTaxID: "Ihre USt-IdNr.", BilledTo: "Rechnung an", DeliveredTo: "Lieferung an",
		Item: "Artikel", Quantity: "Menge", Unit: "Einzel netto", Net: "Betrag netto", Discount: "Rabatt", Shipping: "Versand", Free: "kostenlos",
		NetTotal: "Summe netto", Rounding: "Rundung", Total: "Gesamtbetrag", PaidBy: "Bezahlt mit Karte", Paid: "Bezahlt", Due: "Offener Betrag",
		Refunded: "Erstattet", Reduction: "Preisnachlass", Page: "Seite", Of: "von", On: "auf", Export: "Steuerfreie Ausfuhrlieferung.",
		Attached: "Die elektronische Rechnung (EN 16931, Factur-X) ist dieser Datei angehängt.", Continued: "Fortsetzung",
		Tax: map[string]string{"": "USt.", "CH": "MWST", "LI": "MWST"}, TaxID: map[string]string{"": "USt-IdNr.", "AT": "UID", "CH": "MWST-Nr.", "LI": "MWST-Nr."},
	},
	"fr": {
		Invoice: "Facture", CreditNote: "Avoir", Number: "Numéro", Date: "Date", Order: "Commande", Placed: "Commandé le",
		Refers: "Sur facture", YourTaxID: "Votre n° TVA", BilledTo: "Facturé à", DeliveredTo: "Livré à",
		Item: "Article", Quantity: "Qté", Unit: "Prix unit. HT", Net: "Montant HT", Discount: "Remise", Shipping: "Livraison", Free: "offerte",
		NetTotal: "Total HT", Rounding: "Arrondi", Total: "Total TTC", PaidBy: "Payé par carte", Paid: "Payé", Due: "Reste à payer",
		Refunded: "Remboursé", Reduction: "Réduction de prix", Page: "Page", Of: "sur", On: "sur", Export: "Exportation hors de l’Union européenne, exonérée de TVA.",
		Attached: "La facture électronique (EN 16931, Factur-X) est jointe à ce fichier.", Continued: "suite",
		Tax: map[string]string{"": "TVA"}, TaxID: map[string]string{"": "N° TVA"},
	},
}

// A tongue is how one customer is written to.
type tongue struct {
	*words
	locale    language.Tag
	language  string
	numbers   *currency.Formatter
	countries display.Namer
	currency  string
	digits    int
	tax       string
	taxID     string
}

func tongueFor(locale, code, sellerCountry string) tongue {
	tag, err := language.Parse(locale)
	if err != nil {
		tag = language.English
	}
	base, _ := tag.Base()
	t := tongue{words: languages[base.String()], locale: tag, language: base.String(), currency: code, digits: money.Digits(code)}
	if t.words == nil {
		t.words, t.language = languages["en"], "en"
	}
	t.countries = display.English.Regions()
	if t.language != "en" {
		t.countries = display.Regions(tag)
	}
	named := func(names map[string]string) string {
		if name, ok := names[sellerCountry]; ok {
			return name
		}
		return names[""]
	}
	t.tax, t.taxID = named(t.Tax), named(t.TaxID)

	// Amounts are written as the locale does, where the font has its digits
	// and signs; the currency by its code where the font lacks the sign.
	sample, _ := currency.NewAmount("-1234567.89", code)
	for _, locale := range []string{tag.String(), "en"} {
		for _, as := range []currency.Display{currency.DisplaySymbol, currency.DisplayCode} {
			t.numbers = currency.NewFormatter(currency.NewLocale(locale))
			t.numbers.CurrencyDisplay = as
			if text := t.numbers.Format(sample); printable(text) == norm.NFC.String(narrow(text)) {
				return t
			}
		}
	}
	return t
}

// amount writes minor units as money.
func (t *tongue) amount(minor int64) string {
	return t.money(decimal(minor, t.digits))
}

func (t *tongue) money(number string) string {
	a, err := currency.NewAmount(number, t.currency)
	if err != nil {
		return number + " " + t.currency
	}
	t.numbers.MaxDigits = 6
	return printable(t.numbers.Format(a))
}

func (t *tongue) percent(rate int64) string {
	text := percent(rate)
	if t.language == "en" {
		return text + "%"
	}
	return strings.Replace(text, ".", ",", 1) + "\u00a0%"
}

func (t *tongue) day(at time.Time) string {
	at = at.UTC()
	switch {
	case t.language == "de":
		return at.Format("02.01.2006")
	case t.language == "fr":
		return at.Format("02/01/2006")
	case t.locale == language.AmericanEnglish:
		return at.Format("January 2, 2006")
	}
	return at.Format("2 January 2006")
}

func (t *tongue) country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return t.countries.Name(region)
}

// The fonts have all Latin, Greek and Cyrillic letters (Liberation Sans), and
// what else is written from left to right, letter by letter, and the signs of
// currencies (DejaVu Sans). Reading them takes some milliseconds, once.
var fonts = sync.OnceValue(func() (f struct{ regular, bold *pdf.Font }) {
	var err, err2 error
	f.regular, err = pdf.NewFont("OrdergraphSans", liberationsansregular.TTF, dejavusans.TTF)
	f.bold, err2 = pdf.NewFont("OrdergraphSans-Bold", liberationsansbold.TTF, dejavusansbold.TTF)
	if err := errors.Join(err, err2); err != nil {
		panic("invoice: the fonts that come with the program cannot be read: " + err.Error())
	}
	return f
})

// missing stands where the font has no letter. The XML has the text itself.
const missing = '□'

// printable is the text in letters that the font has: where it lacks one with
// marks, the letter without them.
func printable(text string) string {
	if isPlain(text) {
		return text
	}
	var out strings.Builder
	for _, r := range norm.NFC.String(narrow(text)) {
		if hasLetter(r) {
			out.WriteRune(r)
			continue
		}
		plain, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		switch {
		case hasLetter(plain):
			out.WriteRune(plain)
		case unicode.Is(unicode.Mn, r): // a mark of a letter before it
		default:
			out.WriteRune(missing)
		}
	}
	return out.String()
}

// isPlain reports whether there is nothing to look for: all is of Latin 1.
func isPlain(text string) bool {
	for _, r := range text {
		if r < ' ' || r >= 0x7F && r < 0xA0 || r > 0xFF {
			return false
		}
	}
	return true
}

// hasLetter reports whether the font has the letter, and can write it: some
// scripts run from right to left, or join letters, which is not done here.
func hasLetter(r rune) bool {
	return fonts().regular.Has(r) && unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Common, unicode.Inherited, unicode.Armenian, unicode.Georgian)
}

var spaces = strings.NewReplacer("\u202f", "\u00a0", "\u2009", "\u00a0", "\u200e", "", "\u200f", "")

// narrow replaces spaces that not every program knows.
func narrow(text string) string { return spaces.Replace(text) }
