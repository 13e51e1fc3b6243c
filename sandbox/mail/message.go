package mail

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
)

// A Message is a mail that arrived.
type Message struct {
	ID           int64        `json:"id"`
	At           time.Time    `json:"at"` // when it arrived
	EnvelopeFrom string       `json:"envelopeFrom"`
	EnvelopeTo   []string     `json:"envelopeTo"`
	MessageID    string       `json:"messageId"`
	From         string       `json:"from"`
	To           []string     `json:"to"`
	Subject      string       `json:"subject"`
	Language     string       `json:"language,omitempty"`
	Text         string       `json:"text"`
	HTML         string       `json:"html"`
	Attachments  []Attachment `json:"attachments"`
	Header       mail.Header  `json:"-"`
	Raw          []byte       `json:"-"`
}

// An Attachment is a file that came with a message.
type Attachment struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int    `json:"size"` // bytes
	// ContentID is under which name the HTML shows it in its text; "": it
	// stands beside the text.
	ContentID string `json:"contentId,omitempty"`
	Data      []byte `json:"-"`
}

const maxDepth = 8 // of parts within parts

// messageID is what the message calls itself, if it is one.
func messageID(raw []byte) string {
	in, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	return in.Header.Get("Message-Id")
}

// read makes a message of what came over the wire. What cannot be understood
// is shown as text.
func read(raw []byte) Message {
	m := Message{Raw: raw, To: []string{}, Attachments: []Attachment{}}
	in, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m.Text = string(raw)
		return m
	}
	m.Header = in.Header
	m.MessageID, m.Language = in.Header.Get("Message-Id"), in.Header.Get("Content-Language")
	m.Subject, m.From = decoded(in.Header.Get("Subject")), decoded(in.Header.Get("From"))
	if to, err := in.Header.AddressList("To"); err == nil {
		for _, a := range to {
			m.To = append(m.To, a.Address)
		}
	}
	body, err := io.ReadAll(in.Body)
	if err != nil {
		return m
	}
	m.part(textproto.MIMEHeader(in.Header), body, 0)
	return m
}

func decoded(header string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(header); err == nil {
		return text
	}
	return header
}

// part takes one part of the message, and the parts within it.
func (m *Message) part(header textproto.MIMEHeader, body []byte, depth int) {
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && depth < maxDepth {
		parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			inner, err := io.ReadAll(p)
			if err != nil {
				return
			}
			m.part(p.Header, inner, depth+1)
		}
	}
	body = unwrap(header.Get("Content-Transfer-Encoding"), body)
	disposition, about, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	switch {
	case disposition != "attachment" && kind == "text/plain" && m.Text == "":
		m.Text = string(body)
	case disposition != "attachment" && kind == "text/html" && m.HTML == "":
		m.HTML = string(body)
	default:
		name := decoded(about["filename"])
		if name == "" {
			name = "attachment"
		}
		a := Attachment{Name: name, Type: kind, Size: len(body), Data: body}
		if disposition != "attachment" {
			a.ContentID = strings.Trim(header.Get("Content-Id"), "<>")
		}
		m.Attachments = append(m.Attachments, a)
	}
}

// unwrap undoes a transfer encoding; what is not encoded as it says stays.
func unwrap(encoding string, body []byte) []byte {
	var r io.Reader
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(bytes.NewReader(body))
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body))
	default:
		return body
	}
	if out, err := io.ReadAll(r); err == nil {
		return out
	}
	return body
}
