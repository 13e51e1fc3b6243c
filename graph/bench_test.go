package graph_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/budget"
	"ordergraph/services/catalog/catalogtest"
	"ordergraph/test/redisserver"
)

// The benchmarks leave the network out: they show what the gateway itself
// costs, with the services in the same process.

func serve(b *testing.B, shop *graphtest.Shop, client func() (next func() []byte), encodings ...string) {
	b.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	if len(encodings) > 0 {
		header["Accept-Encoding"] = encodings
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		next := client()
		for p.Next() {
			r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(next()))
			r.Header = header
			w := httptest.NewRecorder()
			shop.Handler.ServeHTTP(w, r)
			if w.Code != http.StatusOK || bytes.Contains(w.Body.Bytes(), []byte(`"errors"`)) || bytes.Contains(w.Body.Bytes(), []byte(`"message"`)) {
				b.Error(w.Body.String())
				return
			}
		}
	})
}

func body(b testing.TB, query string, vars graphtest.Vars) []byte {
	b.Helper()
	text, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// same is a client that always asks the same.
func same(text []byte) func() func() []byte {
	return func() func() []byte { return func() []byte { return text } }
}

const productPage = `query Product($handle: String!) { product(handle: $handle) {
	id handle title descriptionHtml vendor productType tags availableForSale
	options { id name values }
	priceRange { minVariantPrice { amount currencyCode } maxVariantPrice { amount currencyCode } }
	featuredImage { url altText width height }
	variants(first: 250) { nodes { id title sku availableForSale price { amount currencyCode } compareAtPrice { amount currencyCode } selectedOptions { name value } } }
	seo { title description }
} }`

func BenchmarkProductByHandle(b *testing.B) { benchmarkProduct(b, nil) }

// What it costs beyond that to compress the page, as browsers wish.
func BenchmarkProductCompressed(b *testing.B) { benchmarkProduct(b, nil, "gzip, deflate, br, zstd") }

// What it costs beyond that to charge for it, by this process alone and over Redis.
func BenchmarkProductCharged(b *testing.B) {
	for _, name := range []string{"alone", "redis"} {
		b.Run(name, func(b *testing.B) {
			addr := ""
			if name == "redis" {
				addr = redisserver.Start(b).Addr
			}
			benchmarkProduct(b, func(o *graph.Options) {
				o.Charges = graph.Charges{Budgets: budgets(b, addr), General: budget.PerSecond(1_000_000_000, 1_000_000_000)}
			})
		})
	}
}

func benchmarkProduct(b *testing.B, set func(*graph.Options), encodings ...string) {
	b.Helper()
	shop := graphtest.New(b, set, catalogtest.WithOptions(catalogtest.Product("Shirt", 1999, "summer"), "Size/Colour",
		"S/Red", "M/Red", "L/Red", "S/Blue", "M/Blue", "L/Blue", "S/White", "M/White", "L/White", "XL/White"))
	serve(b, shop, same(body(b, productPage, graphtest.Vars{"handle": shop.Product("Shirt").Handle})), encodings...)
}

func BenchmarkListOf20(b *testing.B) {
	shop := graphtest.New(b, nil, catalogtest.Many(200)...)
	serve(b, shop, same(body(b, `{ products(first: 20) { nodes { id handle title vendor availableForSale featuredImage { url altText } priceRange { minVariantPrice { amount currencyCode } } } pageInfo { hasNextPage endCursor } } }`, nil)))
}

func BenchmarkAddToCart(b *testing.B) {
	shop := graphtest.New(b, nil)
	variant := shop.Variant("Wool Scarf", 0)
	const add = `mutation Add($cart: ID!, $lines: [CartLineInput!]!) { cartLinesAdd(cartId: $cart, lines: $lines) {
		cart { id totalQuantity cost { subtotalAmount { amount currencyCode } totalAmount { amount currencyCode } }
			lines(first: 10) { nodes { id quantity merchandise { ... on ProductVariant { id title price { amount currencyCode } product { title handle } } } cost { totalAmount { amount currencyCode } } } } }
		userErrors { field message } } }`
	serve(b, shop, func() func() []byte {
		n, text := 0, []byte(nil)
		return func() []byte {
			if n%500 == 0 { // each cart takes so many before it is full
				cart := graphtest.Get(shop.Do(`mutation { cartCreate { cart { id } } }`, nil), "cartCreate.cart.id")
				text = body(b, add, graphtest.Vars{"cart": cart, "lines": []any{map[string]any{"merchandiseId": variant, "quantity": 1}}})
			}
			n++
			return text
		}
	})
}
