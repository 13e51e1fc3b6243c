package transport_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	stdmultipart "mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/transport"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
)

// A part of a form; a file where it has a filename.
type part struct{ name, filename, content string }

// formOf is a form of these parts, and its Content-Type.
func formOf(t *testing.T, parts ...part) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := stdmultipart.NewWriter(&b)
	for _, p := range parts {
		head := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", p.name)}}
		if p.filename != "" {
			head.Set("Content-Disposition", fmt.Sprintf("form-data; name=%q; filename=%q", p.name, p.filename))
			head.Set("Content-Type", "text/csv")
		}
		to, err := w.CreatePart(head)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(to, p.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

const keepSize = `mutation ($file: Upload, $files: [Upload], $in: In) { size(file: $file, files: $files, in: $in) }`

func operation(variables string) part {
	return part{name: "operations", content: `{"query":"` + keepSize + `","variables":` + variables + `}`}
}

func places(of string) part { return part{name: "map", content: of} }

func file(name, content string) part { return part{name, "a.csv", content} }

// uploads is a house that takes files of 1,000 bytes from whoever has not the
// token "nobody".
func uploads(t *testing.T, set func(*transport.Options)) *house {
	return open(t, func(o *transport.Options) {
		o.Limits.Files, o.Limits.FilesTime = 1000, time.Minute
		o.Files = func(who identity.Caller) error {
			switch who.CustomerID {
			case "":
				return errNobody
			case "customer":
				return errStranger
			}
			return nil
		}
		if set != nil {
			set(o)
		}
	})
}

var (
	errNobody   = fault.New(fault.Unauthenticated, "trial.nobody", "Sign in first.")
	errStranger = fault.New(fault.PermissionDenied, "trial.stranger", "You may not send files.")
)

// contents tells of the files among arguments.
func contents(args map[string]any) string {
	var told []string
	var find func(v any)
	find = func(v any) {
		switch v := v.(type) {
		case graphql.Upload:
			text, err := io.ReadAll(v.File)
			told = append(told, fmt.Sprintf("%s %s %d %s", v.Filename, v.ContentType, v.Size, text))
			if err != nil {
				told = append(told, err.Error())
			}
		case []any:
			for _, e := range v {
				find(e)
			}
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				find(v[name])
			}
		}
	}
	find(args)
	return strings.Join(told, ", ")
}

// upload sends a form; headers are pairs that come on top, or in place, of
// those that it needs.
func (h *house) upload(t *testing.T, kind string, body io.Reader, headers ...string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/graphql", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Authorization", "Bearer staff")
	request.Header.Set("Apollo-Require-Preflight", "1")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, all(t, response)
}

func TestFiles(t *testing.T) {
	h := uploads(t, nil)
	for name, c := range map[string]struct {
		parts []part
		want  string
	}{
		"one":                    {[]part{operation(`{"file":null}`), places(`{"0":["variables.file"]}`), file("0", "hello")}, "a.csv text/csv 5 hello"},
		"in a list":              {[]part{operation(`{"files":[null,null]}`), places(`{"a":["variables.files.1"],"b":["variables.files.0"]}`), file("b", "first"), file("a", "last")}, "a.csv text/csv 5 first, a.csv text/csv 4 last"},
		"in an input":            {[]part{operation(`{"in":{"file":null}}`), places(`{"0":["variables.in.file"]}`), file("0", "deep")}, "a.csv text/csv 4 deep"},
		"for two places":         {[]part{operation(`{"files":[null,null]}`), places(`{"0":["variables.files.0","variables.files.1"]}`), file("0", "same")}, "a.csv text/csv 4 same, a.csv text/csv 4 same"},
		"empty":                  {[]part{operation(`{"file":null}`), places(`{"0":["variables.file"]}`), file("0", "")}, "a.csv text/csv 0 "},
		"as large as may be":     {[]part{operation(`{"file":null}`), places(`{"0":["variables.file"]}`), file("0", strings.Repeat("x", 1000))}, "a.csv text/csv 1000 " + strings.Repeat("x", 1000)},
		"with a path for a name": {[]part{operation(`{"file":null}`), places(`{"0":["variables.file"]}`), {"0", "../../etc/passwd", "x"}}, "passwd text/csv 1 x"},
	} {
		t.Run(name, func(t *testing.T) {
			kind, body := formOf(t, c.parts...)
			status, text := h.upload(t, kind, bytes.NewReader(body))
			if want := `{"data":{"size":"` + c.want + `"}}`; status != 200 || text != want {
				t.Errorf("status %d: %s, want %s", status, text, want)
			}
		})
	}
}

// What is not as the specification has it changes nothing, and says why.
func TestFilesThatAreRefused(t *testing.T) {
	h := uploads(t, nil)
	one, first := operation(`{"file":null}`), places(`{"0":["variables.file"]}`)
	for name, c := range map[string]struct {
		status int
		code   string
		says   string
		parts  []part
	}{
		"too large":                    {413, "REQUEST_TOO_LARGE", "1000 bytes", []part{one, first, file("0", strings.Repeat("x", 1001))}},
		"too large together":           {413, "REQUEST_TOO_LARGE", "1000 bytes", []part{operation(`{"files":[null,null]}`), places(`{"0":["variables.files.0"],"1":["variables.files.1"]}`), file("0", strings.Repeat("x", 600)), file("1", strings.Repeat("x", 600))}},
		"an operation too large":       {413, "REQUEST_TOO_LARGE", "65536 bytes", []part{operation(`{"file":null, "x":"` + strings.Repeat("x", 70_000) + `"}`), first, file("0", "x")}},
		"a map too large":              {413, "REQUEST_TOO_LARGE", "65536 bytes", []part{one, places(`{"0":["` + strings.Repeat("x", 70_000) + `"]}`), file("0", "x")}},
		"no operation":                 {400, "BAD_REQUEST", `"operations" must be the first`, []part{first, file("0", "x")}},
		"the operation as a file":      {400, "BAD_REQUEST", `"operations" must be the first`, []part{{"operations", "x.json", one.content}, first, file("0", "x")}},
		"no map":                       {400, "BAD_REQUEST", `"map" must be the second`, []part{one, file("0", "x")}},
		"files before the map":         {400, "BAD_REQUEST", `"map" must be the second`, []part{one, file("0", "x"), first}},
		"nothing":                      {400, "BAD_REQUEST", "ends too early", nil},
		"an operation alone":           {400, "BAD_REQUEST", "ends too early", []part{one}},
		"a batch":                      {400, "BAD_REQUEST", "batches", []part{{name: "operations", content: "[" + one.content + "]"}, places(`{"0":["0.variables.file"]}`), file("0", "x")}},
		"an operation that is no JSON": {400, "BAD_REQUEST", "not a JSON object", []part{{name: "operations", content: `{"query":`}, first, file("0", "x")}},
		"a map that is no JSON":        {400, "BAD_REQUEST", `"map" must be`, []part{one, places(`{"0":`), file("0", "x")}},
		"a map of words":               {400, "BAD_REQUEST", `"map" must be`, []part{one, places(`{"0":"variables.file"}`), file("0", "x")}},
		"a list for a map":             {400, "BAD_REQUEST", `"map" must be`, []part{one, places(`[["variables.file"]]`), file("0", "x")}},
		"a nested bomb":                {400, "BAD_REQUEST", `"map" must be`, []part{one, places(strings.Repeat(`{"0":`, 9_000)), file("0", "x")}},
		"an empty map":                 {400, "BAD_REQUEST", "this has 0", []part{one, places(`{}`)}},
		"null for a map":               {400, "BAD_REQUEST", "this has 0", []part{one, places(`null`)}},
		"too many files":               {400, "BAD_REQUEST", "this has 5", []part{one, places(`{"0":[],"1":[],"2":[],"3":[],"4":[]}`)}},
		"too many places":              {400, "BAD_REQUEST", "this has 5", []part{operation(`{"files":[null,null,null,null,null]}`), places(`{"0":["variables.files.0","variables.files.1","variables.files.2","variables.files.3","variables.files.4"]}`), file("0", "x")}},
		"a file that is missing":       {400, "BAD_REQUEST", `names a file "0"`, []part{one, first}},
		"a file that is not named":     {400, "BAD_REQUEST", `a part "1"`, []part{one, first, file("0", "x"), file("1", "x")}},
		"a file twice":                 {400, "BAD_REQUEST", `a part "0"`, []part{one, first, file("0", "x"), file("0", "y")}},
		"two files for one place":      {400, "BAD_REQUEST", `"variables.file"`, []part{one, places(`{"0":["variables.file"],"1":["variables.file"]}`), file("0", "x"), file("1", "x")}},
		"one place twice":              {400, "BAD_REQUEST", `"variables.file"`, []part{one, places(`{"0":["variables.file","variables.file"]}`), file("0", "x")}},
		"no variable":                  {400, "BAD_REQUEST", "stands for", []part{one, places(`{"0":["query"]}`), file("0", "x")}},
		"an extension":                 {400, "BAD_REQUEST", "stands for", []part{one, places(`{"0":["extensions.persistedQuery"]}`), file("0", "x")}},
		"all variables":                {400, "BAD_REQUEST", "stands for", []part{one, places(`{"0":["variables"]}`), file("0", "x")}},
		"a way up":                     {400, "BAD_REQUEST", "stands for", []part{one, places(`{"0":["variables.../query"]}`), file("0", "x")}},
		"a prototype":                  {400, "BAD_REQUEST", "stands for", []part{one, places(`{"0":["variables.__proto__.file"]}`), file("0", "x")}},
		"a path without end":           {400, "BAD_REQUEST", "stands for", []part{one, places(`{"0":["variables.` + strings.Repeat("file.", 1000) + `"]}`), file("0", "x")}},
		"an unknown variable":          {400, "BAD_REQUEST", "stands for", []part{operation(`{}`), first, file("0", "x")}},
		"no variables":                 {400, "BAD_REQUEST", "stands for", []part{operation(`null`), first, file("0", "x")}},
		"a variable with a value":      {400, "BAD_REQUEST", "stands for", []part{operation(`{"file":"there"}`), first, file("0", "x")}},
		"behind the end of a list":     {400, "BAD_REQUEST", "stands for", []part{operation(`{"files":[null]}`), places(`{"0":["variables.files.1"]}`), file("0", "x")}},
		"before the start of a list":   {400, "BAD_REQUEST", "stands for", []part{operation(`{"files":[null]}`), places(`{"0":["variables.files.-1"]}`), file("0", "x")}},
		"a word in a list":             {400, "BAD_REQUEST", "stands for", []part{operation(`{"files":[null]}`), places(`{"0":["variables.files.length"]}`), file("0", "x")}},
		"below a null":                 {400, "BAD_REQUEST", "stands for", []part{one, places(`{"0":["variables.file.name"]}`), file("0", "x")}},
	} {
		t.Run(name, func(t *testing.T) {
			kind, body := formOf(t, c.parts...)
			status, text := h.upload(t, kind, bytes.NewReader(body))
			if status != c.status || !strings.Contains(text, `"code":"`+c.code+`"`) || !strings.Contains(strings.ReplaceAll(text, `\"`, `"`), c.says) {
				t.Errorf("status %d, want %d %s %q: %s", status, c.status, c.code, c.says, text)
			}
		})
	}
	kind, body := formOf(t, one, first, file("0", "hello"))
	for name, c := range map[string]struct {
		status  int
		code    string
		kind    string
		body    []byte
		headers []string
	}{
		"without a header that pages cannot send": {403, "PREFLIGHT_REQUIRED", kind, body, []string{"Apollo-Require-Preflight", ""}},
		"of a guest":         {401, "UNAUTHENTICATED", kind, body, []string{"Authorization", ""}},
		"of a customer":      {403, "FORBIDDEN", kind, body, []string{"Authorization", "Bearer customer"}},
		"compressed":         {415, "UNSUPPORTED_MEDIA_TYPE", kind, body, []string{"Content-Encoding", "gzip"}},
		"without a boundary": {400, "BAD_REQUEST", "multipart/form-data", body, nil},
		"another boundary":   {400, "BAD_REQUEST", "multipart/form-data; boundary=x", body, nil},
		"a boundary twice":   {400, "BAD_REQUEST", "multipart/form-data; boundary=x; boundary=y", body, nil},
		"cut off":            {400, "BAD_REQUEST", kind, body[:len(body)-20], nil},
		"mixed":              {415, "UNSUPPORTED_MEDIA_TYPE", strings.Replace(kind, "form-data", "mixed", 1), body, nil},
		"as a stream":        {406, "NOT_ACCEPTABLE", kind, body, []string{"Accept", "text/event-stream"}},
	} {
		t.Run(name, func(t *testing.T) {
			if status, text := h.upload(t, c.kind, bytes.NewReader(c.body), c.headers...); status != c.status || !strings.Contains(text, c.code) {
				t.Errorf("status %d, want %d %s: %s", status, c.status, c.code, text)
			}
		})
	}
	if h.trial.done.Load() != 0 {
		t.Errorf("%d operations were executed", h.trial.done.Load())
	}
	if status, text := h.upload(t, kind, bytes.NewReader(body), "Apollo-Require-Preflight", "", "X-Apollo-Operation-Name", "Import"); status != 200 || h.trial.done.Load() != 1 {
		t.Errorf("another header of Apollo's: status %d: %s", status, text)
	}
	plain := open(t, nil)
	if status, text := plain.upload(t, kind, bytes.NewReader(body)); status != 415 {
		t.Errorf("a server that takes no files: status %d: %s", status, text)
	}
}

// Who may not send files, or sends too much, is told so before the body is
// read.
func TestFilesAreRefusedUnread(t *testing.T) {
	h := uploads(t, nil)
	u, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status int
		length int
		header string
	}{
		"a guest":             {401, 500, "Apollo-Require-Preflight: 1\r\n"},
		"a customer":          {403, 500, "Apollo-Require-Preflight: 1\r\nAuthorization: Bearer customer\r\n"},
		"another site's page": {403, 500, "Authorization: Bearer staff\r\n"},
		"too much":            {413, 1 << 30, "Apollo-Require-Preflight: 1\r\nAuthorization: Bearer staff\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", u.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(time.Minute))
			fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n%s\r\n", c.length, c.header)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if text := all(t, response); response.StatusCode != c.status {
				t.Errorf("status %d, want %d: %s", response.StatusCode, c.status, text)
			}
		})
	}
}

// Who is refused after a part of the body, and keeps the rest of it back, is
// answered within the request's time all the same.
func TestTheRestOfAFormIsNotWaitedForLong(t *testing.T) {
	h := uploads(t, func(o *transport.Options) { o.Limits.FilesTime = 100 * time.Millisecond })
	u, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, body := formOf(t, places(`{}`))
	boundary, _, _ := strings.Cut(string(body), "\r\n")
	fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\nAuthorization: Bearer staff\r\nApollo-Require-Preflight: 1\r\n\r\n%s", boundary[2:], len(body)+1000, body)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := all(t, response); response.StatusCode == 200 || !response.Close {
		t.Errorf("status %d, the connection ends: %v: %s", response.StatusCode, response.Close, text)
	}
}

// Two requests with files are taken at a time; the next waits for its turn,
// until its time is over.
func TestFilesTakeTurns(t *testing.T) {
	h := uploads(t, nil)
	kind, body := formOf(t, part{name: "operations", content: `{"query":"query ($file: Upload) { wait(file: $file) }","variables":{"file":null}}`}, places(`{"0":["variables.file"]}`), file("0", "x"))
	answers := make(chan int, 3)
	for range 3 {
		go func() {
			status, _ := h.upload(t, kind, bytes.NewReader(body))
			answers <- status
		}()
	}
	<-h.trial.asked
	<-h.trial.asked
	select {
	case <-h.trial.asked:
		t.Error("three are taken at a time")
	case <-time.After(50 * time.Millisecond):
	}
	close(h.trial.free)
	for range 3 {
		if status := <-answers; status != 200 {
			t.Errorf("status %d", status)
		}
	}
}
