package web

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// contentTypes are those of the assets. The system's own table of them may
// say otherwise, and `nosniff` leaves no second guess.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".ttf":   "font/ttf",
	".woff2": "font/woff2",
}

// serveAsset sends a file whose name changes with its content: as Brotli or
// gzip, whichever lies in the binary and the client takes; unpacked to who
// takes neither; or as it is, where it was not compressed.
func serveAsset(w http.ResponseWriter, r *http.Request, dist fs.FS, name string) {
	kind, ok := contentTypes[path.Ext(name)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	for _, form := range []struct{ coding, ending string }{{"br", ".br"}, {"gzip", ".gz"}, {"", ""}, {"", ".gz"}} {
		if form.coding != "" && !accepts(r, form.coding) {
			continue
		}
		file, err := dist.Open(name + form.ending)
		if err != nil {
			continue
		}
		defer func() { _ = file.Close() }()
		sendAsset(w, r, file, kind, form.coding, form.coding == "" && form.ending != "")
		return
	}
	http.NotFound(w, r)
}

func sendAsset(w http.ResponseWriter, r *http.Request, file fs.File, kind, coding string, unpack bool) {
	h := w.Header()
	content := io.Reader(file)
	if unpack {
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			http.Error(w, "This file is damaged.", http.StatusInternalServerError)
			return
		}
		content = unpacked
	} else if info, err := file.Stat(); err == nil {
		h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", kind)
	h.Set("Vary", "Accept-Encoding")
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, content)
	}
}

// accepts reports whether the client takes this coding of contents.
func accepts(r *http.Request, coding string) bool {
	any := false
	for accepted := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		named, parameters, _ := strings.Cut(accepted, ";")
		switch named = strings.ToLower(strings.TrimSpace(named)); named {
		case coding:
			return wanted(parameters)
		case "*":
			any = wanted(parameters)
		}
	}
	return any
}

func wanted(parameters string) bool {
	weight, isWeight := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
	q, err := strconv.ParseFloat(weight, 64)
	return !isWeight || err == nil && q > 0
}
