package graph_test

import (
	"testing"
	"time"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
)

// However long a list is, what belongs to its elements costs one call.
func TestListsShareCalls(t *testing.T) {
	// Patient lookups miss nobody, however busy the machine.
	shop := newStorefront(t, func(o *graph.Options) { o.Gather = time.Second })
	cart := shop.Do(`mutation($lines:[CartLineInput!]){cartCreate(input:{lines:$lines}){cart{id}}}`, graphtest.Vars{"lines": []any{
		map[string]any{"merchandiseId": shop.Variant("Wool Scarf", 0)}, map[string]any{"merchandiseId": shop.Variant("Café Mug", 0)},
		map[string]any{"merchandiseId": shop.Variant("Enamel Mug", 0)}, map[string]any{"merchandiseId": shop.Variant("Leather Belt", 0)},
	}})
	id := graphtest.Get(cart, "cartCreate.cart.id")
	var ids []any
	for _, title := range []string{"Wool Scarf", "Café Mug", "Enamel Mug"} {
		ids = append(ids, shop.Variant(title, 0), "gid://ordergraph/Product/"+shop.Product(title).ID)
	}
	for name, c := range map[string]struct {
		query string
		vars  graphtest.Vars
		calls map[string]int
	}{
		"stock and collections of every product": {
			`{products(first:12){nodes{id totalInventory collections(first:5){nodes{title}} variants(first:50){nodes{id quantityAvailable}}}}}`,
			nil, map[string]int{"Search": 1, "Levels": 1, "Collections": 1},
		},
		"merchandise of every line": {
			`query($id:ID!){cart(id:$id){lines(first:10){nodes{merchandise{... on ProductVariant{id quantityAvailable product{title collections(first:1){nodes{id}}}}}}}}}`,
			graphtest.Vars{"id": id}, map[string]int{"Variants": 1, "Levels": 1, "Collections": 1},
		},
		"nodes of several kinds": {
			`query($ids:[ID!]!){nodes(ids:$ids){id ... on Product{totalInventory} ... on ProductVariant{quantityAvailable}}}`,
			graphtest.Vars{"ids": ids}, map[string]int{"Variants": 1, "Products": 1, "Levels": 1},
		},
		"facets alone": {
			`{products(first:0){totalCount filters{id values{label count}}}}`,
			nil, map[string]int{"Search": 1},
		},
		"nothing that needs a service": {
			`{shop{name} localization{country{isoCode}}}`, nil, map[string]int{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			shop.Calls.Take()
			shop.Do(c.query, c.vars)
			// What waits for something else first may come in a second batch;
			// a batch for each element may not.
			n := shop.Calls.Take()
			for call, times := range n {
				if times > 2*c.calls[call] {
					t.Errorf("calls: %v, want %v", n, c.calls)
				}
			}
		})
	}
}
