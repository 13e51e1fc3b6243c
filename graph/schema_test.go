package graph_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"ordergraph/graph/gengql"
)

// The schema is the documentation: everything in it is described, and named
// as GraphQL names things.
func TestSchemaIsDescribed(t *testing.T) {
	schema := gengql.NewExecutableSchema(gengql.Config{}).Schema()
	typeName := regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	fieldName := regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	valueName := regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	check := func(what, name string, shape *regexp.Regexp, description string) {
		if !shape.MatchString(name) {
			t.Errorf("%s: %q is not named like the others", what, name)
		}
		switch text := strings.TrimSpace(description); {
		case text == "":
			t.Errorf("%s has no description", what)
		case !strings.ContainsAny(text[len(text)-1:], ".!?`") && !strings.HasSuffix(text, "…"):
			t.Errorf("%s: the description is not a sentence: %q", what, text)
		}
	}
	arguments := func(of string, all ast.ArgumentDefinitionList) {
		for _, a := range all {
			check(of+"("+a.Name+")", a.Name, fieldName, a.Description)
		}
	}
	for _, d := range schema.Types {
		if d.BuiltIn || strings.HasPrefix(d.Name, "__") {
			continue
		}
		check(d.Name, d.Name, typeName, d.Description)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			check(d.Name+"."+f.Name, f.Name, fieldName, f.Description)
			arguments(d.Name+"."+f.Name, f.Arguments)
		}
		for _, v := range d.EnumValues {
			check(d.Name+"."+v.Name, v.Name, valueName, v.Description)
		}
		if d.Kind == ast.InputObject && !strings.HasSuffix(d.Name, "Input") && !strings.HasSuffix(d.Name, "Filter") && d.Name != "HasMetafieldsIdentifier" {
			t.Errorf("%s is an input and not called so", d.Name)
		}
		if strings.HasSuffix(d.Name, "Payload") && d.Fields.ForName("userErrors") == nil && d.Fields.ForName("customerUserErrors") == nil {
			t.Errorf("%s has no userErrors", d.Name)
		}
		if strings.HasSuffix(d.Name, "Connection") {
			if d.Fields.ForName("pageInfo") == nil || d.Fields.ForName("edges") == nil {
				t.Errorf("%s is not a connection", d.Name)
			}
		}
	}
	for _, d := range schema.Directives {
		if d.Name != "inContext" {
			continue
		}
		check("@"+d.Name, d.Name, fieldName, d.Description)
		arguments("@"+d.Name, d.Arguments)
	}
	for _, f := range schema.Mutation.Fields {
		if !strings.HasSuffix(f.Type.Name(), "Payload") {
			t.Errorf("the mutation %s does not answer with a payload", f.Name)
		}
	}
}
