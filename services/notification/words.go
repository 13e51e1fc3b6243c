package notification

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/bojanz/currency"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"ordergraph/platform/money"
)

//go:embed texts
var texts embed.FS

// Logo is a shopping bag as a PNG, for shops without a logo of their own.
func Logo() []byte {
	data, err := texts.ReadFile("texts/logo.png")
	if err != nil {
		panic(err) // it was there when the program was built
	}
	return data
}

// languages are those that messages can be written in. The first stands in for
// those that are missing.
var languages = []language.Tag{language.English, language.German, language.Hindi}

// words are what messages are made of, in all languages.
type words struct {
	matcher language.Matcher
	by      []map[string]phrase // by place in languages
	html    *template.Template
	text    *texttemplate.Template
}

// A phrase is a sentence with {places} in it, in as many forms as its numbers
// need: "one" and "other" in the languages there are.
type phrase struct{ One, Other string }

// UnmarshalJSON reads a string, or an object of forms.
func (p *phrase) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &p.Other) == nil {
		return nil
	}
	type forms phrase
	return json.Unmarshal(data, (*forms)(p))
}

func loadWords() (*words, error) {
	w := &words{matcher: language.NewMatcher(languages), by: make([]map[string]phrase, len(languages))}
	for i, tag := range languages {
		data, err := texts.ReadFile("texts/" + tag.String() + ".json")
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &w.by[i]); err != nil {
			return nil, fmt.Errorf("texts/%s.json: %w", tag, err)
		}
	}
	var err error
	if w.html, err = template.ParseFS(texts, "texts/letter.html"); err != nil {
		return nil, err
	}
	w.text, err = texttemplate.ParseFS(texts, "texts/letter.txt")
	return w, err
}

// A voice writes in one language.
type voice struct {
	words  map[string]phrase
	tag    language.Tag
	region string // the customer's, ISO 3166-1; "" where they do not say
	format *currency.Formatter
}

// in is the voice for a customer's locale. missing reports that there is none
// and that it speaks the first of languages instead.
func (w *words) in(locale string) (v voice, missing bool) {
	wanted, err := language.Parse(locale)
	_, i, confidence := w.matcher.Match(wanted)
	if err != nil || confidence == language.No {
		i, missing, wanted = 0, locale != "", languages[0]
	}
	// Numbers are written as in the customer's own region.
	money := currency.NewFormatter(currency.NewLocale(wanted.String()))
	v = voice{words: w.by[i], tag: languages[i], format: money}
	if region, sure := wanted.Region(); sure == language.Exact {
		v.region = region.String()
	}
	return v, missing
}

// say fills a phrase's places: "name", "Ada", "shop", "…".
func (v voice) say(key string, places ...string) string {
	return fill(v.words[key].Other, places)
}

// count is say for a phrase whose form depends on {n}.
func (v voice) count(key string, n int, places ...string) string {
	p := v.words[key]
	form := p.Other
	if p.One != "" && plural.Cardinal.MatchPlural(v.tag, n, 0, 0, 0, 0) == plural.One {
		form = p.One
	}
	return fill(form, append(places, "n", strconv.Itoa(n)))
}

// fill puts values into their places. A place that is not known stays.
func fill(form string, places []string) string {
	pairs := make([]string, 0, len(places))
	for i := 0; i+1 < len(places); i += 2 {
		pairs = append(pairs, "{"+places[i]+"}", places[i+1])
	}
	return strings.NewReplacer(pairs...).Replace(form)
}

// date writes a day as the customer's country does.
func (v voice) date(t time.Time) string {
	key := "date." + v.region
	if _, ok := v.words[key]; !ok {
		key = "date"
	}
	return v.say(key, "day", strconv.Itoa(t.Day()), "month", strings.Fields(v.say("months"))[t.Month()-1], "year", strconv.Itoa(t.Year()))
}

// country is a country's name.
func (v voice) country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return cmp.Or(display.Regions(v.tag).Name(region), code)
}

// money writes an amount as the customer reads it.
func (v voice) money(a money.Amount) string {
	amount, err := currency.NewAmount(a.Decimal(), a.Currency)
	if err != nil {
		return a.String()
	}
	return v.format.Format(amount)
}
