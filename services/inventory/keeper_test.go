package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/host/hosttest"
	"ordergraph/platform/identity"
	"ordergraph/services/inventory"
	"ordergraph/services/inventory/inventoryrpc"
	"ordergraph/services/inventory/inventorytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ours = identity.Ourselves()

func TestContract(t *testing.T) {
	t.Run("here", func(t *testing.T) {
		inventorytest.Run(t, func(t *testing.T) inventory.Service {
			return inventorytest.New(t, docstoretest.Memory(t), clocktest.Still())
		})
	})
	t.Run("remote", func(t *testing.T) {
		inventorytest.Run(t, func(t *testing.T) inventory.Service {
			keeper := inventorytest.New(t, docstoretest.Memory(t), clocktest.Still())
			return hosttest.Loopback(t, inventoryrpc.Contract, inventory.Service(keeper))
		})
	})
}

func TestReservationExpires(t *testing.T) {
	clock := clocktest.Still()
	k := inventorytest.New(t, docstoretest.Memory(t), clock)
	inventorytest.Receive(t, k, "mug", "main", 1)
	mustReserve(t, k, "o1", "mug", 1)
	clock.Pass(inventory.HoldFor - time.Second)
	sweep(t, k)
	inventorytest.Want(t, k, "mug", 0, 1, 0)
	clock.Pass(2 * time.Second)
	sweep(t, k)
	inventorytest.Want(t, k, "mug", 1, 0, 0)
	if _, err := k.Commit(t.Context(), ours, "o1"); !errors.Is(err, inventory.ErrReleased) {
		t.Errorf("commit what expired: %v", err)
	}
	inventorytest.Audit(t, k)
}

func mustReserve(t *testing.T, k *inventory.Keeper, order, sku string, n int64) {
	t.Helper()
	if _, err := k.Reserve(t.Context(), ours, order, []inventory.Line{{SKU: sku, Quantity: n}}); err != nil {
		t.Fatal(err)
	}
}

func sweep(t *testing.T, k *inventory.Keeper) {
	t.Helper()
	if err := k.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestDeathAtEveryWrite lets the service die at each of its writes, before it
// and after it, during each of an order's steps; then it starts anew, the
// caller tries again or gives up, and everything adds up.
func TestDeathAtEveryWrite(t *testing.T) {
	lines := []inventory.Line{{SKU: "lamp", Quantity: 1}, {SKU: "mug", Quantity: 3}}
	type service = inventory.Service
	reserve := func(s service) error { _, err := s.Reserve(t.Context(), ours, "o1", lines); return err }
	commit := func(s service) error { _, err := s.Commit(t.Context(), ours, "o1"); return err }
	release := func(s service) error { _, err := s.Release(t.Context(), ours, "o1"); return err }
	restock := func(s service) error { _, err := s.Restock(t.Context(), ours, "o1"); return err }
	for name, c := range map[string]struct {
		steps, then []func(service) error
		sold        int64 // mugs in the end
		sweepOnly   bool
	}{
		"reserve, tried again":      {steps: []func(service) error{reserve}, then: []func(service) error{reserve, commit}, sold: 3},
		"reserve, given up":         {steps: []func(service) error{reserve}, then: []func(service) error{release}},
		"reserve, forgotten":        {steps: []func(service) error{reserve}, sweepOnly: true},
		"commit, tried again":       {steps: []func(service) error{reserve, commit}, then: []func(service) error{reserve, commit}, sold: 3},
		"release, tried again":      {steps: []func(service) error{reserve, release}, then: []func(service) error{release}},
		"restock, tried again":      {steps: []func(service) error{reserve, commit, restock}, then: []func(service) error{reserve, commit, restock}},
		"all of it, left to itself": {steps: []func(service) error{reserve, release}, sweepOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, after := range []bool{false, true} {
				for n := 1; ; n++ {
					clock := clocktest.Still()
					store := docstoretest.Memory(t)
					k := inventorytest.New(t, store, clock)
					inventorytest.Receive(t, k, "mug", "main", 2)
					inventorytest.Receive(t, k, "mug", "rotterdam", 2)
					inventorytest.Receive(t, k, "lamp", "main", 1)

					var reaper docstoretest.Reaper
					mortal := inventorytest.New(t, reaper.Wrap(store), clock)
					if after {
						reaper.DieAfter(n)
					} else {
						reaper.DieBefore(n)
					}
					for _, step := range c.steps {
						if step(mortal) != nil {
							break
						}
					}
					died := reaper.Dead()

					k = inventorytest.New(t, store, clock)
					for _, step := range c.then {
						if err := step(k); err != nil && !strings.Contains(err.Error(), "inventory.") {
							t.Errorf("after death %d: %v", n, err)
						}
					}
					clock.Pass(inventory.HoldFor + time.Minute)
					sweep(t, k)
					sweep(t, k)
					if !c.sweepOnly {
						inventorytest.Want(t, k, "mug", 4-c.sold, 0, c.sold)
						inventorytest.Want(t, k, "lamp", 1-c.sold/3, 0, c.sold/3)
					} else {
						inventorytest.Want(t, k, "mug", 4, 0, 0)
					}
					inventorytest.Audit(t, k)
					if t.Failed() {
						t.Fatalf("at write %d, taken: %v", n, after)
					}
					if !died {
						break
					}
				}
			}
		})
	}
}

// slowStore lets a test hold one write up until it says so.
type slowStore struct {
	docstore.Store
	hold func(collection string, write int)
	mu   sync.Mutex
	n    int
}

type slowDocuments struct {
	docstore.Documents
	store *slowStore
	name  string
}

func (s *slowStore) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	docs, err := s.Store.Documents(ctx, spec)
	return slowDocuments{docs, s, spec.Name}, err
}

func (d slowDocuments) Get(ctx context.Context, ids ...string) ([]bson.Raw, error) {
	d.store.mu.Lock()
	d.store.n++
	n := d.store.n
	d.store.mu.Unlock()
	d.store.hold(d.name, n)
	return d.Documents.Get(ctx, ids...)
}

// TestAReserveThatComesTooLate holds a Reserve up just before it touches the
// stock, until its order was released, or sold by another call and restocked.
func TestAReserveThatComesTooLate(t *testing.T) {
	for name, meanwhile := range map[string]func(t *testing.T, k *inventory.Keeper){
		"released": func(t *testing.T, k *inventory.Keeper) {
			if _, err := k.Release(t.Context(), ours, "o1"); err != nil {
				t.Error(err)
			}
		},
		"sold": func(t *testing.T, k *inventory.Keeper) {
			mustReserve(t, k, "o1", "mug", 1)
			if _, err := k.Commit(t.Context(), ours, "o1"); err != nil {
				t.Error(err)
			}
		},
		"sold and restocked": func(t *testing.T, k *inventory.Keeper) {
			mustReserve(t, k, "o1", "mug", 1)
			for _, call := range []func(context.Context, identity.Caller, string) (inventory.Reservation, error){k.Commit, k.Restock} {
				if _, err := call(t.Context(), ours, "o1"); err != nil {
					t.Error(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			clock := clocktest.Still()
			store := docstoretest.Memory(t)
			k := inventorytest.New(t, store, clock)
			inventorytest.Receive(t, k, "mug", "main", 3)
			armed, once := false, sync.Once{}
			slow := &slowStore{Store: store}
			slow.hold = func(collection string, _ int) {
				if armed && collection == "stock" {
					once.Do(func() { meanwhile(t, k) })
				}
			}
			late := inventorytest.New(t, slow, clock)
			armed = true
			_, _ = late.Reserve(t.Context(), ours, "o1", []inventory.Line{{SKU: "mug", Quantity: 1}})
			levels, err := k.Levels(t.Context(), []string{"mug"})
			if err != nil || levels["mug"].Levels[0].Reserved != 0 {
				t.Errorf("a hold is left behind: %+v, %v", levels, err)
			}
			inventorytest.Audit(t, k)
		})
	}
}

// TestAReserveThatWakesUpMuchLater writes its hold when the order is sold and
// the stock has forgotten that it ever was.
func TestAReserveThatWakesUpMuchLater(t *testing.T) {
	clock := clocktest.Still()
	store := docstoretest.Memory(t)
	k := inventorytest.New(t, store, clock)
	inventorytest.Receive(t, k, "mug", "main", 1000)
	armed, once := false, sync.Once{}
	slow := &slowStore{Store: store}
	slow.hold = func(collection string, n int) {
		if !armed || collection != "stock" || n < 3 {
			return
		}
		once.Do(func() {
			mustReserve(t, k, "o1", "mug", 1)
			if _, err := k.Commit(t.Context(), ours, "o1"); err != nil {
				t.Error(err)
			}
			var others sync.WaitGroup
			for i := range 300 {
				others.Go(func() {
					order := fmt.Sprint("other-", i)
					_, err := k.Reserve(context.Background(), ours, order, []inventory.Line{{SKU: "mug", Quantity: 1}})
					if err == nil {
						_, err = k.Release(context.Background(), ours, order)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			others.Wait()
		})
	}
	late := inventorytest.New(t, slow, clock)
	slow.mu.Lock()
	slow.n, armed = 0, true
	slow.mu.Unlock()
	r, err := late.Reserve(t.Context(), ours, "o1", []inventory.Line{{SKU: "mug", Quantity: 1}})
	if err != nil || r.State != inventory.Committed {
		t.Errorf("%+v, %v", r, err)
	}
	inventorytest.Want(t, k, "mug", 999, 0, 1)
	inventorytest.Audit(t, k)
}

// TestALeftHoldIsLifted lets a Reserve die after it wrote a hold for an order
// that was released meanwhile: when the hold's time is over, the sweep lifts it.
func TestALeftHoldIsLifted(t *testing.T) {
	clock := clocktest.Still()
	store := docstoretest.Memory(t)
	k := inventorytest.New(t, store, clock)
	inventorytest.Receive(t, k, "mug", "main", 1)
	once := sync.Once{}
	slow := &slowStore{Store: store}
	armed := false
	slow.hold = func(collection string, n int) {
		if armed && collection == "stock" && n >= 3 {
			once.Do(func() {
				if _, err := k.Release(t.Context(), ours, "o1"); err != nil {
					t.Error(err)
				}
			})
		}
	}
	var reaper docstoretest.Reaper
	late := inventorytest.New(t, reaper.Wrap(slow), clock)
	reaper.DieAfter(2) // the reservation, the hold
	slow.n, armed = 0, true
	_, err := late.Reserve(t.Context(), ours, "o1", []inventory.Line{{SKU: "mug", Quantity: 1}})
	if err == nil || !reaper.Dead() {
		t.Fatalf("it has not died: %v", err)
	}
	inventorytest.Want(t, k, "mug", 0, 1, 0)
	clock.Pass(inventory.HoldFor + time.Second)
	sweep(t, k)
	inventorytest.Want(t, k, "mug", 1, 0, 0)
	inventorytest.Audit(t, k)
}

// TestRunExpires: the workers do by themselves what Sweep does, and end.
func TestRunExpires(t *testing.T) {
	clock := clocktest.Still()
	k := inventorytest.New(t, docstoretest.Memory(t), clock)
	inventorytest.Receive(t, k, "mug", "main", 1)
	mustReserve(t, k, "o1", "mug", 1)
	clock.Pass(inventory.HoldFor + time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.Run(ctx) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		levels, err := k.Levels(t.Context(), []string{"mug"})
		if err != nil {
			t.Fatal(err)
		}
		if levels["mug"].Available == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it was not released")
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestACallThatEndsEarly gives up while others are served: its rule either
// ran or never runs.
func TestACallThatEndsEarly(t *testing.T) {
	k := inventorytest.New(t, docstoretest.Memory(t), clocktest.Still())
	inventorytest.Receive(t, k, "mug", "main", 1000)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*20*time.Microsecond)
			defer cancel()
			order := fmt.Sprint("o", i)
			_, _ = k.Reserve(ctx, ours, order, []inventory.Line{{SKU: "mug", Quantity: 1}})
			if _, err := k.Release(context.Background(), ours, order); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	inventorytest.Want(t, k, "mug", 1000, 0, 0)
	inventorytest.Audit(t, k)
}

func TestOneStoreTwoKeepers(t *testing.T) {
	store := docstoretest.Memory(t)
	clock := clocktest.Still()
	keepers := []*inventory.Keeper{inventorytest.New(t, store, clock), inventorytest.New(t, store, clock)}
	inventorytest.Receive(t, keepers[0], "mug", "main", 40)
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			_, err := keepers[i%2].Reserve(context.Background(), ours, fmt.Sprint("o", i), []inventory.Line{{SKU: "mug", Quantity: 1}})
			if err != nil && !errors.Is(err, inventory.ErrOutOfStock) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	inventorytest.Want(t, keepers[1], "mug", 0, 40, 0)
	inventorytest.Audit(t, keepers[0])
}

// BenchmarkReserveAndCommit sells on a store with files: one SKU that everybody
// wants, and many.
func BenchmarkReserveAndCommit(b *testing.B) {
	for name, skus := range map[string]int{"hot": 1, "many": 1000} {
		b.Run(name, func(b *testing.B) {
			store, err := docstorelocal.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			k := inventorytest.New(b, store, clocktest.Still())
			for i := range skus {
				inventorytest.Receive(b, k, fmt.Sprint("sku-", i), "main", inventory.MaxQuantity)
			}
			var mu sync.Mutex
			n := 0
			b.SetParallelism(8) // 16 at once on two cores
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mu.Lock()
					n++
					order, sku := fmt.Sprint("o", n), fmt.Sprint("sku-", n%skus)
					mu.Unlock()
					if _, err := k.Reserve(context.Background(), ours, order, []inventory.Line{{SKU: sku, Quantity: 1}}); err != nil {
						b.Error(err)
					}
					if _, err := k.Commit(context.Background(), ours, order); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}
