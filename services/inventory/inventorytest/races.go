package inventorytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ordergraph/services/inventory"
)

// Whatever comes first, a Release leaves nothing reserved.
func testReserveAgainstRelease(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 100)
	Receive(t, s, "lamp", "rotterdam", 100)
	lines := []inventory.Line{{SKU: "mug", Quantity: 1}, {SKU: "lamp", Quantity: 1}}
	for i := range 50 {
		order := fmt.Sprint("o", i)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if _, err := s.Reserve(context.Background(), ours, order, lines); err != nil && !errors.Is(err, inventory.ErrReleased) {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if _, err := s.Release(context.Background(), ours, order); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
	}
	Want(t, s, "mug", 100, 0, 0)
	Want(t, s, "lamp", 100, 0, 0)
}

// A Commit and a Release of one order at once: one of them wins, for good.
func testCommitAgainstRelease(t *testing.T, s inventory.Service) {
	Receive(t, s, "mug", "main", 50)
	Receive(t, s, "lamp", "main", 50)
	var sold atomic.Int64
	for i := range 50 {
		order := fmt.Sprint("o", i)
		if _, err := s.Reserve(t.Context(), ours, order, []inventory.Line{{SKU: "mug", Quantity: 1}, {SKU: "lamp", Quantity: 1}}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var commit, release error
		all.Go(func() { _, commit = s.Commit(context.Background(), ours, order) })
		all.Go(func() { _, release = s.Release(context.Background(), ours, order) })
		all.Wait()
		switch {
		case commit == nil && errors.Is(release, inventory.ErrCommitted):
			sold.Add(1)
		case release == nil && errors.Is(commit, inventory.ErrReleased):
		default:
			t.Errorf("%s: commit %v, release %v", order, commit, release)
		}
	}
	Want(t, s, "mug", 50-sold.Load(), 0, sold.Load())
	Want(t, s, "lamp", 50-sold.Load(), 0, sold.Load())
}
