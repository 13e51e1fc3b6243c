package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"time"

	"ordergraph/platform/host"
	"ordergraph/services"
	"ordergraph/services/notification"
	"ordergraph/services/notification/smtpmail"
)

// mailConfig says who carries the shop's mails.
type mailConfig struct {
	SMTPURL         string        `name:"smtp-url" env:"SMTP_URL" placeholder:"URL" group:"Mail" help:"The mail provider, like smtp://user:password@host:587 or smtps://user:password@host:465. A password is only sent encrypted; ?starttls=always encrypts without one, too. Without it: the sandbox at SANDBOX_SMTP_ADDR."`
	MailFrom        string        `env:"MAIL_FROM" placeholder:"ADDRESS" group:"Mail" help:"Whom mails come from, like Harbour Store <shop@example.com>. Without it: SHOP_NAME at an address that does not exist."`
	SMTPFallbackURL string        `name:"smtp-fallback-url" env:"SMTP_FALLBACK_URL" placeholder:"URL" group:"Mail" help:"Another mail provider, which carries mails while the first one cannot."`
	MailUnknown     string        `name:"mail-unknown" env:"MAIL_UNKNOWN" enum:"repeat,leave" default:"repeat" placeholder:"WHAT" group:"Mail" help:"What to do when nobody knows whether the provider took a mail: repeat (it has the same Message-ID, by which mailboxes know it) or leave."`
	InvoiceGrace    time.Duration `name:"invoice-grace" env:"INVOICE_GRACE" default:"3s" placeholder:"DURATION" group:"Mail" help:"How long the mail that confirms an order waits for its invoice, at most a minute; the invoice follows by a mail of its own if it is not ready by then."`
	MailLogo        string        `name:"mail-logo" env:"MAIL_LOGO" type:"path" placeholder:"FILE" group:"Mail" help:"A square PNG that mails show beside the shop's name, of at most 64 KiB. Without it: a shopping bag."`
	SandboxSMTPAddr string        `name:"sandbox-smtp-addr" env:"SANDBOX_SMTP_ADDR" default:"127.0.0.1:8025" placeholder:"HOST:PORT" group:"Mail" help:"Where the sandbox takes mail; set to nothing, it does not."`
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

// grace is how long confirmations wait for invoices, as the service takes it.
func (c *mailConfig) grace() time.Duration {
	if c.InvoiceGrace == 0 {
		return -1
	}
	return c.InvoiceGrace
}

const maxLogo = 64 << 10 // bytes; it goes with every mail

// logo is the picture that mails show.
func (c *mailConfig) logo() ([]byte, error) {
	if c.MailLogo == "" {
		return notification.Logo(), nil
	}
	file, err := os.Open(c.MailLogo)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxLogo+1))
	if err != nil {
		return nil, err
	}
	if http.DetectContentType(data) != "image/png" || len(data) > maxLogo {
		return nil, fmt.Errorf("%s is not a PNG of at most %d KiB", c.MailLogo, maxLogo>>10)
	}
	return data, nil
}

func (c *mailConfig) check(wrong *complaints) {
	if c.MailFrom != "" {
		if _, err := mail.ParseAddress(c.MailFrom); err != nil {
			wrong.add("MAIL_FROM=%s is not an address like Harbour Store <shop@example.com>", c.MailFrom)
		}
	}
	if c.SMTPFallbackURL != "" {
		if err := smtpmail.Check(c.SMTPFallbackURL); err != nil {
			wrong.add("SMTP_FALLBACK_URL cannot be used: %v", err)
		}
	}
	if c.InvoiceGrace < 0 || c.InvoiceGrace > time.Minute {
		wrong.add("INVOICE_GRACE=%s is not from 0s to 1m", c.InvoiceGrace)
	}
	if _, err := c.logo(); err != nil {
		wrong.add("MAIL_LOGO: %v", err)
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

// mail is how mails are sent.
func (s *serveCmd) mail(h *host.Host) (services.MailSettings, error) {
	logo, err := s.logo()
	if err != nil {
		return services.MailSettings{}, fmt.Errorf("MAIL_LOGO: %w", err)
	}
	return services.MailSettings{
		URL: s.provider(), Fallback: s.SMTPFallbackURL, From: s.sender(s.ShopName), ShopName: s.ShopName, PublicURL: s.publicURL(h),
		OrderPage: s.publicURL(h) + orderPage, Logo: logo, Grace: s.grace(), Unknown: notification.Policy(s.MailUnknown),
	}, nil
}

// orderPage is where the storefront shows an order, by its id.
const orderPage = "/order/"
