package phone_test

import (
	"errors"
	"strings"
	"testing"

	"ordergraph/platform/phone"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, country, want string }{
		{"0170 1234567", "DE", "+491701234567"},
		{"0170 1234567", "FR", ""}, // no such number there
		{"+49 (0)170 1234567", "DE", "+491701234567"},
		{" 0049 170/123 45 67 ", "DE", "+491701234567"},
		{"+491701234567", "", "+491701234567"},
		{"+491701234567", "US", "+491701234567"},
		{"0170 1234567", "", ""},
		{"030 123456", "DE", "+4930123456"},
		{"(202) 456-1111", "US", "+12024561111"},
		{"202.456.1111", "CA", "+12024561111"},
		{"98765 43210", "IN", "+919876543210"},
		{"06 12 34 56 78", "FR", "+33612345678"},
		{"06\u00a012\u00a034\u00a056\u00a078", "FR", "+33612345678"},
		{"347 123 4567", "IT", "+393471234567"},
		{"02 1234567", "IT", "+39021234567"}, // Italy keeps the nought
		{"", "DE", ""},
		{"+", "DE", ""},
		{"call me", "DE", ""},
		{"1-800-FLOWERS", "US", ""},
		{"+49170123456789012", "", ""},
		{"+999123456789", "", ""},
		{"110", "DE", ""},
		{"+491701234567 ext. 5", "DE", ""},
		{"+491701234567;ext=5", "DE", ""},
		{"tel:+491701234567", "DE", ""},
		{"+49170123\n4567", "DE", ""},
		{"٠١٧٠١٢٣٤٥٦٧", "DE", ""},
		{"0170 1234567", "XX", ""},
		{strings.Repeat(" ", 40) + "+491701234567", "", ""},
	} {
		got, err := phone.Parse(c.text, c.country)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, phone.ErrNumber) {
			t.Errorf("%q in %q: %q, %v, want %q", c.text, c.country, got, err, c.want)
		}
	}
}

func TestTakesTexts(t *testing.T) {
	for number, want := range map[string]bool{
		"+491701234567": true, "+12024561111": true, "+919876543210": true, "+33612345678": true, "+15005551000": true,
		"+4930123456": false, "+33142345678": false, "+18002345678": false, "": false, "0170 1234567": false,
	} {
		if got := phone.TakesTexts(number); got != want {
			t.Errorf("%s: %t", number, got)
		}
	}
}
