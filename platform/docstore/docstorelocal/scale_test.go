package docstorelocal_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ordergraph/platform/docstore"
)

// BenchmarkScale shows that an operation costs the same whether there are
// 1,000 documents or 200,000: it measures both by turns and prints the ratio
// of the medians. Run it with -benchtime 1x.
func BenchmarkScale(b *testing.B) {
	const few, many = 1_000, 200_000
	sizes := []int{few, many}
	colls := []*docstore.Collection[order]{fill(b, openBench(b), few), fill(b, openBench(b), many)}
	random := func(size int) string { return fmt.Sprintf("order-%08d", rand.N(size)) }
	for _, op := range []struct {
		name  string
		times int // in one turn
		do    func(c *docstore.Collection[order], size int) error
	}{
		{"point read", 2000, func(c *docstore.Collection[order], size int) error {
			_, err := c.Get(b.Context(), random(size))
			return err
		}},
		{"indexed page of 10", 300, func(c *docstore.Collection[order], size int) error {
			page, err := c.Find(b.Context(), docstore.Query{Index: "customerPlaced", Equal: []any{fmt.Sprint("customer-", rand.N(size/10))}, Limit: 10})
			if err == nil && len(page.Items) != 10 {
				err = fmt.Errorf("%d in the page", len(page.Items))
			}
			return err
		}},
		{"update", 300, func(c *docstore.Collection[order], size int) error {
			_, err := c.Update(b.Context(), random(size), func(o *order) error {
				o.Deadline = o.Deadline.Add(time.Second)
				return nil
			})
			return err
		}},
	} {
		b.Run(op.name, func(b *testing.B) {
			const turns = 21
			for b.Loop() {
				var took [2][]time.Duration
				for range turns {
					for i, c := range colls {
						start := time.Now()
						for range op.times {
							if err := op.do(c, sizes[i]); err != nil {
								b.Fatal(err)
							}
						}
						took[i] = append(took[i], time.Since(start)/time.Duration(op.times))
					}
				}
				for i := range took {
					slices.Sort(took[i])
					b.ReportMetric(float64(took[i][turns/2].Nanoseconds())/1e3, fmt.Sprintf("µs/op@%d", sizes[i]))
				}
				b.ReportMetric(float64(took[1][turns/2])/float64(took[0][turns/2]), "ratio")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}
