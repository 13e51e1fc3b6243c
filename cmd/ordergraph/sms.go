package main

import (
	"net/url"
	"strings"

	"ordergraph/platform/host"
	"ordergraph/services"
	"ordergraph/services/notification"
	"ordergraph/services/notification/twiliosms"
)

// The sandbox's account, which everybody knows: refused in production.
const (
	demoTwilioAccount = "ACsandbox0000000000000000000000000"
	demoTwilioToken   = "sandbox"
)

// smsConfig says who carries the shop's short messages.
type smsConfig struct {
	TwilioAccount string `name:"twilio-account-sid" env:"TWILIO_ACCOUNT_SID" default:"ACsandbox0000000000000000000000000" placeholder:"SID" group:"SMS" help:"The account at Twilio that sends short messages; the default is the sandbox's. Set to nothing, none are sent."`
	TwilioToken   string `name:"twilio-auth-token" env:"TWILIO_AUTH_TOKEN" default:"sandbox" placeholder:"TOKEN" group:"SMS" help:"Its auth token, which signs what Twilio tells, too; the default is the sandbox's."`
	TwilioFrom    string `name:"twilio-from" env:"TWILIO_FROM" default:"+15005550006" placeholder:"NUMBER" group:"SMS" help:"Whom short messages come from: a number in E.164, or a messaging service, MG…; the default is the sandbox's."`
	TwilioURL     string `name:"twilio-api-url" env:"TWILIO_API_URL" placeholder:"URL" group:"SMS" help:"Where the API is. Without it: the sandbox at SANDBOX_ADDR, or Twilio itself with an account of your own."`
	SMSCallback   string `name:"sms-callback-url" env:"SMS_CALLBACK_URL" placeholder:"URL" group:"SMS" help:"How Twilio reaches /webhooks/sms at HTTP_ADDR of the process of the notification service, exactly as Twilio sees it, for that is signed. Without it: this process for the sandbox, and PUBLIC_URL for Twilio, if notification and graph run here."`

	TwilioFallbackAccount string `name:"twilio-fallback-account-sid" env:"TWILIO_FALLBACK_ACCOUNT_SID" placeholder:"SID" group:"SMS" help:"Another account, which sends while the first one cannot."`
	TwilioFallbackToken   string `name:"twilio-fallback-auth-token" env:"TWILIO_FALLBACK_AUTH_TOKEN" placeholder:"TOKEN" group:"SMS" help:"Its auth token."`
	TwilioFallbackFrom    string `name:"twilio-fallback-from" env:"TWILIO_FALLBACK_FROM" placeholder:"NUMBER" group:"SMS" help:"Whom its messages come from."`
	TwilioFallbackURL     string `name:"twilio-fallback-api-url" env:"TWILIO_FALLBACK_API_URL" placeholder:"URL" group:"SMS" help:"Where its API is. Without it: Twilio's."`

	SMSQuietHours string `name:"sms-quiet-hours" env:"SMS_QUIET_HOURS" default:"21:00-08:00" placeholder:"HOURS" group:"SMS" help:"When nobody is disturbed for what can wait, by the clock of the customer's country; set to nothing, it is never."`
	SMSUnknown    string `name:"sms-unknown" env:"SMS_UNKNOWN" enum:"lookup,repeat,leave" default:"lookup" placeholder:"WHAT" group:"SMS" help:"What to do when nobody knows whether Twilio took a message: lookup (ask, and repeat what it did not take), repeat, or leave."`
}

// sendsTexts reports whether there are short messages.
func (c *smsConfig) sendsTexts() bool { return c.TwilioAccount != "" }

// textsToSandbox reports whether short messages go to the sandbox of SANDBOX_ADDR.
func (c *smsConfig) textsToSandbox() bool {
	return c.TwilioAccount == demoTwilioAccount && c.TwilioURL == ""
}

// toTwilio reports whether they go to Twilio itself, which nobody plays.
func (c *smsConfig) toTwilio() bool { return c.TwilioAccount != demoTwilioAccount && c.TwilioURL == "" }

// smsCallback is where the provider tells what became of messages.
func (s *serveCmd) smsCallback(h *host.Host) string {
	if s.SMSCallback == "" && s.toTwilio() {
		if s.PublicURL == "" || !s.runs("notification") || !s.runs(gateway) {
			return "" // nobody outside can reach us
		}
		return s.publicURL(h) + services.SMSWebhookPath
	}
	return s.reports(h, strings.TrimSuffix(s.SMSCallback, "/"), "notification", services.SMSWebhookPath)
}

// sms is how short messages are sent. The settings have been checked.
func (s *serveCmd) sms(h *host.Host) services.SMSSettings {
	settings := services.SMSSettings{CallbackURL: s.smsCallback(h), Unknown: notification.Policy(s.SMSUnknown)}
	settings.QuietHours, _ = notification.ParseQuietHours(s.SMSQuietHours)
	for _, o := range s.twilioAccounts("http://" + fromHere(s.SandboxAddr)) {
		o.CallbackURL = settings.CallbackURL
		settings.Accounts = append(settings.Accounts, o)
	}
	return settings
}

// twilioAccounts are those that send, the preferred one first.
func (c *smsConfig) twilioAccounts(sandbox string) []twiliosms.Options {
	var all []twiliosms.Options
	if c.sendsTexts() {
		at := c.TwilioURL
		if c.textsToSandbox() {
			at = sandbox
		}
		all = append(all, twiliosms.Options{AccountSID: c.TwilioAccount, AuthToken: c.TwilioToken, From: c.TwilioFrom, URL: at})
	}
	if c.TwilioFallbackAccount != "" {
		all = append(all, twiliosms.Options{
			AccountSID: c.TwilioFallbackAccount, AuthToken: c.TwilioFallbackToken, From: c.TwilioFallbackFrom, URL: c.TwilioFallbackURL,
		})
	}
	return all
}

func (c *smsConfig) check(wrong *complaints) {
	if _, err := notification.ParseQuietHours(c.SMSQuietHours); err != nil {
		wrong.add("SMS_QUIET_HOURS: %v", err)
	}
	names := []string{"TWILIO", "TWILIO_FALLBACK"}
	if !c.sendsTexts() {
		names = names[1:]
		if c.TwilioFallbackAccount != "" {
			wrong.add("TWILIO_FALLBACK_ACCOUNT_SID stands in for nobody: set TWILIO_ACCOUNT_SID")
		}
	}
	for i, o := range c.twilioAccounts("http://localhost") {
		if _, err := twiliosms.New(o); err != nil {
			wrong.add("%s_ACCOUNT_SID, _AUTH_TOKEN, _FROM and _API_URL cannot be used: %v", names[i], err)
		}
	}
	if u, err := url.Parse(c.SMSCallback); c.SMSCallback != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "") {
		wrong.add("SMS_CALLBACK_URL=%s is not an address like https://shop.example%s", c.SMSCallback, services.SMSWebhookPath)
	}
}

// unfitTexts is what about the short messages is only good for trying.
func (c *smsConfig) unfitTexts() (bad []string) {
	if c.TwilioAccount == demoTwilioAccount || c.sendsTexts() && c.TwilioToken == demoTwilioToken {
		bad = append(bad, "short messages go to the sandbox: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM, or TWILIO_ACCOUNT_SID to nothing")
	}
	if c.TwilioFallbackAccount == demoTwilioAccount || c.TwilioFallbackAccount != "" && c.TwilioFallbackToken == demoTwilioToken { // anybody could sign what Twilio tells
		bad = append(bad, "the account that stands in for short messages is the sandbox's: set TWILIO_FALLBACK_ACCOUNT_SID and TWILIO_FALLBACK_AUTH_TOKEN, or TWILIO_FALLBACK_ACCOUNT_SID to nothing")
	}
	return bad
}

// carrierOfTexts says to the operator who carries the short messages.
func (c *smsConfig) carrierOfTexts() string {
	text := "Twilio"
	switch {
	case !c.sendsTexts():
		return "none are sent (TWILIO_ACCOUNT_SID is empty)"
	case c.TwilioAccount == demoTwilioAccount:
		return "sandbox: no phone rings"
	case c.TwilioURL != "":
		text = "Twilio's API at " + c.TwilioURL
	}
	if c.TwilioFallbackAccount != "" {
		text += ", and another account behind it"
	}
	return text
}
