package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
)

// plainHTTP is the scenario that the others are compared with: what this
// machine serves when there is nothing to do.
const plainHTTP = "limit: plain HTTP"

// A scenario is one thing that customers do. client makes one customer, who
// then does it again and again.
type scenario struct {
	name   string
	client func(s *shop, n int) func(ctx context.Context, round int) error
}

const moneyFields = `{ amount currencyCode }`

const productQuery = `query ($handle: String!) { product(handle: $handle) {
	id handle title descriptionHtml vendor productType tags availableForSale
	options { id name optionValues { id name } }
	priceRange { minVariantPrice ` + moneyFields + ` maxVariantPrice ` + moneyFields + ` }
	featuredImage { url altText width height }
	images(first: 10) { nodes { url altText width height } }
	variants(first: 100) { nodes { id title sku availableForSale quantityAvailable
		selectedOptions { name value } price ` + moneyFields + ` compareAtPrice ` + moneyFields + ` } }
	seo { title description } } }`

const searchQuery = `query ($query: String!) { search(query: $query, first: 20) { totalCount
	productFilters { id label type values { id label count input } }
	nodes { ... on Product { id handle title vendor availableForSale
		priceRange { minVariantPrice ` + moneyFields + ` } featuredImage { url altText width height } } }
	pageInfo { hasNextPage endCursor } } }`

const cartFields = `cart { id totalQuantity cost { subtotalAmount ` + moneyFields + ` totalAmount ` + moneyFields + ` totalTaxAmount ` + moneyFields + ` }
	lines(first: 100) { nodes { id quantity cost { totalAmount ` + moneyFields + ` }
		merchandise { ... on ProductVariant { id title price ` + moneyFields + ` selectedOptions { name value } image { url } product { handle title } } } } } }
	userErrors { code field message }`

const addQuery = `mutation ($id: ID!, $lines: [CartLineInput!]!) { cartLinesAdd(cartId: $id, lines: $lines) { ` + cartFields + ` } }`

const createQuery = `mutation ($lines: [CartLineInput!]) { cartCreate(input: {lines: $lines}) { ` + cartFields + ` } }`

const checkoutQuery = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
	order { id number status totals { totalAmount ` + moneyFields + ` } timeline { status at } } accessToken userErrors { code field message } } }`

// words are what customers type: common ones, rare ones, half ones, wrong ones.
var words = []string{"mug", "harbour", "lamp linen", "fjord chair", "blnket", "note", "wool winter", "steel bottle", "gift", "tidal", "candel", "observatory poster", "cotton", "board oak", "rucksack travel"}

var scenarios = []scenario{
	// What the disk gives a checkout, which waits for about a dozen such
	// writes one after the other; they share them with others where they can.
	{"limit: durable write", func(s *shop, n int) func(context.Context, int) error {
		file, err := os.Create(filepath.Join(s.dir, fmt.Sprintf("limit-%d", n)))
		page := make([]byte, 4096)
		return func(context.Context, int) error {
			if err != nil {
				return err
			}
			if _, err := file.WriteAt(page, 0); err != nil {
				return err
			}
			return file.Sync()
		}
	}},
	{plainHTTP, func(s *shop, _ int) func(context.Context, int) error {
		return func(ctx context.Context, _ int) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/healthz", nil)
			if err != nil {
				return err
			}
			resp, err := s.client.Do(req)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		}
	}},
	{"product by handle", func(s *shop, n int) func(context.Context, int) error {
		dice := rand.New(rand.NewPCG(uint64(n), 1))
		return func(ctx context.Context, round int) error {
			handle := s.handles[dice.IntN(len(s.handles))]
			return s.expect(ctx, productQuery, map[string]any{"handle": handle}, round, `"handle":"`+handle+`"`)
		}
	}},
	{"search with facets", func(s *shop, n int) func(context.Context, int) error {
		dice := rand.New(rand.NewPCG(uint64(n), 2))
		return func(ctx context.Context, round int) error {
			return s.expect(ctx, searchQuery, map[string]any{"query": words[dice.IntN(len(words))]}, round, `"totalCount":`)
		}
	}},
	{"add to cart", func(s *shop, n int) func(context.Context, int) error {
		dice := rand.New(rand.NewPCG(uint64(n), 3))
		cart, lines := "", 0
		return func(ctx context.Context, round int) error {
			if cart == "" || lines == 10 { // a customer puts ten things into a cart, then begins another
				var err error
				if cart, err = s.cart(ctx, s.ids[dice.IntN(len(s.ids))]); err != nil {
					return err
				}
				lines = 1
				return nil
			}
			lines++
			return s.expect(ctx, addQuery, map[string]any{"id": cart, "lines": []any{
				map[string]any{"merchandiseId": s.ids[dice.IntN(len(s.ids))], "quantity": 1}}}, round, `"userErrors":[]`)
		}
	}},
	{"whole checkout", func(s *shop, n int) func(context.Context, int) error {
		dice := rand.New(rand.NewPCG(uint64(n), 4))
		run := rand.Uint64()
		return func(ctx context.Context, round int) error {
			cart, err := s.cart(ctx, s.ids[dice.IntN(len(s.ids))])
			if err != nil {
				return err
			}
			return s.expect(ctx, checkoutQuery, map[string]any{"input": map[string]any{
				"cartId": cart, "idempotencyKey": fmt.Sprintf("load-%x-%d-%d", run, n, round), "email": "load@example.com",
				"shippingAddress": map[string]any{"firstName": "L", "lastName": "Oad", "address1": "Kai 1", "city": "Hamburg", "zip": "20457", "countryCode": "DE"},
				"payment":         map[string]any{"method": "pm_card_visa"},
			}}, 0, `"status":"CONFIRMED"`)
		}
	}},
}

func (s *shop) cart(ctx context.Context, variant string) (string, error) {
	answer, err := s.ask(ctx, createQuery, map[string]any{"lines": []any{map[string]any{"merchandiseId": variant, "quantity": 1}}})
	if err != nil {
		return "", err
	}
	var data struct {
		CartCreate struct {
			Cart       *struct{ ID string }
			UserErrors []struct{ Message string }
		}
	}
	if err := answer.into(&data); err != nil {
		return "", err
	}
	if data.CartCreate.Cart == nil {
		return "", fmt.Errorf("no cart: %+v", data.CartCreate.UserErrors)
	}
	return data.CartCreate.Cart.ID, nil
}
