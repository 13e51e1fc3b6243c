package invoice

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/services/order"
)

// What the PDF of an invoice costs, with its attachment compressed.
func BenchmarkPDF(b *testing.B) {
	for _, lines := range []int{3, 60} {
		b.Run(fmt.Sprintf("%d_lines", lines), func(b *testing.B) {
			d := numbered(lines, "de-DE", "EUR")
			x, err := d.renderCII()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var size int
			for b.Loop() {
				size = len(d.renderPDF(x))
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

// What an invoice costs from the order to READY, everything told, without the
// disk's time.
func BenchmarkIssue(b *testing.B) {
	o, seller := sold(3, "de-DE", "EUR")
	k, err := New(context.Background(), Options{Store: docstoretest.Memory(b), Seller: seller, Now: func() time.Time { return issued }})
	if err != nil {
		b.Fatal(err)
	}
	o.Status = order.Confirmed
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		o.ID = fmt.Sprintf("order-%d", n)
		if err := k.Issue(context.Background(), o); err != nil {
			b.Fatal(err)
		}
	}
}
