package catalog

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/platform/work"
	"ordergraph/services/inventory"
)

// putWriters is how many documents of one Put are on their way to the store
// at once, so that a durable write does not wait for the one before.
const putWriters = 32

// Put adds or changes products. Two calls in one process follow each other;
// between processes the last write of a product wins, whole.
func (k *Keeper) Put(ctx context.Context, who identity.Caller, products []ProductInput) ([]PutResult, error) {
	if !who.May(identity.ProductsWrite) {
		return nil, ErrForbidden
	}
	if len(products) > MaxImport {
		return nil, ErrInput.Field("products").Say("There are %d products in one call, more than %d.", len(products), MaxImport)
	}
	results := make([]PutResult, len(products))
	accepted := make([]productDoc, len(products))
	first := map[string]int{}
	var checks errgroup.Group
	checks.SetLimit(4)
	problems := make([]error, len(products))
	for i := range products {
		checks.Go(func() error {
			return work.Safely(func() error {
				accepted[i], problems[i] = accept(products[i], k.currency)
				return nil
			})
		})
	}
	if err := checks.Wait(); err != nil {
		return nil, fmt.Errorf("put products: %w", err)
	}
	for i := range products {
		if problems[i] == nil {
			if at, again := first[accepted[i].Handle]; again {
				problems[i] = wrong("handle", "%q is products.%d of this call already", accepted[i].Handle, at)
			} else {
				first[accepted[i].Handle] = i
			}
		}
		if problems[i] != nil {
			results[i] = PutResult{Outcome: Refused, Problem: problems[i].Error()}
		}
	}

	k.putting.Lock()
	defer k.putting.Unlock()
	if err := k.catchUp(ctx); err != nil {
		return nil, fmt.Errorf("put products: %w", err)
	}
	var todo []int
	for i := range products {
		if problems[i] != nil {
			continue
		}
		if known, ok := k.shelf.document(accepted[i].Handle); ok && sameProduct(known, merge(known, accepted[i])) {
			results[i].Outcome = Unchanged
			continue
		}
		todo = append(todo, i)
	}
	written, err := k.write(ctx, accepted, todo, results)
	// What was written is shown even if the rest failed.
	if showErr := k.show(ctx, written); err == nil {
		err = showErr
	}
	if err != nil {
		return nil, fmt.Errorf("put products: %w", err)
	}
	for i := range results {
		if results[i].Outcome != Refused {
			results[i].Product, _ = k.shelf.any(accepted[i].Handle)
		}
	}
	return results, nil
}

// write stores the accepted products that todo names, and returns what is now
// in the store.
func (k *Keeper) write(ctx context.Context, accepted []productDoc, todo []int, results []PutResult) ([]productDoc, error) {
	if len(todo) == 0 {
		return nil, nil
	}
	seq, end, err := k.begin(ctx)
	if err != nil {
		return nil, err
	}
	docs := make([]productDoc, len(todo))
	writers, writing := errgroup.WithContext(ctx)
	writers.SetLimit(putWriters)
	for at, i := range todo {
		writers.Go(func() error {
			return work.Safely(func() (err error) {
				docs[at], results[i].Outcome, err = k.writeOne(writing, accepted[i], seq)
				return err
			})
		})
	}
	if err = writers.Wait(); err != nil {
		k.disown(seq)
	}
	if endErr := end(ctx); err == nil {
		err = endErr
	}
	written := docs[:0]
	for _, d := range docs {
		if d.ID != "" {
			written = append(written, d)
		}
	}
	return written, err
}

func (k *Keeper) writeOne(ctx context.Context, in productDoc, seq int64) (productDoc, PutOutcome, error) {
	// Another process may add the same handle, or one may be new to us: then
	// the other way is tried.
	for range 4 {
		id, known := k.shelf.idOf(in.Handle)
		if !known {
			page, err := k.products.Find(ctx, docstore.Query{Index: "handle", Equal: []any{in.Handle}, Limit: 1})
			if err != nil {
				return productDoc{}, "", err
			}
			if len(page.Items) == 1 {
				id, known = page.Items[0].ID, true
			}
		}
		if known {
			outcome := Unchanged
			doc, err := k.products.Update(ctx, id, func(d *productDoc) error {
				next := merge(*d, in)
				if sameProduct(*d, next) {
					outcome = Unchanged
					return docstore.Unchanged
				}
				outcome = Changed
				next.UpdatedAt, next.Seq = k.time(), seq
				*d = next
				return nil
			})
			switch {
			case err == nil:
				return doc, outcome, nil
			case !errors.Is(err, docstore.ErrNotFound):
				return productDoc{}, "", err
			}
			continue
		}
		now := k.time()
		doc := merge(productDoc{Handle: in.Handle}, in)
		doc.ID, doc.CreatedAt, doc.UpdatedAt, doc.Seq = newID(now), now, now, seq
		switch err := k.products.Insert(ctx, &doc); {
		case err == nil:
			return doc, Added, nil
		case !errors.Is(err, docstore.ErrDuplicate) && !errors.Is(err, docstore.ErrExists):
			return productDoc{}, "", err
		}
	}
	return productDoc{}, "", docstore.ErrContended
}

// merge is the product old after it was put in as in: what is new is taken,
// ids, numbers, SKUs once made and times stay.
func merge(old, in productDoc) productDoc {
	next := in
	next.Meta, next.CreatedAt, next.UpdatedAt, next.Seq = old.Meta, old.CreatedAt, old.UpdatedAt, old.Seq
	next.Ordinals = old.Ordinals
	before := make(map[string]*variantDoc, len(old.Variants))
	for i := range old.Variants {
		before[variantKey(old.Variants[i].Values)] = &old.Variants[i]
	}
	next.Variants = make([]variantDoc, len(in.Variants))
	taken := map[string]bool{}
	for i, v := range in.Variants {
		if was, ok := before[variantKey(v.Values)]; ok {
			v.N = was.N
			if v.SKU == "" {
				v.SKU = was.SKU
			}
		} else {
			next.Ordinals++
			v.N = next.Ordinals
		}
		if v.SKU != "" {
			taken[v.SKU] = true
		}
		next.Variants[i] = v
	}
	for i := range next.Variants {
		if v := &next.Variants[i]; v.SKU == "" {
			v.SKU = makeSKU(next.Handle, v.Values, taken)
		}
	}
	return next
}

// makeSKU makes a SKU of the handle and the options' values, which the
// inventory takes: it counts bytes.
func makeSKU(handle string, values []string, taken map[string]bool) string {
	base := handle
	for _, v := range values {
		if s := slug(v); s != "" {
			base += "-" + s
		}
	}
	if most := inventory.MaxSKU - len("-2048"); len(base) > most {
		base = strings.ToValidUTF8(base[:most], "")
	}
	sku := base
	for n := 2; taken[sku]; n++ {
		sku = base + "-" + strconv.Itoa(n)
	}
	taken[sku] = true
	return sku
}

// sameProduct reports whether a customer could not tell them apart.
func sameProduct(a, b productDoc) bool {
	a.Meta, b.Meta = docstore.Meta{}, docstore.Meta{}
	a.CreatedAt, a.UpdatedAt, a.Seq = b.CreatedAt, b.UpdatedAt, b.Seq
	return reflect.DeepEqual(a, b)
}

// ids hold the time in their first ten letters, so that products put in
// together lie together in the store.
var idLetters = base32.HexEncoding.WithPadding(base32.NoPadding)

// newID is a new id of 16 letters and digits.
func newID(now time.Time) string {
	var b [10]byte
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	_, _ = rand.Read(b[6:])
	id := []byte(idLetters.EncodeToString(b[:]))
	for i, c := range id {
		if 'A' <= c && c <= 'Z' {
			id[i] = c + 'a' - 'A'
		}
	}
	return string(id)
}
