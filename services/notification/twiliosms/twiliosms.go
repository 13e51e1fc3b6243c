// Package twiliosms hands short messages to Twilio, or to whoever speaks its
// REST API, and hears from it what became of them.
package twiliosms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"ordergraph/platform/phone"
	"ordergraph/services/notification"
)

// Options of a Texter. AccountSID, AuthToken and From must be given.
type Options struct {
	AccountSID string // AC and 32 letters or digits
	AuthToken  string
	From       string // a number in E.164, or a messaging service: MG and 32 letters or digits
	URL        string // where the API is; "": Twilio's own
	// CallbackURL is where Twilio tells what became of a message: the public
	// address of the handler that Callbacks makes; "": nobody is told.
	CallbackURL string
	Now         func() time.Time // nil: time.Now
}

const (
	twilio    = "https://api.twilio.com"
	answerFor = 15 * time.Second // one request may take
	maxAnswer = 1 << 20          // bytes
	// clockDrift is how far our clock may be from the provider's, when what it
	// has is compared with what we tried: dates there are whole seconds.
	clockDrift = 5 * time.Second
)

// Texter sends by Twilio's REST API. It may be used by many goroutines at
// once. Nothing is tried twice here: that is the notification service's work.
type Texter struct {
	o         Options
	base      *url.URL
	transport *http.Transport
}

var _ notification.Texter = (*Texter)(nil)

var (
	account = regexp.MustCompile(`^AC[0-9a-zA-Z]{32}$`)
	service = regexp.MustCompile(`^MG[0-9a-zA-Z]{32}$`)
	token   = regexp.MustCompile(`^[0-9a-zA-Z]+$`)
)

// New makes a Texter. Nothing is called yet. The error never holds the token.
func New(o Options) (*Texter, error) {
	if o.URL == "" {
		o.URL = twilio
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	number, err := phone.Parse(o.From, "")
	switch {
	case !account.MatchString(o.AccountSID):
		return nil, errors.New("an account's SID is AC and 32 letters or digits")
	case !token.MatchString(o.AuthToken):
		return nil, errors.New("an auth token is letters and digits")
	case !service.MatchString(o.From) && (err != nil || number != o.From):
		return nil, errors.New("the sender must be a number like +15005550006, or a messaging service, MG and 32 letters or digits")
	}
	base, err := address(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the API's address %w", err)
	}
	if o.CallbackURL != "" {
		if _, err := address(o.CallbackURL); err != nil {
			return nil, fmt.Errorf("the callbacks' address %w", err)
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &Texter{o: o, base: base, transport: transport}, nil
}

func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("must be like https://api.example.com")
	}
	return u, nil
}

// Close ends the connections that are kept open.
func (x *Texter) Close() { x.transport.CloseIdleConnections() }

// Send hands one message over. Whatever it answers is a notification.Failure.
func (x *Texter) Send(ctx context.Context, t notification.Text) (ref string, err error) {
	params := new(api.CreateMessageParams).SetTo(t.To).SetBody(t.Body)
	if service.MatchString(x.o.From) {
		params.SetMessagingServiceSid(x.o.From)
	} else {
		params.SetFrom(x.o.From)
	}
	if x.o.CallbackURL != "" {
		params.SetStatusCallback(x.o.CallbackURL + "?" + url.Values{"id": {t.ID}}.Encode())
	}
	ctx, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	c := call{ctx: ctx, texter: x, creates: true}
	m, err := c.api().CreateMessage(params)
	switch {
	case err != nil:
		return "", c.failure(err)
	case m.Sid == nil || *m.Sid == "":
		// Somebody answered, and said nothing that we understand.
		return "", &notification.Failure{Outcome: notification.Unknown, Code: c.status()}
	}
	return *m.Sid, nil
}

// mostOfOne is how many of the latest messages to one number are looked at:
// far more than anybody is sent between an attempt and the question about it.
const mostOfOne = 100

// Find looks among the latest messages to a number for one with these words
// that the provider took since. It does not ask for a date: the provider's
// filter goes by when a message was sent on, which one that waits was not.
func (x *Texter) Find(ctx context.Context, t notification.Text, since time.Time) (ref string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	c := call{ctx: ctx, texter: x}
	page, err := c.api().PageMessage(new(api.ListMessageParams).SetTo(t.To).SetPageSize(mostOfOne), "", "")
	if err != nil {
		return "", c.failure(err)
	}
	since = since.Add(c.ahead() - clockDrift)
	for _, m := range page.Messages {
		if m.Sid == nil || m.Body == nil || !t.Is(*m.Body) || m.DateCreated == nil ||
			m.Direction != nil && !strings.HasPrefix(*m.Direction, "outbound") {
			continue
		}
		if created, err := time.Parse(time.RFC1123Z, *m.DateCreated); err == nil && !created.Before(since) {
			return *m.Sid, nil
		}
	}
	return "", nil
}

// A call is one request to the provider. It is what Twilio's client sends
// through: the client knows neither deadlines nor other addresses than its
// own, and keeps of an answer neither its headers nor whether there was one.
type call struct {
	ctx     context.Context
	texter  *Texter
	creates bool           // a message
	written atomic.Bool    // the request may have had its effect
	answer  *http.Response // whole; nil: none came
}

func (c *call) api() *api.ApiService {
	to := &client.Client{
		Credentials: client.NewCredentials(c.texter.o.AccountSID, c.texter.o.AuthToken),
		HTTPClient: &http.Client{Transport: c, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the token goes nowhere else
		}},
	}
	to.SetAccountSid(c.texter.o.AccountSID)
	return api.NewApiService(&client.RequestHandler{Client: to}) // its constructor reads the environment
}

// RoundTrip sends the request to where the provider is, and reads its answer
// to the end.
func (c *call) RoundTrip(r *http.Request) (*http.Response, error) {
	// When the whole request was written is told too late: the provider may
	// have it by then, and the deadline may have passed.
	r = r.Clone(httptrace.WithClientTrace(c.ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { c.written.Store(true) },
		WroteRequest: func(w httptrace.WroteRequestInfo) { c.written.Store(w.Err == nil) },
	}))
	r.URL.Scheme, r.URL.Host, r.Host = c.texter.base.Scheme, c.texter.base.Host, ""
	r.URL.Path = strings.TrimSuffix(c.texter.base.Path, "/") + r.URL.Path
	resp, err := c.texter.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	c.answer = resp
	return resp, nil
}

// status is the answer's, as it is kept.
func (c *call) status() string { return "HTTP " + strconv.Itoa(c.answer.StatusCode) }

// ahead is how far the provider's clock is ahead of ours.
func (c *call) ahead() time.Duration {
	if date, err := http.ParseTime(c.answer.Header.Get("Date")); err == nil {
		return date.Sub(c.texter.o.Now())
	}
	return 0
}

// ours are errors that are ours to mend, and not the message's: a sender that
// is none, an account that may not send (https://www.twilio.com/docs/api/errors).
var ours = map[int]bool{
	20003: true, 20005: true, 20403: true, 20404: true,
	21212: true, 21603: true, 21606: true, 21659: true, 21660: true, 21661: true, 21701: true, 21703: true, 21704: true,
	30002: true,
}

// stopped is the error of a number whose owner has answered STOP.
const stopped = 21610

// tooMany are errors of a provider that wants it slower.
var tooMany = map[int]bool{14107: true, 20429: true, 21611: true, 30001: true, 30022: true, 63038: true}

// failure says what a failed call means.
func (c *call) failure(err error) error {
	failure := &notification.Failure{Outcome: notification.Unreachable, Err: err}
	if c.answer == nil {
		if c.written.Load() {
			failure.Outcome = notification.Unknown
		}
		return failure
	}
	failure.Code, failure.After = c.status(), c.retryAfter()
	code := 0
	if said, ok := errors.AsType[*client.TwilioRestError](err); ok && said.Code != 0 {
		code, failure.Code = said.Code, strconv.Itoa(said.Code)
	}
	switch status := c.answer.StatusCode; {
	case code == stopped:
		failure.Outcome = notification.Unwanted
	case status < 300, status == http.StatusGatewayTimeout:
		failure.Outcome = notification.Unknown // it was passed on; what came of it was lost
	case status == http.StatusTooManyRequests, tooMany[code]:
		failure.Outcome = notification.Deferred
	case status >= 500 && c.creates:
		// It may have been taken before the trouble began.
		failure.Outcome, failure.Down = notification.Unknown, true
	case status >= 500, status < 400, ours[code]:
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusProxyAuthRequired, status == http.StatusRequestTimeout:
	default:
		failure.Outcome = notification.Refused
	}
	return failure
}

// retryAfter is how long the provider asks to be left alone, at most a day.
func (c *call) retryAfter() time.Duration {
	text := c.answer.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, 24*time.Hour)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(c.texter.o.Now())-c.ahead(), 0), 24*time.Hour)
	}
	return 0
}
