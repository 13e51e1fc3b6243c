package catalog

import (
	"unicode"
	"unicode/utf8"
)

// words takes text apart into the words it is searched by: folded, without
// the plural's ending.
func words(s string) []string {
	var list []string
	eachWord(s, func(w string, _ bool) { list = append(list, w) })
	return list
}

// eachWord calls yield with every word of the text. Words joined by a hyphen
// or an apostrophe come one by one and then once more as one ("t", "shirt",
// "tshirt"); joined tells that one from the others. Scripts that are written
// without spaces come letter by letter.
func eachWord(s string, yield func(word string, joined bool)) {
	s = fold(s)
	const none = -1
	begin := none
	parts, chain := 0, 0 // parts of the chain of joined words that begins at chain
	end := func(at int) {
		if begin == none {
			return
		}
		if parts == 0 {
			chain = begin
		}
		parts++
		yield(stem(s[begin:at]), false)
		begin = none
	}
	unchain := func(at int) {
		if parts > 1 {
			b := make([]byte, 0, at-chain)
			for _, r := range s[chain:at] {
				if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
					b = utf8.AppendRune(b, r)
				}
			}
			yield(stem(string(b)), true)
		}
		parts = 0
	}
	for i, r := range s {
		switch {
		case r < utf8.RuneSelf && ('a' <= r && r <= 'z' || '0' <= r && r <= '9'),
			r >= utf8.RuneSelf && !unspaced(r) && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)):
			if begin == none {
				begin = i
			}
		case (r == '-' || r == '\'' || r == '’' || r == '‐' || r == '‑') && begin != none:
			end(i)
		case r >= utf8.RuneSelf && unspaced(r):
			end(i)
			unchain(i)
			yield(string(r), false)
		default:
			end(i)
			unchain(i)
		}
	}
	end(len(s))
	unchain(len(s))
}

func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// stem takes the ending of a plural off, and no more: what is shown should be
// what was asked for.
func stem(w string) string {
	n := len(w)
	if n < 4 || w[n-1] != 's' {
		return w
	}
	switch w[n-2] {
	case 's', 'u', 'i':
		return w
	case 'e':
		if n > 4 && w[n-3] == 'i' {
			return w[:n-3] + "y"
		}
		if n > 4 && (w[n-3] == 'x' || w[n-3] == 'z' || hasEnd(w[:n-2], "ss") || hasEnd(w[:n-2], "ch") || hasEnd(w[:n-2], "sh")) {
			return w[:n-2]
		}
	}
	return w[:n-1]
}

func hasEnd(s, end string) bool { return len(s) >= len(end) && s[len(s)-len(end):] == end }

// small words say nothing about a product: they are left out of a search that
// has others.
var smallWords = map[string]bool{
	"a": true, "an": true, "and": true, "the": true, "of": true, "for": true, "with": true, "in": true,
	"on": true, "to": true, "by": true, "at": true, "or": true, "from": true,
}
