package shop

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// patience is how long a journey waits for a mail or a text message: far
// longer than it takes, so that a busy machine is never mistaken for silence.
const patience = 5 * time.Minute

// A Letter is a mail as the sandbox shows it.
type Letter struct {
	ID                                       int64
	MessageID, Subject, Language, Text, HTML string
	EnvelopeTo                               []string
	Attachments                              []struct {
		Name, Type string
		Size       int
		ContentID  string // of a picture in the text
	}
}

// An Inbox is the mailbox of one customer.
type Inbox struct {
	s       *Shop
	address string
}

// Inbox is the mailbox of that address.
func (s *Shop) Inbox(address string) Inbox { return Inbox{s, address} }

// Letters are the mails that have arrived, newest first; of the latest 500 to
// everybody.
func (i Inbox) Letters() ([]Letter, error) {
	var got struct{ Messages []Letter }
	err := i.s.outside(http.MethodGet, "/sandbox/mail/messages?limit=500&to="+url.QueryEscape(i.address), nil, &got)
	return got.Messages, err
}

// Wait waits for a mail whose subject says this, and is certain that there is
// only one.
func (i Inbox) Wait(t *testing.T, subject string) Letter {
	t.Helper()
	return only(t, i.s, "a mail "+subject, i.Letters, func(l Letter) bool { return strings.Contains(l.Subject, subject) })
}

// File is an attachment of a mail, by its place among them.
func (i Inbox) File(t *testing.T, l Letter, n int) []byte {
	t.Helper()
	var file []byte
	if err := i.s.outside(http.MethodGet, fmt.Sprintf("/sandbox/mail/messages/%d/attachments/%d", l.ID, n), nil, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// A Text is a text message as the sandbox's phone shows it.
type Text struct {
	SID, From, To, Body string
	Direction           string // "outbound-api" from the shop, "inbound" from the phone
	Status              string // "queued", "sent", "delivered", "undelivered"
	Segments, ErrorCode int
}

// A Phone is the phone of one customer.
type Phone struct {
	s      *Shop
	number string
}

// Phone is the phone of that number.
func (s *Shop) Phone(number string) Phone { return Phone{s, number} }

// Texts are the messages on the phone, to and from it, newest first.
func (p Phone) Texts() ([]Text, error) {
	var got struct{ Messages []Text }
	err := p.s.outside(http.MethodGet, "/sandbox/phone/messages?limit=10000&phone="+url.QueryEscape(p.number), nil, &got)
	return got.Messages, err
}

// Wait waits until a message of the shop that says this has come to its end,
// and is certain that there is only one.
func (p Phone) Wait(t *testing.T, words string) Text {
	t.Helper()
	return only(t, p.s, "a text "+words, p.Texts, func(m Text) bool {
		return m.Direction == "outbound-api" && strings.Contains(m.Body, words) && strings.HasSuffix(m.Status, "delivered")
	})
}

// Reply answers to whom wrote last.
func (p Phone) Reply(t *testing.T, body string) {
	t.Helper()
	if err := p.s.outside(http.MethodPost, "/sandbox/phone/reply", map[string]string{"from": p.number, "body": body}, nil); err != nil {
		t.Fatal(err)
	}
}

// Heard is how many callbacks, about statuses and replies, the shop has taken
// from the SMS provider.
func (s *Shop) Heard() (int, error) {
	var ledger struct{ Callbacks int }
	err := s.outside(http.MethodGet, "/sandbox/phone/ledger", nil, &ledger)
	return ledger.Callbacks, err
}

// Trouble makes trouble outside, in the words of the part's own faults; {}
// heals it. Parts are "card", "mail", "phone" and "carrier".
func (s *Shop) Trouble(part string, faults map[string]any) {
	s.t.Helper()
	path := "/sandbox/" + part + "/faults"
	if part == "carrier" {
		path = "/carrier/faults"
	}
	if err := s.outside(http.MethodPost, path, faults, nil); err != nil {
		s.t.Fatal(err)
	}
}

// only waits for the one of its kind.
func only[T any](t *testing.T, s *Shop, what string, all func() ([]T, error), is func(T) bool) T {
	t.Helper()
	var found []T
	s.Eventually(patience, what, func() error {
		got, err := all()
		if err != nil {
			return err
		}
		found = nil
		for _, m := range got {
			if is(m) {
				found = append(found, m)
			}
		}
		if len(found) == 0 {
			return fmt.Errorf("none among %d", len(got))
		}
		return nil
	})
	if len(found) != 1 {
		t.Errorf("%s: there are %d", what, len(found))
	}
	return found[0]
}

// outside asks the sandbox. into takes JSON, or a file where it is bytes.
func (s *Shop) outside(method, path string, body, into any) error {
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, s.Processor+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode/100 != 2:
		return errors.New(path + ": " + resp.Status + ": " + string(text))
	case into == nil:
		return nil
	}
	if file, ok := into.(*[]byte); ok {
		*file = text
		return nil
	}
	return json.Unmarshal(text, into)
}
