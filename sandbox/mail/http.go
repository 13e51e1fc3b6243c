package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"ordergraph/sandbox/faults"
	"ordergraph/sandbox/page"
)

// Policies of what strangers have written.
const (
	// messagePolicy shows a message without letting it do or load anything.
	// Its links open in windows of their own.
	messagePolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
	// filePolicy lets a file that is opened by accident do nothing.
	filePolicy = "sandbox; default-src 'none'"
	// pdfPolicy is filePolicy for what the browser's own viewer shows, in a
	// process that cannot reach this origin: Chromium's does not start in a
	// document that is sandboxed, and is an object with a style.
	pdfPolicy = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// Routes adds what stands behind the page with the mailbox:
//
//	GET /sandbox/mail/messages?to=&limit=    {"messages": […]}, newest first
//	GET /sandbox/mail/messages/{id}/html     the message as its reader sees it
//	GET /sandbox/mail/messages/{id}/raw      as it came
//	GET /sandbox/mail/messages/{id}/attachments/{n}   to be kept; ?show=1 opens a PDF
//	GET /sandbox/mail/events                 an event stream: the latest message's id
//	GET /sandbox/mail/ledger                 see Ledger
//	GET, POST /sandbox/mail/faults           see Faults
func (s *Server) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /sandbox/mail/messages", s.list)
	mux.HandleFunc("GET /sandbox/mail/messages/{id}/html", s.shown)
	mux.HandleFunc("GET /sandbox/mail/messages/{id}/raw", s.raw)
	mux.HandleFunc("GET /sandbox/mail/messages/{id}/attachments/{n}", s.attachment)
	mux.HandleFunc("GET /sandbox/mail/events", s.box.bell.Serve)
	mux.HandleFunc("GET /sandbox/mail/ledger", func(w http.ResponseWriter, _ *http.Request) { page.JSON(w, http.StatusOK, s.Ledger()) })
	faultsPage := func(w http.ResponseWriter, r *http.Request) { faults.Serve(w, r, s.Faults, s.SetFaults) }
	mux.HandleFunc("GET /sandbox/mail/faults", faultsPage)
	mux.HandleFunc("POST /sandbox/mail/faults", faultsPage)
}

const listMost = 100 // messages in one answer, unless another limit is asked for

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	most := listMost
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			page.Problem(w, http.StatusBadRequest, "limit is a number from 1.")
			return
		}
		most = n
	}
	page.JSON(w, http.StatusOK, map[string]any{"messages": s.box.list(strings.ToLower(q.Get("to")), most)})
}

func (s *Server) message(w http.ResponseWriter, r *http.Request) (Message, bool) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	m, ok := s.box.get(id)
	if !ok {
		page.Problem(w, http.StatusNotFound, "There is no such message, or it was forgotten.")
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
		page.Head(w, "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(m.Text))
		return
	}
	page.Head(w, "text/html; charset=utf-8")
	_, _ = w.Write([]byte(withTarget(m.withPictures())))
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
		download(w, Attachment{Name: fmt.Sprintf("message-%d.eml", m.ID), Data: m.Raw})
	}
}

func (s *Server) attachment(w http.ResponseWriter, r *http.Request) {
	m, ok := s.message(w, r)
	if !ok {
		return
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(m.Attachments) {
		page.Problem(w, http.StatusNotFound, "There is no such attachment.")
		return
	}
	file := m.Attachments[n]
	if r.URL.Query().Has("show") && file.isPDF() {
		send(w, file, "application/pdf", "inline", pdfPolicy)
		return
	}
	download(w, file)
}

// isPDF reports whether the file is one, and not only called so.
func (a Attachment) isPDF() bool {
	return a.Type == "application/pdf" && bytes.HasPrefix(a.Data, []byte("%PDF-"))
}

// download sends a file to be kept, never to be shown: it is a stranger's.
func download(w http.ResponseWriter, file Attachment) {
	send(w, file, "application/octet-stream", "attachment", filePolicy)
}

func send(w http.ResponseWriter, file Attachment, kind, disposition, policy string) {
	page.Head(w, kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": file.Name}))
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	_, _ = w.Write(file.Data)
}

// withPictures is the HTML with the pictures that came with the message in
// their places.
func (m *Message) withPictures() string {
	var pairs []string
	for _, a := range m.Attachments {
		if a.ContentID != "" && strings.HasPrefix(a.Type, "image/") {
			data := "data:" + a.Type + ";base64," + base64.StdEncoding.EncodeToString(a.Data)
			pairs = append(pairs, `"cid:`+a.ContentID+`"`, `"`+data+`"`, `'cid:`+a.ContentID+`'`, `'`+data+`'`)
		}
	}
	return strings.NewReplacer(pairs...).Replace(m.HTML)
}
