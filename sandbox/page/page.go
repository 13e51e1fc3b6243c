// Package page is the window onto the sandbox: one page with the phone and the
// mailbox of the shop's customers, as they would see them, and what the parts
// behind it answer with.
package page

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"
)

//go:embed assets
var assets embed.FS

var front = template.Must(template.ParseFS(assets, "assets/index.html"))

// policy lets the page load what is its own, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Parts says which parts of the sandbox there are to be looked at.
type Parts struct {
	Phone   bool // at /sandbox/phone
	Mailbox bool // at /sandbox/mail
	Cards   bool // at /sandbox/card
}

// Routes adds the page, at / and /sandbox.
func (p Parts) Routes(mux *http.ServeMux) {
	if !p.Phone && !p.Mailbox {
		return
	}
	var b bytes.Buffer
	if err := front.Execute(&b, p); err != nil {
		panic(err) // it is the program's own
	}
	show := func(w http.ResponseWriter, _ *http.Request) {
		Head(w, "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(b.Bytes())
	}
	mux.HandleFunc("GET /{$}", show)
	mux.HandleFunc("GET /sandbox", show)
	mux.HandleFunc("GET /sandbox/page/{file}", asset)
}

func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	kind := map[string]string{"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[name[strings.LastIndexByte(name, '.')+1:]]
	content, err := assets.ReadFile("assets/" + name)
	if err != nil || kind == "" {
		Problem(w, http.StatusNotFound, "There is no such page.")
		return
	}
	Head(w, kind+"; charset=utf-8")
	_, _ = w.Write(content)
}
