package cart

import (
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what a buyer may write, in characters. Going over is a Problem.
const (
	MaxAttributes     = 25 // of a line, or of the cart
	MaxAttributeKey   = 64
	MaxAttributeValue = 512
	MaxNote           = 5_000
	MaxCodeLength     = 64
	MaxEmail          = 254    // RFC 5321, octets
	maxAttributeBytes = 65_536 // of all attributes of a cart together, octets
)

// path makes the place of a problem: names and positions. Fields are called
// as in the public schema: "lines", 0, "merchandiseId".
func path(parts ...any) []string {
	p := make([]string, len(parts))
	for i, part := range parts {
		switch part := part.(type) {
		case int:
			p[i] = strconv.Itoa(part)
		case string:
			p[i] = part
		}
	}
	return p
}

// under is a place below another, without touching it.
func under(at []string, parts ...any) []string { return slices.Concat(at, path(parts...)) }

func problem(code Code, field []string, format string, args ...any) Problem {
	return Problem{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// checkText accepts text of at most so many characters without control
// characters; a note may have line breaks.
func checkText(what, text string, most int, breaks bool, field []string) (problems []Problem) {
	switch {
	case !utf8.ValidString(text):
		problems = append(problems, problem(CodeInvalid, field, "%s is not valid UTF-8 text.", what))
	case utf8.RuneCountInString(text) > most:
		problems = append(problems, problem(CodeInvalid, field, "%s may have at most %d characters.", what, most))
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && !(breaks && (r == '\n' || r == '\r' || r == '\t')) }):
		problems = append(problems, problem(CodeInvalid, field, "%s must not contain control characters.", what))
	}
	return problems
}

func checkAttributes(attrs []Attribute, field []string) (problems []Problem) {
	if len(attrs) > MaxAttributes {
		return []Problem{problem(CodeTooMany, field, "There may be at most %d attributes.", MaxAttributes)}
	}
	for i, a := range attrs {
		if strings.TrimSpace(a.Key) == "" {
			problems = append(problems, problem(CodeInvalid, under(field, i, "key"), "An attribute needs a key."))
		}
		if slices.ContainsFunc(attrs[:i], func(b Attribute) bool { return a.Key == b.Key }) {
			problems = append(problems, problem(CodeInvalid, under(field, i, "key"), "There are two attributes with this key."))
		}
		problems = append(problems, checkText("An attribute's key", a.Key, MaxAttributeKey, false, under(field, i, "key"))...)
		problems = append(problems, checkText("An attribute's value", a.Value, MaxAttributeValue, true, under(field, i, "value"))...)
	}
	return problems
}

// tidyAttributes orders attributes by key, so that the same ones are equal.
func tidyAttributes(attrs []Attribute) []Attribute {
	if len(attrs) == 0 {
		return nil
	}
	tidy := slices.Clone(attrs)
	slices.SortFunc(tidy, func(a, b Attribute) int { return strings.Compare(a.Key, b.Key) })
	return tidy
}

// attributesFit reports whether the cart's attributes together stay in bounds,
// so that a cart stays a small document.
func (c *cartDoc) attributesFit() bool {
	size := 0
	add := func(attrs []Attribute) {
		for _, a := range attrs {
			size += len(a.Key) + len(a.Value)
		}
	}
	add(c.Attributes)
	for _, l := range c.Lines {
		add(l.Attributes)
	}
	return size <= maxAttributeBytes
}

func tidyCountry(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

func checkCountry(code string, field []string) []Problem {
	if code == "" || IsCountry(code) {
		return nil
	}
	return []Problem{problem(CodeCountry, field, "This is not an ISO 3166-1 alpha-2 country code, such as DE or US.")}
}

// checkEmail looks at an address's shape: that it could be delivered to is
// known only after something was. The address stays out of the answer.
func checkEmail(email string, field []string) []Problem {
	if email == "" {
		return nil
	}
	a, err := mail.ParseAddress(email)
	at := strings.LastIndexByte(email, '@')
	if err != nil || a.Address != email || len(email) > MaxEmail || !strings.Contains(email[at+1:], ".") || strings.ContainsFunc(email, unicode.IsSpace) {
		return []Problem{problem(CodeInvalid, field, "This is not an e-mail address, such as name@example.com.")}
	}
	return nil
}

// checkPhone accepts what people write for a phone number: 5 to 15 digits
// (E.164) with the usual marks between them.
func checkPhone(phone string, field []string) []Problem {
	digits := 0
	for i, r := range phone {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case r == '+' && i == 0, strings.ContainsRune(" -./()", r):
		default:
			digits = 100
		}
	}
	if phone == "" || digits >= 5 && digits <= 15 && len(phone) <= 40 {
		return nil
	}
	return []Problem{problem(CodeInvalid, field, "This is not a phone number, such as +49 30 123456.")}
}

func tidyBuyer(b Buyer) Buyer {
	return Buyer{
		Country: tidyCountry(b.Country), Email: strings.TrimSpace(b.Email),
		Phone: strings.TrimSpace(b.Phone), CustomerID: b.CustomerID,
	}
}

// checkBuyer looks at a tidy buyer.
func checkBuyer(b Buyer, field []string) []Problem {
	return slices.Concat(
		checkCountry(b.Country, under(field, "countryCode")),
		checkEmail(b.Email, under(field, "email")),
		checkPhone(b.Phone, under(field, "phone")),
	)
}

// tidyCodes writes codes in upper case, without blanks and repetitions.
func tidyCodes(codes []string) []string {
	var tidy []string
	for _, c := range codes {
		c = strings.ToUpper(strings.TrimSpace(c))
		if c != "" && !slices.Contains(tidy, c) {
			tidy = append(tidy, c)
		}
	}
	return tidy
}

func checkCodes(codes []string, field []string) (problems []Problem) {
	if len(codes) > MaxCodes {
		return []Problem{problem(CodeTooMany, field, "A cart may have at most %d discount codes.", MaxCodes)}
	}
	for i, c := range codes {
		problems = append(problems, checkText("A discount code", strings.TrimSpace(c), MaxCodeLength, false, under(field, i))...)
	}
	return problems
}

// isCode reports whether a discount could have this code.
func isCode(code string) bool {
	if len(code) < 1 || len(code) > MaxCodeLength {
		return false
	}
	for _, c := range []byte(code) {
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// checkOrderID refuses what cannot be the id of an order. It comes from the
// program itself, so this is a defect and no Problem.
func checkOrderID(id string) error {
	if id == "" || len(id) > 128 || !utf8.ValidString(id) {
		return ErrInput.Field("orderId").Say("An order id has 1 to 128 bytes.")
	}
	return nil
}
