package catalog

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"ordergraph/platform/docstore"
)

// However the index came about, batch by batch with changes in between, it
// finds what an index made in one go finds.
func TestIndexForgetsNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	vocabulary := []string{"mug", "pan", "lamp", "shirt", "scarf", "pen", "belt"}
	s := newShelf()
	text := newTextIndex()
	docs := map[int]productDoc{}
	change := func(i int) productDoc {
		d := docs[i]
		d.Meta = docstore.Meta{ID: fmt.Sprint("p", i), Version: d.Version + 1}
		d.Handle, d.Published = fmt.Sprint("h", i), r.IntN(8) > 0
		d.Title = vocabulary[r.IntN(len(vocabulary))] + " " + vocabulary[r.IntN(len(vocabulary))]
		d.Variants = []variantDoc{{N: 1, SKU: fmt.Sprint("sku", i)}}
		docs[i] = d
		return d
	}
	for round := range 120 {
		var batch []productDoc
		if round%10 == 0 {
			for range 40 {
				batch = append(batch, change(len(docs)))
			}
		} else {
			batch = append(batch, change(r.IntN(len(docs))))
		}
		if err := text.add(s.put(batch)); err != nil {
			t.Fatal(err)
		}
	}
	now := text.now.Load()
	if n := len(now.segments); n > 12 {
		t.Errorf("%d segments for %d products", n, len(docs))
	}
	afresh := newTextIndex()
	if err := afresh.add(s.items); err != nil {
		t.Fatal(err)
	}
	for _, q := range []wordQuery{
		{word: "mug", fields: anyField}, {word: "p", fields: anyField, prefix: true}, {word: "scraf", fields: anyField},
		{word: "h7", fields: 1 << inCodes}, {word: "sku11", fields: 1 << inCodes}, {word: "nothing", fields: anyField},
	} {
		got, err := now.find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want, err := afresh.now.Load().find(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.ordinals, want.ordinals) || !reflect.DeepEqual(got.scores, want.scores) {
			t.Errorf("%+v: %d found, afresh %d", q, len(got.ordinals), len(want.ordinals))
		}
	}
}

// The memory of past answers stays within its bound.
func TestCacheIsBounded(t *testing.T) {
	c := newHitsCache()
	big := &hits{ordinals: make([]uint32, 10_000)}
	for i := range 1_000 {
		c.put(wordQuery{word: fmt.Sprint(i)}, big)
		c.put(wordQuery{word: fmt.Sprint(i)}, big)
	}
	total := 0
	for _, h := range c.byQ {
		total += len(h.ordinals) + 32
	}
	if total != c.size || total > cacheAtMost {
		t.Errorf("holds %d, counts %d, may hold %d", total, c.size, cacheAtMost)
	}
}
