package catalog

import (
	"slices"
	"strconv"
)

// A narrowing is the filters of a search, made ready. Filters of one kind
// (and for options, of one option) form a group: one of them must hold. All
// groups must hold; those on variants (options, price, availability) for one
// and the same variant, so that "size M" and "in stock" find what can be
// bought in size M.
type narrowing struct {
	vendors, kinds, tags, collections []uint32
	byVendor, byKind, byTag, byColl   bool
	options                           []optionFilter
	prices                            [][2]int64
	priceBit                          uint32 // the price group's bit; 0 without one
	wantIn, wantOut                   bool   // availability: neither or both means any
	never                             bool   // names what no product has
}

type optionFilter struct {
	group uint32
	terms []uint32
	bit   uint32
}

// maxFilters is how many filters one search may have.
const maxFilters = 250

// narrow makes the filters ready. The shelf is locked for reading.
func (s *shelf) narrow(filters []Filter) narrowing {
	var n narrowing
	put := func(on *bool, list *[]uint32, group uint32, label string) {
		*on = true
		if t, ok := s.find(group, label); ok {
			*list = append(*list, t)
		}
	}
	for _, f := range filters {
		switch {
		case f.Available != nil:
			n.wantIn = n.wantIn || *f.Available
			n.wantOut = n.wantOut || !*f.Available
		case f.Vendor != "":
			put(&n.byVendor, &n.vendors, vendorGroup, f.Vendor)
		case f.Type != "":
			put(&n.byKind, &n.kinds, typeGroup, f.Type)
		case f.Tag != "":
			put(&n.byTag, &n.tags, tagGroup, f.Tag)
		case f.Collection != "":
			n.byColl = true
			if c, ok := s.collections[f.Collection]; ok {
				n.collections = append(n.collections, c.number)
			}
		case f.Option != nil:
			group, ok := s.groupN[optionKey(f.Option.Name)]
			if !ok {
				n.never = true
				continue
			}
			i := slices.IndexFunc(n.options, func(o optionFilter) bool { return o.group == group })
			if i < 0 {
				if len(n.options) == 30 { // no product has as many options
					n.never = true
					continue
				}
				i = len(n.options)
				n.options = append(n.options, optionFilter{group: group, bit: 1 << i})
			}
			if t, ok := s.find(group, f.Option.Value); ok {
				n.options[i].terms = append(n.options[i].terms, t)
			}
		case f.PriceMin != nil || f.PriceMax != nil:
			span := [2]int64{-1 << 62, 1 << 62}
			if f.PriceMin != nil {
				span[0] = *f.PriceMin
			}
			if f.PriceMax != nil {
				span[1] = *f.PriceMax
			}
			n.prices = append(n.prices, span)
			n.priceBit = 1 << 31
		}
	}
	return n
}

// byStock reports whether availability matters.
func (n *narrowing) byStock() bool { return n.wantIn != n.wantOut }

func (n *narrowing) onVariants() bool { return len(n.options) > 0 || n.priceBit != 0 }

// failing are the bits of the groups that the variant fails.
func (n *narrowing) failing(v *choice) uint32 {
	var mask uint32
	for i := range n.options {
		if !overlap(v.options, n.options[i].terms) {
			mask |= n.options[i].bit
		}
	}
	if n.priceBit != 0 && !slices.ContainsFunc(n.prices, func(p [2]int64) bool { return p[0] <= v.price && v.price <= p[1] }) {
		mask |= n.priceBit
	}
	return mask
}

// The groups on products, as bits.
const (
	failsVendor = 1 << iota
	failsKind
	failsTag
	failsCollection
)

// failingProduct are the groups on the product itself that it fails.
func (n *narrowing) failingProduct(it *item) uint32 {
	var mask uint32
	if n.byVendor && !slices.Contains(n.vendors, it.vendor) {
		mask |= failsVendor
	}
	if n.byKind && !slices.Contains(n.kinds, it.kind) {
		mask |= failsKind
	}
	if n.byTag && !overlap(it.tags, n.tags) {
		mask |= failsTag
	}
	if n.byColl && !overlap(it.collections, n.collections) {
		mask |= failsCollection
	}
	return mask
}

// stocked says whether a product is admitted of whose suitable variants there
// are any, and some in stock.
func (n *narrowing) stocked(any, in bool) bool {
	switch {
	case !any:
		return false
	case !n.byStock():
		return true
	}
	return in == n.wantIn
}

// admits reports whether the product passes all filters.
func (n *narrowing) admits(it *item) bool {
	if n.never || n.failingProduct(it) != 0 {
		return false
	}
	if !n.onVariants() {
		return n.stocked(true, it.inStock)
	}
	any, in := false, false
	for i := range it.variants {
		if n.failing(&it.variants[i]) == 0 {
			any = true
			in = in || it.variants[i].inStock
		}
	}
	return n.stocked(any, in)
}

func overlap(a, b []uint32) bool {
	for _, x := range a {
		if slices.Contains(b, x) {
			return true
		}
	}
	return false
}

// checkFilters answers ErrInput for filters that say nothing or several things.
func checkFilters(filters []Filter) error {
	if len(filters) > maxFilters {
		return tooMany("filters", len(filters), maxFilters)
	}
	for i, f := range filters {
		parts := 0
		for _, set := range []bool{
			f.Available != nil, f.Vendor != "", f.Type != "", f.Tag != "", f.Option != nil, f.Collection != "",
			f.PriceMin != nil || f.PriceMax != nil,
		} {
			if set {
				parts++
			}
		}
		if parts != 1 {
			return ErrInput.Field("filters."+strconv.Itoa(i)).Say("A filter must have exactly one part; this one has %d.", parts)
		}
	}
	return nil
}
