package sandbox_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/sandbox"
	"ordergraph/sandbox/card"
	"ordergraph/sandbox/carrier"
	"ordergraph/sandbox/mail"
	"ordergraph/sandbox/twilio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everything is a sandbox with all its parts.
func everything(t *testing.T) sandbox.Options {
	t.Helper()
	store, err := docstorelocal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return sandbox.Options{
		Card: &card.Options{Store: store, SecretKey: "sk"}, Carrier: &carrier.Options{Store: store, Secret: "s"},
		Mail: &mail.Options{}, Twilio: &twilio.Options{Account: "AC" + strings.Repeat("0", 32), Token: "token"},
	}
}

func get(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

var loads = regexp.MustCompile(`(?:href|src)="([^"]+)"`)

// The page shows what there is, and loads nothing from elsewhere.
func TestPage(t *testing.T) {
	all := everything(t)
	for name, c := range map[string]struct {
		options    sandbox.Options
		has, lacks []string
	}{
		"everything": {all, []string{`id="phone"`, `id="mail"`, `href="/sandbox/card/"`, `data-show="mail"`}, nil},
		"mail":       {sandbox.Options{Mail: all.Mail}, []string{`id="mail"`}, []string{`id="phone"`, "phone.js", "/sandbox/card/", "data-show"}},
		"phone":      {sandbox.Options{Twilio: all.Twilio}, []string{`id="phone"`}, []string{`id="mail"`, "mailbox.js", "data-show"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sandbox.New(t.Context(), c.options)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s.Handler())
			defer server.Close()
			defer http.DefaultClient.CloseIdleConnections()
			for _, path := range []string{"/", "/sandbox"} {
				resp, body := get(t, server.URL+path)
				policy := resp.Header.Get("Content-Security-Policy")
				if resp.StatusCode != http.StatusOK || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(body, "http://") || strings.Contains(body, "https://") {
					t.Errorf("%s: %s, %s", path, resp.Status, policy)
				}
				for _, want := range c.has {
					if !strings.Contains(body, want) {
						t.Errorf("%s lacks %s", path, want)
					}
				}
				for _, no := range c.lacks {
					if strings.Contains(body, no) {
						t.Errorf("%s has %s", path, no)
					}
				}
				for _, m := range loads.FindAllStringSubmatch(body, -1) {
					if resp, _ := get(t, server.URL+m[1]); resp.StatusCode != http.StatusOK || resp.Header.Get("X-Content-Type-Options") != "nosniff" && strings.Contains(m[1], "/page/") {
						t.Errorf("%s: %s %v", m[1], resp.Status, resp.Header)
					}
				}
			}
			for _, path := range []string{"/sandbox/page/nothing", "/sandbox/page/index.html", "/sandbox/page/..%2fpage.go"} {
				if resp, _ := get(t, server.URL+path); resp.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %s", path, resp.Status)
				}
			}
		})
	}
}

// All parts answer at one address, each under the paths that its clients know,
// and pages of strangers cannot write.
func TestServe(t *testing.T) {
	s, err := sandbox.New(t.Context(), everything(t))
	if err != nil {
		t.Fatal(err)
	}
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	post, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, web, post) }()
	defer http.DefaultClient.CloseIdleConnections()
	base := "http://" + web.Addr().String()
	for path, want := range map[string]int{
		"/sandbox": 200, "/sandbox/mail/messages": 200, "/sandbox/phone/messages": 200, "/sandbox/card/ledger": 200, "/carrier/faults": 200,
		"/v1/payment_intents": 401, "/2010-04-01/Accounts/AC1/Messages.json": 401, "/carrier/v1/parcels/1": 401, "/nothing": 404,
	} {
		if resp, body := get(t, base+path); resp.StatusCode != want {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
	for _, path := range []string{"/sandbox/mail/faults", "/sandbox/phone/faults", "/sandbox/card/faults", "/carrier/faults"} {
		for origin, want := range map[string]int{"": 200, base: 200, "https://stranger.example": 403} {
			req, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			if origin != "" {
				req.Header.Set("Origin", origin)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s from %q: %s", path, origin, resp.Status)
			}
		}
	}
	// Who watches does not keep it from ending.
	resp, err := http.Get(base + "/sandbox/phone/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A shop with a real card processor has the rest of the sandbox all the same.
func TestWithoutCards(t *testing.T) {
	o := everything(t)
	o.Card = nil
	s, err := sandbox.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	for path, want := range map[string]int{"/": 200, "/carrier/faults": 200, "/sandbox/card/ledger": 404, "/v1/payment_intents": 404} {
		if resp, _ := get(t, server.URL+path); resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}
