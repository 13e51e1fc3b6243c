// Package smtpmail hands mails to a provider by SMTP.
package smtpmail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"ordergraph/services/notification"
)

// Options of a Mailer.
type Options struct {
	// URL is the provider: smtp://user:password@host:587, which encrypts where
	// the provider can, and always with a password or ?starttls=always; or
	// smtps://user:password@host:465.
	URL  string
	From string // Name <address>
	// Dial makes the connections; nil: over the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Mailer sends by SMTP. A connection is kept for a moment, for the next mail. It
// may be used by many goroutines at once.
type Mailer struct {
	lines
	from     *netmail.Address
	host     string
	port     int
	implicit bool // TLS from the first byte
	options  []mail.Option
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
}

var _ notification.Mailer = (*Mailer)(nil)

// errURL does not repeat the address: it may hold a password.
var errURL = errors.New("it must be like smtp://user:password@host:587 or smtps://user:password@host:465")

// New makes a Mailer. Nothing is called yet.
func New(o Options) (*Mailer, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errURL
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("the sender %q is not an address like Shop <shop@example.com>", o.From)
	}
	m := &Mailer{from: from, host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", dial: o.Dial}
	if m.implicit {
		m.port = 465
	}
	if p := u.Port(); p != "" {
		if m.port, err = strconv.Atoi(p); err != nil || m.port < 1 || m.port > 65535 {
			return nil, errURL
		}
	}
	if m.dial == nil {
		m.dial = (&net.Dialer{}).DialContext
	}
	policy := mail.TLSOpportunistic
	if password, has := u.User.Password(); has {
		m.options = append(m.options, mail.WithUsername(u.User.Username()), mail.WithPassword(password), mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover))
		policy = mail.TLSMandatory
	}
	switch u.Query().Get("starttls") {
	case "":
	case "always":
		policy = mail.TLSMandatory
	case "never":
		policy = mail.NoTLS
	default:
		return nil, errors.New("starttls is always or never")
	}
	if m.implicit {
		policy = mail.TLSOpportunistic // it is encrypted before; nobody offers it then
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	m.options = append(m.options, mail.WithPort(m.port), mail.WithTLSPolicy(policy), mail.WithHELO(domain))
	return m, nil
}

// Check says whether a provider's URL can be used. It calls nobody.
func Check(providerURL string) error {
	_, err := New(Options{URL: providerURL, From: "shop@example.com"})
	return err
}

// Send hands one mail over. Whatever it answers is a notification.Failure.
func (m *Mailer) Send(ctx context.Context, l notification.Letter) error {
	msg, err := m.message(l)
	if err != nil {
		return &notification.Failure{Outcome: notification.Refused, Code: "not a mail", Err: err}
	}
	for {
		l, kept := m.take(), true
		if l == nil {
			if l, err = m.dialLine(ctx); err != nil {
				return classify(err)
			}
			kept = false
		}
		err = l.send(ctx, msg)
		m.put(l, err)
		if err == nil || msg.IsDelivered() { // whether they take another does not matter
			return nil
		}
		if !kept || !closedMeanwhile(err) || ctx.Err() != nil {
			return classify(err)
		}
	}
}

// closedMeanwhile reports whether a provider had closed a connection that was
// kept: it did not even hear who writes.
func closedMeanwhile(err error) bool {
	sendErr, ok := errors.AsType[*mail.SendError](err)
	return ok && (sendErr.Reason == mail.ErrSMTPMailFrom || sendErr.Reason == mail.ErrConnCheck) &&
		(sendErr.ErrorCode() == 0 || sendErr.ErrorCode() == 421)
}

func (m *Mailer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := m.dial(ctx, network, addr)
	if err != nil || !m.implicit {
		return conn, err
	}
	secure := tls.Client(conn, &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

func (m *Mailer) message(l notification.Letter) (*mail.Msg, error) {
	to, err := netmail.ParseAddress(l.To)
	if err != nil || to.Address != l.To {
		return nil, errors.New("the address cannot be read")
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(&netmail.Address{Address: l.To})
	msg.SetMessageIDWithValue(l.MessageID)
	msg.SetDateWithValue(l.Date)
	msg.Subject(l.Subject)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader(mail.HeaderContentLang, l.Language)
	msg.SetBodyString(mail.TypeTextPlain, l.Text)
	msg.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	if l.Unsubscribe != "" { // RFC 8058
		msg.SetGenHeader(mail.HeaderListUnsubscribe, "<"+l.Unsubscribe+">")
		msg.SetGenHeader(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	for _, a := range l.Attachments {
		options := []mail.FileOption{mail.WithFileContentType(mail.ContentType(a.ContentType))}
		if a.Inline != "" {
			msg.EmbedReadSeeker(a.Name, bytes.NewReader(a.Content), append(options, mail.WithFileContentID("<"+a.Inline+">"))...)
		} else {
			msg.AttachReadSeeker(a.Name, bytes.NewReader(a.Content), options...)
		}
	}
	return msg, nil
}

// classify says what a failed attempt means.
func classify(err error) error {
	failure := &notification.Failure{Outcome: notification.Unreachable, Err: err}
	sendErr, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return failure // while connecting, encrypting or signing in
	}
	if code := sendErr.ErrorCode(); code != 0 {
		failure.Code = strings.TrimSpace(strconv.Itoa(code) + " " + sendErr.EnhancedStatusCode())
	}
	code := sendErr.ErrorCode()
	switch {
	case sendErr.Reason == mail.ErrGetSender, sendErr.Reason == mail.ErrGetRcpts:
		failure.Outcome, failure.Code = notification.Refused, "not a mail"
	case code == 0 && sendErr.Reason == mail.ErrSMTPDataClose:
		// All of it was sent, and nobody said what became of it.
		failure.Outcome = notification.Unknown
	case sendErr.Reason == mail.ErrSMTPMailFrom, code == 421, code == 0:
		// Who may not send does not send this mail or another; 421 is a server
		// that closes; and without a code the connection broke before the end.
	case code >= 500:
		failure.Outcome = notification.Refused
	default:
		failure.Outcome = notification.Deferred
	}
	return failure
}
