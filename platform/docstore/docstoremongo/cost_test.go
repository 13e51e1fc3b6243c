package docstoremongo_test

import (
	"fmt"
	"testing"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoremongo"
	"ordergraph/test/mongoserver"
)

type parcel struct {
	docstore.Meta `bson:",inline"`
	State         string
	Due           time.Time
	Weight        int64
	Remarks       string
}

var parcels = docstore.Spec{Name: "parcels", Indexes: []docstore.Index{{Name: "stateDue", Fields: []string{"state", "due"}}}}

// BenchmarkCostBySize compares a point read, a page of 20 of an index, the
// same page behind a cursor, and an update, at 1,000 and at 200,000 documents.
// "ratio" is how much more they cost with many documents; it should stay
// within 1.5.
//
// On MongoDB all four are a walk down an index; TestMongoFindReadsOnlyItsStretch
// holds it to that. mongo-java-server has no indexes to speak of and would read
// the whole collection for a page (0.4 s at 200,000), so package mongoserver
// puts ordered ones before it. They are plain sorted maps that know equality,
// one range and the map's own order: what is measured there is that no find
// asks for more.
func BenchmarkCostBySize(b *testing.B) {
	uri, about := mongoserver.Start(b)
	sizes := []int{1000, 200_000}
	due := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	open := func(size int) *docstore.Collection[parcel] {
		store := open(b, uri, mongoserver.Database(b, uri), docstoremongo.Options{})
		c, err := docstore.Open[parcel](b.Context(), store, parcels)
		if err != nil {
			b.Fatal(err)
		}
		batch := make([]parcel, 0, 1000)
		for i := range size {
			batch = append(batch, parcel{
				Meta: docstore.Meta{ID: fmt.Sprintf("%06d", i)}, State: []string{"sent", "waiting"}[i%2],
				Due: due.Add(time.Duration(i) * time.Minute), Weight: int64(i), Remarks: "handle with care",
			})
			if len(batch) == cap(batch) {
				if err := c.Load(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				batch = batch[:0]
			}
		}
		return c
	}
	var collections []*docstore.Collection[parcel]
	for _, size := range sizes {
		collections = append(collections, open(size))
	}
	page := docstore.Query{Index: "stateDue", Equal: []any{"waiting"}, From: due.Add(5 * time.Hour), Limit: 20}

	for _, op := range []struct {
		name string
		do   func(c *docstore.Collection[parcel], size, n int) error
	}{
		{"PointRead", func(c *docstore.Collection[parcel], size, n int) error {
			_, err := c.Get(b.Context(), fmt.Sprintf("%06d", n*7919%size))
			return err
		}},
		{"IndexedPage", func(c *docstore.Collection[parcel], size, n int) error {
			found, err := c.Find(b.Context(), page)
			if err == nil && len(found.Items) != 20 {
				err = fmt.Errorf("%d documents", len(found.Items))
			}
			return err
		}},
		{"PageBehindCursor", func(c *docstore.Collection[parcel], size, n int) (err error) {
			q := page
			q.After, err = c.CursorAt(q, &parcel{Meta: docstore.Meta{ID: "000411"}, State: "waiting", Due: due.Add(411 * time.Minute)})
			if err != nil {
				return err
			}
			_, err = c.Find(b.Context(), q)
			return err
		}},
		{"Update", func(c *docstore.Collection[parcel], size, n int) error {
			_, err := c.Update(b.Context(), fmt.Sprintf("%06d", n*7919%size), func(p *parcel) error { p.Weight++; return nil })
			return err
		}},
	} {
		b.Run(op.name, func(b *testing.B) {
			took := make([]time.Duration, len(sizes))
			n := 0
			for b.Loop() {
				for i, size := range sizes { // in turns, so that both meet the same machine
					began := time.Now()
					if err := op.do(collections[i], size, n); err != nil {
						b.Fatal(err)
					}
					took[i] += time.Since(began)
				}
				n++
			}
			few, many := took[0]/time.Duration(n), took[1]/time.Duration(n)
			b.ReportMetric(float64(few.Microseconds()), "µs-at-1,000")
			b.ReportMetric(float64(many.Microseconds()), "µs-at-200,000")
			b.ReportMetric(float64(many)/float64(few), "ratio")
			b.ReportMetric(0, "ns/op") // of both together: says nothing
			b.Logf("%s: %v and %v, ratio %.2f (%s)", op.name, few, many, float64(many)/float64(few), about)
		})
	}
}
