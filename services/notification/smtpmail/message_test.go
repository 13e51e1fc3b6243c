package smtpmail_test

import (
	"bytes"
	"strings"
	"testing"

	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/notification/smtpmail"
)

// Whatever a mail says and brings, it arrives as it was, in ASCII and in lines
// that every server takes.
func TestComposed(t *testing.T) {
	post, dial := notificationtest.Post(t)
	m, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: "Übersee-Kontor „Süd“ <shop@example.org>", Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	file := notification.Attachment{Name: "Rechnung für „Ada“; 1.pdf", ContentType: "application/pdf", Content: bytes.Repeat([]byte("%PDF."), 1000)}
	picture := notification.Attachment{Name: "logo.png", ContentType: "image/png", Content: []byte("\x89PNG"), Inline: "logo"}
	for name, change := range map[string]func(l *notification.Letter){
		"nothing more": func(*notification.Letter) {},
		"a file":       func(l *notification.Letter) { l.Attachments = []notification.Attachment{file} },
		"a picture":    func(l *notification.Letter) { l.Attachments = []notification.Attachment{picture} },
		"several":      func(l *notification.Letter) { l.Attachments = []notification.Attachment{file, picture, file, picture} },
		"an empty file": func(l *notification.Letter) {
			l.Attachments = []notification.Attachment{{Name: "a", ContentType: "text/plain"}}
		},
		"a long subject":   func(l *notification.Letter) { l.Subject = strings.TrimSpace(strings.Repeat("your order ", 30)) },
		"a long other one": func(l *notification.Letter) { l.Subject = strings.Repeat("आपके ऑर्डर ", 20) + "।" },
		"another header": func(l *notification.Letter) {
			l.Subject, l.Language = "a\r\nBcc: eve@example.org", "hi\r\nBcc: eve@example.org"
		},
		"no words": func(l *notification.Letter) { l.Subject, l.Text, l.HTML = "", "", "" },
		"long lines": func(l *notification.Letter) {
			l.Text, l.HTML = strings.Repeat("a", 5000), strings.Repeat("ü ", 5000)+"."
		},
		"boundaries": func(l *notification.Letter) { l.Text, l.HTML = "--a\r\n--a--\r\n--\r\n.", "<p>\r\n--\r\n</p>" },
	} {
		t.Run(name, func(t *testing.T) {
			l := letter
			change(&l)
			if err := m.Send(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			got := post.Messages("")[0]
			if got.Subject != l.Subject || strings.TrimSuffix(got.Text, "\r\n") != l.Text || strings.TrimSuffix(got.HTML, "\r\n") != l.HTML || got.Language != l.Language && name != "another header" ||
				!strings.Contains(got.From, "Übersee-Kontor „Süd“") || len(got.To) != 1 || got.To[0] != l.To || got.Header.Get("Bcc") != "" {
				t.Errorf("%+v", got)
			}
			if len(got.Attachments) != len(l.Attachments) {
				t.Fatalf("%+v", got.Attachments)
			}
			for _, want := range l.Attachments {
				found := false
				for _, a := range got.Attachments {
					found = found || a.Name == want.Name && a.Type == want.ContentType && a.ContentID == want.Inline && bytes.Equal(a.Data, want.Content)
				}
				if !found {
					t.Errorf("%s is not among %+v", want.Name, got.Attachments)
				}
			}
			for line := range bytes.Lines(got.Raw) {
				if len(line) > 78 && !bytes.Contains(line, []byte("name")) || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.ContainsFunc(line, func(r rune) bool { return r > 126 || r < ' ' && r != '\r' && r != '\n' }) {
					t.Errorf("%q", line)
				}
			}
		})
	}
}
