package smtpmail_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"ordergraph/sandbox/mail"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/notification/smtpmail"
)

const from = "Harbour Store <shop@example.org>"

var letter = notification.Letter{
	MessageID: "1@example.org", To: "ada@example.org", Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	Language: "hi", Subject: "आपके ऑर्डर की पुष्टि", Text: "नमस्ते", HTML: "<p>नमस्ते</p>",
}

func TestURLs(t *testing.T) {
	for _, good := range []string{"smtp://localhost", "smtp://localhost:2525", "smtps://user:secret@mail.example:465", "smtp://user:s%40t@mail.example:587/", "smtp://[::1]:25?starttls=never", "smtp://host?starttls=always"} {
		if err := smtpmail.Check(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "localhost:25", "http://host", "smtp://", "smtp://host:0", "smtp://host:70000", "smtp://user:secret%zz@host", "smtp://user:secret@host/path", "smtp://user:secret@host?starttls=maybe"} {
		if err := smtpmail.Check(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestArrivesAsItWasWritten(t *testing.T) {
	post, dial := notificationtest.Post(t)
	m, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	got := post.Messages("ada@example.org")
	if len(got) != 1 || got[0].Subject != letter.Subject || strings.TrimSpace(got[0].Text) != letter.Text || strings.TrimSpace(got[0].HTML) != letter.HTML ||
		got[0].MessageID != "<1@example.org>" || got[0].Header.Get("Date") != "Sun, 01 Mar 2026 12:00:00 +0000" || got[0].EnvelopeFrom != "shop@example.org" {
		t.Errorf("%+v", got)
	}
}

// Each kind of trouble is told apart: what follows from it differs.
func TestFailures(t *testing.T) {
	post, dial := notificationtest.Post(t)
	for name, c := range map[string]struct {
		url     string
		faults  mail.Faults
		dial    func(context.Context, string, string) (net.Conn, error)
		to      string
		outcome notification.Outcome
		code    string
	}{
		"refused":           {faults: mail.Faults{Refused: 1}, outcome: notification.Refused, code: "550 5.1.1"},
		"deferred":          {faults: mail.Faults{Deferred: 1}, outcome: notification.Deferred, code: "451 4.3.0"},
		"lost":              {faults: mail.Faults{Lost: 1}, outcome: notification.Unknown},
		"down":              {faults: mail.Faults{Down: true}, outcome: notification.Unreachable},
		"nobody":            {dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }, outcome: notification.Unreachable},
		"no encryption":     {url: "smtp://user:secret@localhost", outcome: notification.Unreachable},
		"no TLS":            {url: "smtps://localhost", dial: plain, outcome: notification.Unreachable},
		"not an address":    {to: "ada", outcome: notification.Refused, code: "not a mail"},
		"a second header":   {to: "ada@example.org>\r\nRCPT TO:<eve@example.org", outcome: notification.Refused, code: "not a mail"},
		"a second receiver": {to: "ada@example.org, eve@example.org", outcome: notification.Refused, code: "not a mail"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := post.SetFaults(c.faults); err != nil {
				t.Fatal(err)
			}
			o := smtpmail.Options{URL: "smtp://localhost", From: from, Dial: dial}
			if c.url != "" {
				o.URL = c.url
			}
			if c.dial != nil {
				o.Dial = c.dial
			}
			m, err := smtpmail.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			l := letter
			if c.to != "" {
				l.To = c.to
			}
			before := len(post.Messages(""))
			var failure *notification.Failure
			err = m.Send(t.Context(), l)
			if !errors.As(err, &failure) || failure.Outcome != c.outcome || failure.Code != c.code {
				t.Fatalf("%v: %+v", err, failure)
			}
			for _, private := range []string{"ada@", "secret"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("it tells %q: %v", private, err)
				}
			}
			want := 0
			if name == "lost" {
				want = 1
			}
			if got := len(post.Messages("")) - before; got != want {
				t.Errorf("%d mails arrived", got)
			}
		})
	}
}

// plain is a connection to somebody who does not speak TLS.
func plain(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		_, _ = there.Read(make([]byte, 64<<10))
		_, _ = there.Write([]byte("220 hello\r\n"))
		_ = there.Close()
	}()
	return here, nil
}

// A provider that says nothing costs no more time than there is.
func TestSilence(t *testing.T) {
	silent := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		t.Cleanup(func() { _ = there.Close() })
		return here, nil
	}
	m, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: silent})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	var failure *notification.Failure
	if err := m.Send(ctx, letter); !errors.As(err, &failure) || failure.Outcome != notification.Unreachable {
		t.Errorf("%v", err)
	}
}

// Files go with a mail, and pictures inside it.
func TestAttachments(t *testing.T) {
	post, dial := notificationtest.Post(t)
	m, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	l := letter
	file := bytes.Repeat([]byte("%PDF\r\n.\x00\xff"), 1000)
	l.Attachments = []notification.Attachment{
		{Name: "2026-000001.pdf", ContentType: "application/pdf", Content: file},
		{Name: "logo.png", ContentType: "image/png", Content: []byte("\x89PNG"), Inline: "logo"},
	}
	l.Unsubscribe = "https://shop.example/unsubscribe?token=1"
	if err := m.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	got := post.Messages("")[0]
	if len(got.Attachments) != 2 || strings.TrimSpace(got.Text) != l.Text {
		t.Fatalf("%+v", got)
	}
	for _, a := range got.Attachments {
		switch a.Name {
		case "2026-000001.pdf":
			if !bytes.Equal(a.Data, file) || a.Type != "application/pdf" || a.ContentID != "" {
				t.Errorf("%+v, %d bytes", a.Type, len(a.Data))
			}
		case "logo.png":
			if string(a.Data) != "\x89PNG" || a.Type != "image/png" || strings.Trim(a.ContentID, "<>") != "logo" {
				t.Errorf("%+v", a)
			}
		default:
			t.Errorf("%+v", a)
		}
	}
	if h := got.Header; h.Get("List-Unsubscribe") != "<https://shop.example/unsubscribe?token=1>" || h.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
		t.Errorf("%v", h)
	}
}

// A connection serves many mails, whatever became of the one before; one that
// the provider has closed meanwhile costs nothing.
func TestConnectionsAreKept(t *testing.T) {
	post, dial := notificationtest.Post(t)
	var conns []net.Conn
	m, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		conns = append(conns, conn)
		return conn, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	send := func(faults mail.Faults) error {
		t.Helper()
		if err := post.SetFaults(faults); err != nil {
			t.Fatal(err)
		}
		return m.Send(t.Context(), letter)
	}
	for i := range 12 {
		faults := mail.Faults{}
		if i%3 == 1 {
			faults.Deferred = 1
		}
		if i%3 == 2 {
			faults.Refused = 1
		}
		if err := send(faults); (err != nil) != (i%3 > 0) {
			t.Fatalf("mail %d: %v", i, err)
		}
	}
	if len(conns) != 1 || len(post.Messages("")) != 4 {
		t.Errorf("%d connections for %d mails", len(conns), len(post.Messages("")))
	}
	_ = conns[0].Close()
	if err := send(mail.Faults{}); err != nil || len(conns) != 2 || len(post.Messages("")) != 5 {
		t.Errorf("after it was closed: %v, %d connections, %d mails", err, len(conns), len(post.Messages("")))
	}
	if err := send(mail.Faults{Lost: 1}); err == nil || len(conns) != 2 {
		t.Errorf("an answer that is lost: %v", err)
	}
	if err := send(mail.Faults{}); err != nil || len(conns) != 3 {
		t.Errorf("after that: %v, %d connections", err, len(conns))
	}
	for range 100 {
		if err := send(mail.Faults{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(conns) != 4 {
		t.Errorf("%d connections: no provider takes mails for ever on one", len(conns))
	}
}
