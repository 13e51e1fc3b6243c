package graph

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"ordergraph/graph/gengql"
)

// manifestFormat is how Apollo's tools name the format of manifests, see
// https://www.apollographql.com/docs/graphos/platform/security/persisted-queries
const manifestFormat = "apollo-persisted-query-manifest"

// A Manifest lists operations that clients may send, in Apollo's format.
type Manifest struct {
	Format     string       `json:"format"`
	Version    int          `json:"version"`
	Operations []Registered `json:"operations"`
}

// Registered is an operation of a manifest. Its id is the SHA-256 hash of its
// body, in hexadecimal digits.
type Registered struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"` // query, mutation or subscription
	Body string `json:"body"`
}

// ReadManifest reads a manifest, whatever ids it has.
func ReadManifest(text []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("not JSON: %w", err)
	}
	if m.Format != manifestFormat || m.Version != 1 {
		return m, fmt.Errorf("not a manifest of operations: its format must be %q, its version 1", manifestFormat)
	}
	return m, nil
}

// ReadOperations checks the operations of a document or of a manifest against
// the schema and makes them ready to be registered. A document of one
// operation is registered as it is, without space around it; of several, each
// is printed anew with the fragments it uses.
func ReadOperations(text []byte) ([]Registered, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		if m, err := ReadManifest(text); err == nil {
			var all []Registered
			var errs []error
			for _, op := range m.Operations {
				found, err := readDocument(op.Body)
				if err != nil {
					err = fmt.Errorf("%s: %w", op.Name, err)
				}
				errs, all = append(errs, err), append(all, found...)
			}
			return all, errors.Join(errs...)
		} else if json.Valid(text) {
			return nil, err
		}
	}
	return readDocument(string(text))
}

func readDocument(text string) ([]Registered, error) {
	doc, errs := gqlparser.LoadQueryWithRules(gengql.NewExecutableSchema(gengql.Config{}).Schema(), text, rules.NewDefaultRules())
	if errs != nil {
		return nil, readable(errs)
	}
	var all []Registered
	for _, op := range doc.Operations {
		if op.Name == "" {
			return nil, fmt.Errorf("line %d: an operation has no name; give it one, so that people can tell what is registered", op.Position.Line)
		}
		body := strings.TrimSpace(text)
		if len(doc.Operations) > 1 {
			body = alone(doc, op)
		}
		all = append(all, Registered{hashOf(body), op.Name, string(op.Operation), body})
	}
	if all == nil {
		return nil, errors.New("there is no operation in it")
	}
	return all, nil
}

func readable(errs gqlerror.List) error {
	var all []error
	for _, err := range errs {
		line := 0
		if len(err.Locations) > 0 {
			line = err.Locations[0].Line
		}
		all = append(all, fmt.Errorf("line %d: %s", line, err.Message))
	}
	return errors.Join(all...)
}

// alone prints one operation of a document, with the fragments it uses.
func alone(doc *ast.QueryDocument, op *ast.OperationDefinition) string {
	used := map[string]bool{}
	var find func(ast.SelectionSet)
	find = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch sel := selection.(type) {
			case *ast.Field:
				find(sel.SelectionSet)
			case *ast.InlineFragment:
				find(sel.SelectionSet)
			case *ast.FragmentSpread:
				if !used[sel.Name] {
					used[sel.Name] = true
					find(sel.Definition.SelectionSet)
				}
			}
		}
	}
	find(op.SelectionSet)
	only := &ast.QueryDocument{Operations: ast.OperationList{op}}
	for _, f := range doc.Fragments {
		if used[f.Name] {
			only.Fragments = append(only.Fragments, f)
		}
	}
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatQueryDocument(only)
	return strings.TrimSpace(b.String())
}

// Register adds operations to the manifest, by name, and tells which are new.
func (m *Manifest) Register(operations []Registered) (added []Registered) {
	m.Format, m.Version = manifestFormat, 1
	known := map[string]bool{}
	for _, op := range m.Operations {
		known[op.ID] = true
	}
	for _, op := range operations {
		if !known[op.ID] {
			known[op.ID] = true
			added = append(added, op)
		}
	}
	m.Operations = append(m.Operations, added...)
	slices.SortStableFunc(m.Operations, func(a, b Registered) int { return cmp.Compare(a.Name, b.Name) })
	return added
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// rereadAfter is how often a Safelist looks whether its file has changed.
const rereadAfter = 2 * time.Second

// A Safelist is the operations of a manifest in a file. It is read again when
// the file changes; one that cannot be read changes nothing.
type Safelist struct {
	path string
	log  *slog.Logger
	seen os.FileInfo
	now  atomic.Pointer[map[string]string]
}

// OpenSafelist reads the manifest, which must be there.
func OpenSafelist(path string, log *slog.Logger) (*Safelist, error) {
	s := &Safelist{path: path, log: log}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	s.seen = info
	return s, s.read()
}

func (s *Safelist) read() error {
	text, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	m, err := ReadManifest(text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	registered := make(map[string]string, len(m.Operations))
	for _, op := range m.Operations {
		registered[hashOf(op.Body)] = op.Body // whoever edits the file may forget the id
	}
	s.now.Store(&registered)
	return nil
}

// Run reads the file again whenever it has changed, until ctx ends.
func (s *Safelist) Run(ctx context.Context) error {
	tick := time.NewTicker(rereadAfter)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.look(ctx)
		}
	}
}

func (s *Safelist) look(ctx context.Context) {
	info, err := os.Stat(s.path)
	if err == nil && s.seen != nil && os.SameFile(info, s.seen) && info.ModTime().Equal(s.seen.ModTime()) && info.Size() == s.seen.Size() {
		return
	}
	if err != nil && s.seen == nil {
		return // told already
	}
	if s.seen = info; err == nil {
		err = s.read()
	}
	if err != nil {
		s.log.ErrorContext(ctx, "the registered operations cannot be read; those known before remain", "error", err)
		return
	}
	s.log.InfoContext(ctx, "the registered operations have changed", "operations", s.Len())
}

// Len is how many operations are registered.
func (s *Safelist) Len() int { return len(*s.now.Load()) }

// Get is the operation of this hash.
func (s *Safelist) Get(_ context.Context, hash string) (document string, ok bool) {
	document, ok = (*s.now.Load())[hash]
	return document, ok
}

// Put does nothing: clients register no operations.
func (*Safelist) Put(context.Context, string, string) {}
