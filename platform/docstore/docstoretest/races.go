package docstoretest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ordergraph/platform/docstore"
)

var errNoneLeft = errors.New("none left")

// handles opens the collection several times, as several processes would:
// their writers do not queue with each other but meet at the swap.
func handles(t *testing.T, s docstore.Store, spec docstore.Spec, n int) []*docstore.Collection[parcel] {
	t.Helper()
	all := make([]*docstore.Collection[parcel], n)
	for i := range all {
		all[i] = openParcels(t, s, spec)
	}
	return all
}

func thousandUnitsAreTakenOnce(t *testing.T, s docstore.Store) {
	const units, attempts, buyers = 1000, 5000, 64
	hs := handles(t, s, plain, 3)
	insert(t, hs[0], parcel{Meta: docstore.Meta{ID: "stock"}, Weight: units})
	var next, took, refused atomic.Int64
	var wg sync.WaitGroup
	for b := range buyers {
		wg.Go(func() {
			c := hs[b%len(hs)]
			for next.Add(1) <= attempts {
				_, err := c.Update(background(t), "stock", func(p *parcel) error {
					if p.Weight == 0 {
						return errNoneLeft
					}
					p.Weight--
					p.Taken++
					return nil
				})
				switch {
				case err == nil:
					took.Add(1)
				case errors.Is(err, errNoneLeft):
					refused.Add(1)
				default:
					t.Errorf("take: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	got, err := hs[0].Get(t.Context(), "stock")
	must(t, err)
	if took.Load() != units || refused.Load() != attempts-units || got.Weight != 0 || got.Taken != units || got.Version != units+1 {
		t.Errorf("took %d of %d, refused %d; the document says %d left, %d taken, version %d",
			took.Load(), units, refused.Load(), got.Weight, got.Taken, got.Version)
	}
}

func hotDocument(t *testing.T, s docstore.Store) {
	// 500 writers of one document, all through one handle: nobody is turned
	// away and nobody's change is lost.
	c := openParcels(t, s, plain)
	insert(t, c, parcel{Meta: docstore.Meta{ID: "hot"}})
	var wg sync.WaitGroup
	var ran atomic.Int64
	for range 500 {
		wg.Go(func() {
			if _, err := c.Update(background(t), "hot", func(p *parcel) error { ran.Add(1); p.Weight++; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := c.Get(t.Context(), "hot"); err != nil || got.Weight != 500 || got.Version != 501 {
		t.Errorf("after 500 changes: %+v, %v", got, err)
	}
	if ran.Load() != 500 {
		t.Errorf("500 changes ran %d times: writers of one process fought instead of queueing", ran.Load())
	}
}

func swapHasOneWinner(t *testing.T, s docstore.Store) {
	const rivals, rounds = 8, 25
	docs := documents(t, s, parcels)
	p := newParcel(1)
	p.Version, p.Stamp = 1, "the first"
	must(t, docs.Insert(t.Context(), raw(t, p)))
	for round := range rounds {
		var won, deleted atomic.Int64
		var wg sync.WaitGroup
		for r := range rivals {
			mine := p
			mine.Version, mine.Stamp, mine.Weight = p.Version+1, fmt.Sprintf("%d by %d", round, r), int64(r)
			doc := raw(t, mine)
			wg.Go(func() {
				var err error
				if last := round == rounds-1; last && r%2 == 1 {
					if err = docs.Delete(background(t), p.ID, p.Version); err == nil {
						deleted.Add(1)
					}
				} else {
					err = docs.Swap(background(t), p.ID, p.Version, doc)
				}
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, docstore.ErrStale):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d of %d rivals won", round, won.Load(), rivals)
		}
		p.Version++
		if there, err := docs.Get(t.Context(), p.ID); err != nil || (there[0] == nil) != (deleted.Load() == 1) {
			t.Fatalf("round %d: %v, %v", round, there, err)
		}
	}
}

func jobIsClaimedOnce(t *testing.T, s docstore.Store) {
	const jobs, workers = 60, 24
	hs := handles(t, s, parcels, 4)
	for i := range jobs {
		insert(t, hs[0], newParcel(i))
	}
	taken := errors.New("taken")
	var mu sync.Mutex
	claims := map[string]int{}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			c := hs[w%len(hs)]
			for {
				page, err := c.Find(background(t), docstore.Query{Index: "stateDue", Equal: []any{"new"}, Limit: 3})
				if err != nil {
					t.Error(err)
					return
				}
				if len(page.Items) == 0 {
					return
				}
				for _, job := range page.Items {
					if job.State != "new" {
						t.Errorf("a list of new jobs has one that is %q", job.State)
					}
					_, err := c.Update(background(t), job.ID, func(p *parcel) error {
						if p.State != "new" {
							return taken
						}
						p.State, p.By = "claimed", fmt.Sprint(w)
						return nil
					})
					if err == nil {
						mu.Lock()
						claims[job.ID]++
						mu.Unlock()
					} else if !errors.Is(err, taken) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if len(claims) != jobs {
		t.Errorf("%d of %d jobs were claimed", len(claims), jobs)
	}
	for id, n := range claims {
		if n != 1 {
			t.Errorf("%s was claimed %d times", id, n)
		}
	}
}

func uniqueUnderRacingInserts(t *testing.T, s docstore.Store) {
	const rounds, rivals = 30, 8
	c := openParcels(t, s, parcels)
	for round := range rounds {
		var won atomic.Int64
		var wg sync.WaitGroup
		for r := range rivals {
			wg.Go(func() {
				p := newParcel(round*rivals + r)
				p.Label = fmt.Sprint("round ", round)
				switch err := c.Insert(background(t), &p); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, docstore.ErrDuplicate):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d of %d rivals inserted one key", won.Load(), rivals)
		}
	}
	if n := len(ids(t, c, docstore.Query{})); n != rounds {
		t.Errorf("%d documents, want %d", n, rounds)
	}
	if n := len(ids(t, c, docstore.Query{Index: "label"})); n != rounds {
		t.Errorf("%d entries in the index, want %d", n, rounds)
	}
}

func uniqueUnderRacingUpdates(t *testing.T, s docstore.Store) {
	// Many documents move among few keys. At every moment each key has one
	// owner at most, and the index and the documents agree in the end.
	const movers, keys, moves = 12, 16, 40
	hs := handles(t, s, parcels, 3)
	for i := range movers {
		insert(t, hs[0], newParcel(i))
	}
	var wg sync.WaitGroup
	for m := range movers {
		wg.Go(func() {
			for n := range moves {
				key := fmt.Sprint("key ", (m*7+n*5)%keys)
				p, err := hs[m%len(hs)].Update(background(t), newParcel(m).ID, func(p *parcel) error { p.Label = key; return nil })
				if err != nil && !errors.Is(err, docstore.ErrDuplicate) {
					t.Error(err)
				}
				if err == nil && p.Label != key {
					t.Errorf("moved to %q, is at %q", key, p.Label)
				}
			}
		})
	}
	wg.Wait()
	owner := map[string]string{}
	for p, err := range hs[0].All(t.Context(), docstore.Query{}) {
		must(t, err)
		if owner[p.Label] != "" {
			t.Errorf("%s and %s both have %q", owner[p.Label], p.ID, p.Label)
		}
		owner[p.Label] = p.ID
	}
	if len(owner) != movers {
		t.Errorf("%d keys for %d documents", len(owner), movers)
	}
	n := 0
	for p, err := range hs[0].All(t.Context(), docstore.Query{Index: "label"}) {
		must(t, err)
		if n++; owner[p.Label] != p.ID {
			t.Errorf("the index has %q at %s", p.Label, p.ID)
		}
	}
	if n != movers {
		t.Errorf("%d entries in the index, want %d", n, movers)
	}
}

func uniqueKeyIsFreedAndTakenAgain(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	a, b := insert(t, c, newParcel(1)), insert(t, c, newParcel(2))
	_, err := c.Update(ctx, a.ID, func(p *parcel) error { p.Label = "elsewhere"; return nil })
	must(t, err)
	_, err = c.Update(ctx, b.ID, func(p *parcel) error { p.Label = a.Label; return nil })
	must(t, err)
	must(t, c.Delete(ctx, b.ID, nil))
	_, err = c.Update(ctx, a.ID, func(p *parcel) error { p.Label = a.Label; return nil })
	must(t, err)
	_, err = c.Update(ctx, a.ID, func(p *parcel) error { p.Weight++; return nil }) // its own key is no duplicate
	must(t, err)
}

func refusedSwapChangesNothing(t *testing.T, s docstore.Store) {
	ctx := t.Context()
	c := openParcels(t, s, parcels)
	a, b := insert(t, c, newParcel(1)), insert(t, c, newParcel(2))
	_, err := c.Update(ctx, b.ID, func(p *parcel) error {
		p.Label, p.Weight, p.State = a.Label, 999, "moved"
		return nil
	})
	if !errors.Is(err, docstore.ErrDuplicate) {
		t.Fatalf("swap into a taken key: %v", err)
	}
	got, err := c.Get(ctx, b.ID)
	if err != nil || got.Version != 1 || got.Label != b.Label || got.Weight != b.Weight {
		t.Errorf("after the refusal: %+v, %v", got, err)
	}
	for _, q := range []docstore.Query{
		{Index: "weight", Equal: []any{999}}, {Index: "stateDue", Equal: []any{"moved"}},
	} {
		if got := ids(t, c, q); len(got) != 0 {
			t.Errorf("index %s knows the refused document: %v", q.Index, got)
		}
	}
	if got := ids(t, c, docstore.Query{Index: "label"}); len(got) != 2 {
		t.Errorf("by label: %v", got)
	}
}
