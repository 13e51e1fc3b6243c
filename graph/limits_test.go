package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/graph/transport"
)

func TestLimits(t *testing.T) {
	shop := newStorefront(t)
	deep := strings.Repeat("collections(first:1){nodes{products(first:1){nodes{", 5)
	bomb := "{products(first:1){nodes{...f0}}}"
	for i := range 60 {
		bomb += fmt.Sprintf(" fragment f%d on Product { x%d:title y%d:title ...f%d }", i, i, i, i+1)
	}
	bomb += " fragment f60 on Product { title }"
	doubling := "{products(first:1){nodes{...g0}}}"
	for i := range 40 {
		doubling += fmt.Sprintf(" fragment g%d on Product { a%d:collections(first:1){nodes{products(first:1){nodes{...g%d}}}} b%d:collections(first:1){nodes{products(first:1){nodes{...g%d}}}} }", i, i, i+1, i, i+1)
	}
	doubling += " fragment g40 on Product { title }"
	for name, c := range map[string]struct {
		query string
		vars  graphtest.Vars
		says  string
	}{
		"deep":                      {"{" + "products(first:1){nodes{" + deep + "id" + strings.Repeat("}}}}", 5) + "}}}", nil, "the limit is 15"},
		"wide":                      {"{" + aliases(101) + "}", nil, "the limit is 100"},
		"a long page":               {`{products(first:251){nodes{id}}}`, nil, "must be from 0 to 250, not 251"},
		"a long page by name":       {`query($n:Int){products(first:$n){nodes{id}}}`, graphtest.Vars{"n": 100000}, "must be from 0 to 250"},
		"a negative page":           {`{products(first:-1){nodes{id}}}`, nil, "must be from 0 to 250, not -1"},
		"a long inner page":         {`{products(first:1){nodes{variants(first:300){nodes{id}}}}}`, nil, "products.nodes.variants must be from 0 to 250"},
		"no page":                   {`{products{nodes{id}}}`, nil, "Give `first` or `last`"},
		"both pages":                {`{products(first:1,last:1){nodes{id}}}`, nil, "not both"},
		"lists of lists":            {`{products(first:250){nodes{collections(first:250){nodes{products(first:250){nodes{id}}}}}}}`, nil, "the limit is 500000"},
		"fragments with names":      {bomb, nil, "the limit is 100"},
		"fragments, doubling":       {doubling, nil, "the limit is"},
		"many words":                {"{" + strings.Repeat("shop{name} ", 2000) + "}", nil, "token limit of 6000"},
		"one field again and again": {"{shop{" + strings.Repeat("name ", 5900) + "}}", nil, "repeats name within one selection; the limit is 100"},
		"many ids":                  {`query($ids:[ID!]!){nodes(ids:$ids){id}}`, graphtest.Vars{"ids": make251()}, "At most 250 ids"},
		"an inspection, often":      {"{" + inspections(120) + "}", nil, "the limit is 100"},
	} {
		t.Run(name, func(t *testing.T) {
			// What is not refused before it is worked on takes ages.
			a := shop.Ask(c.query, c.vars)
			if a.Data != nil || len(a.Errors) == 0 || !strings.Contains(a.Errors[0].Message, c.says) {
				t.Fatalf("%.600s, want %q", a.Body, c.says)
			}
			if code := a.Errors[0].Extensions["code"]; code != "BAD_USER_INPUT" && code != "GRAPHQL_PARSE_FAILED" {
				t.Errorf("code is %v", code)
			}
		})
	}

	t.Run("a large body", func(t *testing.T) {
		body := `{"query":"{shop{name}}","variables":{"x":"` + strings.Repeat("x", 1<<20) + `"}}`
		a := shop.Send(http.MethodPost, "", map[string]string{"Content-Type": "application/json"}, []byte(body))
		if a.Status != http.StatusRequestEntityTooLarge || !strings.Contains(a.Errors[0].Message, "262144 bytes") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
	t.Run("ordinary things pass", func(t *testing.T) {
		shop.Do(`query IntrospectionQuery{__schema{queryType{name} types{...T} directives{name locations args{name type{...R}}}}} fragment T on __Type{kind name description fields(includeDeprecated:true){name args{name type{...R}} type{...R}} inputFields{name type{...R}} interfaces{...R} enumValues(includeDeprecated:true){name} possibleTypes{...R}} fragment R on __Type{kind name ofType{kind name ofType{kind name ofType{kind name ofType{kind name}}}}}`, nil)
	})
}

func TestLimitsCanBeSet(t *testing.T) {
	shop := graphtest.New(t, func(o *graph.Options) {
		o.Limits = graph.Limits{Limits: transport.Limits{Body: 1000}, Depth: 3, Page: 5, Aliases: 1, Complexity: 50, Tokens: 60}
	})
	for query, says := range map[string]string{
		`{products(first:6){nodes{id}}}`:         "from 0 to 5",
		`{products(first:1){nodes{seo{title}}}}`: "the limit is 3",
		`{a:shop{name} b:shop{name}}`:            "the limit is 1",
		`{products(first:5){nodes{id title handle vendor tags productType createdAt updatedAt isGiftCard publishedAt}}}`: "the limit is 50",
		"{" + strings.Repeat("shop{name}", 20) + "}": "limit of 60",
		`{shop{name}}` + strings.Repeat(" ", 1000):   "1000 bytes",
	} {
		if a := shop.Ask(query, nil); len(a.Errors) == 0 || !strings.Contains(a.Errors[0].Message, says) {
			t.Errorf("%s: %s, want %q", query, a.Body, says)
		}
	}
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d:shop{name} ", i)
	}
	return b.String()
}

func inspections(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "s%d:__schema{types{name fields{name}}} ", i)
	}
	return b.String()
}

func make251() []any {
	ids := make([]any, 251)
	for i := range ids {
		ids[i] = "gid://ordergraph/Product/x"
	}
	return ids
}
