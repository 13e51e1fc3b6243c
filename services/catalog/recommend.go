package catalog

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// Recommended is how many products Recommendations gives where the caller does
// not say (limit 0), as in Shopify's API.
const Recommended = 10

// Recommendations are published products that share collections, tags, type
// or vendor with this one, those in stock first, then by how much they share
// and how near they are in price. The same catalogue gives the same answer.
// A product that does not exist has none.
func (k *Keeper) Recommendations(_ context.Context, productID string, limit int) ([]Product, error) {
	if limit < 0 || limit > MaxPage {
		return nil, ErrInput.Field("limit").Say("There can be 0 to %d recommendations.", MaxPage)
	}
	if limit == 0 {
		limit = Recommended
	}
	type candidate struct {
		it    *item
		score int64
	}
	s := k.shelf
	s.mu.RLock()
	to := s.published(productID)
	var candidates []candidate
	if to != nil {
		for _, it := range s.items {
			if it.ordinal == to.ordinal || !it.doc.Published {
				continue
			}
			if score := to.kinship(it); score > 0 {
				candidates = append(candidates, candidate{it, score})
			}
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(candidates, func(a, b candidate) int {
		if a.it.inStock != b.it.inStock {
			if a.it.inStock {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.it.doc.ID, b.it.doc.ID))
	})
	items := make([]*item, 0, limit)
	for _, c := range candidates[:min(limit, len(candidates))] {
		items = append(items, c.it)
	}
	return copies(items), nil
}

// kinship is how much two products have in common; 0 is nothing. Prices count
// only between products that share something else.
func (it *item) kinship(o *item) int64 {
	var score int64
	for _, c := range it.collections {
		if slices.Contains(o.collections, c) {
			score += 300
		}
	}
	if it.kind != 0 && it.kind == o.kind {
		score += 500
	}
	for _, t := range it.tags {
		if slices.Contains(o.tags, t) {
			score += 200
		}
	}
	if it.vendor != 0 && it.vendor == o.vendor {
		score += 100
	}
	if score > 0 {
		// 0 to 200: how near the prices are.
		score += 200 * (1 + min(it.least, o.least)) / (1 + max(it.least, o.least))
	}
	return score
}
