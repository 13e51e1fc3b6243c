package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

const script = "console.log('hello')"

func built(t *testing.T) http.Handler {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = io.WriteString(zip, script)
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return playgroundHandler(fstest.MapFS{
		"index.html":          {Data: []byte(`<meta property="csp-nonce" nonce="{{nonce}}"><link nonce="{{nonce}}">`)},
		"licenses.md":         {Data: []byte("# Licences")},
		"assets/a-1234.js.gz": {Data: packed.Bytes()},
	})
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPlaygroundPage(t *testing.T) {
	h := built(t)
	nonces := map[string]bool{}
	for range 2 {
		w := get(h, "/playground/")
		policy := w.Header().Get("Content-Security-Policy")
		found := regexp.MustCompile(`'nonce-([A-Za-z0-9]{20,})'`).FindStringSubmatch(policy)
		if found == nil {
			t.Fatalf("no nonce in %q", policy)
		}
		nonces[found[1]] = true
		if want := strings.ReplaceAll(`<meta property="csp-nonce" nonce="N"><link nonce="N">`, "N", found[1]); w.Body.String() != want {
			t.Errorf("the page is %s, want %s", w.Body, want)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("a page with a nonce may be kept: %q", got)
		}
		if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("content type %q", got)
		}
	}
	if len(nonces) != 2 {
		t.Error("two pages have the same nonce")
	}
}

func TestPlaygroundPolicy(t *testing.T) {
	for _, path := range []string{"/playground/", "/playground/assets/a-1234.js", "/playground/nothing"} {
		h := get(built(t), path).Header()
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
			if !strings.Contains(h.Get("Content-Security-Policy"), want) {
				t.Errorf("%s: %q lacks %s", path, h.Get("Content-Security-Policy"), want)
			}
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestPlaygroundAssets(t *testing.T) {
	h := built(t)
	for _, c := range []struct {
		accepted string
		packed   bool
	}{
		{"", false}, {"br", false}, {"gzip;q=0", false}, {"identity, gzip; q=0.0", false},
		{"gzip", true}, {"br, GZIP;q=0.5", true}, {"*", true},
	} {
		w := get(h, "/playground/assets/a-1234.js", "Accept-Encoding", c.accepted)
		body := io.Reader(w.Body)
		if encoding := w.Header().Get("Content-Encoding"); (encoding == "gzip") != c.packed {
			t.Errorf("%q: encoded as %q", c.accepted, encoding)
		}
		if c.packed {
			var err error
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatalf("%q: %v", c.accepted, err)
			}
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != script {
			t.Errorf("%q: %q, %v", c.accepted, text, err)
		}
		for name, want := range map[string]string{
			"Cache-Control": "public, max-age=31536000, immutable", "Content-Type": "text/javascript; charset=utf-8", "Vary": "Accept-Encoding",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%q: %s is %q, want %q", c.accepted, name, got, want)
			}
		}
	}
}

func TestPlaygroundHasNothingElse(t *testing.T) {
	h := built(t)
	for _, path := range []string{
		"/playground/nothing", "/playground/index.html", "/playground/assets/", "/playground/assets/a-1234.js.gz",
		"/playground/assets/../index.html", "/playground/assets/../../web.go",
	} {
		if w := get(h, path); w.Code != http.StatusNotFound || w.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: %d, %v", path, w.Code, w.Header())
		}
	}
	if w := get(h, "/playground/licenses.md"); w.Code != http.StatusOK || w.Body.String() != "# Licences" {
		t.Errorf("licences: %d %s", w.Code, w.Body)
	}
	r := httptest.NewRequest(http.MethodPost, "/playground/", nil)
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("post: %d, %v", w.Code, w.Header())
	}
}

func TestPlaygroundThatWasNotBuilt(t *testing.T) {
	w := get(playgroundHandler(fstest.MapFS{".gitkeep": {}}), "/playground/")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "make web") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
