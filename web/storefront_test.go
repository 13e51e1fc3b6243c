package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

const shell = `<!doctype html><head><title>Shop</title></head><div id="root"></div><!--answers-->`

// shopFront is a storefront of few files before an API that remembers what it
// was asked.
func shopFront(t *testing.T, api http.HandlerFunc) http.Handler {
	t.Helper()
	return storefrontHandler(fstest.MapFS{
		"index.html":   {Data: []byte(shell)},
		"console.html": {Data: []byte(strings.Replace(shell, "<!--answers-->", "the console", 1))},
		"licenses.md":  {Data: []byte("# Licences")},
		"operations.json": {Data: []byte(`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
			{"name": "Shop", "body": "query Shop { shop }"}, {"name": "Home", "body": "query Home { home }"},
			{"name": "Product", "body": "query Product($handle: String!) { product }"}]}`)},
		"programs.json":         {Data: []byte(`{"search": ["/assets/search-1.js", "/assets/form-2.js"]}`)},
		"assets/a-1234.js.gz":   {Data: packed(t, script)},
		"assets/a-1234.js.br":   {Data: []byte("as Brotli")},
		"assets/f-1234.woff2":   {Data: []byte("a font")},
		"assets/secret-1.patch": {Data: []byte("no asset")},
	}, StorefrontOptions{ShopName: "Mugs & more", API: api})
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = io.WriteString(zip, text)
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func silent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

func TestStorefrontPages(t *testing.T) {
	h := shopFront(t, silent)
	for _, path := range []string{"/", "/search", "/search?q=mug", "/collections/new", "/products/mug", "/checkout", "/order/1", "/account", "/account/verify?token=x", "/console", "/console/orders/1"} {

		w := get(h, path)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<title>Mugs &amp; more</title>") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if console := strings.Contains(w.Body.String(), "the console"); console != strings.HasPrefix(path, "/console") {
			t.Errorf("%s: is the console: %t", path, console)
		}
		for name, want := range map[string]string{"Cache-Control": "no-cache", "Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "nonce") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

func TestStorefrontSaysWhetherItIsATest(t *testing.T) {
	dist := fstest.MapFS{"index.html": {Data: []byte(shell)}, "console.html": {Data: []byte(shell)}}
	for _, test := range []bool{true, false} {
		page := get(storefrontHandler(dist, StorefrontOptions{ShopName: "Mugs", Test: test}), "/").Body.String()
		if says := strings.Contains(page, `<meta name="test-shop"`); says != test {
			t.Errorf("a test: %t, says so: %t\n%s", test, says, page)
		}
	}
}

func TestStorefrontPagesNameTheirPrograms(t *testing.T) {
	h := shopFront(t, silent)
	for path, want := range map[string]int{"/": 0, "/search": 2, "/collections/new": 2, "/products/mug": 0} {
		head, _, _ := strings.Cut(get(h, path).Body.String(), "</head>")
		if got := strings.Count(head, `<link rel="modulepreload" crossorigin href="/assets/`); got != want {
			t.Errorf("%s: %d programs to be fetched at once, want %d\n%s", path, got, want, head)
		}
	}
}

// The storefront that lies in this binary, if it was built.
func TestStorefrontAsBuilt(t *testing.T) {
	dist, err := fs.Sub(site, "site/dist")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Stat(dist, "index.html"); err != nil {
		t.Skip("the storefront was not built: make web")
	}
	h := storefrontHandler(dist, StorefrontOptions{ShopName: "Mugs"})
	first := 0 // programs of the first page
	for _, path := range []string{"/", "/search", "/products/mug", "/checkout", "/order/1", "/account"} {
		page := get(h, path, "Accept-Encoding", "identity").Body.String()
		if !regexp.MustCompile(`<link rel="preload" href="/assets/[^"]+\.woff2" as="font" type="font/woff2" crossorigin`).MatchString(page) {
			t.Errorf("%s: its font is not preloaded\n%s", path, page)
		}
		named := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(page, -1)
		programs := 0
		for _, file := range named {
			w := get(h, file[1], "Accept-Encoding", "br, gzip")
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !hashed.MatchString(file[1]) {
				t.Errorf("%s names %s: %d, Cache-Control %q", path, file[1], w.Code, w.Header().Get("Cache-Control"))
			}
			if strings.HasSuffix(file[1], ".js") {
				programs++
				if w.Header().Get("Content-Encoding") != "br" {
					t.Errorf("%s is sent as %q", file[1], w.Header().Get("Content-Encoding"))
				}
			}
		}
		if path == "/" {
			first = programs
		} else if programs <= first {
			t.Errorf("%s does not name its own program: %v", path, named)
		}
	}
}

// hashed are names that change with what they name.
var hashed = regexp.MustCompile(`-[\w-]{8}\.\w+$`)

func TestStorefrontPageIsSentOnce(t *testing.T) {
	h := shopFront(t, silent)
	first := get(h, "/")
	tag := first.Header().Get("ETag")
	if again := get(h, "/", "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("the same page: %d, %d bytes", again.Code, again.Body.Len())
	}
	if other := get(h, "/", "If-None-Match", `W/"another"`); other.Code != http.StatusOK {
		t.Errorf("another page: %d", other.Code)
	}
	compressed := get(h, "/", "Accept-Encoding", "br, gzip")
	unpacked, err := gzip.NewReader(compressed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unpacked); err != nil || string(text) != first.Body.String() {
		t.Errorf("compressed: %q, %v", text, err)
	}
}

func TestStorefrontPageBringsItsAnswers(t *testing.T) {
	var asked []string
	h := shopFront(t, func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			Query     string
			Variables map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		name, _, _ := strings.Cut(strings.Fields(sent.Query)[1], "(")
		asked = append(asked, name)
		if len(r.Cookies()) > 0 || r.Header.Get("Authorization") != "" {
			t.Error("a page that is the same for everybody was asked for in somebody's name")
		}
		if r.RemoteAddr == "" {
			t.Error("asked from nowhere: nobody is charged")
		}
		_, _ = io.WriteString(w, `{"data": {"of": "</script>`+sent.Variables["handle"]+`"}}`)
	})
	w := get(h, "/products/mug", "Cookie", "ordergraph_access=secret", "Authorization", "Bearer secret")
	_, rest, _ := strings.Cut(w.Body.String(), `<script type="application/json" id="answers">`)
	text, after, closed := strings.Cut(rest, "</script>")
	var answers []answer
	if err := json.Unmarshal([]byte(text), &answers); err != nil || !closed || after != "" {
		t.Fatalf("%s: %v", w.Body, err)
	}
	if len(answers) != 2 || answers[0].Name != "Shop" || answers[1].Name != "Product" || answers[1].Variables["handle"] != "mug" || !strings.Contains(string(answers[1].Data), "mug") {
		t.Errorf("%+v", answers)
	}
	if strings.Join(asked, " ") != "Shop Product" {
		t.Errorf("asked %v", asked)
	}
}

func TestStorefrontPageWithoutAnswers(t *testing.T) {
	for name, api := range map[string]http.HandlerFunc{
		"away": silent,
		"errors": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"data": {"shop": null}, "errors": [{}]}`)
		},
		"long": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"data": {"shop": "`+strings.Repeat("x", mostAnswers)+`"}}`)
		},
	} {
		if w := get(shopFront(t, api), "/"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: %d %.200s", name, w.Code, w.Body)
		}
	}
}

func TestStorefrontPageWaitsOnceForAllItsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := get(shopFront(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), "/")
		if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%d %.200s", w.Code, w.Body)
		}
		if waited := time.Since(began); waited != answerWithin {
			t.Errorf("the page of a shop that does not answer came after %v, want %v", waited, answerWithin)
		}
	})
}

func TestStorefrontAssets(t *testing.T) {
	h := shopFront(t, silent)
	for _, c := range []struct{ path, accepted, coding, body string }{
		{"/assets/a-1234.js", "gzip, br", "br", "as Brotli"},
		{"/assets/a-1234.js", "br;q=0, gzip", "gzip", string(packed(t, script))},
		{"/assets/a-1234.js", "br;q=0, *", "gzip", string(packed(t, script))},
		{"/assets/a-1234.js", "", "", script},
		{"/assets/f-1234.woff2", "gzip, br", "", "a font"},
	} {
		w := get(h, c.path, "Accept-Encoding", c.accepted)
		if w.Code != http.StatusOK || w.Header().Get("Content-Encoding") != c.coding || w.Body.String() != c.body {
			t.Errorf("%s for %q: %d as %q: %q", c.path, c.accepted, w.Code, w.Header().Get("Content-Encoding"), w.Body)
		}
		if got := w.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", c.path, got)
		}
	}
}

func TestStorefrontHasNothingElse(t *testing.T) {
	h := shopFront(t, silent)
	for _, path := range []string{"/assets/nothing.js", "/assets/a-1234.js.br", "/assets/secret-1.patch", "/operations.json", "/index.html", "/webhooks/card", "/nothing"} {
		if w := get(h, path); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "<title>") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := get(h, "/nowhere", "Accept", "text/html,*/*"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "<title>") {
		t.Errorf("an address that is none, for a browser: %d %s", w.Code, w.Body)
	}
	for path, want := range map[string]int{"/": http.StatusMethodNotAllowed, "/webhooks/card": http.StatusNotFound} {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil)); w.Code != want {
			t.Errorf("POST %s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestStorefrontThatWasNotBuilt(t *testing.T) {
	h := storefrontHandler(fstest.MapFS{".gitkeep": {}}, StorefrontOptions{Instead: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "/graphql")
	})})
	if w := get(h, "/"); w.Code != http.StatusOK || w.Body.String() != "/graphql" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(h, "/search"); w.Code != http.StatusNotFound {
		t.Errorf("/search: %d", w.Code)
	}
}
