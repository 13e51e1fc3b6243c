package graph_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"ordergraph/graph"
	"ordergraph/graph/gengql"
	"ordergraph/graph/graphtest"
)

func TestSchemaDocument(t *testing.T) {
	server := httptest.NewServer(graph.Schema())
	defer server.Close()
	get := func(header ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/schema.graphql", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(text)
	}

	response, text := get()
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/plain; charset=utf-8" {
		t.Errorf("status %d, %q", response.StatusCode, kind)
	}
	for _, unwanted := range []string{"__", "scalar String", "directive @deprecated", "directive @skip", "extend type", "\n\n\n", "}\n\"\"\""} {
		if strings.Contains(text, unwanted) {
			t.Errorf("there is %q in it", unwanted)
		}
	}
	shown, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: text})
	if err != nil {
		t.Fatal(err)
	}
	schema := gengql.NewExecutableSchema(gengql.Config{}).Schema()
	for name, d := range schema.Types {
		s := shown.Types[name]
		if s == nil || s.Kind != d.Kind || len(s.Fields) != len(d.Fields) || len(s.EnumValues) != len(d.EnumValues) || strings.TrimSpace(s.Description) != strings.TrimSpace(d.Description) {
			t.Errorf("%s is not shown as it is", name)
		}
	}
	if len(shown.Types) != len(schema.Types) {
		t.Errorf("%d types of %d", len(shown.Types), len(schema.Types))
	}

	tag := response.Header.Get("ETag")
	if response, text := get("If-None-Match", tag); response.StatusCode != 304 || text != "" {
		t.Errorf("asked again: status %d, %d bytes", response.StatusCode, len(text))
	}
	squeezed, packed := get("Accept-Encoding", "gzip")
	if squeezed.Header.Get("Content-Encoding") != "gzip" || squeezed.Header.Get("ETag") == tag || len(packed) > len(text)/3 {
		t.Errorf("%d bytes, %v", len(packed), squeezed.Header)
	}
	if unpacked, err := gzip.NewReader(strings.NewReader(packed)); err != nil {
		t.Error(err)
	} else if whole, err := io.ReadAll(unpacked); err != nil || string(whole) != text {
		t.Errorf("unpacked it is another text: %v", err)
	}
	if response, _ := get("Accept-Encoding", "gzip", "If-None-Match", squeezed.Header.Get("ETag")); response.StatusCode != 304 {
		t.Errorf("asked again with gzip: status %d", response.StatusCode)
	}
}

// A shop may keep its schema to itself: neither asked for nor guessed.
func TestHiddenSchema(t *testing.T) {
	shop := graphtest.New(t, func(o *graph.Options) { o.NoIntrospection = true })
	for name, query := range map[string]string{
		"__schema":        `{ __schema { queryType { name } } }`,
		"__type":          `{ t: __type(name: "Order") { name } }`,
		"in a fragment":   `{ ...F } fragment F on Query { shop { name } __schema { queryType { name } } }`,
		"in fragments":    `{ ...F } fragment F on Query { ...G } fragment G on Query { ... { __type(name: "Order") { name } } }`,
		"beside the shop": `{ shop { name } __schema { queryType { name } } }`,
	} {
		a := shop.Send("POST", "", map[string]string{"Content-Type": "application/json", "Accept": "application/graphql-response+json"}, body(t, query, nil))
		if text := string(a.Body); a.Status != 400 || !strings.Contains(text, "INTROSPECTION=off") || !strings.Contains(text, "GRAPHQL_VALIDATION_FAILED") || strings.Contains(text, `"data"`) {
			t.Errorf("%s: status %d, %s", name, a.Status, a.Body)
		}
	}
	for _, query := range []string{`{ shopp { name } }`, `{ shop }`, `{ shop { nam } }`, `{ products(frist: 1) { nodes { id } } }`, `{ products(first: 1, sortKey: TITEL) { nodes { id } } }`, `query($c: CartInputt) { shop { name } }`, `{ ... on Quer { shop { name } } }`} {
		a := shop.Send("POST", "", map[string]string{"Content-Type": "application/json"}, body(t, query, nil))
		if text := string(a.Body); len(a.Errors) == 0 || strings.Contains(text, "Did you mean") {
			t.Errorf("%s: %s", query, text)
		}
	}
	if a := shop.Send("POST", "", map[string]string{"Content-Type": "application/json"}, []byte(`{"query":"{ __typename shop { __typename } }"}`)); len(a.Errors) > 0 {
		t.Errorf("__typename: %s", a.Body)
	}
	if a := graphtest.New(t, nil).Send("POST", "", map[string]string{"Content-Type": "application/json"}, []byte(`{"query":"{ __schema { queryType { name } } }"}`)); len(a.Errors) > 0 {
		t.Errorf("not hidden: %s", a.Body)
	}
}
