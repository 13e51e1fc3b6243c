package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/docstore/docstorelocal"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogtest"
)

// benchProducts have 6,600 variants.
const benchProducts = 2_200

func putAll(t testing.TB, s catalog.Service, products []catalog.ProductInput) {
	t.Helper()
	for len(products) > 0 {
		n := min(len(products), catalog.MaxImport)
		results, err := s.Put(t.Context(), identity.Ourselves(), products[:n])
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Outcome == catalog.Refused {
				t.Fatal(r.Problem)
			}
		}
		products = products[n:]
	}
}

func benchKeeper(b *testing.B) (*catalog.Keeper, *docstorelocal.Store) {
	b.Helper()
	store, err := docstorelocal.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	k, err := catalog.New(b.Context(), catalog.Options{Store: store, Currency: catalogtest.Currency})
	if err != nil {
		b.Fatal(err)
	}
	putAll(b, k, catalogtest.Many(benchProducts))
	return k, store
}

// BenchmarkImport puts 6,600 variants into an empty shop: the durable store
// and the search index included.
func BenchmarkImport(b *testing.B) {
	products := catalogtest.Many(benchProducts)
	for b.Loop() {
		b.StopTimer()
		store, err := docstorelocal.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		k, err := catalog.New(b.Context(), catalog.Options{Store: store, Currency: catalogtest.Currency})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		putAll(b, k, products)
		b.StopTimer()
		_ = store.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N*3*benchProducts)/b.Elapsed().Seconds(), "variants/s")
}

// BenchmarkImportAgain puts in what is there already.
func BenchmarkImportAgain(b *testing.B) {
	k, _ := benchKeeper(b)
	products := catalogtest.Many(benchProducts)
	for b.Loop() {
		putAll(b, k, products)
	}
	b.ReportMetric(float64(b.N*3*benchProducts)/b.Elapsed().Seconds(), "variants/s")
}

// BenchmarkStart reads 6,600 variants from the store until the first search
// is answered.
func BenchmarkStart(b *testing.B) {
	_, store := benchKeeper(b)
	var reading time.Duration
	for b.Loop() {
		began := time.Now()
		k, err := catalog.New(b.Context(), catalog.Options{Store: store, Currency: catalogtest.Currency})
		if err != nil {
			b.Fatal(err)
		}
		reading += time.Since(began)
		if _, err := k.Search(b.Context(), catalog.Search{Text: "cotton shirt", Limit: 24, Facets: true}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(reading.Milliseconds())/float64(b.N), "ms-until-readable")
}

func BenchmarkProductByHandle(b *testing.B) {
	k, _ := benchKeeper(b)
	n := 0
	for b.Loop() {
		if _, err := k.ProductByHandle(b.Context(), fmt.Sprintf("product-%d", n%benchProducts)); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkSearch(b *testing.B) {
	k, _ := benchKeeper(b)
	yes := true
	for _, c := range []struct {
		name  string
		texts []string
		q     catalog.Search
	}{
		{"everything", []string{""}, catalog.Search{Facets: true, Total: true, Limit: 24}},
		{"everything-no-facets", []string{""}, catalog.Search{Limit: 24}},
		{"word", []string{"shirt", "mug", "cotton", "leather", "nordic"}, catalog.Search{Facets: true, Total: true, Limit: 24}},
		{"words", []string{"cotton shirt", "leather bag", "soft wool scarf"}, catalog.Search{Facets: true, Total: true, Limit: 24}},
		{"broad", []string{"made", "hand", "wash", "home"}, catalog.Search{Facets: true, Total: true, Limit: 24}},
		{"prefix", []string{"cot", "le", "nor"}, catalog.Search{Facets: true, Total: true, Limit: 24}},
		{"typo", []string{"cottn", "leahter", "shrit"}, catalog.Search{Facets: true, Total: true, Limit: 24}},
		{"filtered", []string{"shirt", "mug", "lamp"}, catalog.Search{Facets: true, Total: true, Limit: 24, Filters: []catalog.Filter{
			{Option: &catalog.SelectedOption{Name: "Size", Value: "M"}}, {Option: &catalog.SelectedOption{Name: "Colour", Value: "Red"}}, {Available: &yes},
		}}},
		{"by-price", []string{""}, catalog.Search{Limit: 24, Sort: catalog.ByPrice, Filters: []catalog.Filter{{Tag: "cotton"}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				c.q.Text = c.texts[n%len(c.texts)]
				if _, err := k.Search(b.Context(), c.q); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
	// The worst that fits into a search text: many words, each of them mistyped.
	b.Run("hostile", func(b *testing.B) {
		n := 0
		for b.Loop() {
			var text strings.Builder
			for i := range 35 {
				fmt.Fprintf(&text, "cottn%s OR ", string([]rune{rune('a' + n%26), rune('a' + i%26), rune('a' + n/26%26), rune('a' + i/26)}))
			}
			if _, err := k.Search(b.Context(), catalog.Search{Text: text.String(), Limit: 24}); err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
	// Words never asked for before: nothing is remembered of them.
	b.Run("new-words", func(b *testing.B) {
		n := 0
		for b.Loop() {
			q := catalog.Search{Text: fmt.Sprintf("%s %d", []string{"shrit", "cotton", "leathr"}[n%3], n), Facets: true, Limit: 24}
			if _, err := k.Search(b.Context(), q); err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
}
