package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"time"
)

// answerWithin is how long a page waits for all its first answers. What has not
// come by then it asks by itself.
const answerWithin = 2 * time.Second

// mostAnswers is the longest answer, in bytes, that a page takes with it.
const mostAnswers = 256 << 10

// asker runs the storefront's own operations for the pages that begin with
// them.
type asker struct {
	api        http.Handler
	operations map[string]string // documents by name
}

// operationsOf are the operations of the manifest that was built with the
// storefront, by name. Without it pages ask by themselves.
func operationsOf(dist fs.FS) map[string]string {
	var manifest struct {
		Operations []struct{ Name, Body string }
	}
	if text, err := fs.ReadFile(dist, "operations.json"); err == nil {
		_ = json.Unmarshal(text, &manifest) // what is not read is asked by the page
	}
	operations := make(map[string]string, len(manifest.Operations))
	for _, op := range manifest.Operations {
		operations[op.Name] = op.Body
	}
	return operations
}

// answer is one operation with what it came to, as the page looks for it.
type answer struct {
	Name      string            `json:"name"`
	Variables map[string]string `json:"variables"`
	Data      json.RawMessage   `json:"data"`
}

// answers are those of these operations as JSON that may stand in a page; nil
// when there are none.
func (a asker) answers(r *http.Request, names []string) []byte {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	var all []answer
	for _, name := range names {
		document, ok := a.operations[name]
		if !ok || a.api == nil {
			continue
		}
		variables := map[string]string{}
		if handle := r.PathValue("handle"); handle != "" && name == "Product" {
			variables["handle"] = handle
		}
		if data := a.ask(ctx, r, document, variables); data != nil {
			all = append(all, answer{Name: name, Variables: variables, Data: data})
		}
	}
	if all == nil {
		return nil
	}
	text, err := json.Marshal(all) // which escapes <, so that nothing ends the script early
	if err != nil || len(text) > mostAnswers {
		return nil
	}
	return text
}

// ask runs one query for a guest at the visitor's address; nil when there is
// no whole answer.
func (a asker) ask(ctx context.Context, visit *http.Request, document string, variables map[string]string) json.RawMessage {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
	if err != nil {
		return nil
	}
	r.RemoteAddr = visit.RemoteAddr
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	if from, ok := visit.Header["X-Forwarded-For"]; ok {
		r.Header["X-Forwarded-For"] = from
	}
	kept := keeper{header: http.Header{}}
	a.api.ServeHTTP(&kept, r)
	var result struct {
		Data   json.RawMessage
		Errors []json.RawMessage
	}
	if err := json.Unmarshal(kept.body.Bytes(), &result); err != nil || len(result.Errors) > 0 || len(result.Data) == 0 {
		return nil
	}
	return result.Data
}

// keeper keeps what a handler answers.
type keeper struct {
	header http.Header
	body   bytes.Buffer
}

func (k *keeper) Header() http.Header            { return k.header }
func (k *keeper) Write(part []byte) (int, error) { return k.body.Write(part) }
func (k *keeper) WriteHeader(int)                {}
