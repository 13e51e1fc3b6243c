package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// The storefront and the console as `make web` builds them; only a placeholder
// where they were not built.
//
//go:embed all:site/dist
var site embed.FS

// storefrontPolicy lets the page reach its own origin and nothing else: no
// script and no style stands in a page, so none is allowed there. 'self'
// covers WebSockets to it. Forms are read by scripts and sent nowhere.
const storefrontPolicy = "default-src 'none'; " +
	"script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// storefrontPages are the addresses of the storefront's pages. Path values
// become variables of what they ask first.
var storefrontPages = map[string]storefrontPage{
	"/{$}":               {first: []string{"Shop", "Home"}},
	"/products/{handle}": {first: []string{"Shop", "Product"}, program: "product"},
	"/search":            {first: []string{"Shop"}, program: "search"},
	"/collections/{id}":  {first: []string{"Shop"}, program: "search"},
	"/checkout":          {first: []string{"Shop"}, program: "checkout"},
	"/order/{id}":        {first: []string{"Shop"}, program: "order"},
	"/account":           {first: []string{"Shop"}, program: "account"},
	"/account/":          {first: []string{"Shop"}, program: "account"},
}

// A storefrontPage is what a page needs first: the storefront's operations by
// name, and the program that it has besides the first page's.
type storefrontPage struct {
	first   []string
	program string
}

// consolePages are the addresses of the console's pages. What they show is for
// those who sign in, so nothing comes with them.
var consolePages = []string{"/console", "/console/"}

// Where the page holds what the server puts into it.
const (
	answersMark = "<!--answers-->"
	titleMark   = "<title>Shop</title>"
	headEnd     = "</head>"
)

// StorefrontOptions are what the storefront needs of the gateway.
type StorefrontOptions struct {
	ShopName string
	Test     bool         // nothing is really sold: pages say so, and offer test cards
	API      http.Handler // the gateway's GraphQL over HTTP
	Instead  http.Handler // serves the root of a binary that was built without the storefront
}

// Storefront serves the shop's pages, those of the console, and their assets. Other addresses have a
// page that says so, with 404; it is to be mounted where nothing else is.
//
// What a page asks first is answered with the page: the storefront's own
// operation runs through API as the visitor's request would, but as a guest,
// since pages are the same for everybody.
func Storefront(o StorefrontOptions) http.Handler {
	dist, err := fs.Sub(site, "site/dist")
	if err != nil {
		panic(err) // the path above is not one
	}
	return storefrontHandler(dist, o)
}

func storefrontHandler(dist fs.FS, o StorefrontOptions) http.Handler {
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		mux := http.NewServeMux()
		mux.Handle("GET /{$}", o.Instead)
		return mux
	}
	title := []byte("<title>" + html.EscapeString(o.ShopName) + "</title>")
	if o.Test {
		title = append(title, `<meta name="test-shop" content="yes">`...)
	}
	page = bytes.Replace(page, []byte(titleMark), title, 1)
	console, err := fs.ReadFile(dist, "console.html")
	if err != nil {
		panic(err) // it is built with index.html
	}
	console = bytes.Replace(console, []byte(titleMark), title, 1)
	asker := asker{api: o.API, operations: operationsOf(dist)}

	programs := programsOf(dist)
	mux := http.NewServeMux()
	for pattern, p := range storefrontPages {
		page := preloading(page, programs[p.program])
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			servePage(w, r, page, asker.answers(r, p.first), http.StatusOK)
		})
	}
	for _, pattern := range consolePages {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			servePage(w, r, console, nil, http.StatusOK)
		})
	}
	mux.HandleFunc("/assets/", func(w http.ResponseWriter, r *http.Request) {
		serveAsset(w, r, dist, strings.TrimPrefix(r.URL.Path, "/"))
	})
	mux.HandleFunc("/licenses.md", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		http.ServeFileFS(w, r, dist, "licenses.md")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.NotFound(w, r)
			return
		}
		servePage(w, r, page, nil, http.StatusNotFound)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			if _, pattern := mux.Handler(r); pattern == "/" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "GET or HEAD", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", storefrontPolicy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// programsOf are the files of pages' programs, by the program's name. Without
// them browsers learn of those only from the first page's program.
func programsOf(dist fs.FS) map[string][]string {
	var programs map[string][]string
	if text, err := fs.ReadFile(dist, "programs.json"); err == nil {
		_ = json.Unmarshal(text, &programs)
	}
	return programs
}

// preloading is the page with these programs, to be fetched beside the first one.
func preloading(page []byte, programs []string) []byte {
	var links strings.Builder
	for _, program := range programs {
		links.WriteString(`<link rel="modulepreload" crossorigin href="` + html.EscapeString(program) + `">`)
	}
	return bytes.Replace(page, []byte(headEnd), []byte(links.String()+headEnd), 1)
}

// packers are kept for the next page: each takes 800 KB to make.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// servePage sends the page with these answers in it. A browser that has the
// very same already is told so.
func servePage(w http.ResponseWriter, r *http.Request, page, answers []byte, status int) {
	if answers != nil {
		page = bytes.Replace(page, []byte(answersMark), slicesOf(`<script type="application/json" id="answers">`, answers, `</script>`), 1)
	}
	h := w.Header()
	sum := sha256.Sum256(page)
	tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	h.Set("Vary", "Accept-Encoding")
	if status == http.StatusOK && strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	if accepts(r, "gzip") {
		var packed bytes.Buffer
		zip := packers.Get().(*gzip.Writer)
		zip.Reset(&packed)
		_, _ = zip.Write(page)
		_ = zip.Close() // neither fails into a buffer
		packers.Put(zip)
		page = packed.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(page)))
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_, _ = w.Write(page)
	}
}

func slicesOf(before string, middle []byte, after string) []byte {
	return append(append([]byte(before), middle...), after...)
}
