package graph

import (
	"context"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"ordergraph/graph/view"
	"ordergraph/platform/money"
	"ordergraph/services/catalog"
)

// leaves writes the small objects that every answer is full of, sums of money
// and the like, at once and not field by field: they have nothing to resolve.
// A page of products is about half made of them.
type leaves struct{}

// ExtensionName names it to the executor.
func (leaves) ExtensionName() string { return "leaves" }

// Validate has nothing to object to.
func (leaves) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField replaces what it knows by its own writer, which the executor
// takes as it is.
func (leaves) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if err != nil {
		return value, err
	}
	switch v := value.(type) {
	case money.Amount:
		return &leaf[money.Amount]{v, selected(ctx, "MoneyV2"), writeMoney}, nil
	case *money.Amount:
		if v != nil {
			return &leaf[money.Amount]{*v, selected(ctx, "MoneyV2"), writeMoney}, nil
		}
	case *view.Image:
		if v != nil {
			return &leaf[*view.Image]{v, selected(ctx, "Image"), writeImage}, nil
		}
	case []view.OrderTimelineEntry:
		return leafList[view.OrderTimelineEntry]{v, selected(ctx, "OrderTimelineEntry"), writeEntry}, nil
	case []catalog.SelectedOption:
		return leafList[catalog.SelectedOption]{v, selected(ctx, "SelectedOption"), writeOption}, nil
	}
	return value, nil
}

func selected(ctx context.Context, object string) []graphql.CollectedField {
	return graphql.CollectFields(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field.Selections, objects[object])
}

var objects = map[string][]string{"MoneyV2": {"MoneyV2"}, "Image": {"Image"}, "SelectedOption": {"SelectedOption"}, "OrderTimelineEntry": {"OrderTimelineEntry"}}

// leaf is an object to be written; write knows its fields by name.
type leaf[T any] struct {
	value  T
	fields []graphql.CollectedField
	write  func(w io.Writer, value T, field string)
}

func (l *leaf[T]) MarshalGQL(w io.Writer) { writeObject(w, l.value, l.fields, l.write) }

type leafList[T any] struct {
	values []T
	fields []graphql.CollectedField
	write  func(w io.Writer, value T, field string)
}

func (l leafList[T]) MarshalGQL(w io.Writer) {
	put(w, "[")
	for i, v := range l.values {
		if i > 0 {
			put(w, ",")
		}
		writeObject(w, v, l.fields, l.write)
	}
	put(w, "]")
}

func writeObject[T any](w io.Writer, value T, fields []graphql.CollectedField, write func(io.Writer, T, string)) {
	put(w, "{")
	for i := range fields {
		if i > 0 {
			put(w, ",")
		}
		put(w, `"`)
		put(w, fields[i].Alias) // a GraphQL name: nothing to escape
		put(w, `":`)
		write(w, value, fields[i].Name)
	}
	put(w, "}")
}

func put(w io.Writer, s string) { _, _ = io.WriteString(w, s) }

func quote(w io.Writer, s string) { graphql.MarshalString(s).MarshalGQL(w) }

func writeMoney(w io.Writer, a money.Amount, field string) {
	switch field {
	case "amount":
		put(w, `"`)
		put(w, a.Decimal())
		put(w, `"`)
	case "currencyCode":
		quote(w, a.Currency)
	default:
		put(w, `"MoneyV2"`)
	}
}

func writeOption(w io.Writer, o catalog.SelectedOption, field string) {
	switch field {
	case "name":
		quote(w, o.Name)
	case "value":
		quote(w, o.Value)
	default:
		put(w, `"SelectedOption"`)
	}
}

func writeEntry(w io.Writer, e view.OrderTimelineEntry, field string) {
	switch field {
	case "at":
		graphql.MarshalTime(e.At).MarshalGQL(w)
	case "status":
		quote(w, e.Status)
	case "cause":
		quote(w, e.Cause)
	default:
		put(w, `"OrderTimelineEntry"`)
	}
}

func writeImage(w io.Writer, i *view.Image, field string) {
	switch field {
	case "id":
		quote(w, *i.ID())
	case "url", "src", "originalSrc", "transformedSrc":
		quote(w, i.URL(nil))
	case "altText":
		if alt := i.AltText(); alt != nil {
			quote(w, *alt)
		} else {
			put(w, "null")
		}
	case "width":
		number(w, i.Width())
	case "height":
		number(w, i.Height())
	default:
		put(w, `"Image"`)
	}
}

func number(w io.Writer, n *int32) {
	if n == nil {
		put(w, "null")
		return
	}
	put(w, strconv.FormatInt(int64(*n), 10))
}
