package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ordergraph/graph/transport"
)

const sharedPath = "/graphql/stream"

// shared is a reservation as the client sees it.
type shared struct {
	*house
	token string
	as    []string // further headers
}

func (h *house) reserve(t *testing.T, as ...string) *shared {
	t.Helper()
	response := h.ask(t, "PUT", sharedPath, "*/*", "", as...)
	token := all(t, response)
	if response.StatusCode != 201 || len(token) < 26 || response.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Fatalf("status %d, %q, %v", response.StatusCode, token, response.Header)
	}
	return &shared{h, token, as}
}

func (s *shared) open(t *testing.T) *listener {
	t.Helper()
	response := s.ask(t, "GET", sharedPath+"?token="+s.token, sse, "")
	if response.StatusCode != 200 {
		t.Fatalf("status %d: %s", response.StatusCode, all(t, response))
	}
	l := &listener{t: t, response: response, buffered: bufio.NewReader(response.Body)}
	l.want(beat)
	return l
}

func (s *shared) send(t *testing.T, id, query string, as ...string) (status int, text string) {
	t.Helper()
	response := s.ask(t, "POST", sharedPath, "*/*", fmt.Sprintf(`{"query":%q,"extensions":{"operationId":%q}}`, query, id),
		append(append([]string{"X-GraphQL-Event-Stream-Token", s.token}, s.as...), as...)...)
	return response.StatusCode, all(t, response)
}

func (s *shared) begin(t *testing.T, id, query string) {
	t.Helper()
	if status, text := s.send(t, id, query); status != 202 || text != "" {
		t.Fatalf("status %d: %s", status, text)
	}
}

func (s *shared) stop(t *testing.T, id string) int {
	t.Helper()
	return s.ask(t, "DELETE", sharedPath+"?operationId="+id, "*/*", "", "X-GraphQL-Event-Stream-Token", s.token).StatusCode
}

func nextOf(id, payload string) string {
	return fmt.Sprintf("event: next\ndata: {\"id\":%q,\"payload\":%s}\n\n", id, payload)
}

func doneOf(id string) string { return fmt.Sprintf("event: complete\ndata: {\"id\":%q}\n\n", id) }

func TestSharedStream(t *testing.T) {
	h := open(t, nil)
	s := h.reserve(t)
	s.begin(t, "early", "{hello}") // before the stream is open
	l := s.open(t)
	l.want(nextOf("early", `{"data":{"hello":"world"}}`), doneOf("early"))
	s.begin(t, "two", "subscription{count(to:2)}")
	l.want(nextOf("two", `{"data":{"count":1}}`), nextOf("two", `{"data":{"count":2}}`), doneOf("two"))
	s.begin(t, "do", "mutation{do}")
	l.want(nextOf("do", `{"data":{"do":1}}`), doneOf("do"))
	s.begin(t, "fails", "subscription{fails}")
	l.want(nextOf("fails", `{"errors":[{"message":"There is no such order.","extensions":{"code":"NOT_FOUND"}}]}`), doneOf("fails"))
	s.begin(t, "panics", "subscription{panics}")
	l.want(nextOf("panics", `{"data":{"panics":1}}`))
	if got := l.event(); !strings.Contains(got, `"code":"INTERNAL_SERVER_ERROR"`) {
		t.Errorf("got %q", got)
	}
	l.want(doneOf("panics"))

	s.begin(t, "hold", "subscription{hold}")
	l.want(nextOf("hold", `{"data":{"hold":1}}`))
	if status, text := s.send(t, "hold", "{hello}"); status != 409 {
		t.Errorf("the same name again: status %d, %s", status, text)
	}
	if status := s.stop(t, "hold"); status != 200 {
		t.Errorf("status %d", status)
	}
	until(t, "the operation is stopped", func() bool { return h.trial.open.Load() == 0 })
	if status := s.stop(t, "hold"); status != 200 {
		t.Errorf("stopped again: status %d", status)
	}
	s.begin(t, "last", "{hello}")
	l.want(nextOf("last", `{"data":{"hello":"world"}}`), doneOf("last"))

	if response := h.ask(t, "GET", sharedPath+"?token="+s.token, sse, ""); response.StatusCode != 409 {
		t.Errorf("opened twice: status %d", response.StatusCode)
	}
	s.begin(t, "more", "subscription{hold}")
	l.want(nextOf("more", `{"data":{"hold":1}}`))
	_ = l.response.Body.Close()
	h.wantEmpty(t)
	if status, _ := s.send(t, "late", "{hello}"); status != 404 {
		t.Errorf("after the stream's end: status %d", status)
	}
}

func TestSharedStreamRefusals(t *testing.T) {
	h := open(t, func(o *transport.Options) { o.Limits.Streams, o.Limits.PerAddress = 2, 2 })
	s := h.reserve(t, "Authorization", "Bearer ada")
	mine := []string{"X-GraphQL-Event-Stream-Token", s.token, "Authorization", "Bearer ada"}
	post := func(body string, more ...string) *http.Response {
		return h.ask(t, "POST", sharedPath, "*/*", body, append(mine, more...)...)
	}
	for name, c := range map[string]struct {
		response *http.Response
		status   int
		code     string
	}{
		"unknown, GET":         {h.ask(t, "GET", sharedPath+"?token=x", sse, ""), 404, "NOT_FOUND"},
		"unknown, POST":        {h.ask(t, "POST", sharedPath+"?token=x", "*/*", `{"query":"{hello}"}`), 404, "NOT_FOUND"},
		"unknown, DELETE":      {h.ask(t, "DELETE", sharedPath+"?operationId=x", "*/*", ""), 404, "NOT_FOUND"},
		"nothing to stop":      {h.ask(t, "DELETE", sharedPath, "*/*", "", mine...), 400, "BAD_REQUEST"},
		"no operation id":      {post(`{"query":"{hello}"}`), 400, "BAD_REQUEST"},
		"a long operation id":  {post(`{"query":"{hello}","extensions":{"operationId":"` + strings.Repeat("x", 129) + `"}}`), 400, "BAD_REQUEST"},
		"broken JSON":          {post(`{`), 400, "BAD_REQUEST"},
		"not JSON":             {post(`{}`, "Content-Type", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"an unknown field":     {post(`{"query":"{nothing}","extensions":{"operationId":"x"}}`), 400, "GRAPHQL_VALIDATION_FAILED"},
		"nothing acceptable":   {post(`{"query":"{hello}","extensions":{"operationId":"x"}}`, "Accept", "image/png"), 406, "NOT_ACCEPTABLE"},
		"somebody else":        {post(`{"query":"{who}","extensions":{"operationId":"x"}}`, "Authorization", "Bearer eve"), 403, "FORBIDDEN"},
		"nobody":               {post(`{"query":"{who}","extensions":{"operationId":"x"}}`, "Authorization", ""), 403, "FORBIDDEN"},
		"a bad token":          {post(`{"query":"{who}","extensions":{"operationId":"x"}}`, "Authorization", "Bearer bad"), 401, "UNAUTHENTICATED"},
		"reserved by the bad":  {h.ask(t, "PUT", sharedPath, "*/*", "", "Authorization", "Bearer bad"), 401, "UNAUTHENTICATED"},
		"another method":       {h.ask(t, "PATCH", sharedPath, "*/*", "", mine...), 405, "METHOD_NOT_ALLOWED"},
		"a mutation by GET":    {h.ask(t, "GET", sharedPath+strings.TrimPrefix(query("mutation{do}"), "/graphql")+"&extensions=%7B%22operationId%22:%22x%22%7D", "*/*", "", mine...), 405, "METHOD_NOT_ALLOWED"},
		"a third reservation?": {h.secondAndThird(t), 429, "THROTTLED"},
	} {
		t.Run(name, func(t *testing.T) {
			text := all(t, c.response)
			if c.response.StatusCode != c.status || !strings.Contains(text, `"code":"`+c.code+`"`) {
				t.Errorf("status %d, want %d and %s: %s", c.response.StatusCode, c.status, c.code, text)
			}
		})
	}
	s.begin(t, "1", "subscription{hold}")
	s.begin(t, "2", "{who}")
	if status, text := s.send(t, "3", "{hello}"); status != 429 || !strings.Contains(text, "THROTTLED") {
		t.Errorf("a third operation: status %d, %s", status, text)
	}
	l := s.open(t)
	for got := ""; !strings.Contains(got, nextOf("2", `{"data":{"who":"ada"}}`)); {
		got += l.event()
	}
	h.keys.end()
	for got := ""; !strings.HasSuffix(got, nextOf("1", `{"errors":[{"message":"Your session has ended. Please sign in again.","extensions":{"code":"UNAUTHENTICATED"}}]}`)+doneOf("1")); {
		event := l.event()
		if event == "" {
			t.Fatalf("the stream ends after %q", got)
		}
		got += event
	}
	l.want("")
	if n := h.trial.done.Load(); n != 0 {
		t.Errorf("%d mutations were executed", n)
	}
}

// secondAndThird reserves two streams and returns the answer to the latter.
func (h *house) secondAndThird(t *testing.T) *http.Response {
	h.reserve(t, "Authorization", "Bearer ada")
	return h.ask(t, "PUT", sharedPath, "*/*", "")
}

func TestReservationsExpire(t *testing.T) {
	h := open(t, func(o *transport.Options) { o.Limits.InitWithin = 50 * time.Millisecond })
	s := h.reserve(t)
	h.wantEmpty(t)
	if response := h.ask(t, "GET", sharedPath+"?token="+s.token, sse, ""); response.StatusCode != 404 {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestSharedStreamDrains(t *testing.T) {
	h := open(t, nil)
	h.reserve(t) // never opened
	s := h.reserve(t)
	l := s.open(t)
	s.begin(t, "hold", "subscription{hold}")
	l.want(nextOf("hold", `{"data":{"hold":1}}`))
	s.begin(t, "wait", "{wait}")
	<-h.trial.asked
	drained := make(chan struct{})
	go func() { h.Drain(context.Background()); close(drained) }()
	until(t, "the subscription ends", func() bool { return h.trial.open.Load() == 0 })
	if status, _ := s.send(t, "late", "{hello}"); status != 404 {
		t.Errorf("an operation on a stream that is about to end: status %d", status)
	}
	close(h.trial.free)
	l.want(nextOf("wait", `{"data":{"wait":"world"}}`), doneOf("wait"), "")
	<-drained
	if response := h.ask(t, "PUT", sharedPath, "*/*", ""); response.StatusCode != 503 {
		t.Errorf("status %d", response.StatusCode)
	}
	h.wantEmpty(t)
}

// Whoever has no token is served like anywhere else.
func TestDistinctStreamsBesideSharedOnes(t *testing.T) {
	h := open(t, nil)
	if got := all(t, h.ask(t, "POST", sharedPath, sse, `{"query":"subscription{count(to:1)}"}`)); got != beat+next(`{"data":{"count":1}}`)+done {
		t.Errorf("got %q", got)
	}
	if got := all(t, h.ask(t, "POST", sharedPath, "*/*", `{"query":"{hello}"}`)); got != `{"data":{"hello":"world"}}` {
		t.Errorf("got %q", got)
	}
	response := h.ask(t, "OPTIONS", sharedPath, "*/*", "")
	if methods := response.Header.Get("Allow"); response.StatusCode != 204 || methods != "GET, POST, PUT, DELETE, OPTIONS" {
		t.Errorf("status %d, %q", response.StatusCode, methods)
	}
}
