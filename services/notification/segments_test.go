package notification

import (
	"strings"
	"testing"
)

func TestSegments(t *testing.T) {
	of := strings.Repeat
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"nothing":                          {"", 0},
		"one letter":                       {"a", 1},
		"all of the alphabet":              {basic, 1},
		"the extensions":                   {extended, 1},
		"one full":                         {of("a", 160), 1},
		"one too many":                     {of("a", 161), 2},
		"two full":                         {of("a", 306), 2},
		"three":                            {of("a", 307), 3},
		"euros take two":                   {of("€", 80), 1},
		"a euro too many":                  {of("€", 81), 2},
		"a euro at the end":                {of("a", 158) + "€", 1},
		"a euro over the end":              {of("a", 159) + "€", 2},
		"a euro is not cut":                {of("a", 152) + "€" + of("a", 152), 3},
		"nor in the middle":                {of("a", 151) + "€" + of("a", 153), 2},
		"Hindi":                            {of("न", 70), 1},
		"Hindi too long":                   {of("न", 71), 2},
		"Hindi in two":                     {of("न", 134), 2},
		"Hindi in three":                   {of("न", 135), 3},
		"one letter makes it all UCS-2":    {of("a", 70) + "न", 2},
		"an emoji takes two":               {of("🎉", 35), 1},
		"an emoji too many":                {of("🎉", 36), 2},
		"an emoji is not cut":              {of("न", 66) + "🎉" + of("न", 66), 3},
		"small cedilla is not in it":       {of("ç", 71), 2},
		"large cedilla is":                 {of("Ç", 71), 1},
		"a tab is not":                     {of("\t", 71), 2},
		"broken text is counted, as it is": {of("\xff", 71), 2},
	} {
		if got := segments(c.body); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestEconomical(t *testing.T) {
	for body, want := range map[string]string{
		"Ada’s “mug” – it’s 5\u00a0€…":  `Ada's "mug" - it's 5 €...`,
		"„Tasse“ − 2 × «blau»":          `"Tasse" - 2 x "blau"`,
		"plain [text] {stays} ~ ^ \\ |": "plain [text] {stays} ~ ^ \\ |",
		"Åse Ørsted, Ñandú":             "Åse Ørsted, Ñandú", // ú is not in the table
		"“Zoë” कप…":                     "“Zoë” कप…",         // nothing is gained
		"garçon":                        "garçon",            // nor is ç, but it is not typography
		"\u200bhidden\ufeff":            "hidden",
		"₹499":                          "Rs 499",
	} {
		if got := economical(body); got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}
