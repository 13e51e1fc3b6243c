// Package demo is a made-up shop's catalogue, so that there is something to
// buy from the first minute: the Harbour Store, which sells plain things for
// the home, the desk and the road.
//
// It is made by rule from a few tables: the same number asked for always
// gives the same products, and a greater number only adds to them.
package demo

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/feed"
	"ordergraph/services/inventory"
)

// Size is how many products the demo catalogue has.
const Size = 320

// Warehouses are where the demo's stock lies.
func Warehouses() []inventory.Warehouse {
	return []inventory.Warehouse{
		{ID: inventory.DefaultWarehouse, Name: "Hamburg", Country: "DE", Priority: 1},
		{ID: "rotterdam", Name: "Rotterdam", Country: "NL", Priority: 2},
	}
}

// Products makes the first n products, priced in the currency.
func Products(n int, currency string) []feed.Product {
	products := make([]feed.Product, n)
	for i := range products {
		products[i] = product(i, currency)
	}
	return products
}

// product is the i-th: kinds take turns, then lines, then series.
func product(i int, currency string) feed.Product {
	kind := kinds[i%len(kinds)]
	line := lines[i/len(kinds)%len(lines)]
	series := i/(len(kinds)*len(lines)) + 1

	title := line.name + " " + kind.noun
	if series > 1 {
		title += fmt.Sprintf(" No. %d", series)
	}
	handle := slug(title)
	dice := rand.New(rand.NewPCG(seed(handle), 7))

	p := feed.Product{ProductInput: catalog.ProductInput{
		Handle: handle,
		Title:  title,
		HTML: fmt.Sprintf("<p>%s %s</p><ul><li>%s</li><li>%s</li><li>%s</li></ul>",
			kind.story, line.story, kind.facts[0], kind.facts[1], line.care),
		Vendor:    line.maker,
		Type:      kind.category,
		Tags:      append([]string{line.mood, kind.room}, kind.tags...),
		SEO:       catalog.SEO{Title: title + " – Harbour Store", Description: kind.story},
		Published: true,
	}}
	if dice.IntN(5) == 0 {
		p.Tags = append(p.Tags, "new")
	}
	onSale := dice.IntN(6) == 0
	if onSale {
		p.Tags = append(p.Tags, "sale")
	}

	colours := pick(dice, palette, 1+dice.IntN(3))
	if kind.colours {
		p.Options = append(p.Options, "Colour")
	} else {
		colours = colours[:1]
	}
	sizes := kind.sizes
	if sizes != nil {
		p.Options = append(p.Options, kind.sizeName)
	} else {
		sizes = []size{{}}
	}
	for _, c := range colours {
		picture := fmt.Sprintf("%s%s.%s.%s.svg", PicturePath, kind.shape, slug(c.name), slug(line.name))
		p.Images = append(p.Images, catalog.Image{
			URL: picture, Alt: strings.TrimSpace(title + " in " + strings.ToLower(c.name)), Width: 1200, Height: 1200,
		})
		for _, s := range sizes {
			price := tidy(kind.price*line.worth/100*(100+s.more)/100 + int64(series-1)*50)
			v := catalog.VariantInput{
				Price:            shopPrice(price, currency),
				WeightGrams:      kind.grams * (100 + s.more) / 100,
				RequiresShipping: true,
				Taxable:          true,
				ImageURL:         picture,
				Barcode:          barcode(dice),
			}
			sku := strings.ToUpper(kind.code + "-" + line.code)
			if series > 1 {
				sku += fmt.Sprint(series)
			}
			if kind.colours {
				v.Options = append(v.Options, c.name)
				sku += "-" + c.code
			}
			if s.name != "" {
				v.Options = append(v.Options, s.name)
				sku += "-" + strings.ToUpper(slug(s.name))
			}
			v.SKU = sku
			if onSale {
				was := shopPrice(tidy(price*125/100), currency)
				v.CompareAt = &was
			}
			p.Variants = append(p.Variants, v)
			p.Stock = append(p.Stock, stock(dice))
		}
	}
	return p
}

// stock is how many of a variant there are: mostly plenty, sometimes few, now
// and then none.
func stock(dice *rand.Rand) []feed.Level {
	var here, there int64
	switch dice.IntN(12) {
	case 0:
	case 1, 2:
		here = 1 + dice.Int64N(4)
	default:
		here, there = 20+dice.Int64N(180), dice.Int64N(120)
	}
	return []feed.Level{{Warehouse: inventory.DefaultWarehouse, OnHand: here}, {Warehouse: "rotterdam", OnHand: there}}
}

// tidy ends a price of cents on 0 or 90, as shops do.
func tidy(cents int64) int64 {
	if cents < 1000 {
		return max(cents/50*50-5, 195)
	}
	return cents/100*100 + 90
}

// shopPrice turns cents into the currency's own minor units.
func shopPrice(cents int64, currency string) money.Amount {
	for range 2 - money.Digits(currency) {
		cents /= 10
	}
	for range money.Digits(currency) - 2 {
		cents *= 10
	}
	return money.Of(cents, currency)
}

// Collections are one per category and a few across them.
func Collections() []catalog.CollectionInput {
	var all []catalog.CollectionInput
	seen := map[string]bool{}
	for _, k := range kinds {
		if seen[k.category] {
			continue
		}
		seen[k.category] = true
		all = append(all, catalog.CollectionInput{
			Handle: slug(k.category), Title: k.category, HTML: "<p>" + k.story + "</p>",
			Image: &catalog.Image{URL: PicturePath + k.shape + ".sea.harbour.svg", Alt: k.category, Width: 1200, Height: 1200},
			Rules: []catalog.Filter{{Type: k.category}},
		})
	}
	for _, c := range []struct{ handle, title, text, tag string }{
		{"new", "New", "What has just come in.", "new"},
		{"sale", "Sale", "Good things, reduced while they last.", "sale"},
		{"gifts", "Gifts", "Easy to wrap, hard to give away.", "gift"},
		{"calm", "Calm rooms", "Quiet colours for rooms to rest in.", "calm"},
	} {
		all = append(all, catalog.CollectionInput{
			Handle: c.handle, Title: c.title, HTML: "<p>" + c.text + "</p>",
			Image: &catalog.Image{URL: PicturePath + "lamp.sand." + c.handle + ".svg", Alt: c.title, Width: 1200, Height: 1200},
			Rules: []catalog.Filter{{Tag: c.tag}},
		})
	}
	return all
}

func pick(dice *rand.Rand, from []colour, n int) []colour {
	picked := make([]colour, 0, n)
	for _, i := range dice.Perm(len(from))[:n] {
		picked = append(picked, from[i])
	}
	return picked
}

// barcode is an EAN-13 from the range kept for use inside shops (20–29), so
// that it is nobody else's.
func barcode(dice *rand.Rand) string {
	digits := fmt.Sprintf("20%010d", dice.Int64N(10_000_000_000))
	sum := 0
	for i, d := range digits {
		sum += int(d-'0') * (1 + i%2*2)
	}
	return fmt.Sprintf("%s%d", digits, (10-sum%10)%10)
}

func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r == '.':
			return -1
		}
		return '-'
	}, s), "-")
}

func seed(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
