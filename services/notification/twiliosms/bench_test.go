package twiliosms_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ordergraph/services/notification"
	"ordergraph/services/notification/twiliosms"
)

// nobody keeps nothing.
type nobody struct{}

func (nobody) Receive(context.Context, notification.Receipt) error { return nil }
func (nobody) OptOut(context.Context, string, bool) error          { return nil }

// BenchmarkStatus is what it costs to see that a callback is Twilio's, and what
// it says.
func BenchmarkStatus(b *testing.B) {
	status, _ := twiliosms.Callbacks([]string{token}, callback, nobody{}, slog.New(slog.DiscardHandler))
	form := url.Values{
		"AccountSid": {sid}, "ApiVersion": {"2010-04-01"}, "From": {from}, "To": {text.To},
		"MessageSid": {"SM1"}, "MessageStatus": {"delivered"}, "SmsSid": {"SM1"}, "SmsStatus": {"delivered"},
	}
	address := callback + "?id=1"
	body, signature := form.Encode(), sign(token, address, form)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{RawQuery: "id=1"}, Header: http.Header{"X-Twilio-Signature": {signature}}}
		r.Body = http.MaxBytesReader(w, readCloser{strings.NewReader(body)}, 1<<20)
		if status.ServeHTTP(w, r); w.Code != http.StatusNoContent {
			b.Fatal(w.Code)
		}
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// BenchmarkSend is a message to a provider that does as little as one can.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"sid": "SM1", "status": "queued"}`))
	}))
	defer server.Close()
	x, err := twiliosms.New(twiliosms.Options{AccountSID: sid, AuthToken: token, From: from, URL: server.URL, CallbackURL: callback})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Send(b.Context(), text); err != nil {
			b.Fatal(err)
		}
	}
}
