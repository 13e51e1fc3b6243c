package graph

import (
	"context"
	"encoding/json"
	"math"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// guard refuses operations that ask for too much, before anything is done.
type guard struct {
	limits Limits
	known  documents
	hidden bool  // the schema
	till   *till // nil: nothing is charged
}

// What a list counts as whose length is not known before: those of a product
// itself count as few whatever page is asked for, since few products have
// more variants or pictures.
const (
	ownList    = 50
	plainList  = 5
	inspecting = 1_000 // fields of an introspection, roughly
)

var ownLists = map[string]bool{"variants": true, "images": true, "media": true, "deliveryGroups": true}

// ExtensionName names it to the executor.
func (guard) ExtensionName() string { return "limits" }

// Validate has nothing to object to.
func (guard) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters refuses a document that names one field again and
// again, before it is validated: each is compared with each then, which takes
// seconds for some thousands.
func (g guard) MutateOperationParameters(ctx context.Context, sent *graphql.RawParams) *gqlerror.Error {
	if _, ok := g.known.Get(ctx, sent.Query); ok {
		return nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: sent.Query}, g.limits.Tokens)
	if err != nil {
		return nil // the executor will say so
	}
	for _, op := range doc.Operations {
		if err := g.repeats(op.SelectionSet); err != nil {
			return err
		}
	}
	for _, f := range doc.Fragments {
		if err := g.repeats(f.SelectionSet); err != nil {
			return err
		}
	}
	return nil
}

func (g guard) repeats(set ast.SelectionSet) *gqlerror.Error {
	var times map[string]int
	if len(set) > g.limits.Aliases {
		times = map[string]int{}
	}
	for _, selection := range set {
		var below ast.SelectionSet
		switch sel := selection.(type) {
		case *ast.Field:
			below = sel.SelectionSet
			if times != nil {
				if times[sel.Alias]++; times[sel.Alias] > g.limits.Aliases {
					return refuse("", "This operation repeats %s within one selection; the limit is %d times.", sel.Alias, g.limits.Aliases)
				}
			}
		case *ast.InlineFragment:
			below = sel.SelectionSet
		}
		if err := g.repeats(below); err != nil {
			return err
		}
	}
	return nil
}

// MutateOperationContext checks the operation.
func (g guard) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	w := walk{limits: g.limits, variables: op.Variables, hidden: g.hidden}
	size := w.set(op.Operation.SelectionSet, "")
	switch {
	case w.err != nil:
		return w.err
	case size.depth > g.limits.Depth:
		return refuse("", "This operation nests fields %d deep; the limit is %d.", size.depth, g.limits.Depth)
	case size.aliases > int64(g.limits.Aliases):
		return refuse("", "This operation has %d aliases; the limit is %d.", size.aliases, g.limits.Aliases)
	case size.fields > g.limits.Complexity:
		return refuse("", "This operation may ask for %d fields; the limit is %d. Ask for shorter pages, or for less of each element.", size.fields, g.limits.Complexity)
	case g.till != nil:
		return g.till.charge(ctx, op, size, w.extras)
	}
	return nil
}

// size is how much a part of an operation asks for.
type size struct {
	fields  int64
	aliases int64
	depth   int
	points  int64 // what it costs
	each    int64 // of these, for each element of the connection around it
	changes int   // mutations
}

// walk goes through an operation once: a fragment is measured at its first
// use, so that fragments of fragments cannot make it long.
type walk struct {
	limits    Limits
	hidden    bool
	variables map[string]any
	fragments map[*ast.FragmentDefinition]size
	extras    []extra // what its mutations take of tighter budgets
	err       *gqlerror.Error
}

func (w *walk) set(set ast.SelectionSet, path string) (total size) {
	for _, selection := range set {
		var s size
		switch sel := selection.(type) {
		case *ast.Field:
			s = w.field(sel, path)
		case *ast.InlineFragment:
			s = w.set(sel.SelectionSet, path)
		case *ast.FragmentSpread:
			known, ok := w.fragments[sel.Definition]
			if !ok {
				known = w.set(sel.Definition.SelectionSet, path)
				if w.fragments == nil {
					w.fragments = map[*ast.FragmentDefinition]size{}
				}
				w.fragments[sel.Definition] = known
			}
			s = known
		}
		total.fields = plus(total.fields, s.fields)
		total.aliases = plus(total.aliases, s.aliases)
		total.depth = max(total.depth, s.depth)
		total.points = plus(total.points, s.points)
		total.each = plus(total.each, s.each)
		total.changes += s.changes
		if w.err != nil {
			return total
		}
	}
	return total
}

func (w *walk) field(f *ast.Field, path string) size {
	if strings.HasPrefix(f.Name, "__") {
		if f.Name == "__typename" {
			return size{fields: 1, depth: 1}
		}
		if w.hidden {
			w.err = gqlerror.Errorf("This gateway keeps its schema to itself: %s cannot be asked for, as introspection is switched off (INTROSPECTION=off).", f.Name)
			errcode.Set(w.err, errcode.ValidationFailed)
		}
		s := size{fields: inspecting, depth: 1, points: inspectPoints}
		if f.Alias != f.Name {
			s.aliases = 1
		}
		return s
	}
	times := w.times(f, path)
	if w.err != nil {
		return size{}
	}
	var s size
	if len(f.SelectionSet) > 0 {
		if path != "" {
			path += "."
		}
		s = w.set(f.SelectionSet, path+f.Alias)
	}
	s.fields = plus(1, mul(s.fields, times))
	w.count(f, &s, times)
	s.depth++
	if f.Alias != f.Name {
		s.aliases = plus(s.aliases, 1)
	}
	return s
}

// count makes the points below f those of f.
func (w *walk) count(f *ast.Field, s *size, times int64) {
	if len(f.SelectionSet) > 0 && f.Definition != nil {
		switch inConnection := strings.HasSuffix(f.ObjectDefinition.Name, "Connection"); {
		case inConnection && f.Definition.Type.Elem != nil:
			s.points, s.each = 0, plus(1, s.points)
		case f.Definition.Type.Elem != nil:
			s.points, s.each = mul(times, plus(1, plus(s.points, s.each))), 0
		default:
			s.points, s.each = plus(1, plus(s.points, mul(s.each, times))), 0
		}
	}
	if f.ObjectDefinition != nil && f.ObjectDefinition.Name == "Mutation" {
		s.changes++
		s.points = plus(s.points, changePoints)
		if e, ok := extraOf(f, w.variables); ok {
			w.extras = append(w.extras, e)
		}
	}
}

// times is how often the fields below f may stand in the answer.
func (w *walk) times(f *ast.Field, path string) int64 {
	d := f.Definition
	if d == nil {
		return 1
	}
	if d.Arguments.ForName("first") != nil {
		return w.page(f, path)
	}
	if d.Type.Elem == nil || len(f.SelectionSet) == 0 {
		return 1
	}
	if f.Name == "nodes" || f.Name == "edges" {
		if strings.HasSuffix(f.ObjectDefinition.Name, "Connection") {
			return 1 // counted with the connection
		}
		if ids, ok := f.ArgumentMap(w.variables)["ids"].([]any); ok {
			if len(ids) > w.limits.Page {
				w.err = refuse("ids", "At most %d ids can be asked for at once, not %d.", w.limits.Page, len(ids))
			}
			return int64(len(ids))
		}
	}
	return plainList
}

// page checks the arguments of a list that comes page by page.
func (w *walk) page(f *ast.Field, path string) int64 {
	var n *int64
	arguments := f.ArgumentMap(w.variables)
	here := f.Alias
	if path != "" {
		here = path + "." + f.Alias
	}
	both := f.Definition.Arguments.ForName("last") != nil
	for _, name := range []string{"first", "last"} {
		value, given := arguments[name]
		if !given || value == nil {
			continue
		}
		count, ok := whole(value)
		switch {
		case !ok:
			continue // not a number: the argument's own check says so
		case count < 0 || count > int64(w.limits.Page):
			w.err = refuse(here+"."+name, "`%s` of %s must be from 0 to %d, not %d.", name, here, w.limits.Page, count)
			return 0
		case n != nil:
			w.err = refuse(here+".last", "Give either `first` or `last` for %s, not both.", here)
			return 0
		}
		n = &count
	}
	switch {
	case n == nil && both:
		w.err = refuse(here+".first", "Give `first` or `last` for %s: how many are wanted, up to %d.", here, w.limits.Page)
		return 0
	case n == nil:
		return plainList
	case ownLists[f.Name]:
		return min(*n, ownList)
	}
	return *n
}

func whole(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
	}
	return 0, false
}

// plus and mul of counts stop at the greatest number.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func mul(a, b int64) int64 {
	if b != 0 && a > math.MaxInt64/b {
		return math.MaxInt64
	}
	return a * b
}
