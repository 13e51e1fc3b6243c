package catalog

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Whatever is typed is a question: the parser never panics and never asks for
// more than was typed.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "red shirt", `"red shirt" -tag:x OR (vendor:'a b' AND price:>5)`, "variants.price:>=10.50", "created_at:>'2026-01-01'",
		"((((", "))))", "a)b(c", "-", "--a", "NOT", "NOT NOT a OR OR b", `tag:"`, "title:*", "tag:>>>x", "\xff\"", "sku:'", "杯子 mug", "don't t-shirt",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := parse(text, "EUR")
		leaves := 0
		var walk func(n *node, depth int)
		walk = func(n *node, depth int) {
			if n == nil {
				t.Fatal("a hole in the question")
			}
			if depth > 4*deepest+len(text) {
				t.Fatal("deeper than the text")
			}
			switch n.kind {
			case all, either:
				if len(n.kids) < 2 {
					t.Fatalf("%d parts", len(n.kids))
				}
			case not:
				if len(n.kids) != 1 {
					t.Fatalf("not %d parts", len(n.kids))
				}
			case word, phrase:
				if len(words(n.text)) == 0 || !utf8.ValidString(n.text) {
					t.Fatalf("no word in %q", n.text)
				}
				leaves++
			case tested:
				n.test(&item{})
				leaves++
			}
			for _, kid := range n.kids {
				walk(kid, depth+1)
			}
		}
		if n != nil {
			walk(n, 0)
		}
		if leaves > len(text) {
			t.Fatalf("%d parts of %d bytes", leaves, len(text))
		}
	})
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"Ocean Blue T-Shirts":    "ocean blue t shirt",
		"Crème brûlée, 2 dishes": "creme brulee 2 dish",
		"don't  stop":            "don t stop",
		"Straße Øl Łódź":         "strasse ol lodz",
		"ladies' watches glass":  "lady watch glass",
		"bus basis 4s boxes":     "bus basis 4s box",
		"日本 tea":                 "日 本 tea",
		"…":                      "",
		"one—two/three":          "one two three",
	} {
		if got := strings.Join(wordsApart(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := words("T-Shirt"); !slices.Equal(got, []string{"t", "shirt", "tshirt"}) {
		t.Errorf("compound: %q", got)
	}
}

// wordsApart are the words without the compounds.
func wordsApart(text string) []string {
	var list []string
	eachWord(text, func(w string, joined bool) {
		if !joined {
			list = append(list, w)
		}
	})
	return list
}

// The algebra of hits is that of sets.
func TestHitsAreSets(t *testing.T) {
	const universe = 12
	draw := func(t *rapid.T, name string) *hits {
		set := rapid.SliceOfDistinct(rapid.Uint32Range(0, universe-1), rapid.ID[uint32]).Draw(t, name)
		slices.Sort(set)
		h := &hits{but: rapid.Bool().Draw(t, name+" but")}
		for _, o := range set {
			h.add(o, float32(o)+1)
		}
		return h
	}
	has := func(h *hits, o uint32) bool { return slices.Contains(h.ordinals, o) != h.but }
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		for o := range uint32(universe) {
			for name, got := range map[string][2]bool{
				"and": {has(a.and(b), o), has(a, o) && has(b, o)},
				"or":  {has(a.or(b), o), has(a, o) || has(b, o)},
				"not": {has(a.not(), o), !has(a, o)},
			} {
				if got[0] != got[1] {
					t.Fatalf("%d: %s is %v", o, name, got[0])
				}
			}
		}
		for _, h := range []*hits{a.and(b), a.or(b)} {
			if !slices.IsSorted(h.ordinals) || h.scores != nil && len(h.scores) != len(h.ordinals) {
				t.Fatalf("%+v", h)
			}
		}
	})
}

// Any place survives being written down; anything else is refused or a place,
// never a panic.
func FuzzCursor(f *testing.F) {
	f.Add("", int64(0), "", "id")
	f.Add("abc", int64(-5), "crème", "0123456789abcdef")
	f.Fuzz(func(t *testing.T, garbage string, n int64, s, id string) {
		_, _ = parseCursor(garbage, 7)
		if id == "" || len(id) > 255 || len(s) > 1000 {
			return
		}
		p := place{n, s, id}
		got, err := parseCursor(p.cursor(7), 7)
		if err != nil || got != p {
			t.Fatalf("%+v became %+v, %v", p, got, err)
		}
		if _, err := parseCursor(p.cursor(7), 8); err == nil {
			t.Fatal("a cursor of another list was taken")
		}
	})
}
