package view

import (
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/platform/fault"
)

// ErrText is a value that is not text where text is wanted.
var ErrText = fault.New(fault.Invalid, "graph.text", "A text or a number is wanted here.")

// MarshalText writes a scalar that is text.
func MarshalText(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalText reads a scalar that is text, or a number as its digits: ErrText.
func UnmarshalText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case int64, float64:
		return graphql.UnmarshalString(v)
	}
	return "", ErrText
}
