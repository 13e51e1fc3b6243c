package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"ordergraph/graph"
	"ordergraph/test/redisserver"
)

// askFrom sends a GraphQL operation from an address that a proxy tells of, and
// returns the answer's status, header and body.
func (s *server) askFrom(query, from string) (int, http.Header, string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url("/graphql"), strings.NewReader(string(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if from != "" {
		req.Header.Set("X-Forwarded-For", from)
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

const (
	nameQuery = `query Name { shop { name } }`
	signIn    = `mutation { customerAccessTokenCreate(input: {email: "nobody@shop.example", password: "a long wrong password"}) { customerUserErrors { code } } }`
)

// refusedOf is how many of n were refused, all of them as they should be.
func (s *server) refusedOf(n int, query, from string) (refused int) {
	s.t.Helper()
	for range n {
		status, header, body := s.askFrom(query, from)
		switch {
		case status == http.StatusOK && !strings.Contains(body, "THROTTLED"):
		case status == http.StatusTooManyRequests && header.Get("Retry-After") != "" && strings.Contains(body, `"code":"THROTTLED"`):
			refused++
		default:
			s.t.Errorf("%d %v %s", status, header, body)
		}
	}
	return refused
}

// Points come back while the test runs, one a second.
func TestLimitsOfRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, fresh(t).with(settings{"BUDGET_RATE": "1", "BUDGET_BURST": "300", "SIGN_IN_LIMIT": "3", "TRUSTED_PROXIES": "127.0.0.0/8", "LOG_LEVEL": "ERROR"}))
	began := time.Now()
	allowed := 700 - s.refusedOf(700, nameQuery, "198.51.100.1")
	if most := 301 + int(time.Since(began).Seconds()); allowed < 300 || allowed > most {
		t.Errorf("%d allowed, from 300 to %d should be", allowed, most)
	}
	if refused := s.refusedOf(20, nameQuery, "198.51.100.2"); refused > 0 {
		t.Errorf("somebody else was refused %d times", refused)
	}
	if refused := s.refusedOf(1, nameQuery, "203.0.113.5, 198.51.100.2"); refused > 0 {
		t.Error("what a client writes before its address changes who it is")
	}
	began = time.Now()
	allowed = 20 - s.refusedOf(20, signIn, "198.51.100.3")
	if most := 4 + int(time.Since(began)/(20*time.Second)); allowed < 3 || allowed > most {
		t.Errorf("%d tries to sign in, from 3 to %d should be", allowed, most)
	}
	status, header, body := s.askFrom(nameQuery, "198.51.100.4")
	if status != http.StatusOK || !strings.Contains(body, `"extensions":{"cost":{"requestedQueryCost":1,"actualQueryCost":1,"throttleStatus":{"maximumAvailable":300,"currentlyAvailable":299,"restoreRate":1}}}`) {
		t.Errorf("%d %s", status, body)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'", "Strict-Transport-Security": ""} {
		if got := header.Get(name); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Nobody is believed who is not trusted; and what is spent stands in Redis.
func TestLimitsAreSharedAndNotSpoofed(t *testing.T) {
	t.Parallel()
	redisAddr := redisserver.Start(t).Addr
	s := serve(t, fresh(t).with(settings{"REDIS_URL": "redis://" + redisAddr, "BUDGET_RATE": "1", "BUDGET_BURST": "200", "PUBLIC_URL": "https://shop.example", "LOG_LEVEL": "ERROR"}))
	began, allowed := time.Now(), 500
	for i := range 500 {
		allowed -= s.refusedOf(1, nameQuery, fmt.Sprintf("198.51.100.%d", i%250))
	}
	// Redis may be found away for a moment, where the machine is busy; what
	// was spent then this process alone knows.
	if most := 2 * (201 + int(time.Since(began).Seconds())); allowed < 200 || allowed > most {
		t.Errorf("%d allowed, from 200 to %d should be", allowed, most)
	}
	store := redis.NewClient(&redis.Options{Addr: redisAddr})
	defer store.Close()
	s.eventually("counts in Redis", func() error {
		s.refusedOf(1, nameQuery, "198.51.100.1")
		n, err := store.Exists(t.Context(), "rate:general:address:127.0.0.1").Result()
		if err == nil && n == 0 {
			err = errors.New("no such key")
		}
		return err
	})
	if _, header, _ := s.askFrom(nameQuery, ""); header.Get("Strict-Transport-Security") == "" {
		t.Error("browsers may come without TLS")
	}
}

func TestLimitsCanBeOff(t *testing.T) {
	t.Parallel()
	s := serve(t, fresh(t).with(settings{"BUDGET_RATE": "1", "BUDGET_BURST": "1", "RATE_LIMIT": "off"}))
	if refused := s.refusedOf(20, nameQuery, ""); refused > 0 {
		t.Errorf("%d refused", refused)
	}
	if _, _, body := s.askFrom(nameQuery, ""); strings.Contains(body, "extensions") {
		t.Errorf("%s", body)
	}
}

func TestRegisteredOperations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "operations.json")
	name, more, wrong := filepath.Join(dir, "name.graphql"), filepath.Join(dir, "more.graphql"), filepath.Join(dir, "wrong.graphql")
	for path, text := range map[string]string{name: nameQuery + "\n", more: "query A { shop { ...s } }\nquery B { shop { name } }\nfragment s on Shop { name }\n", wrong: "query C {\n nothing }"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := settings{"OPERATIONS_FILE": file}
	run(t, set, "operations", "register", name, wrong).want(1, "nothing was registered", wrong+": line 2", "nothing")
	if _, err := os.Stat(file); err == nil {
		t.Error("something was registered")
	}
	run(t, fresh(t).with(set).with(settings{"SAFELIST": "on"}), "serve").want(2, "PLAYGROUND=off")
	run(t, fresh(t).with(set).with(settings{"SAFELIST": "on", "PLAYGROUND": "off"}), "serve").want(1, "OPERATIONS_FILE", "ordergraph operations register")
	run(t, set, "operations", "register", name).want(0, "new: query Name ", "1 new, 1 operations")
	run(t, set, "operations", "register", name).want(0, "0 new, 1 operations")

	s := serve(t, fresh(t).with(set).with(settings{"SAFELIST": "on", "PLAYGROUND": "off"}))
	if status, _, body := s.askFrom(nameQuery, ""); status != http.StatusOK || !strings.Contains(body, `"data":{"shop"`) {
		t.Errorf("%d %s", status, body)
	}
	if _, _, body := s.askFrom(`{ shop { name } }`, ""); !strings.Contains(body, `"code":"OPERATION_NOT_REGISTERED"`) {
		t.Errorf("%s", body)
	}
	run(t, nil, "operations", "register", "-o", file, more, file).want(0, "new: query A ", "new: query B ", "2 new, 3 operations")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := graph.ReadManifest(text)
	if err != nil || len(m.Operations) != 3 {
		t.Fatalf("%v: %s", err, text)
	}
	s.eventually("takes what was registered later", func() error {
		if _, _, body := s.askFrom(m.Operations[0].Body, ""); !strings.Contains(body, `"data":{"shop"`) {
			return fmt.Errorf("%s: %s", m.Operations[0].Name, body)
		}
		return nil
	})
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, set, "operations", "register", name).want(2, "not a manifest")
}
