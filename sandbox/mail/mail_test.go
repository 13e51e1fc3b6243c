package mail_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ordergraph/sandbox/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a server, and answers where it takes mail and where it shows it.
func start(t *testing.T, o mail.Options) (s *mail.Server, post, web string) {
	t.Helper()
	s, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	mux := http.NewServeMux()
	s.Routes(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return s, listener.Addr().String(), server.URL
}

const withFile = "From: =?utf-8?q?Caf=C3=A9?= <cafe@example.org>\r\nTo: Ada <ada@example.org>\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\nMessage-ID: <1@example.org>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" +
	"--a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head></head><body><script>alert(1)</script>Hi</body></html>\r\n--b--\r\n" +
	"--a\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=\"=?utf-8?q?=C3=BC.html?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n--a--\r\n"

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestShowsWhatArrived(t *testing.T) {
	_, post, web := start(t, mail.Options{})
	if err := smtp.SendMail(post, nil, "shop@example.org", []string{"Ada@example.org"}, []byte(withFile)); err != nil {
		t.Fatal(err)
	}
	if err := smtp.SendMail(post, nil, "shop@example.org", []string{"bob@example.org"}, []byte("not a mail")); err != nil {
		t.Fatal(err)
	}
	var got struct{ Messages []mail.Message }
	_, body := get(t, web+"/sandbox/mail/messages")
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Messages) != 2 || got.Messages[0].Text == "" {
		t.Fatalf("%v: %s", err, body)
	}
	_, body = get(t, web+"/sandbox/mail/messages?to=ada@example.org")
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Messages) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	m := got.Messages[0]
	if m.Subject != "Grüße" || m.From != "Café <cafe@example.org>" || m.Text != "Grüße" || !strings.Contains(m.HTML, "Hi") || m.MessageID != "<1@example.org>" ||
		len(m.Attachments) != 1 || m.Attachments[0].Name != "ü.html" || m.Attachments[0].Size != 3 || m.To[0] != "ada@example.org" {
		t.Errorf("%+v", m)
	}

	at := fmt.Sprintf("%s/sandbox/mail/messages/%d", web, m.ID)
	// What a stranger wrote is shown without being able to do anything, and
	// its files are never shown.
	resp, body := get(t, at+"/html")
	policy := resp.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "sandbox ") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") || !strings.Contains(body, `<base target="_blank">`) {
		t.Errorf("%s: %s", policy, body)
	}
	resp, body = get(t, at+"/attachments/0")
	if body != "<b>" || resp.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment;") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v: %s", resp.Header, body)
	}
	if _, body := get(t, at+"/raw"); !strings.Contains(body, "boundary=a") {
		t.Error(body)
	}
	for _, path := range []string{"/sandbox/mail/messages/99/html", "/sandbox/mail/messages/x/raw", "/sandbox/mail/messages/1/attachments/1", "/sandbox/mail/messages/1/attachments/-1"} {
		if resp, _ := get(t, web+path); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s, post, _ := start(t, mail.Options{Keep: 5})
	for i := range 8 {
		if err := smtp.SendMail(post, nil, "shop@example.org", []string{"ada@example.org"}, fmt.Appendf(nil, "Subject: %d\r\n\r\nHi\r\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Messages(""); len(got) != 5 || got[0].Subject != "7" || got[4].Subject != "3" {
		t.Errorf("%d messages", len(got))
	}
	line := strings.Repeat("x", 900) + "\r\n"
	large := append([]byte("Subject: large\r\n\r\n"), bytes.Repeat([]byte(line), (10<<20)/len(line)+1)...)
	var refused *textproto.Error
	if err := smtp.SendMail(post, nil, "shop@example.org", []string{"ada@example.org"}, large); !errors.As(err, &refused) || refused.Code != 552 {
		t.Errorf("more than 10 MB: %v", err)
	}
}

func TestTrouble(t *testing.T) {
	s, post, web := start(t, mail.Options{})
	send := func() error {
		return smtp.SendMail(post, nil, "shop@example.org", []string{"ada@example.org"}, []byte("Subject: x\r\n\r\nHi\r\n"))
	}
	set := func(faults string) int {
		resp, err := http.Post(web+"/sandbox/mail/faults", "application/json", strings.NewReader(faults))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	for _, wrong := range []string{`{"refused":2}`, `{"lost":-1}`, `{"delay":"2h"}`, `{"delay":1}`, `{"dwon":true}`, `nonsense`} {
		if code := set(wrong); code != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, code)
		}
	}
	for _, c := range []struct {
		faults string
		code   int // 0: the connection is cut
		kept   int
	}{
		{`{"refused":1}`, 550, 0}, {`{"deferred":1}`, 451, 0}, {`{"lost":1}`, 0, 1}, {`{"down":true}`, 0, 1},
		{`{"refusedTo":["Ada@example.org"]}`, 550, 1}, {`{"refusedTo":["@example.org"]}`, 550, 1},
	} {
		if code := set(c.faults); code != http.StatusOK {
			t.Fatal(code)
		}
		var said *textproto.Error
		err := send()
		if err == nil || errors.As(err, &said) != (c.code != 0) || said != nil && said.Code != c.code || len(s.Messages("")) != c.kept {
			t.Errorf("%s: %v, %d kept", c.faults, err, len(s.Messages("")))
		}
	}
	if code := set(`{"refusedTo":["bob@example.org","@other.example"]}`); code != http.StatusOK || send() != nil || len(s.Messages("")) != 2 {
		t.Errorf("others: %d", code)
	}
	if code := set(`{}`); code != http.StatusOK || send() != nil || len(s.Messages("")) != 3 {
		t.Errorf("healed: %d", code)
	}
	if l := s.Ledger(); l.Taken != 3 || l.Lost != 1 || l.Deferred != 1 || l.Refused != 3 || l.IDs[""] != 3 {
		t.Errorf("%+v", l)
	}
}

// The same seed hits the same messages, so that a test can be repeated.
func TestSeed(t *testing.T) {
	s, post, _ := start(t, mail.Options{})
	run := func(seed uint64) (taken string) {
		if err := s.SetFaults(mail.Faults{Deferred: 0.5, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		for range 24 {
			err := smtp.SendMail(post, nil, "shop@example.org", []string{"ada@example.org"}, []byte("Subject: x\r\n\r\nHi\r\n"))
			taken += map[bool]string{true: "+", false: "-"}[err == nil]
		}
		return taken
	}
	first := run(7)
	if again := run(7); again != first || !strings.Contains(first, "+") || !strings.Contains(first, "-") {
		t.Errorf("%s, then %s", first, again)
	}
	if other := run(8); other == first {
		t.Errorf("another seed: %s", other)
	}
}

// A picture that belongs into the text is in its place, and nothing else of
// the message is: a PDF opens, in its viewer, and what only claims to be one
// does not.
func TestShowsPicturesAndPDFs(t *testing.T) {
	_, post, web := start(t, mail.Options{})
	part := func(header, body string) string { return "--a\r\n" + header + "\r\n\r\n" + body + "\r\n" }
	letter := "From: shop@example.org\r\nTo: ada@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" +
		part("Content-Type: text/html; charset=utf-8", `<img src="cid:logo"><img src="cid:other">`) +
		part("Content-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline; filename=logo.png", "PNG") +
		part("Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"2026-1.pdf\"", "%PDF-1.7 x") +
		part("Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"false.pdf\"", "<script>alert(1)</script>") +
		part("Content-Type: text/html\r\nContent-Disposition: attachment; filename=\"a.html\"", "%PDF-<script>") + "--a--\r\n"
	if err := smtp.SendMail(post, nil, "shop@example.org", []string{"ada@example.org"}, []byte(letter)); err != nil {
		t.Fatal(err)
	}
	const at = "/sandbox/mail/messages/1"
	if _, body := get(t, web+at+"/html"); !strings.Contains(body, `<img src="data:image/png;base64,UE5H"><img src="cid:other">`) {
		t.Error(body)
	}
	for file, want := range map[string][2]string{
		"0?show=1": {"application/octet-stream", "attachment"}, "1?show=1": {"application/pdf", "inline"}, "1": {"application/octet-stream", "attachment"},
		"2?show=1": {"application/octet-stream", "attachment"}, "3?show=1": {"application/octet-stream", "attachment"},
	} {
		resp, _ := get(t, web+at+"/attachments/"+file)
		h := resp.Header
		if h.Get("Content-Type") != want[0] || !strings.HasPrefix(h.Get("Content-Disposition"), want[1]+";") ||
			h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", file, h)
		}
	}
}

// A page that watches is told of what is there, and of each new message.
func TestLive(t *testing.T) {
	_, post, web := start(t, mail.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, web+"/sandbox/mail/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		return "the end"
	}
	if got := next(); got != "0" {
		t.Errorf("at first %q", got)
	}
	for i := 1; i <= 3; i++ {
		if err := smtp.SendMail(post, nil, "shop@example.org", []string{"ada@example.org"}, []byte("Subject: x\r\n\r\nHi\r\n")); err != nil {
			t.Fatal(err)
		}
		if got := next(); got != fmt.Sprint(i) {
			t.Errorf("after %d: %q", i, got)
		}
	}
}
