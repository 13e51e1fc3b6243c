package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// maxListed is how many products can be put into a collection by hand.
const maxListed = 10_000

// Collections lists collections from memory.
func (k *Keeper) Collections(_ context.Context, q CollectionQuery) (CollectionPage, error) {
	switch {
	case len(q.IDs) > MaxIDs:
		return CollectionPage{}, tooMany("ids", len(q.IDs), MaxIDs)
	case q.Limit < 0 || q.Limit > MaxPage:
		return CollectionPage{}, ErrInput.Field("limit").Say("A page has 0 to %d collections.", MaxPage)
	}
	switch q.Sort {
	case "", CollectionsByTitle, CollectionsByUpdated, CollectionsByID:
	default:
		return CollectionPage{}, ErrInput.Field("sort").Say("Collections cannot be sorted by %q.", string(q.Sort))
	}
	print := fingerprint("collections", string(q.Sort))
	var after *place
	if q.After != "" {
		p, err := parseCursor(q.After, print)
		if err != nil {
			return CollectionPage{}, err
		}
		after = &p
	}

	s := k.shelf
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(q.IDs) > 0 {
		var page CollectionPage
		seen := map[string]bool{}
		for _, id := range q.IDs {
			if c, ok := s.collections[id]; ok && !seen[id] {
				seen[id] = true
				page.Collections = append(page.Collections, c.doc.collection())
				page.Cursors = append(page.Cursors, q.place(c).cursor(print))
			}
		}
		return page, nil
	}
	type placed struct {
		place
		c *shelvedCollection
	}
	all := make([]placed, 0, len(s.byNumber))
	for _, c := range s.byNumber {
		p := q.place(c)
		if after != nil && direction(p.compare(*after), q.Reverse) <= 0 {
			continue
		}
		all = append(all, placed{p, c})
	}
	slices.SortFunc(all, func(a, b placed) int { return direction(a.compare(b.place), q.Reverse) })
	page := CollectionPage{HasMore: len(all) > q.Limit}
	for _, p := range all[:min(len(all), q.Limit)] {
		page.Collections = append(page.Collections, p.c.doc.collection())
		page.Cursors = append(page.Cursors, p.cursor(print))
	}
	return page, nil
}

func (q CollectionQuery) place(c *shelvedCollection) place {
	p := place{id: c.doc.ID}
	switch q.Sort {
	case CollectionsByUpdated:
		p.n = c.doc.UpdatedAt.UnixMilli()
	case CollectionsByID:
	default:
		p.s = c.title
	}
	return p
}

// CollectionByHandle returns the collection, or ErrNotFound.
func (k *Keeper) CollectionByHandle(_ context.Context, handle string) (Collection, error) {
	k.shelf.mu.RLock()
	defer k.shelf.mu.RUnlock()
	id, ok := k.shelf.byCollection[handle]
	if !ok {
		return Collection{}, ErrNotFound
	}
	return k.shelf.collections[id].doc.collection(), nil
}

// PutCollections adds or changes collections: all are checked before the
// first is written. Products listed by a handle that does not exist yet join
// when they are put in.
func (k *Keeper) PutCollections(ctx context.Context, who identity.Caller, in []CollectionInput) error {
	if !who.May(identity.ProductsWrite) {
		return ErrForbidden
	}
	if len(in) > MaxImport {
		return tooMany("collections", len(in), MaxImport)
	}
	docs := make([]collectionDoc, len(in))
	for i, c := range in {
		var err error
		if docs[i], err = acceptCollection(c); err != nil {
			return ErrInput.Field("collections."+strconv.Itoa(i)).Say("collections.%d.%s.", i, err.Error())
		}
	}
	k.putting.Lock()
	defer k.putting.Unlock()
	if err := k.catchUp(ctx); err != nil {
		return fmt.Errorf("put collections: %w", err)
	}
	seq, end, err := k.begin(ctx)
	if err != nil {
		return fmt.Errorf("put collections: %w", err)
	}
	written := make([]collectionDoc, 0, len(docs))
	for _, d := range docs {
		var now collectionDoc
		if now, err = k.writeCollection(ctx, d, seq); err != nil {
			k.disown(seq)
			break
		}
		written = append(written, now)
	}
	if endErr := end(ctx); err == nil {
		err = endErr
	}
	k.showCollections(written)
	if err != nil {
		return fmt.Errorf("put collections: %w", err)
	}
	return nil
}

func (k *Keeper) writeCollection(ctx context.Context, in collectionDoc, seq int64) (collectionDoc, error) {
	for range 4 {
		page, err := k.collections.Find(ctx, docstore.Query{Index: "handle", Equal: []any{in.Handle}, Limit: 1})
		if err != nil {
			return collectionDoc{}, err
		}
		if len(page.Items) == 1 {
			doc, err := k.collections.Update(ctx, page.Items[0].ID, func(d *collectionDoc) error {
				next := in
				next.Meta, next.UpdatedAt, next.Seq = d.Meta, d.UpdatedAt, d.Seq
				if sameCollection(*d, next) {
					return docstore.Unchanged
				}
				next.UpdatedAt, next.Seq = k.time(), seq
				*d = next
				return nil
			})
			if !errors.Is(err, docstore.ErrNotFound) {
				return doc, err
			}
			continue
		}
		doc := in
		doc.UpdatedAt, doc.Seq = k.time(), seq
		doc.ID = newID(doc.UpdatedAt)
		if err := k.collections.Insert(ctx, &doc); !errors.Is(err, docstore.ErrDuplicate) && !errors.Is(err, docstore.ErrExists) {
			return doc, err
		}
	}
	return collectionDoc{}, docstore.ErrContended
}

func sameCollection(a, b collectionDoc) bool {
	sameImage := a.Image == nil && b.Image == nil || a.Image != nil && b.Image != nil && *a.Image == *b.Image
	return sameImage && a.Handle == b.Handle && a.Title == b.Title && a.HTML == b.HTML && a.SEO == b.SEO &&
		slices.Equal(a.Rules, b.Rules) && slices.Equal(a.Products, b.Products)
}

func acceptCollection(in CollectionInput) (collectionDoc, error) {
	none := collectionDoc{}
	d := collectionDoc{
		Title: strings.TrimSpace(in.Title),
		SEO:   seoDoc{strings.TrimSpace(in.SEO.Title), strings.TrimSpace(in.SEO.Description)},
	}
	if d.Title == "" {
		return none, wrong("title", "must not be empty")
	}
	var err error
	if d.Handle, err = handleFor(in.Handle, d.Title); err != nil {
		return none, err
	}
	for _, f := range []struct {
		field, value string
		most         int
	}{{"title", d.Title, maxTitle}, {"seo.title", d.SEO.Title, 2 * maxTitle}, {"seo.description", d.SEO.Description, 8 * maxTitle}} {
		if err := checkText(f.field, f.value, f.most); err != nil {
			return none, err
		}
	}
	if len(in.HTML) > maxHTML {
		return none, wrong("html", "has %d bytes, more than %d", len(in.HTML), maxHTML)
	}
	d.HTML = sanitise(in.HTML)
	if in.Image != nil && in.Image.URL != "" {
		images, err := acceptImages([]Image{*in.Image})
		if err != nil {
			return none, err
		}
		d.Image = &images[0]
	}
	for i, r := range in.Rules {
		field := "rules." + strconv.Itoa(i)
		rule := ruleDoc{strings.TrimSpace(r.Tag), strings.TrimSpace(r.Type), strings.TrimSpace(r.Vendor)}
		parts := 0
		for _, part := range []string{rule.Tag, rule.Type, rule.Vendor} {
			if err := checkText(field, part, maxWord); err != nil {
				return none, err
			}
			if part != "" {
				parts++
			}
		}
		if parts != 1 || r.Available != nil || r.Option != nil || r.PriceMin != nil || r.PriceMax != nil || r.Collection != "" {
			return none, wrong(field, "must be one tag, type or vendor")
		}
		d.Rules = append(d.Rules, rule)
	}
	if len(in.Products) > maxListed {
		return none, wrong("products", "there are %d, more than %d", len(in.Products), maxListed)
	}
	for i, h := range in.Products {
		h = strings.ToLower(strings.TrimSpace(h))
		if err := checkHandle(h); err != nil || h == "" {
			return none, wrong("products."+strconv.Itoa(i), "is not a handle")
		}
		d.Products = append(d.Products, h)
	}
	return d, nil
}
