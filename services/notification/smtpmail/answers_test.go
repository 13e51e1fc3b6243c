package smtpmail_test

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ordergraph/services/notification"
	"ordergraph/services/notification/smtpmail"
	"ordergraph/test/memnet"
)

// A provider answers as it is told.
type provider struct {
	offers []string
	// answers are what it says to a command, by its first word, and to a mail
	// ("content"); "" is to hang up. What is missing is answered well.
	answers map[string]string
	tls     *tls.Config // for STARTTLS

	mu    sync.Mutex
	heard []string // commands without what follows them, and mails
	conns int
}

// start has the provider take connections, encrypted from the first byte or
// not, until the test ends.
func (p *provider) start(t *testing.T, encrypted bool) memnet.Dial {
	listener := memnet.Listen()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if encrypted {
				conn = tls.Server(conn, p.tls)
			}
			all.Go(func() { p.talk(conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); all.Wait() })
	return listener.Dial
}

func (p *provider) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	p.mu.Lock()
	p.conns++
	p.mu.Unlock()
	in := bufio.NewReader(conn)
	_, _ = io.WriteString(conn, "220 here\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		command, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		p.note(command)
		if !p.reply(conn, command) {
			return
		}
		if command == "STARTTLS" {
			conn = tls.Server(conn, p.tls)
			in.Reset(conn)
		}
		if command != "DATA" || !strings.HasPrefix(p.answer("DATA"), "354") {
			continue
		}
		mail := ""
		for !strings.HasSuffix(mail, "\r\n.\r\n") && mail != ".\r\n" {
			line, err := in.ReadString('\n')
			if mail += line; err != nil {
				return
			}
		}
		p.note(mail)
		if !p.reply(conn, "content") {
			return
		}
	}
}

// reply says what is to be said, and whether the connection goes on after it.
// After a mail it waits for its client to hear that it is closing.
func (p *provider) reply(conn net.Conn, to string) bool {
	answer := p.answer(to)
	if answer == "" {
		return false
	}
	_, err := io.WriteString(conn, answer+"\r\n")
	return err == nil && (to == "content" || !strings.HasPrefix(answer, "421"))
}

func (p *provider) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, what)
}

func (p *provider) answer(to string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer, ok := p.answers[to]; ok {
		return answer
	}
	switch to {
	case "EHLO":
		return "250-here\r\n250-" + strings.Join(append(p.offers, "HELP"), "\r\n250-") + "\r\n250 ENHANCEDSTATUSCODES"
	case "DATA":
		return "354 go on"
	case "STARTTLS":
		return "220 go on"
	case "AUTH":
		return "235 2.7.0 welcome"
	case "QUIT":
		return "221 bye"
	}
	return "250 2.0.0 fine"
}

// takeHeard is what was heard since it was asked for last, with a mail as "mail",
// and without RSET: that is the client's affair.
func (p *provider) takeHeard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var heard []string
	for _, what := range p.heard {
		if strings.Contains(what, "\r\n") {
			what = "mail"
		}
		if what != "RSET" {
			heard = append(heard, what)
		}
	}
	p.heard = nil
	return heard
}

func (p *provider) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns
}

func (p *provider) setAnswers(answers map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = answers
}

// Whatever a provider answers at whichever step is told apart; and a connection
// on which it said so in a way that can be understood takes the next mail, unless
// a mail was begun on it.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answers map[string]string
		outcome notification.Outcome // "": it is taken
		code    string
		heard   string // but RSET
		ends    bool   // the connection
	}{
		"taken":                    {nil, "", "", "MAIL RCPT DATA mail", false},
		"a sender who may not":     {map[string]string{"MAIL": "550 5.7.1 no", "RCPT": "503 5.5.1 first MAIL", "DATA": "503 5.5.1 first RCPT"}, notification.Unreachable, "550 5.7.1", "MAIL", false},
		"nobody of that name":      {map[string]string{"RCPT": "550 5.1.1 no <ada@example.org>", "DATA": "554 5.5.1 nobody"}, notification.Refused, "550 5.1.1", "MAIL RCPT", false},
		"somebody, but not now":    {map[string]string{"RCPT": "450 4.2.1 full", "DATA": "503 5.5.1 first RCPT"}, notification.Deferred, "450 4.2.1", "MAIL RCPT", false},
		"forwarded":                {map[string]string{"RCPT": "251 2.1.5 elsewhere"}, "", "", "MAIL RCPT DATA mail", false},
		"not now":                  {map[string]string{"DATA": "451 4.3.0 later"}, notification.Deferred, "451 4.3.0", "MAIL RCPT DATA", true},
		"a mail it does not like":  {map[string]string{"content": "554 5.7.1 spam"}, notification.Refused, "554 5.7.1", "MAIL RCPT DATA mail", false},
		"closing at the recipient": {map[string]string{"RCPT": "421 4.3.2 closing"}, notification.Unreachable, "421 4.3.2", "MAIL RCPT", true},
		"closing after the mail":   {map[string]string{"content": "421 4.3.2 closing"}, notification.Unreachable, "421 4.3.2", "MAIL RCPT DATA mail", true},
		"hangs up at the sender":   {map[string]string{"MAIL": ""}, notification.Unreachable, "", "MAIL", true},
		"hangs up at the data":     {map[string]string{"DATA": ""}, notification.Unreachable, "", "MAIL RCPT DATA", true},
		"hangs up after the mail":  {map[string]string{"content": ""}, notification.Unknown, "", "MAIL RCPT DATA mail", true},
		"refused, then hangs up":   {map[string]string{"RCPT": "550 5.1.1 no", "DATA": "", "RSET": ""}, notification.Refused, "550 5.1.1", "MAIL RCPT", true},
		"nonsense at the data":     {map[string]string{"DATA": "yes"}, notification.Unreachable, "", "MAIL RCPT DATA", true},
		"nonsense after the mail":  {map[string]string{"content": "what?"}, notification.Unknown, "", "MAIL RCPT DATA mail", true},
		"out of step":              {map[string]string{"DATA": "250 2.0.0 fine"}, notification.Unreachable, "", "MAIL RCPT DATA", true},
	} {
		t.Run(name, func(t *testing.T) {
			p := &provider{}
			m, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: p.start(t, false)})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if err := m.Send(t.Context(), letter); err != nil { // a connection that is kept is used the same way
				t.Fatal(err)
			}
			p.setAnswers(c.answers)
			p.takeHeard()
			err = m.Send(t.Context(), letter)
			var failure *notification.Failure
			if errors.As(err, &failure) != (c.outcome != "") || failure != nil && (failure.Outcome != c.outcome || failure.Code != c.code) {
				t.Errorf("%v", err)
			}
			heard := strings.Join(p.takeHeard(), " ")
			if first, second, again := strings.Cut(heard, " EHLO "); again && first == second {
				heard = first // the first connection might have been closed meanwhile
			}
			if heard != c.heard {
				t.Errorf("heard %s, want %s", heard, c.heard)
			}
			before := p.connections()
			p.setAnswers(nil)
			if err := m.Send(t.Context(), letter); err != nil {
				t.Errorf("the next mail: %v", err)
			}
			if ends := p.connections() > before; ends != c.ends {
				t.Errorf("the connection ends: %t", ends)
			}
		})
	}
}

// A mail goes the same way over a connection that is encrypted, from the first
// byte or later, by somebody who has signed in.
func TestEncrypted(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", roots)
	config := &tls.Config{Certificates: certified.TLS.Certificates}
	for url, want := range map[string]string{
		"smtp://user:secret@example.com":  "EHLO STARTTLS EHLO AUTH MAIL RCPT DATA mail MAIL RCPT DATA mail",
		"smtp://example.com":              "EHLO STARTTLS EHLO MAIL RCPT DATA mail MAIL RCPT DATA mail",
		"smtps://user:secret@example.com": "EHLO AUTH MAIL RCPT DATA mail MAIL RCPT DATA mail",
		"smtps://example.com":             "EHLO MAIL RCPT DATA mail MAIL RCPT DATA mail",
	} {
		t.Run(url, func(t *testing.T) {
			p := &provider{offers: []string{"AUTH PLAIN"}, tls: config}
			secure := strings.HasPrefix(url, "smtps:")
			if !secure {
				p.offers = append(p.offers, "STARTTLS")
			}
			dial := p.start(t, secure)
			m, err := smtpmail.New(smtpmail.Options{URL: url, From: from, Dial: dial})
			if err != nil {
				t.Fatal(err)
			}
			l := letter
			l.Text = strings.Repeat("word ", 10_000) // more than one record holds
			for range 2 {
				if err := m.Send(t.Context(), l); err != nil {
					var failure *notification.Failure
					_ = errors.As(err, &failure)
					t.Fatal(failure.Err)
				}
			}
			if heard := strings.Join(p.takeHeard(), " "); heard != want {
				t.Errorf("heard %s, want %s", heard, want)
			}
			m.Close()
		})
	}
}

// Lines end as they must, and those that begin with a dot arrive with it.
func TestDots(t *testing.T) {
	p := &provider{}
	m, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: p.start(t, false)})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	l := letter
	l.Text = ".\n..\r\nRCPT TO:<eve@example.org>\n\n.a\rb\n."
	if err := m.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	mail := p.heard[slices.IndexFunc(p.heard, func(what string) bool { return strings.Contains(what, "\r\n") })]
	if strings.Contains(strings.ReplaceAll(mail, "\r\n", ""), "\n") || strings.Contains(strings.ReplaceAll(mail, "\r\n", ""), "\r") {
		t.Errorf("%q", mail)
	}
	if !strings.Contains(mail, "\r\n..\r\n...\r\nRCPT TO:<eve@example.org>\r\n\r\n..a\r\nb\r\n..\r\n") || strings.Contains(mail, "\r\n.\r\nRCPT") {
		t.Errorf("%q", mail)
	}
}
