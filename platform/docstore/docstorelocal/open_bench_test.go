package docstorelocal_test

import (
	"fmt"
	"testing"

	"ordergraph/platform/docstore/docstorelocal"
)

// BenchmarkOpen opens and closes a store, whose files are all read and checked.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{0, 1_000, 100_000} {
		b.Run(fmt.Sprint(n, " documents"), func(b *testing.B) {
			dir := b.TempDir()
			s := openDir(b, dir)
			fill(b, s, n)
			for b.Loop() {
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				s = openDir(b, dir)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
	b.Run("in memory", func(b *testing.B) {
		for b.Loop() {
			s, err := docstorelocal.OpenMemory()
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
