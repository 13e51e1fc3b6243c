package twilio

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // Twilio's choice, not ours
	"encoding/base64"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	callers        = 16 // callbacks that are made at once
	callbackWithin = 5 * time.Second
	callbackTries  = 4
)

// A call is something to be told to the shop.
type call struct {
	about  string // a message's SID
	url    string
	form   url.Values
	forged bool
	tries  int
}

// tell plans the callback about a message's new status.
func (s *Server) tell(m Message) {
	if m.callback == "" {
		return
	}
	f := s.Faults()
	form := url.Values{
		"AccountSid": {s.o.Account}, "ApiVersion": {apiVersion}, "From": {m.From}, "To": {m.To},
		"MessageSid": {m.SID}, "MessageStatus": {m.Status}, "SmsSid": {m.SID}, "SmsStatus": {m.Status},
	}
	if m.Service != "" {
		form.Set("MessagingServiceSid", m.Service)
	}
	if m.ErrorCode != 0 {
		form.Set("ErrorCode", strconv.Itoa(m.ErrorCode))
	}
	at := time.Now()
	if s.trouble.Hit(f.Forged) {
		lie := url.Values{}
		for name, values := range form {
			lie[name] = values
		}
		status := undelivered
		if m.Status == undelivered {
			status = delivered
		}
		lie.Set("MessageStatus", status)
		lie.Set("SmsStatus", status)
		lie.Set("ErrorCode", "30006")
		s.call(at, call{about: m.SID, url: m.callback, form: lie, forged: true})
	}
	if s.trouble.Hit(f.Silent) {
		s.mu.Lock()
		s.ledger.Silent++
		s.mu.Unlock()
		return
	}
	c := call{about: m.SID, url: m.callback, form: form}
	s.call(at, c)
	if f.Twice {
		s.call(at, c)
	}
}

// call plans a call. It is dropped where far too many wait already.
func (s *Server) call(at time.Time, c call) {
	h := fnv.New32a()
	_, _ = io.WriteString(h, c.about)
	s.calls[h.Sum32()%callers].add(at, c)
}

// make makes a call, and plans it again where nobody or a 5xx answers.
func (s *Server) make(ctx context.Context, c call) {
	status := s.post(ctx, c)
	s.mu.Lock()
	well := status/100 == 2
	switch {
	case c.forged:
		s.ledger.Forged++
		if well {
			s.ledger.Admitted++
		}
	case well:
		s.ledger.Callbacks++
	}
	s.mu.Unlock()
	if c.tries++; !c.forged && (status == 0 || status >= 500) && c.tries < callbackTries {
		s.call(time.Now().Add(s.o.Retry<<(c.tries-1)), c)
	}
}

// post returns the answer's status; 0: there was none.
func (s *Server) post(ctx context.Context, c call) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, strings.NewReader(c.form.Encode()))
	if err != nil {
		return http.StatusBadRequest // it would not be otherwise another time
	}
	token := s.o.Token
	if c.forged {
		token += " of a stranger"
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1 (sandbox)")
	req.Header.Set("X-Twilio-Signature", Sign(token, c.url, c.form))
	resp, err := s.client.Do(req)
	if err != nil {
		s.log.DebugContext(ctx, "phone company: a callback did not arrive", "error", err)
		return 0
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	return resp.StatusCode
}

// Sign is the X-Twilio-Signature of a form that is posted to an address: the
// address with its query, then each parameter's name and value by name, as
// https://www.twilio.com/docs/usage/webhooks/webhooks-security has it.
func Sign(token, address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address)
	for _, name := range names {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
