package docstore

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestQueueLetsOneInAtATime(t *testing.T) {
	var q Queue
	inside := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n := range 200 {
		key := string(rune('a' + n%3))
		wg.Go(func() {
			leave, err := q.enter(t.Context(), key)
			if err != nil {
				t.Error(err)
				return
			}
			defer leave()
			mu.Lock()
			inside[key]++
			if inside[key] > 1 {
				t.Errorf("%d hold %s", inside[key], key)
			}
			mu.Unlock()
			mu.Lock()
			inside[key]--
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(q.turns) != 0 {
		t.Errorf("%d keys are remembered though nobody holds or wants them", len(q.turns))
	}
}

func TestQueueKeepsTheOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		leave, err := q.enter(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for n := range 50 {
			go func() {
				leave, err := q.enter(t.Context(), "k")
				if err != nil {
					t.Error(err)
					return
				}
				got = append(got, n)
				leave()
			}()
			synctest.Wait() // it has arrived
		}
		leave()
		synctest.Wait()
		for n := range got {
			if got[n] != n {
				t.Fatalf("arrived in order, served as %v", got)
			}
		}
		if len(got) != 50 {
			t.Fatalf("%d of 50 were served", len(got))
		}
	})
}

func TestQueueCanBeLeftWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q Queue
		leave, err := q.enter(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.enter(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a second: %v", err)
		}
		// Another key is free all the while.
		other, err := q.enter(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		other()
		leave()
		leave, err = q.enter(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		leave()
		if len(q.turns) != 0 {
			t.Errorf("%d keys are remembered", len(q.turns))
		}
	})
}
