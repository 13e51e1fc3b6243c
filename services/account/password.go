package account

import (
	_ "embed" // the words
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// words are what people build their passwords from, one on each line: our own
// collection of names, places, animals, months, games, sentiments and the
// like in several languages, and of rows of keys.
//
//go:embed words.txt
var words string

var common = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(words) {
		all[w] = true
	}
	return all
})

// tidyPassword gives a password the one spelling in which it is hashed:
// keyboards differ in how they write an ö.
func tidyPassword(s string) string {
	if len(s) > 10*MaxPassword { // never right, and not worth the work
		return s
	}
	return norm.NFC.String(s)
}

// checkPassword answers ErrPassword for a new password that is too short, too
// long, or among the first that anybody would try. mine are words that others
// know of the owner: the address and the names.
func checkPassword(password string, mine ...string) error {
	password = tidyPassword(password)
	e := ErrPassword.Field("password")
	switch {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return e.Say("This password contains something that is not text.")
	case utf8.RuneCountInString(password) < MinPassword:
		return e.Say("A password needs at least %d characters.", MinPassword)
	case len(password) > MaxPassword:
		return e.Say("A password may have at most %d bytes, and this one has %d. Letters like ä or 字 take two to four bytes.", MaxPassword, len(password))
	case isCommon(password):
		return e.Say("This password is one of the first that others would try. Take several unrelated words, or let a password manager make one up.")
	case isAbout(password, mine):
		return e.Say("A password may not be made of your name or your e-mail address.")
	}
	return nil
}

// maxDress is how many bytes of digits and signs around a common word do not
// help. With more of them the password is as good as they are.
const maxDress = 6

// isCommon reports whether the password is a common word however it is
// dressed up ("P@ssw0rd2024!"), one or two of them in a row, or a row of
// neighbouring characters.
func isCommon(password string) bool {
	lower := strings.ToLower(password)
	if few(lower) || isRun(lower) {
		return true
	}
	for _, bare := range undressed(lower) {
		if bare == "" { // digits and signs alone: a date, a phone number, a PIN
			if digits := strings.Trim(lower, "0123456789") == ""; digits && len(lower) <= 10 {
				return true
			}
			continue
		}
		if len(lower)-len(bare) <= maxDress && isWords(bare) {
			return true
		}
	}
	return false
}

// undressed are the words that may be under the digits, signs and lookalikes.
func undressed(lower string) []string {
	isDress := func(c rune) bool { return !unicode.IsLetter(c) }
	plain := lookalikes.Replace(lower)
	// The digits at the ends may be dress, or lookalikes of letters.
	return []string{
		lower,
		plain,
		strings.TrimFunc(lower, isDress),
		lookalikes.Replace(strings.TrimFunc(lower, isDress)),
		strings.TrimRightFunc(plain, isDress),
		lookalikes.Replace(strings.TrimRight(lower, "0123456789!?.,*#+-_ ")),
		strings.Map(func(c rune) rune {
			if isDress(c) {
				return -1
			}
			return c
		}, lower),
	}
}

var lookalikes = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "@", "a", "$", "s", "!", "i", "|", "l", "€", "e", "+", "t", " ", "", "-", "", "_", "", ".", "")

// isWords reports whether s is one common word, or two.
func isWords(s string) bool {
	all := common()
	if all[s] {
		return true
	}
	for i := 2; i < len(s)-1; i++ {
		if all[s[:i]] && all[s[i:]] {
			return true
		}
	}
	return false
}

// few reports whether there are hardly any different characters, or one short
// piece again and again.
func few(s string) bool {
	different := map[rune]bool{}
	for _, c := range s {
		different[c] = true
	}
	if len(different) <= 3 {
		return true
	}
	for n := 1; n <= 4 && 2*n <= len(s); n++ {
		if strings.Repeat(s[:n], len(s)/n+1)[:len(s)] == s {
			return true
		}
	}
	return false
}

var rows = []string{
	"01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiopü", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"!@#$%^&*()", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "147258369", "789456123", "13579", "24680",
}

// isRun reports whether s consists of a few stretches of neighbouring keys,
// letters or digits, to and fro.
func isRun(s string) bool {
	pieces := 0
	for rest := []rune(s); len(rest) > 0; pieces++ {
		n := 1
		for _, row := range rows {
			for _, r := range []string{row, reversed(row)} {
				for m := len(rest); m > n; m-- {
					if strings.Contains(r, string(rest[:m])) {
						n = m
						break
					}
				}
			}
		}
		rest = rest[n:]
	}
	return pieces <= 2 || pieces*4 <= utf8.RuneCountInString(s)
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

// isAbout reports whether the password is little more than something known
// about its owner.
func isAbout(password string, mine []string) bool {
	lower := strings.ToLower(password)
	for _, m := range mine {
		m = strings.ToLower(strings.TrimSpace(m))
		name, domain, isAddress := strings.Cut(m, "@")
		parts := []string{m}
		if isAddress {
			host, _, _ := strings.Cut(domain, ".")
			parts = append(parts, name, host)
		}
		for _, part := range parts {
			if len(part) >= 3 && strings.Contains(lower, part) && len(lower)-len(part) < 5 {
				return true
			}
		}
	}
	return false
}
