package catalog

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxValues is how many values a facet lists.
const maxValues = 100

// A tally counts hits for the facets. A facet does not heed its own filters:
// a customer who has chosen red still sees how many are blue, and gets them by
// choosing blue as well.
type tally struct {
	n        *narrowing
	counts   []int32  // by term
	seen     []uint32 // by term: the last product counted, or barred, for it
	in, out  int64
	min, max int64
	filtered map[uint32]uint32 // bit by option group with a filter
}

var tallies = sync.Pool{New: func() any { return new(tally) }}

func takeTally(s *shelf, n *narrowing) *tally {
	t := tallies.Get().(*tally)
	if len(t.counts) < len(s.terms) {
		size := len(s.terms) + len(s.terms)/4 + 64
		t.counts, t.seen = make([]int32, size), make([]uint32, size)
	}
	clear(t.counts)
	clear(t.seen)
	t.n, t.in, t.out, t.min, t.max = n, 0, 0, math.MaxInt64, math.MinInt64
	t.filtered = nil
	if len(n.options) > 0 {
		t.filtered = make(map[uint32]uint32, len(n.options))
		for _, o := range n.options {
			t.filtered[o.group] = o.bit
		}
	}
	return t
}

func (t *tally) giveBack() {
	t.n, t.filtered = nil, nil
	tallies.Put(t)
}

func (t *tally) count(terms []uint32) {
	for _, x := range terms {
		t.counts[x]++
	}
}

func (t *tally) price(least, most int64) {
	t.min, t.max = min(t.min, least), max(t.max, most)
}

// visit counts the product where it belongs, and reports whether it passes
// all filters.
func (t *tally) visit(s *shelf, it *item) bool {
	n := t.n
	if n.never {
		return false
	}
	product := n.failingProduct(it)
	if product&(product-1) != 0 || product == failsCollection {
		return false // fails more than one group, or one that is no facet
	}
	// What there is of suitable variants: of those that pass, and for each
	// group on variants, of those that would without it.
	passAny, passIn := true, it.inStock
	if n.onVariants() {
		passAny, passIn = false, false
		for i := range it.variants {
			if n.failing(&it.variants[i]) == 0 {
				passAny = true
				passIn = passIn || it.variants[i].inStock
			}
		}
	}
	pass := n.stocked(passAny, passIn)
	if product != 0 {
		if pass {
			switch product {
			case failsVendor:
				t.counts[it.vendor]++
			case failsKind:
				t.counts[it.kind]++
			case failsTag:
				t.count(it.tags)
			}
		}
		return false
	}
	if passAny {
		if passIn {
			t.in++
		} else {
			t.out++
		}
	}
	if pass {
		t.counts[it.vendor]++
		t.counts[it.kind]++
		t.count(it.tags)
	}
	if !n.onVariants() && (!n.byStock() || n.wantOut) {
		// Every variant counts, or none does.
		if pass {
			t.count(it.options)
			t.price(it.least, it.most)
		}
		return pass
	}
	t.visitVariants(s, it)
	return pass
}

// visitVariants counts a product's options and prices, variant by variant.
func (t *tally) visitVariants(s *shelf, it *item) {
	n := t.n
	mark := it.ordinal + 1
	outOnly := n.byStock() && n.wantOut
	if outOnly {
		// A value of which something suitable is in stock is not sold out.
		for i := range it.variants {
			v := &it.variants[i]
			if v.inStock {
				t.eachSuitable(s, v, func(x uint32) { t.seen[x] = mark }, nil)
			}
		}
	}
	priceAny, priceIn := false, false
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for i := range it.variants {
		v := &it.variants[i]
		if n.byStock() && n.wantIn && !v.inStock {
			continue
		}
		t.eachSuitable(s, v, func(x uint32) {
			if t.seen[x] != mark {
				t.seen[x] = mark
				t.counts[x]++
			}
		}, func() {
			priceAny = true
			priceIn = priceIn || v.inStock
			least, most = min(least, v.price), max(most, v.price)
		})
	}
	if n.stocked(priceAny, priceIn) {
		t.price(least, most)
	}
}

// eachSuitable calls option with each of the variant's values whose facet the
// variant belongs to, and price if it belongs to the price facet.
func (t *tally) eachSuitable(s *shelf, v *choice, option func(uint32), price func()) {
	failing := t.n.failing(v)
	if failing&(failing-1) != 0 {
		return
	}
	for _, x := range v.options {
		if failing == 0 || failing == t.filtered[s.terms[x].group] {
			option(x)
		}
	}
	if price != nil && (failing == 0 || failing == t.n.priceBit) {
		price()
	}
}

// facets writes the tally down: availability, price, type, vendor, the options
// by name, tags. A facet without a value is left out.
func (t *tally) facets(s *shelf, filters []Filter) []Facet {
	var facets []Facet
	if t.in+t.out > 0 {
		yes, no := true, false
		facets = append(facets, Facet{ID: "filter.v.availability", Label: "Availability", Kind: FacetBoolean, Values: []FacetValue{
			{ID: "filter.v.availability.1", Label: "In stock", Count: t.in, Filter: Filter{Available: &yes}},
			{ID: "filter.v.availability.0", Label: "Out of stock", Count: t.out, Filter: Filter{Available: &no}},
		}})
	}
	if t.min <= t.max {
		facets = append(facets, Facet{ID: "filter.v.price", Label: "Price", Kind: FacetRange, Min: t.min, Max: t.max})
	}
	byGroup := make([][]uint32, len(s.groups))
	for x := 1; x < len(s.terms); x++ {
		if t.counts[x] > 0 {
			g := s.terms[x].group
			byGroup[g] = append(byGroup[g], uint32(x))
		}
	}
	// What is chosen stays in sight, even where nothing is left of it.
	for _, f := range filters {
		if x, ok := s.termOfFilter(f); ok && t.counts[x] == 0 && !slices.Contains(byGroup[s.terms[x].group], x) {
			byGroup[s.terms[x].group] = append(byGroup[s.terms[x].group], x)
		}
	}
	order := []uint32{typeGroup, vendorGroup}
	for g := firstOption; g < len(s.groups); g++ {
		order = append(order, uint32(g))
	}
	slices.SortFunc(order[2:], func(a, b uint32) int { return strings.Compare(s.groups[a].id, s.groups[b].id) })
	order = append(order, tagGroup)
	for _, g := range order {
		terms := byGroup[g]
		if len(terms) == 0 {
			continue
		}
		slices.SortFunc(terms, func(a, b uint32) int {
			return cmp.Or(cmp.Compare(t.counts[b], t.counts[a]), strings.Compare(s.terms[a].label, s.terms[b].label))
		})
		terms = terms[:min(len(terms), maxValues)]
		group := s.groups[g]
		facet := Facet{ID: group.id, Label: group.label, Kind: FacetList, Values: make([]FacetValue, len(terms))}
		taken := make(map[string]bool, len(terms))
		for i, x := range terms {
			label := s.terms[x].label
			id := group.id + "." + slug(label)
			if taken[id] { // "C" and "C+"
				id += "." + strconv.Itoa(int(x))
			}
			taken[id] = true
			facet.Values[i] = FacetValue{ID: id, Label: label, Count: int64(t.counts[x]), Filter: s.filter(x)}
		}
		facets = append(facets, facet)
	}
	return facets
}

// filter narrows a search to a term.
func (s *shelf) filter(x uint32) Filter {
	switch t := s.terms[x]; t.group {
	case vendorGroup:
		return Filter{Vendor: t.label}
	case typeGroup:
		return Filter{Type: t.label}
	case tagGroup:
		return Filter{Tag: t.label}
	default:
		return Filter{Option: &SelectedOption{s.groups[t.group].label, t.label}}
	}
}

func (s *shelf) termOfFilter(f Filter) (uint32, bool) {
	switch {
	case f.Vendor != "":
		return s.find(vendorGroup, f.Vendor)
	case f.Type != "":
		return s.find(typeGroup, f.Type)
	case f.Tag != "":
		return s.find(tagGroup, f.Tag)
	case f.Option != nil:
		if g, ok := s.groupN[optionKey(f.Option.Name)]; ok {
			return s.find(g, f.Option.Value)
		}
	}
	return 0, false
}
