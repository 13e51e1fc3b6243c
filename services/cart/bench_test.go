package cart_test

import (
	"fmt"
	"testing"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/identity"
	"ordergraph/services/cart"
	"ordergraph/services/cart/carttest"
)

// What one operation costs on a durable store, with a cart of three lines and
// a code.
func BenchmarkCart(b *testing.B) {
	s, err := docstorelocal.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	shelf := carttest.NewShelf()
	k, err := cart.New(b.Context(), cart.Options{Store: s, Catalog: shelf, Stock: shelf})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := k.PutDiscount(b.Context(), identity.Ourselves(), cart.Discount{Code: "TEN", Kind: cart.Percentage, BasisPoints: 1_000}); err != nil {
		b.Fatal(err)
	}
	create := func(codes ...string) string {
		r, err := k.Create(b.Context(), identity.Caller{}, cart.CreateInput{
			Lines: []cart.LineInput{{VariantID: "mug", Quantity: 1}, {VariantID: "shirt", Quantity: 2}, {VariantID: "ebook", Quantity: 1}}, Codes: codes,
		})
		if err != nil || len(r.Problems) > 0 {
			b.Fatal(err, r.Problems)
		}
		return r.Cart.ID
	}
	b.Run("Get", func(b *testing.B) {
		id := create()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := k.Get(b.Context(), identity.Caller{}, id); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("GetWithCode", func(b *testing.B) {
		id := create("TEN")
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := k.Get(b.Context(), identity.Caller{}, id); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("AddLines", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(8) // 16 buyers on two cores
		b.RunParallel(func(pb *testing.PB) {
			id, n := create(), 0
			for pb.Next() {
				if n++; n%900 == 0 {
					id = create()
				}
				r, err := k.AddLines(b.Context(), identity.Caller{}, id, []cart.LineInput{{VariantID: "shirt", Quantity: 1}})
				if err != nil || len(r.Problems) > 0 {
					b.Error(err, r.Problems)
				}
			}
		})
	})
	for name, codes := range map[string][]string{"CreateClaimComplete": nil, "CreateClaimCompleteOneCode": {"TEN"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					id := create(codes...)
					order := fmt.Sprint("order-", id)
					if problems, err := claim(b.Context(), k, id, order); err != nil || len(problems) > 0 {
						b.Error(err, problems)
					}
					if err := k.Complete(b.Context(), program, id, order); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
