package transport_test

import (
	"strings"
	"testing"
)

// The bytes are those that Apollo's clients read: each part is followed by the
// boundary at once, since they wait for it.
func TestMultipartSubscriptions(t *testing.T) {
	h := open(t, nil)
	const end = "--\r\n"
	part := func(payload string) string {
		return "\r\nContent-Type: application/json\r\n\r\n" + `{"payload":` + payload + "}\r\n--graphql"
	}
	for name, c := range map[string]struct{ accept, query, want string }{
		"a subscription":          {`multipart/mixed;subscriptionSpec="1.0", application/json`, "subscription{count(to:2)}", part(`{"data":{"count":1}}`) + part(`{"data":{"count":2}}`) + end},
		"as Apollo Client 3 asks": {`multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json`, "subscription{count(to:1)}", part(`{"data":{"count":1}}`) + end},
		"as Apollo Client 4 asks": {`multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9`, "subscription{count(to:1)}", part(`{"data":{"count":1}}`) + end},
		"cannot begin":            {`multipart/mixed;subscriptionSpec=1.0`, "subscription{fails}", part(`{"errors":[{"message":"There is no such order.","extensions":{"code":"NOT_FOUND"}}]}`) + end},
		"panics on the way":       {`multipart/mixed;subscriptionSpec=1.0`, "subscription{panics}", part(`{"data":{"panics":1}}`) + part(`{"errors":[{"message":"Something went wrong on our side. It has been noted; please try again.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`) + end},
		"only parts are taken":    {`multipart/mixed;subscriptionSpec=1.0`, "{hello}", part(`{"data":{"hello":"world"}}`) + end},
	} {
		t.Run(name, func(t *testing.T) {
			response := h.ask(t, "POST", "/graphql", c.accept, `{"query":"`+c.query+`"}`)
			if got, want := all(t, response), "\r\n--graphql"+c.want; response.StatusCode != 200 || got != want {
				t.Errorf("status %d\n%q, want\n%q", response.StatusCode, got, want)
			}
			if got := response.Header.Get("Content-Type"); got != `multipart/mixed;boundary="graphql";subscriptionSpec="1.0"` {
				t.Errorf("content type %q", got)
			}
		})
	}
	t.Run("a request error", func(t *testing.T) {
		for accept, status := range map[string]int{
			`multipart/mixed;subscriptionSpec=1.0`:                                      400,
			`multipart/mixed;subscriptionSpec=1.0,application/json`:                     200, // as that media type has it
			`multipart/mixed;subscriptionSpec=1.0,application/graphql-response+json`:    400,
			`multipart/mixed;subscriptionSpec=1.0,application/json;q=0.1,text/html`:     200,
			`text/event-stream, multipart/mixed, application/graphql-response+json;q=1`: 400,
		} {
			response := h.ask(t, "POST", "/graphql", accept, `{"query":"subscription{nothing}"}`)
			text := all(t, response)
			if response.StatusCode != status || !strings.Contains(text, `"code":"GRAPHQL_VALIDATION_FAILED"`) || !strings.Contains(response.Header.Get("Content-Type"), "json") {
				t.Errorf("%s: status %d, want %d: %s", accept, response.StatusCode, status, text)
			}
		}
	})
	h.wantEmpty(t)
}

// Whoever accepts both gets a stream of a subscription, and of anything else
// one answer.
func TestNegotiationOfStreams(t *testing.T) {
	h := open(t, nil)
	const (
		plain  = "application/json; charset=utf-8"
		modern = "application/graphql-response+json; charset=utf-8"
		events = "text/event-stream; charset=utf-8"
		parts  = `multipart/mixed;boundary="graphql";subscriptionSpec="1.0"`
	)
	for accept, want := range map[string]struct{ query, subscription string }{
		"application/json, text/event-stream":                                 {plain, events},
		"text/event-stream, */*;q=0.1":                                        {events, events},
		"text/event-stream;q=0.5, application/json":                           {plain, events},
		"text/event-stream, application/json;q=0.9":                           {events, events},
		"text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0;q=0.8": {parts, parts},
		"multipart/mixed;subscriptionSpec=\"1.0\", text/event-stream":         {events, events},
		"text/event-stream, multipart/mixed":                                  {events, events},
		"application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed": {modern, events},
		"multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9":    {modern, parts},
		"multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json":                                            {plain, parts},
		"TEXT/Event-Stream": {events, events},
	} {
		for query, kind := range map[string]string{"{hello}": want.query, "subscription{count(to:1)}": want.subscription} {
			response := h.ask(t, "POST", "/graphql", accept, `{"query":"`+query+`"}`)
			if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != kind {
				t.Errorf("%s of %s: status %d, %q, want %q", accept, query, response.StatusCode, got, kind)
			}
		}
	}
}
