package catalog

import (
	"context"
	"math"
	"slices"
	"strconv"
)

// Search finds published products.
//
// All words of the text must be found: in the title, in vendor, type, tags and
// option values, or in the description, in this order of weight; a SKU or a
// barcode as a whole. The last word may be unfinished. A word that stands
// nowhere in the catalogue is taken for a mistyped one.
//
// BestSelling, while nobody counts sales, is the newest first; Manual is the
// order in a hand-picked Collection, and elsewhere that in which the products
// were added. Equal products follow each other by id.
func (k *Keeper) Search(ctx context.Context, q Search) (Found, error) {
	if err := q.check(); err != nil {
		return Found{}, err
	}
	print := q.fingerprint()
	var after, before *place
	for _, c := range []struct {
		cursor string
		to     **place
	}{{q.After, &after}, {q.Before, &before}} {
		if c.cursor == "" {
			continue
		}
		p, err := parseCursor(c.cursor, print)
		if err != nil {
			return Found{}, err
		}
		*c.to = &p
	}
	if err := k.indexed(ctx); err != nil {
		return Found{}, err
	}
	asked := parse(q.Text, k.currency)

	found := Found{Currency: k.currency}
	page := &pager{q: &q, after: after, before: before}
	items, err := k.run(ctx, &q, asked, page, &found)
	if err != nil {
		return Found{}, err
	}
	// Outside the lock: items never change.
	found.Products = copies(items)
	for _, p := range page.kept {
		found.Cursors = append(found.Cursors, p.place.cursor(print))
	}
	return found, nil
}

func (k *Keeper) run(ctx context.Context, q *Search, asked *node, page *pager, found *Found) ([]*item, error) {
	text := k.text.now.Load()
	s := k.shelf
	s.mu.RLock()
	defer s.mu.RUnlock()

	matched := &hits{but: true}
	if asked != nil {
		var err error
		if matched, err = (&matching{text, s.items, typoWords}).match(ctx, asked); err != nil {
			return nil, err
		}
	}
	var within *shelvedCollection
	if q.Collection != "" {
		if within = s.collections[q.Collection]; within == nil {
			return nil, nil
		}
	}
	page.within = within
	page.ranked = q.Sort == Relevance || q.Sort == ""
	if page.ranked && asked != nil {
		page.asked = positive(asked)
		page.scored = true
	}
	narrowed := s.narrow(q.Filters)
	var counting *tally
	if q.Facets {
		counting = takeTally(s, &narrowed)
		defer counting.giveBack()
	}
	visit := func(it *item, score float32) {
		if it == nil || !it.doc.Published || within != nil && !slices.Contains(it.collections, within.number) {
			return
		}
		if counting != nil {
			if !counting.visit(s, it) {
				return
			}
		} else if !narrowed.admits(it) {
			return
		}
		page.total++
		if q.Limit > 0 {
			page.add(it, score)
		}
	}
	if matched.but {
		j := 0
		for i, it := range s.items {
			if j < len(matched.ordinals) && matched.ordinals[j] == uint32(i) {
				j++
				continue
			}
			visit(it, 0)
		}
	} else {
		for i, o := range matched.ordinals {
			if int(o) < len(s.items) {
				visit(s.items[o], matched.score(i))
			}
		}
	}
	items := page.cut()
	found.HasNext, found.HasPrev = page.next, page.prev
	if q.Total {
		found.Total = page.total
	}
	if counting != nil {
		found.Facets = counting.facets(s, q.Filters)
	}
	return items, nil
}

func (q *Search) check() error {
	switch {
	case len(q.Text) > MaxQuery:
		return ErrInput.Field("text").Say("A search text has at most %d bytes.", MaxQuery)
	case q.Limit < 0 || q.Limit > MaxPage:
		return ErrInput.Field("limit").Say("A page has 0 to %d products.", MaxPage)
	}
	switch q.Sort {
	case "", Relevance, ByTitle, ByPrice, ByCreated, ByUpdated, ByVendor, ByType, ByID, BestSelling, Manual:
	default:
		return ErrInput.Field("sort").Say("Products cannot be sorted by %q.", string(q.Sort))
	}
	return checkFilters(q.Filters)
}

// fingerprint names the list that the search's cursors belong to; Reverse is
// not part of it, since a place is the same from both sides.
func (q *Search) fingerprint() uint64 {
	parts := make([]string, 0, 4+2*len(q.Filters))
	parts = append(parts, "products", q.Text, q.Collection, string(q.Sort))
	number := func(v *int64) string {
		if v == nil {
			return "-"
		}
		return strconv.FormatInt(*v, 10)
	}
	for _, f := range q.Filters {
		switch {
		case f.Available != nil:
			parts = append(parts, "available", strconv.FormatBool(*f.Available))
		case f.Option != nil:
			parts = append(parts, "option", f.Option.Name, f.Option.Value)
		case f.PriceMin != nil || f.PriceMax != nil:
			parts = append(parts, "price", number(f.PriceMin), number(f.PriceMax))
		default:
			parts = append(parts, "is", f.Vendor, f.Type, f.Tag, f.Collection)
		}
	}
	return fingerprint(parts...)
}

// A pager keeps the products of one page while all hits pass by.
type pager struct {
	q             *Search
	after, before *place
	within        *shelvedCollection
	ranked        bool
	scored        bool
	asked         string

	total      int64
	next, prev bool
	kept       []placed // a heap while hits pass by: the one to go first on top
}

type placed struct {
	place
	it *item
}

func (p *pager) place(it *item, score float32) place {
	at := place{id: it.doc.ID}
	switch p.q.Sort {
	case ByTitle:
		at.s = it.title
	case ByPrice:
		at.n = it.least
	case ByCreated:
		at.n = it.created
	case BestSelling:
		at.n = -it.created
	case ByUpdated:
		at.n = it.updated
	case ByVendor:
		at.s = it.vend
	case ByType:
		at.s = it.typ
	case ByID:
	case Manual:
		if p.within != nil && p.within.position != nil {
			at.n = p.within.placeOf(it)
		} else {
			at.n = it.created
		}
	default:
		if p.scored && score > 0 {
			at.n = -int64(math.Round(float64(score+it.titleBonus(p.asked)) * 1000))
		}
		at.s = it.title
	}
	return at
}

// last reports whether the page ends at a cursor instead of beginning at one.
func (p *pager) last() bool { return p.before != nil }

func (p *pager) add(it *item, score float32) {
	at := placed{p.place(it, score), it}
	if p.after != nil && direction(at.compare(*p.after), p.q.Reverse) <= 0 {
		p.prev = true
		return
	}
	if p.before != nil && direction(at.compare(*p.before), p.q.Reverse) >= 0 {
		p.next = true
		return
	}
	if len(p.kept) < p.q.Limit {
		p.kept = append(p.kept, at)
		if len(p.kept) == p.q.Limit {
			for i := len(p.kept)/2 - 1; i >= 0; i-- {
				p.sink(i)
			}
		}
		return
	}
	if p.last() {
		p.prev = true
	} else {
		p.next = true
	}
	if p.wanted(at, p.kept[0]) {
		p.kept[0] = at
		p.sink(0)
	}
}

// wanted reports whether a is more wanted on the page than b.
func (p *pager) wanted(a, b placed) bool {
	c := direction(a.compare(b.place), p.q.Reverse)
	if p.last() {
		return c > 0
	}
	return c < 0
}

func (p *pager) sink(i int) {
	for {
		worst := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(p.kept); c++ {
			if p.wanted(p.kept[worst], p.kept[c]) {
				worst = c
			}
		}
		if worst == i {
			return
		}
		p.kept[i], p.kept[worst] = p.kept[worst], p.kept[i]
		i = worst
	}
}

// cut puts the page in order.
func (p *pager) cut() []*item {
	slices.SortFunc(p.kept, func(a, b placed) int { return direction(a.compare(b.place), p.q.Reverse) })
	items := make([]*item, len(p.kept))
	for i, at := range p.kept {
		items[i] = at.it
	}
	return items
}
