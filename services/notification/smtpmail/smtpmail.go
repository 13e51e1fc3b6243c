// Package smtpmail hands mails to a provider by SMTP.
package smtpmail

import (
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
	from     string // Name <address>, as it stands in a mail
	envelope string // <address>
	host     string
	port     int
	implicit bool // TLS from the first byte
	options  []mail.Option
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
}

var _ notification.Mailer = (*Mailer)(nil)

// errURL does not repeat the address: it may hold a password.
var errURL = errors.New("it must be like smtp://user:password@host:587 or smtps://user:password@host:465")

// errAddress does not repeat the address: it is somebody's.
var errAddress = errors.New("the address cannot be read")

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
	m := &Mailer{from: from.String(), envelope: (&netmail.Address{Address: from.Address}).String(), host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", dial: o.Dial}
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
func (m *Mailer) Send(ctx context.Context, letter notification.Letter) error {
	to, err := netmail.ParseAddress(letter.To)
	if err != nil || to.Address != letter.To {
		return &notification.Failure{Outcome: notification.Refused, Code: "not a mail", Err: errAddress}
	}
	msg := messages.Get().(*message)
	defer msg.release()
	msg.compose(m.from, to, letter)
	for {
		l, kept := m.take(), true
		if l == nil {
			if l, err = m.dialLine(ctx); err != nil {
				return &notification.Failure{Outcome: notification.Unreachable, Err: err}
			}
			kept = false
		}
		t := l.send(ctx, m.envelope, to.String(), msg.bytes)
		m.put(l)
		if t == nil {
			return nil
		}
		if !kept || !t.closedMeanwhile() || ctx.Err() != nil {
			return t.failure()
		}
	}
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

// closedMeanwhile reports whether a provider had closed a connection that was
// kept: it did not even hear who writes.
func (t *trouble) closedMeanwhile() bool {
	return t.at == sender && (t.code == 0 || t.code == 421)
}

// failure is what the trouble means.
func (t *trouble) failure() *notification.Failure {
	f := &notification.Failure{Outcome: notification.Unreachable, Err: t}
	if t.code != 0 {
		f.Code = strings.TrimSpace(strconv.Itoa(t.code) + " " + t.enhanced)
	}
	switch {
	case t.at == end && t.code == 0:
		// All of it was sent, and nobody said what became of it.
		f.Outcome = notification.Unknown
	case t.at == sender, t.code == 421, t.code == 0:
		// Who may not send does not send this mail or another; 421 is a server
		// that closes; and without a code the connection broke before the end.
	case t.code >= 500:
		f.Outcome = notification.Refused
	default:
		f.Outcome = notification.Deferred
	}
	return f
}
