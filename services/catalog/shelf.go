package catalog

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
)

// A shelf holds the whole catalogue in memory, in the form that reading,
// filtering, sorting and counting want it: products are numbered, and what
// can be filtered by is a number too. An item never changes: a change puts
// another in its place, so that an item once taken may be read without a lock.
type shelf struct {
	mu       sync.RWMutex
	items    []*item // by ordinal
	byID     map[string]uint32
	byHandle map[string]uint32
	bySKU    map[string][]uint32
	stock    map[string]stockDoc

	terms  []term // by number; 0 is none
	termOf map[string]uint32
	groups []group
	groupN map[string]uint32

	collections  map[string]*shelvedCollection // by id
	byCollection map[string]string             // id by handle
	byNumber     []*shelvedCollection
	listed       map[string][]membership // hand-picked collections by product handle
}

// A term is a value that products can be filtered by and counted under.
type term struct {
	group uint32
	label string
}

// A group is a facet that lists terms: vendor, type, tag, or one option.
type group struct {
	id    string // "filter.p.vendor"
	label string
}

// The groups that are always there; options follow.
const (
	vendorGroup = iota
	typeGroup
	tagGroup
	firstOption
)

// An item is a product on the shelf.
type item struct {
	ordinal uint32
	doc     productDoc
	product Product // shares doc's slices; given out only as a copy

	inStock          bool
	least, most      int64 // prices of the variants
	vendor, kind     uint32
	tags             []uint32
	options          []uint32 // of any variant, each once
	variants         []choice
	collections      []uint32 // numbers
	title, vend, typ string   // folded, to sort by
	words            string   // the title's words as they are searched
	titleWords       int
	created, updated int64 // Unix ms
}

// A choice is what filters ask of a variant.
type choice struct {
	price   int64
	inStock bool
	options []uint32
}

type shelvedCollection struct {
	number   uint32
	doc      collectionDoc
	title    string         // folded
	rules    []uint32       // terms, all of which a product must have
	position map[string]int // by product handle, for hand-picked ones
}

type membership struct {
	collection *shelvedCollection
	position   int
}

func newShelf() *shelf {
	return &shelf{
		byID: map[string]uint32{}, byHandle: map[string]uint32{}, bySKU: map[string][]uint32{},
		stock: map[string]stockDoc{}, terms: make([]term, 1), termOf: map[string]uint32{},
		groups: []group{
			{"filter.p.vendor", "Vendor"}, {"filter.p.product_type", "Product type"}, {"filter.p.tag", "Tag"},
		},
		groupN:      map[string]uint32{},
		collections: map[string]*shelvedCollection{}, byCollection: map[string]string{},
		listed: map[string][]membership{},
	}
}

// put places products on the shelf and returns their items. Versions that are
// not newer than what lies there are left out.
func (s *shelf) put(docs []productDoc) (changed []*item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range docs {
		d := &docs[i]
		n, known := s.byID[d.ID]
		var old *item
		if known {
			if old = s.items[n]; old.doc.Version >= d.Version {
				continue
			}
		} else {
			n = uint32(len(s.items))
			s.items = append(s.items, nil)
			s.byID[d.ID] = n
		}
		if old != nil {
			if old.doc.Handle != d.Handle && s.byHandle[old.doc.Handle] == n {
				delete(s.byHandle, old.doc.Handle)
			}
			for _, v := range old.doc.Variants {
				s.bySKU[v.SKU] = slices.DeleteFunc(s.bySKU[v.SKU], func(o uint32) bool { return o == n })
			}
		}
		s.byHandle[d.Handle] = n
		for _, v := range d.Variants {
			if !slices.Contains(s.bySKU[v.SKU], n) {
				s.bySKU[v.SKU] = append(s.bySKU[v.SKU], n)
			}
		}
		it := s.build(n, *d)
		s.items[n] = it
		changed = append(changed, it)
	}
	return changed
}

// build makes the item of a document, with the stock and the collections as
// they are known now.
func (s *shelf) build(n uint32, d productDoc) *item {
	it := &item{ordinal: n, doc: d, product: d.product()}
	it.title, it.vend, it.typ = fold(d.Title), fold(d.Vendor), fold(d.Type)
	it.created, it.updated = d.CreatedAt.UnixMilli(), d.UpdatedAt.UnixMilli()
	it.vendor = s.term(vendorGroup, d.Vendor)
	it.kind = s.term(typeGroup, d.Type)
	it.tags = make([]uint32, len(d.Tags))
	for i, t := range d.Tags {
		it.tags[i] = s.term(tagGroup, t)
	}
	groups := make([]uint32, len(d.Options))
	for i, o := range d.Options {
		groups[i] = s.optionGroup(o.Name)
	}
	terms := make([]uint32, len(d.Variants)*len(d.Options))
	it.variants = make([]choice, len(d.Variants))
	it.least, it.most = math.MaxInt64, math.MinInt64
	for i, v := range d.Variants {
		options := terms[:len(v.Values):len(v.Values)]
		terms = terms[len(v.Values):]
		for j, value := range v.Values {
			options[j] = s.term(groups[j], value)
			if !slices.Contains(it.options, options[j]) {
				it.options = append(it.options, options[j])
			}
		}
		it.variants[i] = choice{price: v.Price, options: options}
		it.least, it.most = min(it.least, v.Price), max(it.most, v.Price)
	}
	it.words = strings.Join(words(d.Title), " ")
	it.titleWords = strings.Count(it.words, " ") + 1
	s.enlist(it)
	s.setInStock(it)
	return it
}

func (s *shelf) setInStock(it *item) {
	it.inStock = false
	for i := range it.variants {
		in := s.stock[it.doc.Variants[i].SKU].InStock
		it.variants[i].inStock, it.product.Variants[i].InStock = in, in
		it.inStock = it.inStock || in
	}
}

// setStock takes what is known of SKUs; older news than what is known are
// left out.
func (s *shelf) setStock(docs []stockDoc) {
	if len(docs) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	touched := map[uint32]bool{}
	for _, d := range docs {
		known, ok := s.stock[d.ID]
		if ok && known.Of >= d.Of {
			continue
		}
		s.stock[d.ID] = d
		if known.InStock != d.InStock {
			for _, n := range s.bySKU[d.ID] {
				touched[n] = true
			}
		}
	}
	for n := range touched {
		it := *s.items[n]
		it.product.Variants = slices.Clone(it.product.Variants)
		it.variants = slices.Clone(it.variants)
		s.setInStock(&it)
		s.items[n] = &it
	}
}

// term is the number of a value in a group; 0 for the empty value.
func (s *shelf) term(group uint32, label string) uint32 {
	if label == "" {
		return 0
	}
	key := termKey(group, label)
	if n, ok := s.termOf[key]; ok {
		return n
	}
	n := uint32(len(s.terms))
	s.terms = append(s.terms, term{group, label})
	s.termOf[key] = n
	return n
}

// find is term for reading: absent if no product ever had the value.
func (s *shelf) find(group uint32, label string) (uint32, bool) {
	n, ok := s.termOf[termKey(group, label)]
	return n, ok
}

func termKey(group uint32, label string) string {
	return string([]byte{byte(group), byte(group >> 8), byte(group >> 16)}) + fold(label)
}

func (s *shelf) optionGroup(name string) uint32 {
	key := optionKey(name)
	if n, ok := s.groupN[key]; ok {
		return n
	}
	n := uint32(len(s.groups))
	s.groups = append(s.groups, group{"filter.v.option." + key, name})
	s.groupN[key] = n
	return n
}

// optionKey is what options of different products are known to be one by.
func optionKey(name string) string {
	if key := slug(name); key != "" {
		return key
	}
	return fold(name)
}

// named is the item with this handle, published or not, or nil.
func (s *shelf) named(handle string) *item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, ok := s.byHandle[handle]
	if !ok {
		return nil
	}
	return s.items[n]
}

// document is the product with this handle as it is kept.
func (s *shelf) document(handle string) (productDoc, bool) {
	it := s.named(handle)
	if it == nil {
		return productDoc{}, false
	}
	return it.doc, true
}

func (s *shelf) idOf(handle string) (string, bool) {
	d, ok := s.document(handle)
	return d.ID, ok
}

// any is the product with this handle, published or not.
func (s *shelf) any(handle string) (Product, bool) {
	it := s.named(handle)
	if it == nil {
		return Product{}, false
	}
	return it.copy(), true
}

// published is the published item with this id, or nil.
func (s *shelf) published(id string) *item {
	if n, ok := s.byID[id]; ok && s.items[n].doc.Published {
		return s.items[n]
	}
	return nil
}

// copy is the product to be given out: the caller may do with it what it likes.
func (it *item) copy() Product {
	p := it.product
	p.Tags = slices.Clone(p.Tags)
	p.Images = slices.Clone(p.Images)
	p.Collections = slices.Clone(p.Collections)
	p.Options = slices.Clone(p.Options)
	for i := range p.Options {
		p.Options[i].Values = slices.Clone(p.Options[i].Values)
	}
	p.Variants = slices.Clone(p.Variants)
	chosen := make([]SelectedOption, 0, len(p.Variants)*len(p.Options))
	for i := range p.Variants {
		v := &p.Variants[i]
		if len(v.Selected) > 0 {
			at := len(chosen)
			chosen = append(chosen, v.Selected...)
			v.Selected = chosen[at:len(chosen):len(chosen)]
		}
		if v.CompareAt != nil {
			was := *v.CompareAt
			v.CompareAt = &was
		}
		if v.Image != nil {
			m := *v.Image
			v.Image = &m
		}
	}
	return p
}

func copies(items []*item) []Product {
	if len(items) == 0 {
		return nil
	}
	products := make([]Product, len(items))
	for i, it := range items {
		products[i] = it.copy()
	}
	return products
}

// setCollections takes collections, finds their products anew, and leaves
// older versions than what is known out.
func (s *shelf) setCollections(docs []collectionDoc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for _, d := range docs {
		c, known := s.collections[d.ID]
		if known && c.doc.Version >= d.Version {
			continue
		}
		changed = true
		next := &shelvedCollection{number: uint32(len(s.byNumber)), doc: d, title: fold(d.Title)}
		for _, r := range d.Rules {
			for group, label := range [firstOption]string{vendorGroup: r.Vendor, typeGroup: r.Type, tagGroup: r.Tag} {
				if label != "" {
					next.rules = append(next.rules, s.term(uint32(group), label))
				}
			}
		}
		if known {
			next.number = c.number
			s.byNumber[c.number] = next
			if s.byCollection[c.doc.Handle] == d.ID {
				delete(s.byCollection, c.doc.Handle)
			}
		} else {
			s.byNumber = append(s.byNumber, next)
		}
		if len(d.Rules) == 0 {
			next.position = make(map[string]int, len(d.Products))
			for i, handle := range d.Products {
				if _, again := next.position[handle]; !again {
					next.position[handle] = i
				}
			}
		}
		s.collections[d.ID] = next
		s.byCollection[d.Handle] = d.ID
	}
	if !changed {
		return
	}
	s.listed = map[string][]membership{}
	for _, c := range s.byNumber {
		for handle, at := range c.position {
			s.listed[handle] = append(s.listed[handle], membership{c, at})
		}
	}
	for n, it := range s.items {
		next := *it
		s.enlist(&next)
		if !slices.Equal(next.collections, it.collections) {
			s.items[n] = &next
		}
	}
}

// enlist finds the collections that the item belongs to, by title.
func (s *shelf) enlist(it *item) {
	var in []*shelvedCollection
	for _, c := range s.byNumber {
		if len(c.rules) > 0 && it.hasAll(c.rules) {
			in = append(in, c)
		}
	}
	for _, m := range s.listed[it.doc.Handle] {
		in = append(in, m.collection)
	}
	slices.SortFunc(in, func(a, b *shelvedCollection) int {
		return cmp.Or(strings.Compare(a.title, b.title), strings.Compare(a.doc.ID, b.doc.ID))
	})
	it.collections, it.product.Collections = nil, nil
	for _, c := range in {
		it.collections = append(it.collections, c.number)
		it.product.Collections = append(it.product.Collections, c.doc.ID)
	}
}

func (it *item) hasAll(terms []uint32) bool {
	for _, x := range terms {
		if x != it.vendor && x != it.kind && !slices.Contains(it.tags, x) {
			return false
		}
	}
	return true
}

// placeOf is where the item stands in the hand-picked collection.
func (c *shelvedCollection) placeOf(it *item) int64 {
	if at, ok := c.position[it.doc.Handle]; ok {
		return int64(at)
	}
	return math.MaxInt32
}
