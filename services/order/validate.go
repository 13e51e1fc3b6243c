package order

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"ordergraph/platform/fault"
	"ordergraph/platform/money"
	"ordergraph/platform/phone"
	"ordergraph/services/cart"
)

// Limits of the input, in bytes.
const (
	minKey    = 8
	maxKey    = 255
	maxEmail  = 254 // RFC 5321, 4.5.3.1
	maxPart   = 255 // of an address
	maxMethod = 255
	maxURL    = 2048
	maxCartID = 255
	maxRate   = 64
)

var (
	method   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:-]*$`)
	handle   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	province = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)
	host     = regexp.MustCompile(`^[^\s.@]+(\.[^\s.@]+)+$`)
)

// withoutZip are countries where an address need not have a postal code:
// those without, according to the Universal Postal Union, and those where
// few people use it.
var withoutZip = func() map[string]bool {
	all := map[string]bool{}
	for c := range strings.FieldsSeq("AE AG AO AQ AW BF BI BJ BO BQ BS BV BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GQ GY HK IE JM KI KM KN KP LC LY ML MO MR MS MW NA NR NU PA QA RW SB SC SL SO SR SS ST SX SY TD TF TG TK TL TO TT TV TZ UG VC VU YE ZW") {
		all[c] = true
	}
	return all
}()

// A complaint collects what is wrong with an input.
type complaint []cart.Problem

func (c *complaint) of(field []string, message string, args ...any) {
	c.as(cart.CodeInvalid, field, message, args...)
}

func (c *complaint) as(code cart.Code, field []string, message string, args ...any) {
	*c = append(*c, cart.Problem{Code: code, Field: field, Message: fmt.Sprintf(message, args...)})
}

func at(path ...string) []string { return path }

// validate tidies the input up and says all that is wrong with it, each with
// the path of its field. No message repeats
// what was sent: it may be a secret in the wrong field.
func validate(in CheckoutInput) (CheckoutInput, []cart.Problem) {
	var wrong complaint

	in.CartID = strings.TrimSpace(in.CartID)
	if in.CartID == "" || len(in.CartID) > maxCartID || !printable(in.CartID) {
		wrong.as(cart.CodeNotFound, at("cartId"), "There is no such cart.")
	}
	if n := len(in.IdempotencyKey); n < minKey || n > maxKey || !printable(in.IdempotencyKey) {
		wrong.of(at("idempotencyKey"), "The idempotency key must have %d to %d printable ASCII characters; best a UUID.", minKey, maxKey)
	}
	in.Email = strings.TrimSpace(in.Email)
	if !isEmail(in.Email) {
		wrong.of(at("email"), "This is not an e-mail address.")
	}

	in.ShippingAddress = tidyAddress(in.ShippingAddress)
	wrong.ofPhone(at("phone"), &in.Phone, in.ShippingAddress.Country)
	wrong.ofAddress("shippingAddress", &in.ShippingAddress)
	if in.BillingAddress != nil {
		a := tidyAddress(*in.BillingAddress)
		in.BillingAddress = &a
		wrong.ofAddress("billingAddress", &a)
	}

	in.ShippingRate = strings.TrimSpace(in.ShippingRate)
	if in.ShippingRate != "" && (len(in.ShippingRate) > maxRate || !handle.MatchString(in.ShippingRate)) {
		wrong.as(cart.CodeShippingUnavailable, at("shippingRate"), "This way of shipping is not offered.")
	}

	in.PaymentMethod = strings.TrimSpace(in.PaymentMethod)
	free := in.ExpectTotal != nil && in.ExpectTotal.Minor == 0
	switch {
	case in.PaymentMethod == "" && free:
	case in.PaymentMethod == "":
		wrong.of(at("paymentMethod"), "The payment method is missing: send the token that the card processor gave you.")
	case looksLikeCard(in.PaymentMethod):
		wrong.of(at("paymentMethod"), "This looks like a card number. Never send one: let the card processor make a token of it, and send that. It was not kept.")
	case len(in.PaymentMethod) > maxMethod || !method.MatchString(in.PaymentMethod):
		wrong.of(at("paymentMethod"), "This is not a payment method's token, such as pm_card_visa.")
	}
	in.ReturnURL = strings.TrimSpace(in.ReturnURL)
	if in.ReturnURL != "" {
		u, err := url.Parse(in.ReturnURL)
		if err != nil || len(in.ReturnURL) > maxURL || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			wrong.of(at("returnUrl"), "The return address must be an absolute http or https URL of at most %d bytes.", maxURL)
		}
	}

	in.Locale = strings.TrimSpace(in.Locale)
	if in.Locale == "" {
		in.Locale = "en"
	}
	if tag, err := language.Parse(in.Locale); err != nil || len(in.Locale) > 35 || tag == language.Und {
		wrong.of(at("locale"), "This is not a language tag of BCP 47, such as en or de-AT.")
	} else {
		in.Locale = tag.String()
	}

	if in.ExpectTotal != nil {
		total := *in.ExpectTotal
		in.ExpectTotal = &total
		if _, err := money.Parse("1", total.Currency); err != nil {
			wrong.of(at("expectTotal", "currencyCode"), "This is not an ISO 4217 currency code.")
		}
		if total.Minor < 0 {
			wrong.of(at("expectTotal", "amount"), "A total cannot be less than zero.")
		}
	}
	return in, wrong
}

// ofPhone brings a telephone number, if there is one, into E.164. Written
// without its country's code it is one of country.
func (c *complaint) ofPhone(field []string, number *string, country string) {
	*number = strings.TrimSpace(*number)
	if *number == "" {
		return
	}
	e164, err := phone.Parse(*number, country)
	if err != nil {
		c.of(field, "%s", fault.Of(err).Message)
		return
	}
	*number = e164
}

func (c *complaint) ofAddress(name string, a *Address) {
	for _, part := range []struct {
		field, value string
	}{
		{"firstName", a.FirstName}, {"lastName", a.LastName}, {"company", a.Company}, {"address1", a.Address1},
		{"address2", a.Address2}, {"city", a.City}, {"zip", a.Zip},
	} {
		if len(part.value) > maxPart || !isLine(part.value) {
			c.of(at(name, part.field), "This must be one line of at most %d bytes.", maxPart)
		}
	}
	if a.LastName == "" && a.Company == "" {
		c.of(at(name, "lastName"), "A last name or a company is needed.")
	}
	if a.Address1 == "" {
		c.of(at(name, "address1"), "Street and number are needed.")
	}
	if a.City == "" {
		c.of(at(name, "city"), "The city is needed.")
	}
	if !cart.IsCountry(a.Country) {
		c.as(cart.CodeCountry, at(name, "country"), "This is not an ISO 3166-1 alpha-2 country code, such as DE or US.")
	} else if a.Zip == "" && !withoutZip[a.Country] {
		c.of(at(name, "zip"), "The postal code is needed.")
	}
	if a.Province != "" && !province.MatchString(a.Province) {
		c.of(at(name, "province"), "A province is the part of its ISO 3166-2 code behind the country, such as CA for California.")
	}
	c.ofPhone(at(name, "phone"), &a.Phone, a.Country)
}

func tidyAddress(a Address) Address {
	for _, part := range []*string{&a.FirstName, &a.LastName, &a.Company, &a.Address1, &a.Address2, &a.City, &a.Province, &a.Zip, &a.Country, &a.Phone} {
		*part = strings.TrimSpace(*part)
	}
	a.Country, a.Province = strings.ToUpper(a.Country), strings.ToUpper(a.Province)
	a.Province = strings.TrimPrefix(a.Province, a.Country+"-")
	return a
}

// isEmail accepts what mail can be sent to over the internet: one address
// without a name, at a host with a dot in it.
func isEmail(s string) bool {
	if s == "" || len(s) > maxEmail || !isLine(s) || strings.ContainsAny(s, " \"<>(),;:\\") {
		return false
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return false
	}
	i := strings.LastIndexByte(s, '@')
	return i <= 64 && host.MatchString(s[i+1:])
}

// looksLikeCard reports whether s is a number of 12 to 19 digits, however they
// are grouped, or contains what can be a card number: 13 to 19 digits in a row
// with the right check digit (ISO/IEC 7812-1).
func looksLikeCard(s string) bool {
	if bare := strings.Map(func(c rune) rune {
		if strings.ContainsRune(" -._/", c) {
			return -1
		}
		return c
	}, s); len(bare) >= 12 && len(bare) <= 19 && strings.Trim(bare, "0123456789") == "" {
		return true
	}
	for _, run := range strings.FieldsFunc(s, func(c rune) bool { return c < '0' || c > '9' }) {
		if len(run) >= 13 && len(run) <= 19 && luhn(run) {
			return true
		}
	}
	return false
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// printable reports whether all characters are printable ASCII, spaces too.
func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// isLine reports whether s is text without control characters.
func isLine(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }) < 0
}
