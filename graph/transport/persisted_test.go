package transport_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/coder/websocket"
	"github.com/redis/go-redis/v9"

	"ordergraph/graph/transport"
	"ordergraph/platform/cache"
	"ordergraph/test/redisserver"
)

// rememberIn makes the server remember documents.
func rememberIn(known transport.Documents) func(*transport.Options) {
	return func(o *transport.Options) {
		o.Exec.(*executor.Executor).Use(transport.PersistedQueries{Known: known})
	}
}

func remember(t *testing.T, addr string) *cache.Cache {
	o := cache.Options{Prefix: "query:", Within: limits.Time}
	if addr != "" {
		o.Redis = &redis.Options{Addr: addr}
	}
	c := cache.New(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

func persisted(hash string) string {
	return `{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}`
}

const unknownQuery = `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`

// What one process was told the others know, over every transport.
func TestPersistedQueries(t *testing.T) {
	addr := redisserver.Start(t).Addr
	one, other := open(t, rememberIn(remember(t, addr))), open(t, rememberIn(remember(t, addr)))
	const query, subscription = "query Greet { hello }", "subscription Count { count(to: 1) }"
	hashed := func(query, more string) string {
		return `{"extensions":` + persisted(hashOf(query)) + more + `}`
	}
	for accept, status := range map[string]int{"application/json": 200, "application/graphql-response+json": 400} {
		response := one.ask(t, "POST", "/graphql", accept, hashed(query, ""))
		if text := all(t, response); response.StatusCode != status || text != unknownQuery {
			t.Errorf("%s: status %d: %s", accept, response.StatusCode, text)
		}
	}
	for _, query := range []string{query, subscription} {
		response := one.ask(t, "POST", "/graphql", "application/json, text/event-stream", hashed(query, fmt.Sprintf(`,"query":%q`, query)))
		if text := all(t, response); response.StatusCode != 200 || strings.Contains(text, "errors") {
			t.Fatalf("status %d: %s", response.StatusCode, text)
		}
	}

	for name, h := range map[string]*house{"the same process": one, "another process": other} {
		t.Run(name, func(t *testing.T) {
			if got := all(t, h.ask(t, "POST", "/graphql", "*/*", hashed(query, ""))); got != `{"data":{"hello":"world"}}` {
				t.Errorf("POST: %s", got)
			}
			if got := all(t, h.ask(t, "POST", "/graphql", "*/*", hashed(query, `,"query":""`))); got != `{"data":{"hello":"world"}}` {
				t.Errorf("POST with an empty query: %s", got)
			}
			if got := all(t, h.ask(t, "GET", "/graphql?operationName=Greet&extensions="+url.QueryEscape(persisted(hashOf(query))), "*/*", "")); got != `{"data":{"hello":"world"}}` {
				t.Errorf("GET: %s", got)
			}
			if got := all(t, h.ask(t, "GET", "/graphql?extensions="+url.QueryEscape(persisted(hashOf(subscription))), sse, "")); got != beat+next(`{"data":{"count":1}}`)+done {
				t.Errorf("events: %q", got)
			}
			if got := all(t, h.ask(t, "POST", "/graphql", `multipart/mixed;subscriptionSpec="1.0"`, hashed(subscription, ""))); !strings.Contains(got, `{"payload":{"data":{"count":1}}}`) {
				t.Errorf("parts: %q", got)
			}
			socket, _, err := websocket.Dial(t.Context(), h.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = socket.CloseNow() }()
			for _, exchange := range [][2]string{
				{`{"type":"connection_init"}`, `"connection_ack"`},
				{`{"type":"subscribe","id":"1","payload":` + hashed(query, "") + `}`, `"payload":{"data":{"hello":"world"}}`},
			} {
				if err := socket.Write(t.Context(), websocket.MessageText, []byte(exchange[0])); err != nil {
					t.Fatal(err)
				}
				if _, got, err := socket.Read(t.Context()); err != nil || !strings.Contains(string(got), exchange[1]) {
					t.Errorf("socket: %s, %v", got, err)
				}
			}
		})
	}
}

func TestPersistedQueryRefusals(t *testing.T) {
	known := remember(t, "")
	h := open(t, func(o *transport.Options) { o.Limits.Body = 1 << 20; rememberIn(known)(o) })
	long := "{" + strings.Repeat(" ", 64<<10) + "hello }"
	post := func(query, extensions string) string {
		return fmt.Sprintf(`{"query":%q,"extensions":%s}`, query, extensions)
	}
	for name, c := range map[string]struct {
		body, want string
		kept       string // a document that must not be known afterwards
	}{
		"another hash":             {post("{hello}", persisted(hashOf("{who}"))), "is not the hash of `query`", "{who}"},
		"not a hash":               {post("", persisted("x")), "64 hexadecimal digits", ""},
		"another version":          {`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"` + hashOf("{hello}") + `"}}}`, "Only version 1", ""},
		"a word":                   {`{"extensions":{"persistedQuery":"` + hashOf("{hello}") + `"}}`, "must be an object", ""},
		"none of both":             {`{"extensions":{"persistedQuery":null}}`, "`query` is missing", ""},
		"none of both, empty":      {`{"query":"","extensions":{}}`, "`query` is empty", ""},
		"not a document":           {post("{hello", persisted(hashOf("{hello"))), "GRAPHQL_PARSE_FAILED", "{hello"},
		"an invalid document":      {post("{nothing}", persisted(hashOf("{nothing}"))), "GRAPHQL_VALIDATION_FAILED", "{nothing}"},
		"a long one, not rejected": {post(long, persisted(hashOf(long))), "world", long},
	} {
		t.Run(name, func(t *testing.T) {
			if got := all(t, h.ask(t, "POST", "/graphql", "*/*", c.body)); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if _, ok := known.Get(t.Context(), hashOf(c.kept)); ok {
				t.Error("the document is remembered")
			}
		})
	}
	// Hash, letters in whatever case, and a mutation.
	if got := all(t, h.ask(t, "POST", "/graphql", "*/*", post("mutation{do}", persisted(strings.ToUpper(hashOf("mutation{do}")))))); got != `{"data":{"do":1}}` {
		t.Error(got)
	}
	if response := h.ask(t, "GET", "/graphql?extensions="+url.QueryEscape(persisted(hashOf("mutation{do}"))), "*/*", ""); response.StatusCode != 405 {
		t.Errorf("a mutation by GET: status %d", response.StatusCode)
	}
}
