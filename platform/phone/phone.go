// Package phone reads telephone numbers as people write them.
package phone

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"ordergraph/platform/fault"
)

// ErrNumber is what cannot be anybody's telephone number.
var ErrNumber = fault.New(fault.Invalid, "phone.number",
	"This is not a telephone number. Write it as it is dialled in the country of the address, or in international form, such as +491701234567.")

// maxLength is what people write at most, in bytes, brackets and all.
const maxLength = 40

// Parse returns the number in E.164, such as +491701234567. A number without
// its country's code is one of country (ISO 3166-1 alpha-2); with country ""
// it must be international. Whether a number can exist is decided by the
// numbering plan of its country. ErrNumber.
func Parse(text, country string) (e164 string, err error) {
	n, err := parse(text, country)
	if err != nil {
		return "", err
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// TakesTexts reports whether short messages may arrive at a number: it is not
// known to be a landline, nor a number for calls to a company. Where a country
// does not tell mobiles from others, its provider has to.
func TakesTexts(e164 string) bool {
	n, err := parse(e164, "")
	if err != nil {
		return false
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.PERSONAL_NUMBER, phonenumbers.VOIP, phonenumbers.PAGER:
		return true
	}
	return false
}

func parse(text, country string) (*phonenumbers.PhoneNumber, error) {
	// Letters would be read as those on a telephone's keys, and as extensions.
	if len(text) > maxLength || strings.Trim(text, "+0123456789 \u00a0\u202f.-/()") != "" {
		return nil, ErrNumber
	}
	n, err := phonenumbers.Parse(text, country)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return nil, ErrNumber
	}
	return n, nil
}
