package account

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"ordergraph/platform/fault"
	"ordergraph/platform/phone"
)

const (
	maxEmail  = 254 // bytes (RFC 5321)
	maxLocal  = 64
	maxPart   = 255 // bytes, of a name or a line of an address
	maxDevice = 100
	maxLocale = 35
	maxID     = 64
)

var (
	host     = regexp.MustCompile(`^(?i)([\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$`)
	province = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)
)

// parseEmail returns an address as its owner writes it, and as it is compared:
// most mail servers take capitals for small letters, and who has an account
// does not remember how they wrote themselves.
func parseEmail(s string) (email, login string, err error) {
	s = norm.NFC.String(strings.TrimSpace(s))
	wrong := ErrInput.Field("email").Say("This is not an e-mail address.")
	if s == "" || len(s) > maxEmail || !isLine(s) || strings.ContainsAny(s, " \"<>(),;:\\") {
		return "", "", wrong
	}
	a, parseErr := mail.ParseAddress(s)
	if parseErr != nil || a.Address != s {
		return "", "", wrong
	}
	at := strings.LastIndexByte(s, '@')
	if at > maxLocal || !host.MatchString(s[at+1:]) {
		return "", "", wrong
	}
	return s[:at] + strings.ToLower(s[at:]), strings.ToLower(s), nil
}

// tidy checks and tidies a profile.
func (p *profile) tidy() error {
	for _, f := range []struct {
		name  string
		value *string
	}{{"firstName", &p.FirstName}, {"lastName", &p.LastName}} {
		*f.value = strings.TrimSpace(*f.value)
		if len(*f.value) > maxPart || !isLine(*f.value) {
			return ErrInput.Field(f.name).Say("This must be one line of at most %d bytes.", maxPart)
		}
	}
	if p.Phone = strings.TrimSpace(p.Phone); p.Phone != "" {
		number, err := phone.Parse(p.Phone, "") // nobody knows where they live
		if err != nil {
			return ErrInput.Field("phone").Say("This is not a telephone number in international form, such as +491701234567.")
		}
		p.Phone = number
	}
	p.Locale = strings.TrimSpace(p.Locale)
	if p.Locale == "" {
		p.Locale = "en"
	}
	tag, err := language.Parse(p.Locale)
	if err != nil || len(p.Locale) > maxLocale || tag == language.Und {
		return ErrInput.Field("locale").Say("This is not a language tag of BCP 47, such as en or de-AT.")
	}
	p.Locale = tag.String()
	return nil
}

// tidy checks and tidies an address.
func (a *Address) tidy() error {
	at := func(name string) *fault.Error { return ErrInput.Field("address." + name) }
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"id", &a.ID}, {"firstName", &a.FirstName}, {"lastName", &a.LastName}, {"company", &a.Company}, {"address1", &a.Address1},
		{"address2", &a.Address2}, {"city", &a.City}, {"province", &a.Province}, {"zip", &a.Zip}, {"country", &a.Country}, {"phone", &a.Phone},
	} {
		*f.value = strings.TrimSpace(*f.value)
		if len(*f.value) > maxPart || !isLine(*f.value) {
			return at(f.name).Say("This must be one line of at most %d bytes.", maxPart)
		}
	}
	a.Country = strings.ToUpper(a.Country)
	a.Province = strings.TrimPrefix(strings.ToUpper(a.Province), a.Country+"-")
	switch region, err := language.ParseRegion(a.Country); {
	case a.LastName == "" && a.Company == "":
		return at("lastName").Say("A last name or a company is needed.")
	case a.Address1 == "":
		return at("address1").Say("Street and number are needed.")
	case a.City == "":
		return at("city").Say("The city is needed.")
	case len(a.Country) != 2 || err != nil || !region.IsCountry() || region.Canonicalize().String() != a.Country:
		return at("country").Say("This is not an ISO 3166-1 alpha-2 country code, such as DE or US.")
	case a.Province != "" && !province.MatchString(a.Province):
		return at("province").Say("A province is the part of its ISO 3166-2 code behind the country, such as CA for California.")
	}
	if a.Phone != "" {
		number, err := phone.Parse(a.Phone, a.Country)
		if err != nil {
			return at("phone").Say("%s", fault.Of(err).Message)
		}
		a.Phone = number
	}
	return nil
}

// deviceName cuts what a browser says about itself to what fits.
func deviceName(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, s)
	if len(s) > maxDevice {
		s = s[:maxDevice]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return strings.TrimSpace(s)
}

// isLine reports whether s is text without control characters.
func isLine(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }) < 0
}
