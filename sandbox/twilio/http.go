package twilio

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ordergraph/sandbox/faults"
)

const (
	apiVersion = "2010-04-01"
	maxBody    = 64 << 10 // bytes of a request
)

// api answers as Twilio does: first it makes the trouble that was asked for,
// then it looks who is there.
func (s *Server) api(answer func(r *http.Request) (status int, body any, t *trouble)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := s.Faults()
		if f.Down {
			panic(http.ErrAbortHandler)
		}
		faults.Wait(f.Delay, s.closed)
		h := w.Header()
		h.Set("Content-Type", "application/json;charset=utf-8")
		h.Set("Twilio-Request-Id", newSID("RQ"))
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, body, t := 0, any(nil), s.admit(r)
		if t == nil {
			status, body, t = answer(r)
		}
		if t != nil {
			status, body = t.Status, t
			switch t.Status {
			case http.StatusUnauthorized:
				h.Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			case http.StatusTooManyRequests:
				h.Set("Retry-After", strconv.Itoa(max(1, int(time.Duration(f.RetryAfter)/time.Second))))
			}
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (s *Server) admit(r *http.Request) *trouble {
	user, password, _ := r.BasicAuth()
	want := s.o.Keys[user]
	if user == s.o.Account {
		want = s.o.Token
	}
	account := r.PathValue("account")
	if want == "" || subtle.ConstantTimeCompare([]byte(password), []byte(want)) != 1 || account != "" && account != s.o.Account {
		return unknownCaller
	}
	return nil
}

// create is POST …/Messages.json.
func (s *Server) create(r *http.Request) (int, any, *trouble) {
	f := s.Faults()
	m, t := s.asked(r, f)
	if t != nil {
		s.mu.Lock()
		s.ledger.Refused[t.Code]++
		s.mu.Unlock()
		return 0, nil, t
	}
	lost := m.To == toAnswerLost || s.trouble.Hit(f.Lost)
	if m.fails = undeliverable[m.To]; m.fails == 0 && s.trouble.Hit(f.Undelivered) {
		if m.fails = f.UndeliveredCode; m.fails == 0 {
			m.fails = 30003
		}
	}
	s.mu.Lock()
	s.put(m)
	s.ledger.Taken++
	if lost {
		s.ledger.Lost++
	}
	said := s.resource(m)
	s.mu.Unlock()
	s.moves.add(time.Now().Add(s.o.Step), said.SID)
	if lost {
		panic(http.ErrAbortHandler)
	}
	return http.StatusCreated, said, nil
}

// asked is the message that a request is about, or why there will be none.
func (s *Server) asked(r *http.Request, f Faults) (*Message, *trouble) {
	if s.full(f.PerSecond) || s.trouble.Hit(f.Busy) {
		return nil, tooMany
	}
	if s.trouble.Hit(f.Errors) {
		return nil, serverError
	}
	if s.trouble.Hit(f.Rejected) {
		code := f.RejectCode
		if code == 0 {
			code = 21612
		}
		return nil, wrong(code, "Rejected on purpose")
	}
	if err := r.ParseForm(); err != nil {
		return nil, wrong(20001, "The request's body cannot be read as a form")
	}
	m := &Message{
		To: r.PostForm.Get("To"), From: r.PostForm.Get("From"), Service: r.PostForm.Get("MessagingServiceSid"),
		Body: r.PostForm.Get("Body"), Direction: outbound, Status: queued, callback: r.PostForm.Get("StatusCallback"),
	}
	if m.To == toBusy {
		return nil, tooMany
	}
	if t := check(m); t != nil {
		return nil, t
	}
	sender := m.From
	if m.Service != "" {
		sender = m.Service
		if m.From == "" {
			m.Status = accepted
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, stopped := s.stopped[conversation{m.To, sender}]; stopped {
		return nil, unsubscribed
	}
	return m, nil
}

// fetch is GET …/Messages/{sid}.json.
func (s *Server) fetch(r *http.Request) (int, any, *trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sid, ok := strings.CutSuffix(r.PathValue("file"), ".json")
	m := s.bySID[sid]
	if !ok || m == nil {
		return 0, nil, notFound(r.URL.Path)
	}
	return http.StatusOK, s.resource(m), nil
}

// A resource is a message in Twilio's shape.
type resource struct {
	AccountSID      string            `json:"account_sid"`
	APIVersion      string            `json:"api_version"`
	Body            string            `json:"body"`
	DateCreated     string            `json:"date_created"`
	DateSent        *string           `json:"date_sent"`
	DateUpdated     string            `json:"date_updated"`
	Direction       string            `json:"direction"`
	ErrorCode       *int              `json:"error_code"`
	ErrorMessage    *string           `json:"error_message"`
	From            *string           `json:"from"`
	ServiceSID      *string           `json:"messaging_service_sid"`
	NumMedia        string            `json:"num_media"`
	NumSegments     string            `json:"num_segments"`
	Price           *string           `json:"price"` // nobody pays
	PriceUnit       string            `json:"price_unit"`
	SID             string            `json:"sid"`
	Status          string            `json:"status"`
	SubresourceURIs map[string]string `json:"subresource_uris"`
	To              string            `json:"to"`
	URI             string            `json:"uri"`
}

// resource shows a message. s.mu is held.
func (s *Server) resource(m *Message) resource {
	at := s.base() + "/" + m.SID
	r := resource{
		AccountSID: s.o.Account, APIVersion: apiVersion, Body: m.Body, Direction: m.Direction,
		DateCreated: m.At.Format(time.RFC1123Z), DateUpdated: m.UpdatedAt.Format(time.RFC1123Z),
		From: orNull(m.From), ServiceSID: orNull(m.Service), NumMedia: "0", NumSegments: strconv.Itoa(m.Segments), PriceUnit: "USD",
		SID: m.SID, Status: m.Status, To: m.To, URI: at + ".json", SubresourceURIs: map[string]string{"media": at + "/Media.json"},
	}
	if m.SentAt != nil {
		r.DateSent = orNull(m.SentAt.Format(time.RFC1123Z))
	}
	if m.ErrorCode != 0 {
		code := m.ErrorCode
		r.ErrorCode, r.ErrorMessage = &code, orNull(reasons[code])
	}
	if m.Status == accepted {
		r.NumSegments = "0" // until a sender is chosen
	}
	return r
}

// base is the path of all messages, without its ending.
func (s *Server) base() string { return "/" + apiVersion + "/Accounts/" + s.o.Account + "/Messages" }

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
