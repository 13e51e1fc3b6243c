package view

import (
	"encoding/json"
	"time"

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

// ErrTime is what is no point in time where one is wanted.
var ErrTime = fault.New(fault.Invalid, "graph.time", "A point in time is wanted here, as in RFC 3339: 2026-01-31T12:00:00Z.")

// MarshalDateTime writes a point in time as in RFC 3339.
func MarshalDateTime(t time.Time) graphql.Marshaler { return graphql.MarshalTime(t) }

// UnmarshalDateTime reads one: ErrTime.
func UnmarshalDateTime(v any) (time.Time, error) {
	text, _ := v.(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, ErrTime
	}
	return t, nil
}

// ErrFile is what is no file where one is wanted.
var ErrFile = fault.New(fault.Invalid, "graph.file", "A file is wanted here, which comes in a multipart/form-data request.")

// MarshalUpload writes a file: none is ever answered.
func MarshalUpload(graphql.Upload) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload reads a file that came with the request: ErrFile.
func UnmarshalUpload(v any) (graphql.Upload, error) {
	file, ok := v.(graphql.Upload)
	if !ok {
		return file, ErrFile
	}
	return file, nil
}
