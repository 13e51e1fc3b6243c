package mail

import (
	"embed"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed page
var files embed.FS

const (
	// pagePolicy lets the page load what is its own, and nothing else.
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// messagePolicy shows a message without letting it do or load anything.
	// Its links open in windows of their own.
	messagePolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

// Routes adds the page, at / and /sandbox, and what stands behind it:
//
//	GET /sandbox/mail/messages?to=&limit=    {"messages": […]}, newest first
//	GET /sandbox/mail/messages/{id}/html     the message as its reader sees it
//	GET /sandbox/mail/messages/{id}/raw      as it came
//	GET /sandbox/mail/messages/{id}/attachments/{n}
//	GET /sandbox/mail/events                 an event stream: the latest message's id
//	GET, POST /sandbox/mail/faults           see Faults
func (s *Server) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.front)
	mux.HandleFunc("GET /sandbox", s.front)
	mux.HandleFunc("GET /sandbox/mail/page/{file}", s.asset)
	mux.HandleFunc("GET /sandbox/mail/messages", s.list)
	mux.HandleFunc("GET /sandbox/mail/messages/{id}/html", s.shown)
	mux.HandleFunc("GET /sandbox/mail/messages/{id}/raw", s.raw)
	mux.HandleFunc("GET /sandbox/mail/messages/{id}/attachments/{n}", s.attachment)
	mux.HandleFunc("GET /sandbox/mail/events", s.events)
	mux.HandleFunc("GET /sandbox/mail/faults", s.faultsPage)
	mux.HandleFunc("POST /sandbox/mail/faults", s.faultsPage)
}

func reply(w http.ResponseWriter, status int, body any) {
	head(w, "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func head(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

func (s *Server) front(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", pagePolicy)
	s.file(w, "index.html")
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) { s.file(w, r.PathValue("file")) }

func (s *Server) file(w http.ResponseWriter, name string) {
	content, err := files.ReadFile("page/" + name)
	if err != nil {
		reply(w, http.StatusNotFound, map[string]string{"error": "There is no such page."})
		return
	}
	ext := name[strings.LastIndexByte(name, '.')+1:]
	head(w, map[string]string{"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[ext]+"; charset=utf-8")
	_, _ = w.Write(content)
}

const listMost = 100 // messages in one answer, unless another limit is asked for

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	most := listMost
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			reply(w, http.StatusBadRequest, map[string]string{"error": "limit is a number from 1."})
			return
		}
		most = n
	}
	reply(w, http.StatusOK, map[string]any{"messages": s.box.list(strings.ToLower(q.Get("to")), most)})
}

func (s *Server) message(w http.ResponseWriter, r *http.Request) (Message, bool) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	m, ok := s.box.get(id)
	if !ok {
		reply(w, http.StatusNotFound, map[string]string{"error": "There is no such message, or it was forgotten."})
	}
	return m, ok
}

func (s *Server) shown(w http.ResponseWriter, r *http.Request) {
	m, ok := s.message(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Security-Policy", messagePolicy)
	if m.HTML == "" {
		head(w, "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(m.Text))
		return
	}
	head(w, "text/html; charset=utf-8")
	_, _ = w.Write([]byte(withTarget(m.HTML)))
}

// withTarget lets links open in windows of their own: the frame itself stays.
func withTarget(html string) string {
	const target = `<base target="_blank">`
	if i := strings.Index(html, "<head>"); i >= 0 {
		return html[:i+6] + target + html[i+6:]
	}
	return target + html
}

func (s *Server) raw(w http.ResponseWriter, r *http.Request) {
	if m, ok := s.message(w, r); ok {
		download(w, fmt.Sprintf("message-%d.eml", m.ID), m.Raw)
	}
}

func (s *Server) attachment(w http.ResponseWriter, r *http.Request) {
	m, ok := s.message(w, r)
	if !ok {
		return
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(m.Attachments) {
		reply(w, http.StatusNotFound, map[string]string{"error": "There is no such attachment."})
		return
	}
	download(w, m.Attachments[n].Name, m.Attachments[n].Data)
}

// download sends a file to be kept, never to be shown: it is a stranger's.
func download(w http.ResponseWriter, name string, content []byte) {
	head(w, "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, _ = w.Write(content)
}

// events tells a page of each new message until it leaves.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	head(w, "text/event-stream")
	out := http.NewResponseController(w)
	latest, done := s.box.watch()
	defer done()
	beat := time.NewTicker(20 * time.Second) // so that a page that has gone is noticed
	defer beat.Stop()
	for {
		line := ":\n\n"
		select {
		case id := <-latest:
			line = fmt.Sprintf("data: %d\n\n", id)
		case <-beat.C:
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		}
		_ = out.SetWriteDeadline(time.Now().Add(10 * time.Second))
		if _, err := w.Write([]byte(line)); err != nil || out.Flush() != nil {
			return
		}
	}
}
