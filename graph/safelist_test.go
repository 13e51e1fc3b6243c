package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
)

const greeting = "query Greeting {\n  shop { name }\n}"

func manifestOf(t *testing.T, texts ...string) []byte {
	t.Helper()
	var m graph.Manifest
	for _, text := range texts {
		operations, err := graph.ReadOperations([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		m.Register(operations)
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// put replaces the file as a whole.
func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestSafelist(t *testing.T) {
	path := filepath.Join(t.TempDir(), "operations.json")
	put(t, path, manifestOf(t, "\n"+greeting+"\n", "subscription Watch { orderStatus(orderId: \"x\") { id } }"))
	var log graphtest.Lines
	safelist, err := graph.OpenSafelist(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = safelist.Run(ctx) })
	defer running.Wait()
	defer cancel()
	shop := graphtest.New(t, func(o *graph.Options) { o.Safelist = safelist })

	hash := func(id string) string {
		return `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + id + `"}}}`
	}
	var m graph.Manifest
	if err := json.Unmarshal(manifestOf(t, greeting), &m); err != nil {
		t.Fatal(err)
	}
	json1 := map[string]string{"Content-Type": "application/json"}
	code := func(a graphtest.Answer) any {
		if len(a.Errors) == 0 {
			return nil
		}
		return a.Errors[0].Extensions["code"]
	}
	const refused = "OPERATION_NOT_REGISTERED"
	for name, c := range map[string]struct {
		body string
		code any
	}{
		"registered":             {fmt.Sprintf(`{"query":%q}`, greeting), nil},
		"with space around it":   {fmt.Sprintf(`{"query":%q}`, "  "+greeting+"\n\n"), nil},
		"by its hash":            {hash(m.Operations[0].ID), nil},
		"with its hash":          {fmt.Sprintf(`{"query":%q,%s`, greeting, hash(m.Operations[0].ID)[1:]), nil},
		"written differently":    {`{"query":"query Greeting { shop { name } }"}`, refused},
		"another":                {`{"query":"{ shop { name } }"}`, refused},
		"another by its hash":    {hash(strings.Repeat("a", 64)), refused},
		"another with its hash":  {`{"query":"{hello}",` + hash("bcc1db5d3a3d30ab65ea4ea2d0dbd36ad1c81ceb5daed68b40a2f01d3b4a5b4c")[1:], "BAD_USER_INPUT"},
		"introspection":          {`{"query":"{__schema{queryType{name}}}"}`, refused},
		"what does not parse":    {`{"query":"{"}`, refused},
		"no hash but a document": {`{"query":"mutation{cartCreate{cart{id}}}"}`, refused},
	} {
		if a := shop.Send("POST", "", json1, []byte(c.body)); code(a) != c.code {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
	events := shop.Send("POST", "", map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream"}, []byte(`{"query":"subscription { orderStatus(orderId: \"x\") { id } }"}`))
	if !strings.Contains(string(events.Body), refused) {
		t.Errorf("events: %s", events.Body)
	}

	// What is registered later is taken; a broken file changes nothing.
	const later = "query Later { shop { description } }"
	put(t, path, []byte("{"))
	shop.Until("the broken file is told of", func() bool { return strings.Contains(log.String(), "those known before remain") })
	shop.Do(greeting, nil)
	put(t, path, manifestOf(t, later))
	shop.Until("the file is read again", func() bool { return shop.Ask(later, nil).Data != nil })
	if a := shop.Ask(greeting, nil); code(a) != refused {
		t.Errorf("%s", a.Body)
	}
}

func TestReadOperations(t *testing.T) {
	several := `
query One { shop { ...name } }
query Two($n: Int!) { products(first: $n) { nodes { id } } }
fragment name on Shop { name ...more }
fragment more on Shop { description }
`
	operations, err := graph.ReadOperations([]byte(several))
	if err != nil || len(operations) != 2 {
		t.Fatalf("%+v, %v", operations, err)
	}
	one, two := operations[0], operations[1]
	if one.Name != "One" || one.Type != "query" || !strings.Contains(one.Body, "fragment more") || strings.Contains(one.Body, "Two") ||
		two.Name != "Two" || strings.Contains(two.Body, "fragment") || len(one.ID) != 64 {
		t.Errorf("%+v", operations)
	}
	var m graph.Manifest
	if added := m.Register(operations); len(added) != 2 {
		t.Errorf("%+v", added)
	}
	if added := m.Register(append(operations, operations...)); added != nil || len(m.Operations) != 2 {
		t.Errorf("again: %+v", added)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := graph.ReadOperations(text); err != nil || len(again) != 2 || again[0] != one || again[1] != two {
		t.Errorf("%+v, %v", again, err)
	}

	for text, want := range map[string]string{
		"query A { nothing }":                                 "line 1: Cannot query field \"nothing\"",
		"\nquery A { shop { name }":                           "line 2: Expected",
		"{ shop { name } }":                                   "no name",
		"query A { shop { name } } query A { shop { name } }": "There can be only one operation named \"A\"",
		"fragment f on Shop { name }":                         "",
		"":                                                    "no operation",
		`{"format":"other","version":1}`:                      "must be \"apollo-persisted-query-manifest\"",
		`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"1","name":"B","type":"query","body":"query B { nothing }"}]}`: "B: line 1",
	} {
		if got, err := graph.ReadOperations([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v; want %s", text, got, err, want)
		}
	}
}
