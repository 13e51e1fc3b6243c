package docstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
)

type pot struct {
	docstore.Meta `bson:",inline"`
	Coins         int64 `bson:"coins"`
	Writes        int64 `bson:"writes"`
}

func openPots(t *testing.T) *docstore.Collection[pot] {
	t.Helper()
	store, err := docstorelocal.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	pots, err := docstore.Open[pot](t.Context(), store, docstore.Spec{Name: "pots"})
	if err != nil {
		t.Fatal(err)
	}
	return pots
}

var errEmpty = errors.New("the pot is empty")

// counted is a crowd that counts its writes.
func counted(pots *docstore.Collection[pot]) *docstore.Crowd[pot] {
	return docstore.NewCrowd(pots, func(p *pot, apply func() bool) error {
		if apply() {
			p.Writes++
		}
		return nil
	})
}

// Who comes while a document is being written is served by the next write.
func TestACrowdNeedsFewWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pots := openPots(t)
		crowd := counted(pots)
		hold := make(chan struct{})
		var all sync.WaitGroup
		put := func(change func(p *pot) error) {
			all.Go(func() {
				if _, err := crowd.Upsert(context.Background(), "pot", change); err != nil {
					t.Error(err)
				}
			})
		}
		put(func(p *pot) error { <-hold; p.Coins++; return nil })
		synctest.Wait()
		for range 100 {
			put(func(p *pot) error { p.Coins++; return nil })
		}
		synctest.Wait() // all are waiting
		close(hold)
		all.Wait()
		if p, err := pots.Get(t.Context(), "pot"); err != nil || p.Coins != 101 || p.Writes != 2 {
			t.Errorf("%d coins in %d writes, want 101 in 2; %v", p.Coins, p.Writes, err)
		}
	})
}

func TestACrowdTakesWhatThereIs(t *testing.T) {
	pots := openPots(t)
	crowd := counted(pots)
	if _, err := crowd.Upsert(t.Context(), "pot", func(p *pot) error { p.Coins = 1000; return nil }); err != nil {
		t.Fatal(err)
	}
	var took, empty atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for range 80 {
				_, err := crowd.Update(context.Background(), "pot", func(p *pot) error {
					if p.Coins == 0 {
						return errEmpty
					}
					p.Coins--
					return nil
				})
				switch {
				case err == nil:
					took.Add(1)
				case errors.Is(err, errEmpty):
					empty.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	p, err := pots.Get(t.Context(), "pot")
	if err != nil || took.Load() != 1000 || empty.Load() != 64*80-1000 || p.Coins != 0 {
		t.Errorf("%d took, %d came too late, %d are left, %v", took.Load(), empty.Load(), p.Coins, err)
	}
}

func TestOneChangeOfACrowdFailsAlone(t *testing.T) {
	crowd := docstore.NewCrowd(openPots(t), nil)
	if _, err := crowd.Update(t.Context(), "pot", func(*pot) error { return nil }); !errors.Is(err, docstore.ErrNotFound) {
		t.Errorf("a pot that is not there: %v", err)
	}
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			_, err := crowd.Upsert(context.Background(), "pot", func(p *pot) error {
				switch i % 4 {
				case 0:
					return errEmpty
				case 1:
					return docstore.Unchanged
				}
				p.Coins++
				return nil
			})
			if (i%4 == 0) != errors.Is(err, errEmpty) || i%4 != 0 && err != nil {
				t.Errorf("change %d: %v", i, err)
			}
		})
	}
	all.Wait()
	p, err := crowd.Update(t.Context(), "pot", func(*pot) error { return docstore.Unchanged })
	if err != nil || p.Coins != 20 {
		t.Errorf("%d coins, %v", p.Coins, err)
	}
}

func TestAChangeWhoseCallerHasLeftIsNotMade(t *testing.T) {
	crowd := docstore.NewCrowd(openPots(t), nil)
	began, hold := make(chan struct{}), make(chan struct{})
	var once sync.Once
	first := make(chan error, 1)
	go func() {
		_, err := crowd.Upsert(context.Background(), "pot", func(p *pot) error {
			once.Do(func() { close(began); <-hold })
			p.Coins++
			return nil
		})
		first <- err
	}()
	<-began
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := crowd.Upsert(ctx, "pot", func(p *pot) error { p.Coins += 100; return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	late, end := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		_, err := crowd.Upsert(late, "pot", func(p *pot) error { p.Coins += 100; return nil })
		second <- err
	}()
	end()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(hold)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if p, err := crowd.Update(t.Context(), "pot", func(*pot) error { return docstore.Unchanged }); err != nil || p.Coins != 1 {
		t.Errorf("%d coins, %v", p.Coins, err)
	}
}

func TestWhatFollowsFromAWriteMayFailIt(t *testing.T) {
	broken := errors.New("broken")
	crowd := docstore.NewCrowd(openPots(t), func(_ *pot, apply func() bool) error { apply(); return broken })
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if _, err := crowd.Upsert(context.Background(), fmt.Sprint("pot-", i%2), func(p *pot) error { p.Coins++; return nil }); !errors.Is(err, broken) {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
}

func TestACrowdOutlivesAPanic(t *testing.T) {
	pots := openPots(t)
	crowd := docstore.NewCrowd(pots, nil)
	if _, err := crowd.Upsert(t.Context(), "pot", func(*pot) error { panic("ouch") }); err == nil || !strings.Contains(err.Error(), "ouch") {
		t.Errorf("%v", err)
	}
	p, err := crowd.Upsert(t.Context(), "pot", func(p *pot) error { p.Coins++; return nil })
	if err != nil || p.Coins != 1 {
		t.Errorf("afterwards: %+v, %v", p, err)
	}
}
