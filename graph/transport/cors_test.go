package transport_test

import (
	"net/http"
	"strings"
	"testing"

	"ordergraph/graph/transport"
)

// A page may read what we answer if its origin is listed, and send cookies if
// it is listed by name.
func TestOriginsOfRequests(t *testing.T) {
	const ours, listed, foreign = "https://api.example", "https://shop.example", "https://evil.example"
	for name, c := range map[string]struct {
		origins     []string
		origin      string
		allowed     string
		credentials bool
	}{
		"closed":                  {nil, foreign, "", false},
		"closed, no page":         {nil, "", "", false},
		"closed, our own":         {nil, ours, "", false},
		"listed":                  {[]string{listed}, listed, listed, true},
		"listed, loud":            {[]string{"HTTPS://SHOP.example"}, listed, listed, true},
		"not listed":              {[]string{listed}, foreign, "", false},
		"a longer name":           {[]string{listed}, listed + ".evil.example", "", false},
		"no origin":               {[]string{listed}, "null", "", false},
		"any":                     {[]string{"*"}, foreign, "*", false},
		"any, no origin":          {[]string{"*"}, "null", "*", false},
		"any and listed":          {[]string{"*", listed}, listed, listed, true},
		"any and another, listed": {[]string{"*", listed}, foreign, "*", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, func(o *transport.Options) { o.Origins = c.origins })
			for what, ask := range map[string]struct {
				method, path string
				status       int
			}{
				"a query": {"POST", "/graphql", 200}, "a preflight": {"OPTIONS", "/graphql", 204},
				"a reservation": {"PUT", "/graphql/stream", 201}, "a preflight of streams": {"OPTIONS", "/graphql/stream", 204},
				"what is refused": {"PATCH", "/graphql", 405},
			} {
				r, err := http.NewRequestWithContext(t.Context(), ask.method, h.url+ask.path, strings.NewReader(`{"query":"{hello}"}`))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				if c.origin != "" {
					r.Header.Set("Origin", c.origin)
				}
				if ask.method == http.MethodOptions {
					r.Header.Set("Access-Control-Request-Method", "POST")
					r.Header.Set("Access-Control-Request-Headers", "authorization,x-mine")
				}
				response, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				header := response.Header
				if got := header.Get("Access-Control-Allow-Origin"); response.StatusCode != ask.status || got != c.allowed {
					t.Errorf("%s: status %d, allowed to %q, want %q", what, response.StatusCode, got, c.allowed)
				}
				if got := header.Get("Access-Control-Allow-Credentials") == "true"; got != c.credentials {
					t.Errorf("%s: cookies may be sent: %v", what, got)
				}
				named := len(c.origins) > 0 && c.origins[len(c.origins)-1] != "*"
				if got := strings.Contains(strings.Join(header["Vary"], ","), "Origin"); got != named {
					t.Errorf("%s: Vary is %q", what, header["Vary"])
				}
				if ask.method != http.MethodOptions {
					continue
				}
				want := ""
				if c.allowed != "" {
					want = "authorization,x-mine"
				}
				if got := header.Get("Access-Control-Allow-Headers"); got != want {
					t.Errorf("%s: the headers allowed are %q", what, got)
				}
				if got := header.Get("Access-Control-Allow-Methods"); strings.Contains(got, "POST") != (c.allowed != "") {
					t.Errorf("%s: the methods allowed are %q", what, got)
				}
			}
		})
	}
}
