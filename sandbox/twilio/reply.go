package twilio

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ordergraph/sandbox/page"
)

// A conversation is between a phone and whom Twilio takes for the sender: a
// number, or a Messaging Service with all of its numbers.
type conversation struct{ phone, sender string }

const mostStopped = 10_000 // conversations; the oldest are forgotten

// The words that Twilio itself heeds where they are all that a message says;
// see https://help.twilio.com/articles/223134027.
var (
	stopWords  = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"}
	startWords = []string{"START", "YES", "UNSTOP"}
	helpWords  = []string{"HELP", "INFO"}
)

// Reply errors.
var (
	ErrPhone = errors.New("from is the phone's number, like +4915112345678")
	ErrWhom  = errors.New("nobody has texted this phone: say whom it writes to")
	ErrText  = errors.New("body is a text of 1 to 1600 characters")
)

// Reply lets a phone write: to whom wrote last where to is "". STOP ends what
// may be sent to it, until START.
func (s *Server) Reply(from, to, body string) (Message, error) {
	switch {
	case !number.MatchString(from):
		return Message{}, ErrPhone
	case strings.TrimSpace(body) == "" || len([]rune(body)) > longest:
		return Message{}, ErrText
	}
	s.mu.Lock()
	last := s.lastTo(from, to)
	if to == "" && last != nil {
		to = last.From
	}
	if to == "" {
		s.mu.Unlock()
		return Message{}, ErrWhom
	}
	m := &Message{From: from, To: to, Body: body, Direction: inbound, Status: received}
	sender := to
	if last != nil && last.Service != "" {
		m.Service, sender = last.Service, last.Service
	}
	s.put(m)
	about := conversation{from, sender}
	kind, said := heed(body)
	switch kind {
	case "STOP":
		if len(s.stopped) >= mostStopped {
			s.forgetStopped()
		}
		s.stopped[about] = s.changes
	case "START":
		delete(s.stopped, about)
	}
	if said != "" {
		now := time.Now().UTC()
		s.put(&Message{From: to, To: from, Service: m.Service, Body: said, Direction: answered, Status: delivered, SentAt: &now})
	}
	out := *m
	s.mu.Unlock()

	if s.o.Inbound != "" {
		form := url.Values{
			"AccountSid": {s.o.Account}, "ApiVersion": {apiVersion}, "Body": {body}, "From": {from}, "To": {to},
			"MessageSid": {out.SID}, "SmsSid": {out.SID}, "SmsMessageSid": {out.SID}, "SmsStatus": {received},
			"NumMedia": {"0"}, "NumSegments": {strconv.Itoa(out.Segments)},
		}
		if out.Service != "" {
			form.Set("MessagingServiceSid", out.Service)
			if kind != "" {
				form.Set("OptOutType", kind)
			}
		}
		s.call(time.Now(), call{about: from, url: s.o.Inbound, form: form})
	}
	return out, nil
}

// heed says what Twilio makes of a message from a phone, and answers to it.
func heed(body string) (kind, said string) {
	word := strings.ToUpper(strings.TrimSpace(body))
	switch {
	case slices.Contains(stopWords, word):
		return "STOP", "You will get no more messages from this sender. Reply START to get them again."
	case slices.Contains(startWords, word):
		return "START", "You will get messages from this sender again. Reply HELP for help or STOP to end them."
	case slices.Contains(helpWords, word):
		return "HELP", "Reply STOP to end messages from this sender."
	}
	return "", ""
}

// lastTo is the latest message to a phone from a sender, or from anybody.
// s.mu is held.
func (s *Server) lastTo(phone, sender string) *Message {
	for _, m := range slices.Backward(s.messages) {
		if m.Direction != inbound && m.To == phone && m.From != "" && (sender == "" || m.From == sender) {
			return m
		}
	}
	return nil
}

// forgetStopped forgets the oldest. s.mu is held.
func (s *Server) forgetStopped() {
	var oldest conversation
	since := s.changes + 1
	for c, at := range s.stopped {
		if at < since {
			oldest, since = c, at
		}
	}
	delete(s.stopped, oldest)
}

// shown is GET /sandbox/phone/messages.
func (s *Server) shown(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	most := 500 // in one answer, unless another limit is asked for
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			page.Problem(w, http.StatusBadRequest, "limit is a number from 1.")
			return
		}
		most = n
	}
	page.JSON(w, http.StatusOK, map[string]any{"messages": s.latest(q.Get("phone"), most)})
}

// reply is POST /sandbox/phone/reply.
func (s *Server) reply(w http.ResponseWriter, r *http.Request) {
	var in struct{ From, To, Body string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 16<<10)).Decode(&in); err != nil {
		page.Problem(w, http.StatusBadRequest, `A reply is {"from": "+49…", "to": "+1…", "body": "…"}.`)
		return
	}
	m, err := s.Reply(in.From, in.To, in.Body)
	if err != nil {
		page.Problem(w, http.StatusBadRequest, err.Error())
		return
	}
	page.JSON(w, http.StatusCreated, m)
}
