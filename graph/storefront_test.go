package graph_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"ordergraph/graph"
	"ordergraph/graph/gengql"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
	"ordergraph/services/catalog"
	"ordergraph/services/catalog/catalogtest"
)

// The documents below ask for what storefronts of the open-source world ask
// Shopify's Storefront API for, in words of our own.

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "storefronts", name+".graphql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// operation is one operation of a document with several, with the fragments.
func operation(t *testing.T, name, operation string) string {
	t.Helper()
	text := document(t, name)
	doc, errs := gqlparser.LoadQueryWithRules(gengql.NewExecutableSchema(gengql.Config{}).Schema(), text, rules.NewDefaultRules())
	if errs != nil {
		t.Fatal(errs)
	}
	var parts []string
	for _, op := range doc.Operations {
		if op.Name == operation {
			parts = append(parts, section(text, op.Position))
		}
	}
	for _, f := range doc.Fragments {
		parts = append(parts, section(text, f.Position))
	}
	return prune(t, strings.Join(parts, "\n"))
}

// section is the text of a definition that begins at a line of its own.
func section(text string, at *ast.Position) string {
	from := at.Start
	rest := text[from:]
	for i := 1; i < len(rest); i++ {
		if rest[i-1] == '\n' && (strings.HasPrefix(rest[i:], "query ") || strings.HasPrefix(rest[i:], "mutation ") || strings.HasPrefix(rest[i:], "fragment ")) {
			return rest[:i]
		}
	}
	return rest
}

// prune drops fragments that nothing uses, which GraphQL forbids.
func prune(t *testing.T, text string) string {
	t.Helper()
	for {
		before := text
		for line := range strings.Lines(text) {
			name, ok := strings.CutPrefix(line, "fragment ")
			if !ok {
				continue
			}
			name = strings.Fields(name)[0]
			if !strings.Contains(text, "..."+name+" ") {
				i := strings.Index(text, line)
				text = text[:i] + strings.TrimPrefix(text[i:], section(text[i:], &ast.Position{}))
				break
			}
		}
		if text == before {
			return text
		}
	}
}

func TestStorefrontDocumentsAreValid(t *testing.T) {
	schema := gengql.NewExecutableSchema(gengql.Config{}).Schema()
	files, err := filepath.Glob("testdata/storefronts/*.graphql")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, errs := gqlparser.LoadQueryWithRules(schema, string(text), rules.NewDefaultRules()); errs != nil {
			t.Errorf("%s: %v", f, errs)
		}
	}
}

func newStorefront(t *testing.T, change ...func(*graph.Options)) *graphtest.Shop {
	t.Helper()
	products := catalogtest.Sample()
	products[0].Images = []catalog.Image{{URL: "/media/tee.png", Alt: "A blue shirt", Width: 800, Height: 600}, {URL: "https://cdn.example/back.png"}}
	shop := graphtest.New(t, func(o *graph.Options) {
		for _, c := range change {
			c(o)
		}
	}, products...)
	err := shop.Catalog.PutCollections(context.Background(), identity.Ourselves(), []catalog.CollectionInput{
		{Handle: "mugs", Title: "Mugs", HTML: "<p>To drink from.</p>", Rules: []catalog.Filter{{Type: "Mugs"}}},
		{Handle: "leather", Title: "Leather", Rules: []catalog.Filter{{Tag: "leather"}}},
		{Handle: "shirts", Title: "Shirts", Rules: []catalog.Filter{{Type: "Shirts"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return shop
}

func want(t *testing.T, data any, path string, value any) {
	t.Helper()
	if got := graphtest.Get(data, path); got != value {
		text, _ := json.Marshal(data)
		t.Errorf("%s is %v, want %v in %.1500s", path, got, value, text)
	}
}

func TestProductPages(t *testing.T) {
	shop := newStorefront(t)
	tee := shop.Product("Ocean Blue T-Shirt")

	data := shop.Do(document(t, "next_product"), graphtest.Vars{"handle": tee.Handle})
	want(t, data, "product.id", "gid://ordergraph/Product/"+tee.ID)
	want(t, data, "product.description", "A light organic cotton shirt for warm days.")
	want(t, data, "product.descriptionHtml", "<p>A light <b>organic cotton</b> shirt for warm days.</p>")
	want(t, data, "product.summary", nil)
	want(t, data, "product.options.0.name", "Size")
	want(t, data, "product.options.0.values.2", "L")
	want(t, data, "product.priceRange.minVariantPrice.amount", "19.99")
	want(t, data, "product.priceRange.minVariantPrice.currencyCode", "EUR")
	want(t, data, "product.variants.nodes.3.id", shop.Variant("Ocean Blue T-Shirt", 3))
	want(t, data, "product.variants.edges.1.node.title", "M / Blue")
	want(t, data, "product.variants.edges.1.node.selectedOptions.1.value", "Blue")
	want(t, data, "product.featuredImage.url", graphtest.PublicURL+"/media/tee.png")
	want(t, data, "product.featuredImage.altText", "A blue shirt")
	want(t, data, "product.featuredImage.width", 800.0)
	want(t, data, "product.images.edges.1.node.url", "https://cdn.example/back.png")
	want(t, data, "product.images.edges.1.node.width", nil)

	data = shop.Do(document(t, "hydrogen_product"), graphtest.Vars{"handle": tee.Handle, "country": "DE", "language": "EN",
		"selectedOptions": []any{map[string]any{"name": "size", "value": "m"}, map[string]any{"name": "Colour", "value": "White"}, map[string]any{"name": "_pos", "value": "1"}}})
	want(t, data, "product.encodedVariantExistence", "v1_0:0,1:0-1,2:0,")
	want(t, data, "product.encodedVariantAvailability", "v1_0:0,1:0-1,2:0,")
	want(t, data, "product.selectedVariant.title", "M / White")
	want(t, data, "product.selectedOrFirstAvailableVariant.title", "M / White")
	want(t, data, "product.options.1.optionValues.1.name", "White")
	want(t, data, "product.options.1.optionValues.1.firstSelectableVariant.title", "M / White")
	want(t, data, "product.options.1.optionValues.1.swatch", nil)
	want(t, data, "product.media.nodes.0.__typename", "MediaImage")
	want(t, data, "product.media.nodes.0.image.altText", "A blue shirt")

	mug := shop.Product("Café Mug")
	data = shop.Do(document(t, "hydrogen_product"), graphtest.Vars{"handle": mug.Handle, "selectedOptions": []any{}})
	want(t, data, "product.options.0.name", "Title")
	want(t, data, "product.variants.nodes.0.title", "Default Title")
	want(t, data, "product.variants.nodes.0.selectedOptions.0.value", "Default Title")
	want(t, data, "product.encodedVariantExistence", "v1_0,")
	want(t, data, "product.variants.nodes.0.image", nil)

	data = shop.Do(document(t, "next_product"), graphtest.Vars{"handle": "no-such-thing"})
	want(t, data, "product", nil)

	data = shop.Do(document(t, "next_recommendations"), graphtest.Vars{"productId": "gid://ordergraph/Product/" + mug.ID})
	if graphtest.Get(data, "productRecommendations.0.title") == nil {
		t.Error("nothing is recommended", data)
	}
	for _, id := range []string{"gid://ordergraph/Product/none", "nonsense", "gid://shopify/Product/1"} {
		data = shop.Do(document(t, "next_recommendations"), graphtest.Vars{"productId": id})
		want(t, data, "productRecommendations", nil)
	}
}

func TestCollectionPages(t *testing.T) {
	shop := newStorefront(t)
	data := shop.Do(document(t, "next_collection"), graphtest.Vars{"handle": "mugs", "sortKey": "PRICE", "reverse": true})
	want(t, data, "collection.title", "Mugs")
	want(t, data, "collection.description", "To drink from.")
	want(t, data, "collection.products.edges.0.node.title", "Travel Mug")
	want(t, data, "collection.products.edges.2.node.title", "Café Mug")
	want(t, data, "collection.products.pageInfo.hasNextPage", false)
	want(t, data, "collections.edges.0.node.title", "Leather")
	want(t, data, "menu", nil)
	want(t, data, "page", nil)

	// A filter's input narrows the list to as many as it said.
	for _, f := range graphtest.Get(data, "collection.products.filters").([]any) {
		for _, v := range graphtest.Get(f, "values").([]any) {
			var input map[string]any
			if err := json.Unmarshal([]byte(graphtest.Get(v, "input").(string)), &input); err != nil {
				t.Fatal(err)
			}
			narrowed := shop.Do(document(t, "next_collection"), graphtest.Vars{"handle": "mugs", "filters": []any{input}})
			n := float64(len(graphtest.Get(narrowed, "collection.products.edges").([]any)))
			if count := graphtest.Get(v, "count"); graphtest.Get(f, "type") == "PRICE_RANGE" {
				if n == 0 {
					t.Errorf("%v finds nothing", input)
				}
			} else if count != n {
				t.Errorf("%v says %v, and there are %v", input, count, n)
			}
		}
	}

	// Page by page, forwards and back.
	vars := graphtest.Vars{"handle": "mugs", "first": 2}
	one := shop.Do(document(t, "hydrogen_collection"), vars)
	want(t, one, "collection.products.pageInfo.hasNextPage", true)
	want(t, one, "collection.products.pageInfo.hasPreviousPage", false)
	two := shop.Do(document(t, "hydrogen_collection"), graphtest.Vars{"handle": "mugs", "first": 2, "endCursor": graphtest.Get(one, "collection.products.pageInfo.endCursor")})
	want(t, two, "collection.products.pageInfo.hasNextPage", false)
	want(t, two, "collection.products.pageInfo.hasPreviousPage", true)
	back := shop.Do(document(t, "hydrogen_collection"), graphtest.Vars{"handle": "mugs", "last": 2, "startCursor": graphtest.Get(two, "collection.products.pageInfo.startCursor")})
	for i := range 2 {
		path := "collection.products.nodes." + string(rune('0'+i)) + ".id"
		want(t, back, path, graphtest.Get(one, path))
	}

	// From the end without a cursor, and from there back and forth.
	last := shop.Do(document(t, "hydrogen_collection"), graphtest.Vars{"handle": "mugs", "last": 1})
	want(t, last, "collection.products.nodes.0.id", graphtest.Get(two, "collection.products.nodes.0.id"))
	want(t, last, "collection.products.pageInfo.hasNextPage", false)
	want(t, last, "collection.products.pageInfo.hasPreviousPage", true)
	before := shop.Do(document(t, "hydrogen_collection"), graphtest.Vars{"handle": "mugs", "last": 1, "startCursor": graphtest.Get(last, "collection.products.pageInfo.startCursor")})
	want(t, before, "collection.products.nodes.0.id", graphtest.Get(one, "collection.products.nodes.1.id"))
	again := shop.Do(document(t, "hydrogen_collection"), graphtest.Vars{"handle": "mugs", "first": 1, "endCursor": graphtest.Get(before, "collection.products.pageInfo.endCursor")})
	want(t, again, "collection.products.nodes.0.id", graphtest.Get(last, "collection.products.nodes.0.id"))

	// The collections themselves.
	const list = `query($f:Int,$l:Int,$a:String,$b:String){collections(first:$f,last:$l,after:$a,before:$b,sortKey:TITLE){nodes{title} edges{cursor} pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}`
	first := shop.Do(list, graphtest.Vars{"f": 2})
	want(t, first, "collections.nodes.1.title", "Mugs")
	rest := shop.Do(list, graphtest.Vars{"f": 2, "a": graphtest.Get(first, "collections.pageInfo.endCursor")})
	want(t, rest, "collections.nodes.0.title", "Shirts")
	returned := shop.Do(list, graphtest.Vars{"l": 1, "b": graphtest.Get(rest, "collections.pageInfo.startCursor")})
	want(t, returned, "collections.nodes.0.title", "Mugs")
	want(t, returned, "collections.pageInfo.hasPreviousPage", true)
	want(t, returned, "collections.pageInfo.hasNextPage", true)
	want(t, shop.Do(list, graphtest.Vars{"l": 1}), "collections.nodes.0.title", "Shirts")
}

func TestSearchPages(t *testing.T) {
	shop := newStorefront(t)
	data := shop.Do(document(t, "next_search"), graphtest.Vars{"query": "mug", "sortKey": "PRICE"})
	want(t, data, "products.edges.0.node.title", "Café Mug")

	data = shop.Do(document(t, "hydrogen_search"), graphtest.Vars{"term": "leather", "first": 1})
	want(t, data, "products.nodes.0.__typename", "Product")
	want(t, data, "products.totalCount", 2.0)
	want(t, data, "products.pageInfo.hasNextPage", true)
	if n := len(graphtest.Get(data, "articles.nodes").([]any)) + len(graphtest.Get(data, "pages.nodes").([]any)); n != 0 {
		t.Error("there are articles or pages", data)
	}
	if n := len(graphtest.Get(data, "predictiveSearch.products").([]any)); n != 2 {
		t.Errorf("%d products are suggested", n)
	}
	want(t, shop.Do(document(t, "hydrogen_search"), graphtest.Vars{"term": "  ", "first": 1}), "predictiveSearch", nil)

	data = shop.Do(document(t, "hydrogen_layout"), graphtest.Vars{"menu": "main", "country": "FR"})
	want(t, data, "shop.name", "Try-out")
	want(t, data, "shop.brand", nil)
	want(t, data, "menu", nil)
	want(t, data, "localization.country.isoCode", "FR")
	want(t, data, "localization.country.name", "France")
	want(t, data, "localization.availableCountries.0.isoCode", "DE")
	data = shop.Do(document(t, "hydrogen_home"), nil)
	if len(graphtest.Get(data, "products.nodes").([]any)) != 4 {
		t.Error(data)
	}
	tags := shop.Do(`{productTags(first:250){edges{node}} productTypes(first:2){edges{node} pageInfo{hasNextPage}}}`, nil)
	want(t, tags, "productTypes.pageInfo.hasNextPage", true)
}

func TestOlderStorefronts(t *testing.T) {
	shop := newStorefront(t)
	tee := shop.Product("Ocean Blue T-Shirt")
	data := shop.Do(document(t, "older_products"), graphtest.Vars{"first": 3, "handle": tee.Handle, "ids": []any{
		"gid://ordergraph/Product/" + tee.ID, "gid://ordergraph/Nothing/1", "broken", shop.Variant("Café Mug", 0), "gid://ordergraph/Shop/1",
	}})
	want(t, data, "shop.paymentSettings.currencyCode", "EUR")
	want(t, data, "shop.primaryDomain.host", "shop.example")
	want(t, data, "productByHandle.images.edges.0.node.originalSrc", graphtest.PublicURL+"/media/tee.png")
	want(t, data, "productByHandle.variants.edges.0.node.priceV2.amount", "19.99")
	want(t, data, "productByHandle.variants.edges.0.node.quantityAvailable", float64(graphtest.EnoughStock))
	want(t, data, "productByHandle.totalInventory", 4.0*graphtest.EnoughStock)
	want(t, data, "productByHandle.collections.edges.0.node.handle", "shirts")
	want(t, data, "productByHandle.compareAtPriceRange.minVariantPrice.amount", "0.00")
	want(t, data, "collectionByHandle", nil)
	want(t, data, "nodes.0.title", "Ocean Blue T-Shirt")
	want(t, data, "nodes.1", nil)
	want(t, data, "nodes.2", nil)
	want(t, data, "nodes.3.product.handle", shop.Product("Café Mug").Handle)
	want(t, data, "nodes.4.__typename", "Shop")
}

func TestCartOfANextShop(t *testing.T) {
	shop := newStorefront(t)
	tee, mug := shop.Variant("Ocean Blue T-Shirt", 0), shop.Variant("Café Mug", 0)
	line := func(id string, n int) map[string]any { return map[string]any{"merchandiseId": id, "quantity": n} }

	data := shop.Do(operation(t, "next_cart", "Begin"), graphtest.Vars{"lines": []any{line(tee, 1)}})
	id := graphtest.Get(data, "cartCreate.cart.id")
	want(t, data, "cartCreate.cart.totalQuantity", 1.0)
	want(t, data, "cartCreate.cart.cost.subtotalAmount.amount", "19.99")
	want(t, data, "cartCreate.cart.lines.edges.0.node.merchandise.product.title", "Ocean Blue T-Shirt")
	want(t, data, "cartCreate.cart.lines.edges.0.node.merchandise.product.featuredImage.url", graphtest.PublicURL+"/media/tee.png")
	first := graphtest.Get(data, "cartCreate.cart.lines.edges.0.node.id")

	// The same variant again is the same line, and its id stays.
	data = shop.Do(operation(t, "next_cart", "Add"), graphtest.Vars{"cartId": id, "lines": []any{line(tee, 2), line(mug, 1)}})
	want(t, data, "cartLinesAdd.cart.lines.edges.0.node.id", first)
	want(t, data, "cartLinesAdd.cart.lines.edges.0.node.quantity", 3.0)
	want(t, data, "cartLinesAdd.cart.totalQuantity", 4.0)
	want(t, data, "cartLinesAdd.cart.cost.subtotalAmount.amount", "71.97")
	second := graphtest.Get(data, "cartLinesAdd.cart.lines.edges.1.node.id")

	data = shop.Do(operation(t, "next_cart", "Edit"), graphtest.Vars{"cartId": id, "lines": []any{map[string]any{"id": first, "merchandiseId": tee, "quantity": 1}}})
	want(t, data, "cartLinesUpdate.cart.lines.edges.0.node.quantity", 1.0)
	data = shop.Do(operation(t, "next_cart", "Remove"), graphtest.Vars{"cartId": id, "lineIds": []any{second}})
	want(t, data, "cartLinesRemove.cart.totalQuantity", 1.0)
	data = shop.Do(operation(t, "next_cart", "Look"), graphtest.Vars{"cartId": id})
	want(t, data, "cart.lines.edges.0.node.id", first)
	want(t, shop.Do(operation(t, "next_cart", "Look"), graphtest.Vars{"cartId": "gid://ordergraph/Cart/none"}), "cart", nil)
	want(t, shop.Do(`query($id:ID!){node(id:$id){... on Cart{totalQuantity}}}`, graphtest.Vars{"id": id}), "node.totalQuantity", 1.0)
}

func TestCartOfAHydrogenShop(t *testing.T) {
	shop := newStorefront(t)
	data := shop.Do(operation(t, "hydrogen_cart", "Create"), graphtest.Vars{"country": "FR", "input": map[string]any{
		"lines": []any{map[string]any{"merchandiseId": shop.Variant("Wool Scarf", 0)}},
		"note":  "Gift wrap", "attributes": []any{map[string]any{"key": "from", "value": "Ada"}}, "discountCodes": []any{"nothing"},
	}})
	id := graphtest.Get(data, "cartCreate.cart.id")
	want(t, data, "cartCreate.cart.lines.nodes.0.quantity", 1.0)
	want(t, data, "cartCreate.cart.note", "Gift wrap")
	want(t, data, "cartCreate.cart.attributes.0.value", "Ada")
	want(t, data, "cartCreate.cart.buyerIdentity.countryCode", "FR")
	want(t, data, "cartCreate.cart.buyerIdentity.customer", nil)
	want(t, data, "cartCreate.cart.discountCodes.0.applicable", false)
	want(t, data, "cartCreate.cart.cost.totalDutyAmount", nil)
	want(t, data, "cartCreate.cart.deliveryGroups.nodes.0.selectedDeliveryOption", nil)
	if graphtest.Get(data, "cartCreate.cart.deliveryGroups.nodes.0.deliveryOptions.0.estimatedCost.amount") == nil {
		t.Error("no rate is offered", data)
	}

	data = shop.Do(operation(t, "hydrogen_cart", "Buyer"), graphtest.Vars{"cartId": id, "buyerIdentity": map[string]any{"countryCode": "DE", "email": "ada@example.com"}})
	want(t, data, "cartBuyerIdentityUpdate.cart.buyerIdentity.countryCode", "DE")
	want(t, data, "cartBuyerIdentityUpdate.cart.buyerIdentity.email", "ada@example.com")
	data = shop.Do(operation(t, "hydrogen_cart", "Note"), graphtest.Vars{"cartId": id, "note": ""})
	want(t, data, "cartNoteUpdate.cart.note", nil)
	data = shop.Do(operation(t, "hydrogen_cart", "Attributes"), graphtest.Vars{"cartId": id, "attributes": []any{}})
	want(t, data, "cartAttributesUpdate.cart.attributes.0", nil)
	data = shop.Do(operation(t, "hydrogen_cart", "Codes"), graphtest.Vars{"cartId": id})
	want(t, data, "cartDiscountCodesUpdate.cart.discountCodes.0", nil)
}

// What is not sold any more stays in the cart as the buyer put it there, and
// cannot be bought.
func TestCartRemembersWhatIsNotSoldAnyMore(t *testing.T) {
	shop := newStorefront(t)
	cart := fill(t, shop, "Linen Shirt", 1)
	gone := catalogtest.Sample()[1]
	gone.Handle, gone.Published = shop.Product("Linen Shirt").Handle, false
	if _, err := shop.Catalog.Put(context.Background(), identity.Ourselves(), []catalog.ProductInput{gone}); err != nil {
		t.Fatal(err)
	}
	want(t, shop.Do(`query($h:String){product(handle:$h){id}}`, graphtest.Vars{"h": gone.Handle}), "product", nil)
	data := shop.Do(`query($id:ID!){cart(id:$id){lines(first:1){nodes{available merchandise{... on ProductVariant{title availableForSale product{title}}}}}}}`, graphtest.Vars{"id": cart})
	want(t, data, "cart.lines.nodes.0.available", false)
	want(t, data, "cart.lines.nodes.0.merchandise.title", "M / White")
	want(t, data, "cart.lines.nodes.0.merchandise.availableForSale", false)
	want(t, data, "cart.lines.nodes.0.merchandise.product.title", "Linen Shirt")
}
