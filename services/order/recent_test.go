package order_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ordergraph/platform/identity"
	"ordergraph/services/order"
)

// A shelf is a service that has every order in its present version.
type shelf struct {
	version atomic.Int64
	asked   atomic.Int64
	wait    chan struct{} // nil: it answers at once
	fails   func() error
}

func (s *shelf) Get(ctx context.Context, who identity.Caller, id, _ string) (order.Order, error) {
	s.asked.Add(1)
	version := s.version.Load()
	if s.wait != nil {
		select {
		case <-s.wait:
		case <-ctx.Done():
			return order.Order{}, ctx.Err()
		}
	}
	if s.fails != nil {
		return order.Order{}, s.fails()
	}
	if !who.May(identity.OrdersRead) {
		return order.Order{}, order.ErrNotFound
	}
	return order.Order{ID: id, Version: version}, nil
}

func TestRecentOrdersAreReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		s.version.Store(3)
		r := order.NewRecent(s)
		at := func(version, want, asked int64) {
			t.Helper()
			if o, err := r.At(t.Context(), "a", version); err != nil || o.Version != want || s.asked.Load() != asked {
				t.Errorf("version %d came for %d, after %d questions (%v); want %d after %d", o.Version, version, s.asked.Load(), err, want, asked)
			}
		}
		at(2, 3, 1)
		at(3, 3, 1) // known
		s.version.Store(5)
		at(1, 3, 1) // it need not be the latest
		at(4, 5, 2) // but what was told of
		at(0, 5, 3) // or the present
		time.Sleep(11 * time.Second)
		at(2, 5, 4) // nothing is kept for long
	})
}

func TestRecentOrdersAreReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{wait: make(chan struct{})}
		s.version.Store(1)
		r := order.NewRecent(s)
		var all sync.WaitGroup
		ask := func(version int64) {
			all.Go(func() {
				if o, err := r.At(t.Context(), "a", version); err != nil || o.Version < version {
					t.Errorf("got %d for %d: %v", o.Version, version, err)
				}
			})
			synctest.Wait()
		}
		ask(1)
		ask(1)
		if n := s.asked.Load(); n != 1 {
			t.Errorf("%d questions", n)
		}
		s.version.Store(2)
		ask(2) // the answer on its way is too old
		impatient, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			if _, err := r.At(impatient, "a", 1); !errors.Is(err, context.Canceled) {
				t.Errorf("who left got %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(s.wait)
		all.Wait()
		if n := s.asked.Load(); n != 2 {
			t.Errorf("%d questions in all", n)
		}
	})
}

func TestRecentOrdersThatCannotBeRead(t *testing.T) {
	s := &shelf{fails: func() error { return order.ErrNotFound }}
	r := order.NewRecent(s)
	for _, version := range []int64{0, 1} {
		if _, err := r.At(t.Context(), "a", version); !errors.Is(err, order.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
	s.fails = func() error { panic("a page is missing") }
	if _, err := r.At(t.Context(), "a", 1); err == nil {
		t.Error("a panic is no error")
	}
	s.fails = nil
	s.version.Store(1)
	for i := range 5000 { // far more than are kept
		if _, err := r.At(t.Context(), fmt.Sprint("order", i), 1); err != nil {
			t.Fatal(err)
		}
	}
	s.asked.Store(0)
	for _, i := range []int{4999, 4000, 0} {
		if _, err := r.At(t.Context(), fmt.Sprint("order", i), 1); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("%d of three orders had to be asked for; want the first alone", n)
	}
}
