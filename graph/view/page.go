package view

import "ordergraph/platform/fault"

// ErrCursor is a cursor of another list, or of an element that is gone.
var ErrCursor = fault.New(fault.Invalid, "graph.cursor", "This cursor does not belong to this list. Start again without it.")

// PageInfo is where a page of a list stands in it.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// A Window is the part of a list that was asked for. That exactly one of
// First and Last is given, and is in bounds, was checked with the operation.
type Window struct {
	First, Last   *int32
	After, Before *string
}

// cut is the part [from, to) of n elements, whose cursors key tells.
func (w Window) cut(n int, key func(int) string) (from, to int, info PageInfo, err error) {
	to = n
	find := func(cursor *string, field string) (int, error) {
		for i := range n {
			if key(i) == *cursor {
				return i, nil
			}
		}
		return 0, ErrCursor.Field(field)
	}
	if w.After != nil {
		if from, err = find(w.After, "after"); err != nil {
			return 0, 0, info, err
		}
		from++
	}
	if w.Before != nil {
		if to, err = find(w.Before, "before"); err != nil {
			return 0, 0, info, err
		}
		to = max(from, to)
	}
	if w.First != nil {
		to = min(to, from+int(*w.First))
	}
	if w.Last != nil {
		from = max(from, to-int(*w.Last))
	}
	info.HasPreviousPage, info.HasNextPage = from > 0, to < n
	if from < to {
		start, end := key(from), key(to-1)
		info.StartCursor, info.EndCursor = &start, &end
	}
	return from, to, info, nil
}
