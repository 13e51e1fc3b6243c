package graph

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"ordergraph/graph/gengql"
	"ordergraph/graph/transport"
)

// Schema serves the public contract as one document in the schema definition
// language, descriptions included, for people and for tools that would rather
// read a file than inspect. It is for a shop that does not keep its schema to
// itself.
func Schema() http.Handler {
	document := sync.OnceValue(newSchemaDocument)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := document()
		header := w.Header()
		header.Set("Content-Type", "text/plain; charset=utf-8") // browsers show it, and tools do not mind
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-cache") // to be kept, and asked for anew by its tag
		header.Set("Vary", "Accept-Encoding")
		tag, text := d.tag, d.text
		if transport.AcceptsGzip(r.Header) {
			header.Set("Content-Encoding", "gzip")
			tag, text = d.tag+"-gzip", d.gzipped
		}
		header.Set("ETag", `"`+tag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	})
}

// withoutHints are the rules of validation whose errors do not tell what else
// there is, for a schema that is kept secret. The executor sees to those of
// fields itself.
func withoutHints() *rules.Rules {
	all := rules.NewDefaultRules()
	for _, quiet := range []core.Rule{rules.KnownArgumentNamesRuleWithoutSuggestions, rules.KnownTypeNamesRuleWithoutSuggestions, rules.ValuesOfCorrectTypeRuleWithoutSuggestions} {
		all.ReplaceRule(strings.TrimSuffix(quiet.Name, "WithoutSuggestions"), quiet.RuleFunc)
	}
	return all
}

type schemaDocument struct {
	tag           string
	text, gzipped []byte
}

func newSchemaDocument() schemaDocument {
	var text, gzipped bytes.Buffer
	var printed strings.Builder
	formatter.NewFormatter(&printed, formatter.WithIndent("  ")).FormatSchema(gengql.NewExecutableSchema(gengql.Config{}).Schema())
	// A blank line before each description at the margin: everything there has one.
	inside := false
	for line := range strings.Lines(printed.String()) {
		if line == "\"\"\"\n" {
			if inside = !inside; inside && text.Len() > 0 {
				text.WriteByte('\n')
			}
		}
		text.WriteString(line)
	}
	sum := sha256.Sum256(text.Bytes())
	w := gzip.NewWriter(&gzipped)
	_, _ = w.Write(text.Bytes()) // to memory
	_ = w.Close()
	return schemaDocument{hex.EncodeToString(sum[:8]), text.Bytes(), gzipped.Bytes()}
}
