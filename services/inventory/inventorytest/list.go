package inventorytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ordergraph/platform/fault"
	"ordergraph/services/inventory"
)

// pages reads a list to its end and returns its SKUs, each with what is
// available.
func pages(t *testing.T, s inventory.Service, q inventory.ListQuery) []string {
	t.Helper()
	var got []string
	for {
		page, err := s.List(t.Context(), ours, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Stocks) != len(page.Cursors) || len(page.Stocks) > q.Limit || page.HasMore && len(page.Stocks) < q.Limit {
			t.Fatalf("%d of at most %d, %d cursors, more: %v", len(page.Stocks), q.Limit, len(page.Cursors), page.HasMore)
		}
		for _, stock := range page.Stocks {
			got = append(got, fmt.Sprintf("%s %d", stock.SKU, stock.Available))
		}
		if !page.HasMore {
			return got
		}
		q.After = page.Cursors[len(page.Cursors)-1]
	}
}

func testList(t *testing.T, s inventory.Service) {
	for sku, units := range map[string]int64{"mug-blue": 4, "mug-red": 0, "Mug": 7, "lamp": 2, "lamé": 2, "mug-red-XL": 9} {
		Receive(t, s, sku, "main", units)
	}
	Receive(t, s, "lamp", "rotterdam", 1)
	at := func(n int64) *int64 { return &n }
	for name, c := range map[string]struct {
		q    inventory.ListQuery
		want []string
	}{
		"everything":     {inventory.ListQuery{}, []string{"Mug 7", "lamp 3", "lamé 2", "mug-blue 4", "mug-red 0", "mug-red-XL 9"}},
		"a beginning":    {inventory.ListQuery{Prefix: "mug-r"}, []string{"mug-red 0", "mug-red-XL 9"}},
		"capitals count": {inventory.ListQuery{Prefix: "M"}, []string{"Mug 7"}},
		"beyond ASCII":   {inventory.ListQuery{Prefix: "lamé"}, []string{"lamé 2"}},
		"a whole SKU":    {inventory.ListQuery{Prefix: "mug-red-XL"}, []string{"mug-red-XL 9"}},
		"none":           {inventory.ListQuery{Prefix: "z"}, nil},
		"sold out":       {inventory.ListQuery{AvailableAtMost: at(0)}, []string{"mug-red 0"}},
		"scarce":         {inventory.ListQuery{AvailableAtMost: at(4)}, []string{"mug-red 0", "lamé 2", "lamp 3", "mug-blue 4"}},
	} {
		for _, c.q.Limit = range []int{1, 2, inventory.MaxPage} {
			if got := pages(t, s, c.q); !slices.Equal(got, c.want) {
				t.Errorf("%s, %d at a time: %v, want %v", name, c.q.Limit, got, c.want)
			}
		}
	}

	// What is promised is not available, whether it leaves or comes back.
	scarce := inventory.ListQuery{AvailableAtMost: at(1), Limit: 10}
	reserve(t, s, "o1", "mug-blue", 4)
	if got, want := pages(t, s, scarce), []string{"mug-blue 0", "mug-red 0"}; !slices.Equal(got, want) {
		t.Errorf("promised: %v, want %v", got, want)
	}
	if _, err := s.Release(t.Context(), ours, "o1"); err != nil {
		t.Fatal(err)
	}
	reserve(t, s, "o2", "lamp", 2)
	if _, err := s.Commit(t.Context(), ours, "o2"); err != nil {
		t.Fatal(err)
	}
	if got, want := pages(t, s, scarce), []string{"mug-red 0", "lamp 1"}; !slices.Equal(got, want) {
		t.Errorf("sold and given back: %v, want %v", got, want)
	}
	if page, err := s.List(t.Context(), ours, inventory.ListQuery{Prefix: "lamp"}); err != nil || len(page.Stocks) != 1 || len(page.Stocks[0].Levels) != 2 || page.HasMore {
		t.Errorf("%+v, %v", page, err)
	}

	first, err := s.List(t.Context(), ours, inventory.ListQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		q     inventory.ListQuery
		want  error
		field string
	}{
		"nonsense for a cursor": {inventory.ListQuery{After: "nonsense"}, inventory.ErrCursor, "after"},
		"another list's cursor": {inventory.ListQuery{After: first.Cursors[0], AvailableAtMost: at(5)}, inventory.ErrCursor, "after"},
		"too many":              {inventory.ListQuery{Limit: inventory.MaxPage + 1}, inventory.ErrInput, "limit"},
		"less than none":        {inventory.ListQuery{Limit: -1}, inventory.ErrInput, "limit"},
		"both":                  {inventory.ListQuery{Prefix: "m", AvailableAtMost: at(5)}, inventory.ErrInput, "availableAtMost"},
		"fewer than nothing":    {inventory.ListQuery{AvailableAtMost: at(-1)}, inventory.ErrInput, "availableAtMost"},
		"beyond counting":       {inventory.ListQuery{AvailableAtMost: at(1<<63 - 1)}, inventory.ErrInput, "availableAtMost"},
		"no SKU begins so":      {inventory.ListQuery{Prefix: strings.Repeat("x", 256)}, inventory.ErrInput, "sku"},
	} {
		if _, err := s.List(t.Context(), ours, c.q); !errors.Is(err, c.want) || fault.Of(err).Details["field"] != c.field {
			t.Errorf("%s: %v (field %q), want %v (field %q)", name, err, fault.Of(err).Details["field"], c.want, c.field)
		}
	}
}
