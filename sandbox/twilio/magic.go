package twilio

import (
	"regexp"
	"strings"
)

// Twilio's own test numbers; see https://www.twilio.com/docs/iam/test-credentials.
const (
	poolNumber = "+15005550006" // a sender of which nothing is wrong

	fromInvalid  = "+15005550001"
	fromNotOwned = "+15005550007"
	fromFull     = "+15005550008"

	toInvalid      = "+15005550001"
	toUnroutable   = "+15005550002"
	toNotPermitted = "+15005550003"
	toStopped      = "+15005550004"
	toNoMobile     = "+15005550009"
)

// Numbers of ours, in the same range: the last four digits say what happens.
const (
	toAnswerLost = "+15005551000" // taken, and the answer never arrives
	toBusy       = "+15005551429" // 429
	toNeverTold  = "+15005553000" // sent, and nobody ever says that it arrived
)

// undeliverable are numbers of ours at which messages are sent and do not
// arrive: the number ends in the code, but for one of its zeros. See
// https://www.twilio.com/docs/api/errors.
var undeliverable = map[string]int{
	"+15005553003": 30003, // the phone is off
	"+15005553004": 30004, // blocked
	"+15005553005": 30005, // there is no such number any more
	"+15005553006": 30006, // a landline
	"+15005553007": 30007, // filtered by the carrier
	"+15005553008": 30008, // nobody knows why
}

// reasons are what a message says beside its error code.
var reasons = map[int]string{
	30003: "Unreachable destination handset", 30004: "Message blocked", 30005: "Unknown destination handset",
	30006: "Landline or unreachable carrier", 30007: "Carrier violation", 30008: "Unknown error",
}

var (
	number    = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // E.164
	shortCode = regexp.MustCompile(`^[0-9]{3,6}$`)
	wordly    = regexp.MustCompile(`^[A-Za-z0-9 +&_-]{1,11}$`) // an alphanumeric sender
	service   = regexp.MustCompile(`^MG[0-9A-Za-z]{32}$`)
)

const longest = 1600 // characters of a message

// check says what is wrong with a message, as Twilio does: the recipient
// first, then the sender, then the text.
func check(m *Message) *trouble {
	switch {
	case m.To == "":
		return wrong(21604, "A 'To' phone number is required.")
	case !number.MatchString(m.To) || m.To == toInvalid:
		return wrong(21211, "Invalid 'To' Phone Number: %s", hidden(m.To))
	case m.From == "" && m.Service == "":
		return wrong(21603, "A 'From' phone number is required.")
	case m.Service != "" && !service.MatchString(m.Service):
		return wrong(21701, "The Messaging Service %s does not exist", m.Service)
	case m.From == "":
	case m.From == fromInvalid || !isSender(m.From):
		return wrong(21212, "The 'From' number %s is not a valid phone number, shortcode, or alphanumeric sender ID.", m.From)
	case m.From == fromNotOwned:
		return wrong(21606, "The 'From' phone number provided (%s) is not a valid message-capable Twilio phone number for this destination/account.", m.From)
	case m.From == fromFull:
		return wrong(21611, "This 'From' number has exceeded the maximum number of queued messages")
	case m.From == m.To:
		return wrong(21266, "'To' and 'From' number cannot be the same: %s", m.To)
	}
	switch {
	case m.Body == "":
		return wrong(21602, "Message body is required.")
	case len([]rune(m.Body)) > longest:
		return wrong(21617, "The concatenated message body exceeds the %d character limit", longest)
	case m.callback != "" && !isAddress(m.callback):
		return wrong(21609, "The 'StatusCallback' URL %s is not a valid URL.", m.callback)
	}
	switch m.To {
	case toUnroutable:
		return wrong(21612, "The 'To' phone number: %s, is not currently reachable using the 'From' phone number: %s via SMS.", m.To, m.From)
	case toNotPermitted:
		return wrong(21408, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: %s.", m.To)
	case toStopped:
		return unsubscribed
	case toNoMobile:
		return wrong(21614, "'To' number: %s, is not a mobile number", m.To)
	}
	return nil
}

func isSender(from string) bool {
	return number.MatchString(from) || shortCode.MatchString(from) ||
		wordly.MatchString(from) && strings.ContainsFunc(from, func(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' })
}

// hidden is a number as Twilio repeats it: without its end.
func hidden(number string) string {
	if len(number) < 8 {
		return number
	}
	return number[:len(number)-4] + "XXXX"
}
