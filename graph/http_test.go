package graph_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ordergraph/graph/graphtest"
)

// The rules are those of GraphQL over HTTP, https://graphql.github.io/graphql-over-http/draft/
func TestHTTP(t *testing.T) {
	shop := graphtest.New(t, nil)
	const (
		modern = "application/graphql-response+json; charset=utf-8"
		legacy = "application/json; charset=utf-8"
		whole  = `{"query":"{ shop { name } }"}`
	)
	get := func(query string) string { return "?query=" + url.QueryEscape(query) }
	type header = map[string]string
	post := func(more ...string) header {
		h := header{"Content-Type": "application/json"}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	for name, c := range map[string]struct {
		method, query string
		header        header
		body          string
		status        int
		kind          string
		hasData       bool
	}{
		"post":                          {"POST", "", post(), whole, 200, legacy, true},
		"post, anything accepted":       {"POST", "", post("Accept", "*/*"), whole, 200, legacy, true},
		"post, application/*":           {"POST", "", post("Accept", "application/*"), whole, 200, legacy, true},
		"post, modern":                  {"POST", "", post("Accept", "application/graphql-response+json"), whole, 200, modern, true},
		"post, modern and legacy":       {"POST", "", post("Accept", "application/graphql-response+json, application/json;q=0.9"), whole, 200, modern, true},
		"post, legacy preferred":        {"POST", "", post("Accept", "application/graphql-response+json;q=0.5, application/json"), whole, 200, legacy, true},
		"post, modern refused":          {"POST", "", post("Accept", "application/graphql-response+json;q=0, */*;q=0.1"), whole, 200, legacy, true},
		"post, utf-8 accepted":          {"POST", "", post("Accept", "application/json; charset=UTF-8"), whole, 200, legacy, true},
		"post, a browser":               {"POST", "", post("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"), whole, 200, legacy, true},
		"post, nothing acceptable":      {"POST", "", post("Accept", "text/html"), whole, 406, legacy, false},
		"post, a charset":               {"POST", "", header{"Content-Type": "application/json; charset=utf-8"}, whole, 200, legacy, true},
		"post, another charset":         {"POST", "", header{"Content-Type": "application/json; charset=iso-8859-1"}, whole, 415, legacy, false},
		"post, text":                    {"POST", "", header{"Content-Type": "text/plain"}, whole, 415, legacy, false},
		"post, a form":                  {"POST", "", header{"Content-Type": "application/x-www-form-urlencoded"}, "query={shop{name}}", 415, legacy, false},
		"post, no type":                 {"POST", "", header{}, whole, 415, legacy, false},
		"post, compressed":              {"POST", "", post("Content-Encoding", "gzip"), whole, 415, legacy, false},
		"post, broken JSON":             {"POST", "", post(), `{"query":`, 400, legacy, false},
		"post, broken JSON, modern":     {"POST", "", post("Accept", "application/graphql-response+json"), `{"query":`, 400, modern, false},
		"post, a batch":                 {"POST", "", post(), `[` + whole + `]`, 400, legacy, false},
		"post, a word":                  {"POST", "", post(), `"query"`, 400, legacy, false},
		"post, null":                    {"POST", "", post(), `null`, 400, legacy, false},
		"post, nothing":                 {"POST", "", post(), ``, 400, legacy, false},
		"post, no query":                {"POST", "", post(), `{"notquery":"{shop{name}}"}`, 400, legacy, false},
		"post, a number for a query":    {"POST", "", post(), `{"query":1}`, 400, legacy, false},
		"post, a number for a name":     {"POST", "", post(), `{"query":"{shop{name}}","operationName":1}`, 400, legacy, false},
		"post, a list of variables":     {"POST", "", post(), `{"query":"{shop{name}}","variables":[]}`, 400, legacy, false},
		"post, a word for variables":    {"POST", "", post(), `{"query":"{shop{name}}","variables":"{}"}`, 400, legacy, false},
		"post, a word for extensions":   {"POST", "", post(), `{"query":"{shop{name}}","extensions":"x"}`, 400, legacy, false},
		"post, nulls":                   {"POST", "", post(), `{"query":"{shop{name}}","variables":null,"operationName":null,"extensions":null}`, 200, legacy, true},
		"post, extensions":              {"POST", "", post(), `{"query":"{shop{name}}","extensions":{"x":1}}`, 200, legacy, true},
		"post, unparsable":              {"POST", "", post(), `{"query":"{"}`, 200, legacy, false},
		"post, unparsable, modern":      {"POST", "", post("Accept", "application/graphql-response+json"), `{"query":"{"}`, 400, modern, false},
		"post, invalid":                 {"POST", "", post(), `{"query":"{nothing}"}`, 200, legacy, false},
		"post, invalid, modern":         {"POST", "", post("Accept", "application/graphql-response+json"), `{"query":"{nothing}"}`, 400, modern, false},
		"post, which one, modern":       {"POST", "", post("Accept", "application/graphql-response+json"), `{"query":"query A{shop{name}} query B{shop{name}}","operationName":"C"}`, 400, modern, false},
		"post, a variable, modern":      {"POST", "", post("Accept", "application/graphql-response+json"), `{"query":"query($h:String!){product(handle:$h){id}}","variables":{"h":null}}`, 400, modern, false},
		"post, a failing field, modern": {"POST", "", post("Accept", "application/graphql-response+json"), `{"query":"{shop{name} product{id}}"}`, 200, modern, true},
		"post, a mutation":              {"POST", "", post(), `{"query":"mutation{cartCreate{cart{id}}}"}`, 200, legacy, true},
		"get":                           {"GET", get("{shop{name}}"), header{}, "", 200, legacy, true},
		"get, modern":                   {"GET", get("{shop{name}}"), header{"Accept": "application/graphql-response+json"}, "", 200, modern, true},
		"get, with variables":           {"GET", get("query A($h:String){product(handle:$h){id}}") + "&operationName=A&variables=" + url.QueryEscape(`{"h":"x"}`), header{}, "", 200, legacy, true},
		"get, with broken variables":    {"GET", get("{shop{name}}") + "&variables=" + url.QueryEscape(`{"h":`), header{}, "", 400, legacy, false},
		"get, without a query":          {"GET", "", header{}, "", 400, legacy, false},
		"get, a mutation":               {"GET", get("mutation{cartCreate{cart{id}}}"), header{}, "", 405, legacy, false},
		"get, nothing acceptable":       {"GET", get("{shop{name}}"), header{"Accept": "image/png"}, "", 406, legacy, false},
		"get, too long":                 {"GET", get("{shop{name}}" + strings.Repeat(" ", 300<<10)), header{}, "", 413, legacy, false},
		"post, a megabyte":              {"POST", "", post(), `{"query":"{shop{name}}` + strings.Repeat(" ", 1<<20) + `"}`, 413, legacy, false},
		"post, a subscription":          {"POST", "", post(), `{"query":"subscription{orderStatus(orderId:\"x\"){id}}"}`, 406, legacy, false},
		"get, a subscription":           {"GET", get(`subscription{orderStatus(orderId:"x"){id}}`), header{}, "", 406, legacy, false},
		"put":                           {"PUT", "", post(), whole, 405, legacy, false},
		"delete":                        {"DELETE", "", header{}, "", 405, legacy, false},
		"patch":                         {"PATCH", "", post(), whole, 405, legacy, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := shop.Send(c.method, c.query, c.header, []byte(c.body))
			if a.Status != c.status {
				t.Errorf("status %d, want %d: %s", a.Status, c.status, a.Body)
			}
			if got := a.Header.Get("Content-Type"); got != c.kind {
				t.Errorf("content type %q, want %q", got, c.kind)
			}
			if has := strings.Contains(string(a.Body), `"data"`); has != c.hasData {
				t.Errorf("data: %v, want %v: %s", has, c.hasData, a.Body)
			}
			if !c.hasData && (len(a.Errors) == 0 || a.Errors[0].Extensions["code"] == nil) {
				t.Errorf("the error has no code: %s", a.Body)
			}
			if a.Status == 405 && a.Header.Get("Allow") == "" {
				t.Error("a 405 must say what is allowed")
			}
			if got := a.Header.Get("Content-Length"); got != fmt.Sprint(len(a.Body)) {
				t.Errorf("content length %s of %d", got, len(a.Body))
			}
		})
	}

	t.Run("request id", func(t *testing.T) {
		a := shop.Send("POST", "", post("X-Request-Id", "mine-12345678"), []byte(whole))
		if got := a.Header.Get("X-Request-Id"); got != "mine-12345678" {
			t.Errorf("the id is %q", got)
		}
		a = shop.Send("POST", "", post("X-Request-Id", "bad id"), []byte(whole))
		if got := a.Header.Get("X-Request-Id"); got == "" || strings.Contains(got, " ") {
			t.Errorf("the id is %q", got)
		}
	})
	t.Run("a body that never ends", func(t *testing.T) {
		u, err := url.Parse(shop.URL)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
		go func() {
			chunk := "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n"
			for {
				if _, err := conn.Write([]byte(chunk)); err != nil {
					return
				}
			}
		}()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d", response.StatusCode)
		}
	})
}
