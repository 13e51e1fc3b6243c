// Package catalogtest holds what every catalogue must do, and shops to try it on.
package catalogtest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"ordergraph/platform/money"
	"ordergraph/services/catalog"
)

// Currency is what the sample shops sell in.
const Currency = "EUR"

// Product is a small product to begin a test with.
func Product(title string, minor int64, tags ...string) catalog.ProductInput {
	return catalog.ProductInput{
		Title: title, Tags: tags, Published: true,
		Variants: []catalog.VariantInput{{Price: money.Of(minor, Currency), RequiresShipping: true, Taxable: true}},
	}
}

// WithOptions gives the product a variant for each combination, "M/Red", and
// each the price of the product.
func WithOptions(p catalog.ProductInput, names string, combinations ...string) catalog.ProductInput {
	v := p.Variants[0]
	p.Options, p.Variants = strings.Split(names, "/"), nil
	for _, c := range combinations {
		v.Options = strings.Split(c, "/")
		p.Variants = append(p.Variants, v)
	}
	return p
}

// Sample is a shop of a dozen products, made by hand so that a test can say
// what must be found.
func Sample() []catalog.ProductInput {
	with := func(p catalog.ProductInput, vendor, kind, html string) catalog.ProductInput {
		p.Vendor, p.Type, p.HTML = vendor, kind, html
		return p
	}
	tee := WithOptions(with(Product("Ocean Blue T-Shirt", 1999, "cotton", "summer"), "Nordwind", "Shirts",
		"<p>A light <b>organic cotton</b> shirt for warm days.</p>"), "Size/Colour", "S/Blue", "M/Blue", "L/Blue", "M/White")
	tee.Variants[1].SKU, tee.Variants[1].Barcode = "TEE-M-BLU", "4006381333931"
	linen := WithOptions(with(Product("Linen Shirt", 4999, "linen", "summer"), "Nordwind", "Shirts",
		"<p>Cool and airy, with buttons of shell.</p>"), "Size/Colour", "M/White", "L/White", "L/Red")
	return []catalog.ProductInput{
		tee, linen,
		with(Product("Wool Scarf", 2999, "wool", "winter"), "Nordwind", "Accessories", "<p>Keeps a throat warm.</p>"),
		with(Product("Café Mug", 1200, "kitchen", "gift"), "Töpferei Süd", "Mugs", "<p>Holds a large coffee.</p>"),
		with(Product("Enamel Mug", 1500, "kitchen", "outdoor"), "Lagerfeuer", "Mugs", "<p>For camp fires. Not for a shirt pocket.</p>"),
		with(Product("Travel Mug", 2500, "outdoor"), "Lagerfeuer", "Mugs", "<p>Keeps tea hot for six hours.</p>"),
		with(Product("Leather Wallet", 5900, "leather", "gift"), "Sattler & Co", "Accessories", "<p>Vegetable tanned.</p>"),
		with(Product("Leather Belt", 4500, "leather"), "Sattler & Co", "Accessories", "<p>Wide, with a brass buckle.</p>"),
		with(Product("Notebook, dotted", 900, "paper", "gift"), "Papierhaus", "Stationery", "<p>192 pages.</p>"),
		with(Product("Fountain Pen", 3900, "gift", "writing"), "Papierhaus", "Stationery", "<p>Goes well with a dotted notebook.</p>"),
		with(Product("Cast Iron Pan", 5500, "kitchen"), "Lagerfeuer", "Cookware", "<p>Lasts for generations.</p>"),
		with(Product("Camping Stove", 7900, "outdoor"), "Lagerfeuer", "Cookware", "<p>Boils a litre in four minutes.</p>"),
	}
}

var (
	adjectives = strings.Fields("Classic Modern Soft Bright Heavy Light Rustic Nordic Royal Tiny Grand Cosy Slim Wide Swift Silent Golden Silver Rough Smooth Vivid Pale Warm Cool Sturdy Gentle Bold Quiet Fresh Deep")
	nouns      = strings.Fields("Shirt Jacket Mug Plate Lamp Chair Table Scarf Belt Wallet Bag Pillow Blanket Clock Vase Bottle Knife Pan Pot Notebook Pen Candle Mirror Rug Shelf Basket Towel Boots Socks Hat")
	materials  = strings.Fields("cotton linen wool leather oak walnut steel brass glass ceramic paper cork bamboo silk denim felt marble copper rubber canvas")
	sizes      = []string{"XS", "S", "M", "L", "XL"}
	colours    = strings.Fields("Red Blue Green Black White Grey Yellow Brown")
	filler     = strings.Fields("made by hand with care for every day at home or on the way it lasts long feels good and looks better each year wash cold dry flat the fabric comes from a small mill near the coast where nothing is wasted packed without plastic ships within two days designed to be repaired")
)

// Many is a shop of n products with three variants each, always the same.
func Many(n int) []catalog.ProductInput {
	r := rand.New(rand.NewPCG(1, 2))
	products := make([]catalog.ProductInput, n)
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	for i := range products {
		material, noun := pick(materials), pick(nouns)
		var body strings.Builder
		for p := range 3 {
			fmt.Fprintf(&body, "<p>This <strong>%s</strong> ", noun)
			for range 25 + 5*p {
				body.WriteString(pick(filler) + " ")
			}
			body.WriteString("</p>")
		}
		p := catalog.ProductInput{
			Handle: fmt.Sprintf("product-%d", i), Title: fmt.Sprintf("%s %s %s %d", pick(adjectives), material, noun, i),
			HTML: body.String(), Vendor: fmt.Sprintf("Vendor %d", r.IntN(40)), Type: noun,
			Tags: []string{material, pick(filler), pick(colours), fmt.Sprintf("season-%d", r.IntN(8))}, Published: true,
			Options: []string{"Size", "Colour"},
			Images:  []catalog.Image{{URL: fmt.Sprintf("https://cdn.example.com/%d.jpg", i), Alt: noun, Width: 800, Height: 800}},
		}
		price := money.Of(int64(500+r.IntN(20_000)), Currency)
		first, colour := r.IntN(3), pick(colours)
		for s := range 3 {
			p.Variants = append(p.Variants, catalog.VariantInput{
				SKU: fmt.Sprintf("SKU-%d-%d", i, s), Options: []string{sizes[first+s], colour}, Price: price.Plus(money.Of(int64(s)*100, Currency)),
				WeightGrams: 300, RequiresShipping: true, Taxable: true,
			})
		}
		products[i] = p
	}
	return products
}
