package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/platform/fault"
	"ordergraph/platform/telemetry"
)

// requestID is the header that names a request in logs; one that the client
// sends is kept if it is short and plain.
const requestID = "X-Request-Id"

// ServeHTTP answers one request, over whatever transport it asks for.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := telemetry.WithRequestID(r.Context(), identify(w, r))
	if isUpgrade(r) {
		s.serveSocket(ctx, w, r)
		return
	}
	want := negotiate(r.Header["Accept"])
	accepted := want.refusal()
	s.openTo(w, r)
	w = offersGzip(w, r.Header["Accept-Encoding"])
	defer s.recovered(ctx, w, accepted)

	header := w.Header()
	switch r.Method {
	case http.MethodOptions:
		preflight(w, r, methods)
		return
	case http.MethodGet, http.MethodPost:
	default:
		header.Set("Allow", methods)
		s.fail(w, accepted, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Use POST, or GET for queries.")
		return
	}
	if accepted == none {
		s.fail(w, accepted, http.StatusNotAcceptable, "NOT_ACCEPTABLE", "Answers come as application/graphql-response+json or application/json, those of subscriptions as text/event-stream or multipart/mixed;subscriptionSpec=\"1.0\".")
		return
	}

	whole := ctx
	within, read, files := s.o.Limits.Time, s.read, s.o.Files != nil && bringsFiles(r)
	if files {
		within, read = s.o.Limits.FilesTime, s.readForm
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	session, err := s.o.Sessions.Open(ctx, r, bearer(r))
	if err != nil {
		if !s.wasted(ctx, w, r, accepted) {
			s.turnAway(w, accepted, err)
		}
		return
	}
	ctx = s.operationContext(ctx, r, session)

	if files {
		leave, refused := s.admit(ctx, w, r, session.Caller)
		if refused != nil {
			s.turnDown(ctx, w, r, accepted, refused)
			return
		}
		defer leave()
	}
	params, refused := read(w, r)
	if refused != nil {
		s.turnDown(ctx, w, r, accepted, refused)
		return
	}
	params.Headers = r.Header
	op, errs := s.o.Exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		s.refuse(w, accepted, s.o.Exec.DispatchError(graphql.WithOperationContext(ctx, op), errs))
		return
	}
	kind := op.Operation.Operation
	switch {
	case kind == ast.Mutation && r.Method == http.MethodGet:
		s.mutationByGET(w, accepted)
		return
	case kind == ast.Subscription && want.stream == none:
		s.fail(w, accepted, http.StatusNotAcceptable, "NOT_ACCEPTABLE", "A subscription has many answers: ask for them with Accept: text/event-stream or Accept: multipart/mixed;subscriptionSpec=\"1.0\", or over a WebSocket.")
		return
	case files && (kind == ast.Subscription || want.streams):
		s.fail(w, accepted, http.StatusNotAcceptable, "NOT_ACCEPTABLE", "A request with files is a query or a mutation, and has one answer: accept application/json.")
		return
	case kind == ast.Subscription || want.streams:
		s.serveStream(s.operationContext(whole, r, session), w, r, session, op, want.stream)
		return
	}

	var set *cookies
	if kind == ast.Mutation {
		ctx, set = withCookies(ctx)
	}
	next, ctx := s.o.Exec.DispatchOperation(ctx, op)
	response := next(ctx)
	if set != nil {
		set.write(w)
	}
	switch {
	case response != nil && len(response.Data) > 0:
		s.answer(w, accepted, http.StatusOK, response)
	case response != nil && len(response.Errors) > 0:
		s.refuse(w, accepted, response)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		s.fail(w, accepted, http.StatusGatewayTimeout, "TIMEOUT", "This took longer than "+within.String()+", the limit for one operation.")
	case ctx.Err() != nil: // the client went away
		w.WriteHeader(499)
	default:
		s.fail(w, accepted, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Something went wrong on our side. Please try again.")
	}
}

// identify gives the request its id, which the answer names.
func identify(w http.ResponseWriter, r *http.Request) (id string) {
	id = telemetry.CleanRequestID(r.Header.Get(requestID))
	w.Header()[requestID] = []string{id}
	return id
}

// recovered answers a request whose handling has panicked. It is deferred.
func (s *Server) recovered(ctx context.Context, w http.ResponseWriter, accepted media) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	s.o.Log.ErrorContext(ctx, "panic in the transport", "panic", cause, "stack", string(debug.Stack()))
	s.fail(w, accepted, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", errInternal.Message)
}

func (s *Server) mutationByGET(w http.ResponseWriter, accepted media) {
	w.Header().Set("Allow", "POST, OPTIONS")
	s.fail(w, accepted, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Mutations are sent by POST.")
}

// turnAway answers a client that shows something which does not hold. The
// reason tells a token that has expired, for which a new one can be had, from
// one that is no good; the header is that of RFC 6750.
func (s *Server) turnAway(w http.ResponseWriter, accepted media, err error) {
	e := fault.Of(err)
	status, code, message := http.StatusServiceUnavailable, "UNAVAILABLE", "We cannot tell who you are at the moment. Please try again."
	switch e.Kind {
	case fault.Unauthenticated:
		status, code, message = http.StatusUnauthorized, "UNAUTHENTICATED", e.Message
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+quotable(e.Message)+`"`)
	case fault.PermissionDenied:
		status, code, message = http.StatusForbidden, "FORBIDDEN", e.Message
	default:
		s.o.Log.Warn("a client could not be recognised", "error", err)
	}
	s.answer(w, accepted, status, &graphql.Response{Errors: gqlerror.List{{
		Message: message, Extensions: map[string]any{"code": code, "reason": e.Code},
	}}})
}

// quotable is the text as a quoted string of a header may hold it: printable
// ASCII without quotes and backslashes.
func quotable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, text)
}

// turnDown answers a request that is no operation.
func (s *Server) turnDown(ctx context.Context, w http.ResponseWriter, r *http.Request, accepted media, refused *refusal) {
	if !s.wasted(ctx, w, r, accepted) {
		s.fail(w, accepted, refused.status, refused.code, refused.message)
	}
}

type refusal struct {
	status  int
	code    string
	message string
}

func bad(message string) *refusal { return &refusal{http.StatusBadRequest, "BAD_REQUEST", message} }

func (s *Server) read(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	if r.Method == http.MethodGet {
		if int64(len(r.URL.RawQuery)) > s.o.Limits.Body {
			return nil, s.tooLarge()
		}
		return fromURL(r.URL)
	}
	if refused := jsonBody(r.Header); refused != nil {
		return nil, refused
	}
	if r.ContentLength > s.o.Limits.Body {
		return nil, s.tooLarge()
	}
	body := buffers.Get().(*bytes.Buffer)
	defer giveBack(body)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, s.o.Limits.Body))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, s.tooLarge()
	}
	if err != nil {
		return nil, bad("The body could not be read.")
	}
	return fromBody(body.Bytes())
}

func (s *Server) tooLarge() *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", "A request may have at most " + strconv.FormatInt(s.o.Limits.Body, 10) + " bytes."}
}

func jsonBody(header http.Header) *refusal {
	unsupported := func(message string) *refusal {
		return &refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", message}
	}
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("The body must not be compressed.")
	}
	switch sent := header.Get("Content-Type"); sent {
	case "application/json", "application/json; charset=utf-8":
		return nil
	default:
		media, params, err := mime.ParseMediaType(sent)
		if err != nil || media != "application/json" {
			return unsupported("Send the operation as application/json.")
		}
		if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
			return unsupported("Send the operation in UTF-8.")
		}
	}
	return nil
}

// fromBody reads an operation from JSON.
func fromBody(body []byte) (*graphql.RawParams, *refusal) {
	var sent struct {
		Query         *json.RawMessage `json:"query"`
		OperationName *json.RawMessage `json:"operationName"`
		Variables     *json.RawMessage `json:"variables"`
		Extensions    *json.RawMessage `json:"extensions"`
	}
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return nil, bad("The body is empty; a JSON object with `query` is wanted.")
	}
	if body[0] == '[' {
		return nil, bad("Send one operation at a time: batches are not offered.")
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, bad("The body is not a JSON object: " + jsonProblem(err))
	}
	return parameters(sent.Query, sent.OperationName, sent.Variables, sent.Extensions)
}

func jsonProblem(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return syntax.Error() + ", at byte " + strconv.FormatInt(syntax.Offset, 10) + "."
	}
	return "an object with `query` is wanted."
}

// fromURL reads a query from the address.
func fromURL(u *url.URL) (*graphql.RawParams, *refusal) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, bad("The query of the address is malformed.")
	}
	text := func(name string) *json.RawMessage {
		if !values.Has(name) {
			return nil
		}
		quoted, err := json.Marshal(values.Get(name))
		if err != nil {
			return nil
		}
		return (*json.RawMessage)(&quoted)
	}
	object := func(name string) *json.RawMessage {
		value := strings.TrimSpace(values.Get(name))
		if value == "" {
			return nil
		}
		raw := json.RawMessage(value)
		return &raw
	}
	return parameters(text("query"), text("operationName"), object("variables"), object("extensions"))
}

func parameters(query, name, variables, extensions *json.RawMessage) (*graphql.RawParams, *refusal) {
	p := &graphql.RawParams{}
	if refused := mapOf(variables, "variables", &p.Variables); refused != nil {
		return nil, refused
	}
	if refused := mapOf(extensions, "extensions", &p.Extensions); refused != nil {
		return nil, refused
	}
	if !isNull(name) && json.Unmarshal(*name, &p.OperationName) != nil {
		return nil, bad("`operationName` must be a string.")
	}
	switch {
	case isNull(query):
		if p.Extensions[persistedQuery] == nil {
			return nil, bad("`query` is missing: the document to execute.")
		}
	case json.Unmarshal(*query, &p.Query) != nil:
		return nil, bad("`query` must be a string.")
	case p.Query == "" && p.Extensions[persistedQuery] == nil:
		return nil, bad("`query` is empty.")
	}
	return p, nil
}

func mapOf(raw *json.RawMessage, name string, into *map[string]any) *refusal {
	if isNull(raw) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(*raw))
	decoder.UseNumber()
	if decoder.Decode(into) != nil {
		return bad("`" + name + "` must be a JSON object.")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return bad("`" + name + "` must be one JSON object.")
	}
	return nil
}

func isNull(raw *json.RawMessage) bool { return raw == nil || string(*raw) == "null" }

// refuse answers an operation that was not executed: in the older media type
// with 200, since such clients read the body only then.
func (s *Server) refuse(w http.ResponseWriter, accepted media, response *graphql.Response) {
	status := http.StatusBadRequest
	if accepted == legacy {
		status = http.StatusOK
	}
	if after := retryAfter(response.Errors); after > 0 {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(after))
	}
	s.answer(w, accepted, status, &graphql.Response{Errors: response.Errors, Extensions: response.Extensions})
}

// retryAfter is after how many seconds a client may come again that has asked
// for too much in too short a time; 0 for others.
func retryAfter(errs gqlerror.List) (seconds int) {
	if len(errs) == 1 && errs[0].Extensions["code"] == "THROTTLED" {
		seconds, _ = errs[0].Extensions["retryAfter"].(int)
	}
	return seconds
}

// wasted accounts for a request that is no operation, and answers it if its
// sender has made too many of them.
func (s *Server) wasted(ctx context.Context, w http.ResponseWriter, r *http.Request, accepted media) bool {
	if s.o.Waste == nil {
		return false
	}
	err := s.o.Waste(ctx, r)
	if err == nil {
		return false
	}
	s.refuse(w, accepted, failed(err))
	return true
}

func (s *Server) fail(w http.ResponseWriter, accepted media, status int, code, message string) {
	s.answer(w, accepted, status, &graphql.Response{Errors: gqlerror.List{{
		Message:    message,
		Extensions: map[string]any{"code": code},
	}}})
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBuffer is the largest buffer that is used again, in bytes.
const keepBuffer = 1 << 20

func giveBack(b *bytes.Buffer) {
	if b.Cap() <= keepBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// answer writes a response.
func (s *Server) answer(w http.ResponseWriter, accepted media, status int, response *graphql.Response) {
	head := buffers.Get().(*bytes.Buffer)
	defer giveBack(head)
	envelope(head, response)
	parts := [...][]byte{head.Bytes(), response.Data, closing}
	body := parts[:]
	size := head.Len() + len(response.Data) + len(closing)
	header := w.Header()
	if _, ok := w.(compressible); ok && size >= compressFrom {
		squeezed := buffers.Get().(*bytes.Buffer)
		defer giveBack(squeezed)
		compress(squeezed, body...)
		parts[0], body, size = squeezed.Bytes(), parts[:1], squeezed.Len()
		header["Content-Encoding"] = gzipped
	}
	header["Content-Type"] = accepted.header()
	header["Content-Length"] = []string{strconv.Itoa(size)}
	header["X-Content-Type-Options"] = noSniff
	header["Cache-Control"] = noStore
	w.WriteHeader(status)
	for _, part := range body {
		if _, err := w.Write(part); err != nil {
			return // the client went away
		}
	}
}

// envelope writes what stands before the data of a response, without data when
// there is none, since an operation that was not executed has none. The data
// and a brace follow.
func envelope(b *bytes.Buffer, response *graphql.Response) {
	b.WriteByte('{')
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	some := false
	member := func(name string, value any) {
		if some {
			b.WriteByte(',')
		}
		some = true
		b.WriteString(name)
		if err := encoder.Encode(value); err != nil {
			b.WriteString("null")
		} else {
			b.Truncate(b.Len() - 1) // the encoder's line break
		}
	}
	if len(response.Errors) > 0 {
		member(`"errors":`, response.Errors)
	}
	if len(response.Extensions) > 0 {
		member(`"extensions":`, response.Extensions)
	}
	if len(response.Data) > 0 {
		if some {
			b.WriteByte(',')
		}
		b.WriteString(`"data":`)
	}
}

var (
	closing = []byte{'}'}
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"}
	gzipped = []string{"gzip"}
)
