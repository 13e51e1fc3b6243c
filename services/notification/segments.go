package notification

import (
	"strings"
	"unicode/utf16"
)

// Short messages travel in the seven bits of GSM 03.38 where all of their
// characters are in its table, and otherwise in UCS-2. What one message cannot
// hold goes out as several, each a little shorter, and each is paid for.
const (
	septetsAlone  = 160
	septetsOfMany = 153
	unitsAlone    = 70
	unitsOfMany   = 67
	// mostSegments is how long a message of ours may be.
	mostSegments = 3
)

// basic is the alphabet of GSM 03.38 (3GPP TS 23.038, 6.2.1), and extended its
// extension table, each of whose characters takes the place of two.
const (
	basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "\f^{}\\[~]|€"
)

// inGSM is how many septets each character takes.
var inGSM = func() map[rune]int {
	widths := map[rune]int{}
	for _, r := range basic {
		widths[r] = 1
	}
	for _, r := range extended {
		widths[r] = 2
	}
	return widths
}()

// segments is how many messages a text is paid for as.
func segments(body string) int {
	alone, ofMany, width := septetsAlone, septetsOfMany, septets
	if !isGSM(body) {
		alone, ofMany, width = unitsAlone, unitsOfMany, utf16.RuneLen
	}
	total, n, used := 0, 1, 0
	for _, r := range body {
		w := max(width(r), 1)
		total += w
		if used += w; used > ofMany { // no character is cut in two
			n, used = n+1, w
		}
	}
	if total <= alone {
		return min(total, 1)
	}
	return n
}

func septets(r rune) int { return inGSM[r] }

func isGSM(body string) bool {
	return strings.IndexFunc(body, func(r rune) bool { return inGSM[r] == 0 }) < 0
}

// plainer are characters of good typography as seven bits have them.
var plainer = strings.NewReplacer(
	"“", `"`, "”", `"`, "„", `"`, "‟", `"`, "«", `"`, "»", `"`,
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "‹", "'", "›", "'", "`", "'", "´", "'",
	"‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "―", "-", "−", "-",
	"…", "...", "·", "-", "•", "-", "×", "x",
	"\u00a0", " ", "\u2007", " ", "\u2009", " ", "\u202f", " ", "\u00ad", "", "\u200b", "", "\u2060", "", "\ufeff", "",
	"₹", "Rs ", "ẞ", "SS",
)

// economical writes a text in seven bits where only its typography is in the
// way, since in UCS-2 a message holds less than half. A text that needs UCS-2
// keeps all of its characters.
func economical(body string) string {
	if isGSM(body) {
		return body
	}
	if plain := plainer.Replace(body); isGSM(plain) {
		return plain
	}
	return body
}
