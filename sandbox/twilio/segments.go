package twilio

import (
	"strings"
	"unicode/utf16"
)

// The letters of GSM 03.38's alphabet, and those that take two places in it.
const (
	gsmBasic    = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "^{}\\[~]|€\f"
)

// segments is how many short messages it takes to carry the text: 160 letters
// fit into one and 153 into each of several; 70 and 67 where a letter is not
// GSM's. A letter that takes two places is not divided.
func segments(text string) int {
	one, part := 160, 153
	widths := make([]int, 0, len(text))
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			widths = append(widths, 1)
			continue
		case strings.ContainsRune(gsmExtended, r):
			widths = append(widths, 2)
			continue
		}
		one, part, widths = 70, 67, widths[:0]
		for _, r := range text {
			widths = append(widths, utf16.RuneLen(r))
		}
		break
	}
	total := 0
	for _, w := range widths {
		total += w
	}
	if total <= one {
		return 1
	}
	n, used := 1, 0
	for _, w := range widths {
		if used += w; used > part {
			n, used = n+1, w
		}
	}
	return n
}
