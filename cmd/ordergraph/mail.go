package main

import (
	"cmp"
	"net/mail"
	"net/url"

	"ordergraph/services/notification/smtpmail"
)

// mailConfig says who carries the shop's mails.
type mailConfig struct {
	SMTPURL         string `name:"smtp-url" env:"SMTP_URL" placeholder:"URL" group:"Mail" help:"The mail provider, like smtp://user:password@host:587 or smtps://user:password@host:465. A password is only sent encrypted; ?starttls=always encrypts without one, too. Without it: the sandbox at SANDBOX_SMTP_ADDR."`
	MailFrom        string `env:"MAIL_FROM" placeholder:"ADDRESS" group:"Mail" help:"Whom mails come from, like Harbour Store <shop@example.com>. Without it: SHOP_NAME at an address that does not exist."`
	SandboxSMTPAddr string `name:"sandbox-smtp-addr" env:"SANDBOX_SMTP_ADDR" default:"127.0.0.1:8025" placeholder:"HOST:PORT" group:"Mail" help:"Where the sandbox takes mail; set to nothing, it does not."`
}

// mailsToSandbox reports whether mails go to the sandbox of SANDBOX_SMTP_ADDR.
func (c *mailConfig) mailsToSandbox() bool { return c.SMTPURL == "" && c.SandboxSMTPAddr != "" }

// provider is the mail provider's address.
func (c *mailConfig) provider() string {
	if c.mailsToSandbox() {
		return "smtp://" + fromHere(c.SandboxSMTPAddr)
	}
	return c.SMTPURL
}

// providerHost is the provider's address without its password.
func (c *mailConfig) providerHost() string {
	if u, err := url.Parse(c.provider()); err == nil {
		return u.Host
	}
	return "an unknown place"
}

// sender is whom the shop's mails come from.
func (c *mailConfig) sender(shopName string) string {
	return cmp.Or(c.MailFrom, (&mail.Address{Name: shopName, Address: "shop@ordergraph.localhost"}).String())
}

func (c *mailConfig) check(wrong *complaints) {
	if c.MailFrom != "" {
		if _, err := mail.ParseAddress(c.MailFrom); err != nil {
			wrong.add("MAIL_FROM=%s is not an address like Harbour Store <shop@example.com>", c.MailFrom)
		}
	}
	switch {
	case c.SMTPURL != "":
		if err := smtpmail.Check(c.SMTPURL); err != nil {
			wrong.add("SMTP_URL cannot be used: %v", err)
		}
	case c.SandboxSMTPAddr == "":
		wrong.add("nobody carries the mails: set SMTP_URL to a provider, or SANDBOX_SMTP_ADDR for the sandbox")
	}
}
