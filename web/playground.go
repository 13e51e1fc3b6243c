package web

import (
	"bytes"
	"crypto/rand"
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

// The playground as `make web` builds it, but for index.html compressed; only
// a placeholder where it was not built.
//
//go:embed all:playground/dist
var playground embed.FS

// PlaygroundPath is where the playground wants to be mounted.
const PlaygroundPath = "/playground/"

const nonceMark = "{{nonce}}"

// playgroundPolicy lets the page reach its own origin and nothing else. 'self'
// covers WebSockets to it. Scripts and workers are files. Of styles:
//
//   - Elements must carry the page's nonce, since the editor and the dialogs
//     make theirs at run time (see playground/src/nonce.ts).
//   - Attributes must be allowed: the editor writes its lines as HTML and puts
//     each in its place with a style attribute, which neither a nonce nor a
//     hash can allow. An attribute loads nothing that the rest of the policy
//     does not allow, and cannot select other elements.
//
// Nobody may frame the page, so that nobody is led to click in it.
const playgroundPolicy = "default-src 'none'; " +
	"script-src 'self'; worker-src 'self'; connect-src 'self'; " +
	"style-src 'self' 'nonce-" + nonceMark + "'; style-src-attr 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Playground serves GraphiQL below PlaygroundPath, for the GraphQL at /graphql of
// the same origin. In a binary that was built without it, it says how to
// build it, with 503.
func Playground() http.Handler {
	dist, err := fs.Sub(playground, "playground/dist")
	if err != nil {
		panic(err) // the path above is not one
	}
	return playgroundHandler(dist)
}

func playgroundHandler(dist fs.FS) http.Handler {
	page, err := fs.ReadFile(dist, "index.html")
	if err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "This program was built without the playground. `make web` builds it (it needs Node and npm); then build the program again.", http.StatusServiceUnavailable)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "GET or HEAD", http.StatusMethodNotAllowed)
			return
		}
		nonce := rand.Text()
		h := w.Header()
		h.Set("Content-Security-Policy", strings.ReplaceAll(playgroundPolicy, nonceMark, nonce))
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")

		switch name := strings.TrimPrefix(r.URL.Path, PlaygroundPath); {
		case name == "":
			h.Set("Cache-Control", "no-store") // a nonce is for one answer
			h.Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(bytes.ReplaceAll(page, []byte(nonceMark), []byte(nonce)))
		case name == "licenses.md":
			h.Set("Cache-Control", "no-cache")
			h.Set("Content-Type", "text/plain; charset=utf-8")
			http.ServeFileFS(w, r, dist, name)
		case strings.HasPrefix(name, "assets/"):
			serveAsset(w, r, dist, name)
		default:
			http.NotFound(w, r)
		}
	})
}
