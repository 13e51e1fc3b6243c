package smtpmail

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"ordergraph/services/notification"
)

// A message is a mail as it goes over the wire (RFC 5321, 2.3.8 and 4.5.2): its
// lines end in CR and LF, those that begin with a dot begin with one more, and
// a dot alone is its end.
type message struct{ bytes []byte }

// messages are the memory of mails that were handed over.
var messages = sync.Pool{New: func() any { return new(message) }}

// mostReused is the largest mail whose memory is used again, in bytes.
const mostReused = 1 << 20

func (m *message) release() {
	if cap(m.bytes) <= mostReused {
		m.bytes = m.bytes[:0]
		messages.Put(m)
	}
}

// compose writes the whole mail: its text both plain and as HTML, with the
// pictures that the HTML shows, and the files beside it. All of it is ASCII,
// but for addresses that are not.
func (m *message) compose(from string, to *netmail.Address, l notification.Letter) {
	m.header("From", from)
	m.header("To", to.String())
	m.header("Subject", encoded(l.Subject))
	m.header("Date", l.Date.Format(time.RFC1123Z))
	m.header("Message-ID", encoded("<"+l.MessageID+">"))
	m.header("Auto-Submitted", "auto-generated")
	m.header("Content-Language", encoded(l.Language))
	if l.Unsubscribe != "" { // RFC 8058
		m.header("List-Unsubscribe", encoded("<"+l.Unsubscribe+">"))
		m.header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	m.header("MIME-Version", "1.0")

	var shown, beside []notification.Attachment
	for _, a := range l.Attachments {
		if a.Inline != "" {
			shown = append(shown, a)
		} else {
			beside = append(beside, a)
		}
	}
	boundary := rand.Text()
	mixed, related, alternative := "m"+boundary, "r"+boundary, "a"+boundary
	if len(beside) > 0 {
		m.multipart("mixed", mixed)
	}
	if len(shown) > 0 {
		m.multipart("related", related)
	}
	m.multipart("alternative", alternative)
	m.text("text/plain", l.Text)
	m.line("--", alternative)
	m.text("text/html", l.HTML)
	m.line("--", alternative, "--")
	m.files(related, shown)
	m.files(mixed, beside)
	m.line(".")
}

// multipart begins parts, with the first of them.
func (m *message) multipart(kind, boundary string) {
	m.header("Content-Type", "multipart/"+kind+`; boundary="`+boundary+`"`)
	m.line()
	m.line("--", boundary)
}

// text is a part to be read.
func (m *message) text(contentType, text string) {
	m.header("Content-Type", contentType+"; charset=UTF-8")
	m.header("Content-Transfer-Encoding", "quoted-printable")
	m.line()
	w := quotedprintable.NewWriter(m)
	_, _ = w.Write([]byte(text)) // it writes to us, who never fail
	_ = w.Close()
	m.line()
}

// files are the other parts of those that have begun, if there are any, and
// their end.
func (m *message) files(boundary string, files []notification.Attachment) {
	for _, f := range files {
		disposition := "attachment"
		m.line("--", boundary)
		m.header("Content-Type", cmp.Or(mime.FormatMediaType(f.ContentType, map[string]string{"name": f.Name}), "application/octet-stream"))
		m.header("Content-Transfer-Encoding", "base64")
		if f.Inline != "" {
			disposition = "inline"
			m.header("Content-ID", encoded("<"+f.Inline+">"))
		}
		m.header("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
		m.line()
		for part := range slices.Chunk(f.Content, lineOf/4*3) {
			m.bytes = base64.StdEncoding.AppendEncode(m.bytes, part)
			m.line()
		}
	}
	if len(files) > 0 {
		m.line("--", boundary, "--")
	}
}

// encoded is a header's text in ASCII (RFC 2047).
func encoded(text string) string { return mime.QEncoding.Encode("UTF-8", text) }

// lineOf is how many characters a line has, where it can be divided.
const lineOf = 76

// header is a field of a header.
func (m *message) header(name, value string) {
	m.bytes = append(append(m.bytes, name...), ':')
	room := lineOf - len(name) - 1
	for word := range strings.SplitSeq(value, " ") {
		if len(word) >= room && room < lineOf && word != "" {
			m.line()
			room = lineOf
		}
		m.bytes = append(append(m.bytes, ' '), word...)
		room -= 1 + len(word)
	}
	m.line()
}

// line ends a line, of which this is the rest.
func (m *message) line(rest ...string) {
	for _, text := range rest {
		m.bytes = append(m.bytes, text...)
	}
	m.bytes = append(m.bytes, "\r\n"...)
}

// Write takes a part of a text in lines that end in CR and LF. It never fails.
func (m *message) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if p[0] == '.' && m.bytes[len(m.bytes)-1] == '\n' {
			m.bytes = append(m.bytes, '.')
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			m.bytes = append(m.bytes, p...)
			break
		}
		m.bytes = append(m.bytes, p[:i+1]...)
		p = p[i+1:]
	}
	return n, nil
}
