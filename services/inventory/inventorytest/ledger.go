package inventorytest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ordergraph/services/inventory"
)

func testLedger(t *testing.T, s inventory.Service) {
	must := func(_ inventory.Reservation, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	Receive(t, s, "mug", "main", 5)
	Receive(t, s, "mug:2", "main", 5) // whose ledger is its own
	reserve(t, s, "o1", "mug", 2)
	must(s.Commit(t.Context(), ours, "o1"))
	must(s.Restock(t.Context(), ours, "o1"))
	reserve(t, s, "o2", "mug", 1)
	must(s.Release(t.Context(), ours, "o2"))
	var got []string
	pages := 0
	for after := ""; ; {
		page, err := s.Movements(t.Context(), ours, "mug", after, 4)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, m := range page.Movements {
			if m.SKU != "mug" || m.Warehouse != "main" || m.At.IsZero() {
				t.Errorf("%+v", m)
			}
			got = append(got, fmt.Sprintf("%d %s %s%s %d %d", m.Seq, m.Kind, m.OrderID, m.Reason, m.OnHand, m.Reserved))
		}
		if after = page.Next; after == "" {
			break
		}
	}
	want := []string{"6 release o2 0 -1", "5 reserve o2 0 1", "4 restock o1 2 0", "3 commit o1 -2 -2", "2 reserve o1 0 2", "1 adjust received 5 0"}
	if !slices.Equal(got, want) || pages != 2 {
		t.Errorf("%d pages:\n%s\nwant\n%s", pages, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
