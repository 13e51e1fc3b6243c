package transport_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// ask sends an operation, by GET if body is "", and returns the answer.
func (h *house) ask(t *testing.T, method, path, accept, body string, more ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(more); i += 2 {
		r.Header.Set(more[i], more[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func all(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func query(text string) string { return "/graphql?query=" + url.QueryEscape(text) }

const (
	sse  = "text/event-stream"
	beat = ":\n\n"
	done = "event: complete\ndata: \n\n"
)

func next(payload string) string { return "event: next\ndata: " + payload + "\n\n" }

// The bytes are those that browsers and the npm package graphql-sse read.
func TestEventStreams(t *testing.T) {
	h := open(t, nil)
	for name, c := range map[string]struct{ method, path, body, want string }{
		"a subscription":       {"POST", "/graphql", `{"query":"subscription{count(to:2)}"}`, next(`{"data":{"count":1}}`) + next(`{"data":{"count":2}}`) + done},
		"as EventSource asks":  {"GET", query("subscription{count(to:1)}"), "", next(`{"data":{"count":1}}`) + done},
		"with variables":       {"GET", query("subscription($n:Int!){count(to:$n)}") + "&variables=" + url.QueryEscape(`{"n":1}`), "", next(`{"data":{"count":1}}`) + done},
		"nothing to say":       {"POST", "/graphql", `{"query":"subscription{count(to:0)}"}`, done},
		"a query":              {"POST", "/graphql", `{"query":"{hello}"}`, next(`{"data":{"hello":"world"}}`) + done},
		"a mutation":           {"POST", "/graphql", `{"query":"mutation{do}"}`, next(`{"data":{"do":1}}`) + done},
		"cannot begin":         {"POST", "/graphql", `{"query":"subscription{fails}"}`, next(`{"errors":[{"message":"There is no such order.","extensions":{"code":"NOT_FOUND"}}]}`) + done},
		"fails on the way":     {"POST", "/graphql", `{"query":"subscription{breaks}"}`, next(`{"data":{"breaks":1}}`) + next(`{"errors":[{"message":"The source went away.","extensions":{"code":"UNAVAILABLE"}}]}`) + done},
		"panics on the way":    {"POST", "/graphql", `{"query":"subscription{panics}"}`, next(`{"data":{"panics":1}}`) + next(`{"errors":[{"message":"Something went wrong on our side. It has been noted; please try again.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`) + done},
		"line breaks are gone": {"POST", "/graphql", `{"query":"subscription{pretty}"}`, next(`{"data":{   "pretty":   "a\nb" }}`) + done},
	} {
		t.Run(name, func(t *testing.T) {
			response := h.ask(t, c.method, c.path, sse, c.body)
			if got := all(t, response); response.StatusCode != 200 || got != beat+c.want {
				t.Errorf("status %d\n%q, want\n%q", response.StatusCode, got, beat+c.want)
			}
			for name, want := range map[string]string{
				"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store, no-transform",
				"X-Accel-Buffering": "no", "Content-Encoding": "", "Access-Control-Allow-Origin": "",
			} {
				if got := response.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
	until(t, "nothing runs any more", func() bool { return h.trial.open.Load() == 0 && h.Connections() == 0 })
}

// Browsers and clients try a broken stream again, but not what is answered
// with a 4xx.
func TestEventStreamRefusals(t *testing.T) {
	h := open(t, nil)
	post := func(body string, more ...string) *http.Response {
		return h.ask(t, "POST", "/graphql", sse, body, more...)
	}
	for name, c := range map[string]struct {
		response *http.Response
		status   int
		code     string
	}{
		"broken JSON":           {post(`{`), 400, "BAD_REQUEST"},
		"a batch":               {post(`[{"query":"{hello}"}]`), 400, "BAD_REQUEST"},
		"no query":              {post(`{}`), 400, "BAD_REQUEST"},
		"a syntax error":        {post(`{"query":"subscription{"}`), 400, "GRAPHQL_PARSE_FAILED"},
		"an unknown field":      {post(`{"query":"subscription{nothing}"}`), 400, "GRAPHQL_VALIDATION_FAILED"},
		"an unknown field, GET": {h.ask(t, "GET", query("subscription{nothing}"), sse, ""), 400, "GRAPHQL_VALIDATION_FAILED"},
		"an unknown operation":  {post(`{"query":"subscription A{hold}","operationName":"B"}`), 400, "GRAPHQL_VALIDATION_FAILED"},
		"a missing variable":    {post(`{"query":"subscription($n:Int!){count(to:$n)}"}`), 400, "GRAPHQL_VALIDATION_FAILED"},
		"a mutation by GET":     {h.ask(t, "GET", query("mutation{do}"), sse, ""), 405, "METHOD_NOT_ALLOWED"},
		"another method":        {h.ask(t, "PUT", "/graphql", sse, `{}`), 405, "METHOD_NOT_ALLOWED"},
		"not JSON":              {post(`{"query":"{hello}"}`, "Content-Type", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"},
		"too long":              {post(`{"query":"` + strings.Repeat(" ", 70<<10) + `{hello}"}`), 413, "REQUEST_TOO_LARGE"},
		"a bad token":           {post(`{"query":"{hello}"}`, "Authorization", "Bearer bad"), 401, "UNAUTHENTICATED"},
		"no stream asked for":   {h.ask(t, "POST", "/graphql", "application/json", `{"query":"subscription{hold}"}`), 406, "NOT_ACCEPTABLE"},
		"anything asked for":    {h.ask(t, "POST", "/graphql", "*/*", `{"query":"subscription{hold}"}`), 406, "NOT_ACCEPTABLE"},
		"another kind of parts": {h.ask(t, "POST", "/graphql", "multipart/mixed, */*", `{"query":"subscription{hold}"}`), 406, "NOT_ACCEPTABLE"},
		"streams at no price":   {h.ask(t, "POST", "/graphql", "text/event-stream;q=0, */*", `{"query":"subscription{hold}"}`), 406, "NOT_ACCEPTABLE"},
	} {
		t.Run(name, func(t *testing.T) {
			text := all(t, c.response)
			if c.response.StatusCode != c.status || !strings.Contains(text, `"code":"`+c.code+`"`) || strings.Contains(text, `"data"`) {
				t.Errorf("status %d, want %d and %s: %s", c.response.StatusCode, c.status, c.code, text)
			}
			if kind := c.response.Header.Get("Content-Type"); kind != "application/json; charset=utf-8" {
				t.Errorf("content type %q", kind)
			}
		})
	}
	if n := h.trial.done.Load(); n != 0 {
		t.Errorf("%d mutations were executed", n)
	}
}
