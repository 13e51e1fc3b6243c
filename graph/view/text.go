package view

import (
	"html"
	"strings"
	"unicode/utf8"
)

// plainText is what remains of markup for those who cannot show it: the words,
// separated by single spaces.
func plainText(markup string) string {
	if !strings.ContainsAny(markup, "<&\n\t") {
		return strings.TrimSpace(markup)
	}
	var b strings.Builder
	b.Grow(len(markup))
	for markup != "" {
		text, rest, found := strings.Cut(markup, "<")
		b.WriteString(text)
		if !found {
			break
		}
		_, markup, _ = strings.Cut(rest, ">")
		b.WriteByte(' ')
	}
	return strings.Join(strings.Fields(html.UnescapeString(b.String())), " ")
}

// truncate cuts text after so many characters, with an ellipsis.
func truncate(text string, at *int32) string {
	if at == nil || utf8.RuneCountInString(text) <= int(max(*at, 0)) {
		return text
	}
	n := int(max(*at, 0))
	runes := []rune(text)
	if n <= 3 {
		return string(runes[:n])
	}
	return strings.TrimRight(string(runes[:n-3]), " ") + "..."
}
