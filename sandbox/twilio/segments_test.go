package twilio

import (
	"strings"
	"testing"
)

func TestSegments(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"nothing":                 {"", 1},
		"one":                     {strings.Repeat("a", 160), 1},
		"two":                     {strings.Repeat("ä", 161), 2},
		"two, full":               {strings.Repeat("a", 306), 2},
		"three":                   {strings.Repeat("a", 307), 3},
		"two places each":         {strings.Repeat("€", 80), 1},
		"not divided":             {strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 3},
		"other letters":           {strings.Repeat("я", 70), 1},
		"other letters, two":      {strings.Repeat("я", 71), 2},
		"one letter changes all":  {strings.Repeat("a", 70) + "я", 2},
		"two units each":          {strings.Repeat("😀", 35), 1},
		"two units, not divided":  {strings.Repeat("😀", 36) + strings.Repeat("a", 62), 3},
		"two units, which divide": {strings.Repeat("😀", 66), 2},
	} {
		if got := segments(c.text); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
