package twiliosms_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ordergraph/services/notification"
	"ordergraph/services/notification/twiliosms"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sid      = "AC0123456789abcdef0123456789abcdef"
	token    = "0123456789abcdef0123456789abcdef"
	from     = "+15005550006"
	callback = "https://shop.example/webhooks/sms"
)

var text = notification.Text{ID: "order:1:confirmed:sms", To: "+491701234567", Body: "Harbour Store: 5 € & more + ünïcode"}

// texter is one whose provider answers as told.
func texter(t *testing.T, answer http.HandlerFunc, change ...func(*twiliosms.Options)) *twiliosms.Texter {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return to(t, server.URL, change...)
}

func to(t *testing.T, address string, change ...func(*twiliosms.Options)) *twiliosms.Texter {
	t.Helper()
	o := twiliosms.Options{AccountSID: sid, AuthToken: token, From: from, URL: address, CallbackURL: callback}
	for _, do := range change {
		do(&o)
	}
	x, err := twiliosms.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

func TestSendsAsTwilioWantsIt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*twiliosms.Options)
		want   url.Values
	}{
		"from a number": {func(*twiliosms.Options) {}, url.Values{
			"To": {text.To}, "From": {from}, "Body": {text.Body}, "StatusCallback": {callback + "?id=order%3A1%3Aconfirmed%3Asms"},
		}},
		"from a service, told to nobody": {func(o *twiliosms.Options) { o.From, o.CallbackURL = "MG0123456789abcdef0123456789abcdef", "" }, url.Values{
			"To": {text.To}, "MessagingServiceSid": {"MG0123456789abcdef0123456789abcdef"}, "Body": {text.Body},
		}},
		"below a path": {func(o *twiliosms.Options) { o.URL += "/gateway/" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got url.Values
			x := texter(t, func(w http.ResponseWriter, r *http.Request) {
				user, password, _ := r.BasicAuth()
				path := "/2010-04-01/Accounts/" + sid + "/Messages.json"
				if c.want == nil {
					path = "/gateway" + path
				}
				if user != sid || password != token || r.URL.Path != path || r.Method != http.MethodPost {
					t.Errorf("%s %s by %s", r.Method, r.URL, user)
				}
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				got = r.PostForm
				w.WriteHeader(http.StatusCreated)
				fmt.Fprint(w, `{"sid": "SM1", "status": "queued"}`)
			}, c.change)
			ref, err := x.Send(t.Context(), text)
			if err != nil || ref != "SM1" {
				t.Fatalf("%q, %v", ref, err)
			}
			if c.want != nil && got.Encode() != c.want.Encode() {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// Each kind of trouble is told apart: what follows from it differs.
func TestFailures(t *testing.T) {
	says := func(status, code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			if code > 0 {
				_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": "about +491701234567", "status": status})
			} else {
				fmt.Fprint(w, "<html>")
			}
		}
	}
	breaks := func(after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = conn.Write([]byte(after))
			_ = conn.Close()
		}
	}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		outcome notification.Outcome
		code    string
		after   time.Duration
	}{
		"no number":              {says(400, 21211), notification.Refused, "21211", 0},
		"no mobile":              {says(400, 21614), notification.Refused, "21614", 0},
		"opted out":              {says(400, 21610), notification.Unwanted, "21610", 0},
		"another fault of it":    {says(400, 21617), notification.Refused, "21617", 0},
		"refused without a code": {says(400, 0), notification.Refused, "HTTP 400", 0},
		"no sender":              {says(400, 21212), notification.Unreachable, "21212", 0},
		"not our number":         {says(400, 21606), notification.Unreachable, "21606", 0},
		"wrong token":            {says(401, 20003), notification.Unreachable, "20003", 0},
		"forbidden":              {says(403, 20403), notification.Unreachable, "20403", 0},
		"forbidden by a proxy":   {says(403, 0), notification.Unreachable, "HTTP 403", 0},
		"no such account":        {says(404, 20404), notification.Unreachable, "20404", 0},
		"too many":               {says(429, 20429, "Retry-After", "7"), notification.Deferred, "20429", 7 * time.Second},
		"too many, says a proxy": {says(429, 0, "Retry-After", "99999999"), notification.Deferred, "HTTP 429", 24 * time.Hour},
		"too many, without more": {says(429, 20429, "Retry-After", "-1"), notification.Deferred, "20429", 0},
		"a full queue":           {says(400, 21611), notification.Deferred, "21611", 0},
		"too many until a date": {says(429, 20429, "Date", "Wed, 01 Jul 2026 12:00:00 GMT", "Retry-After", "Wed, 01 Jul 2026 12:01:30 GMT"),
			notification.Deferred, "20429", 90 * time.Second},
		"trouble there":         {says(500, 20500), notification.Unknown, "20500", 0},
		"trouble on the way":    {says(502, 0), notification.Unknown, "HTTP 502", 0},
		"trouble for a while":   {says(503, 0, "Retry-After", "30"), notification.Unknown, "HTTP 503", 30 * time.Second},
		"a gateway gave up":     {says(504, 0), notification.Unknown, "HTTP 504", 0},
		"moved":                 {says(302, 0, "Location", "https://elsewhere.example/"), notification.Unreachable, "HTTP 302", 0},
		"taken, says somebody":  {says(200, 0), notification.Unknown, "HTTP 200", 0},
		"taken, and no name":    {says(201, 1), notification.Unknown, "HTTP 201", 0},
		"hung up":               {breaks(""), notification.Unknown, "", 0},
		"hung up in the answer": {breaks("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"), notification.Unknown, "", 0},
		"nonsense":              {breaks("220 smtp.example ESMTP\r\n"), notification.Unknown, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			x := texter(t, func(w http.ResponseWriter, r *http.Request) { calls++; c.answer(w, r) })
			ref, err := x.Send(t.Context(), text)
			var f *notification.Failure
			if !errors.As(err, &f) || ref != "" {
				t.Fatalf("%q, %v", ref, err)
			}
			// Whole seconds, since the dates between us are.
			if f.Outcome != c.outcome || f.Code != c.code || f.After.Round(2*time.Second) != c.after.Round(2*time.Second) {
				t.Errorf("%s %q %s: %v", f.Outcome, f.Code, f.After, f.Err)
			}
			if calls != 1 {
				t.Errorf("%d calls", calls)
			}
			if strings.Contains(f.Error(), "+49") || strings.Contains(f.Error(), token) {
				t.Errorf("%v tells too much", f)
			}
		})
	}
}

// Who cannot be reached took nothing; who does not answer in time may have.
func TestNoAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	var f *notification.Failure
	if _, err := to(t, "http://"+listener.Addr().String()).Send(t.Context(), text); !errors.As(err, &f) || f.Outcome != notification.Unreachable {
		t.Errorf("nobody there: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	x := texter(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release })
	_, err = x.Send(ctx, text)
	close(release)
	if !errors.As(err, &f) || f.Outcome != notification.Unknown {
		t.Errorf("no answer: %v", err)
	}

	late, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Send(late, text); !errors.As(err, &f) || f.Outcome != notification.Unreachable {
		t.Errorf("too late to begin: %v", err)
	}
}

func TestFind(t *testing.T) {
	since := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	const ahead = 3 * time.Minute // the provider's clock
	message := func(sid, body, direction string, at time.Time) map[string]any {
		return map[string]any{"sid": sid, "body": body, "direction": direction, "to": text.To, "date_created": at.Add(ahead).Format(time.RFC1123Z), "date_sent": nil}
	}
	for name, c := range map[string]struct {
		has  []map[string]any
		want string
	}{
		"nothing":          {nil, ""},
		"it":               {[]map[string]any{message("SM1", text.Body, "outbound-api", since)}, "SM1"},
		"it, among others": {[]map[string]any{message("SM3", "something else", "outbound-api", since), message("SM2", text.Body, "outbound-api", since.Add(2*time.Second)), {"sid": "SM0"}}, "SM2"},
		"it, but earlier":  {[]map[string]any{message("SM1", text.Body, "outbound-api", since.Add(-time.Minute))}, ""},
		"an echo of it":    {[]map[string]any{message("SM1", text.Body, "inbound", since.Add(time.Second))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := texter(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Query().Get("To") != text.To {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.Header().Set("Date", since.Add(time.Minute+ahead).Format(http.TimeFormat))
				_ = json.NewEncoder(w).Encode(map[string]any{"messages": c.has})
			}, func(o *twiliosms.Options) { o.Now = func() time.Time { return since.Add(time.Minute) } })
			if ref, err := x.Find(t.Context(), text, since); err != nil || ref != c.want {
				t.Errorf("%q, %v", ref, err)
			}
		})
	}

	// What was sent counts, and not what would be written now.
	x := texter(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", since.Add(ahead).Format(http.TimeFormat))
		_ = json.NewEncoder(w).Encode(map[string]any{"messages": []map[string]any{message("SM1", text.Body, "outbound-api", since)}})
	}, func(o *twiliosms.Options) { o.Now = func() time.Time { return since } })
	now := text
	now.Body, now.Words = "in other words", notification.WordsOf(text.Body)
	if ref, err := x.Find(t.Context(), now, since); err != nil || ref != "SM1" {
		t.Errorf("%q, %v", ref, err)
	}

	x = texter(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	var f *notification.Failure
	if ref, err := x.Find(t.Context(), text, since); ref != "" || !errors.As(err, &f) || f.Outcome != notification.Unreachable {
		t.Errorf("%q, %v", ref, err)
	}
}

func TestOptions(t *testing.T) {
	good := twiliosms.Options{AccountSID: sid, AuthToken: token, From: from}
	if _, err := twiliosms.New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*twiliosms.Options){
		"account":         func(o *twiliosms.Options) { o.AccountSID = "SK" + sid[2:] },
		"no token":        func(o *twiliosms.Options) { o.AuthToken = "" },
		"odd token":       func(o *twiliosms.Options) { o.AuthToken = token + "\n" },
		"no sender":       func(o *twiliosms.Options) { o.From = "" },
		"sender":          func(o *twiliosms.Options) { o.From = "0170 1234567" },
		"untidy sender":   func(o *twiliosms.Options) { o.From = "+49 170 1234567" },
		"address":         func(o *twiliosms.Options) { o.URL = "api.twilio.com" },
		"address, query":  func(o *twiliosms.Options) { o.URL = "https://api.twilio.com/?a=b" },
		"callback":        func(o *twiliosms.Options) { o.CallbackURL = "/webhooks/sms" },
		"callback, query": func(o *twiliosms.Options) { o.CallbackURL += "?a=b" },
	} {
		o := good
		o.CallbackURL = callback
		change(&o)
		if _, err := twiliosms.New(o); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
