package view

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ordergraph/services/catalog"
)

// decode reads the encoding of variants as storefronts do.
func decode(code string, depth int) [][]int {
	rest, ok := strings.CutPrefix(code, "v1_")
	if !ok {
		return nil
	}
	var all [][]int
	var place []int
	number, from, pending := 0, -1, false
	take := func() {
		if !pending {
			return
		}
		if from < 0 {
			from = number
		}
		for n := from; n <= number; n++ {
			all = append(all, append(slices.Clone(place), n))
		}
		number, from, pending = 0, -1, false
	}
	for i := range len(rest) {
		switch c := rest[i]; c {
		case ':':
			place, number, pending = append(place, number), 0, false
		case '-':
			from, number = number, 0
		case ' ':
			take()
		case ',':
			take()
			if len(place) > 0 {
				place = place[:len(place)-1]
			}
		default:
			number, pending = number*10+int(c-'0'), true
		}
	}
	take()
	_ = depth
	return all
}

func TestEncodedVariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		depth := rapid.IntRange(1, 3).Draw(t, "options")
		p := catalog.Product{ID: "p"}
		for o := range depth {
			option := catalog.Option{Name: "o" + strconv.Itoa(o)}
			for v := range rapid.IntRange(1, 12).Draw(t, "values") {
				option.Values = append(option.Values, "v"+strconv.Itoa(v))
			}
			p.Options = append(p.Options, option)
		}
		var want [][]int
		seen := map[string]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "variants") {
			var place []int
			var v catalog.Variant
			for _, o := range p.Options {
				i := rapid.IntRange(0, len(o.Values)-1).Draw(t, "value")
				place = append(place, i)
				v.Selected = append(v.Selected, catalog.SelectedOption{Name: o.Name, Value: o.Values[i]})
			}
			if key := strings.Join(strings.Fields(strings.Trim(strings.ReplaceAll(strings.Join(strs(place), " "), ",", " "), " ")), ","); !seen[key] {
				seen[key] = true
				want = append(want, place)
				p.Variants = append(p.Variants, v)
			}
		}
		slices.SortFunc(want, func(a, b []int) int { return slices.Compare(a, b) })
		shown := NewProduct(&Shop{}, &p)
		code := *shown.EncodedVariantExistence()
		if got := decode(code, depth); !slices.EqualFunc(got, want, slices.Equal[[]int]) {
			t.Fatalf("%s is %v, want %v", code, got, want)
		}
		if code := *shown.EncodedVariantAvailability(); code != "v1_" {
			t.Fatalf("nothing is in stock, and it says %s", code)
		}
	})
}

func strs(numbers []int) []string {
	s := make([]string, len(numbers))
	for i, n := range numbers {
		s[i] = strconv.Itoa(n)
	}
	return s
}

// The example is the one that Shopify documents for its encoding.
func TestEncodingOfThreeOptions(t *testing.T) {
	places := [][]int{{0, 0, 0}, {0, 1, 0}, {0, 1, 1}, {1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {2, 0, 1}, {2, 1, 0}}
	if got, want := string(trie(nil, places, 0)), "0:0:0,1:0-1,,1:0:0-1,1:1,,2:0:1,1:0,,"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestPlainText(t *testing.T) {
	for markup, want := range map[string]string{
		"":                                  "",
		"  plain  ":                         "plain",
		"<p>One</p><p>Two</p>":              "One Two",
		"Salt &amp; pepper, 3 &lt; 4":       "Salt & pepper, 3 < 4",
		"<ul>\n<li>a</li>\n<li>b</li></ul>": "a b",
		"broken <b":                         "broken",
	} {
		if got := plainText(markup); got != want {
			t.Errorf("%q is %q, want %q", markup, got, want)
		}
	}
	for n, want := range map[int32]string{100: "grüne Äpfel", 11: "grüne Äpfel", 9: "grüne...", 2: "gr", 0: "", -1: ""} {
		if got := truncate("grüne Äpfel", &n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
