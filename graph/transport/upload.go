package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	stdmultipart "mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// Requests that bring files follow the GraphQL multipart request
// specification, https://github.com/jaydenseric/graphql-multipart-request-spec:
// a form whose first field is the operation, its second a map from the files
// behind them to the variables that they stand for.
//
// They cost memory, and forms are what pages of other origins can send without
// asking. So they are taken only with a header that such pages cannot send,
// from who may send files, few at a time; all of that is settled before the
// body is read.

const (
	mostFiles     = 4   // in one request, and places that they stand for
	uploadsAtOnce = 2   // requests, in one process
	longestPath   = 512 // bytes
)

// preflightHeaders are those of which a request with files needs one: a browser
// asks first whether a page may send it. They are what Apollo's clients send.
var preflightHeaders = []string{"Apollo-Require-Preflight", "X-Apollo-Operation-Name"}

// bringsFiles reports whether the request is a form.
func bringsFiles(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "multipart/form-data")
}

// admit decides before its body is read whether a request with files is taken,
// and waits for its turn. Who is let in calls leave.
func (s *Server) admit(ctx context.Context, w http.ResponseWriter, r *http.Request, who identity.Caller) (leave func(), refused *refusal) {
	switch encoding := r.Header.Get("Content-Encoding"); {
	case !slices.ContainsFunc(preflightHeaders, func(name string) bool { return r.Header.Get(name) != "" }):
		return nil, &refusal{http.StatusForbidden, "PREFLIGHT_REQUIRED", "A request with files must have the header " + preflightHeaders[0] + ", with any value: it keeps pages of others from sending one."}
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return nil, &refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "The body must not be compressed."}
	}
	switch e := fault.Of(s.o.Files(who)); {
	case e == nil:
	case e.Kind == fault.Unauthenticated:
		return nil, &refusal{http.StatusUnauthorized, "UNAUTHENTICATED", e.Message}
	default:
		return nil, &refusal{http.StatusForbidden, "FORBIDDEN", e.Message}
	}
	if r.ContentLength > s.mostForm() {
		return nil, s.filesTooLarge()
	}
	// The server's own deadlines are for small requests. These outlast the
	// answer: what is left of a body is waited for no longer either.
	control := http.NewResponseController(w)
	until := time.Now().Add(s.o.Limits.FilesTime)
	_ = control.SetReadDeadline(until)
	_ = control.SetWriteDeadline(until.Add(s.o.Limits.SendWithin))
	if err := s.uploads.take(ctx); err != nil {
		return nil, &refusal{http.StatusServiceUnavailable, "UNAVAILABLE", "Other files are being taken. Please try again in a minute."}
	}
	return s.uploads.give, nil
}

// mostForm is the size of the largest form: files, the operation, the map, and
// what stands between them.
func (s *Server) mostForm() int64 { return s.o.Limits.Files + 2*s.o.Limits.Body + 64<<10 }

func (s *Server) filesTooLarge() *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", "The files of a request may have at most " + strconv.FormatInt(s.o.Limits.Files, 10) + " bytes."}
}

// A form is read part by part, as its parts come.
type form struct {
	s     *Server
	parts *stdmultipart.Reader
	room  int64 // bytes that files may still have
}

// readForm reads an operation with its files.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, bad("The Content-Type has no boundary; most clients set it by themselves.")
	}
	f := &form{s: s, parts: stdmultipart.NewReader(http.MaxBytesReader(w, r.Body, s.mostForm()), params["boundary"]), room: s.o.Limits.Files}
	operations, refused := f.field("operations", "first")
	if refused != nil {
		return nil, refused
	}
	sent, refused := fromBody(operations)
	if refused != nil {
		return nil, refused
	}
	text, refused := f.field("map", "second")
	if refused != nil {
		return nil, refused
	}
	var places map[string][]string
	if err := json.Unmarshal(text, &places); err != nil {
		return nil, bad(`The field "map" must be a JSON object whose members are lists of paths: {"0": ["variables.file"]}.`)
	}
	n := 0
	for _, paths := range places {
		n += max(1, len(paths))
	}
	if n == 0 || n > mostFiles {
		return nil, bad(fmt.Sprintf("A request with files brings 1 to %d of them, each for one place; this has %d.", mostFiles, n))
	}
	if refused := f.files(sent, places); refused != nil {
		return nil, refused
	}
	return sent, nil
}

// field reads the next part, which must be this one.
func (f *form) field(name, place string) ([]byte, *refusal) {
	part, err := f.parts.NextPart()
	if err != nil {
		return nil, f.broken(err)
	}
	if part.FormName() != name || part.FileName() != "" {
		return nil, bad(fmt.Sprintf("The field %q must be the %s of the form.", name, place))
	}
	return f.read(part, f.s.o.Limits.Body, f.s.tooLarge)
}

// files reads all that follows, and puts each file where it belongs.
func (f *form) files(sent *graphql.RawParams, places map[string][]string) *refusal {
	for {
		part, err := f.parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.broken(err)
		}
		paths, known := places[part.FormName()]
		if !known {
			return bad(fmt.Sprintf("The form has a part %q that the map does not name, or that was there before.", clipped(part.FormName())))
		}
		delete(places, part.FormName())
		data, refused := f.read(part, f.room, f.s.filesTooLarge)
		if refused != nil {
			return refused
		}
		f.room -= int64(len(data))
		for _, path := range paths {
			file := graphql.Upload{File: bytes.NewReader(data), Filename: part.FileName(), Size: int64(len(data)), ContentType: part.Header.Get("Content-Type")}
			if !putInto(sent.Variables, path, file) {
				return bad(fmt.Sprintf("The map says that a file stands for %q: that must be a variable, or a part of one, that is null in the operation, and each can be filled once.", clipped(path)))
			}
		}
	}
	for name := range places {
		return bad(fmt.Sprintf("The map names a file %q that the form does not have.", clipped(name)))
	}
	return nil
}

// read reads a part to its end; too says that it is too large.
func (f *form) read(part io.Reader, most int64, too func() *refusal) ([]byte, *refusal) {
	data, err := io.ReadAll(io.LimitReader(part, most+1))
	if err != nil {
		return nil, f.broken(err)
	}
	if int64(len(data)) > most {
		return nil, too()
	}
	return data, nil
}

// broken says why a form cannot be read on.
func (f *form) broken(err error) *refusal {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return f.s.filesTooLarge()
	}
	return bad("The form ends too early, or is not one.")
}

// putInto puts the file in the place of the null that the path leads to:
// "variables.file", "variables.files.0". It reports whether there is one.
func putInto(variables map[string]any, path string, file graphql.Upload) bool {
	path, ok := strings.CutPrefix(path, "variables.")
	if !ok || len(path) > longestPath {
		return false
	}
	var in any = variables
	for {
		name, rest, deeper := strings.Cut(path, ".")
		var set func()
		switch at := in.(type) {
		case map[string]any:
			in, ok = at[name]
			set = func() { at[name] = file }
		case []any:
			i, err := strconv.Atoi(name)
			if ok = err == nil && i >= 0 && i < len(at); ok {
				in = at[i]
			}
			set = func() { at[i] = file }
		default:
			ok = false
		}
		switch {
		case !ok:
			return false
		case !deeper && in == nil:
			set()
			return true
		case !deeper:
			return false
		}
		path = rest
	}
}

// clipped is what a client wrote, to be shown to it.
func clipped(text string) string {
	if len(text) > 64 {
		text = text[:64] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
