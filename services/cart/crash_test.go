package cart_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
	"ordergraph/platform/money"
	"ordergraph/services/cart"
	"ordergraph/services/cart/carttest"
)

var program = identity.Ourselves()

// A till is a cart service with three codes: ALPHA can be used once, BETA once
// per customer, GAMMA at will. Processes come and go, the store stays.
type till struct {
	*testing.T
	store docstore.Store
	shelf *carttest.Shelf
	clock *clocktest.Clock
	live  *cart.Keeper // a process that does not die
}

var tillCodes = []string{"ALPHA", "BETA", "GAMMA"}

func newTill(t *testing.T) *till {
	w := &till{T: t, store: docstoretest.Memory(t), shelf: carttest.NewShelf(), clock: clocktest.Still()}
	w.live = w.process(w.store)
	off := money.Of(100, "EUR")
	for _, d := range []cart.Discount{
		{Code: "ALPHA", Kind: cart.Fixed, Amount: off, UsageLimit: 1},
		{Code: "BETA", Kind: cart.Fixed, Amount: off, OncePerCustomer: true},
		{Code: "GAMMA", Kind: cart.Fixed, Amount: off},
	} {
		_, err := w.live.PutDiscount(t.Context(), program, d)
		w.must(err)
	}
	return w
}

func (w *till) process(s docstore.Store) *cart.Keeper { return open(w.T, s, w.shelf, w.clock) }

func (w *till) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *till) cart() string { return w.cartWith(tillCodes...) }

func (w *till) cartWith(codes ...string) string {
	w.Helper()
	r, err := w.live.Create(w.Context(), identity.Caller{}, cart.CreateInput{Lines: []cart.LineInput{{VariantID: "shirt", Quantity: 1}}, Codes: codes})
	w.must(err)
	return r.Cart.ID
}

func claim(ctx context.Context, k *cart.Keeper, id, order string) ([]cart.Problem, error) {
	_, problems, err := k.Claim(ctx, program, cart.ClaimInput{CartID: id, OrderID: order, Country: "DE", Email: "ann@example.com"})
	return problems, err
}

func (w *till) mustClaim(k *cart.Keeper, id, order string) {
	w.Helper()
	problems, err := claim(w.Context(), k, id, order)
	w.must(err)
	if len(problems) > 0 {
		w.Fatalf("%s: %+v", order, problems)
	}
}

func (w *till) complete(id, order string) {
	w.Helper()
	w.must(w.live.Complete(w.Context(), program, id, order))
}

func (w *till) unclaim(id, order string) {
	w.Helper()
	w.must(w.live.Unclaim(w.Context(), program, id, order))
}

func (w *till) sweep() {
	w.Helper()
	w.clock.Pass(2 * time.Minute)
	_, err := w.live.Sweep(w.Context())
	w.must(err)
}

// wantUsed checks the counts now, after a sweep, and when everything that ends
// has ended. GAMMA is always used where ALPHA is.
func (w *till) wantUsed(alpha, beta int64) {
	w.Helper()
	want := map[string]int64{"ALPHA": alpha, "BETA": beta, "GAMMA": alpha}
	for _, wait := range []time.Duration{0, 2 * time.Minute, 8 * 24 * time.Hour, time.Minute} {
		if wait > 0 {
			w.clock.Pass(wait)
			_, err := w.live.Sweep(w.Context())
			w.must(err)
		}
		page, err := w.live.Discounts(w.Context(), program, "", 10)
		w.must(err)
		for _, d := range page.Discounts {
			if d.Used != want[d.Code] {
				w.Fatalf("%v later, %s was used %d times, want %d", wait, d.Code, d.Used, want[d.Code])
			}
		}
	}
}

// deaths runs act in processes that die at its first, second, … write, before
// the write or just after it, and looks at what they leave behind.
func deaths(t *testing.T, prepare func(w *till) (id string), act func(ctx context.Context, k *cart.Keeper, id string) error, after func(w *till, id string)) {
	t.Helper()
	survived := false
	for n := 1; !survived; n++ {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprintf("write%d/taken=%v", n, taken), func(t *testing.T) {
				w := newTill(t)
				id := prepare(w)
				var reaper docstoretest.Reaper
				k := w.process(reaper.Wrap(w.store))
				if taken {
					reaper.DieAfter(n)
				} else {
					reaper.DieBefore(n)
				}
				err := act(t.Context(), k, id)
				if !reaper.Dead() {
					survived = true
					w.must(err)
				} else if !errors.Is(err, docstore.ErrUnavailable) {
					t.Fatalf("dead, it says %v", err)
				}
				after(w, id)
			})
		}
		if n > 20 {
			t.Fatal("it never survives")
		}
	}
}

func TestDeathInClaim(t *testing.T) {
	prepare := func(w *till) string { return w.cart() }
	act := func(ctx context.Context, k *cart.Keeper, id string) error {
		problems, err := claim(ctx, k, id, "order-1")
		if len(problems) > 0 {
			return fmt.Errorf("%+v", problems)
		}
		return err
	}
	t.Run("Confirmed", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.sweep() // before the order is taken up again
			w.mustClaim(w.live, id, "order-1")
			w.complete(id, "order-1")
			w.wantUsed(1, 1)
		})
	})
	t.Run("Failed", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.unclaim(id, "order-1")
			w.mustClaim(w.live, id, "order-2") // at once: the codes are free again
			w.unclaim(id, "order-2")
			w.wantUsed(0, 0)
		})
	})
}

func TestDeathInUnclaim(t *testing.T) {
	prepare := func(w *till) string {
		id := w.cart()
		w.mustClaim(w.live, id, "order-1")
		return id
	}
	act := func(ctx context.Context, k *cart.Keeper, id string) error {
		return k.Unclaim(ctx, program, id, "order-1")
	}
	t.Run("Repeated", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.unclaim(id, "order-1")
			w.mustClaim(w.live, w.cart(), "order-2")
			w.unclaim(id, "order-1")
		})
	})
	t.Run("SweptOnly", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.sweep()
			if c, err := w.live.Get(w.Context(), identity.Caller{}, id); err != nil || len(c.Lines) != 1 {
				w.Fatalf("the cart is %+v, %v", c, err)
			}
			if problems, err := claim(w.Context(), w.live, id, "order-1"); err == nil {
				// It died before anything was written: the order still has the cart.
				if len(problems) > 0 {
					w.Fatalf("%+v", problems)
				}
				w.unclaim(id, "order-1")
			}
			w.wantUsed(0, 0)
		})
	})
}

func TestDeathInComplete(t *testing.T) {
	prepare := func(w *till) string {
		id := w.cart()
		w.mustClaim(w.live, id, "order-1")
		return id
	}
	act := func(ctx context.Context, k *cart.Keeper, id string) error {
		return k.Complete(ctx, program, id, "order-1")
	}
	t.Run("Repeated", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.complete(id, "order-1")
			w.wantUsed(1, 1)
		})
	})
	t.Run("SweptOnly", func(t *testing.T) {
		deaths(t, prepare, act, func(w *till, id string) {
			w.sweep()
			w.wantUsed(1, 1)
		})
	})
}

// A stall holds one write of a process back until it is told to go on: the
// process that everybody thought dead.
type stall struct {
	mu      sync.Mutex
	at      int // the write to stall at, counted from 1; 0: none
	reached chan struct{}
	resume  chan struct{}
}

func (s *stall) write() {
	s.mu.Lock()
	s.at--
	now := s.at == 0
	s.mu.Unlock()
	if now {
		close(s.reached)
		<-s.resume
	}
}

func (s *stall) wrap(store docstore.Store) docstore.Store { return stalledStore{store, s} }

type stalledStore struct {
	docstore.Store
	stall *stall
}

func (s stalledStore) Documents(ctx context.Context, spec docstore.Spec) (docstore.Documents, error) {
	d, err := s.Store.Documents(ctx, spec)
	return stalledDocuments{d, s.stall}, err
}

type stalledDocuments struct {
	docstore.Documents
	stall *stall
}

func (d stalledDocuments) Insert(ctx context.Context, doc bson.Raw) error {
	d.stall.write()
	return d.Documents.Insert(ctx, doc)
}

func (d stalledDocuments) Swap(ctx context.Context, id string, version int64, doc bson.Raw) error {
	d.stall.write()
	return d.Documents.Swap(ctx, id, version, doc)
}

// A process stalls at any of its writes; others end what it began and sweep;
// then it goes on, to its end or to a sudden death. The counts are exact.
func TestProcessThatWakesUpLate(t *testing.T) {
	claimed := func(w *till) string {
		id := w.cart()
		w.mustClaim(w.live, id, "order-1")
		return id
	}
	for _, late := range []struct {
		name    string
		prepare func(w *till) string
		act     func(ctx context.Context, k *cart.Keeper, id string) error
		others  map[string]int64 // what the others do meanwhile, and how often the codes are used then
	}{
		{"Claim", (*till).cart, func(ctx context.Context, k *cart.Keeper, id string) error {
			_, err := claim(ctx, k, id, "order-1")
			return err
		}, map[string]int64{"unclaim": 0, "claim, complete": 1, "claim, unclaim": 0, "unclaim, another order": 1, "sweep": 1, "both used up": 1, "one used up": 1, "one lent": 1, "claimed anew": 1}},
		{"Unclaim", claimed, func(ctx context.Context, k *cart.Keeper, id string) error {
			return k.Unclaim(ctx, program, id, "order-1")
		}, map[string]int64{"unclaim": 0, "unclaim, another order": 1}},
		{"Complete", claimed, func(ctx context.Context, k *cart.Keeper, id string) error {
			return k.Complete(ctx, program, id, "order-1")
		}, map[string]int64{"complete": 1, "complete, forget": 1}},
	} {
		for other, used := range late.others {
			for n, finished := 1, false; !finished; n++ {
				for dieAfter := range 4 { // 0: it lives on
					for _, taken := range []bool{false, true} {
						name := fmt.Sprintf("%s/%s/stalls%d/dies%d/taken=%v", late.name, other, n, dieAfter, taken)
						t.Run(name, func(t *testing.T) {
							w := newTill(t)
							id := late.prepare(w)
							st := &stall{reached: make(chan struct{}), resume: make(chan struct{})}
							var reaper docstoretest.Reaper
							zombie := w.process(st.wrap(reaper.Wrap(w.store)))
							st.at = n
							done := make(chan error, 1)
							go func() { done <- late.act(t.Context(), zombie, id) }()
							select {
							case <-st.reached:
							case err := <-done:
								finished = true
								w.must(err)
								return
							}

							rival, rivalWon := "", false
							switch other {
							case "unclaim":
								w.unclaim(id, "order-1")
							case "claim, complete":
								w.mustClaim(w.live, id, "order-1")
								w.complete(id, "order-1")
							case "claim, unclaim":
								w.mustClaim(w.live, id, "order-1")
								w.unclaim(id, "order-1")
							case "unclaim, another order":
								w.unclaim(id, "order-1")
								w.mustClaim(w.live, id, "order-2")
								w.complete(id, "order-2")
							case "complete":
								w.complete(id, "order-1")
							case "complete, forget":
								w.complete(id, "order-1")
								w.clock.Pass(8 * 24 * time.Hour)
							case "claimed anew": // after it was refused, so under another token
								rival = w.cartWith("BETA")
								problems, err := claim(t.Context(), w.live, rival, "order-2")
								w.must(err)
								if len(problems) == 0 {
									if problems, err := claim(t.Context(), w.live, id, "order-1"); err != nil || len(problems) == 0 {
										t.Fatalf("a rival has a code, and the claim says %v, %v", problems, err)
									}
								}
								w.unclaim(rival, "order-2")
								w.mustClaim(w.live, id, "order-1")
							case "both used up", "one used up", "one lent": // by a cart that asks for the codes meanwhile
								rival = w.cart()
								if other != "both used up" {
									rival = w.cartWith("BETA")
								}
								problems, err := claim(t.Context(), w.live, rival, "order-2")
								w.must(err)
								switch rivalWon = len(problems) == 0; {
								case !rivalWon:
									w.unclaim(rival, "order-2")
								case other != "one lent":
									w.complete(rival, "order-2")
								}
							}
							w.sweep()

							switch {
							case dieAfter > 0 && taken:
								reaper.DieAfter(dieAfter)
							case dieAfter > 0:
								reaper.DieBefore(dieAfter)
							}
							close(st.resume)
							err := <-done
							if other == "unclaim" && late.name == "Claim" && err == nil {
								t.Error("a claim came after its unclaim")
							}
							switch other {
							case "sweep", "claimed anew": // the order is taken up again later
								w.mustClaim(w.live, id, "order-1")
								w.complete(id, "order-1")
							case "one lent": // and given back after all
								if rivalWon {
									w.unclaim(rival, "order-2")
								}
								w.mustClaim(w.live, id, "order-1")
								w.sweep()
								w.complete(id, "order-1")
							case "both used up", "one used up":
								problems, err := claim(t.Context(), w.live, id, "order-1")
								w.must(err)
								if rivalWon == (len(problems) == 0) {
									t.Fatalf("the rival has them: %v; the problems are %+v", rivalWon, problems)
								}
								if rivalWon {
									w.unclaim(id, "order-1")
								} else {
									w.complete(id, "order-1")
								}
							}
							if reaper.Dead() {
								w.sweep()
							}
							if other == "one used up" && rivalWon {
								w.wantUsed(0, 1)
							} else {
								w.wantUsed(used, used)
							}
						})
						if t.Failed() {
							t.FailNow()
						}
					}
				}
				if n > 20 {
					t.Fatal("it never finishes")
				}
			}
		}
	}
}
