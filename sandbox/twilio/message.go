package twilio

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// A Message is a text message as the phone shows it.
type Message struct {
	SID       string     `json:"sid"`
	At        time.Time  `json:"at"` // when it was made
	From      string     `json:"from"`
	To        string     `json:"to"`
	Service   string     `json:"service,omitempty"` // the Messaging Service that sent it
	Body      string     `json:"body"`
	Direction string     `json:"direction"` // "outbound-api", "inbound" from a phone, or "outbound-reply" by Twilio itself
	Status    string     `json:"status"`    // "queued" (by a service: "accepted"), "sent", "delivered", "undelivered" or "received"
	Segments  int        `json:"segments"`
	ErrorCode int        `json:"errorCode,omitempty"` // why it was not delivered
	SentAt    *time.Time `json:"sentAt,omitempty"`
	UpdatedAt time.Time  `json:"updatedAt"`

	callback string
	fails    int      // the code with which it will not be delivered
	late     *Message // as it was when it was sent, which is told too late
}

// The directions and statuses are Twilio's words.
const (
	outbound = "outbound-api"
	inbound  = "inbound"
	answered = "outbound-reply"

	queued      = "queued"
	accepted    = "accepted"
	sent        = "sent"
	delivered   = "delivered"
	undelivered = "undelivered"
	received    = "received"
)

func newSID(kind string) string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return kind + hex.EncodeToString(id[:])
}

// phone is the number of the customer.
func (m *Message) phone() string {
	if m.Direction == inbound {
		return m.From
	}
	return m.To
}

// put keeps a new message, and forgets the oldest for it. s.mu is held.
func (s *Server) put(m *Message) {
	now := time.Now().UTC()
	m.SID, m.At, m.UpdatedAt, m.Segments = newSID("SM"), now, now, segments(m.Body)
	s.messages, s.bySID[m.SID] = append(s.messages, m), m
	if len(s.messages) > s.o.Keep {
		delete(s.bySID, s.messages[0].SID)
		s.messages[0] = nil // its memory goes, too
		s.messages = s.messages[1:]
	}
	s.changed()
}

// changed tells those who watch. s.mu is held.
func (s *Server) changed() {
	s.changes++
	s.bell.Ring(s.changes)
}

// advance takes a message one step further, and tells the shop.
func (s *Server) advance(sid string) {
	s.mu.Lock()
	m := s.bySID[sid]
	if m == nil { // forgotten meanwhile
		s.mu.Unlock()
		return
	}
	now := time.Now().UTC()
	m.UpdatedAt = now
	more := false
	switch {
	case m.Status == accepted:
		m.Status, m.From, more = queued, poolNumber, true
	case m.Status == queued:
		m.Status, m.SentAt = sent, &now
		more = m.To != toNeverTold
	case m.fails != 0:
		m.Status, m.ErrorCode = undelivered, m.fails
	default:
		m.Status = delivered
	}
	s.changed()
	told := []Message{*m}
	switch {
	case more && m.Status == sent && s.Faults().Shuffled:
		m.late, told = &told[0], nil
	case !more && m.late != nil:
		told = append(told, *m.late)
		m.late = nil
	}
	s.mu.Unlock()
	for _, m := range told {
		s.tell(m)
	}
	if more {
		s.moves.add(now.Add(s.o.Step), sid)
	}
}

// Messages are those that are kept, newest first, to and from this phone; of
// all phones where it is "".
func (s *Server) Messages(phone string) []Message { return s.latest(phone, 0) }

// latest is Messages, at most so many; 0: all.
func (s *Server) latest(phone string, most int) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Message{}
	for i := len(s.messages) - 1; i >= 0 && (most == 0 || len(out) < most); i-- {
		if m := s.messages[i]; phone == "" || m.phone() == phone {
			out = append(out, *m)
		}
	}
	return out
}
