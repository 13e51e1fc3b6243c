package graph_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
)

const stocks = `query ($first: Int!, $after: String, $sku: String, $most: Int) {
	stocks(first: $first, after: $after, sku: $sku, availableAtMost: $most) {
		edges { cursor node { sku } } nodes { sku available variant { sku title product { title } } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

// Staff page through all stock, and through what is scarce, with what is sold
// under each SKU.
func TestStocks(t *testing.T) {
	s := graphtest.New(t, func(o *graph.Options) { o.Gather = time.Second })
	will := s.Staff(identity.Warehouse)
	s.Stock("BOLT-1", 3)
	s.Stock("BOLT-2", 0)
	s.Stock("TEE-M-BLU", 2)
	read := func(vars graphtest.Vars) (skus []string, last map[string]any) {
		t.Helper()
		for {
			page, ok := graphtest.Get(s.DoAs(will.Access, stocks, vars), "stocks").(map[string]any)
			if !ok {
				t.Fatal("no page")
			}
			nodes, _ := graphtest.Get(page, "nodes").([]any)
			for i, node := range nodes {
				skus = append(skus, fmt.Sprint(graphtest.Get(node, "sku"), " ", graphtest.Get(node, "available"), " ", graphtest.Get(node, "variant.product.title")))
				if edge := graphtest.Get(page, fmt.Sprintf("edges.%d", i)); graphtest.Get(edge, "node.sku") != graphtest.Get(node, "sku") || graphtest.Get(edge, "cursor") == nil {
					t.Errorf("%v", edge)
				}
			}
			if graphtest.Get(page, "pageInfo.hasNextPage") != true {
				return skus, page
			}
			vars["after"] = graphtest.Get(page, "pageInfo.endCursor")
		}
	}
	all, last := read(graphtest.Vars{"first": 4})
	if !slices.IsSorted(all) || !slices.Contains(all, "BOLT-1 3 <nil>") || !slices.Contains(all, "TEE-M-BLU 2 Ocean Blue T-Shirt") || graphtest.Get(last, "pageInfo.hasPreviousPage") != true {
		t.Errorf("%q, %v", all, last)
	}
	if got, _ := read(graphtest.Vars{"first": 1, "sku": "BOLT"}); !slices.Equal(got, []string{"BOLT-1 3 <nil>", "BOLT-2 0 <nil>"}) {
		t.Errorf("a beginning: %q", got)
	}
	if got, _ := read(graphtest.Vars{"first": 2, "most": 3}); !slices.Equal(got, []string{"BOLT-2 0 <nil>", "TEE-M-BLU 2 Ocean Blue T-Shirt", "BOLT-1 3 <nil>"}) {
		t.Errorf("scarce: %q", got)
	}

	s.Calls.Take()
	s.DoAs(will.Access, stocks, graphtest.Vars{"first": 20})
	if n := s.Calls.Take(); n["VariantsBySKU"] != 1 {
		t.Errorf("calls for a page: %v", n)
	}
	if got := s.DoAs(will.Access, stocks, graphtest.Vars{"first": 0}); graphtest.Get(got, "stocks.nodes.0") != nil || graphtest.Get(got, "stocks.pageInfo.hasNextPage") != true {
		t.Errorf("none at all: %v", got)
	}
	cursor := graphtest.Get(last, "pageInfo.startCursor")
	for name, c := range map[string]struct {
		vars  graphtest.Vars
		field string
	}{
		"a page too long":       {graphtest.Vars{"first": 101}, "first"},
		"less than nothing":     {graphtest.Vars{"first": -1}, "stocks.first"},
		"both":                  {graphtest.Vars{"first": 1, "sku": "B", "most": 1}, "availableAtMost"},
		"fewer than none":       {graphtest.Vars{"first": 1, "most": -1}, "availableAtMost"},
		"nonsense":              {graphtest.Vars{"first": 1, "after": "nonsense"}, "after"},
		"another list's cursor": {graphtest.Vars{"first": 1, "after": cursor, "most": 3}, "after"},
	} {
		a := s.AskAs(will.Access, stocks, c.vars)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "BAD_USER_INPUT" || a.Errors[0].Extensions["field"] != c.field {
			t.Errorf("%s: %s", name, a.Body)
		}
	}
}

// A warehouse is opened and changed by its id, and takes stock from then on.
func TestWarehouses(t *testing.T) {
	s := graphtest.New(t, nil)
	mira := s.Staff(identity.Merchant)
	put := func(in graphtest.Vars) any {
		t.Helper()
		return graphtest.Get(s.DoAs(mira.Access, `mutation ($in: WarehousePutInput!) { warehousePut(input: $in) {
			warehouse { id name countryCode priority } userErrors { code field message } } }`, graphtest.Vars{"in": in}), "warehousePut")
	}
	if got := put(graphtest.Vars{"id": "rotterdam", "name": "Rotterdam", "countryCode": "NL", "priority": 0}); graphtest.Get(got, "warehouse.countryCode") != "NL" || graphtest.Get(got, "userErrors.0") != nil {
		t.Fatalf("%v", got)
	}
	if got := put(graphtest.Vars{"id": "rotterdam", "name": "Europoort", "priority": 2}); graphtest.Get(got, "warehouse.name") != "Europoort" {
		t.Fatalf("%v", got)
	}
	got := s.DoAs(mira.Access, `{ warehouses { id name countryCode priority } }`, nil)
	if text := fmt.Sprint(graphtest.Get(got, "warehouses")); text != "[map[countryCode:DE id:main name:Main priority:1] map[countryCode:<nil> id:rotterdam name:Europoort priority:2]]" {
		t.Error(text)
	}
	adjusted := s.DoAs(mira.Access, `mutation { stockAdjust(input: {sku: "BOLT-1", warehouse: "rotterdam", set: 5, idempotencyKey: "count-0001"}) {
		stock { levels { warehouse onHand } } userErrors { code } } }`, nil)
	if graphtest.Get(adjusted, "stockAdjust.stock.levels.0.warehouse") != "rotterdam" || graphtest.Get(adjusted, "stockAdjust.stock.levels.0.onHand") != 5.0 {
		t.Errorf("%v", adjusted)
	}
	for field, in := range map[string]graphtest.Vars{
		"id":       {"id": "not an id", "name": "x", "priority": 1},
		"priority": {"id": "x", "name": "x", "priority": 1001},
	} {
		got := put(in)
		if graphtest.Get(got, "warehouse") != nil || graphtest.Get(got, "userErrors.0.code") != "INVALID" || graphtest.Get(got, "userErrors.0.field.1") != field {
			t.Errorf("%s: %v", field, got)
		}
	}
}
