package main

import (
	"strings"
	"testing"
)

// What everybody knows is no secret of an account that stands in, either.
func TestDemoAccountsOfTexts(t *testing.T) {
	const account, token = "AC0123456789abcdef0123456789abcdef", "0123456789abcdef"
	for _, c := range []struct {
		set  smsConfig
		want string // of the complaint; "": there is none
	}{
		{smsConfig{TwilioAccount: demoTwilioAccount, TwilioToken: demoTwilioToken}, "TWILIO_ACCOUNT_SID"},
		{smsConfig{TwilioAccount: account, TwilioToken: demoTwilioToken}, "TWILIO_AUTH_TOKEN"},
		{smsConfig{TwilioToken: demoTwilioToken}, ""}, // nothing is sent
		{smsConfig{TwilioAccount: account, TwilioToken: token}, ""},
		{smsConfig{TwilioAccount: account, TwilioToken: token, TwilioFallbackToken: demoTwilioToken}, ""}, // of nobody
		{smsConfig{TwilioAccount: account, TwilioToken: token, TwilioFallbackAccount: account, TwilioFallbackToken: token}, ""},
		{smsConfig{TwilioAccount: account, TwilioToken: token, TwilioFallbackAccount: demoTwilioAccount, TwilioFallbackToken: token}, "TWILIO_FALLBACK_ACCOUNT_SID"},
		{smsConfig{TwilioAccount: account, TwilioToken: token, TwilioFallbackAccount: account, TwilioFallbackToken: demoTwilioToken}, "TWILIO_FALLBACK_AUTH_TOKEN"},
	} {
		got := strings.Join(c.set.unfitTexts(), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c.set, got)
		}
	}
}

// The provider signs the address that it calls, and nothing answers at another.
func TestCallbackAddress(t *testing.T) {
	for _, set := range []string{"https://shop.example/webhooks/sms", "https://shop.example/webhooks/sms/"} {
		s := &serveCmd{}
		s.SMSCallback = set
		if got := s.smsCallback(nil); got != "https://shop.example/webhooks/sms" {
			t.Errorf("%s: %s", set, got)
		}
	}
}
