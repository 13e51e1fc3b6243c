package docstorelocal_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstorelocal"
)

// order is about as large as the shop's: 1.5 kB of BSON with four lines.
type order struct {
	docstore.Meta `bson:",inline"`
	Number        string
	Customer      string
	State         string
	Placed        time.Time
	Deadline      time.Time
	Email         string
	Currency      string
	Total         int64
	Shipping      place
	Billing       place
	Lines         []line
	Timeline      []step
	Outbox        []string
}

type place struct{ Name, Street, City, Postcode, Country string }

type line struct {
	ID, SKU, Title string
	Quantity       int32
	Price, Tax     int64
}

type step struct {
	State, Cause string
	At           time.Time
}

var orders = docstore.Spec{Name: "orders", Indexes: []docstore.Index{
	{Name: "number", Fields: []string{"number"}, Unique: true},
	{Name: "stateDeadline", Fields: []string{"state", "deadline"}},
	{Name: "customerPlaced", Fields: []string{"customer", "placed"}},
}}

var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

func newOrder(n int) order {
	o := order{Meta: docstore.Meta{ID: fmt.Sprintf("order-%08d", n)}, Number: fmt.Sprintf("R-%07d", n), Customer: fmt.Sprint("customer-", n/10),
		State: "CONFIRMED", Placed: noon.Add(time.Duration(n) * time.Second), Deadline: noon.Add(time.Duration(n) * time.Minute),
		Email: "somebody@example.org", Currency: "EUR", Total: 12345}
	o.Shipping = place{"Ada Example", "Example Street 12", "Exampletown", "A-1234", "AT"}
	o.Billing = o.Shipping
	for i := range 4 {
		o.Lines = append(o.Lines, line{ID: fmt.Sprint("line-", i), SKU: fmt.Sprintf("MUG-BLUE-%04d", n%5000), Title: "A mug, blue, for coffee and tea, half a litre, safe in the dishwasher, fair trade", Quantity: 2, Price: 1290, Tax: 215})
	}
	for _, s := range []string{"PENDING", "RESERVED", "PAYING", "CONFIRMED"} {
		o.Timeline = append(o.Timeline, step{State: s, Cause: "checkout", At: noon})
	}
	return o
}

func fill(b *testing.B, s docstore.Store, n int) *docstore.Collection[order] {
	b.Helper()
	c, err := docstore.Open[order](b.Context(), s, orders)
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]order, 0, 1000)
	for i := range n {
		batch = append(batch, newOrder(i))
		if len(batch) == cap(batch) || i == n-1 {
			if err := c.Load(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	return c
}

func openBench(b *testing.B) *docstorelocal.Store {
	b.Helper()
	s := openDir(b, b.TempDir())
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func rate(b *testing.B) { b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s") }

// spread does b.N operations from so many goroutines.
func spread(b *testing.B, goroutines int, do func(worker, n int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for w := range goroutines {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= b.N {
					return
				}
				if err := do(w, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	rate(b)
}

// BenchmarkGet reads whole orders into structs.
func BenchmarkGet(b *testing.B) {
	const n = 20000
	for _, goroutines := range []int{1, 2, 16} {
		b.Run(fmt.Sprint(goroutines, " readers"), func(b *testing.B) {
			c := fill(b, openBench(b), n)
			spread(b, goroutines, func(int, int) error {
				_, err := c.Get(b.Context(), fmt.Sprintf("order-%08d", rand.N(n)))
				return err
			})
		})
	}
}

// BenchmarkUpdate changes orders durably, one index entry each.
func BenchmarkUpdate(b *testing.B) {
	const n = 20000
	for _, goroutines := range []int{1, 16, 64} {
		b.Run(fmt.Sprint(goroutines, " writers"), func(b *testing.B) {
			c := fill(b, openBench(b), n)
			spread(b, goroutines, func(worker, _ int) error {
				_, err := c.Update(b.Context(), fmt.Sprintf("order-%08d", rand.N(n/goroutines)*goroutines+worker), func(o *order) error {
					o.Deadline = o.Deadline.Add(time.Minute)
					return nil
				})
				return err
			})
		})
	}
	b.Run("16 writers of one document", func(b *testing.B) {
		c := fill(b, openBench(b), n)
		spread(b, 16, func(int, int) error {
			_, err := c.Update(b.Context(), "order-00000007", func(o *order) error { o.Total++; return nil })
			return err
		})
	})
}

// BenchmarkInsert adds orders durably.
func BenchmarkInsert(b *testing.B) {
	for _, goroutines := range []int{1, 16} {
		b.Run(fmt.Sprint(goroutines, " writers"), func(b *testing.B) {
			c := fill(b, openBench(b), 0)
			spread(b, goroutines, func(_, n int) error {
				o := newOrder(n)
				return c.Insert(b.Context(), &o)
			})
		})
	}
}

// BenchmarkFind reads pages of 20 by an index.
func BenchmarkFind(b *testing.B) {
	const n = 20000
	c := fill(b, openBench(b), n)
	spread(b, 2, func(int, int) error {
		_, err := c.Find(b.Context(), docstore.Query{Index: "customerPlaced", Equal: []any{fmt.Sprint("customer-", rand.N(n/10))}, Limit: 20})
		return err
	})
}

// BenchmarkLoad imports orders in bulk.
func BenchmarkLoad(b *testing.B) {
	s := openBench(b)
	b.ResetTimer()
	fill(b, s, b.N)
	rate(b)
}
